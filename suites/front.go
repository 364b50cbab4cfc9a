package suites

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// A person is a user with the session that their user agent keeps.
type person struct {
	user    target.User
	session oauth.Session
}

// person is the user, signed in through the front user agent.
func (s *session) person(ctx context.Context, u target.User) *person {
	if s.Front == nil {
		s.inconclusive("there is no user agent to sign %s in. %s", u.Name, s.NoBrowser)
	}
	return s.signedIn(ctx, s.Front, "front "+u.Name, u)
}

// browsing is the user, signed in in a real browser.
func (s *session) browsing(ctx context.Context, u target.User) *person {
	if s.Browser == nil {
		s.inconclusive("only a browser can tell. %s", s.NoBrowser)
	}
	if s.Browser == s.Front {
		return s.person(ctx, u)
	}
	return s.signedIn(ctx, s.Browser, "browser "+u.Name, u)
}

// signedIn signs the user in once a run: a valid authorization request, played to its end.
func (s *session) signedIn(ctx context.Context, agent oauth.UserAgent, key string, u target.User) *person {
	if p, ok := s.persons[key]; ok {
		return p
	}
	opened, err := agent.Session(s.ctx) // it outlives the spec that needed it first
	if err != nil {
		s.inconclusive("%v", err)
	}
	p := &person{user: u, session: opened}
	c, g := s.frontClient()
	r := s.authorize(c, g)
	if g == target.AuthorizationCode && s.ordinaryPKCE(c) {
		r = r.Changed(oauth.SetQuery("code_challenge", oauth.S256(oauth.NewVerifier())), oauth.SetQuery("code_challenge_method", "S256"))
	}
	l := s.visit(ctx, p, r, oauth.Accept)
	if l.Kind != oauth.Redirected {
		_ = opened.Close()
		s.inconclusive("%s could not sign in and come back to the client: %s", u.Name, landed(l))
	}
	if host := s.strayed(l, r); host != "" {
		_ = opened.Close()
		s.inconclusive("%s could not sign in: the server sends people to %s. If they sign in there, write sign_in_hosts: [%q] into the target file", u.Name, printable(host), host)
	}
	s.persons[key] = p
	return p
}

// strayed is the host of a landing that is at no client and brings none anything, as that of an identity provider
// which the target file does not name; or empty.
func (s *session) strayed(l oauth.Landing, r oauth.Request) string {
	u, err := url.Parse(l.URL)
	if err != nil || issued(l) || l.Params().Has("error") || oauth.Lands(l.URL, s.caught(r)...) {
		return ""
	}
	return u.Host
}

// stranger is a session that nobody is signed in to. It is closed with the run.
func (s *session) stranger(_ context.Context, agent oauth.UserAgent) *person {
	if agent == nil {
		s.inconclusive("there is no user agent. %s", s.NoBrowser)
	}
	opened, err := agent.Session(s.ctx)
	if err != nil {
		s.inconclusive("%v", err)
	}
	p := &person{session: opened}
	s.persons["stranger "+oauth.NewState()] = p
	return p
}

// frontClient is the client whose ordinary request signs people in.
func (s *session) frontClient() (target.Client, target.Grant) {
	for _, g := range []target.Grant{target.AuthorizationCode, target.Implicit} {
		for _, c := range s.target.Clients {
			if c.Has(g) && !c.Sacrificial && c.PKCE != "required" {
				return c, g
			}
		}
	}
	return s.client("client with the authorization code or implicit grant", func(c target.Client) bool {
		return c.Has(target.AuthorizationCode) || c.Has(target.Implicit)
	}), target.AuthorizationCode
}

// land plays an authorization request as the person: over plain HTTP with the session's cookies
// where the server answers by a redirect to a client or by an error page, else in the user agent.
func (s *session) land(ctx context.Context, p *person, r oauth.Request, d oauth.Decision) oauth.Landing {
	cookies, err := p.session.Cookies(ctx, s.target.Endpoints.Authorization)
	if err != nil {
		s.inconclusive("%v", err)
	}
	if p.user.Name != "" && len(cookies) == 0 {
		return s.visit(ctx, p, r, d)
	}
	if l, ended := s.glance(ctx, r, cookies); ended {
		return l
	}
	return s.visit(ctx, p, r, d)
}

// glance sends the authorization request once and says whether its answer is the end already.
func (s *session) glance(ctx context.Context, r oauth.Request, cookies []*http.Cookie) (oauth.Landing, bool) {
	x := s.send(ctx, r.Changed(withCookies(cookies)))
	s.seen.decide(x)
	if l, ok := x.Landing(s.caught(r)...); ok {
		l.Trail = []oauth.Exchange{x}
		return l, true
	}
	if to, err := url.Parse(x.Location()); err == nil && x.Status/100 == 3 && to.IsAbs() && !s.own(to) && !s.target.SignsInAt(x.Location()) {
		l := oauth.ParseLanding(x.Location())
		l.Via, l.Trail = http.StatusText(x.Status), []oauth.Exchange{x}
		return l, true
	}
	if x.Status >= 400 {
		return oauth.Landing{Kind: oauth.Shown, URL: r.FullURL(), Trail: []oauth.Exchange{x},
			Page: &oauth.Page{Status: x.Status, URL: r.FullURL(), Text: string(x.Body), HTML: string(x.Body)}}, true
	}
	return oauth.Landing{Kind: oauth.Shown, URL: r.FullURL(), Trail: []oauth.Exchange{x}}, false
}

// visit plays an authorization request in the person's user agent.
func (s *session) visit(ctx context.Context, p *person, r oauth.Request, d oauth.Decision) oauth.Landing {
	v := oauth.Visit{URL: r.FullURL(), RedirectURIs: s.caught(r), Consent: d, NoPicture: s.Bare}
	if p.user.Name != "" {
		v.User = &p.user
	}
	l, err := p.session.Visit(ctx, v)
	s.seen.show(l.Page)
	s.passive.land(r, l)
	if errors.Is(err, oauth.ErrNoRefusal) {
		s.notApplicable("a user cannot refuse: %v", err)
	}
	if err != nil {
		s.inconclusive("%q was not played to its end: %v", r.Title, err)
	}
	if len(l.Trail) > 0 {
		s.seen.decide(l.Trail[len(l.Trail)-1])
	}
	return l
}

// caught are the redirect URIs to catch: every registered one, and the one that is asked for.
func (s *session) caught(r oauth.Request) []string {
	out := s.target.RedirectURIs()
	for _, q := range r.Query {
		if q.Name == "redirect_uri" && q.Value != "" {
			out = append(out, q.Value)
			if whole := s.absolute(q.Value); whole != "" {
				out = append(out, whole)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// absolute is where a relative redirect URI would lead from the authorization endpoint; nothing for another.
func (s *session) absolute(uri string) string {
	to, err := url.Parse(uri)
	if err != nil || to.IsAbs() {
		return ""
	}
	from, err := url.Parse(s.target.Endpoints.Authorization)
	if err != nil {
		return ""
	}
	return from.ResolveReference(to).String()
}

// own says whether a URL is on a host of the authorization server.
func (s *session) own(u *url.URL) bool {
	for _, raw := range []string{s.target.URL, s.target.Endpoints.Authorization, s.target.Endpoints.Token} {
		if o, err := url.Parse(raw); err == nil && strings.EqualFold(o.Host, u.Host) {
			return true
		}
	}
	return false
}

// withCookies sends the session's cookies along.
func withCookies(cookies []*http.Cookie) oauth.Change {
	return func(r *oauth.Request) {
		var pairs []string
		for _, c := range cookies {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
		if len(pairs) > 0 {
			r.Header = r.Header.With("Cookie", strings.Join(pairs, "; "))
		}
	}
}
