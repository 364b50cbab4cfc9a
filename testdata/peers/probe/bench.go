// Package probe asks a peer by raw requests, as a browser and a client would send them: with net/http alone and none of
// flowproof's drivers, so that what it finds out can be held against what flowproof says.
package probe

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"flowproof/peers/stand"
)

// A Bench is a running peer and one browser.
type Bench struct {
	T       testing.TB
	Base    string
	Target  stand.Target
	Browser *http.Client
	stand.Registration
}

// Start runs the peer until the test ends.
func Start(t testing.TB, build stand.Build) *Bench {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	peer, err := build(base)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = peer.Handler
	server.Start()
	t.Cleanup(server.Close)
	b := &Bench{T: t, Base: base, Target: peer.Target, Registration: peer.Registration}
	b.Forget()
	return b
}

// Forget gives the bench a browser without cookies.
func (b *Bench) Forget() {
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.T.Fatal(err)
	}
	b.Browser = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Do sends a request and reads the answer to its end.
func (b *Bench) Do(r *http.Request) Answer {
	b.T.Helper()
	response, err := b.Browser.Do(r.WithContext(b.T.Context()))
	if err != nil {
		b.T.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.T.Fatal(err)
	}
	return Answer{response.StatusCode, response.Header, string(body)}
}

// Request is one to a path of the peer, or to a whole URL; a POST is a form.
func (b *Bench) Request(method, path, body string) *http.Request {
	b.T.Helper()
	if !strings.HasPrefix(path, "http") {
		path = b.Base + path
	}
	r, err := http.NewRequestWithContext(b.T.Context(), method, path, strings.NewReader(body))
	if err != nil {
		b.T.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// Get asks for a page.
func (b *Bench) Get(path string) Answer { b.T.Helper(); return b.Do(b.Request("GET", path, "")) }

// Submit posts a form as nobody in particular.
func (b *Bench) Submit(path string, form url.Values) Answer {
	b.T.Helper()
	return b.Do(b.Request("POST", path, form.Encode()))
}

// Post asks an endpoint as that client, with Basic when it has a secret.
func (b *Bench) Post(path, client string, form url.Values) Answer {
	b.T.Helper()
	c := b.Client(client)
	if c.Public {
		form.Set("client_id", c.ID)
	}
	r := b.Request("POST", path, form.Encode())
	if !c.Public {
		r.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	}
	return b.Do(r)
}

// Token asks for a token as that client.
func (b *Bench) Token(client string, form url.Values) Answer {
	b.T.Helper()
	return b.Post(b.Target.Endpoints.Token, client, form)
}

// Resource opens a protected resource with that access token.
func (b *Bench) Resource(path, token string) Answer {
	b.T.Helper()
	r := b.Request("GET", path, "")
	r.Header.Set("Authorization", "Bearer "+token)
	return b.Do(r)
}
