package oauth

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pquerna/otp/totp"

	"flowproof/drivers/target"
)

// A signInSite has sign-in pages of one kind, and for one of them an identity provider on another origin.
type signInSite struct {
	kind     string
	as, idp  *httptest.Server
	attempts atomic.Int32
	consents atomic.Int32
}

const banner = `<div id="cookie-banner"><form action="/choice" method=post><button name=c value=all>Accept all</button><button name=c value=none>Reject all</button></form></div>`

func newSignInSite(t *testing.T, kind string) *signInSite {
	t.Helper()
	s := &signInSite{kind: kind}
	both := http.NewServeMux()
	seed := "JBSWY3DPEHPK3PXP"
	write := func(w http.ResponseWriter, page string) {
		if s.kind == "cookie banner" {
			page = banner + page + banner
		}
		_, _ = io.WriteString(w, "<title>Sign in</title>"+page)
	}
	login := `<form method=post action=/login><input name=login><input name=secret type=password><button>Sign in</button></form>`
	both.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		if s.kind == "two pages" {
			write(w, `<form method=post action=/name><input name=identifier><button>Next</button></form>`)
			return
		}
		write(w, login)
	})
	both.HandleFunc("POST /name", func(w http.ResponseWriter, r *http.Request) {
		write(w, fmt.Sprintf(`<form method=post action=/login><input type=hidden name=login value=%q><input name=secret type=password><button>Sign in</button></form>`, r.FormValue("identifier")))
	})
	in := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, s.as.URL+"/back", http.StatusSeeOther)
	}
	both.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		s.attempts.Add(1)
		switch {
		case r.FormValue("login") != "alice" || r.FormValue("secret") != "pass word %+&=é!":
			write(w, `<p class=error>Wrong. 4 attempts left.</p>`+login)
		case s.kind == "one-time password":
			write(w, `<form method=post action=/code><input name=passcode><button>Verify</button></form>`)
		default:
			in(w, r)
		}
	})
	both.HandleFunc("POST /code", func(w http.ResponseWriter, r *http.Request) {
		if !totp.Validate(r.FormValue("passcode"), seed) {
			http.Error(w, "wrong code", http.StatusForbidden)
			return
		}
		in(w, r)
	})
	both.HandleFunc("POST /choice", func(http.ResponseWriter, *http.Request) { t.Error("the banner was answered") })
	as := http.NewServeMux()
	as.Handle("/", both)
	as.HandleFunc("GET /back", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "alice", Path: "/"})
		http.Redirect(w, r, "/oauth/auth", http.StatusFound)
	})
	as.HandleFunc("GET /oauth/auth", func(w http.ResponseWriter, r *http.Request) {
		_, err := r.Cookie("session")
		_, agreed := r.Cookie("agreed")
		switch {
		case err != nil && s.kind == "identity provider":
			http.Redirect(w, r, s.idp.URL+"/login", http.StatusFound)
		case err != nil:
			http.Redirect(w, r, "/login", http.StatusFound)
		case agreed != nil:
			write(w, `<p>Web wants to act for you</p><form method=post action=/consent><button name=d value=no>Deny</button><button name=d value=yes>Allow</button></form>`)
		default:
			http.Redirect(w, r, callback+"?code=code-of-alice-123", http.StatusFound)
		}
	})
	as.HandleFunc("POST /consent", func(w http.ResponseWriter, r *http.Request) {
		s.consents.Add(1)
		if r.FormValue("d") != "yes" {
			t.Errorf("pressed %q", r.Form)
		}
		http.SetCookie(w, &http.Cookie{Name: "agreed", Value: "yes", Path: "/"})
		http.Redirect(w, r, "/oauth/auth", http.StatusSeeOther)
	})
	s.as, s.idp = httptest.NewServer(as), httptest.NewServer(both)
	s.idp.URL = strings.Replace(s.idp.URL, "127.0.0.1", "localhost", 1)
	t.Cleanup(s.as.Close)
	t.Cleanup(s.idp.Close)
	return s
}

// session is one of a new user agent, which tells what the observers hear.
func (s *signInSite) session(t *testing.T, named bool, steps ...target.Step) (Session, *[]string) {
	t.Helper()
	at := target.Target{URL: s.as.URL, SignIn: steps, Endpoints: target.Endpoints{Authorization: s.as.URL + "/oauth/auth"}}
	if named {
		at.SignInHosts = []string{strings.TrimPrefix(s.idp.URL, "http://")}
	}
	var heard []string
	d, err := New(at, Options{Observe: func(x Exchange) { heard = append(heard, x.Request.URL) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	opened, err := NewForms(at, d).Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return opened, &heard
}

func (s *signInSite) visit(password string) Visit {
	return Visit{URL: s.as.URL + "/oauth/auth", RedirectURIs: []string{callback}, User: &target.User{
		Name: "alice", Username: "alice", Password: target.NewSecret(password), TOTP: target.NewSecret("JBSWY3DPEHPK3PXP"),
	}}
}

const goodPassword = "pass word %+&=é!"

// TestFormsSignIn gets past the same kinds of pages as the browser, where they are plain forms.
func TestFormsSignIn(t *testing.T) {
	for _, kind := range []string{"one page", "two pages", "one-time password", "identity provider", "cookie banner"} {
		t.Run(kind, func(t *testing.T) {
			s := newSignInSite(t, kind)
			x, heard := s.session(t, kind == "identity provider")
			for range 2 { // there is nothing left to do the second time
				l, err := x.Visit(t.Context(), s.visit(goodPassword))
				if err != nil || l.Query.Get("code") == "" || !strings.HasPrefix(l.URL, callback) {
					t.Fatalf("landed %s at %s, %v", l.Kind, l.URL, err)
				}
			}
			if s.attempts.Load() != 1 || s.consents.Load() != 1 {
				t.Errorf("%d sign-ins, %d consents", s.attempts.Load(), s.consents.Load())
			}
			for _, where := range *heard {
				if strings.HasPrefix(where, s.idp.URL) {
					t.Errorf("the deployment would be judged by %s", where)
				}
			}
		})
	}
}

func TestFormsTryAWrongPasswordOnce(t *testing.T) {
	for _, kind := range []string{"one page", "two pages", "one-time password", "identity provider"} {
		t.Run(kind, func(t *testing.T) {
			s := newSignInSite(t, kind)
			x, _ := s.session(t, true)
			for _, want := range []string{"4 attempts left", "not tried again"} {
				if _, err := x.Visit(t.Context(), s.visit("wrong")); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
			}
			if s.attempts.Load() != 1 {
				t.Errorf("%d attempts", s.attempts.Load())
			}
			if l, err := x.Visit(t.Context(), s.visit(goodPassword)); err != nil || l.Query.Get("code") == "" {
				t.Errorf("with the right one: landed %s, %v", l.Kind, err)
			}
		})
	}
}

// TestFormsGiveNothingToOthers: a page of a host that the target file does not name gets no credentials, nor
// does a redirect carry them there.
func TestFormsGiveNothingToOthers(t *testing.T) {
	s := newSignInSite(t, "identity provider")
	x, _ := s.session(t, false)
	l, err := x.Visit(t.Context(), s.visit(goodPassword))
	if err != nil || l.Kind != Redirected || !strings.HasPrefix(l.URL, s.idp.URL) {
		t.Errorf("landed %s at %s, %v", l.Kind, l.URL, err)
	}
	v := s.visit(goodPassword)
	v.URL = s.idp.URL + "/login"
	if _, err := x.Visit(t.Context(), v); err == nil || !strings.Contains(err.Error(), "nothing was typed. If people sign in there, write sign_in_hosts: [\"localhost:") {
		t.Errorf("on the page itself: %v", err)
	}
	stranger := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the stranger was sent %s", r.URL) }))
	t.Cleanup(stranger.Close)
	lure := postingOn(t, stranger.URL)
	s.as.URL = lure.URL
	x, _ = s.session(t, false)
	if l, err := x.Visit(t.Context(), s.visit(goodPassword)); err != nil || !strings.HasPrefix(l.URL, stranger.URL) {
		t.Errorf("posted on: landed %s at %s, %v", l.Kind, l.URL, err)
	}
	start := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			t.Error("the page that the visit began on was sent the password")
		}
		http.Redirect(w, r, lure.URL+"/login", http.StatusFound)
	}))
	t.Cleanup(start.Close)
	v.URL = start.URL
	back := postingOn(t, start.URL)
	s.as.URL, lure.URL = back.URL, back.URL
	x, _ = s.session(t, false)
	if l, err := x.Visit(t.Context(), v); err != nil || !strings.HasPrefix(l.URL, start.URL) {
		t.Errorf("posted back: landed %s at %s, %v", l.Kind, l.URL, err)
	}
	if s.attempts.Load() != 0 {
		t.Errorf("%d attempts", s.attempts.Load())
	}
}

// postingOn serves a sign-in form, and sends what is typed into it on.
func postingOn(t *testing.T, to string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
			return
		}
		_, _ = io.WriteString(w, `<form method=post><input name=login><input name=secret type=password><button>Sign in</button></form>`)
	}))
	t.Cleanup(server.Close)
	return server
}
