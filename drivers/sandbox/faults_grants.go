package sandbox

import (
	"net/http"
	"slices"
)

// grantFaults are the faults of sections E and F: what clients get for themselves and for a password.
func grantFaults() []Fault {
	return slices.Concat(clientCredentialsFaults(), passwordFaults())
}

func clientCredentialsFaults() []Fault {
	return []Fault{
		{ID: "cc-disabled", Requirement: "RFC6749-4.4-issues-token",
			Sentence:     "No client may use the client credentials grant",
			Consequences: []string{"RFC6749-3.2-post-form-accepted", "RFC6749-2.3.1-basic-supported"},
			change:       func(p *policy) { p.grants.refusesClientCredentials = true }},
		{ID: "cc-for-public", Requirement: "RFC6749-4.4-confidential-only",
			Sentence:     "A public client gets a token by its client_id alone",
			Consequences: []string{"RFC6749-5.2-unauthorized-client-grant"},
			change:       func(p *policy) { p.grants.clientCredentialsPublic = true }},
		{ID: "cc-refresh-token", Requirement: "RFC6749-4.4.3-no-refresh-token",
			Sentence: "The client credentials grant issues a refresh token",
			change:   func(p *policy) { p.grants.clientCredentialsRefresh = true }},
		{ID: "scope-echoed", Requirement: "RFC6749-3.3-scope-not-escalated",
			Sentence: "Whatever scope a client or a password asks for is granted",
			Consequences: []string{"SPACE-scope-grammar", "RFC6749-5.1-scope-reported-when-different",
				"RFC6749-3.3-scope-order-and-case"},
			change: func(p *policy) { p.grants.echoesScope = true }},
		{ID: "scope-order-sensitive", Requirement: "RFC6749-3.3-scope-order-and-case",
			Sentence: "A scope is only understood in alphabetical order",
			change:   func(p *policy) { p.grants.orderSensitive = true }},
		{ID: "no-scope-500", Requirement: "RFC6749-3.3-scope-omitted-default",
			Sentence:     "Client credentials without scope are answered with 500",
			Consequences: []string{"RFC6749-5.2-error-status-json", "RFC6749-4.4-issues-token", "RFC6749-3.2-post-form-accepted", "RFC6749-2.3.1-basic-supported"},
			change:       func(p *policy) { p.grants.omittedScopeStatus = http.StatusInternalServerError }},
		{ID: "cc-token-as-user", Requirement: "RFC9700-4.15-client-not-user",
			Sentence:     "The token that a client gets for itself names a person",
			Needs:        Needs{Postures: []string{postureBCP, posture21}},
			Consequences: []string{"RFC6749-4.4-issues-token", "RFC6750-2.1-header-accepted"},
			change:       func(p *policy) { p.grants.clientIsUser = true }},
	}
}

func passwordFaults() []Fault {
	offered := Needs{Postures: []string{postureSpace, postureRFC}}
	return []Fault{
		{ID: "password-disabled", Requirement: "RFC6749-4.3-issues-token", Needs: offered,
			Sentence:     "The password grant is switched off",
			Consequences: []string{"RFC6749-3.2-post-form-accepted"},
			change:       func(p *policy) { p.grants.offersPassword = false }},
		{ID: "password-enabled", Requirement: "RFC9700-2.4-password-grant-refused",
			Needs:    Needs{Postures: []string{postureBCP, posture21}},
			Sentence: "The password grant is switched on for every confidential client",
			change:   func(p *policy) { p.grants.offersPassword, p.grants.passwordForAll = true, true }},
		{ID: "wrong-password-500", Requirement: "RFC6749-4.3.2-password-errors", Needs: offered,
			Sentence:     "A wrong password is answered with 500",
			Consequences: []string{"RFC6749-5.2-error-status-json", "RFC6749-2.3.1-credentials-compared-exactly"},
			change:       func(p *policy) { p.grants.wrongPasswordStatus = http.StatusInternalServerError }},
		{ID: "enumerate-users", Requirement: "RFC6749-10.10-no-user-enumeration", Needs: offered,
			Sentence: "The answer tells a wrong password from an unknown user",
			change:   func(p *policy) { p.grants.enumeratesUsers = true }},
	}
}

// refreshFaults are the faults of section N.
func refreshFaults() []Fault {
	public := Needs{Postures: []string{postureBCP, posture21}}
	return []Fault{
		{ID: "refresh-same-token", Requirement: "RFC6749-6-issues-token",
			Sentence:     "A refresh returns the old access token and ends it",
			Consequences: []string{"RFC6749-6-scope-narrowing"},
			change:       func(p *policy) { p.grants.refreshRepeats = true }},
		{ID: "refresh-no-auth", Requirement: "RFC6749-6-client-auth-required",
			Sentence:     "A refresh token works without client authentication",
			Consequences: []string{"RFC6749-3.2.1-auth-required"},
			change:       func(p *policy) { p.grants.refreshNeedsNoAuth = true }},
		{ID: "refresh-any-client", Requirement: "RFC6749-6-bound-to-client",
			Sentence: "A refresh token works for any client",
			change:   func(p *policy) { p.grants.refreshAnyClient = true }},
		{ID: "refresh-signature-unchecked", Requirement: "RFC6749-6-invalid-token-refused",
			Sentence: "Only the first 16 characters of a refresh token are compared",
			change:   func(p *policy) { p.grants.refreshPrefix = 16 }},
		{ID: "refresh-default-scope-all", Requirement: "RFC6749-6-scope-omitted-keeps",
			Sentence: "A refresh without scope grants everything that the client may have",
			Needs:    Needs{Postures: []string{postureRFC, postureBCP, posture21}},
			change:   func(p *policy) { p.grants.refreshDefaultsAll = true }},
		{ID: "refresh-ignores-scope", Requirement: "RFC6749-6-scope-narrowing",
			Sentence: "A refresh that asks for less gets everything, and is not told",
			change:   func(p *policy) { p.grants.refreshKeepsScope = true }},
		{ID: "refresh-widens-scope", Requirement: "RFC6749-6-scope-widening-refused",
			Sentence: "A refresh may ask for scope that was never granted",
			change:   func(p *policy) { p.grants.refreshWidens = true }},
		{ID: "rotation-narrows", Requirement: "RFC6749-6-new-refresh-same-scope", Needs: Needs{Rotation: true},
			Sentence: "The new refresh token keeps the narrowed scope for ever",
			change:   func(p *policy) { p.grants.rotatesNarrowed = true }},
		{ID: "no-rotation-public", Requirement: "RFC9700-2.2.2-public-rotation", Needs: public,
			Sentence:     "The refresh tokens of public clients are never replaced",
			Consequences: []string{"RFC6749-6-rotated-token-refused", "RFC9700-4.14.2-reuse-revokes-family"},
			change:       func(p *policy) { p.grants.publicKeeps = true }},
		{ID: "old-refresh-alive", Requirement: "RFC6749-6-rotated-token-refused", Needs: public,
			Sentence:     "A refresh token that was replaced still works",
			Consequences: []string{"RFC9700-4.14.2-reuse-revokes-family"},
			change:       func(p *policy) { p.grants.oldRefreshAlive = true }},
		{ID: "reuse-not-detected", Requirement: "RFC9700-4.14.2-reuse-revokes-family", Needs: public,
			Sentence: "The reuse of a replaced refresh token ends nothing",
			change:   func(p *policy) { p.grants.reuseKeepsFamily = true }},
	}
}
