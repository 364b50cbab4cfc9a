package sandbox

import (
	"net/http"
	"net/url"
	"strings"
)

// show sends an authorization request and stops there.
func (b *bench) show(v url.Values) reply {
	return b.do(b.request("GET", b.s.paths().authorization+"?"+v.Encode(), ""))
}

// refusedURI reports whether a redirect_uri is answered with a page, also after the sign-in.
func (b *bench) refusedURI(name, uri string) bool {
	b.landing("alice", b.authorization("web", typeCode, s256()...))
	r := b.show(b.authorization(name, typeCode, append(s256(), "redirect_uri", uri)...))
	return r.status == http.StatusBadRequest && r.header.Get("Location") == ""
}

// s256 are the parameters that every posture is content with.
func s256() []string {
	return []string{"code_challenge", testChallenge, "code_challenge_method", "S256"}
}

// redeem redeems a code of web with the test verifier.
func (b *bench) redeem(name, code string, kv ...string) reply {
	v := []string{"grant_type", "authorization_code", "code", code, "redirect_uri", b.client(name).redirects[0], "code_verifier", testVerifier}
	for i := 0; i+1 < len(kv); i += 2 {
		for j := 0; j+1 < len(v); j += 2 {
			if v[j] == kv[i] {
				v[j+1] = kv[i+1]
			}
		}
	}
	return b.token(name, v...)
}

func (b *bench) nameless(code, redirect string) reply {
	return b.raw("POST", "", values("grant_type", "authorization_code", "code", code, "redirect_uri", redirect,
		"code_verifier", testVerifier).Encode(), "")
}

func (b *bench) webCode() string { return b.code("alice", "web", s256()...) }

func (b *bench) fragment(kv ...string) url.Values {
	u := b.landing("alice", b.authorization("spa", typeToken, kv...))
	v, _ := url.ParseQuery(u.Fragment)
	return v
}

func frontProbes() []probe {
	challenged := func(method, challenge, verifier string) func(b *bench) bool {
		return func(b *bench) bool {
			u := b.landing("alice", b.authorization("web", typeCode, "code_challenge", challenge, "code_challenge_method", method))
			code := u.Query().Get("code")
			return code == "" || b.redeem("web", code, "code_verifier", verifier).status == 400
		}
	}
	other := strings.Repeat("a", 43)
	return []probe{
		{"authorize-get-405", func(b *bench) bool { return b.show(b.authorization("web", typeCode, s256()...)).status == 200 }},
		{"dup-redirect-last-wins", func(b *bench) bool {
			b.webCode()
			v := b.authorization("web", typeCode, s256()...)
			v.Add("redirect_uri", "https://evil.test/")
			return b.show(v).header.Get("Location") == ""
		}},
		{"default-response-type-code", func(b *bench) bool {
			return !b.landing("alice", b.authorization("web", typeCode, append(s256(), "response_type", "")...)).Query().Has("code")
		}},
		{"response-type-prefix-match", func(b *bench) bool {
			return !b.landing("alice", b.authorization("web", typeCode, append(s256(), "response_type", "code code")...)).Query().Has("code")
		}},
		{"response-type-allowlist-ignored", func(b *bench) bool {
			return strings.Contains(b.landing("alice", b.authorization("codeonly", typeToken)).Fragment, "unauthorized_client")
		}},
		{"redirect-on-unknown-client", func(b *bench) bool {
			return b.show(b.authorization("web", typeCode, "client_id", "nobody")).header.Get("Location") == ""
		}},
		{"instant-error-redirect", func(b *bench) bool {
			return strings.Contains(b.show(b.authorization("web", typeCode, append(s256(), "scope", "bad")...)).body, `type="password"`)
		}},
		{"anonymous-code", func(b *bench) bool {
			r := b.show(b.authorization("web", typeCode, s256()...))
			return strings.Contains(r.body, `type="password"`)
		}},

		{"registered-uri-refused", func(b *bench) bool { return !b.refusedURI("web", "https://app.acme.test/second") }},
		{"open-redirector-on-error", func(b *bench) bool {
			b.webCode()
			return b.show(b.authorization("web", typeCode, append(s256(), "redirect_uri", "https://evil.test/", "scope", "bad")...)).header.Get("Location") == ""
		}},
		{"host-suffix-match", func(b *bench) bool {
			return b.refusedURI("web", "https://evil-app.acme.test/authorized") && b.refusedURI("web", "https://evil.test/authorized")
		}},
		{"port-ignored", func(b *bench) bool { return b.refusedURI("web", "https://app.acme.test:8443/authorized") }},
		{"path-prefix-match", func(b *bench) bool { return b.refusedURI("web", "https://app.acme.test/authorized/more") }},
		{"query-ignored", func(b *bench) bool { return b.refusedURI("query", "https://app.acme.test/cb") }},
		{"fragment-stripped", func(b *bench) bool { return b.refusedURI("web", "https://app.acme.test/authorized#x") }},
		{"pick-first-redirect", func(b *bench) bool { return b.refusedURI("web", "") }},
		{"drop-registered-query", func(b *bench) bool {
			u := b.landing("alice", b.authorization("query", typeCode, s256()...))
			return strings.HasPrefix(u.RawQuery, "t=1&code=")
		}},

		{"drop-state", func(b *bench) bool {
			return b.landing("alice", b.authorization("web", typeCode, s256()...)).Query().Has("state")
		}},
		{"state-plus-to-space", func(b *bench) bool {
			const odd = `a+b c%25d%2Be&f=g"h'i/jäß`
			return b.landing("alice", b.authorization("web", typeCode, append(s256(), "state", odd)...)).Query().Get("state") == odd
		}},
		{"drop-state-on-error", func(b *bench) bool {
			return b.landing("alice", b.authorization("web", typeCode, append(s256(), "scope", "bad")...)).Query().Has("state")
		}},
		{"state-null-invented", func(b *bench) bool {
			return !b.landing("alice", b.authorization("web", typeCode, append(s256(), "state", "")...)).Query().Has("state")
		}},
		{"deny-gives-code", func(b *bench) bool {
			page := b.signIn("alice", b.authorization("web", typeCode, s256()...).Encode())
			return strings.Contains(b.consent(page, "deny").header.Get("Location"), "error=access_denied")
		}},
		{"authorize-scope-echoed", func(b *bench) bool {
			return b.landing("alice", b.authorization("web", typeCode, append(s256(), "scope", b.s.scopes().forbidden)...)).Query().Get("error") == "invalid_scope"
		}},
		{"error-in-wrong-component", func(b *bench) bool {
			return b.landing("alice", b.authorization("web", typeCode, append(s256(), "scope", "bad")...)).Fragment == ""
		}},

		{"code-flow-broken", func(b *bench) bool { return b.redeem("web", b.webCode()).status == 200 }},
		{"code-reusable", func(b *bench) bool {
			code := b.webCode()
			b.redeem("web", code)
			return is(b.redeem("web", code), 400, "invalid_grant")
		}},
		{"replay-keeps-tokens", func(b *bench) bool {
			code := b.webCode()
			access := b.redeem("web", code).text("access_token")
			b.redeem("web", code)
			return b.api(access, pathProfiles).status == 401
		}},
		{"code-any-client", func(b *bench) bool { return b.redeem("partner", b.webCode()).status == 400 }},
		{"redirect-uri-unchecked", func(b *bench) bool {
			return is(b.redeem("web", b.webCode(), "redirect_uri", "https://app.acme.test/second"), 400, "invalid_grant")
		}},
		{"redirect-uri-optional", func(b *bench) bool { return b.redeem("web", b.webCode(), "redirect_uri", "").status == 400 }},
		{"redirect-uri-demanded", func(b *bench) bool { return b.redeem("web", b.webCode(), "redirect_uri", "").status == 200 }},
		{"code-prefix-match", func(b *bench) bool { return b.redeem("web", b.webCode()+"  ").status == 400 }},
		{"public-no-client-id", func(b *bench) bool {
			return b.nameless(b.code("alice", "native", s256()...), "https://app.acme.test/native").status == 401
		}},
		{"shared-token-table", func(b *bench) bool {
			return is(b.token("web", "grant_type", "refresh_token", "refresh_token", b.webCode()), 400, "invalid_grant")
		}},
		{"code-last-user-wins", func(b *bench) bool {
			code := b.webCode()
			b.freshAgent()
			b.code("bob", "web", s256()...)
			return b.api(b.redeem("web", code).text("access_token"), pathMe).text("username") == "alice"
		}},

		{"s256-broken", func(b *bench) bool { return b.redeem("web", b.webCode()).status == 200 }},
		{"pkce-ignored", challenged("S256", testChallenge, other)},
		{"verifier-optional", challenged("S256", testChallenge, "")},
		{"pkce-downgrade", func(b *bench) bool {
			return b.redeem("web", b.code("alice", "web")).status == 400
		}},
		{"plain-compare-fallback", challenged("S256", testChallenge, testChallenge)},
		{"unknown-method-disables-pkce", challenged("S512", testChallenge, "")},
		{"default-method-s256", func(b *bench) bool {
			return b.redeem("web", b.code("alice", "web", "code_challenge", other), "code_verifier", other).status == 200
		}},
		{"plain-accepted", challenged("plain", other, other)},
		{"required-pkce-not-enforced", func(b *bench) bool {
			return b.landing("alice", b.authorization("strict", typeCode)).Query().Get("error") == "invalid_request"
		}},
		{"pkce-optional", func(b *bench) bool {
			return b.landing("alice", b.authorization("web", typeCode)).Query().Get("error") == "invalid_request"
		}},
		{"challenge-per-session", func(b *bench) bool {
			code := b.webCode()
			b.code("alice", "web", "code_challenge", other, "code_challenge_method", "S256")
			return b.redeem("web", code).status == 200
		}},
		{"pkce-replaces-secret", func(b *bench) bool {
			c := b.client("web")
			v := values("grant_type", "authorization_code", "code", b.webCode(), "redirect_uri", c.redirects[0], "code_verifier", testVerifier,
				"client_id", c.id, "client_secret", "wrong")
			return is(b.raw("POST", "", v.Encode(), ""), 401, "invalid_client")
		}},

		{"implicit-broken", func(b *bench) bool { return b.fragment().Has("access_token") }},
		{"implicit-enabled", func(b *bench) bool {
			return !strings.Contains(b.landing("alice", b.authorization("web", typeToken)).Fragment, "access_token")
		}},
		{"token-in-query", func(b *bench) bool { return b.landing("alice", b.authorization("spa", typeToken)).RawQuery == "" }},
		{"implicit-no-token-type", func(b *bench) bool { return b.fragment().Get("token_type") == "Bearer" }},
		{"implicit-refresh-token", func(b *bench) bool { return !b.fragment("access_type", "offline").Has("refresh_token") }},
		{"implicit-error-in-query", func(b *bench) bool { return b.fragment("scope", "bad").Get("error") == "invalid_scope" }},

		{"space-offline-ignored", func(b *bench) bool {
			return b.redeem("web", b.code("alice", "web", append(s256(), "access_type", "offline")...)).text("refresh_token") != ""
		}},
		{"space-refresh-needs-switch", func(b *bench) bool {
			r := b.redeem("codeonly", b.code("alice", "codeonly", append(s256(), "access_type", "offline")...))
			return b.token("codeonly", "grant_type", "refresh_token", "refresh_token", r.text("refresh_token")).status == 200
		}},
		{"space-required-ignored", func(b *bench) bool {
			b.webCode()
			return strings.Contains(b.show(b.authorization("web", typeCode, append(s256(), "request_credentials", "required")...)).body, `type="password"`)
		}},
		{"space-other-error-code", func(b *bench) bool {
			return b.landing("alice", b.authorization("web", typeCode, "response_type", "")).Query().Get("error") == "unsupported_response_type" &&
				strings.Contains(b.show(b.authorization("web", typeCode, "redirect_uri", "https://evil.test/")).body, "unauthorized_client")
		}},
		{"space-switch-ignored", func(b *bench) bool {
			c := b.client("web")
			v := values("grant_type", "authorization_code", "code", b.code("alice", "web"), "redirect_uri", c.redirects[0], "client_id", c.id)
			return is(b.raw("POST", "", v.Encode(), ""), 401, "invalid_client")
		}},
	}
}
