package sandbox

import "net/http"

// extrasFaults are the faults of section R: revocation, introspection, metadata and issuer.
func extrasFaults() []Fault {
	extras := Needs{Extras: true}
	return []Fault{
		{ID: "revoke-noop", Requirement: "RFC7009-2-refresh-token-revoked", Needs: extras,
			Sentence:     "The revocation endpoint answers 200 and does nothing",
			Consequences: []string{"RFC7009-2-access-token-revoked"},
			change:       func(p *policy) { p.extras.revokesNothing = true }},
		{ID: "revoke-access-noop", Requirement: "RFC7009-2-access-token-revoked", Needs: extras,
			Sentence: "An access token lives on after its revocation was confirmed",
			change:   func(p *policy) { p.extras.accessIrrevocable = true }},
		{ID: "no-cascade", Requirement: "RFC7009-2.1-refresh-revokes-access", Needs: extras,
			Sentence: "Access tokens live on when their refresh token is revoked",
			change:   func(p *policy) { p.extras.keepsAccess = true }},
		{ID: "revoke-unknown-400", Requirement: "RFC7009-2.2-unknown-token-200", Needs: extras,
			Sentence: "The revocation of an unknown token is answered with 400",
			change:   func(p *policy) { p.extras.unknownTokenStatus = http.StatusBadRequest }},
		{ID: "revoke-no-auth", Requirement: "RFC7009-2.1-client-auth-required", Needs: extras,
			Sentence: "The revocation endpoint asks for no client credentials",
			change:   func(p *policy) { p.extras.revokesForAnybody = true }},
		{ID: "revoke-any-client", Requirement: "RFC7009-2.1-foreign-token-untouched", Needs: extras,
			Sentence: "Any client can revoke any token",
			change:   func(p *policy) { p.extras.revokesForeign = true }},
		{ID: "hint-trusted", Requirement: "RFC7009-2.1-hint-not-trusted", Needs: extras,
			Sentence: "The token is looked for only where token_type_hint says",
			change:   func(p *policy) { p.extras.trustsHint = true }},
		{ID: "introspect-always-active", Requirement: "RFC7662-2.2-state-truthful", Needs: extras,
			Sentence: "Introspection calls every token active",
			change:   func(p *policy) { p.extras.alwaysActive = true }},
		{ID: "introspect-open", Requirement: "RFC7662-2.1-authorization-required", Needs: extras,
			Sentence: "The introspection endpoint asks for no credentials",
			change:   func(p *policy) { p.extras.tellsAnybody = true }},
		{ID: "metadata-other-issuer", Requirement: "RFC8414-3-document", Needs: extras,
			Sentence:     "The metadata document names another issuer",
			Consequences: []string{"RFC7662-2.2-state-truthful"},
			change:       func(p *policy) { p.extras.otherIssuer = true }},
		{ID: "metadata-lies", Requirement: "RFC8414-2-truthful", Needs: extras,
			Sentence: "The metadata document announces a grant that does not work",
			change: func(p *policy) {
				p.extras.spoilMetadata = func(document object) {
					grants, _ := document["grant_types_supported"].([]string)
					document["grant_types_supported"] = append(grants, "urn:ietf:params:oauth:grant-type:device_code")
				}
			}},
		{ID: "no-pkce-metadata", Requirement: "RFC9700-2.1.1-pkce-discoverable",
			Needs:    Needs{Extras: true, Postures: []string{postureBCP, posture21}},
			Sentence: "The metadata leaves code_challenge_methods_supported out",
			change: func(p *policy) {
				p.extras.spoilMetadata = func(document object) { delete(document, "code_challenge_methods_supported") }
			}},
		{ID: "iss-missing-on-error", Requirement: "RFC9207-2-iss-right", Needs: extras,
			Sentence: "Error redirects leave iss out",
			change:   func(p *policy) { p.extras.errorsOmitIssuer = true }},
	}
}
