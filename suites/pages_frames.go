package suites

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	"golang.org/x/net/html"
	"golang.org/x/net/publicsuffix"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// A sighted is a page of the server as somebody comes to it.
type sighted struct {
	name    string
	person  *person
	request oauth.Request
	answer  oauth.Exchange // the page itself, got over plain HTTP
}

// The pages that the specs look at.
const (
	signInPage  = "the sign-in page"
	consentPage = "the consent page"
	errorPage   = "an error page"
)

// sighted is the page, and who sees it.
func (s *session) sighted(ctx context.Context, name string) sighted {
	if s.Browser == nil {
		s.inconclusive("only a browser can tell. %s", s.NoBrowser)
	}
	c, g := s.frontClient()
	out := sighted{name: name, request: s.asking(c, g, oauth.Titled("open "+name))}
	held := s.only(nil)
	switch name {
	case consentPage:
		s.requires(target.AuthorizationCode)
		p := s.browsing(ctx, s.user(0))
		out.person, out.request = nobody(p), s.consentPage(ctx, p)
		held = s.heldBy(ctx, p)
	case errorPage:
		out.person = s.onlooker(ctx)
		out.request = out.request.Changed(oauth.SetQuery("redirect_uri", foreignURI))
	default:
		out.person = s.onlooker(ctx)
	}
	l := s.chase(ctx, out.request, held)
	if l.Kind == oauth.Redirected {
		s.notApplicable("%s does not come up: %s", name, landed(l))
	}
	out.answer = l.Trail[len(l.Trail)-1]
	if kind := mediaType(out.answer); kind != "" && !strings.Contains(kind, "html") {
		s.notApplicable("what comes is no page, but %s", printable(kind))
	}
	return out
}

// consentPage is a request that shows the person a consent page, for specs that only look at it.
func (s *session) consentPage(ctx context.Context, p *person) oauth.Request {
	if s.consenting == nil {
		r := s.consentable(ctx, p, target.AuthorizationCode)
		s.consenting = &r
	}
	return s.consenting.Changed(oauth.SetQuery("state", oauth.NewState()), oauth.Titled("open "+consentPage))
}

// framedPages says that no other site gets to show a page of the server as part of its own.
func framedPages(s *session) {
	DescribeTable("cannot be framed by another site:", table, proves("RFC9700-4.16-framing-blocked"),
		func(ctx SpecContext, name string) {
			p := s.sighted(ctx, name)
			s.seen.expected = "a refusal to show the page in a frame, by frame-ancestors"
			site := s.foreign().framing(oauth.Params{{Name: "framed", Value: p.request.FullURL()}})
			sight := s.watch(ctx, p.person, oauth.Visit{URL: site, RedirectURIs: s.caught(p.request), Consent: oauth.Stop},
				oauth.Watching{Hosts: []string{s.foreign().host()}})
			var frame *oauth.Frame
			for i := range sight.Frames {
				if sight.Frames[i].Name == "framed" {
					frame = &sight.Frames[i] // the last counts
				}
			}
			s.seen.decide(p.answer)
			ancestors, options := framePolicy(p.answer.Header)
			switch {
			case frame == nil:
				s.inconclusive("the frame came to nothing: %s", landed(sight.Landing))
			case !frame.Refused && name == errorPage && !clickable(p.answer.Body):
				s.warn("another site shows the error page in a frame; there is nothing to click on it")
			case !frame.Refused:
				s.violated("another site shows %s in a frame", printable(before(frame.URL, "?")))
			case ancestors:
			case options:
				s.warn("X-Frame-Options alone keeps the page from being framed; there is no Content-Security-Policy with frame-ancestors")
			default:
				s.warn("nothing in the answer keeps the page from being framed; another page came in the frame, without the session's cookies")
			}
		},
		Entry(signInPage, signInPage),
		Entry(consentPage, consentPage),
		Entry(errorPage, errorPage),
	)
}

// clickable says whether there is anything on the page that a user could be made to click.
func clickable(page []byte) bool {
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return true
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && slices.Contains([]string{"form", "input", "button", "a", "script", "iframe"}, n.Data) {
			return true
		}
	}
	return false
}

// framePolicy says whether the header keeps other sites from framing the answer: by frame-ancestors, or by
// X-Frame-Options.
func framePolicy(h http.Header) (ancestors, options bool) {
	for _, policy := range h.Values("Content-Security-Policy") {
		for directive := range strings.FieldsFuncSeq(strings.ToLower(policy), func(c rune) bool { return c == ';' || c == ',' }) {
			words := strings.Fields(directive)
			if len(words) == 0 || words[0] != "frame-ancestors" {
				continue
			}
			open := slices.ContainsFunc(words[1:], func(source string) bool { return source == "*" || source == "http:" || source == "https:" })
			ancestors = ancestors || !open
		}
	}
	for value := range strings.SplitSeq(strings.ToLower(strings.Join(h.Values("X-Frame-Options"), ",")), ",") {
		value = strings.TrimSpace(value)
		options = options || value == "deny" || value == "sameorigin"
	}
	return ancestors, options
}

// talkativePages says that the pages tell other sites nothing.
func talkativePages(s *session) {
	DescribeTable("do not tell the next site their address:", table, proves("RFC9700-4.2.4-referrer-suppressed"),
		func(ctx SpecContext, name string) {
			look := s.look(ctx, name)
			s.seen.expected = "no Referer, or one without the query"
			s.seen.decide(look.page.answer)
			if look.next == nil {
				s.inconclusive("a link from the page to another site led to no request there")
			}
			if referer := look.next.Get("Referer"); strings.Contains(referer, "?") {
				s.violated("a link from the page to another site sends a Referer with the query of %s", printable(before(referer, "?")))
			}
			if !refersBy(look.page.answer) {
				s.note("the page sets no referrer policy; browsers of today hide the query by themselves")
			}
		},
		Entry(signInPage, signInPage),
		Entry(consentPage, consentPage),
		Entry(errorPage, errorPage),
	)

	DescribeTable("load nothing from third parties:", table, proves("RFC9700-4.2.4-no-third-party-resources"),
		func(ctx SpecContext, name string) {
			look := s.look(ctx, name)
			s.seen.expected = "requests to the server's own hosts"
			s.seen.decide(look.page.answer)
			var third []string
			for _, f := range look.sight.Requests {
				if f.Kind != "Document" && !f.Blocked {
					third = append(third, s.thirdParty(f.URL)...)
				}
			}
			for _, f := range look.sight.Frames {
				third = append(third, s.thirdParty(f.URL)...)
			}
			slices.Sort(third)
			if third = slices.Compact(third); len(third) > 0 {
				s.violated("the page loads something from %s", printable(strings.Join(third, ", ")))
			}
		},
		Entry(signInPage, signInPage),
		Entry(consentPage, consentPage),
		Entry(errorPage, errorPage),
	)
}

// A look is a page as a browser shows it, and what the site learns that a link from it leads to.
type look struct {
	page  sighted
	sight oauth.Sight
	next  http.Header
}

// look opens the page once a run, and leaves it by a link to the foreign site.
func (s *session) look(ctx context.Context, name string) look {
	if seen, ok := s.looks[name]; ok {
		return seen
	}
	p := s.sighted(ctx, name)
	next := s.foreign().publish("<p>away")
	sight := s.watch(ctx, p.person, oauth.Visit{URL: p.request.FullURL(), RedirectURIs: s.caught(p.request), Consent: oauth.Stop},
		oauth.Watching{Hosts: []string{s.foreign().host()}, Leave: next})
	if s.looks == nil {
		s.looks = map[string]look{}
	}
	s.looks[name] = look{p, sight, s.foreign().visited(next)}
	return s.looks[name]
}

// refersBy says whether the page sets a referrer policy, in its header or in itself.
func refersBy(x oauth.Exchange) bool {
	if x.Header.Get("Referrer-Policy") != "" {
		return true
	}
	root, err := html.Parse(bytes.NewReader(x.Body))
	if err != nil {
		return false
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "meta" && slices.ContainsFunc(n.Attr, func(a html.Attribute) bool {
			return a.Key == "name" && strings.EqualFold(a.Val, "referrer")
		}) {
			return true
		}
	}
	return false
}

// thirdParty is the URL's host where it is none of the server's, nor of the same site.
func (s *session) thirdParty(raw string) []string {
	u, err := url.Parse(raw)
	if err != nil || !slices.Contains([]string{"http", "https", "ws", "wss"}, u.Scheme) || s.own(u) || u.Host == s.foreign().host() {
		return nil
	}
	e := s.target.Endpoints
	for _, own := range []string{s.target.URL, e.Authorization, e.Token} {
		if o, err := url.Parse(own); err == nil && site(o.Hostname()) == site(u.Hostname()) {
			return nil
		}
	}
	return []string{u.Host}
}

// site is the part of a host name that somebody registered.
func site(host string) string {
	if registered, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return registered
	}
	return host
}
