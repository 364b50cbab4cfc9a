package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"flowproof/peers/probe"
)

func TestCancelDenies(t *testing.T) {
	b := start(t, options{})
	landing := b.Decide(b.Consent("alice", b.Ask("web", "code", nil)), "cancel")
	if q := landing.Query(); q.Get("error") != "access_denied" || q.Get("state") != probe.State || q.Has("code") {
		t.Errorf("landing %s", landing)
	}
}

func TestFormsNeedTheirSession(t *testing.T) {
	b := start(t, options{})
	page := b.Consent("alice", b.Ask("web", "code", nil))
	for name, change := range map[string]func(url.Values){
		"none":  func(f url.Values) { f.Del("csrf") },
		"other": func(f url.Values) { f.Set("csrf", "x") },
	} {
		fields := page.Form(t)
		fields.Set("decision", "accept")
		change(fields)
		if got := b.Submit("/consent", fields); got.Status != http.StatusForbidden || got.Header.Get("Location") != "" {
			t.Errorf("%s: %d", name, got.Status)
		}
	}
	fields := page.Form(t)
	fields.Set("decision", "accept")
	b.Forget()
	b.Submit("/consent", fields).Want(t, http.StatusForbidden)
	b.Submit("/login", url.Values{"username": {"bob"}, "password": {b.User("bob").Password}}).Want(t, http.StatusForbidden)
}

func TestSignIn(t *testing.T) {
	b := start(t, options{})
	query := b.Ask("web", "code", nil).Encode()
	login := b.Get(authorizePath + "?" + query).Location(t)
	page := b.Get(login.String())
	cookie := page.Header.Get("Set-Cookie")
	if !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
		t.Errorf("cookie %q", cookie)
	}
	if !strings.Contains(page.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Error("the page may be framed")
	}
	fields := page.Form(t)
	fields.Set("username", "alice")
	fields.Set("password", "wrong")
	wrong := b.Submit("/login", fields).Want(t, http.StatusOK)
	if !strings.Contains(wrong.Body, `role="alert"`) {
		t.Errorf("no word about the wrong password: %s", wrong.Body)
	}
	fields = wrong.Form(t)
	fields.Set("username", "alice")
	fields.Set("password", b.User("alice").Password)
	in := b.Submit("/login", fields)
	if in.Header.Get("Set-Cookie") == "" || strings.Split(in.Header.Get("Set-Cookie"), ";")[0] == strings.Split(cookie, ";")[0] {
		t.Error("the session before the sign-in lives on")
	}
	if to := in.Location(t); to.Path != authorizePath || to.RawQuery != query || to.Host != "" {
		t.Errorf("sent to %s", to)
	}
}

func TestSignInNeverLeadsAway(t *testing.T) {
	b := start(t, options{})
	for _, request := range []string{"https://evil.test/", "//evil.test", "\r\nX-Evil: 1", "#x", "/../../evil"} {
		b.Forget()
		fields := b.Get("/login?" + url.Values{"request": {request}}.Encode()).Form(t)
		fields.Set("username", "alice")
		fields.Set("password", b.User("alice").Password)
		in := b.Submit("/login", fields)
		if !strings.HasPrefix(in.Header.Get("Location"), authorizePath+"?") || in.Header.Get("X-Evil") != "" {
			t.Errorf("%q leads to %q", request, in.Header.Get("Location"))
		}
	}
}

func TestAnotherAccount(t *testing.T) {
	b := start(t, options{})
	page := b.Consent("alice", b.Ask("spa", "token", nil))
	login := b.Submit("/logout", page.Form(t)).Location(t)
	if login.Path != "/login" {
		t.Fatalf("sent to %s", login)
	}
	b.Get(authorizePath+"?"+b.Ask("spa", "token", nil).Encode()).Want(t, http.StatusSeeOther)
}

func TestAuthorizationRequestByPost(t *testing.T) {
	b := start(t, options{})
	b.Consent("alice", b.Ask("web", "code", nil))
	page := b.Submit(authorizePath, b.Ask("web", "code", nil))
	if got := b.Decide(page, "accept"); got.Query().Get("code") == "" {
		t.Errorf("landing %s", got)
	}
	foreign := b.Ask("web", "code", url.Values{"redirect_uri": {"https://evil.test/"}})
	b.Submit(authorizePath, foreign).Refused(t, http.StatusBadRequest, "invalid_request")
}

func TestResourceChallenges(t *testing.T) {
	b := start(t, options{})
	access := b.Token("service", url.Values{"grant_type": {"client_credentials"}}).Text(t, "access_token")
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
		r := b.Request("GET", "/api/any", "")
		c.change(r)
		got := b.Do(r)
		if got.Status != c.status || got.Header.Get("WWW-Authenticate") != c.challenge {
			t.Errorf("%s: %d %q", c.name, got.Status, got.Header.Get("WWW-Authenticate"))
		}
	}
	narrow := b.Token("limited", url.Values{"grant_type": {"client_credentials"}, "scope": {"profile"}}).Text(t, "access_token")
	if got := b.Resource("/api/scoped", narrow).Header.Get("WWW-Authenticate"); got != `Bearer realm="peer", error="insufficient_scope", scope="photos"` {
		t.Errorf("challenge %q", got)
	}
	form := b.Submit("/api/any", url.Values{"access_token": {access}})
	form.Want(t, http.StatusOK)
}

// A login form that was opened before somebody signed in in another tab goes on as that person, and signs nobody in.
func TestOlderTabGoesOn(t *testing.T) {
	b := start(t, options{})
	older := b.Get(b.Get(authorizePath + "?" + b.Ask("web", "code", nil).Encode()).Location(t).String()).Form(t)
	b.Consent("alice", b.Ask("web", "code", nil))
	older.Set("username", "bob")
	older.Set("password", b.User("bob").Password)
	in := b.Submit("/login", older)
	if in.Header.Get("Set-Cookie") != "" || in.Location(t).Path != authorizePath {
		t.Errorf("header %v", in.Header)
	}
	code := b.Decide(b.Get(in.Location(t).String()), "accept").Query().Get("code")
	access := b.Token("web", b.Redemption("web", code, "")).Text(t, "access_token")
	if got := b.Resource("/userinfo", access).Text(t, "sub"); got != b.User("alice").Subject {
		t.Errorf("user %q", got)
	}
}
