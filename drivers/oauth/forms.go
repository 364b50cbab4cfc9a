package oauth

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"flowproof/drivers/target"
)

// NewForms makes a user agent that reads plain HTML forms and runs no scripts: quick, and enough for
// servers whose pages work without them. It plays sign-in recipes, and says where a step needs a script.
func NewForms(t target.Target, d *Driver) UserAgent {
	return &forms{target: t, driver: d, codes: NewCodes(), tried: d.Tried()}
}

type forms struct {
	target target.Target
	driver *Driver
	codes  *Codes
	tried  *Tried
}

func (f *forms) Session(context.Context) (Session, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("oauth: open a session: %w", err)
	}
	return &formSession{forms: f, jar: jar}, nil
}

func (f *forms) Browser() bool   { return false }
func (f *forms) Product() string { return "plain HTML forms" }
func (f *forms) Close() error    { return nil }

// own reports whether a URL is where the visit has business: only there are redirects followed and forms sent.
func (f *forms) own(raw string, v Visit) bool {
	o := origin(raw)
	return o != "" && (f.targets(o) || o == origin(v.URL) || f.target.MayTypeInto(raw))
}

// targets reports whether the origin is the deployment's, and not that of a host where people only sign in.
func (f *forms) targets(o string) bool {
	return o == origin(f.target.URL) || o == origin(f.target.Endpoints.Authorization)
}

// client is the name of the client that an authorization request speaks of, if it is one of the target's.
func (f *forms) client(raw string) string {
	_, query, _ := split(raw)
	id := ParseParams(query).Get("client_id")
	for _, c := range f.target.Clients {
		if c.ID == id {
			return c.Name
		}
	}
	return ""
}

func origin(raw string) string {
	scheme, rest, ok := strings.Cut(endpoint(raw), "://")
	if !ok || scheme != "http" && scheme != "https" {
		return ""
	}
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

type formSession struct {
	*forms
	jar http.CookieJar
	in  atomic.Bool // a visit got past whatever sign-in there is
}

func (s *formSession) Close() error { return nil }

// Tab is the session itself: what it shows is only in its visits.
func (s *formSession) Tab(context.Context) (Session, error) { return s, nil }

func (s *formSession) Cookies(_ context.Context, raw string) ([]*http.Cookie, error) {
	u, err := jarURL(raw)
	if err != nil {
		return nil, fmt.Errorf("oauth: look up cookies: %w", err)
	}
	return s.jar.Cookies(u), nil
}

// remember files what became of the user's password, if it was sent. Where that is not known, it is as good
// as refused: finding out by trying again might lock the account.
func (p *visiting) remember(ctx context.Context, l Landing, err error) {
	hide := p.session.driver.Redactor().Text
	switch {
	case p.signedIn == 0 || ctx.Err() != nil:
	case p.consented > 0 || err == nil && l.Kind != Shown:
		p.session.tried.Taken(*p.visit.User)
	case err != nil:
		p.session.tried.Refuse(*p.visit.User, hide(err.Error()))
	case l.Page != nil:
		p.session.tried.Refuse(*p.visit.User, hide(l.Page.Unexpected()))
	}
}

// jarURL treats loopback as browsers do: Secure cookies are kept and sent there without TLS.
func jarURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, err
	}
	if h := u.Hostname(); u.Scheme == "http" && (h == "localhost" || h == "::1" || strings.HasPrefix(h, "127.")) {
		u.Scheme = "https"
	}
	return u, nil
}

// Visit follows redirects within the server, signs in and consents. A redirect that leaves the server is
// never followed: it is the landing, at one of the visit's redirect URIs or, of a faulty server, elsewhere.
func (s *formSession) Visit(ctx context.Context, v Visit) (Landing, error) {
	p := visiting{session: s, visit: v}
	l, err := p.play(ctx, Request{
		Title: "open the authorization request", Client: s.client(v.URL), Method: "GET", URL: v.URL,
		Header: Params{{"Accept", htmlType}},
	})
	l.Trail = p.trail
	p.remember(ctx, l, err)
	if l.Kind == Redirected {
		s.in.Store(true)
	} else if err == nil && v.User != nil && !s.in.Load() && p.signedIn == 0 {
		err = drawn(l)
	}
	if err != nil {
		return l, fmt.Errorf("oauth: visit the authorization endpoint: %w", err)
	}
	return l, nil
}

// drawn is why nobody signs in on a page that its scripts are to draw.
func drawn(l Landing) error {
	if l.Kind != Shown || l.Page == nil || l.Page.Status >= http.StatusBadRequest {
		return nil
	}
	if d := readDocument([]byte(l.Page.HTML)); !d.scripted || len(d.forms) > 0 {
		return nil
	}
	return fmt.Errorf("the page of %s has no form before its scripts draw one, and plain HTML forms run none: a browser is needed. It says: %s", origin(l.URL), l.Page.Words())
}

const (
	htmlType     = "text/html,application/xhtml+xml"
	maxRedirects = 10
	maxPages     = 8
)

// visiting is one visit in progress.
type visiting struct {
	session   *formSession
	visit     Visit
	trail     []Exchange
	signedIn  int // times the password was sent
	identity  int // times the user name alone was sent
	oneTime   int // times a one-time password was sent
	consented int // times a consent page was answered
	paused    bool

	step   int    // of the recipe
	begun  bool   // a step of it was done
	played bool   // all of them were
	typed  typing // on this page
}

func (p *visiting) play(ctx context.Context, r Request) (Landing, error) {
	recipe := len(p.session.target.SignIn)
	for range maxPages + recipe {
		e, landed, err := p.follow(ctx, r)
		if err != nil || landed != nil {
			return value(landed), err
		}
		page := readDocument(e.Body)
		p.typed = typing{}
		p.pause(ctx, page)
		act := p.act
		if recipe > 0 && !p.played {
			act = p.followRecipe
		}
		next, landed, err := act(ctx, e, page)
		if err != nil || landed != nil {
			return value(landed), err
		}
		r = next
	}
	return Landing{}, fmt.Errorf("the server asked for more than %d pages to be filled in", maxPages+recipe)
}

func value(l *Landing) Landing {
	if l == nil {
		return Landing{}
	}
	return *l
}

// follow sends the request and goes where redirects lead, to a page or to the client.
func (p *visiting) follow(ctx context.Context, r Request) (Exchange, *Landing, error) {
	for range maxRedirects + 1 {
		e := p.send(ctx, r)
		if !e.Answered() {
			return e, nil, e.Err
		}
		if !e.Redirects() {
			return e, nil, nil
		}
		here := e.Request.FullURL()
		where := resolve(here, e.Location())
		if _, old, has := strings.Cut(here, "#"); has && !strings.Contains(where, "#") {
			where += "#" + old // as browsers do (RFC 9110 section 10.2.2)
		}
		next := redirected(r, e.Status, where)
		l := p.leaving(where)
		if l == nil && p.confides(next) && !p.session.target.MayTypeInto(where) {
			stray := ParseLanding(where)
			l = &stray
		}
		if l != nil {
			l.Via = fmt.Sprint(e.Status)
			return e, l, nil
		}
		r = next
	}
	return Exchange{}, nil, fmt.Errorf("the server redirected more than %d times without a page", maxRedirects)
}

// confides reports whether the request holds the person's password.
func (p *visiting) confides(r Request) bool {
	u := p.visit.User
	return u != nil && !u.Password.Empty() && slices.ContainsFunc(r.Form, func(q Param) bool { return q.Value == u.Password.Reveal() })
}

// leaving is the landing of a navigation that leads away from the server.
func (p *visiting) leaving(where string) *Landing {
	if !Lands(where, p.visit.RedirectURIs...) && p.session.own(where, p.visit) {
		return nil
	}
	l := ParseLanding(where)
	return &l
}

// redirected is the next request of a user agent: 307 and 308 repeat a POST, the others turn it into a GET.
func redirected(r Request, status int, where string) Request {
	next := Request{Title: "follow the redirect", Client: r.Client, Method: "GET", URL: where, Header: Params{{"Accept", htmlType}}}
	if status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect {
		next.Method, next.Form, next.Body = r.Method, r.Form, r.Body
	}
	return next
}

// send adds the session's cookies and keeps those that come back.
func (p *visiting) send(ctx context.Context, r Request) Exchange {
	u, err := jarURL(r.FullURL())
	if err == nil {
		var pairs []string
		for _, c := range p.session.jar.Cookies(u) {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
		r = r.Changed(WithoutHeader("Cookie"))
		if len(pairs) > 0 {
			r.Header = r.Header.And("Cookie", strings.Join(pairs, "; "))
		}
	}
	e := p.session.driver.send(ctx, r)
	if o := origin(r.URL); p.session.targets(o) || o == origin(p.visit.URL) {
		p.session.driver.tell(e) // what an identity provider answers is not the deployment's to answer for
	}
	p.trail = append(p.trail, e)
	if err == nil && e.Status != 0 {
		p.session.jar.SetCookies(u, (&http.Response{Header: e.Header}).Cookies())
	}
	return e
}
