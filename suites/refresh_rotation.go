package suites

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// rotation says what becomes of refresh tokens that are replaced when used (RFC 6749 §6, RFC 9700 §4.14.2).
func rotation(s *session) {
	Describe("the rotation of refresh tokens", flow(target.RefreshToken), func() {
		BeforeEach(func() { s.requires(target.RefreshToken) })

		It("gives a new refresh token the scope of the one that it replaces", proves("RFC6749-6-new-refresh-same-scope"), func(ctx SpecContext) {
			c := s.rotating()
			pair := s.pair()
			first := s.refreshableWith(ctx, c, strings.Join(pair, " "))
			x := s.send(ctx, s.driver.Refresh(c, first.RefreshToken, pair[0], oauth.Titled("redeem the refresh token for one of its two scopes")))
			if !x.IssuedToken() {
				s.notApplicable("the server does not narrow: %s", answered(x))
			}
			second := s.rotated(x, first)
			y := s.send(ctx, s.driver.Refresh(c, second.RefreshToken, "", oauth.Titled("redeem the new refresh token without a scope")))
			Expect(y).To(s.beTokenAnswer())
			s.seen.expected = "a token with the scope that the user granted"
			before, known := s.toldScope(first)
			after, knownToo := s.toldScope(s.granted(y))
			if !known || !knownToo {
				s.notApplicable("nothing tells what scope a token has: neither the answer nor the token")
			}
			if !sameScope(before, after) {
				s.violated("scope %q was granted; after a narrower refresh only %q comes back", before, after)
			}
		})

		It("replaces the refresh token of a public client each time", proves("RFC9700-2.2.2-public-rotation"), func(ctx SpecContext) {
			c := s.public(target.RefreshToken)
			last := s.refreshable(ctx, c)
			for _, turn := range []string{"first", "second"} {
				x := s.send(ctx, s.driver.Refresh(c, last.RefreshToken, "", oauth.Titled("redeem the refresh token, the "+turn+" time")))
				next := s.granted(x)
				s.seen.decide(x)
				s.seen.expected = "a new refresh token in the place of the old one"
				switch next.RefreshToken {
				case "":
					s.violated("the answer has no new refresh token, so the old one is kept")
				case last.RefreshToken:
					s.violated("the answer repeats the refresh token")
				}
				last = next
			}
		})

		It("refuses a refresh token that was replaced", proves("RFC6749-6-rotated-token-refused"), func(ctx SpecContext) {
			c := s.rotating()
			first := s.refreshable(ctx, c)
			s.rotated(s.send(ctx, s.driver.Refresh(c, first.RefreshToken, "")), first)
			s.outlastGrace(ctx)
			Expect(s.send(ctx, s.driver.Refresh(c, first.RefreshToken, "", oauth.Titled("redeem the replaced refresh token again")))).
				To(s.beRefused("invalid_grant").orAnyCode(reports.Warn))
		})

		It("ends the whole family when a replaced refresh token is reused", proves("RFC9700-4.14.2-reuse-revokes-family"), func(ctx SpecContext) {
			c := s.rotating()
			s.positive("a second refresh of "+c.Name, func() oauth.Exchange {
				first := s.refreshable(ctx, c)
				second := s.rotated(s.send(ctx, s.driver.Refresh(c, first.RefreshToken, "")), first)
				return s.send(ctx, s.driver.Refresh(c, second.RefreshToken, ""))
			})
			first := s.refreshable(ctx, c)
			second := s.rotated(s.send(ctx, s.driver.Refresh(c, first.RefreshToken, "")), first)
			s.outlastGrace(ctx)
			if reused := s.send(ctx, s.driver.Refresh(c, first.RefreshToken, "", oauth.Titled("redeem the replaced refresh token again"))); reused.IssuedToken() {
				s.seen.decide(reused)
				s.inconclusive("the replaced refresh token still works, so nobody could notice its reuse: %s", answered(reused))
			}
			Expect(s.send(ctx, s.driver.Refresh(c, second.RefreshToken, "", oauth.Titled("redeem the newest refresh token after the reuse")))).
				To(s.beRefused("invalid_grant").orAnyCode(reports.Warn))
			if r := s.userResource(); r != nil && s.target.Profile == "oauth-2.1" {
				if x := s.send(ctx, s.driver.Resource(*r, second.AccessToken, oauth.Titled("use the newest access token after the reuse"))); x.Status/100 == 2 {
					s.warn("the access token of the family still opens the resource")
				}
			}
		})
	})
}

// rotating is a client whose refresh tokens are replaced: as the target file says, or because the
// profile demands it of public clients.
func (s *session) rotating() target.Client {
	switch {
	case s.target.Refresh.Rotation:
		return s.holder(target.RefreshToken)
	case s.target.Profile == "bcp-9700" || s.target.Profile == "oauth-2.1":
		return s.public(target.RefreshToken)
	}
	s.notApplicable("the target file does not say that refresh tokens rotate (refresh.rotation)")
	panic("unreachable: Skip does not return")
}

// rotated is an answer that replaced the refresh token; whether it has to is for the row about that.
func (s *session) rotated(x oauth.Exchange, old oauth.TokenAnswer) oauth.TokenAnswer {
	t := s.granted(x)
	if t.RefreshToken == "" || t.RefreshToken == old.RefreshToken {
		s.seen.decide(x)
		s.inconclusive("the refresh token was not replaced: %s", answered(x))
	}
	return t
}

// outlastGrace waits until a replaced refresh token has to be dead.
func (s *session) outlastGrace(ctx SpecContext) {
	grace := s.target.Refresh.Grace
	if grace <= 0 {
		return
	}
	if !s.Slow {
		s.notApplicable("a replaced refresh token may live for %v (refresh.grace): run with --slow", grace)
	}
	s.pass(ctx, grace+grace/10)
}

// userResource is a resource that a user's token opens, or nil.
func (s *session) userResource() *target.Resource {
	if r := s.target.Resources.User; r != nil {
		return r
	}
	return s.target.Resources.Any
}
