package sandbox

import (
	"net/http"
	"time"
)

// resourceFaults are the faults of section O: the bearer token at the resource.
func resourceFaults() []Fault {
	return []Fault{
		{ID: "bearer-header-ignored", Requirement: "RFC6750-2.1-header-accepted",
			Sentence:     "The list of profiles does not read the Authorization header",
			Consequences: []string{"RFC6749-4.4-issues-token", "RFC9110-11.1-scheme-case-insensitive"},
			change:       func(p *policy) { p.resource.ignoresHeader = true }},
		{ID: "bearer-case-sensitive", Requirement: "RFC9110-11.1-scheme-case-insensitive",
			Sentence: "The scheme must be written Bearer, letter for letter",
			change:   func(p *policy) { p.resource.caseSensitive = true }},
		{ID: "no-bearer-challenge", Requirement: "RFC6750-3-missing-token-challenge",
			Sentence: "A request without a token is answered without WWW-Authenticate",
			change:   func(p *policy) { p.resource.omitsChallenge = true }},
		{ID: "error-without-credentials", Requirement: "RFC6750-3.1-no-error-without-credentials",
			Sentence: "A request without a token is told that its token is invalid",
			change:   func(p *policy) { p.resource.errorUnasked = true }},
		{ID: "invalid-token-500", Requirement: "RFC6750-3.1-invalid-token",
			Sentence: "An unknown token is answered with 500",
			Consequences: []string{"RFC6749-10.3-jwt-tamper-refused", "RFC6749-1.5-only-access-tokens-accepted",
				"RFC6750-3.1-malformed-request", "SPACE-resource-error-shape"},
			change: func(p *policy) { p.resource.invalidTokenStatus = http.StatusInternalServerError }},
		{ID: "scope-not-checked", Requirement: "RFC6750-3.1-insufficient-scope",
			Sentence:     "A resource that needs more scope opens to any token",
			Consequences: []string{"SPACE-resource-error-shape"},
			change:       func(p *policy) { p.resource.scopeUnchecked = true }},
		{ID: "bearer-empty-500", Requirement: "RFC6750-3.1-malformed-request",
			Sentence: "An Authorization header without a token is answered with 500",
			change:   func(p *policy) { p.resource.emptyTokenStatus = http.StatusInternalServerError }},
		{ID: "token-never-expires", Requirement: "RFC6749-7-expired-token-refused",
			Sentence:     "An access token works after it has expired",
			Consequences: []string{"SPACE-resource-error-shape"},
			change:       func(p *policy) { p.resource.neverExpires = true }},
		{ID: "second-token-wins", Requirement: "RFC6750-2-one-method-only",
			Sentence: "A token in the URL is taken over the one in the header",
			change:   func(p *policy) { p.resource.queryWins = true }},
		{ID: "query-token-cacheable", Requirement: "RFC6750-2.3-query-token-cached",
			Sentence: "A token in the URL opens a resource, and the answer may be kept by anybody",
			Needs:    Needs{Postures: []string{postureSpace, postureRFC}},
			change:   func(p *policy) { p.resource.queryCacheable = true }},
		{ID: "query-token-accepted", Requirement: "OAUTH21-5.1-query-token-ignored",
			Sentence: "A token in the URL opens a resource",
			Needs:    Needs{Postures: []string{posture21, postureBCP}},
			change:   func(p *policy) { p.resource.queryToken = true }},
		{ID: "accept-alg-none", Requirement: "RFC6749-10.3-jwt-tamper-refused",
			Sentence: "A token whose header says that nobody signed it is believed",
			Needs:    Needs{Tokens: tokensRS512},
			change:   func(p *policy) { p.resource.acceptsUnsigned = true }},
		{ID: "refresh-token-as-bearer", Requirement: "RFC6749-1.5-only-access-tokens-accepted",
			Sentence: "A refresh token opens resources",
			change:   func(p *policy) { p.resource.acceptsRefresh = true }},
		{ID: "lifetime-one-year", Requirement: "RFC6750-5.3-short-lifetime",
			Sentence:     "Access tokens live for a year",
			Consequences: []string{"SPACE-token-lifetime-consistent"},
			change:       func(p *policy) { p.grants.accessLifetime = 365 * 24 * time.Hour }},
	}
}

// spaceFaults are the faults of section S: Space's own promises.
func spaceFaults() []Fault {
	space := Needs{Postures: []string{postureSpace}}
	jwt := Needs{Postures: []string{postureSpace}, Tokens: tokensRS512}
	return []Fault{
		{ID: "space-other-path", Requirement: "SPACE-endpoints-documented", Needs: space,
			Sentence: "The endpoints are below /hub instead of where Space documents them",
			change:   func(p *policy) { p.resource.otherPaths = true }},
		{ID: "space-cc-reads-user-data", Requirement: "SPACE-cc-no-user-resources", Needs: space,
			Sentence: "An application's token opens a person's profile",
			change:   func(p *policy) { p.resource.applicationIsUser = true }},
		{ID: "space-offline-ignored", Requirement: "SPACE-code-access-type", Needs: space,
			Sentence: "access_type=offline yields no refresh token in the code flow",
			change:   func(p *policy) { p.front.ignoresOffline = true }},
		{ID: "space-pw-always-refresh", Requirement: "SPACE-password-access-type", Needs: space,
			Sentence: "The password grant issues a refresh token that nobody asked for",
			change:   func(p *policy) { p.grants.passwordAlwaysOffline = true }},
		{ID: "space-pw-no-scope-all", Requirement: "SPACE-password-scope-required", Needs: space,
			Sentence: "The password grant without scope grants everything",
			change:   func(p *policy) { p.grants.passwordScopeDefaults = true }},
		{ID: "space-refresh-needs-switch", Requirement: "SPACE-refresh-auto-enabled", Needs: space,
			Sentence: "A client with the code flow alone gets and redeems no refresh tokens",
			change:   func(p *policy) { p.grants.refreshTokenNeedsGrant = true }},
		{ID: "space-exp-disagrees", Requirement: "SPACE-token-lifetime-consistent", Needs: jwt,
			Sentence:     "The token's exp is half of what expires_in says",
			Consequences: []string{"SPACE-jwt-key-set", "RFC6749-7-expired-token-refused"},
			change: func(p *policy) {
				p.resource.expiry = func(lifetime time.Duration) time.Duration { return lifetime / 2 }
			}},
		{ID: "space-scope-unparsed", Requirement: "SPACE-scope-grammar", Needs: space,
			Sentence:     "A malformed scope is granted as it stands",
			Consequences: []string{"RFC6749-3.3-scope-not-escalated", "RFC6749-4.1.2.1-invalid-scope"},
			change:       func(p *policy) { p.grants.parsesNoScope = true }},
		{ID: "space-required-ignored", Requirement: "SPACE-request-credentials-default", Needs: space,
			Sentence: "request_credentials=required does not sign the user out",
			change:   func(p *policy) { p.front.ignoresRequired = true }},
		{ID: "space-silent-shows-login", Requirement: "SPACE-request-credentials-skip-silent",
			Needs:    Needs{Postures: []string{postureSpace}, Editions: []string{edition2023, edition2021}},
			Sentence: "request_credentials=silent shows the sign-in page",
			change:   func(p *policy) { p.front.ignoresSilent = true }},
		{ID: "space-other-error-code", Requirement: "SPACE-authorization-errors", Needs: space,
			Sentence: "A bad redirect_uri and a missing response_type are called invalid_request",
			change:   func(p *policy) { p.front.spaceErrors = false }},
		{ID: "space-switch-ignored", Requirement: "SPACE-public-client-and-require-pkce", Needs: space,
			Sentence:     "A confidential client redeems codes without its secret although public access is off",
			Consequences: []string{"RFC6749-3.2.1-auth-required", "RFC7636-5-pkce-not-client-auth"},
			change:       func(p *policy) { p.front.ignoresPublicSwitch = true }},
		{ID: "space-jwks-stale", Requirement: "SPACE-jwt-key-set", Needs: jwt,
			Sentence: "The published key is not the one that signs",
			change:   func(p *policy) { p.resource.staleKeySet = true }},
		{ID: "space-html-errors", Requirement: "SPACE-resource-error-shape", Needs: space,
			Sentence: "The API answers an invalid token and a missing right with an HTML page",
			change: func(p *policy) {
				p.resource.htmlError = func(r *apiRefusal) bool {
					return r.oauth == "invalid_token" && r.description != whyRevoked || r.scope != ""
				}
			}},
		{ID: "space-revocation-ignored", Requirement: "SPACE-revoked-refresh-kills-access", Needs: space,
			Sentence: "Deleting a refresh token or a consent leaves its access tokens alive",
			change:   func(p *policy) { p.resource.ignoresRevocation = true }},
		{ID: "space-implicit-open", Requirement: "SPACE-implicit-not-for-new",
			Needs:        Needs{Postures: []string{postureSpace}, Editions: []string{edition2024}},
			Sentence:     "An application that is not registered for the implicit flow gets tokens by it",
			Consequences: []string{"RFC6749-4.1.2.1-unauthorized-response-type"},
			change:       func(p *policy) { p.front.implicitForAll = true }},
	}
}
