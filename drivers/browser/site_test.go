package browser

import (
	"crypto/rand"
	"fmt"
	"html"
	"io"
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

const (
	password = `correct "horse" & <battery> é`
	seed     = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
)

// A site is an authorization server made of pages. The authorization request says what they are like:
// style (of the sign-in page), how (it leads to the client), to (where) and consent.
type site struct {
	*httptest.Server
	idp      *httptest.Server // asks for the name and password on another origin, for style=idp
	mu       sync.Mutex
	sessions map[string]bool
	signIns  int
	onNever  func() // a page that never comes was asked for
}

func (s *site) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signIns
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{sessions: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("GET /login", s.login)
	mux.HandleFunc("POST /login", s.signIn)
	mux.HandleFunc("POST /name", s.name)
	mux.HandleFunc("POST /otp", s.otp)
	mux.HandleFunc("POST /consent", s.consented)
	mux.HandleFunc("GET /error", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		render(w, "Refused", `<h1>invalid_client</h1><p>Nobody knows <b>this</b> client.</p><input type=password value=s3cretvalue hidden>`)
	})
	mux.HandleFunc("GET /app", func(w http.ResponseWriter, _ *http.Request) {
		render(w, "App", `<p id=x>Hello</p><script>setTimeout(() => { x.textContent = "Drawn by a script" }, 50)</script>`)
	})
	mux.HandleFunc("GET /letter", func(w http.ResponseWriter, _ *http.Request) {
		render(w, "News", `<p>An error page.</p><form method=post><input type=email name=email><button>Subscribe</button></form><button>Cancel</button>`)
	})
	mux.HandleFunc("GET /json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_request"}`)
	})
	mux.HandleFunc("GET /nothing", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	mux.HandleFunc("GET /file", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Disposition", "attachment; filename=x.bin")
		_, _ = io.WriteString(w, "bytes")
	})
	for path, where := range map[string]string{"/loop": "/loop", "/astray": "http://[::bad/%zz"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Location"] = []string{where}
			w.WriteHeader(http.StatusFound)
		})
	}
	mux.HandleFunc("GET /never", func(_ http.ResponseWriter, r *http.Request) {
		s.onNever()
		<-r.Context().Done()
	})
	mux.HandleFunc("GET /asks", func(w http.ResponseWriter, r *http.Request) {
		render(w, "Asks", `<script>alert("hello"); confirm("sure?"); window.open("/app"); onload = () => { onbeforeunload = () => "stay"; location = `+js(r.FormValue("to"))+` }</script>`)
	})
	mux.HandleFunc("GET /held", func(w http.ResponseWriter, _ *http.Request) {
		render(w, "Held", `<p>Hello</p><script>for (;;);</script>`)
	})
	mux.HandleFunc("GET /slow-to-leave", func(w http.ResponseWriter, _ *http.Request) {
		render(w, "Slow to leave", `<script>addEventListener("beforeunload", () => { for (const end = Date.now() + 300; Date.now() < end;); })</script>`)
	})
	s.Server = httptest.NewServer(mux)
	s.idp = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	t.Cleanup(s.idp.Close)
	return s
}

func (s *site) target() target.Target {
	return target.Target{
		Name: "site", URL: s.URL, Profile: "rfc6749",
		Endpoints: target.Endpoints{Authorization: s.URL + "/authorize", Token: s.URL + "/token"},
	}
}

func alice() *target.User {
	return &target.User{Name: "alice", Username: "alice", Password: target.NewSecret(password), TOTP: target.NewSecret(seed)}
}

// request is the authorization request with what the pages are to be like.
func (s *site) request(pairs ...string) string {
	q := url.Values{"state": {"s"}}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return s.URL + "/authorize?" + q.Encode()
}

func (s *site) authorize(w http.ResponseWriter, r *http.Request) {
	c, err := r.Cookie("session")
	s.mu.Lock()
	in := err == nil && s.sessions[c.Value]
	s.mu.Unlock()
	if !in {
		base := s.URL
		if r.FormValue("style") == "idp" {
			base = s.idp.URL
		}
		http.Redirect(w, r, base+"/login?"+r.URL.RawQuery, http.StatusFound)
		return
	}
	s.goOn(w, r, r.URL.RawQuery)
}

func (s *site) goOn(w http.ResponseWriter, r *http.Request, query string) {
	q, _ := url.ParseQuery(query)
	if q.Get("consent") == "known" { // and goes on with the press of a button
		render(w, "Hello", `<p>Hello Alice</p><button type=button>Log out</button><button type=button onclick="document.forms[0].submit()">Continue</button>
			<form method=post action="/consent?`+html.EscapeString(query)+`"><input type=hidden name=decision value=allow></form><script>document.title = "Hello Alice"</script>`)
		return
	}
	if q.Get("consent") == "drawn" { // by a script, which then draws a way on
		render(w, "Consent", `<div><p>Demo asks for access.</p><label><input type=checkbox id=grant-photos> Photos</label><button type=button id=grant>Grant access</button></div>
			<form method=post action="/consent?`+html.EscapeString(query)+`"><input type=hidden name=decision value=allow></form>
			<script>grant.onclick = () => {
				if (!document.getElementById("grant-photos").checked) return;
				document.querySelector("div").innerHTML = "<p>Hello</p><button type=button>Log out</button><button type=button onclick='document.forms[0].submit()'>Continue</button>";
			}</script>`)
		return
	}
	if q.Get("consent") != "" {
		button := func(value, label string) string {
			return `<button name=decision value="` + value + `">` + label + `</button>`
		}
		boxes := ""
		if q.Get("consent") == "boxes" {
			boxes = `<label><input type=checkbox name=scope value=photos> Photos</label><label><input type=checkbox name=scope value=notes style="opacity:0"> Notes</label>` +
				`<label><input type=checkbox name=remember> Remember this</label>`
		}
		render(w, "Consent", `<form method=post action="/consent?`+html.EscapeString(query)+`"><p>Demo asks for access to your profile.</p>`+
			boxes+button("deny", "Deny")+button("allow", "Allow access")+`</form>`)
		return
	}
	s.lead(w, r, q, "code=c0de-of-"+rand.Text())
}

func (s *site) consented(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	agreed := r.PostFormValue("decision") == "allow"
	switch {
	case q.Get("consent") == "boxes" && agreed != slices.Equal(r.PostForm["scope"], []string{"photos", "notes"}) || r.PostForm.Has("remember"):
		s.lead(w, r, q, "error=invalid_scope") // the wrong boxes
		return
	case agreed:
		s.lead(w, r, q, "code=c0de-of-"+rand.Text())
		return
	}
	s.lead(w, r, q, "error=access_denied")
}

// lead sends the browser to the client.
func (s *site) lead(w http.ResponseWriter, r *http.Request, q url.Values, answer string) {
	to := q.Get("to")
	answer += "&state=" + url.QueryEscape(q.Get("state"))
	where := to
	switch {
	case q.Get("how") == "form_post":
	case q.Get("fragment") != "":
		where += "#" + answer
	case strings.Contains(to, "?"):
		where += "&" + answer
	default:
		where += "?" + answer
	}
	switch q.Get("how") {
	case "303":
		http.Redirect(w, r, where, http.StatusSeeOther)
	case "307":
		http.Redirect(w, r, where, http.StatusTemporaryRedirect)
	case "script":
		render(w, "", "<script>location.replace("+js(where)+")</script>")
	case "meta":
		render(w, "", `<meta http-equiv="refresh" content="0;url=`+html.EscapeString(where)+`">`)
	case "form_post":
		fields, _ := url.ParseQuery(answer)
		form := `<body onload="document.forms[0].submit()"><form method=post action="` + html.EscapeString(to) + `">`
		for name := range fields {
			form += `<input type=hidden name="` + name + `" value="` + html.EscapeString(fields.Get(name)) + `">`
		}
		render(w, "", form+"</form>")
	default:
		w.Header().Set("Location", where)
		w.WriteHeader(http.StatusFound)
	}
}

func (s *site) login(w http.ResponseWriter, r *http.Request) { s.loginPage(w, r, "") }

func (s *site) loginPage(w http.ResponseWriter, r *http.Request, alert string) {
	if alert != "" {
		alert = `<p role=alert>` + alert + `</p>`
	}
	query := html.EscapeString(r.URL.RawQuery)
	social := `<button type=button>Sign in with Google</button><a href=/forgot>Forgot?</a>`
	plain := `<form method=post action="/login?` + query + `"><label>User name <input name=username></label>
		<label>Password <input name=password type=password></label>` + social + `<button>Sign in</button></form>`
	switch r.FormValue("style") {
	case "two":
		render(w, "Sign in", alert+`<form method=post action="/name?`+query+`"><input name=email type=text placeholder="E-mail or user name"><button>Next</button></form>`)
	case "late":
		render(w, "Sign in", alert+`<div id=root>Loading…</div><script>setTimeout(() => { root.innerHTML = `+js(plain)+` }, 300)</script>`)
	case "framework":
		// Both fields keep their state outside of the page, and the button is off until both are filled.
		render(w, "Sign in", alert+plain+`<script>
			const form = document.forms[0], state = {}, button = form.querySelector("button:not([type])");
			button.disabled = true;
			form.addEventListener("input", e => { state[e.target.name] = e.target.value; setTimeout(() => { button.disabled = !(state.username && state.password) }, 20) });
			form.addEventListener("submit", e => { e.preventDefault(); fetch(form.action, {method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
				body: new URLSearchParams(state)}).then(r => r.ok ? r.text().then(u => location = u) : document.body.insertAdjacentHTML("beforeend", "<p role=alert>No such user</p>")) })
			</script>`)
	case "shadow":
		render(w, "Sign in", alert+`<div id=host></div><script>host.attachShadow({mode: "open"}).innerHTML = `+js(plain)+`</script>`)
	case "email":
		render(w, "Sign in", strings.Replace(plain, "<input name=username>", "<input name=username type=email>", 1))
	case "honeypot":
		render(w, "Sign in", strings.Replace(plain, "<label>User", `<div style="position:absolute;left:-9999px"><input name=website value=""><input type=password name=trap></div><label>User`, 1))
	case "odd":
		render(w, "Sign in", `<div><span>Who?</span><form method=post action="/login?`+query+`"><input id=a name=username type=url><input id=b name=password type=search><div id=go onclick="this.parentNode.submit()">Enter the site</div></form></div>`)
	default:
		render(w, "Sign in", alert+plain)
	}
}

func (s *site) name(w http.ResponseWriter, r *http.Request) {
	if r.PostFormValue("email") != "alice" {
		s.loginPage(w, r, "Who are you?")
		return
	}
	render(w, "Password", `<form method=post action="/login?`+html.EscapeString(r.URL.RawQuery)+`"><input type=hidden name=username value=alice>
		<p>alice</p><input name=password type=password><button type=button>Show</button><button>Continue</button></form>`)
}

func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.signIns++
	s.mu.Unlock()
	ajax := r.Header.Get("Accept") == "application/json"
	if r.PostFormValue("username") != "alice" || r.PostFormValue("password") != password {
		if ajax {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.loginPage(w, r, "Wrong user name or password.")
		return
	}
	switch r.FormValue("style") {
	case "otp":
		render(w, "Code", `<form method=post action="/otp?`+html.EscapeString(r.URL.RawQuery)+`"><label>Authenticator code <input name=code inputmode=numeric></label><button>Verify</button></form>`)
	case "idp":
		s.begin(w)
		http.Redirect(w, r, s.URL+"/authorize?"+r.URL.RawQuery, http.StatusSeeOther)
	default:
		s.begin(w)
		if ajax {
			_, _ = fmt.Fprint(w, s.URL+"/authorize?"+r.URL.RawQuery)
			return
		}
		s.goOn(w, r, r.URL.RawQuery)
	}
}

func (s *site) otp(w http.ResponseWriter, r *http.Request) {
	if !totp.Validate(r.PostFormValue("code"), seed) {
		render(w, "Code", `<p role=alert>Wrong code</p><form method=post><input name=otp><button>Verify</button></form>`)
		return
	}
	s.begin(w)
	s.goOn(w, r, r.URL.RawQuery)
}

func (s *site) begin(w http.ResponseWriter) {
	id := rand.Text()
	s.mu.Lock()
	s.sessions[id] = true
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Expires: time.Now().Add(time.Hour)})
}

func render(w http.ResponseWriter, title, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!doctype html><title>"+title+"</title><body>"+body)
}

func js(s string) string {
	return strings.NewReplacer("<", `\x3c`, "\n", " ").Replace(fmt.Sprintf("%q", s))
}

// start starts a browser that is closed with the test.
func start(t testing.TB, target target.Target, o Options) *Browser {
	t.Helper()
	b, err := Start(t.Context(), target, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func open(t testing.TB, b *Browser) oauth.Session {
	t.Helper()
	s, err := b.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func land(t testing.TB, s oauth.Session, v oauth.Visit) oauth.Landing {
	t.Helper()
	l, err := s.Visit(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
