package sandbox

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"strings"
)

const pathLogin = "/oauth/login"

// requestMisses are those of section G: how an authorization request is read.
func requestMisses() []NearMiss {
	const missingType, unknownType, badClient = "RFC6749-3.1.1-missing-response-type", "RFC6749-3.1.1-unknown-response-type", "RFC6749-4.1.2.1-bad-client-no-redirect"
	rfc := Needs{Postures: []string{postureRFC}}
	early := Needs{Postures: []string{postureSpace, postureRFC}}
	return []NearMiss{
		{ID: "authorize-post-405", Requirement: "RFC6749-3.1-post-same-validation", Worst: allowsPass,
			Sentence: "The authorization endpoint answers 405 to POST",
			change: instead(func(t *turn) bool { return t.atAuthorization() && t.request.Method == http.MethodPost }, func(t *turn) {
				t.page(http.StatusMethodNotAllowed, "Method Not Allowed")
				t.header.Set("Allow", "GET")
			})},
		{ID: "authorize-post-404", Requirement: "RFC6749-3.1-post-same-validation", Worst: allowsPass,
			Sentence: "The authorization endpoint answers POST with a page that says 404",
			change: instead(func(t *turn) bool { return t.atAuthorization() && t.request.Method == http.MethodPost }, func(t *turn) {
				t.page(http.StatusNotFound, "Not found")
			})},
		{ID: "state-demanded", Requirement: "RFC6749-3.1-unknown-and-empty-params", Worst: allowsPass,
			Sentence: "An authorization request without a state of eight characters is refused, empty or left out",
			change: through(func(t *turn) {
				t.pass()
				if f := t.asked(); t.atAuthorization() && f.get("client_id") != "" && len(f.get("state")) < 8 {
					refuseState(t, f)
				}
			})},
		{ID: "authorize-equal-repeats", Requirement: "RFC6749-3.1-duplicate-param", Worst: allowsWarn,
			Sentence: "A parameter of the authorization request may be repeated with the same value",
			Others:   map[string]string{"RFC6749-3.2-duplicate-param": allowsWarn},
			change:   func(p *policy) { p.near.equalRepeats = true }},
		{ID: "missing-type-unsupported", Requirement: missingType, Worst: allowsPass, Needs: rfc,
			Sentence: "A missing response_type is called unsupported_response_type",
			change:   answers(errorRenamed("invalid_request", "unsupported_response_type", func(f form) bool { return f.get("response_type") == "" }))},
		{ID: "missing-type-shown", Requirement: missingType, Worst: allowsPass, Needs: rfc,
			Sentence: "The error about a missing response_type is shown on a page",
			change:   answers(errorShown(func(f, _ form) bool { return f.get("response_type") == "" }))},
		{ID: "errors-after-sign-in", Requirement: missingType, Worst: allowsPass, Needs: rfc,
			Sentence: "Errors are sent to the client after somebody has signed in",
			change:   func(p *policy) { p.front.loginFirst = true }},
		{ID: "unknown-type-invalid", Requirement: unknownType, Worst: allowsWarn, Needs: rfc,
			Sentence: "An unknown response_type is called invalid_request",
			change:   answers(errorRenamed("unsupported_response_type", "invalid_request", func(f form) bool { return f.get("response_type") != "" }))},
		{ID: "unknown-type-shown", Requirement: unknownType, Worst: allowsWarn,
			Sentence: "The error about an unknown response_type is shown on a page",
			change: answers(errorShown(func(f, _ form) bool {
				return f.get("response_type") != "" && f.get("response_type") != typeCode && f.get("response_type") != typeToken
			}))},
		{ID: "unregistered-type-unsupported", Requirement: "RFC6749-4.1.2.1-unauthorized-response-type", Worst: allowsWarn, Needs: early,
			Sentence: "A response_type that the client is not registered for is called unsupported_response_type",
			change:   answers(errorRenamed("unauthorized_client", "unsupported_response_type", func(f form) bool { return f.get("response_type") != "" }))},
		{ID: "bad-client-signs-in-first", Requirement: badClient, Worst: allowsPass,
			Sentence: "The page about an unknown client comes after the sign-in",
			change:   func(p *policy) { p.near.signInBeforeErrors = true }},
		{ID: "sign-in-by-redirect", Requirement: badClient, Worst: allowsPass,
			Sentence: "Who is not signed in, and whose request is wrong, is redirected to the server's own sign-in page",
			change:   through(signInByRedirect)},
		{ID: "sign-in-401", Requirement: "RFC6749-3.1-authenticates-user", Worst: allowsPass,
			Sentence: "The sign-in page has status 401",
			change: answers(func(t *turn) {
				if t.atAuthorization() && t.status == http.StatusOK && strings.Contains(string(t.body), `type="password"`) {
					t.status = http.StatusUnauthorized
				}
			})},
		{ID: "errors-at-once", Requirement: "RFC9700-4.11.2-authenticate-before-error-redirect", Worst: allowsWarn,
			Sentence: "Errors are sent to the client at once, as RFC 6749 reads",
			Needs:    Needs{Postures: []string{postureBCP, posture21}},
			change:   func(p *policy) { p.front.loginFirst = false }},
	}
}

// refuseState takes the answer's place: an error redirect if there is a redirect to bend, else the page stays.
func refuseState(t *turn, f form) {
	u, err := url.Parse(f.get("redirect_uri"))
	if err != nil || u.Host == "" || t.status == http.StatusBadRequest {
		return
	}
	separator := "?"
	switch {
	case f.get("response_type") == typeToken:
		separator = "#"
	case u.RawQuery != "":
		separator = "&"
	}
	params := form{{"error", "invalid_request"}, {"error_description", "The state is too short"}}
	if f.get("state") != "" {
		params = append(params, pair{"state", f.get("state")})
	}
	t.redirect(http.StatusFound, f.get("redirect_uri")+separator+encode(params))
}

// errorRenamed calls an error of the authorization endpoint by another code.
func errorRenamed(from, to string, when func(asked form) bool) func(*turn) {
	return func(t *turn) {
		if !t.atAuthorization() || when != nil && !when(t.asked()) {
			return
		}
		t.respond(func(params form) form {
			return params.with("error", func(code string) string {
				if code == from {
					return to
				}
				return code
			})
		})
	}
}

// errorShown shows an error on a page instead of telling the client.
func errorShown(when func(asked, told form) bool) func(*turn) {
	return func(t *turn) {
		params, ok := t.response()
		if ok && t.atAuthorization() && params.get("error") != "" && when(t.asked(), params) {
			t.page(http.StatusBadRequest, "The request is wrong: "+params.get("error"))
		}
	}
}

// signInByRedirect has the sign-in page, and the error page too, at an address of its own.
func signInByRedirect(t *turn) {
	if t.at(pathLogin) {
		t.request = t.request.Clone(t.request.Context())
		t.request.URL.Path = "/oauth/auth"
		t.pass()
		return
	}
	query := t.request.URL.RawQuery
	t.pass()
	_, unknown := t.request.Cookie(sessionCookie)
	page := t.status == http.StatusOK || t.status == http.StatusBadRequest
	if t.atAuthorization() && t.request.Method == http.MethodGet && page && unknown != nil {
		cookies := t.header.Values("Set-Cookie")
		t.redirect(http.StatusFound, pathLogin+"?"+query)
		t.header["Set-Cookie"] = cookies
	}
}

// redirectMisses are those of section H: redirect URIs.
func redirectMisses() []NearMiss {
	plain := Needs{Postures: []string{postureRFC}}
	const lookalike, shown = "RFC9700-2.1-host-lookalike", "RFC6749-3.1.2.4-error-is-shown"
	return []NearMiss{
		{ID: "foreign-host-warned-of", Requirement: "RFC6749-3.1.2.4-foreign-host-no-redirect", Worst: allowsWarn,
			Sentence: "A page warns of the foreign host, and links to it",
			change: answers(func(t *turn) {
				if f := t.asked(); t.atAuthorization() && t.status == http.StatusBadRequest && strings.HasPrefix(f.get("redirect_uri"), "https://") {
					t.page(http.StatusOK, "You are about to leave")
					t.body = append(t.body, `<p>This request wants to take you to <a href="`+html.EscapeString(f.get("redirect_uri"))+`">another site</a>, which is not registered.</p>`...)
				}
			})},
		{ID: "host-case-ignored", Requirement: lookalike, Worst: allowsWarn,
			Sentence: "Letter case of a redirect URI's host does not matter",
			change: matching(func(u uriParts) uriParts {
				u.host = strings.ToLower(u.host)
				return u
			})},
		{ID: "host-trailing-dot", Requirement: lookalike, Worst: allowsWarn,
			Sentence: "A trailing dot of a redirect URI's host does not matter",
			change: matching(func(u uriParts) uriParts {
				u.host = strings.TrimSuffix(u.host, ".")
				return u
			})},
		{ID: "default-port-same", Requirement: "RFC9700-2.1-scheme-port-exact", Worst: allowsWarn,
			Sentence: "The default port may be written out in a redirect URI",
			change: matching(func(u uriParts) uriParts {
				if u.scheme == "https" && u.port == "443" {
					u.port = ""
				}
				return u
			})},
		{ID: "query-free", Requirement: "RFC9700-2.1-query-exact", Worst: allowsWarn, Needs: plain,
			Sentence: "Redirect URIs are registered without their query; only the parameters of an answer may not be in it",
			change: func(p *policy) {
				p.front.matchRedirect = func(registered, asked string) bool {
					r, a := cutURI(registered), cutURI(asked)
					if q, err := url.ParseQuery(strings.TrimPrefix(a.query, "?")); err != nil || q.Has("code") || q.Has("state") || q.Has("access_token") || q.Has("error") {
						return false
					}
					r.query, a.query = "", ""
					return r == a && !strings.Contains(asked, "#")
				}
			}},
		{ID: "redirect-uri-normalised", Requirement: "RFC9700-2.1-encoding-not-normalised", Worst: allowsWarn,
			Sentence: "A redirect URI is normalised before it is compared, and the answer goes to the registered one",
			Needs:    Needs{Postures: []string{postureRFC, postureBCP, posture21}},
			change:   rewritten(normaliseRedirect)},
		{ID: "fragment-dropped", Requirement: "RFC6749-3.1.2-fragment-refused", Worst: allowsWarn,
			Sentence: "The fragment of a redirect URI is dropped",
			change:   func(p *policy) { p.front.stripsFragment = true }},
		{ID: "redirect-uri-always-demanded", Requirement: "RFC6749-3.1.2.3-required-when-several", Worst: allowsPass, Needs: plain,
			Sentence: "redirect_uri has to be in every authorization request",
			change:   func(p *policy) { p.front.demandsRedirectURI = true }},
		{ID: "loopback-port-compared", Requirement: "RFC8252-7.3-loopback-port-only", Worst: allowsNote, Needs: Needs{Postures: []string{postureSpace, postureRFC}},
			Sentence: "The port of a loopback redirect URI is compared, as RFC 6749 allows",
			change:   func(p *policy) { p.front.loopbackPortFixed = true }},
		{ID: "return-sealed", Requirement: "RFC9700-4.11.2-login-return-not-open", Worst: allowsPass,
			Sentence: "Where the sign-in goes on is in a sealed value",
			change:   sealedReturn},
		{ID: "error-page-200", Requirement: shown, Worst: allowsPass,
			Sentence: "Error pages have status 200",
			change: answers(func(t *turn) {
				if t.atAuthorization() && t.status >= 400 {
					t.status = http.StatusOK
				}
			})},
		{ID: "error-page-by-script", Requirement: shown, Worst: allowsPass,
			Sentence: "The error page is a shell by status 200, and a script draws the error",
			change: answers(func(t *turn) {
				if t.atAuthorization() && t.status >= 400 {
					script := `document.body.innerText="That did not work: the request is wrong. The application's maker needs to know."`
					t.page(http.StatusOK, "")
					t.body = []byte(`<!doctype html><html lang="en"><head><title>Sandbox</title></head><body><div id="app"></div><script>` + script + `</script></body></html>`)
					t.header.Set("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; frame-ancestors 'none'")
				}
			})},
	}
}

// matching compares redirect URIs after both were made the same in one respect.
func matching(plain func(uriParts) uriParts) func(*policy) {
	return func(p *policy) {
		p.front.matchRedirect = func(registered, asked string) bool {
			return plain(cutURI(registered)) == plain(cutURI(asked)) && !strings.Contains(asked, "#")
		}
	}
}

// normaliseRedirect decodes percent escapes of a redirect URI that stand for ordinary characters.
func normaliseRedirect(t *turn) {
	plain := func(uri string) string {
		decoded, err := url.PathUnescape(uri)
		if err != nil || strings.ContainsFunc(decoded, func(r rune) bool { return r <= ' ' || r > '~' }) || strings.Contains(decoded, "..") {
			return uri
		}
		return decoded
	}
	if t.atAuthorization() && strings.Contains(t.asked().get("redirect_uri"), "%") {
		t.ask(t.asked().with("redirect_uri", plain))
	}
	if t.atToken() && strings.Contains(t.posted().get("redirect_uri"), "%") {
		t.post(t.posted().with("redirect_uri", plain))
	}
}

// responseMisses are those of section I: the answer that goes to the client.
func responseMisses() []NearMiss {
	const exact = "RFC6749-4.1.2-state-exact"
	return []NearMiss{
		{ID: "state-over-encoded", Requirement: exact, Worst: allowsPass,
			Sentence: "Every character of the answer's parameters is percent-encoded, in small letters",
			change: answers(func(t *turn) {
				if target, separator, params, ok := t.cutLocation(); ok {
					var parts []string
					for _, p := range params {
						parts = append(parts, p.name+"="+overEncoded(p.value))
					}
					t.header.Set("Location", target+separator+strings.Join(parts, "&"))
				}
			})},
		{ID: "state-plus-for-space", Requirement: exact, Worst: allowsPass,
			Sentence: "A space in the answer's parameters is a plus sign",
			change: answers(func(t *turn) {
				if target, separator, _, ok := t.cutLocation(); ok {
					rest := strings.TrimPrefix(t.header.Get("Location"), target+separator)
					t.header.Set("Location", target+separator+strings.ReplaceAll(rest, "%20", "+"))
				}
			})},
		{ID: "long-state-refused", Requirement: exact, Worst: allowsPass,
			Sentence: "A state of more than a thousand characters is refused",
			change: through(func(t *turn) {
				t.pass()
				if f := t.asked(); t.atAuthorization() && len(f.get("state")) > 1000 {
					refuseState(t, f)
				}
			})},
		{ID: "more-in-the-answer", Requirement: "RFC6749-3.1-response-params-once", Worst: allowsPass,
			Sentence: "iss, session_state and scope come with the answer",
			change: answers(func(t *turn) {
				issuer := "http://" + t.request.Host
				t.respond(func(params form) form {
					if params.get("iss") == "" {
						params = append(params, pair{"iss", issuer})
					}
					if params.get("scope") == "" && params.get("error") == "" {
						params = append(params, pair{"scope", "**"})
					}
					return append(params, pair{"session_state", "5e1f.d00d"})
				})
			})},
		{ID: "state-first", Requirement: "RFC6749-4.1.2-state-echoed", Worst: allowsPass,
			Sentence: "The state comes before the code and the token",
			change: answers(func(t *turn) {
				t.respond(func(params form) form {
					var first, rest form
					for _, p := range params {
						if p.name == "state" {
							first = append(first, p)
						} else {
							rest = append(rest, p)
						}
					}
					return append(first, rest...)
				})
			})},
		{ID: "no-deny-button", Requirement: "RFC6749-4.1.2.1-access-denied", Worst: allowsPass, Skipped: true,
			Sentence: "The consent page has no button to refuse with",
			change: answers(func(t *turn) {
				t.body = []byte(strings.Replace(string(t.body), `<button type="submit" name="decision" value="deny">Cancel</button>`, "", 1))
			})},
		{ID: "deny-signs-in-again", Requirement: "RFC6749-4.1.2.1-access-denied", Worst: allowsWarn,
			Sentence: "Who refuses is at the sign-in page again",
			change: answers(func(t *turn) {
				if t.at(pathConsent) && t.form.get("decision") == "deny" {
					t.redirect(http.StatusSeeOther, "/oauth/auth?"+t.form.get("request"))
					t.header.Set("Set-Cookie", sessionCookie+"=; Path=/; Max-Age=0")
				}
			})},
		{ID: "wrong-scope-denied", Requirement: "RFC6749-4.1.2.1-invalid-scope", Worst: allowsPass,
			Sentence: "A wrong scope is called access_denied at the authorization endpoint, as Space documents",
			Needs:    Needs{Postures: []string{postureSpace}},
			change:   answers(errorRenamed("invalid_scope", "access_denied", nil))},
	}
}

func overEncoded(value string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := range len(value) {
		b.WriteString("%")
		b.WriteByte(digits[value[i]>>4])
		b.WriteByte(digits[value[i]&15])
	}
	return b.String()
}

// scripted is text as it may stand in a script.
func scripted(text string) string {
	b, _ := json.Marshal(text) // strings always marshal, and < > & are escaped
	return string(b)
}
