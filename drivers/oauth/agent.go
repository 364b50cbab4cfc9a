package oauth

import (
	"context"
	"net/http"

	"flowproof/drivers/target"
)

// A Visit is one authorization request as a user agent makes it.
type Visit struct {
	URL          string       // the whole authorization request
	RedirectURIs []string     // every URI whose redirect is to be caught before it leaves (prefix of it up to query and fragment)
	User         *target.User // who signs in when asked; nil: stop at the sign-in page
	Consent      Decision
}

// A Decision is what the user does on a consent page.
type Decision string

// What the user can do on a consent page.
const (
	Accept Decision = "accept" // the default
	Deny   Decision = "deny"
	Stop   Decision = "stop" // leave the page as it is
)

// A UserAgent is what a person signs in with: a browser, or a reader of plain HTML forms.
type UserAgent interface {
	// Session opens an isolated session: no cookies, no storage.
	Session(ctx context.Context) (Session, error)
	// Browser reports whether it is a real browser that runs scripts and enforces the browser's rules.
	Browser() bool
	// Product names it with its version.
	Product() string
	Close() error
}

// A Session is one person's cookies and pages.
type Session interface {
	// Visit plays an authorization request to its end. An error means that nothing was observed.
	Visit(ctx context.Context, v Visit) (Landing, error)
	// Cookies are those that the session would send to the URL, HttpOnly ones included.
	Cookies(ctx context.Context, url string) ([]*http.Cookie, error)
	Close() error
}
