package suites

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// oddURIs asks for redirects to what is no absolute URI of the web.
func oddURIs(s *session, g target.Grant) {
	if g != target.AuthorizationCode {
		return // the redirect URI is read before the response type matters
	}
	DescribeTable("refuses a redirect URI that is not absolute and harmless", table, proves("RFC6749-3.1.2-absolute-safe-scheme"),
		func(ctx SpecContext, spoil spoiler) { s.refusesURI(ctx, s.redirecting(g), g, spoil, false) },
		Entry("a path from the root", verbatimURI("/"+marker)),
		Entry("a path from here", verbatimURI(marker)),
		Entry("a URI without a scheme", verbatimURI("//"+foreignHost+"/callback")),
		Entry("a script", verbatimURI("javascript:alert(1)//"+marker)),
		Entry("a document in the URI", verbatimURI("data:text/html,"+marker)),
		Entry("a file", verbatimURI("file:///"+marker)),
		Entry("8 KB", verbatimURI(foreignURI+"/"+strings.Repeat("a", 8<<10))),
	)

	DescribeTable("refuses a redirect URI that is not absolute and harmless", table, proves("RFC6749-3.1.2-absolute-safe-scheme"),
		func(ctx SpecContext) {
			c := s.redirecting(g)
			s.authorizes(ctx, c, g)
			r := s.asking(c, g, oauth.SetQuery("redirect_uri", ""), oauth.Titled("send an empty redirect URI"))
			l := s.play(ctx, r)
			s.seen.expected = "an error page, or a redirect to a registered URI"
			if l.Kind == oauth.Redirected && !oauth.Lands(l.URL, c.RedirectURIs...) && s.fateOf(l, r, c.RedirectURI(g)) == taken {
				s.violated("%s", landed(l))
			}
		},
		Entry("an empty value"),
	)
}

// loopbackURIs says what is free about a loopback redirect URI: its port (RFC 8252 §7.3).
func loopbackURIs(s *session) {
	g := target.AuthorizationCode
	changed := func(spoil func(u *webURI)) spoiler {
		return part(func(u *webURI) bool {
			u.port = map[bool]string{true: "7779", false: "7778"}[u.port == "7778"]
			spoil(u)
			return true
		})
	}
	DescribeTable("the authorization endpoint, asked for a redirect to the user's machine,", table, proves("RFC8252-7.3-loopback-port-only"), flow(g),
		func(ctx SpecContext, spoil spoiler, fine bool) {
			c := s.registeredFor(g, "an http redirect URI with a loopback address", func(uri string) bool {
				return loopbackAddress(uri) && strings.HasPrefix(uri, "http:")
			})
			if !fine {
				s.forcedUnlessRefused(ctx, c, spoil)
				return
			}
			s.authorizes(ctx, c, g)
			r := s.asking(c, g, oauth.SetQuery("redirect_uri", spoil(c.RedirectURI(g))), oauth.Titled("ask for a redirect to "+variant()))
			l := s.play(ctx, r)
			s.seen.expected = "a redirect to the port that was asked for"
			if !issued(l) || !oauth.Lands(l.URL, spoil(c.RedirectURI(g))) {
				s.violated("%s", landed(l))
			}
		},
		Entry("another port", changed(func(*webURI) {}), true),
		Entry("another port and another path", changed(func(u *webURI) { u.path += "/" + marker }), false),
		Entry("another port and another host", changed(func(u *webURI) { u.host = foreignHost }), false),
		Entry("another port and https", changed(func(u *webURI) { u.scheme = "https" }), false),
	)
}

// forcedUnlessRefused holds the URI to a refusal: whatever is free about a loopback URI, an answer
// that leaves for a place nobody registered is a failure in every profile.
func (s *session) forcedUnlessRefused(ctx SpecContext, c target.Client, spoil spoiler) {
	s.seen.forced = reports.Fail
	s.refusesURI(ctx, c, target.AuthorizationCode, spoil, false)
}

// shownErrors says what a person sees of an error that must not be redirected.
func shownErrors(s *session) {
	g := target.AuthorizationCode
	It("shows the user what is wrong with a request that leads nowhere", proves("RFC6749-3.1.2.4-error-is-shown"), flow(g), func(ctx SpecContext) {
		s.requires(g)
		c := s.redirecting(g)
		s.authorizes(ctx, c, g)
		r := s.asking(c, g, oauth.SetQuery("redirect_uri", foreignURI), oauth.Titled("ask for a redirect to a foreign host"))
		l := s.visit(ctx, s.browsing(ctx, s.user(0)), r, oauth.Accept)
		s.seen.expected = "a page with an error that can be read"
		switch {
		case l.Kind == oauth.Redirected:
			s.inconclusive("no page was shown: %s", landed(l))
		case l.Page == nil:
			s.inconclusive("the user agent tells of no page")
		case l.Page.Status >= 500:
			s.violated("%s", landed(l))
		case len(strings.Fields(l.Page.Text)) < 2:
			s.violated("the page is blank: %s", landed(l))
		}
	})
}
