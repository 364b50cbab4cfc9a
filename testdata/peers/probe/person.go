package probe

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// What requests are made with unless a test says otherwise.
const (
	State    = "a-state-that-is-long-enough"
	Verifier = "a-verifier-of-forty-three-characters-at-least"
)

// S256 is the challenge of a verifier.
func S256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Challenged are the parameters of a request with the challenge of Verifier.
func Challenged() url.Values {
	return url.Values{"code_challenge": {S256(Verifier)}, "code_challenge_method": {"S256"}}
}

// Ask is an authorization request of that client; more overrides and adds to it.
func (b *Bench) Ask(client, responseType string, more url.Values) url.Values {
	c := b.Client(client)
	q := url.Values{"client_id": {c.ID}, "response_type": {responseType}, "scope": {"photos profile"}, "state": {State}}
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

// follow goes where the peer sends the browser: to the page at the end, or to the URI at which it leaves the peer.
func (b *Bench) follow(a Answer) (page Answer, away *url.URL) {
	b.T.Helper()
	for a.redirects() {
		u := a.Location(b.T)
		if u.Host != "" && !strings.HasPrefix(u.String(), b.Base+"/") || u.Host == "" && !strings.HasPrefix(u.Path, "/") {
			return a, u
		}
		a = b.Get(u.String())
	}
	return a, nil
}

// Consent signs in where it must, and returns the consent page.
func (b *Bench) Consent(user string, q url.Values) Answer {
	b.T.Helper()
	page, away := b.consent(user, q)
	if away != nil {
		b.T.Fatalf("sent to %s without consent", away)
	}
	return page
}

func (b *Bench) consent(user string, q url.Values) (page Answer, away *url.URL) {
	b.T.Helper()
	page, away = b.follow(b.Get(b.Target.Endpoints.Authorization + "?" + q.Encode()))
	if away != nil || !strings.Contains(page.Body, `name="password"`) {
		return page, away
	}
	fields := page.Form(b.T)
	fields.Set("username", user)
	fields.Set("password", b.User(user).Password)
	return b.follow(b.Submit("/login", fields))
}

// Decide answers the consent page, and returns where the browser is sent.
func (b *Bench) Decide(page Answer, decision string) *url.URL {
	b.T.Helper()
	fields := page.Form(b.T)
	fields.Set("decision", decision)
	page, away := b.follow(b.Submit("/consent", fields))
	if away == nil {
		b.T.Fatalf("after the decision: %d %s", page.Status, page.Body)
	}
	return away
}

// Authorize makes the whole way: alice signs in and accepts. It returns where the browser leaves the peer, or nil and
// the page at which it stays.
func (b *Bench) Authorize(q url.Values) (page Answer, away *url.URL) {
	b.T.Helper()
	page, away = b.consent("alice", q)
	if away != nil || page.Status != http.StatusOK || !strings.Contains(page.Body, `name="decision"`) {
		return page, away
	}
	return page, b.Decide(page, "accept")
}

// Code has alice sign in and accept, and returns the code.
func (b *Bench) Code(client string, more url.Values) string {
	b.T.Helper()
	page, away := b.Authorize(b.Ask(client, "code", more))
	if away == nil || away.Query().Get("code") == "" {
		b.T.Fatalf("no code: %v %d %s", away, page.Status, page.Body)
	}
	if got := away.Query().Get("state"); got != State {
		b.T.Fatalf("state %q came back as %q", State, got)
	}
	return away.Query().Get("code")
}

// Redemption is the token request for a code.
func (b *Bench) Redemption(client, code, verifier string) url.Values {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {b.Client(client).RedirectURIs[0]}}
	if verifier != "" {
		form.Set("code_verifier", verifier)
	}
	return form
}

// Password is alice's token request with her password.
func (b *Bench) Password(scope string) url.Values {
	return url.Values{"grant_type": {"password"}, "username": {"alice"}, "password": {b.User("alice").Password}, "scope": {scope}}
}

// Renewal is the token request with a refresh token.
func Renewal(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
}

// ClientCredentials is the token request of a client on its own account.
func ClientCredentials() url.Values { return url.Values{"grant_type": {"client_credentials"}} }
