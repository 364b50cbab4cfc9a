package main

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"flowproof/peers/stand"
)

// A bench is a running peer and one browser.
type bench struct {
	t    testing.TB
	base string
	stand.Registration
	browser *http.Client
}

func start(t testing.TB, o options) *bench {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	peer, err := newPeer(base, o)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = peer.Handler
	server.Start()
	t.Cleanup(server.Close)
	b := &bench{t: t, base: base, Registration: peer.Registration}
	b.forget()
	return b
}

// forget gives the bench a browser without cookies.
func (b *bench) forget() {
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.browser = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// An answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

func (b *bench) do(r *http.Request) answer {
	b.t.Helper()
	response, err := b.browser.Do(r.WithContext(b.t.Context()))
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

func (b *bench) request(method, path, body string) *http.Request {
	b.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = b.base + path
	}
	r, err := http.NewRequest(method, path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (b *bench) get(path string) answer { b.t.Helper(); return b.do(b.request("GET", path, "")) }

func (b *bench) submit(path string, form url.Values) answer {
	b.t.Helper()
	return b.do(b.request("POST", path, form.Encode()))
}

// post asks an endpoint as that client, with Basic when it has a secret.
func (b *bench) post(path, client string, form url.Values) answer {
	b.t.Helper()
	c := b.Client(client)
	if c.Public {
		form.Set("client_id", c.ID)
	}
	r := b.request("POST", path, form.Encode())
	if !c.Public {
		r.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	}
	return b.do(r)
}

func (b *bench) token(client string, form url.Values) answer {
	b.t.Helper()
	return b.post(tokenPath, client, form)
}

// resource opens a protected resource with that access token.
func (b *bench) resource(path, token string) answer {
	b.t.Helper()
	r := b.request("GET", path, "")
	r.Header.Set("Authorization", "Bearer "+token)
	return b.do(r)
}

// json reads the body as an object.
func (a answer) json(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("no JSON object: %v: %s", err, a.body)
	}
	return m
}

func (a answer) text(t testing.TB, member string) string {
	t.Helper()
	s, _ := a.json(t)[member].(string)
	return s
}

func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("got %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// refused wants an error answer with that status and code.
func (a answer) refused(t testing.TB, status int, code string) {
	t.Helper()
	if got := a.want(t, status).text(t, "error"); got != code {
		t.Fatalf("got error %q, want %q: %s", got, code, a.body)
	}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

// form reads the hidden fields of the page's first form.
func (a answer) form(t testing.TB) url.Values {
	t.Helper()
	first, _, found := strings.Cut(a.want(t, http.StatusOK).body, "</form>")
	if !found {
		t.Fatalf("no form on the page: %s", a.body)
	}
	fields := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(first, -1) {
		fields.Set(m[1], html.UnescapeString(m[2]))
	}
	return fields
}

func (a answer) location(t testing.TB) *url.URL {
	t.Helper()
	u, err := url.Parse(a.want(t, http.StatusSeeOther).header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

const state = "a-state-that-is-long-enough"

// ask makes an authorization request of that client; more overrides and adds to it.
func (b *bench) ask(client, responseType string, more url.Values) url.Values {
	c := b.Client(client)
	q := url.Values{"client_id": {c.ID}, "response_type": {responseType}, "scope": {"photos profile"}, "state": {state}}
	if responseType == "token" {
		q.Set("redirect_uri", c.ImplicitRedirectURIs[0])
	} else {
		q.Set("redirect_uri", c.RedirectURIs[0])
	}
	for k, v := range more {
		q[k] = v
	}
	return q
}

// consent signs in where it must and returns the consent page.
func (b *bench) consent(user string, q url.Values) answer {
	b.t.Helper()
	page := b.get(authorizePath + "?" + q.Encode())
	if page.status == http.StatusOK {
		return page
	}
	fields := b.get(page.location(b.t).String()).form(b.t)
	fields.Set("username", user)
	fields.Set("password", b.User(user).Password)
	return b.get(b.submit("/login", fields).location(b.t).String())
}

// decide answers the consent page and returns where the browser is sent.
func (b *bench) decide(page answer, decision string) *url.URL {
	b.t.Helper()
	fields := page.form(b.t)
	fields.Set("decision", decision)
	return b.submit("/consent", fields).location(b.t)
}

// code has alice sign in and accept, and returns the code.
func (b *bench) code(client string, more url.Values) string {
	b.t.Helper()
	landing := b.decide(b.consent("alice", b.ask(client, "code", more)), "accept")
	if got := landing.Query().Get("state"); got != state {
		b.t.Fatalf("state %q came back as %q", state, got)
	}
	if landing.Query().Get("code") == "" {
		b.t.Fatalf("no code: %s", landing)
	}
	return landing.Query().Get("code")
}

// redemption is the token request for a code.
func (b *bench) redemption(client, code, verifier string) url.Values {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {b.Client(client).RedirectURIs[0]}}
	if verifier != "" {
		form.Set("code_verifier", verifier)
	}
	return form
}

func (b *bench) password(scope string) url.Values {
	return url.Values{"grant_type": {"password"}, "username": {"alice"}, "password": {b.User("alice").Password}, "scope": {scope}}
}
