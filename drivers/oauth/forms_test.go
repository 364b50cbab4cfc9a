package oauth

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"flowproof/drivers/target"
)

const callback = "https://app.acme.test/authorized"

// pages is a small server with a sign-in page, a consent page and a redirect; a test spoils one of them.
type pages struct {
	signIn, consent string // HTML; empty ones are the usual
	status          int    // of the last redirect
	otp             bool
	end             string // page instead of the last redirect
}

const (
	usualSignIn = `<!doctype html><title>Sign in</title><nav><form action="/search"><input name="q"><button>Search</button></form></nav>
%s<form method="post" action="/login?next=1"><input type="hidden" name="csrf" value="c&amp;1"><label>User<input name="login"></label>
<label>Password<input type="password" name="secret"></label><input type="checkbox" name="remember" checked><input type="checkbox" name="spam">
<button name="go" value="in">Sign in</button></form>`
	usualConsent = `<title>Consent</title><script>ignored()</script><h1>Web</h1><p>wants   to act
for you</p><form method="post" action="/consent"><input type="hidden" name="ticket" value="t1">
<button name="decision" value="cancel">Cancel</button><button name="decision" value="accept">Accept</button></form>`
)

func (p pages) serve(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	signedIn := func(r *http.Request) bool {
		c, err := r.Cookie("session")
		return err == nil && c.Value == "alice-session"
	}
	finish := func(w http.ResponseWriter, r *http.Request, answer string) {
		if p.end != "" {
			fmt.Fprint(w, p.end)
			return
		}
		http.Redirect(w, r, callback+"?"+answer, max(p.status, 302))
	}
	mux.HandleFunc("GET /oauth/auth", func(w http.ResponseWriter, r *http.Request) {
		if !signedIn(r) {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		if c, err := r.Cookie("consented"); err == nil && c.Value == "yes" {
			finish(w, r, "code=remembered-code-1")
			return
		}
		fmt.Fprint(w, or(p.consent, usualConsent))
	})
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, or(p.signIn, usualSignIn), "")
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		want := url.Values{"csrf": {"c&1"}, "login": {"alice"}, "secret": {"pass word %+&=é!"}, "remember": {"on"}, "go": {"in"}}
		if r.PostForm.Encode() != want.Encode() || r.URL.RawQuery != "next=1" || r.Header.Get("Origin") != "http://"+r.Host {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, or(p.signIn, usualSignIn), `<p role="alert">That did not work: `+html.EscapeString(r.PostForm.Get("login"))+`</p>`)
			return
		}
		if p.otp {
			fmt.Fprint(w, `<form method=post action=/otp><input name=token autocomplete=one-time-code><button>Go</button></form>`)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "alice-session", Path: "/", HttpOnly: true, Secure: true})
		http.Redirect(w, r, "/oauth/auth", http.StatusFound)
	})
	mux.HandleFunc("POST /otp", func(w http.ResponseWriter, r *http.Request) {
		if !totp.Validate(r.FormValue("token"), "JBSWY3DPEHPK3PXP") {
			t.Errorf("one-time password %q at %v", r.FormValue("token"), time.Now())
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "alice-session", Path: "/"})
		http.Redirect(w, r, "/oauth/auth", http.StatusFound)
	})
	mux.HandleFunc("/consent", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("ticket") != "t1" {
			t.Errorf("the consent form came without its hidden field: %v", r.Form)
		}
		if r.FormValue("remember") != "" {
			t.Error("a box was ticked that is not about what the client may have")
		}
		if r.FormValue("decision") == "accept" || slices.Equal(r.Form["scope"], []string{"photos", "notes"}) {
			http.SetCookie(w, &http.Cookie{Name: "consented", Value: "yes", Path: "/"})
			finish(w, r, "code=code-of-alice-123")
			return
		}
		finish(w, r, "error=access_denied")
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://evil.test/?code=stolen-code-1", http.StatusFound)
	})
	mux.HandleFunc("/error", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, "<title>Oh no</title><style>p{}</style><p hidden>not seen</p><p>The redirect\n URI is <b>wrong</b>.</p><form action=/logout method=post><button>Sign out</button></form>")
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func visit(t *testing.T, base, path string, change func(*Visit)) (Landing, Session, error) {
	t.Helper()
	tt := testTarget(base)
	agent := NewForms(tt, newDriver(t, tt, Options{}))
	s, err := agent.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := Visit{URL: base + path, RedirectURIs: []string{callback}, User: &tt.Users[0]}
	if change != nil {
		change(&v)
	}
	l, err := s.Visit(t.Context(), v)
	return l, s, err
}

func TestSignsInConsentsAndCatchesTheRedirect(t *testing.T) {
	s := pages{}.serve(t)
	l, session, err := visit(t, s.URL, "/oauth/auth?client_id=web-id&state=x", nil)
	if err != nil {
		t.Fatal(err)
	}
	if l.Kind != Redirected || l.Via != "302" || l.Query.Get("code") != "code-of-alice-123" || l.URL != callback+"?code=code-of-alice-123" {
		t.Errorf("landed %+v", l)
	}
	var titles []string
	for _, e := range l.Trail {
		titles = append(titles, e.Request.Title)
	}
	want := "open the authorization request, follow the redirect, submit the sign-in form as alice, follow the redirect, accept on the consent page"
	if got := strings.Join(titles, ", "); got != want {
		t.Errorf("trail %s", got)
	}
	if l.Trail[0].Request.Client != "web" {
		t.Errorf("the trail is for client %q", l.Trail[0].Request.Client)
	}
	cookies, err := session.Cookies(t.Context(), s.URL+"/oauth/auth")
	if err != nil || len(cookies) != 2 {
		t.Errorf("cookies %v, %v", cookies, err)
	}
	l, err = session.Visit(t.Context(), Visit{URL: s.URL + "/oauth/auth", RedirectURIs: []string{callback}})
	if err != nil || l.Query.Get("code") != "remembered-code-1" || len(l.Trail) != 1 {
		t.Errorf("the second visit landed %+v, %v", l, err)
	}
}

func TestAVisitPausesOnceAtTheFirstQuestion(t *testing.T) {
	s := pages{}.serve(t)
	paused := 0
	l, session, err := visit(t, s.URL, "/oauth/auth?client_id=web-id&state=x", func(v *Visit) {
		v.Pause = func(context.Context) { paused++ }
	})
	if err != nil || l.Kind != Redirected || paused != 1 {
		t.Errorf("landed %s after %d pauses: %v", l.Kind, paused, err)
	}
	tab, err := session.(Tabbed).Tab(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l, err = tab.Visit(t.Context(), Visit{URL: s.URL + "/oauth/auth", RedirectURIs: []string{callback}})
	if err != nil || l.Query.Get("code") != "remembered-code-1" {
		t.Errorf("another tab landed %s: %v", l.Kind, err)
	}
}

func TestWaysThroughThePages(t *testing.T) {
	const boxes = `<input type=checkbox name=scope value=photos><input type=checkbox name=scope value=notes><input type=checkbox name=remember>`
	const french = `<form method=post action=/consent><input type=hidden name=ticket value=t1>%s</form>`
	for _, c := range []struct {
		name    string
		pages   pages
		path    string
		change  func(*Visit)
		kind    LandingKind
		via     string
		params  string
		snippet string // of the page
	}{
		{"denies", pages{}, "/oauth/auth", func(v *Visit) { v.Consent = Deny }, Redirected, "302", "error=access_denied", ""},
		{"stops at the consent page", pages{}, "/oauth/auth", func(v *Visit) { v.Consent = Stop }, Consent, "", "", "Web\nwants to act for you"},
		{"stops at the sign-in page", pages{}, "/oauth/auth", func(v *Visit) { v.User = nil }, SignIn, "", "", "User Password Sign in"},
		{"307 to the client", pages{status: 307}, "/oauth/auth", nil, Redirected, "307", "code=code-of-alice-123", ""},
		{"inputs as buttons", pages{consent: fmt.Sprintf(french, `<input type=submit name=decision value=accept><input type=submit name=decision value=deny>`)},
			"/oauth/auth", nil, Redirected, "302", "code=code-of-alice-123", ""},
		{"two buttons, one understood", pages{consent: fmt.Sprintf(french, `<button name=decision value=x>Weiter</button><button name=decision value=accept>OK</button>`)},
			"/oauth/auth", func(v *Visit) { v.Consent = Deny }, Redirected, "302", "error=access_denied", ""},
		{"a link to refuse with", pages{consent: fmt.Sprintf(french, `<button name=decision value=accept>Allow</button>`) + `<a href="/consent?ticket=t1">No, thanks</a>`},
			"/oauth/auth", func(v *Visit) { v.Consent = Deny }, Redirected, "302", "error=access_denied", ""},
		{"boxes to tick", pages{consent: fmt.Sprintf(french, boxes+`<button>Submit Consent</button><button name=decision value=no>Cancel</button>`)},
			"/oauth/auth", nil, Redirected, "302", "code=code-of-alice-123", ""},
		{"boxes to leave alone", pages{consent: fmt.Sprintf(french, boxes+`<button>Submit Consent</button><button name=decision value=no>Cancel</button>`)},
			"/oauth/auth", func(v *Visit) { v.Consent = Deny }, Redirected, "302", "error=access_denied", ""},
		{"a GET form", pages{consent: `<form action="/consent?old=1"><input name=ticket type=hidden value=t1><button name=decision value=accept>Allow</button></form>`},
			"/oauth/auth", nil, Redirected, "302", "code=code-of-alice-123", ""},
		{"one-time password", pages{otp: true}, "/oauth/auth", nil, Redirected, "302", "code=code-of-alice-123", ""},
		{"form_post", pages{end: `<body onload="document.forms[0].submit()"><form method=post action="` + callback + `"><input type=hidden name=code value=posted-code-1><noscript><button>Go on</button></noscript></form>`},
			"/oauth/auth", nil, Redirected, "form_post", "code=posted-code-1", ""},
		{"meta refresh", pages{end: `<meta http-equiv="refresh" content="0; URL='` + callback + `?code=meta-code-1'">`}, "/oauth/auth", nil, Redirected, "meta", "code=meta-code-1", ""},
		{"an error page", pages{}, "/error", nil, Shown, "", "", "The redirect URI is wrong.\nSign out"},
		{"a redirect elsewhere", pages{}, "/away", nil, Redirected, "302", "code=stolen-code-1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, _, err := visit(t, c.pages.serve(t).URL, c.path, c.change)
			if err != nil {
				t.Fatal(err)
			}
			if l.Kind != c.kind || l.Via != c.via || l.Params().Encode() != c.params {
				t.Errorf("landed %s via %q with %q", l.Kind, l.Via, l.Params())
			}
			if (l.Page != nil) != (c.snippet != "") || l.Page != nil && !strings.Contains(l.Page.Text, c.snippet) {
				t.Errorf("page %+v", l.Page)
			}
			if len(l.Trail) == 0 {
				t.Error("no trail")
			}
		})
	}
}

func TestWhatCannotBeVisitedIsAnError(t *testing.T) {
	for _, c := range []struct {
		name   string
		pages  pages
		path   string
		change func(*Visit)
		want   string
	}{
		{"wrong password", pages{}, "/oauth/auth", func(v *Visit) {
			v.User = &target.User{Name: "bob", Username: "bob", Password: target.NewSecret("wrong")}
		}, `the server refused the credentials of bob: it answers 401 and shows the sign-in page again, with the words "That did not work: bob"`},
		{"endless redirects", pages{}, "/loop", nil, "redirected more than 10 times"},
		{"credentials for another server", pages{signIn: `%s<form method=post action="https://evil.test/login"><input name=u><input type=password name=p></form>`}, "/oauth/auth", nil,
			"the form would be sent to another server, https://evil.test"},
		{"no seed", pages{otp: true}, "/oauth/auth", func(v *Visit) { u := *v.User; u.TOTP = target.Secret{}; v.User = &u }, "no totp for this user"},
		{"endless consent", pages{end: usualConsent}, "/oauth/auth", nil, "shows the consent page again and again"},
		{"nothing to refuse with", pages{consent: `<form method=post><button>Allow</button></form>`}, "/oauth/auth", func(v *Visit) { v.Consent = Deny }, "no button to refuse with"},
	} {
		l, _, err := visit(t, c.pages.serve(t).URL, c.path, c.change)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if len(l.Trail) == 0 {
			t.Errorf("%s: no trail", c.name)
		}
	}
	if _, _, err := visit(t, "http://127.0.0.1:1", "/", nil); err == nil {
		t.Error("nobody listens, and no error")
	}
}

func TestConsentButtonsAreUnderstood(t *testing.T) {
	for label, want := range map[string]sense{
		"Accept": agreeingForSure, "Don’t allow": refusing, "Do not allow": refusing, "Disallow": refusing, "No, cancel": refusing,
		"Authorize Web": agreeingForSure, "Continue": agreeing, "Sign out": meaningless, "Notes": meaningless, "": meaningless, "Yes": agreeing,
	} {
		if got := meaning(label); got != want {
			t.Errorf("%q means %d, want %d", label, got, want)
		}
	}
}

func TestHostilePagesAreReadQuickly(t *testing.T) {
	for _, part := range []string{"<div>", "<noscript>", "<form><b><a>", "<select><option>", "<p class=error><table>", "<button>", "&amp", "<a href=x>", "<svg><template>"} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			readDocument([]byte(strings.Repeat(part, 200_000/len(part))))
		}()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatalf("many %s take too long", part)
		}
	}
}
