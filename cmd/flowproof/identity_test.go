package main

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"flowproof/drivers/oauth"
	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// A federation is a sandbox whose people sign in at an identity provider on another site. That one vouches for
// them by a ticket, for which the front of the sandbox signs them in itself.
type federation struct {
	sandbox *sandbox.Sandbox
	front   *httptest.Server
	idp     *httptest.Server
	mu      sync.Mutex
	tickets map[string]target.User
	wrong   int // passwords, at the identity provider
	granted int // requests with the password grant and a wrong one
}

func federate(t *testing.T) (*federation, string) {
	t.Helper()
	sb, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := &federation{sandbox: sb, tickets: map[string]target.User{}}
	f.front = httptest.NewServer(http.HandlerFunc(f.serve))
	users := map[string]string{}
	for _, name := range []string{"alice", "bob", "zoe", "victim"} {
		users[name] = sb.Secrets()[name]
	}
	f.idp = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		back := r.FormValue("back")
		alert := ""
		if r.Method == http.MethodPost {
			u := target.User{Name: r.FormValue("u"), Username: r.FormValue("u"), Password: target.NewSecret(r.FormValue("p"))}
			f.mu.Lock()
			defer f.mu.Unlock()
			if users[u.Name] != "" && users[u.Name] == u.Password.Reveal() {
				ticket := oauth.NewState()
				f.tickets[ticket] = u
				http.Redirect(w, r, f.front.URL+"/vouched?ticket="+ticket+"&back="+url.QueryEscape(back), http.StatusSeeOther)
				return
			}
			f.wrong++
			alert = `<p role=alert>That is not your password.</p>`
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<title>Acme login</title>`+alert+`<form method=post><input type=hidden name=back value="`+html.EscapeString(back)+`">
			<label>User name <input name=u></label><label>Password <input name=p type=password></label><button>Log in</button></form>`)
	}))
	f.idp.URL = strings.Replace(f.idp.URL, "127.0.0.1", "localhost", 1)
	t.Cleanup(f.front.Close)
	t.Cleanup(f.idp.Close)
	path, file, err := writeTarget(sb, f.front.URL, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	named := string(file) + "sign_in_hosts: [" + strings.TrimPrefix(f.idp.URL, "http://") + "]\n"
	if err := os.WriteFile(path, []byte(named), 0o600); err != nil {
		t.Fatal(err)
	}
	return f, path
}

// ask has the sandbox answer.
func (f *federation) ask(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	f.sandbox.ServeHTTP(w, r)
	return w
}

// serve is the sandbox, but for its sign-in page.
func (f *federation) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/vouched" {
		f.vouched(w, r)
		return
	}
	if r.Method == http.MethodPost && r.URL.Path == "/oauth/token" {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		if strings.Contains(string(body), "not-the-password-of-alice") {
			f.mu.Lock()
			f.granted++
			f.mu.Unlock()
		}
	}
	answer := f.ask(r)
	page := oauth.Page{HTML: answer.Body.String()}
	if r.Method == http.MethodGet && answer.Code == http.StatusOK && page.Kind() == oauth.SignIn {
		http.Redirect(w, r, f.idp.URL+"/login?back="+url.QueryEscape(r.URL.RequestURI()), http.StatusFound)
		return
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// vouched signs the ticket's owner in on the sandbox, as its page would.
func (f *federation) vouched(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	u, ok := f.tickets[r.FormValue("ticket")]
	delete(f.tickets, r.FormValue("ticket"))
	f.mu.Unlock()
	back := r.FormValue("back")
	if !ok || !strings.HasPrefix(back, "/oauth/auth?") {
		http.Error(w, "no such ticket", http.StatusBadRequest)
		return
	}
	shown := httptest.NewRequest(http.MethodGet, f.front.URL+back, nil)
	first := f.ask(shown)
	q, ok := oauth.Page{URL: f.front.URL + back, HTML: first.Body.String()}.Credentials(u)
	if !ok {
		http.Error(w, "no sign-in page", http.StatusInternalServerError)
		return
	}
	sent := httptest.NewRequest(http.MethodPost, q.URL, strings.NewReader(q.Form.Encode()))
	sent.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sent.Header.Set("Origin", f.front.URL)
	for _, c := range first.Result().Cookies() {
		sent.AddCookie(c)
	}
	in := f.ask(sent)
	for _, answer := range []*httptest.ResponseRecorder{first, in} {
		for _, line := range answer.Header().Values("Set-Cookie") {
			w.Header().Add("Set-Cookie", line)
		}
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

// TestSignInAtAnIdentityProvider: with its host named everything goes as without it; with the host not named
// nothing is typed there, and it is said what to write.
func TestSignInAtAnIdentityProvider(t *testing.T) {
	f, path := federate(t)
	// The identity provider of this test takes a sign-in form from anywhere, which is found.
	const only = "(authorization_code || implicit || /^SPACE-request/ || /^RFC6749-10/ || /^RFC9700-4/ || /^RFC6265/) && !RFC6749-10.12-login-csrf"
	for _, more := range [][]string{nil, {"--no-browser"}} {
		out := t.TempDir()
		code, said, complaints := runs(t, append([]string{"check", "-t", path, "--only", only, "--out", out, "--format", "json"}, more...)...)
		record, err := reports.Read(filepath.Join(out, "check.json"))
		if err != nil {
			t.Fatal(err, complaints)
		}
		counts := record.Conformance.Counts()
		if counts[reports.Fail]+counts[reports.Warn] > 0 || counts[reports.Pass] < 70 || more == nil && code != conforms {
			t.Errorf("%v: exit code %d: %s%s", more, code, said, complaints)
		}
	}
	for _, verb := range [][]string{{"login", "-t", path, "--out", ""}, {"doctor", "-t", path}, {"doctor", "-t", path, "--no-browser"}} {
		if code, said, complaints := runs(t, verb...); code != conforms {
			t.Errorf("%v: exit code %d: %s%s", verb, code, said, complaints)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unnamed, _, _ := strings.Cut(string(raw), "sign_in_hosts:")
	if err := os.WriteFile(path, []byte(unnamed), 0o600); err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(f.idp.URL, "http://")
	for _, verb := range [][]string{{"doctor", "-t", path}, {"doctor", "-t", path, "--no-browser"}, {"login", "-t", path, "--out", ""}} {
		if code, said, _ := runs(t, verb...); code != fallsShort || !strings.Contains(said, `write sign_in_hosts: ["`+host+`"]`) {
			t.Errorf("%v, not named: exit code %d: %s", verb, code, said)
		}
	}
	for _, more := range [][]string{nil, {"--no-browser"}} {
		code, said, _ := runs(t, append([]string{"check", "-t", path, "--only", "RFC6749-4.1.2-code-single-use", "--out", "", "--json"}, more...)...)
		quoted, _ := json.Marshal(`write sign_in_hosts: ["` + host + `"]`)
		if code != unproven || !strings.Contains(said, strings.Trim(string(quoted), `"`)) {
			t.Errorf("%v, not named: exit code %d: %s", more, code, said)
		}
	}
	if f.wrong > 0 {
		t.Errorf("%d wrong passwords", f.wrong)
	}
}

// TestWrongPasswordIsTriedOnceInACheck: every row needs the user, and the account is not locked.
func TestWrongPasswordIsTriedOnceInACheck(t *testing.T) {
	f, path := federate(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "secrets", "alice"), []byte("not-the-password-of-alice"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, more := range [][]string{nil, {"--no-browser"}} {
		f.wrong, f.granted = 0, 0
		code, said, complaints := runs(t, append([]string{"check", "-t", path, "--only", "password || refresh_token || /^RFC6749-(3|4.1|10)/", "--out", "", "--json"}, more...)...)
		if code != fallsShort || f.wrong != 1 || f.granted != 1 || !strings.Contains(said, "not tried again") {
			t.Errorf("%v: exit code %d, %d attempts at the sign-in and %d by the password grant: %s", more, code, f.wrong, f.granted, complaints)
		}
	}
}
