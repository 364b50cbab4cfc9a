package sandbox

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

func wrongMethod(t *turn) bool { return t.atToken() && t.request.Method != http.MethodPost }

// readingMisses are those of section A: how a token request is read.
func readingMisses() []NearMiss {
	const getRefused, malformed = "RFC6749-3.2-get-refused", "RFC6749-10.14-malformed-token-request"
	return []NearMiss{
		{ID: "token-get-html-404", Requirement: getRefused, Worst: allowsPass,
			Sentence: "The token endpoint answers every method but POST with a page that says 404",
			change:   instead(wrongMethod, func(t *turn) { t.page(http.StatusNotFound, "Not found") })},
		{ID: "token-get-to-sign-in", Requirement: getRefused, Worst: allowsPass,
			Sentence: "The token endpoint sends every method but POST to the sign-in page",
			change:   instead(wrongMethod, func(t *turn) { t.redirect(http.StatusFound, "/oauth/login") })},
		{ID: "token-get-405-bare", Requirement: getRefused, Worst: allowsWarn,
			Sentence: "The token endpoint answers 405 without Allow",
			change:   instead(wrongMethod, func(t *turn) { t.answer(http.StatusMethodNotAllowed, "text/plain", "") })},
		{ID: "scope-demanded", Requirement: "RFC6749-3.2-empty-value-omitted", Worst: allowsPass,
			Sentence: "A request of a person's application has to name a scope, and an empty one is none",
			Needs:    Needs{Postures: []string{postureRFC}},
			change:   func(p *policy) { p.grants.scopeDefaults, p.front.demandsScope = false, true }},
		{ID: "token-equal-repeats", Requirement: "RFC6749-3.2-duplicate-param", Worst: allowsWarn,
			Sentence: "A parameter may be repeated with the same value",
			Others:   map[string]string{"RFC6749-3.1-duplicate-param": allowsWarn},
			change:   func(p *policy) { p.near.equalRepeats = true }},
		{ID: "missing-grant-unsupported", Requirement: "RFC6749-5.2-missing-grant-type", Worst: allowsWarn,
			Sentence: "A missing grant_type is called unsupported_grant_type",
			Others:   map[string]string{"RFC6749-1.9-case-sensitive": allowsWarn},
			change:   recoded("grant_type is missing", 0, "unsupported_grant_type")},
		{ID: "unknown-grant-invalid", Requirement: "RFC6749-5.2-unsupported-grant-type", Worst: allowsWarn,
			Sentence: "An unknown grant type is called invalid_request",
			change:   func(p *policy) { p.token.unknownGrantCode = "invalid_request" }},
		{ID: "proxy-413", Requirement: malformed, Worst: allowsNote,
			Sentence: "A proxy answers a large body with 413 and a page, and closes the connection unread",
			change: through(func(t *turn) {
				if t.request.ContentLength > largestForm {
					t.page(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
					t.header.Set("Connection", "close")
					return
				}
				t.pass()
			})},
		{ID: "proxy-400", Requirement: malformed, Worst: allowsNote,
			Sentence: "A filter answers a body that it cannot read with 400 and a page",
			change: answers(func(t *turn) {
				if t.atToken() && strings.Contains(string(t.body), "not form-encoded UTF-8") {
					t.page(http.StatusBadRequest, "Bad Request")
				}
			})},
		{ID: "json-bodies", Requirement: malformed, Worst: allowsNote,
			Sentence: "The token endpoint reads a JSON body as well, by design",
			change:   rewritten(readJSONBody)},
	}
}

func readJSONBody(t *turn) {
	if !t.atToken() || t.request.Header.Get("Content-Type") != "application/json" {
		return
	}
	var members map[string]string
	text, err := io.ReadAll(io.LimitReader(t.request.Body, largestForm))
	if err != nil || json.Unmarshal(text, &members) != nil {
		members = nil
	}
	var f form
	for name, value := range members {
		f = append(f, pair{name, value})
	}
	t.post(f)
}

// recoded gives the refusal with that description another status (0: the same) and code ("": the same).
func recoded(description string, status int, code string) func(*policy) {
	return spoilRefusal(func(r refusal) refusal {
		if !strings.HasPrefix(r.description, description) {
			return r
		}
		if status != 0 {
			r.status = status
		}
		if code != "" {
			r.code = code
		}
		return r
	})
}

// answerMisses are those of section B: the success answer.
func answerMisses() []NearMiss {
	return []NearMiss{
		{ID: "json-bare", Requirement: "RFC6749-5.1-status-200-json", Worst: allowsPass,
			Sentence: "The media type has no charset parameter",
			change:   contentType("application/json")},
		{ID: "json-other-charset-spelling", Requirement: "RFC6749-5.1-status-200-json", Worst: allowsPass,
			Sentence: "The media type is written in capitals, its charset quoted",
			change:   contentType(`Application/JSON ; Charset="UTF-8"`)},
		{ID: "member-twice", Requirement: "RFC8259-8.1-json-wellformed", Worst: allowsWarn,
			Sentence: "A member that OAuth does not define comes twice",
			change: func(p *policy) {
				p.token.spoilMembers = func(_ string, m []member) []member {
					return append(m, member{name: "tenant", value: "acme"}, member{name: "tenant", value: "acme"})
				}
			}},
		{ID: "members-beyond", Requirement: "RFC6749-5.1-access-token-present", Worst: allowsPass,
			Sentence: "The success answer has members of other standards and of its own",
			change: tokenAnswers(func(t *turn) {
				t.members(func(o object) {
					o["id_token"] = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0."
					o["session_state"], o["not-before-policy"], o["refresh_expires_in"] = "5e1f", 0, 1800
					o["issued_token_type"], o["refresh_token_expires_in"] = "urn:ietf:params:oauth:token-type:access_token", 1800
					o["extra"] = object{"tenant": "acme", "roles": []string{"reader"}}
				})
			})},
		{ID: "json-indented", Requirement: "RFC8259-8.1-json-wellformed", Worst: allowsPass,
			Sentence: "The answer is indented, begins and ends with a line break, and escapes what it need not",
			change: tokenAnswers(func(t *turn) {
				var b bytes.Buffer
				if json.Indent(&b, t.body, " ", "\t") == nil {
					t.body = []byte("\n" + strings.ReplaceAll(b.String(), "/", `\/`) + "\r\n\n")
				}
			})},
		{ID: "token-with-escapes", Requirement: "RFC6750-2.1-b64token-syntax", Worst: allowsWarn,
			Sentence: "Access tokens hold percent escapes, and work with them",
			Needs:    Needs{Tokens: tokensOpaque},
			change:   through(escapeTokens)},
		{ID: "token-type-lower-case", Requirement: "RFC6749-7.1-token-type-bearer", Worst: allowsPass,
			Sentence: "token_type is bearer", change: spoilMember("token_type", &member{value: "bearer"})},
		{ID: "token-type-capitals", Requirement: "RFC6749-7.1-token-type-bearer", Worst: allowsPass,
			Sentence: "token_type is BEARER", change: spoilMember("token_type", &member{value: "BEARER"})},
		{ID: "no-expires-in", Requirement: "RFC6749-5.1-expires-in-present", Worst: allowsWarn,
			Sentence: "The lifetime of tokens is documented elsewhere than in the answer",
			Needs:    Needs{Postures: []string{postureRFC, postureBCP, posture21}},
			change:   spoilMember("expires_in", nil)},
		{ID: "scope-told-when-other", Requirement: "RFC6749-5.1-scope-reported-when-different", Worst: allowsPass,
			Sentence: "The answer tells the scope only if it is not the one that was asked for",
			change: tokenAnswers(func(t *turn) {
				asked := t.form.get("scope")
				t.members(func(o object) {
					if o["scope"] == asked {
						delete(o, "scope")
					}
				})
			})},
		{ID: "cache-control-two-lines", Requirement: "RFC6749-5.1-cache-control", Worst: allowsPass,
			Sentence: "Cache-Control comes in two lines with other directives",
			change: answers(func(t *turn) {
				if t.atToken() {
					t.header["Cache-Control"] = []string{"private, max-age=0,must-revalidate", "no-cache ,No-Store"}
				}
			})},
		{ID: "no-pragma", Requirement: "RFC6749-5.1-pragma", Worst: allowsWarn,
			Sentence: "Pragma, which HTTP has given up, is not sent",
			Needs:    Needs{Postures: []string{postureRFC}},
			change:   func(p *policy) { p.token.omitsPragma = true }},
	}
}

func contentType(value string) func(*policy) {
	return answers(func(t *turn) {
		if t.atToken() {
			t.header.Set("Content-Type", value)
		}
	})
}

// escapeTokens writes a percent escape into the access tokens on the way out and takes it off on the way in.
func escapeTokens(t *turn) {
	const escape = "%2B"
	off := func(value string) string { return strings.Replace(value, escape, "", 1) }
	if f := t.posted(); f.get("token") != "" {
		t.post(f.with("token", off))
	}
	for i, h := range t.request.Header["Authorization"] {
		switch {
		case len(h) <= 7 || !strings.EqualFold(h[:7], "Bearer "):
		case strings.Contains(h, escape):
			t.request.Header["Authorization"][i] = off(h)
		default:
			t.request.Header["Authorization"][i] = h + "x" // without the escape it is another token
		}
	}
	t.pass()
	on := func(value string) string { return value[:5] + escape + value[5:] }
	if t.atToken() && t.status == http.StatusOK {
		t.members(func(o object) {
			if value, is := o["access_token"].(string); is {
				o["access_token"] = on(value)
			}
		})
	}
	t.respond(func(params form) form { return params.with("access_token", on) })
}

// errorMisses are those of section C: the error answer.
func errorMisses() []NearMiss {
	const status = "RFC6749-5.2-error-status-json"
	return []NearMiss{
		{ID: "errors-with-200", Requirement: status, Worst: allowsWarn,
			Sentence: "invalid_grant and invalid_scope come with status 200",
			Others:   map[string]string{"RFC6749-4.3.2-password-errors": allowsWarn},
			change: spoilRefusal(func(r refusal) refusal {
				if r.code == "invalid_grant" || r.code == "invalid_scope" {
					r.status = http.StatusOK
				}
				return r
			})},
		{ID: "invalid-grant-401", Requirement: status, Worst: allowsWarn,
			Sentence: "invalid_grant comes with status 401",
			Others:   map[string]string{"RFC6749-4.3.2-password-errors": allowsWarn},
			change:   grantStatus(http.StatusUnauthorized)},
		{ID: "invalid-grant-403", Requirement: status, Worst: allowsWarn,
			Sentence: "invalid_grant comes with status 403",
			Others:   map[string]string{"RFC6749-4.3.2-password-errors": allowsWarn},
			change:   grantStatus(http.StatusForbidden)},
		{ID: "descriptions-quote", Requirement: "RFC6749-5.2-error-text-charset", Worst: allowsWarn,
			Sentence: "Error descriptions quote and are in the reader's language",
			change: spoilRefusal(func(r refusal) refusal {
				r.description = `«Überprüfen Sie die "Anfrage»: ` + r.description
				return r
			})},
		{ID: "description-and-uri-missing", Requirement: "RFC6749-5.2-error-status-json", Worst: allowsPass,
			Sentence: "Error answers have no description, and a page to read about them",
			change: answers(func(t *turn) {
				if t.atToken() && t.status >= 400 {
					t.members(func(o object) {
						delete(o, "error_description")
						o["error_uri"] = "https://sandbox.acme.test/errors"
					})
				}
			})},
		{ID: "description-echoes", Requirement: "RFC6749-10.3-no-secret-echo", Worst: allowsPass,
			Sentence: "Error descriptions repeat the client's id, the code and the redirect URI",
			change: answers(func(t *turn) {
				if t.atToken() && t.status >= 400 {
					t.members(func(o object) {
						o["error_description"] = printable("Not possible: client " + t.form.get("client_id") + ", code " + t.form.get("code") + ", " + t.form.get("redirect_uri"))
					})
				}
			})},
	}
}

func grantStatus(status int) func(*policy) {
	return spoilRefusal(func(r refusal) refusal {
		if r.code == "invalid_grant" {
			r.status = status
		}
		return r
	})
}

// clientMisses are those of section D: how the client is known.
func clientMisses() []NearMiss {
	const unregistered = "The client is not registered for this grant type"
	return []NearMiss{
		{ID: "no-basic-21", Requirement: "RFC6749-2.3.1-basic-supported", Worst: allowsNote,
			Sentence: "Clients authenticate in the body only, as the OAuth 2.1 draft allows",
			Needs:    Needs{Postures: []string{posture21}},
			change:   func(p *policy) { p.token.refusesBasic = true }},
		{ID: "no-body-credentials", Requirement: "OAUTH21-2.4.1-body-credentials-supported", Worst: allowsNote,
			Sentence: "Clients authenticate by Basic only, as RFC 6749 allows",
			Needs:    Needs{Postures: []string{postureRFC, postureBCP}},
			change:   func(p *policy) { p.token.ignoresBodySecret = true }},
		{ID: "basic-raw-only", Requirement: "RFC6749-2.3.1-basic-form-encoding", Worst: allowsWarn,
			Sentence: "Basic credentials are taken as they are, without form-decoding",
			change: rewritten(func(t *turn) {
				if id, secret, ok := t.request.BasicAuth(); ok {
					t.request.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
				}
			})},
		{ID: "basic-encoded-only", Requirement: "RFC6749-2.3.1-basic-form-encoding", Worst: allowsPass,
			Sentence: "Basic credentials have to be form-encoded",
			change: rewritten(func(t *turn) {
				if id, secret, ok := t.request.BasicAuth(); ok && strings.ContainsFunc(id+secret, func(r rune) bool {
					return r <= ' ' || r > '~' || strings.ContainsRune(":&=/?#[]@", r)
				}) {
					t.request.SetBasicAuth(id, secret+"x")
				}
			})},
		{ID: "two-methods-refused", Requirement: "RFC6749-2.3-two-methods-refused", Worst: allowsPass,
			Sentence: "A deployment of Space refuses two methods of authentication at once, as its help page says",
			Needs:    Needs{Postures: []string{postureSpace}},
			change:   func(p *policy) { p.token.toleratesTwoMethods = false }},
		{ID: "unknown-client-unauthorized", Requirement: "RFC6749-5.2-invalid-client-code", Worst: allowsWarn,
			Sentence: "An unknown client, or a wrong secret, is called unauthorized_client",
			Others: map[string]string{"RFC6749-5.2-error-status-json": allowsWarn, "RFC6749-3.2.1-public-client-id-required": allowsWarn,
				"RFC7636-5-pkce-not-client-auth": allowsWarn, "RFC6749-6-client-auth-required": allowsWarn, "RFC7009-2.1-client-auth-required": allowsWarn},
			change: recoded("The client is unknown", 0, "unauthorized_client")},
		{ID: "body-secret-wrong-400", Requirement: "RFC6749-5.2-invalid-client-code", Worst: allowsPass,
			Sentence: "A wrong secret in the body is answered with 400",
			change: answers(func(t *turn) {
				if t.status == http.StatusUnauthorized && t.request.Header.Get("Authorization") == "" && !strings.HasPrefix(t.request.URL.Path, pathAPI) {
					t.status = http.StatusBadRequest
					t.header.Del("WWW-Authenticate")
				}
			})},
		{ID: "challenge-other-words", Requirement: "RFC6749-5.2-basic-failure-challenge", Worst: allowsPass,
			Sentence: "The challenge is written in small letters, after another one on the same line",
			change: answers(func(t *turn) {
				if t.atToken() && t.header.Get("WWW-Authenticate") != "" {
					t.header["Www-Authenticate"] = []string{`Negotiate`, `Bearer realm="api", basic realm="clients"`}
				}
			})},
		{ID: "password-either-form", Requirement: "RFC6749-2.3.1-credentials-compared-exactly", Worst: allowsPass,
			Sentence: "Passwords are brought to one form of Unicode before they are compared",
			change: rewritten(func(t *turn) {
				if f := t.posted(); f.get("password") != "" {
					t.post(f.with("password", func(v string) string { return strings.ReplaceAll(v, "e\u0301", "é") }))
				}
			})},
		{ID: "unregistered-grant-unsupported", Requirement: "RFC6749-5.2-unauthorized-client-grant", Worst: allowsWarn,
			Sentence: "A grant that the client is not registered for is called unsupported_grant_type",
			change:   recoded(unregistered, 0, "unsupported_grant_type")},
		{ID: "unregistered-grant-invalid", Requirement: "RFC6749-5.2-unauthorized-client-grant", Worst: allowsWarn,
			Sentence: "A grant that the client is not registered for is called invalid_grant",
			change:   recoded(unregistered, 0, "invalid_grant")},
		{ID: "secrets-chosen", Requirement: "RFC6749-10.10-client-secret-strength", Worst: allowsWarn, Skipped: true,
			Sentence: "An administrator has chosen short secrets",
			change:   func(p *policy) { p.near.chosenSecrets, p.token.secretLength = true, 12 }},
	}
}

// slack writes base64url text as its bytes are written, so that spare bits of the last character do not count.
func slack(value string) string {
	raw, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return value
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}
