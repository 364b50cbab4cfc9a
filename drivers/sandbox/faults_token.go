package sandbox

import (
	"net/http"
	"slices"
)

// tokenFaults are the faults of sections A to D: how the token endpoint reads, answers, refuses, and
// knows its clients.
func tokenFaults() []Fault {
	return slices.Concat(readingFaults(), successFaults(), errorFaults(), clientFaults())
}

// readingFaults are those of section A: how a token request is read.
func readingFaults() []Fault {
	return []Fault{
		{ID: "token-refuse-post", Requirement: "RFC6749-3.2-post-form-accepted",
			Sentence:     "The token endpoint answers 405 to POST",
			Consequences: append(allGrants(), "RFC6749-5.2-error-status-json", "SPACE-endpoints-documented", "SPACE-public-client-and-require-pkce"),
			change:       func(p *policy) { p.token.refusesPost = true }},
		{ID: "token-accept-get", Requirement: "RFC6749-3.2-get-refused",
			Sentence: "The token endpoint reads the query of a GET and issues a token",
			change:   func(p *policy) { p.token.acceptsGet = true }},
		{ID: "token-read-query", Requirement: "RFC6749-3.2-query-params-not-honoured",
			Sentence:     "The URL's query is read as if it were part of the body",
			Consequences: []string{"RFC6749-2.3.1-secret-not-in-uri"},
			change:       func(p *policy) { p.token.mergesQuery = true }},
		{ID: "form-latin1", Requirement: "RFC6749-B-form-utf8",
			Sentence: "Percent-encoded bytes of the body are taken for Latin-1 letters",
			change:   func(p *policy) { p.token.decodesLatin1 = true }},
		{ID: "token-reject-unknown-param", Requirement: "RFC6749-3.2-unknown-param-ignored",
			Sentence: "A parameter that the token endpoint does not know is an error",
			change:   func(p *policy) { p.token.refusesUnknown = true }},
		{ID: "empty-scope-is-value", Requirement: "RFC6749-3.2-empty-value-omitted",
			Sentence: "A scope without a value is an unknown scope instead of none",
			change:   func(p *policy) { p.token.emptyScopeIsValue = true }},
		{ID: "dup-first-wins", Requirement: "RFC6749-3.2-duplicate-param",
			Sentence: "Of a repeated parameter the first is taken without a word",
			change:   func(p *policy) { p.token.takesFirst = true }},
		{ID: "grant-type-case-fold", Requirement: "RFC6749-1.9-case-sensitive",
			Sentence: "Letter case of grant_type and of parameter names does not matter",
			change:   func(p *policy) { p.token.foldsGrantType = true }},
		{ID: "missing-grant-type-500", Requirement: "RFC6749-5.2-missing-grant-type",
			Sentence: "A request without grant_type is answered with 500",
			Consequences: []string{"RFC6749-5.2-error-status-json", "RFC6749-3.2-query-params-not-honoured",
				"RFC6749-3.2-empty-value-omitted", "RFC6749-1.9-case-sensitive"},
			change: func(p *policy) { p.token.missingGrantStatus = http.StatusInternalServerError }},
		{ID: "unknown-grant-invalid-request", Requirement: "RFC6749-5.2-unsupported-grant-type",
			Sentence: "An unknown grant type is called invalid_request",
			change:   func(p *policy) { p.token.unknownGrantCode = "invalid_request" }},
		{ID: "bad-percent-500", Requirement: "RFC6749-10.14-malformed-token-request",
			Sentence:     "A body with an invalid percent escape is answered with 500",
			Consequences: []string{"RFC6749-5.2-error-status-json"},
			change:       func(p *policy) { p.token.badPercentStatus = http.StatusInternalServerError }},
	}
}

// allGrants are the rows that say that a grant works at all.
func allGrants() []string {
	return []string{"RFC6749-4.4-issues-token", "RFC6749-4.3-issues-token", "RFC6749-4.1-issues-token", "RFC6749-6-issues-token",
		"RFC6749-2.3.1-basic-supported", "OAUTH21-2.4.1-body-credentials-supported"}
}

// successFaults are those of section B: the success answer.
func successFaults() []Fault {
	return []Fault{
		{ID: "token-wrapped-json", Requirement: "RFC6749-5.1-status-200-json",
			Sentence: "The members of the client credentials answer are nested under data",
			Consequences: []string{"RFC6749-5.1-access-token-present", "RFC6749-5.1-token-type-present", "RFC6749-5.1-expires-in-present", "RFC6749-4.4-issues-token",
				"RFC6749-3.2-post-form-accepted", "RFC6749-2.3.1-basic-supported"},
			change: func(p *policy) {
				p.token.spoilBody = func(grant string, body []byte) []byte {
					if grant != grantClientCredentials {
						return body
					}
					return slices.Concat([]byte(`{"data":`), body, []byte("}"))
				}
			}},
		{ID: "token-duplicate-member", Requirement: "RFC8259-8.1-json-wellformed",
			Sentence: "The success answer has access_token twice",
			change: func(p *policy) {
				p.token.spoilMembers = func(_ string, m []member) []member { return append(m, m[0]) }
			}},
		{ID: "token-null", Requirement: "RFC6749-5.1-access-token-present",
			Sentence:     "access_token is null in the client credentials answer",
			Consequences: []string{"RFC6749-4.4-issues-token", "RFC6749-3.2-post-form-accepted", "RFC6749-2.3.1-basic-supported"},
			change: func(p *policy) {
				p.token.spoilMembers = func(grant string, m []member) []member {
					if grant != grantClientCredentials {
						return m
					}
					return replaced(m, member{name: "access_token", value: "null", raw: true})
				}
			}},
		{ID: "token-with-space", Requirement: "RFC6750-2.1-b64token-syntax",
			Sentence: "Access tokens have a space inside, and work with it",
			change:   func(p *policy) { p.token.spacesToken = true }},
		{ID: "omit-token-type", Requirement: "RFC6749-5.1-token-type-present",
			Sentence: "The success answer has no token_type", change: spoilMember("token_type", nil)},
		{ID: "token-type-jwt", Requirement: "RFC6749-7.1-token-type-bearer",
			Sentence: "token_type is jwt", change: spoilMember("token_type", &member{value: "jwt"})},
		{ID: "omit-expires-in", Requirement: "RFC6749-5.1-expires-in-present",
			Sentence:     "The success answer has no expires_in",
			Consequences: []string{"SPACE-token-lifetime-consistent"},
			change:       spoilMember("expires_in", nil)},
		{ID: "expires-in-string", Requirement: "RFC6749-5.1-expires-in-number",
			Sentence:     "expires_in is a string",
			Consequences: []string{"SPACE-token-lifetime-consistent"},
			change:       spoilMember("expires_in", &member{value: "600"})},
		{ID: "hide-narrowed-scope", Requirement: "RFC6749-5.1-scope-reported-when-different",
			Sentence:     "The answer does not tell the scope when another one was granted than was asked for",
			Consequences: []string{"RFC6749-6-scope-narrowing"},
			change:       func(p *policy) { p.token.hidesNarrowedScope = true }},
		{ID: "scope-as-array", Requirement: "RFC6749-3.3-scope-syntax",
			Sentence: "scope is a JSON array in the answer",
			change: func(p *policy) {
				p.token.spoilMembers = func(_ string, m []member) []member {
					for i := range m {
						if m[i].name == "scope" {
							return replaced(m, member{name: "scope", value: `["` + m[i].value + `"]`, raw: true})
						}
					}
					return m
				}
			}},
		{ID: "omit-no-store", Requirement: "RFC6749-5.1-cache-control",
			Sentence: "The token endpoint does not forbid to keep its answers",
			change:   func(p *policy) { p.token.omitsNoStore = true }},
		{ID: "omit-pragma", Requirement: "RFC6749-5.1-pragma",
			Sentence: "The token endpoint sends no Pragma header",
			Needs:    Needs{Postures: []string{postureRFC}},
			change:   func(p *policy) { p.token.omitsPragma = true }},
	}
}

// spoilMember replaces a member in every success answer, or leaves it out.
func spoilMember(name string, by *member) func(*policy) {
	return func(p *policy) {
		p.token.spoilMembers = func(_ string, m []member) []member {
			if by == nil {
				return slices.DeleteFunc(m, func(x member) bool { return x.name == name })
			}
			return replaced(m, member{name: name, value: by.value, raw: by.raw})
		}
	}
}

func replaced(m []member, by member) []member {
	for i := range m {
		if m[i].name == by.name {
			m[i] = by
		}
	}
	return m
}

// errorFaults are those of section C: the error answer.
func errorFaults() []Fault {
	unsupported := []string{"RFC6749-5.2-unsupported-grant-type"}
	return []Fault{
		{ID: "error-with-200", Requirement: "RFC6749-5.2-error-status-json",
			Sentence:     "The error answer to an unknown grant type has status 200",
			Consequences: unsupported,
			change: spoilRefusal(func(r refusal) refusal {
				if r.code == "unsupported_grant_type" {
					r.status = http.StatusOK
				}
				return r
			})},
		{ID: "private-error-code", Requirement: "RFC6749-5.2-error-registered-code",
			Sentence:     "An unknown grant type is called BAD_GRANT_TYPE",
			Consequences: unsupported,
			change: spoilRefusal(func(r refusal) refusal {
				if r.code == "unsupported_grant_type" {
					r.code = "BAD_GRANT_TYPE"
				}
				return r
			})},
		{ID: "description-with-quotes", Requirement: "RFC6749-5.2-error-text-charset",
			Sentence: "Error descriptions hold quotation marks",
			change: spoilRefusal(func(r refusal) refusal {
				r.description = `The server said "` + r.description + `"`
				return r
			})},
		{ID: "echo-secret", Requirement: "RFC6749-10.3-no-secret-echo",
			Sentence: "The error description repeats the client secret",
			change:   func(p *policy) { p.token.echoesSecret = true }},
	}
}

func spoilRefusal(spoil func(refusal) refusal) func(*policy) {
	return func(p *policy) { p.token.spoilRefusal = spoil }
}
