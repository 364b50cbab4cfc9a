package browser

import (
	"crypto/rand"
	"errors"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// A deployment is an authorization server and, on another site, an identity provider, with sign-in pages of
// one kind.
type deployment struct {
	kind     string
	as, idp  *httptest.Server
	mu       sync.Mutex
	cookies  map[string]string // value -> what it is for
	attempts int
	consents int
}

func deploy(t testing.TB, kind string) *deployment {
	t.Helper()
	d := &deployment{kind: kind, cookies: map[string]string{}}
	as := http.NewServeMux()
	as.HandleFunc("GET /authorize", d.authorize)
	as.HandleFunc("GET /back", d.back)
	as.HandleFunc("POST /consent", d.consent)
	d.as = httptest.NewServer(as)
	// To a browser another name of this machine is another site, another port is not.
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	idp := http.NewServeMux()
	for _, mux := range []*http.ServeMux{as, idp} {
		mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { d.page(w, r, "") })
		mux.HandleFunc("GET /form", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, d.form(r.URL.RawQuery)) })
		mux.HandleFunc("POST /name", d.name)
		mux.HandleFunc("POST /login", d.signIn)
		mux.HandleFunc("POST /code", d.code)
	}
	d.idp = &httptest.Server{Listener: listener, Config: &http.Server{Handler: idp}} //nolint:gosec // of a test
	d.idp.Start()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	d.idp.URL = "http://localhost:" + port
	t.Cleanup(d.as.Close)
	t.Cleanup(d.idp.Close)
	return d
}

// target names the identity provider only if it is part of the deployment.
func (d *deployment) target(steps ...target.Step) target.Target {
	t := target.Target{
		Name: "deployment", URL: d.as.URL, Profile: "rfc6749", SignIn: steps,
		Endpoints: target.Endpoints{Authorization: d.as.URL + "/authorize", Token: d.as.URL + "/token"},
	}
	if d.kind == "identity provider" {
		t.SignInHosts = []string{strings.TrimPrefix(d.idp.URL, "http://")}
	}
	return t
}

func (d *deployment) visit() oauth.Visit {
	return oauth.Visit{URL: d.as.URL + "/authorize?state=s", RedirectURIs: []string{client}, User: alice()}
}

func (d *deployment) has(r *http.Request, what string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(r.Cookies(), func(c *http.Cookie) bool { return d.cookies[c.Value] == what })
}

func (d *deployment) give(w http.ResponseWriter, what string) {
	value := rand.Text()
	d.mu.Lock()
	d.cookies[value] = what
	d.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: what, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func (d *deployment) count() (attempts, consents int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.attempts, d.consents
}

func (d *deployment) authorize(w http.ResponseWriter, r *http.Request) {
	switch {
	case !d.has(r, "session") && d.kind == "identity provider":
		http.Redirect(w, r, d.idp.URL+"/login?"+r.URL.RawQuery, http.StatusFound)
	case !d.has(r, "session"):
		http.Redirect(w, r, "/login?"+r.URL.RawQuery, http.StatusFound)
	case d.kind == "consent once" && !d.has(r, "consented"):
		render(w, "Consent", `<p>Demo asks for access to your profile.</p><form method=post action="/consent?`+html.EscapeString(r.URL.RawQuery)+`">
			<button name=decision value=no>Not now</button><button id=allow name=decision value=yes>Allow</button></form>`)
	default:
		http.Redirect(w, r, client+"?code=c0de-of-"+rand.Text()+"&"+r.URL.RawQuery, http.StatusFound)
	}
}

func (d *deployment) consent(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.consents++
	d.mu.Unlock()
	d.give(w, "consented")
	http.Redirect(w, r, "/authorize?"+r.URL.RawQuery, http.StatusSeeOther)
}

// back is where the identity provider sends people to.
func (d *deployment) back(w http.ResponseWriter, r *http.Request) {
	d.give(w, "session")
	http.Redirect(w, r, "/authorize?"+r.URL.RawQuery, http.StatusFound)
}

func (d *deployment) form(query string) string {
	return `<form method=post action="/login?` + html.EscapeString(query) + `"><label>User name <input id=user name=login></label>
		<label>Password <input id=secret name=secret type=password></label><button id=go>Sign in</button></form>`
}

func (d *deployment) page(w http.ResponseWriter, r *http.Request, alert string) {
	form := d.form(r.URL.RawQuery)
	if alert != "" {
		alert = `<p role=alert>` + alert + `</p>`
	}
	switch d.kind {
	case "two pages":
		form = `<form method=post action="/name?` + html.EscapeString(r.URL.RawQuery) + `"><label>E-mail or user name <input id=user name=identifier></label><button id=next>Next</button></form>`
	case "late form":
		form = `<div id=root>One moment</div><script type=module>
			const answer = await fetch("/form" + location.search);
			root.innerHTML = await answer.text();
			</script>`
	case "cookie banner":
		// The page behind it is out of reach until it is answered, and its button would pass for consent.
		form = `<div id=main inert aria-hidden=true>` + form + `</div><div class=cookie-banner style="position:fixed;inset:0;background:#fff">
			<p>We and our 743 partners ask for your consent.</p><button id=all>Accept all</button> <button id=few>Reject all</button></div>
			<script>for (const b of document.querySelectorAll(".cookie-banner button")) b.onclick = () => {
				main.inert = false; main.removeAttribute("aria-hidden"); b.parentNode.remove(); document.cookie = "chose=" + b.id }</script>`
	}
	render(w, "Sign in", alert+form)
}

func (d *deployment) name(w http.ResponseWriter, r *http.Request) {
	render(w, "Password", `<form method=post action="/login?`+html.EscapeString(r.URL.RawQuery)+`"><input type=hidden name=login value="`+html.EscapeString(r.FormValue("identifier"))+`">
		<input id=secret name=secret type=password><button id=go>Sign in</button></form>`)
}

func (d *deployment) signIn(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.attempts++
	d.mu.Unlock()
	if r.PostFormValue("login") != "alice" || r.PostFormValue("secret") != password {
		d.page(w, r, "Wrong user name or password. 4 attempts left.")
		return
	}
	if d.kind == "one-time password" {
		render(w, "Code", `<form method=post action="/code?`+html.EscapeString(r.URL.RawQuery)+`"><label>Code of your authenticator <input id=otp name=code inputmode=numeric></label><button id=verify>Verify</button></form>`)
		return
	}
	d.in(w, r)
}

func (d *deployment) in(w http.ResponseWriter, r *http.Request) {
	if d.kind == "identity provider" {
		http.Redirect(w, r, d.as.URL+"/back?"+r.URL.RawQuery, http.StatusSeeOther)
		return
	}
	d.give(w, "session")
	http.Redirect(w, r, "/authorize?"+r.URL.RawQuery, http.StatusSeeOther)
}

func (d *deployment) code(w http.ResponseWriter, r *http.Request) {
	if !totp.Validate(r.PostFormValue("code"), seed) {
		http.Error(w, "wrong code", http.StatusForbidden)
		return
	}
	d.in(w, r)
}

func fill(selector, value string) target.Step {
	return target.Step{Do: "fill", Selector: selector, Value: value}
}
func click(selector string) target.Step { return target.Step{Do: "click", Selector: selector} }

// recipes are the sign-in pages that there are, with the steps that get past each.
func recipes() map[string][]target.Step {
	one := []target.Step{fill("#user", "username"), fill("#secret", "password"), click("#go")}
	maybe := func(s target.Step) target.Step { s.Optional = true; return s }
	return map[string][]target.Step{
		"one page":          one,
		"two pages":         {fill("#user", "username"), click("#next"), fill("#secret", "password"), click("#go")},
		"late form":         append([]target.Step{{Do: "wait", Selector: "#root form"}}, one...),
		"consent once":      append(slices.Clone(one), maybe(click("#allow"))),
		"one-time password": append(slices.Clone(one), target.Step{Do: "totp", Selector: "#otp"}, click("#verify")),
		"identity provider": one,
		"cookie banner":     append([]target.Step{maybe(click("#few"))}, one...),
	}
}

// TestSignInPages gets past each kind of page by itself, and by the steps of a recipe; and the second time there
// is nothing left to sign in to.
func TestSignInPages(t *testing.T) {
	for kind, recipe := range recipes() {
		for _, steps := range [][]target.Step{nil, recipe} {
			t.Run(kind+map[bool]string{true: ", by itself", false: ", by steps"}[steps == nil], func(t *testing.T) {
				t.Parallel()
				d := deploy(t, kind)
				var deeds []Deed
				b := start(t, d.target(steps...), Options{Tell: func(d Deed) { deeds = append(deeds, d) }})
				x := open(t, b)
				for range 2 {
					l := land(t, x, d.visit())
					if l.Kind != oauth.Redirected || l.Query.Get("code") == "" || !strings.HasPrefix(l.URL, client) {
						t.Fatalf("landed %s at %s, page %+v", l.Kind, l.URL, l.Page)
					}
				}
				if attempts, consents := d.count(); attempts != 1 || consents > 1 {
					t.Errorf("%d sign-ins, %d consents", attempts, consents)
				}
				var said []string
				for _, deed := range deeds {
					said = append(said, deed.What)
				}
				for _, part := range []string{": 302, on to ", "filled ", "#secret", "#go", "caught the redirect to the client, with code, state"} {
					if !strings.Contains(strings.Join(said, "\n"), part) {
						t.Errorf("what was done does not tell %q:\n%s", part, strings.Join(said, "\n"))
					}
				}
				if steps != nil && !slices.ContainsFunc(deeds, func(deed Deed) bool { return deed.Step == len(steps) || steps[len(steps)-1].Optional }) {
					t.Errorf("no deed is of the last step: %+v", deeds)
				}
				if kind == "cookie banner" && !strings.Contains(strings.Join(said, "\n"), "“Reject all” (#few)") {
					t.Errorf("the banner was not refused:\n%s", strings.Join(said, "\n"))
				}
			})
		}
	}
}

// TestWrongPasswordIsTriedOnce: whatever the pages are like, and however often a run needs the user.
func TestWrongPasswordIsTriedOnce(t *testing.T) {
	for kind, recipe := range recipes() {
		for _, steps := range [][]target.Step{nil, recipe} {
			t.Run(kind+map[bool]string{true: ", by itself", false: ", by steps"}[steps == nil], func(t *testing.T) {
				t.Parallel()
				d := deploy(t, kind)
				b := start(t, d.target(steps...), Options{})
				v := d.visit()
				v.User.Password = target.NewSecret("not the password")
				_, err := open(t, b).Visit(t.Context(), v)
				// Behind two pages the first comes back, and only its alert tells what for.
				if err == nil || !strings.Contains(err.Error(), "the server refused the sign-in: Wrong user name or password. 4 attempts left.") {
					t.Errorf("error %v", err)
				}
				if _, err := open(t, b).Visit(t.Context(), v); err == nil || !strings.Contains(err.Error(), "not tried again") || !strings.Contains(err.Error(), "4 attempts left") {
					t.Errorf("the second time: error %v", err)
				}
				if attempts, _ := d.count(); attempts != 1 {
					t.Errorf("%d attempts", attempts)
				}
				v.User = alice() // with the right password
				if l := land(t, open(t, b), v); l.Query.Get("code") == "" {
					t.Errorf("landed %s at %s", l.Kind, l.URL)
				}
			})
		}
	}
}

// TestCredentialsStayWhereTheTargetFileSays: neither a redirect, nor a form, nor the page that a visit begins on
// gets them to another host.
func TestCredentialsStayWhereTheTargetFileSays(t *testing.T) {
	d := deploy(t, "one page")
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodGet || strings.Contains(r.URL.String()+string(body), url.QueryEscape(password)) {
			t.Errorf("the stranger was sent %s %s %s", r.Method, r.URL, body)
		}
		render(w, "Sign in", d.form(""))
	}))
	t.Cleanup(stranger.Close)
	lure := http.NewServeMux()
	lure.HandleFunc("GET /redirects", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, stranger.URL+"/login", http.StatusFound)
	})
	lure.HandleFunc("GET /posts", func(w http.ResponseWriter, _ *http.Request) {
		render(w, "Sign in", strings.Replace(d.form(""), `action="`, `action="`+stranger.URL, 1))
	})
	as := httptest.NewServer(lure)
	t.Cleanup(as.Close)
	for _, steps := range [][]target.Step{nil, recipes()["one page"]} {
		at := d.target(steps...)
		at.URL, at.Endpoints.Authorization = as.URL, as.URL+"/authorize"
		x := open(t, start(t, at, Options{}))
		v := d.visit()
		for _, path := range []string{"/redirects", "/posts"} {
			v.URL = as.URL + path
			if l := land(t, x, v); l.Kind != oauth.Redirected || !strings.HasPrefix(l.URL, stranger.URL) {
				t.Errorf("%s: landed %s at %s", path, l.Kind, l.URL)
			}
		}
		v.URL = stranger.URL + "/login"
		_, err := x.Visit(t.Context(), v)
		if host := strings.TrimPrefix(stranger.URL, "http://"); err == nil || !strings.Contains(err.Error(), `nothing was typed. If people sign in there, write sign_in_hosts: ["`+host+`"]`) {
			t.Errorf("at the stranger's own page: error %v", err)
		}
	}
}

// TestFailureTellsWhatThePageHad: what a recipe could have named, without what was typed, and a picture.
func TestFailureTellsWhatThePageHad(t *testing.T) {
	d := deploy(t, "one page")
	b := start(t, d.target(fill("#user", "username"), fill("#secret", "password"), click("#go"), target.Step{Do: "totp", Selector: "#otp"}), Options{})
	v := d.visit()
	v.User.Password = target.NewSecret("not the password")
	_, err := open(t, b).Visit(t.Context(), v)
	var f *Failure
	if !errors.As(err, &f) || f.Page == nil || len(f.Page.Screenshot) == 0 {
		t.Fatalf("error %v", err)
	}
	want := []Control{
		{"#user", "input", "user", "login", "", "User name"}, {"#secret", "input", "secret", "secret", "password", "Password"},
		{"#go", "button", "go", "", "", "Sign in"},
	}
	if !slices.Equal(f.Had, want) {
		t.Errorf("the page had %+v", f.Had)
	}
}

// TestMissingStepIsToldSoon: however much the page moves, and a step has the patience that it was given.
func TestMissingStepIsToldSoon(t *testing.T) {
	const form = `<form action=/in><input id=user name=login><input id=secret type=password><button id=go>Sign in</button></form>`
	const restless = form + `<p id=clock role=alert></p><script>setInterval(() => clock.textContent = performance.now(), 20)</script>`
	const late = form + `<p>Who are you?</p><script>go.hidden = true; setTimeout(() => go.hidden = false, 1500)</script>`
	with := func(s target.Step, d time.Duration) target.Step { s.Patience = d; return s }
	maybe := func(s target.Step) target.Step { s.Optional = true; return s }
	for _, c := range []struct {
		name, page string
		step       target.Step
		most       time.Duration
		says       string
	}{
		{"a page at rest", form, click("#gone"), 10 * time.Second, "play step 2 of the sign-in recipe (click #gone): the page has not shown it for 8s"},
		{"a page that moves", restless, click("#gone"), 10 * time.Second, "the page has not shown it for 8s"},
		{"little patience", restless, with(click("#gone"), time.Second), 4 * time.Second, "the page has not shown it for 1s"},
		{"an optional one on a page that moves", restless, maybe(click("#gone")), 16 * time.Second, "play step 3"},
		{"enough patience", late, with(click("#go"), 6*time.Second), 5 * time.Second, ""},
		{"patience with an optional one", late, maybe(with(click("#go"), 6*time.Second)), 5 * time.Second, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			as := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/in" {
					http.Redirect(w, r, client+"?code=c0de-of-alice", http.StatusFound)
					return
				}
				render(w, "Sign in", c.page)
			}))
			t.Cleanup(as.Close)
			steps := []target.Step{fill("#user", "username"), c.step}
			if c.step.Optional {
				steps = append(steps, with(click("#gone"), 200*time.Millisecond))
			}
			b := start(t, target.Target{Name: "late", URL: as.URL, SignIn: steps, Endpoints: target.Endpoints{Authorization: as.URL + "/authorize"}}, Options{})
			began := time.Now()
			l, err := open(t, b).Visit(t.Context(), oauth.Visit{URL: as.URL + "/authorize", RedirectURIs: []string{client}, User: alice(), NoPicture: true})
			if took := time.Since(began); took > c.most {
				t.Errorf("told after %v", took)
			}
			switch {
			case c.says == "" && (err != nil || l.Query.Get("code") == ""):
				t.Errorf("landed %s, %v", l.Kind, err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("error %v", err)
			}
		})
	}
}
