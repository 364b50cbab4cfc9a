package sandbox

import (
	"slices"
	"time"
)

// codeFaults are those of section K.
func codeFaults() []Fault {
	return []Fault{
		{ID: "code-flow-broken", Requirement: "RFC6749-4.1-issues-token",
			Sentence:     "The codes of confidential clients are all refused",
			Consequences: []string{"RFC6749-3.2-post-form-accepted", "SPACE-code-access-type"},
			change:       func(p *policy) { p.front.brokenCodes = true }},
		{ID: "code-reusable", Requirement: "RFC6749-4.1.2-code-single-use",
			Sentence: "A code can be redeemed again and again",
			change:   func(p *policy) { p.front.reusableCodes = true }},
		{ID: "replay-keeps-tokens", Requirement: "RFC6749-4.1.2-replay-revokes-tokens",
			Sentence: "The replay of a code leaves the tokens of its first use alive",
			change:   func(p *policy) { p.front.replayKeepsTokens = true }},
		{ID: "any-replay-revokes", Requirement: "OAUTH21-7.5.2-invalid-replay-harmless",
			Sentence: "The replay of a code ends the tokens of its first use, even when it could not have succeeded",
			Needs:    Needs{Postures: []string{posture21}},
			change:   func(p *policy) { p.front.anyReplayRevokes = true }},
		{ID: "code-never-expires", Requirement: "RFC6749-4.1.2-code-expires",
			Sentence: "A code can be redeemed for a year",
			change:   func(p *policy) { p.front.codeLifetime = 365 * 24 * time.Hour }},
		{ID: "code-any-client", Requirement: "RFC6749-4.1.3-code-bound-to-client",
			Sentence: "A code works for any client",
			change:   func(p *policy) { p.front.codeAnyClient = true }},
		{ID: "redirect-uri-unchecked", Requirement: "RFC6749-4.1.3-redirect-uri-identical",
			Sentence: "redirect_uri is not compared when a code is redeemed",
			change:   func(p *policy) { p.front.uriUnchecked = true }},
		{ID: "redirect-uri-optional", Requirement: "RFC6749-4.1.3-redirect-uri-required",
			Sentence: "A code can be redeemed without the redirect_uri of its request",
			Needs:    Needs{Postures: []string{postureSpace, postureRFC, postureBCP}},
			change:   func(p *policy) { p.front.uriOptional = true }},
		{ID: "redirect-uri-demanded", Requirement: "OAUTH21-10.2-redirect-uri-not-demanded",
			Sentence: "A code cannot be redeemed without redirect_uri",
			Needs:    Needs{Postures: []string{posture21}},
			change:   func(p *policy) { p.front.demandsURIAgain = true }},
		{ID: "code-prefix-match", Requirement: "RFC6749-4.1.3-invalid-code-refused",
			Sentence: "Only the first 16 characters of a code are compared",
			change:   func(p *policy) { p.front.codePrefix = 16 }},
		{ID: "public-no-client-id", Requirement: "RFC6749-3.2.1-public-client-id-required",
			Sentence: "The code of a public client works without client_id",
			change:   func(p *policy) { p.front.noClientID = true }},
		{ID: "shared-token-table", Requirement: "RFC6749-5.2-artifact-confusion",
			Sentence: "Codes, refresh tokens and access tokens can stand for each other at the token endpoint",
			change:   func(p *policy) { p.front.sharedTable = true }},
		{ID: "code-last-user-wins", Requirement: "RFC6749-4.1.2-code-bound-to-user",
			Sentence: "A code is worth the user who got one last",
			change:   func(p *policy) { p.front.lastUserWins = true }},
	}
}

// pkceFaults are those of section L.
func pkceFaults() []Fault {
	plain := Needs{Postures: []string{postureSpace, postureRFC}}
	return []Fault{
		{ID: "s256-broken", Requirement: "RFC9700-2.1.1-s256-supported",
			Sentence:     "S256 challenges are compared with padding, so that no right verifier matches",
			Needs:        Needs{Postures: []string{postureSpace, postureBCP, posture21}},
			Consequences: []string{"SPACE-public-client-and-require-pkce", "RFC6749-6-issues-token"},
			change:       func(p *policy) { p.front.s256Padded = true }},
		{ID: "pkce-ignored", Requirement: "RFC7636-4.6-wrong-verifier",
			Sentence: "Any verifier is right",
			change:   func(p *policy) { p.front.pkceIgnored = true }},
		{ID: "verifier-optional", Requirement: "RFC7636-4.5-missing-verifier",
			Sentence: "A code with a challenge can be redeemed without a verifier",
			change:   func(p *policy) { p.front.verifierOptional = true }},
		{ID: "pkce-downgrade", Requirement: "RFC9700-4.8.2-verifier-without-challenge",
			Sentence: "A verifier is accepted where there was no challenge",
			Needs:    Needs{Postures: []string{postureBCP}},
			change:   func(p *policy) { p.front.verifierNeedsChall = false }},
		{ID: "plain-compare-fallback", Requirement: "RFC7636-4.6-s256-not-plain",
			Sentence: "An S256 challenge is taken for its own verifier",
			change:   func(p *policy) { p.front.plainFallback = true }},
		{ID: "unknown-method-disables-pkce", Requirement: "RFC7636-4.4.1-unknown-method",
			Sentence: "An unknown code_challenge_method switches PKCE off",
			change:   func(p *policy) { p.front.unknownMethodOff = true }},
		{ID: "default-method-s256", Requirement: "RFC7636-4.3-default-plain", Needs: plain,
			Sentence: "A challenge without method is taken for S256",
			change:   func(p *policy) { p.front.defaultsS256 = true }},
		{ID: "plain-accepted", Requirement: "RFC9700-2.1.1-plain-refused",
			Sentence: "The method plain is accepted",
			Needs:    Needs{Postures: []string{postureBCP, posture21}},
			change:   func(p *policy) { p.front.plain = true }},
		{ID: "short-verifier-ok", Requirement: "RFC7636-4.1-verifier-length-charset",
			Sentence: "A verifier of 10 characters is accepted",
			change:   func(p *policy) { p.front.shortestVerifier = 10 }},
		{ID: "any-challenge-ok", Requirement: "RFC7636-4.2-challenge-syntax",
			Sentence: "A challenge may have any shape, and one with padding can be redeemed",
			change:   func(p *policy) { p.front.anyChallenge = true }},
		{ID: "required-pkce-not-enforced", Requirement: "RFC7636-4.4.1-required-challenge",
			Sentence:     "A client that must use PKCE gets a code without a challenge",
			Consequences: []string{"SPACE-public-client-and-require-pkce"},
			Needs:        plain,
			change:       func(p *policy) { p.front.pkceNotEnforced = true }},
		{ID: "pkce-optional", Requirement: "OAUTH21-4.1.2.1-challenge-demanded",
			Sentence: "A client gets a code without a challenge",
			Needs:    Needs{Postures: []string{posture21}},
			// In this posture every client is registered as one that has to use PKCE.
			Consequences: []string{"RFC7636-4.4.1-required-challenge"},
			change:       func(p *policy) { p.front.pkceAll = false }},
		{ID: "challenge-per-session", Requirement: "RFC7636-4.4-challenge-bound-to-code",
			Sentence: "Only the last challenge of a session is kept",
			change:   func(p *policy) { p.front.lastChallenge = true }},
		{ID: "challenge-in-code", Requirement: "OAUTH21-4.1.2-challenge-not-disclosed",
			Sentence: "A code holds the challenge, for everybody to read",
			change:   func(p *policy) { p.front.challengeInCode = true }},
		{ID: "pkce-replaces-secret", Requirement: "RFC7636-5-pkce-not-client-auth",
			Sentence:     "A right verifier makes the client's secret needless",
			Consequences: []string{"SPACE-public-client-and-require-pkce", "RFC6749-3.2.1-auth-required"},
			change:       func(p *policy) { p.front.pkceReplacesAuth = true }},
	}
}

// implicitFaults are those of section M.
func implicitFaults() []Fault {
	offered := Needs{Postures: []string{postureSpace, postureRFC}, Editions: []string{edition2023, edition2021}}
	return []Fault{
		{ID: "implicit-broken", Requirement: "RFC6749-4.2-issues-token", Needs: offered,
			Sentence:     "The implicit flow is switched off",
			Consequences: []string{"RFC6749-3.1.2.3-registered-uri-accepted", "SPACE-request-credentials-skip-silent"},
			change:       func(p *policy) { p.front.refusesImplicit = true }},
		{ID: "implicit-enabled", Requirement: "RFC9700-2.1.2-implicit-refused",
			Needs:        Needs{Postures: []string{postureBCP, posture21}},
			Sentence:     "The implicit flow is switched on for every client",
			Consequences: []string{"RFC6749-4.1.2.1-unauthorized-response-type", "RFC6749-3.1.1-unknown-response-type"},
			change:       func(p *policy) { p.front.offersImplicit, p.front.ignoresTypeList = true, true }},
		{ID: "token-in-query", Requirement: "RFC6749-4.2.2-fragment-not-query", Needs: offered,
			Sentence:     "The token of the implicit flow comes in the query",
			Consequences: []string{"RFC6749-4.1.2-state-echoed"},
			change:       func(p *policy) { p.front.tokenInQuery = true }},
		{ID: "implicit-no-token-type", Requirement: "RFC6749-4.2.2-required-members", Needs: offered,
			Sentence: "The answer of the implicit flow has no token_type",
			change: func(p *policy) {
				p.front.spoilFragment = func(params []pair) []pair {
					return slices.DeleteFunc(params, func(x pair) bool { return x.name == "token_type" })
				}
			}},
		{ID: "implicit-refresh-token", Requirement: "RFC6749-4.2.2-no-refresh-token", Needs: offered,
			Sentence: "The implicit flow issues a refresh token",
			change:   func(p *policy) { p.front.implicitRefresh = true }},
		{ID: "implicit-error-in-query", Requirement: "RFC6749-4.2.2.1-error-in-fragment", Needs: offered,
			Sentence:     "Errors of the implicit flow come in the query",
			Consequences: []string{"RFC6749-4.1.2.1-error-redirect-syntax"},
			change:       func(p *policy) { p.front.tokenErrorsQuery = true }},
	}
}
