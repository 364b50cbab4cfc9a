package suites

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// pages says what the sign-in and consent pages owe the people at them: that no other site can act in
// their name, watch them, or learn from them.
func pages(s *session) {
	Describe("the authorization endpoint's pages", func() {
		BeforeEach(func() { s.beginsHere() })
		consentForged(s)
		signInForged(s)
		publicConsent(s)
		inertPages(s)
		credentialsPosted(s)
		crossOriginReads(s)
		framedPages(s)
		talkativePages(s)
		sessionCookies(s)
		signInReturns(s)
	})
	plainRedirects(s)
}

// watch plays a visit in the person's browser and tells what its pages did.
func (s *session) watch(ctx context.Context, p *person, v oauth.Visit, w oauth.Watching) oauth.Sight {
	watcher, can := p.session.(oauth.Watcher)
	if !can {
		s.inconclusive("only a browser that tells what its pages do can show this. %s", s.NoBrowser)
	}
	v.NoPicture = s.Bare
	sight, err := watcher.Watch(ctx, v, w)
	if err != nil {
		s.inconclusive("%v", err)
	}
	s.seen.show(sight.Page)
	if len(sight.Trail) > 0 {
		s.seen.decide(sight.Trail[len(sight.Trail)-1])
	}
	return sight
}

// plainReader is a user agent that reads forms, which is quick, where the server's pages allow that.
func (s *session) plainReader() oauth.UserAgent {
	if len(s.target.SignIn) > 0 && s.Browser != nil {
		return s.Browser
	}
	return oauth.NewForms(s.target, s.driver)
}

// onlooker is one signed-out browser session, shared by the specs that only look at pages.
func (s *session) onlooker(ctx context.Context) *person {
	if p, ok := s.persons[onlooking]; ok {
		return p
	}
	p := s.stranger(ctx, s.Browser)
	s.persons[onlooking] = p
	return p
}

const onlooking = "onlooker"

// chase sends a request with a session's cookies and goes where redirects lead within the server and to where people
// sign in, as a user agent does that runs no scripts.
func (s *session) chase(ctx context.Context, r oauth.Request, held cookies) oauth.Landing {
	var news []baked
	caught := s.caught(r)
	var trail []oauth.Exchange
	for range 10 {
		x := s.send(ctx, r.Changed(oauth.WithoutHeader("Cookie"), withCookies(renewed(held(r.FullURL()), news, r.FullURL()))))
		s.seen.decide(x)
		trail = append(trail, x)
		for _, c := range (&http.Response{Header: x.Header}).Cookies() {
			news = append(news, baked{c, hostname(r.FullURL())})
		}
		if l, ok := x.Landing(caught...); ok {
			l.Trail = trail
			return l
		}
		if !x.Redirects() {
			page := &oauth.Page{Status: x.Status, URL: r.FullURL(), Text: string(x.Body), HTML: string(x.Body)}
			return oauth.Landing{Kind: page.Kind(), URL: r.FullURL(), Page: page, Trail: trail}
		}
		next := s.onward(r, x)
		if to, err := url.Parse(next); err != nil || !s.own(to) && !s.target.SignsInAt(next) {
			l := oauth.ParseLanding(next)
			l.Via, l.Trail = http.StatusText(x.Status), trail
			return l
		}
		onward := oauth.Request{Title: "follow the redirect", Client: r.Client, Method: http.MethodGet, URL: next, Header: r.Header}
		if x.Status == http.StatusTemporaryRedirect || x.Status == http.StatusPermanentRedirect {
			onward.Method, onward.Form = r.Method, r.Form
		} else {
			onward = onward.Changed(oauth.WithoutHeader("Origin")) // it was the form's
		}
		r = onward
	}
	s.inconclusive("the server redirects in circles")
	panic("unreachable: Skip does not return")
}

// onward is where the redirect leads.
func (s *session) onward(r oauth.Request, x oauth.Exchange) string {
	from, err := url.Parse(r.FullURL())
	to, err2 := url.Parse(x.Location())
	if err != nil || err2 != nil {
		return x.Location()
	}
	return from.ResolveReference(to).String()
}

// cookies are those that are held for a URL: servers keep some to the path of one page.
type cookies func(url string) []*http.Cookie

// heldBy are the cookies of the person's session.
func (s *session) heldBy(ctx context.Context, p *person) cookies {
	return func(url string) []*http.Cookie {
		held, err := p.session.Cookies(ctx, url)
		if err != nil {
			s.inconclusive("%v", err)
		}
		return held
	}
}

// only are these cookies, for the hosts of the server itself.
func (s *session) only(list []*http.Cookie) cookies {
	return func(raw string) []*http.Cookie {
		for _, own := range []string{s.target.URL, s.target.Endpoints.Authorization} {
			if hostname(own) == hostname(raw) {
				return list
			}
		}
		return nil
	}
}

// baked is a cookie with the host that set it.
type baked struct {
	*http.Cookie
	host string
}

// goesTo reports whether the cookie is for the host: the one that set it, or one below its domain.
func (b baked) goesTo(host string) bool {
	domain := strings.ToLower(strings.TrimPrefix(b.Domain, "."))
	return host == b.host || domain != "" && (host == domain || strings.HasSuffix(host, "."+domain))
}

// renewed are the cookies for a URL after answers set some anew or took them back.
func renewed(held []*http.Cookie, news []baked, at string) []*http.Cookie {
	held = slices.Clone(held)
	for _, c := range news {
		if !c.goesTo(hostname(at)) {
			continue
		}
		held = slices.DeleteFunc(held, func(old *http.Cookie) bool { return old.Name == c.Name })
		if c.MaxAge >= 0 && c.Value != "" {
			held = append(held, c.Cookie)
		}
	}
	return held
}

// hostname is the URL's, in lower case. Cookies do not tell ports apart.
func hostname(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// cookiesOf are what the person's session sends to the authorization endpoint.
func (s *session) cookiesOf(ctx context.Context, p *person) []*http.Cookie {
	cookies, err := p.session.Cookies(ctx, s.target.Endpoints.Authorization)
	if err != nil {
		s.inconclusive("%v", err)
	}
	return cookies
}

// An arrival is a sign-in in a fresh browser, made once a run.
type arrival struct {
	request oauth.Request
	person  *person
	landing oauth.Landing
	cookies []*http.Cookie
}

// arrive signs the first user in in a fresh browser.
func (s *session) arrive(ctx context.Context) *arrival {
	if s.arrived != nil {
		return s.arrived
	}
	c, g := s.frontClient()
	p := s.stranger(ctx, s.Browser)
	p.user = s.user(0)
	r := s.asking(c, g, oauth.Titled("sign in in a fresh browser"))
	l := s.visit(ctx, p, r, oauth.Accept)
	s.arrived = &arrival{r, p, l, s.cookiesOf(ctx, p)}
	return s.arrived
}

// credentialsPosted says how the user agent is sent on after it posted the user's credentials.
func credentialsPosted(s *session) {
	It("do not have the user's credentials posted on", proves("RFC9700-4.12-no-307"), func(ctx SpecContext) {
		if s.Browser == nil {
			s.inconclusive("only a browser can tell. %s", s.NoBrowser)
		}
		a := s.arrive(ctx)
		s.seen.expected = "303 after the sign-in form, or 302, or a page"
		password := s.user(0).Password.Reveal()
		posted := slices.IndexFunc(a.landing.Trail, func(x oauth.Exchange) bool {
			return x.Request.Method == http.MethodPost && (holds(x.Request.Form, password) || strings.Contains(x.Request.Body, password))
		})
		if posted < 0 {
			s.notApplicable("no form posts the password, so no redirect can post it on")
		}
		for _, x := range a.landing.Trail[posted:] {
			if x.Request.Method != http.MethodPost {
				continue
			}
			s.seen.decide(x)
			switch x.Status {
			case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
				s.violated("%q is answered with %d: the browser posts the form on to %s", x.Request.Title, x.Status, printable(before(x.Location(), "?")))
			case http.StatusFound:
				s.note("%q is answered with 302; 303 is the only one that is sure to end the POST", x.Request.Title)
			}
		}
	})
}

func holds(form oauth.Params, value string) bool {
	return slices.ContainsFunc(form, func(p oauth.Param) bool { return p.Value == value })
}

// sessionCookies says how the cookie is protected that proves who the user is.
func sessionCookies(s *session) {
	It("keep the session's cookie from scripts and other sites", proves("RFC6265-session-cookie-flags"), func(ctx SpecContext) {
		if s.Browser == nil {
			s.inconclusive("only a browser can tell. %s", s.NoBrowser)
		}
		a := s.arrive(ctx)
		if !issued(a.landing) {
			s.inconclusive("the sign-in brought nothing to the client: %s", landed(a.landing))
		}
		s.seen.expected = "HttpOnly, SameSite and, over TLS, Secure on the cookie that proves who is signed in"
		for _, proof := range s.proofs(ctx, a) {
			lacks := func(mark func(c *http.Cookie) bool) bool { return !slices.ContainsFunc(proof, mark) }
			var missing []string
			if lacks(func(c *http.Cookie) bool { return c.HttpOnly }) {
				missing = append(missing, "HttpOnly")
			}
			if lacks(func(c *http.Cookie) bool { return c.SameSite > http.SameSiteDefaultMode }) {
				missing = append(missing, "SameSite")
			}
			if lacks(func(c *http.Cookie) bool { return c.Secure }) && strings.HasPrefix(s.target.Endpoints.Authorization, "https:") {
				missing = append(missing, "Secure")
			}
			if len(missing) > 0 {
				s.violated("the cookie %s, which proves who is signed in, is not marked %s", printable(proof[0].Name), strings.Join(missing, ", "))
			}
		}
	})
}

// proofs are the cookies that prove who is signed in: those without any of which the server does not know
// the user, or else each that is enough by itself. Of several that are needed, one that is well kept will do.
func (s *session) proofs(ctx context.Context, a *arrival) [][]*http.Cookie {
	knows := func(title string, cookies []*http.Cookie) bool {
		r := a.request.Changed(oauth.SetQuery("state", oauth.NewState()), oauth.Titled(title))
		l := s.chase(ctx, r, s.only(cookies))
		return issued(l) || l.Kind == oauth.Consent
	}
	if len(a.cookies) == 0 {
		s.notApplicable("the server's sessions have no cookies")
	}
	if !knows("ask with all cookies of the session", a.cookies) {
		s.inconclusive("with all cookies of the session nobody is known to be signed in, so it cannot be told which of them proves it")
	}
	if knows("ask without cookies", nil) {
		s.inconclusive("without any cookie the server takes somebody to be signed in, too")
	}
	var needed []*http.Cookie
	var enough [][]*http.Cookie
	for i, c := range a.cookies {
		if !knows("ask without the cookie "+c.Name, slices.Delete(slices.Clone(a.cookies), i, i+1)) {
			needed = append(needed, c)
		}
	}
	if len(needed) > 0 {
		return [][]*http.Cookie{needed}
	}
	for _, c := range a.cookies {
		if knows("ask with the cookie "+c.Name+" alone", []*http.Cookie{c}) {
			enough = append(enough, []*http.Cookie{c})
		}
	}
	if len(enough) == 0 {
		s.inconclusive("no cookie of %d proves alone who is signed in", len(a.cookies))
	}
	return enough
}

// publicConsent says that what a person allowed an application once is not for everybody who says to be it.
func publicConsent(s *session) {
	g := target.AuthorizationCode
	It("ask again for an application that anybody can pretend to be", proves("RFC6749-10.2-consent-public-client"), flow(g), func(ctx SpecContext) {
		s.requires(g)
		c := s.client("public client whose redirect URI is no https one", func(c target.Client) bool {
			return c.Public && c.Has(g) && c.RedirectURI(g) != "" && !strings.HasPrefix(c.RedirectURI(g), "https:")
		})
		p := s.browsing(ctx, s.user(0))
		ask := func(p *person, title string, d oauth.Decision) oauth.Landing {
			return s.land(ctx, p, s.asking(c, g, oauth.Titled(title)), d)
		}
		s.seen.expected = "a page that asks the user, each time"
		first := ask(p, "ask for the first time", oauth.Stop)
		if first.Kind == oauth.Consent {
			if l := ask(p, "consent", oauth.Accept); !issued(l) {
				s.inconclusive("consent brought no code: %s", landed(l))
			}
			first = ask(nobody(p), "ask for the same again", oauth.Stop)
		}
		switch {
		case first.Kind != oauth.Redirected:
			return
		case !issued(first):
			s.inconclusive("neither a page nor a code: %s", landed(first))
		}
		for i, u := range s.target.Users {
			if i == 0 || u.Sacrificial || i > 3 {
				continue
			}
			if l := ask(s.person(ctx, u), "ask as "+u.Name, oauth.Stop); l.Kind == oauth.Consent {
				s.violated("%s is asked for consent, yet whoever has given it is not asked again: a code comes for %s without a page", u.Name, printable(c.RedirectURI(g)))
			}
		}
		if asked(s.seen.exchanges) {
			s.violated("the user is not asked again: a code comes for %s without a page", printable(c.RedirectURI(g)))
		}
		s.note("nobody was asked for consent to this client at all, as if it were the server's own")
	})
}

// asked says whether a consent page was among the answers.
func asked(list []oauth.Exchange) bool {
	return slices.ContainsFunc(list, func(x oauth.Exchange) bool {
		return x.Status == http.StatusOK && oauth.Page{HTML: string(x.Body)}.Kind() == oauth.Consent
	})
}
