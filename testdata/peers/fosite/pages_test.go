package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestCancelDenies(t *testing.T) {
	b := start(t, options{})
	landing := b.decide(b.consent("alice", b.ask("web", "code", nil)), "cancel")
	if q := landing.Query(); q.Get("error") != "access_denied" || q.Get("state") != state || q.Has("code") {
		t.Errorf("landing %s", landing)
	}
}

func TestFormsNeedTheirSession(t *testing.T) {
	b := start(t, options{})
	page := b.consent("alice", b.ask("web", "code", nil))
	for name, change := range map[string]func(url.Values){
		"none":  func(f url.Values) { f.Del("csrf") },
		"other": func(f url.Values) { f.Set("csrf", "x") },
	} {
		fields := page.form(t)
		fields.Set("decision", "accept")
		change(fields)
		if got := b.submit("/consent", fields); got.status != http.StatusForbidden || got.header.Get("Location") != "" {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	fields := page.form(t)
	fields.Set("decision", "accept")
	b.forget()
	b.submit("/consent", fields).want(t, http.StatusForbidden)
	b.submit("/login", url.Values{"username": {"bob"}, "password": {b.User("bob").Password}}).want(t, http.StatusForbidden)
}

func TestSignIn(t *testing.T) {
	b := start(t, options{})
	query := b.ask("web", "code", nil).Encode()
	login := b.get(authorizePath + "?" + query).location(t)
	page := b.get(login.String())
	cookie := page.header.Get("Set-Cookie")
	if !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
		t.Errorf("cookie %q", cookie)
	}
	if !strings.Contains(page.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Error("the page may be framed")
	}
	fields := page.form(t)
	fields.Set("username", "alice")
	fields.Set("password", "wrong")
	wrong := b.submit("/login", fields).want(t, http.StatusOK)
	if !strings.Contains(wrong.body, `role="alert"`) {
		t.Errorf("no word about the wrong password: %s", wrong.body)
	}
	fields = wrong.form(t)
	fields.Set("username", "alice")
	fields.Set("password", b.User("alice").Password)
	in := b.submit("/login", fields)
	if in.header.Get("Set-Cookie") == "" || strings.Split(in.header.Get("Set-Cookie"), ";")[0] == strings.Split(cookie, ";")[0] {
		t.Error("the session before the sign-in lives on")
	}
	if to := in.location(t); to.Path != authorizePath || to.RawQuery != query || to.Host != "" {
		t.Errorf("sent to %s", to)
	}
}

func TestSignInNeverLeadsAway(t *testing.T) {
	b := start(t, options{})
	for _, request := range []string{"https://evil.test/", "//evil.test", "\r\nX-Evil: 1", "#x", "/../../evil"} {
		b.forget()
		fields := b.get("/login?" + url.Values{"request": {request}}.Encode()).form(t)
		fields.Set("username", "alice")
		fields.Set("password", b.User("alice").Password)
		in := b.submit("/login", fields)
		if !strings.HasPrefix(in.header.Get("Location"), authorizePath+"?") || in.header.Get("X-Evil") != "" {
			t.Errorf("%q leads to %q", request, in.header.Get("Location"))
		}
	}
}

func TestAnotherAccount(t *testing.T) {
	b := start(t, options{})
	page := b.consent("alice", b.ask("spa", "token", nil))
	login := b.submit("/logout", page.form(t)).location(t)
	if login.Path != "/login" {
		t.Fatalf("sent to %s", login)
	}
	b.get(authorizePath+"?"+b.ask("spa", "token", nil).Encode()).want(t, http.StatusSeeOther)
}

func TestAuthorizationRequestByPost(t *testing.T) {
	b := start(t, options{})
	b.consent("alice", b.ask("web", "code", nil))
	page := b.submit(authorizePath, b.ask("web", "code", nil))
	if got := b.decide(page, "accept"); got.Query().Get("code") == "" {
		t.Errorf("landing %s", got)
	}
	foreign := b.ask("web", "code", url.Values{"redirect_uri": {"https://evil.test/"}})
	b.submit(authorizePath, foreign).refused(t, http.StatusBadRequest, "invalid_request")
}

func TestResourceChallenges(t *testing.T) {
	b := start(t, options{})
	access := b.token("service", url.Values{"grant_type": {"client_credentials"}}).text(t, "access_token")
	for _, c := range []struct {
		name      string
		change    func(*http.Request)
		status    int
		challenge string
	}{
		{"no token", func(*http.Request) {}, 401, `Bearer realm="peer"`},
		{"query token", func(r *http.Request) { r.URL.RawQuery = "access_token=" + access }, 401, `Bearer realm="peer"`},
		{"another scheme", func(r *http.Request) { r.SetBasicAuth("a", "b") }, 401, `Bearer realm="peer"`},
		{"an unknown token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x.y") }, 401, `Bearer realm="peer", error="invalid_token"`},
		{"Bearer alone", func(r *http.Request) { r.Header.Set("Authorization", "Bearer") }, 400, `Bearer realm="peer", error="invalid_request"`},
		{"two tokens", func(r *http.Request) { r.Header.Set("Authorization", "Bearer a b") }, 400, `Bearer realm="peer", error="invalid_request"`},
		{"two headers", func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer " + access, "Bearer " + access} }, 400, `Bearer realm="peer", error="invalid_request"`},
		{"lower case", func(r *http.Request) { r.Header.Set("Authorization", "bearer "+access) }, 200, ""},
	} {
		r := b.request("GET", "/api/any", "")
		c.change(r)
		got := b.do(r)
		if got.status != c.status || got.header.Get("WWW-Authenticate") != c.challenge {
			t.Errorf("%s: %d %q", c.name, got.status, got.header.Get("WWW-Authenticate"))
		}
	}
	narrow := b.token("limited", url.Values{"grant_type": {"client_credentials"}, "scope": {"profile"}}).text(t, "access_token")
	if got := b.resource("/api/scoped", narrow).header.Get("WWW-Authenticate"); got != `Bearer realm="peer", error="insufficient_scope", scope="photos"` {
		t.Errorf("challenge %q", got)
	}
	form := b.submit("/api/any", url.Values{"access_token": {access}})
	form.want(t, http.StatusOK)
}
