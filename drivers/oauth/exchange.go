package oauth

import (
	"net/http"
	"time"
)

// An Exchange is one request and what came back. It holds secrets: only its Evidence may be shown.
type Exchange struct {
	Request  Request
	Started  time.Time
	Duration time.Duration // until the body was read
	Waited   time.Duration // until the first byte of the answer
	Proto    string        // HTTP/1.1 or HTTP/2.0
	Status   int           // 0 when there was no answer
	Header   http.Header
	Body     []byte // at most MaxBody bytes
	Cut      bool   // the body was longer
	TLS      *TLS   // nil over plain HTTP
	Err      error  // why there was no (whole) answer
}

// MaxBody bounds what is read of an answer, in bytes.
const MaxBody = 1 << 20

// TLS is what the handshake agreed on.
type TLS struct{ Version, Suite, Issuer string }

// Answered reports whether a whole answer came.
func (e Exchange) Answered() bool { return e.Status != 0 && e.Err == nil }

// ClockSkew is how far the clock of whoever answered is ahead of this machine's, to a second, if the answer tells
// (RFC 9110 §6.6.1).
func (e Exchange) ClockSkew() (ahead time.Duration, told bool) {
	there, err := http.ParseTime(e.Header.Get("Date"))
	if err != nil {
		return 0, false
	}
	// The header has whole seconds, of some moment between request and answer.
	return there.Add(500 * time.Millisecond).Sub(e.Started.Add(e.Duration / 2)).Round(time.Second), true
}

// A Landing is where an authorization request ended for the user agent.
type Landing struct {
	Kind     LandingKind
	URL      string // the redirect URI with its response parameters, or the page's URL
	Via      string // how the user agent got to the client: "302", "303", "307", "script", "form_post" …
	Query    Params // response parameters in the query, or in the posted form
	Fragment Params // response parameters in the fragment
	Page     *Page  // the page that was reached instead, when Kind is Shown
	Trail    []Exchange
}

// A LandingKind tells a redirect to the client from a page of the server.
type LandingKind string

// The ends of an authorization request.
const (
	Redirected LandingKind = "redirected" // to a client, caught before it left
	Shown      LandingKind = "shown"      // a page that is neither sign-in nor consent: an error
	SignIn     LandingKind = "sign-in"    // a sign-in page, where the visit was to stop there
	Consent    LandingKind = "consent"    // a consent page, where the visit was to stop there
)

// A Page is what the user was shown.
type Page struct {
	Status     int
	URL, Title string
	Text       string // rendered text
	HTML       string
	Screenshot []byte // PNG, or nil without a browser
}

// Params are the response parameters, wherever they came.
func (l Landing) Params() Params {
	if len(l.Fragment) > 0 {
		return l.Fragment
	}
	return l.Query
}
