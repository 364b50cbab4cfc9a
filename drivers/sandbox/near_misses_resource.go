package sandbox

import (
	"net/http"
	"strings"
	"time"
)

func atAPI(t *turn) bool { return strings.HasPrefix(t.request.URL.Path, pathAPI) }

// resourceMisses are those of sections O and P: bearer tokens, and many at once.
func resourceMisses() []NearMiss {
	plain := Needs{Postures: []string{postureRFC, postureBCP, posture21}}
	const invalid, insufficient, malformed = "RFC6750-3.1-invalid-token", "RFC6750-3.1-insufficient-scope", "RFC6750-3.1-malformed-request"
	bearerError := func(code string) func(t *turn) bool {
		return func(t *turn) bool {
			return atAPI(t) && strings.Contains(t.header.Get("WWW-Authenticate"), `error="`+code+`"`)
		}
	}
	return []NearMiss{
		{ID: "resource-browsers-sign-in", Requirement: "RFC6750-3-missing-token-challenge", Worst: allowsPass,
			Sentence: "Who wants HTML and has no token is sent to the sign-in page",
			change: answers(func(t *turn) {
				if atAPI(t) && t.request.Header.Get("Authorization") == "" && (strings.Contains(t.request.Header.Get("Accept"), "text/html") || t.request.Header.Get("Accept") == "") {
					t.redirect(http.StatusFound, pathLogin)
				}
			})},
		{ID: "resource-several-challenges", Requirement: "RFC6750-3-missing-token-challenge", Worst: allowsPass,
			Sentence: "The resource offers several schemes, Bearer the last, in small letters",
			change: answers(func(t *turn) {
				if line := t.header.Get("WWW-Authenticate"); atAPI(t) && line != "" {
					t.header["Www-Authenticate"] = []string{`Basic realm="old"`, `DPoP algs="ES256", bearer` + strings.TrimPrefix(line, "Bearer")}
				}
			})},
		{ID: "error-beside-challenge", Requirement: "RFC6750-3.1-no-error-without-credentials", Worst: allowsWarn,
			Sentence: "A request without a token is told that its token is invalid",
			change:   func(p *policy) { p.resource.errorUnasked = true }},
		{ID: "invalid-token-403", Requirement: invalid, Worst: allowsWarn, Needs: plain,
			Sentence: "An invalid token is answered with 403",
			Others: map[string]string{"RFC6749-7-expired-token-refused": allowsWarn, "RFC6749-1.5-only-access-tokens-accepted": allowsWarn,
				"RFC6749-10.3-jwt-tamper-refused": allowsWarn, "RFC6750-3.1-malformed-request": allowsWarn},
			change: answers(func(t *turn) {
				if bearerError("invalid_token")(t) {
					t.status = http.StatusForbidden
				}
			})},
		{ID: "invalid-token-silent", Requirement: invalid, Worst: allowsWarn, Needs: plain,
			Sentence: "The challenge to an invalid token has no error attribute",
			Others:   map[string]string{"RFC6749-7-expired-token-refused": allowsWarn},
			change: answers(func(t *turn) {
				if bearerError("invalid_token")(t) {
					t.header.Set("WWW-Authenticate", `Bearer realm="sandbox"`)
				}
			})},
		{ID: "believed-a-minute-longer", Requirement: "RFC6749-7-expired-token-refused", Worst: allowsPass, Needs: plain,
			Sentence: "A token is believed for a minute after it has expired, for the sake of other clocks",
			change:   func(p *policy) { p.near.skew = time.Minute }},
		{ID: "token-dies-early", Requirement: "RFC6749-7-expired-token-refused", Worst: allowsWarn, Needs: plain,
			Sentence: "A token is worth nothing a minute before it expires",
			change:   func(p *policy) { p.near.skew = -time.Minute }},
		{ID: "insufficient-scope-404", Requirement: insufficient, Worst: allowsPass, Needs: plain,
			Sentence: "A resource that needs more scope seems not to be there",
			change: answers(func(t *turn) {
				if bearerError("insufficient_scope")(t) {
					t.answer(http.StatusNotFound, "application/json", `{"error":"not-found"}`)
				}
			})},
		{ID: "insufficient-scope-401", Requirement: insufficient, Worst: allowsWarn, Needs: plain,
			Sentence: "A token without enough scope is answered with 401",
			change: answers(func(t *turn) {
				if bearerError("insufficient_scope")(t) {
					t.status = http.StatusUnauthorized
				}
			})},
		{ID: "malformed-header-431", Requirement: malformed, Worst: allowsPass,
			Sentence: "A proxy answers a malformed Authorization header with 431 and a page",
			change: answers(func(t *turn) {
				if bearerError("invalid_request")(t) {
					t.page(http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large")
				}
			})},
		{ID: "malformed-header-400-html", Requirement: malformed, Worst: allowsPass,
			Sentence: "A proxy answers a malformed Authorization header with 400 and a page",
			change: answers(func(t *turn) {
				if bearerError("invalid_request")(t) {
					t.page(http.StatusBadRequest, "Bad Request")
				}
			})},
		{ID: "two-tokens-400", Requirement: "RFC6750-2-one-method-only", Worst: allowsPass,
			Sentence: "A token in the header and another one in the URL is answered with 400",
			change: answers(func(t *turn) {
				if atAPI(t) && t.request.Header.Get("Authorization") != "" && t.request.URL.Query().Has("access_token") {
					t.answer(http.StatusBadRequest, "application/json", `{"error":"invalid_request"}`)
					t.header.Set("WWW-Authenticate", `Bearer realm="sandbox", error="invalid_request"`)
				}
			})},
		{ID: "lifetime-one-hour", Requirement: "RFC6750-5.3-short-lifetime", Worst: allowsPass, Needs: plain,
			Sentence: "Access tokens live for an hour",
			change:   func(p *policy) { p.grants.accessLifetime = time.Hour }},
		{ID: "live-token-again", Requirement: "RFC6749-10.10-tokens-unique", Worst: allowsPass, Needs: rfcOnly(),
			Sentence: "The same client gets the same access token for itself again while it lives",
			change:   func(p *policy) { p.near.reissues = true }},
		{ID: "throttle-html", Requirement: "RFC6585-4-throttling-well-formed", Worst: allowsNote,
			Sentence: "A gateway answers who is throttled with a page",
			change: answers(func(t *turn) {
				if t.status == http.StatusTooManyRequests {
					t.page(http.StatusTooManyRequests, "Too Many Requests")
					t.header.Set("Retry-After", "1")
				}
			})},
		{ID: "foreign-host-421", Requirement: "RFC9700-4.13-forwarded-headers-ignored", Worst: allowsPass,
			Sentence: "A request for a foreign Host is answered with 421",
			change: instead(func(t *turn) bool { return foreignHost(t.request) }, func(t *turn) {
				t.page(http.StatusMisdirectedRequest, "Misdirected Request")
			})},
		{ID: "foreign-host-default-site", Requirement: "RFC9700-4.13-forwarded-headers-ignored", Worst: allowsPass,
			Sentence: "A request for a foreign Host is answered by a default site",
			change: instead(func(t *turn) bool { return foreignHost(t.request) }, func(t *turn) {
				t.page(http.StatusNotFound, "Welcome to the default site")
			})},
	}
}

func rfcOnly() Needs { return Needs{Postures: []string{postureRFC}} }

func foreignHost(r *http.Request) bool {
	return !strings.HasPrefix(r.Host, "127.0.0.1") && !strings.HasPrefix(r.Host, "localhost") && !strings.HasPrefix(r.Host, "[::1]")
}

// extrasMisses are those of section R: revocation, introspection and metadata.
func extrasMisses() []NearMiss {
	extras := Needs{Extras: true}
	plain := Needs{Extras: true, Postures: []string{postureRFC, postureBCP, posture21}}
	return []NearMiss{
		{ID: "revoked-access-lives", Requirement: "RFC7009-2-access-token-revoked", Worst: allowsWarn, Needs: extras,
			Sentence: "Access tokens are self-contained, and cannot be revoked",
			change:   func(p *policy) { p.extras.accessIrrevocable = true }},
		{ID: "revoked-refresh-leaves-access", Requirement: "RFC7009-2.1-refresh-revokes-access", Worst: allowsWarn, Needs: plain,
			Sentence: "Access tokens are self-contained, and outlive their refresh token",
			Others: map[string]string{"RFC6749-4.1.2-replay-revokes-tokens": allowsWarn, "RFC9700-4.14.2-reuse-revokes-family": allowsWarn,
				"RFC7009-2-access-token-revoked": allowsWarn},
			change: func(p *policy) { p.near.selfContained = true }},
		{ID: "revocation-invalid-client-400", Requirement: "RFC7009-2.1-client-auth-required", Worst: allowsPass, Needs: extras,
			Sentence: "The revocation endpoint answers 400 to a client that it does not know",
			change: answers(func(t *turn) {
				if t.at(pathRevoke) && t.status == http.StatusUnauthorized {
					t.status = http.StatusBadRequest
				}
			})},
		{ID: "revocation-body", Requirement: "RFC7009-2.2-unknown-token-200", Worst: allowsPass, Needs: extras,
			Sentence: "The revocation endpoint answers with an empty JSON object",
			change: answers(func(t *turn) {
				if t.at(pathRevoke) && t.status == http.StatusOK {
					t.answer(http.StatusOK, "application/json", "{}")
				}
			})},
		{ID: "foreign-token-200", Requirement: "RFC7009-2.1-foreign-token-untouched", Worst: allowsPass, Needs: extras,
			Sentence: "Who wants to revoke another client's token is told 200, and nothing happens",
			change: answers(func(t *turn) {
				if t.at(pathRevoke) && strings.Contains(string(t.body), "invalid_grant") {
					t.answer(http.StatusOK, "text/plain", "")
				}
			})},
		{ID: "inactive-with-more", Requirement: "RFC7662-2.2-state-truthful", Worst: allowsWarn, Needs: extras,
			Sentence: "Other members come beside active: false",
			change: answers(func(t *turn) {
				if t.at(pathIntrospect) && t.status == http.StatusOK {
					t.members(func(o object) {
						if o["active"] == false {
							o["token_type"], o["reason"] = "Bearer", "unknown"
						}
					})
				}
			})},
		{ID: "active-with-more", Requirement: "RFC7662-2.2-state-truthful", Worst: allowsPass, Needs: extras,
			Sentence: "Members of its own come beside active: true, and aud is a list",
			change: answers(func(t *turn) {
				if t.at(pathIntrospect) && t.status == http.StatusOK {
					t.members(func(o object) {
						if o["active"] == true {
							o["aud"], o["realm_access"] = []string{"a", "b"}, object{"roles": []string{"reader"}}
						}
					})
				}
			})},
		{ID: "metadata-announces-more", Requirement: "RFC8414-2-truthful", Worst: allowsPass, Needs: extras,
			Sentence: "The metadata announces endpoints and ways to authenticate that no client here uses",
			change: func(p *policy) {
				p.extras.spoilMetadata = func(d object) {
					d["registration_endpoint"] = d["issuer"].(string) + "/register"
					d["device_authorization_endpoint"] = d["issuer"].(string) + "/device"
					if methods, is := d["token_endpoint_auth_methods_supported"].([]string); is {
						d["token_endpoint_auth_methods_supported"] = append(methods, "private_key_jwt", "tls_client_auth")
					}
				}
			}},
		{ID: "iss-unannounced", Requirement: "RFC9207-2-iss-right", Worst: allowsPass, Skipped: true, Needs: extras,
			Sentence: "iss comes with every answer, and is not announced",
			change: func(p *policy) {
				p.extras.spoilMetadata = func(d object) { delete(d, "authorization_response_iss_parameter_supported") }
			}},
	}
}

// spaceMisses are those of section S: Space's own promises.
func spaceMisses() []NearMiss {
	space := Needs{Postures: []string{postureSpace}}
	silent := Needs{Postures: []string{postureSpace}, Editions: []string{edition2021, edition2023}}
	const userData, noPage = "SPACE-cc-no-user-resources", "SPACE-request-credentials-skip-silent"
	return []NearMiss{
		{ID: "user-data-error-inline", Requirement: userData, Worst: allowsPass, Needs: space,
			Sentence: "An application that reads a person's data gets 200, and an error in place of the field",
			change: answers(func(t *turn) {
				if t.at(pathMe) && t.status == http.StatusForbidden {
					t.answer(http.StatusOK, "application/json", `{"id":null,"username":{"className":"HA_InlineError.InaccessibleFields","fields":["username"],"message":"Only a person has a profile"}}`)
				}
			})},
		{ID: "user-data-401", Requirement: userData, Worst: allowsWarn, Needs: space,
			Sentence: "An application that reads a person's data is answered with 401",
			Others:   map[string]string{"SPACE-resource-error-shape": allowsWarn},
			change: answers(func(t *turn) {
				if t.at(pathMe) && t.status == http.StatusForbidden {
					t.status = http.StatusUnauthorized
				}
			})},
		{ID: "lifetime-half-an-hour", Requirement: "SPACE-token-lifetime-consistent", Worst: allowsNote, Needs: space,
			Sentence: "An administrator has chosen a lifetime of half an hour",
			change:   func(p *policy) { p.grants.accessLifetime = 30 * time.Minute }},
		{ID: "silent-login-required", Requirement: noPage, Worst: allowsPass, Needs: silent,
			Sentence: "request_credentials=silent brings login_required",
			change:   answers(silentCode("login_required"))},
		{ID: "silent-interaction-required", Requirement: noPage, Worst: allowsPass, Needs: silent,
			Sentence: "request_credentials=silent brings interaction_required",
			change:   answers(silentCode("interaction_required"))},
		{ID: "key-set-of-two", Requirement: "SPACE-jwt-key-set", Worst: allowsPass, Needs: Needs{Postures: []string{postureSpace}, Tokens: tokensRS512},
			Sentence: "The key set holds an older key before the one that signs, and one of another kind",
			change: answers(func(t *turn) {
				if t.at(pathKeys) {
					t.members(func(o object) {
						keys, _ := o["keys"].([]any)
						old := object{"kty": "EC", "crv": "P-256", "use": "sig", "kid": "old", "alg": "ES256",
							"x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
						unknown := object{"kty": "OKP", "crv": "Ed448", "x": "AAAA", "use": "enc"}
						o["keys"] = append([]any{old, unknown}, keys...)
					})
				}
			})},
	}
}

func silentCode(code string) func(*turn) {
	return errorRenamed("access_denied", code, func(f form) bool { return f.get("request_credentials") == "silent" })
}
