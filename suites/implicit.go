package suites

import (
	"context"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// implicit says what a deployment owes a page that asks for a token in its own URL (RFC 6749 §4.2),
// or that it owes nothing (RFC 9700 §2.1.2).
func implicit(s *session) {
	Describe("the implicit grant", flow(target.Implicit), func() {
		BeforeEach(func() { s.requires(target.Implicit) })

		It("issues a token that opens the resource", proves("RFC6749-4.2-issues-token"), func(ctx SpecContext) {
			l := s.land(ctx, s.person(ctx, s.user(0)), s.implicitRequest(), oauth.Accept)
			s.seen.expected = "a redirect to the client with an access token"
			token := l.Params().Get("access_token")
			if l.Kind != oauth.Redirected || token == "" {
				s.violated("%s", landed(l))
			}
			s.opensAs(ctx, token, s.user(0))
		})

		It("delivers the token in the fragment and nowhere else", proves("RFC6749-4.2.2-fragment-not-query"), func(ctx SpecContext) {
			l := s.implicitLanding(ctx, s.implicitRequest())
			s.seen.expected = "access_token in the fragment of the redirect URI, not in its query, a cookie or a page"
			token := l.Params().Get("access_token")
			switch {
			case l.Query.Has("access_token"):
				s.violated("the token came in the query: %s", landed(l))
			case !l.Fragment.Has("access_token"):
				s.violated("the fragment has no access_token: %s", landed(l))
			}
			for _, x := range l.Trail {
				if strings.Contains(strings.Join(x.Header.Values("Set-Cookie"), "\n"), token) {
					s.seen.decide(x)
					s.violated("a cookie holds the token")
				}
				// A page that leaves for the client by itself has to hold the token.
				if redirected(l) && strings.Contains(string(x.Body), token) && !redirectNote(x, token) {
					s.seen.decide(x)
					s.violated("the body of a page holds the token")
				}
			}
		})

		It("says all that has to stand beside the token", proves("RFC6749-4.2.2-required-members"), func(ctx SpecContext) {
			r := s.implicitRequest()
			l := s.implicitLanding(ctx, r)
			s.seen.expected = "token_type Bearer, the state that was sent, and scope if it is another than was asked for"
			p := l.Params()
			if !strings.EqualFold(p.Get("token_type"), "bearer") {
				s.violated("token_type is %q: %s", printable(p.Get("token_type")), landed(l))
			}
			if states(p) != 1 || p.Get("state") != r.Query.Get("state") {
				s.violated("the state is not the one that was sent, once: %s", landed(l))
			}
			asked := r.Query.Get("scope")
			if claimed, known := claimedScope(p.Get("access_token")); known && asked != "" && !sameScope(claimed, asked) && !p.Has("scope") {
				s.violated("the token has scope %q, %q was asked for, and the answer does not say so", claimed, asked)
			}
			switch lifetime := p.Get("expires_in"); {
			case lifetime == "":
				s.warn("expires_in is missing, so that the client cannot know how long the token lives")
			case strings.Trim(lifetime, "0123456789") != "":
				s.violated("expires_in is %q, not a number of seconds: %s", printable(lifetime), landed(l))
			}
		})

		It("issues no refresh token", proves("RFC6749-4.2.2-no-refresh-token"), func(ctx SpecContext) {
			for _, ask := range []oauth.Change{oauth.Titled("ask for a token"), both(s.driver.ForRefresh(), oauth.Titled("ask for a token as one asks for a refresh token"))} {
				r := s.implicitRequest().Changed(ask)
				l := s.visit(ctx, s.browsing(ctx, s.user(0)), r, oauth.Accept)
				s.seen.expected = "a token, and no refresh_token beside it"
				if l.Query.Has("refresh_token") || l.Fragment.Has("refresh_token") {
					s.violated("a refresh token came: %s", landed(l))
				}
				if l.Params().Get("access_token") == "" && r.Title == "ask for a token" {
					s.inconclusive("no token came: %s", landed(l))
				}
			}
		})

		DescribeTable("delivers in the fragment", table, proves("RFC6749-4.2.2.1-error-in-fragment"),
			func(ctx SpecContext, provoke func(ctx SpecContext) (oauth.Request, oauth.Landing)) {
				r, l := provoke(ctx)
				s.seen.expected = "a redirect with error and state in the fragment"
				switch {
				case l.Params().Get("access_token") != "":
					s.inconclusive("a token was issued instead of an error: %s", landed(l))
				case l.Query.Has("error") && !l.Fragment.Has("error"):
					s.violated("the error came in the query: %s", landed(l))
				case !l.Fragment.Has("error"):
					s.inconclusive("no error was redirected: %s", landed(l))
				case states(l.Fragment) != 1 || l.Fragment.Get("state") != r.Query.Get("state"):
					s.violated("the state is not the one that was sent, once: %s", landed(l))
				}
			},
			Entry("an invalid scope", func(ctx SpecContext) (oauth.Request, oauth.Landing) {
				r := s.implicitRequest(oauth.SetQuery("scope", s.forbidden()), oauth.Titled("ask for a token with a scope that nobody may have"))
				return r, s.visit(ctx, s.browsing(ctx, s.user(0)), r, oauth.Accept)
			}),
			Entry("a refusal by the user", func(ctx SpecContext) (oauth.Request, oauth.Landing) {
				r := s.implicitRequest(oauth.Titled("ask for a token, which the user refuses"))
				return r, s.refusing(ctx, r)
			}),
		)
	})

	Describe("the implicit grant, which should be gone", flow(target.Implicit), func() {
		It("is refused", proves("RFC9700-2.1.2-implicit-refused"), func(ctx SpecContext) {
			c := s.pageClient()
			r := s.authorize(c, target.Implicit, oauth.Titled("ask for a token"))
			if c.RedirectURI(target.Implicit) == "" {
				r = r.Changed(oauth.SetQuery("redirect_uri", c.RedirectURI(target.AuthorizationCode)))
			}
			Expect(s.land(ctx, s.person(ctx, s.user(0)), r, oauth.Accept)).
				To(s.bringError("unsupported_response_type", "unauthorized_client").orWarn("invalid_request", "access_denied").orPage(reports.Pass))
		})
	})
}

// implicitRequest is the ordinary request for a token of the first client with the implicit grant.
func (s *session) implicitRequest(changes ...oauth.Change) oauth.Request {
	c := s.client("client with the grant "+string(target.Implicit), func(c target.Client) bool { return c.Has(target.Implicit) })
	return s.authorize(c, target.Implicit, append([]oauth.Change{oauth.Titled("ask for a token")}, changes...)...)
}

// implicitLanding is the browser at the client with a token; without one nothing is proved.
func (s *session) implicitLanding(ctx context.Context, r oauth.Request) oauth.Landing {
	l := s.visit(ctx, s.browsing(ctx, s.user(0)), r, oauth.Accept)
	if l.Kind != oauth.Redirected || l.Params().Get("access_token") == "" && l.Query.Get("access_token") == "" {
		s.inconclusive("no token came: %s", landed(l))
	}
	return l
}

// refusing plays the request as a user who is asked and refuses. Consent is remembered, so it takes one
// who has not given it.
func (s *session) refusing(ctx context.Context, r oauth.Request) oauth.Landing {
	var l oauth.Landing
	for _, u := range slices.Backward(s.target.Users) {
		if u.Sacrificial {
			continue
		}
		l = s.visit(ctx, s.browsing(ctx, u), r, oauth.Deny)
		if l.Params().Get("access_token") == "" {
			return l
		}
	}
	s.inconclusive("no user is asked for consent, so that none can refuse it: %s", landed(l))
	return l
}

// pageClient is the client that is likeliest to be given a token at the authorization endpoint.
func (s *session) pageClient() target.Client {
	for _, fits := range []func(c target.Client) bool{
		func(c target.Client) bool { return c.Has(target.Implicit) },
		func(c target.Client) bool { return c.Public && c.Has(target.AuthorizationCode) },
	} {
		for _, c := range s.target.Clients {
			if !c.Sacrificial && fits(c) {
				return c
			}
		}
	}
	return s.holder(target.AuthorizationCode)
}

// states counts the state parameters.
func states(p oauth.Params) int {
	n := 0
	for _, q := range p {
		if q.Name == "state" {
			n++
		}
	}
	return n
}

// redirectNote says whether a body is the note that HTTP servers add to a redirect: its target, and no more.
func redirectNote(x oauth.Exchange, token string) bool {
	return x.Redirects() && strings.Contains(x.Location(), token) && len(x.Body) < len(x.Location())+512
}
