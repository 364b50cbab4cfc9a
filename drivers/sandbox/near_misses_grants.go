package sandbox

import (
	"net/http"
)

// grantMisses are those of sections E and F: client credentials, scope and passwords.
func grantMisses() []NearMiss {
	plain := Needs{Postures: []string{postureRFC, postureBCP, posture21}}
	offered := Needs{Postures: []string{postureRFC}}
	return []NearMiss{
		{ID: "cc-offline-refused", Requirement: "RFC6749-4.4.3-no-refresh-token", Worst: allowsPass,
			Sentence: "A client that asks for a refresh token of its own is refused",
			change: instead(func(t *turn) bool {
				return t.posted().get("grant_type") == grantClientCredentials && t.posted().get("access_type") == "offline"
			}, func(t *turn) {
				t.refuse(http.StatusBadRequest, "invalid_request", "A client of its own has no refresh token")
			})},
		{ID: "scopes-ignored-and-told", Requirement: "RFC6749-3.3-scope-not-escalated", Worst: allowsPass,
			Sentence: "Unknown scopes, and scopes that may not be granted, are left out of the grant, which is told",
			Needs:    plain,
			change:   func(p *policy) { p.near.dropsUnknown = true }},
		{ID: "scope-demanded-of-clients", Requirement: "RFC6749-3.3-scope-omitted-default", Worst: allowsPass,
			Sentence: "A client that names no scope is refused with invalid_scope",
			Needs:    plain,
			change:   func(p *policy) { p.near.demandsScope = true }},
		{ID: "service-account", Requirement: "RFC9700-4.15-client-not-user", Worst: allowsPass,
			Sentence: "An application has a service account, which has a profile and is nobody",
			Needs:    Needs{Postures: []string{postureBCP, posture21}, Tokens: tokensOpaque},
			change: answers(func(t *turn) {
				if t.at(pathMe) && t.status == http.StatusForbidden {
					t.answer(http.StatusOK, "application/json", `{"id":"sa-1","username":"service-account","name":{"firstName":"Nightly","lastName":"Service"}}`)
				}
			})},
		{ID: "userinfo-of-nobody", Requirement: "RFC9700-4.15-client-not-user", Worst: allowsNote,
			Sentence: "A person's resource opens to an application's token, and names nobody",
			Needs:    Needs{Postures: []string{postureBCP, posture21}, Tokens: tokensOpaque},
			change: answers(func(t *turn) {
				if t.at(pathMe) && t.status == http.StatusForbidden {
					t.answer(http.StatusOK, "application/json", `{"aud":["nightly"]}`)
				}
			})},
		{ID: "wrong-password-401", Requirement: "RFC6749-4.3.2-password-errors", Worst: allowsWarn,
			Sentence: "A wrong password is answered with 401 and invalid_grant",
			Needs:    offered,
			Others:   map[string]string{"RFC6749-5.2-error-status-json": allowsWarn},
			change:   recoded("The user name or the password is wrong", http.StatusUnauthorized, "")},
	}
}

// refreshMisses are those of section N.
func refreshMisses() []NearMiss {
	public := Needs{Postures: []string{postureBCP, posture21}}
	rfc := Needs{Postures: []string{postureRFC}}
	const narrowing = "RFC6749-6-scope-narrowing"
	return []NearMiss{
		{ID: "refresh-repeats-live", Requirement: "RFC6749-6-issues-token", Worst: allowsNote,
			Sentence: "A refresh returns the old access token while it lives",
			Needs:    rfc,
			change:   func(p *policy) { p.near.repeatsLive = true }},
		{ID: "refresh-foreign-use-revokes", Requirement: "RFC6749-6-bound-to-client", Worst: allowsPass,
			Sentence: "A refresh token that another client tries to use is ended, with all that came of it",
			change:   func(p *policy) { p.near.foreignUseRevokes = true }},
		{ID: "refresh-scope-demanded", Requirement: "RFC6749-6-issues-token", Worst: allowsPass,
			Sentence: "A refresh has to name a scope, as the help page of Space says",
			Needs:    Needs{Postures: []string{postureSpace}},
			change: instead(func(t *turn) bool {
				return t.posted().get("grant_type") == grantRefresh && t.posted().get("scope") == ""
			}, func(t *turn) {
				t.refuse(http.StatusBadRequest, "invalid_scope", "scope is missing")
			})},
		{ID: "refresh-subsets-refused", Requirement: narrowing, Worst: allowsWarn,
			Sentence: "A refresh may ask for all of its scope, and for no part of it",
			change:   func(p *policy) { p.near.refusesSubsets = true }},
		{ID: "refresh-keeps-scope-and-tells", Requirement: narrowing, Worst: allowsWarn,
			Sentence: "A refresh gives all of its scope whatever it asks for, and says so",
			change:   func(p *policy) { p.near.keepsScope = true }},
		{ID: "new-refresh-narrowed", Requirement: "RFC6749-6-new-refresh-same-scope", Worst: allowsWarn,
			Sentence: "The new refresh token keeps the narrowed scope",
			Needs:    Needs{Rotation: true},
			change:   func(p *policy) { p.grants.rotatesNarrowed = true }},
		{ID: "rotation-offered", Requirement: "RFC6749-6-issues-token", Worst: allowsPass,
			Sentence: "Refresh tokens are replaced when used, where nobody asks for it",
			Needs:    Needs{Postures: []string{postureRFC}, Rotation: true},
			change:   func(p *policy) { p.grants.rotates, p.grants.publicKeeps = true, true }},
		{ID: "rotation-for-public-only", Requirement: "RFC9700-2.2.2-public-rotation", Worst: allowsPass,
			Sentence: "Only the refresh tokens of public clients are replaced when used",
			Needs:    public,
			change:   func(p *policy) { p.near.confidentialKeeps = true }},
		{ID: "rotation-grace", Requirement: "RFC6749-6-rotated-token-refused", Worst: allowsPass, Slow: true,
			Sentence: "A replaced refresh token goes on for thirty seconds, which is declared",
			Needs:    public,
			change:   func(p *policy) { p.near.grace = graceWindow }},
		{ID: "reuse-leaves-access", Requirement: "RFC9700-4.14.2-reuse-revokes-family", Worst: allowsWarn,
			Sentence: "Access tokens are self-contained, and outlive the refresh token that was used twice",
			Needs:    Needs{Postures: []string{posture21}},
			Others: map[string]string{"RFC6749-4.1.2-replay-revokes-tokens": allowsWarn, "RFC7009-2-access-token-revoked": allowsWarn,
				"RFC7009-2.1-refresh-revokes-access": allowsWarn},
			change: func(p *policy) { p.near.selfContained = true }},
	}
}
