package sandbox

import (
	"crypto/rsa"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// sharedKey is made once: generation is slow.
var sharedKey = sync.OnceValues(NewKey)

func testKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := sharedKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A bench is a sandbox behind a server, and a user agent before it.
type bench struct {
	t     testing.TB
	s     *Sandbox
	url   string
	agent *http.Client
	clock *clock
}

// A clock stands until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newBench(t testing.TB, o Options) *bench {
	t.Helper()
	b := &bench{t: t, clock: &clock{now: time.Now().Truncate(time.Second)}}
	o.Key = testKey(t)
	if o.Clock == nil {
		o.Clock = b.clock.Now
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	b.s, b.url = s, srv.URL
	b.freshAgent()
	return b
}

func (b *bench) freshAgent() {
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.agent = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (b *bench) client(name string) *client {
	for _, c := range b.s.clients {
		if c.name == name {
			return c
		}
	}
	b.t.Fatalf("no client %s", name)
	return nil
}

// A reply is an answer, read.
type reply struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

func (r reply) text(name string) string { v, _ := r.json[name].(string); return v }

func (b *bench) do(req *http.Request) reply {
	b.t.Helper()
	res, err := b.agent.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	r := reply{status: res.StatusCode, header: res.Header, body: string(body)}
	_ = json.Unmarshal(body, &r.json)
	return r
}

func (b *bench) request(method, target, body string) *http.Request {
	b.t.Helper()
	if !strings.HasPrefix(target, "http") {
		target = b.url + target
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req
}

// form makes url.Values of names and values in turn.
func values(kv ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(kv); i += 2 {
		v.Add(kv[i], kv[i+1])
	}
	return v
}

// token asks the token endpoint by Basic, or by client_id alone for a public client.
func (b *bench) token(name string, kv ...string) reply {
	b.t.Helper()
	c := b.client(name)
	v := values(kv...)
	if c.public {
		v.Set("client_id", c.id)
	}
	req := b.request("POST", b.s.paths().token, v.Encode())
	if !c.public {
		req.SetBasicAuth(c.id, c.secret)
	}
	return b.do(req)
}

func (b *bench) api(token, path string) reply {
	b.t.Helper()
	req := b.request("GET", path, "")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return b.do(req)
}

var hidden = regexp.MustCompile(`name="(csrf|request)" value="([^"]*)"`)

func pageForm(body string) url.Values {
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(body, -1) {
		v.Set(m[1], html.UnescapeString(m[2]))
	}
	return v
}

// signIn signs a user in at the sign-in page of an authorization request.
func (b *bench) signIn(user string, query string) reply {
	b.t.Helper()
	page := b.do(b.request("GET", b.s.paths().authorization+"?"+query, ""))
	if !strings.Contains(page.body, `type="password"`) {
		b.t.Fatalf("no sign-in page but %d %s", page.status, page.body)
	}
	v := pageForm(page.body)
	v.Set("username", user)
	v.Set("password", b.s.Secrets()[user])
	r := b.do(b.request("POST", pathSignIn, v.Encode()))
	if r.status != http.StatusSeeOther {
		b.t.Fatalf("sign-in: %d %s", r.status, r.body)
	}
	return b.do(b.request("GET", r.header.Get("Location"), ""))
}

// consent decides on a consent page.
func (b *bench) consent(page reply, decision string) reply {
	b.t.Helper()
	v := pageForm(page.body)
	v.Set("decision", decision)
	return b.do(b.request("POST", pathConsent, v.Encode()))
}

// landing plays an authorization request to its end and returns the redirect.
func (b *bench) landing(user string, v url.Values) *url.URL {
	b.t.Helper()
	r := b.do(b.request("GET", b.s.paths().authorization+"?"+v.Encode(), ""))
	if strings.Contains(r.body, `type="password"`) {
		r = b.signIn(user, v.Encode())
	}
	if strings.Contains(r.body, `value="accept"`) {
		r = b.consent(r, "accept")
	}
	u, err := url.Parse(r.header.Get("Location"))
	if err != nil || r.header.Get("Location") == "" {
		b.t.Fatalf("no redirect but %d %s (%v)", r.status, r.body, err)
	}
	return u
}

func (b *bench) authorization(name, responseType string, kv ...string) url.Values {
	c := b.client(name)
	v := values("response_type", responseType, "client_id", c.id, "state", "st-0123456789abcdef")
	if uris := c.redirectsFor(responseType); len(uris) > 0 {
		v.Set("redirect_uri", uris[0])
	}
	v.Set("scope", "**")
	for i := 0; i+1 < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
		if kv[i+1] == "" {
			v.Del(kv[i])
		}
	}
	return v
}

// code gets an authorization code.
func (b *bench) code(user, name string, kv ...string) string {
	b.t.Helper()
	u := b.landing(user, b.authorization(name, typeCode, kv...))
	code := u.Query().Get("code")
	if code == "" {
		b.t.Fatalf("no code in %s", u)
	}
	return code
}

func (r reply) mustBe(t testing.TB, status int, code string) {
	t.Helper()
	if r.status != status || r.text("error") != code {
		t.Fatalf("got %d %s, want %d %q", r.status, r.body, status, code)
	}
}

func (b *bench) refresh(name string, kv ...string) (access, refresh string) {
	b.t.Helper()
	code := b.code("alice", name, append([]string{"access_type", "offline"}, kv...)...)
	r := b.token(name, "grant_type", "authorization_code", "code", code, "redirect_uri", b.client(name).redirects[0],
		"code_verifier", verifierIf(kv))
	if r.text("refresh_token") == "" {
		b.t.Fatalf("no refresh token: %d %s", r.status, r.body)
	}
	return r.text("access_token"), r.text("refresh_token")
}

const (
	testVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	testChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func verifierIf(kv []string) string {
	for _, v := range kv {
		if v == testChallenge {
			return testVerifier
		}
	}
	return ""
}

// TestSecretsAreRandom: those of two sandboxes, and what they issue, have nothing in common.
func TestSecretsAreRandom(t *testing.T) {
	seen := map[string]string{}
	for range 2 {
		b := newBench(t, Options{Tokens: "opaque"})
		given := b.s.Secrets()
		for _, name := range []string{"the first token", "the second token"} {
			given[name] = b.token("service", "grant_type", "client_credentials").text("access_token")
		}
		for name, secret := range given {
			if other, twice := seen[secret]; twice || len(secret) < 12 {
				t.Errorf("%s is %q, and so is %s", name, secret, other)
			}
			seen[secret] = name
		}
	}
}

// endless is a body without end, as far as anybody reads it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	if e.read > 64*maxBody {
		return 0, io.EOF
	}
	e.read += len(p)
	return len(p), nil
}

func TestBodiesAreBounded(t *testing.T) {
	b := newBench(t, Options{})
	var body endless
	r := b.request("POST", "/oauth/token", "x")
	r.Body, r.ContentLength = io.NopCloser(&body), -1
	w := httptest.NewRecorder()
	b.s.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "larger than 1 MiB") || body.read > 16*maxBody {
		t.Errorf("%d %s, after %d bytes", w.Code, w.Body, body.read)
	}
}
