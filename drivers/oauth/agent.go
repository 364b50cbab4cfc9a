package oauth

import (
	"context"
	"errors"
	"net/http"

	"flowproof/drivers/target"
)

// A Visit is one authorization request as a user agent makes it.
type Visit struct {
	URL          string       // the whole authorization request
	RedirectURIs []string     // every URI whose redirect is to be caught before it leaves (prefix of it up to query and fragment)
	User         *target.User // who signs in when asked; nil: stop at the sign-in page
	Consent      Decision
	NoPicture    bool // pages are told without a screenshot, which takes as long as the rest

	// Pause is called once, when the user is asked for something for the first time. The page stays as it
	// is until Pause returns, at the latest when ctx ends.
	Pause func(ctx context.Context)
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
	// Visit plays an authorization request to its end. An error means that it came to none; the landing
	// then holds the way there, and the page that it stopped at.
	Visit(ctx context.Context, v Visit) (Landing, error)
	// Cookies are those that the session would send to the URL, HttpOnly ones included.
	Cookies(ctx context.Context, url string) ([]*http.Cookie, error)
	Close() error
}

// A Watcher is a session that also tells what its pages did, as only a real browser's can.
type Watcher interface {
	Session
	// Watch plays a visit as Visit does. An error means that nothing was observed.
	Watch(ctx context.Context, v Visit, w Watching) (Sight, error)
}

// Watching is what is done in a visit beyond the authorization request.
type Watching struct {
	Hosts []string // further hosts, each with its port, whose pages may be opened on the way
	Leave string   // a link to there is put on the page at which the visit ends, and followed
}

// A Sight is a visit as it was watched.
type Sight struct {
	Landing
	Requests []Fetched // all that was asked for, in order
	Frames   []Frame   // the frames of the pages, as often as they came to show something or were refused
}

// A Fetched is something that a page asked for.
type Fetched struct {
	URL     string
	Kind    string // Document, Script, Image …
	Page    string // the URL of the page that asked
	Blocked bool   // the browser itself did not let it be asked for, as by the page's own policy
}

// A Frame is what came of a frame in a page.
type Frame struct {
	Name    string
	URL     string
	Refused bool // the browser shows that it may not be shown, instead of it
}

// A Tabbed session can show several pages at the same time.
type Tabbed interface {
	Session
	// Tab opens one more tab of the session: the same cookies, another page. Closing it leaves the session alone.
	Tab(ctx context.Context) (Session, error)
}

// ErrNoRefusal is why a user cannot refuse: the consent page has no button for it.
var ErrNoRefusal = errors.New("the consent page has no button to refuse with")
