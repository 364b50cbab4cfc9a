package sandbox

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func everyPosture(t *testing.T, run func(t *testing.T, b *bench)) {
	for _, o := range []Options{
		{}, {Edition: edition2021}, {Edition: edition2024}, {Tokens: tokensOpaque},
		{Posture: postureRFC}, {Posture: postureBCP}, {Posture: posture21},
	} {
		t.Run(o.Posture+o.Edition+o.Tokens, func(t *testing.T) { run(t, newBench(t, o)) })
	}
}

func TestClientCredentials(t *testing.T) {
	everyPosture(t, func(t *testing.T, b *bench) {
		r := b.token("service", "grant_type", "client_credentials")
		if r.status != 200 || r.text("token_type") != "Bearer" || r.json["expires_in"] != 600.0 || r.text("scope") != "**" ||
			r.text("refresh_token") != "" || r.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %v %s", r.status, r.header, r.body)
		}
		for path, want := range map[string]int{pathProfiles: 200, pathApplication: 200, pathMe: 403, pathProjects: 200, pathAbsences: 200, "/api/http/none": 404} {
			if got := b.api(r.text("access_token"), path); got.status != want || got.json == nil {
				t.Errorf("%s: got %d %s, want %d", path, got.status, got.body, want)
			}
		}
		b.token("service", "grant_type", "client_credentials", "scope", b.s.scopes().forbidden).mustBe(t, 400, "invalid_scope")
		if r := b.token("limited", "grant_type", "client_credentials", "scope", "**"); r.text("scope") != b.s.scopes().narrow {
			t.Errorf("limited got %s", r.body)
		}
		b.token("codeonly", "grant_type", "client_credentials").mustBe(t, 400, "unauthorized_client")
		b.token("mobile", "grant_type", "client_credentials").mustBe(t, 400, "unauthorized_client")
	})
}

func TestAuthorizationCode(t *testing.T) {
	everyPosture(t, func(t *testing.T, b *bench) {
		u := b.landing("alice", b.authorization("web", typeCode, "code_challenge", testChallenge, "code_challenge_method", "S256"))
		if u.Query().Get("state") != "st-0123456789abcdef" || u.Fragment != "" || !strings.HasPrefix(u.String(), "https://app.acme.test/authorized?") {
			t.Fatalf("landed at %s", u)
		}
		redeem := []string{"grant_type", "authorization_code", "code", u.Query().Get("code"), "redirect_uri", "https://app.acme.test/authorized"}
		b.token("web", redeem...).mustBe(t, 400, "invalid_grant")
		right := append(redeem, "code_verifier", testVerifier)
		b.token("partner", right...).mustBe(t, 400, "invalid_grant")
		r := b.token("web", right...)
		if r.status != 200 || r.text("refresh_token") != "" {
			t.Fatalf("%d %s", r.status, r.body)
		}
		if me := b.api(r.text("access_token"), pathMe); me.text("username") != "alice" {
			t.Fatalf("me: %d %s", me.status, me.body)
		}
		b.token("web", right...).mustBe(t, 400, "invalid_grant")
		if me := b.api(r.text("access_token"), pathMe); me.status != 401 {
			t.Errorf("a replay left the token alive: %d", me.status)
		}
		// Signed in and allowed before: no page.
		if u := b.landing("", b.authorization("web", typeCode, "code_challenge", testChallenge, "code_challenge_method", "S256")); u.Query().Get("code") == "" {
			t.Errorf("landed at %s", u)
		}
	})
}

func TestImplicit(t *testing.T) {
	for _, o := range []Options{{}, {Posture: postureRFC}} {
		b := newBench(t, o)
		u := b.landing("bob", b.authorization("spa", typeToken, "access_type", "offline"))
		f := mustQuery(t, u.Fragment)
		if u.RawQuery != "" || f.Get("state") == "" || f.Get("token_type") != "Bearer" || f.Get("expires_in") != "600" || f.Has("refresh_token") {
			t.Fatalf("landed at %s", u)
		}
		if me := b.api(f.Get("access_token"), pathMe); me.text("username") != "bob" {
			t.Fatalf("me: %s", me.body)
		}
		u = b.landing("bob", b.authorization("spa", typeToken, "scope", b.s.scopes().forbidden))
		if f := mustQuery(t, u.Fragment); f.Get("error") != "invalid_scope" || f.Get("state") == "" {
			t.Errorf("landed at %s", u)
		}
		u = b.landing("bob", b.authorization("codeonly", typeToken))
		if f := mustQuery(t, u.Fragment); f.Get("error") != "unauthorized_client" {
			t.Errorf("landed at %s", u)
		}
	}
	for _, o := range []Options{{Posture: postureBCP}, {Posture: posture21}} {
		b := newBench(t, o)
		if u := b.landing("bob", b.authorization("web", typeToken)); mustQuery(t, u.Fragment).Get("error") != "unsupported_response_type" {
			t.Errorf("landed at %s", u)
		}
	}
}

func TestPassword(t *testing.T) {
	b := newBench(t, Options{})
	ask := func(name, password string, more ...string) reply {
		return b.token("service", append([]string{"grant_type", "password", "username", name, "password", password}, more...)...)
	}
	for _, name := range []string{"alice", "zoe"} {
		r := ask(name, b.s.Secrets()[name], "scope", "**")
		if me := b.api(r.text("access_token"), pathMe); me.text("username") != name {
			t.Errorf("%s: %s %s", name, r.body, me.body)
		}
	}
	ask("alice", b.s.Secrets()["alice"]).mustBe(t, 400, "invalid_scope")
	ask("alice", "").mustBe(t, 400, "invalid_request")
	wrong, unknown := ask("alice", "x", "scope", "**"), ask("nobody", "x", "scope", "**")
	wrong.mustBe(t, 400, "invalid_grant")
	if wrong.body != unknown.body {
		t.Errorf("wrong password %s, unknown user %s", wrong.body, unknown.body)
	}
	if r := ask("bob", b.s.Secrets()["bob"], "scope", "**", "access_type", "offline"); r.text("refresh_token") == "" {
		t.Errorf("offline: %s", r.body)
	}
	b = newBench(t, Options{Posture: postureBCP})
	ask("alice", b.s.Secrets()["alice"], "scope", "**").mustBe(t, 400, "unsupported_grant_type")
}

func TestRefresh(t *testing.T) {
	b := newBench(t, Options{})
	first, rt := b.refresh("web", "scope", "global:Profile.View global:Project.View")
	r := b.token("web", "grant_type", "refresh_token", "refresh_token", rt)
	if r.status != 200 || r.text("access_token") == first || r.text("refresh_token") != "" || r.text("scope") != "global:Profile.View global:Project.View" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := b.token("web", "grant_type", "refresh_token", "refresh_token", rt, "scope", "global:Profile.View"); r.text("scope") != "global:Profile.View" {
		t.Errorf("narrowing: %s", r.body)
	}
	if r := b.token("web", "grant_type", "refresh_token", "refresh_token", rt, "scope", "**"); r.text("scope") != "global:Profile.View global:Project.View" {
		t.Errorf("everything: %s", r.body)
	}
	b.token("web", "grant_type", "refresh_token", "refresh_token", rt, "scope", "global:Team.View").mustBe(t, 400, "invalid_scope")
	b.token("partner", "grant_type", "refresh_token", "refresh_token", rt).mustBe(t, 400, "invalid_grant")
	b.token("web", "grant_type", "refresh_token", "refresh_token", rt+"x").mustBe(t, 400, "invalid_grant")
	b.token("web", "grant_type", "refresh_token").mustBe(t, 400, "invalid_request")
	b.token("web", "grant_type", "refresh_token", "refresh_token", first).mustBe(t, 400, "invalid_grant")
	b.token("web", "grant_type", "authorization_code", "code", rt, "redirect_uri", "https://app.acme.test/authorized").mustBe(t, 400, "invalid_grant")
	if got := b.api(rt, pathProfiles); got.status != 401 {
		t.Errorf("a refresh token opened a resource: %d", got.status)
	}
}

func TestRotation(t *testing.T) {
	b := newBench(t, Options{Posture: postureBCP})
	access, rt := b.refresh("mobile", "code_challenge", testChallenge, "code_challenge_method", "S256")
	r := b.token("mobile", "grant_type", "refresh_token", "refresh_token", rt)
	next := r.text("refresh_token")
	if next == "" || next == rt {
		t.Fatalf("not rotated: %s", r.body)
	}
	b.token("mobile", "grant_type", "refresh_token", "refresh_token", rt).mustBe(t, 400, "invalid_grant")
	b.token("mobile", "grant_type", "refresh_token", "refresh_token", next).mustBe(t, 400, "invalid_grant")
	if got := b.api(access, pathProfiles); got.status != 401 {
		t.Errorf("the family lives on: %d", got.status)
	}
}

func TestExpiry(t *testing.T) {
	everyPosture(t, func(t *testing.T, b *bench) {
		access := b.token("service", "grant_type", "client_credentials").text("access_token")
		b.clock.advance(599 * time.Second)
		if r := b.api(access, pathProfiles); r.status != 200 {
			t.Errorf("died early: %s", r.body)
		}
		b.clock.advance(time.Second)
		r := b.api(access, pathProfiles)
		r.mustBe(t, 401, "authentication-required")
		if r.text("error_description") != whyExpired || !strings.Contains(r.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%v %s", r.header, r.body)
		}
		code := b.code("alice", "web", "code_challenge", testChallenge, "code_challenge_method", "S256")
		b.clock.advance(61 * time.Second)
		b.token("web", "grant_type", "authorization_code", "code", code, "redirect_uri", "https://app.acme.test/authorized",
			"code_verifier", testVerifier).mustBe(t, http.StatusBadRequest, "invalid_grant")
	})
}

func mustQuery(t *testing.T, text string) url.Values {
	t.Helper()
	v, err := url.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
