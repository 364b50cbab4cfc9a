package suites

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// refreshToken says what a deployment owes a client that redeems a refresh token (RFC 6749 §6), and
// what it owes the user when somebody else does.
func refreshToken(s *session) {
	Describe("the refresh token grant", flow(target.RefreshToken), func() {
		const rt = target.RefreshToken
		BeforeEach(func() { s.requires(rt) })

		DescribeTable("exchanges a refresh token for a new access token that opens the resource", table, proves("RFC6749-6-issues-token"),
			func(ctx SpecContext, client func() target.Client) {
				c := client()
				old := s.refreshable(ctx, c)
				x := s.send(ctx, s.driver.Refresh(c, old.RefreshToken, ""))
				Expect(x).To(s.beTokenAnswer())
				fresh := s.granted(x).AccessToken
				s.opensAs(ctx, fresh, s.user(0))
				if fresh == old.AccessToken {
					s.note("the answer repeats the access token that was issued before, which still works")
				}
			},
			Entry("of a confidential client", func() target.Client { return s.confidential(rt) }),
			Entry("of a public client", func() target.Client { return s.public(rt) }),
		)

		DescribeTable("asks a confidential client to authenticate, who sends", table, proves("RFC6749-6-client-auth-required"),
			func(ctx SpecContext, spoil func(c target.Client) oauth.Change) {
				s.control(ctx, rt)
				c := s.confidential(rt)
				token := s.refreshable(ctx, c).RefreshToken
				Expect(s.send(ctx, s.driver.Refresh(c, token, "", spoil(c)))).
					To(s.beRefused("invalid_client").orNote("invalid_request").orAnyCode(reports.Warn))
				after := s.send(ctx, s.driver.Refresh(c, token, "", oauth.Titled("redeem it with credentials after all")))
				if !after.IssuedToken() {
					s.warn("after the refused attempt the refresh token is dead for the client itself: %s", answered(after))
				}
			},
			Entry("no credentials", func(target.Client) oauth.Change {
				return both(oauth.NoAuth(), oauth.Titled("redeem it without credentials"))
			}),
			Entry("the client_id only", func(c target.Client) oauth.Change {
				return both(oauth.ClientIDOnly(c.ID), oauth.Titled("redeem it with the client_id only"))
			}),
			Entry("a wrong secret", func(c target.Client) oauth.Change {
				return both(s.driver.Basic(c.ID, oauth.NewState()), oauth.Titled("redeem it with a wrong secret"))
			}),
		)

		DescribeTable("accepts a refresh token from no client but its own, not from", table, proves("RFC6749-6-bound-to-client"),
			func(ctx SpecContext, thief func(c target.Client) target.Client) {
				c := s.confidential(rt)
				other := thief(c)
				s.positive("refresh_token of "+other.Name, func() oauth.Exchange {
					return s.send(ctx, s.driver.Refresh(other, s.refreshable(ctx, other).RefreshToken, ""))
				})
				token := s.refreshable(ctx, c).RefreshToken
				Expect(s.send(ctx, s.driver.Refresh(other, token, "", oauth.Titled("redeem the refresh token of "+c.Name+" as "+other.Name)))).
					To(s.beRefused("invalid_grant").orAnyCode(reports.Warn))
			},
			Entry("another confidential client", func(c target.Client) target.Client { return s.other(c, rt) }),
			Entry("a public client", func(target.Client) target.Client { return s.public(rt) }),
		)

		DescribeTable("refuses", table, proves("RFC6749-6-invalid-token-refused"),
			func(ctx SpecContext, code string, spoil func(token string) oauth.Change) {
				s.control(ctx, rt)
				c := s.holder(rt)
				token := s.refreshable(ctx, c).RefreshToken
				Expect(s.send(ctx, s.driver.Refresh(c, token, "", spoil(token)))).
					To(s.beRefused(code).withUsualStatus(400).orWarnStatus(401, 403).orAnyCode(reports.Warn))
			},
			Entry("a request without a refresh token", "invalid_request", func(string) oauth.Change {
				return both(oauth.Without("refresh_token"), oauth.Titled("leave out refresh_token"))
			}),
			Entry("a token that nobody issued", "invalid_grant", func(string) oauth.Change {
				return both(oauth.Set("refresh_token", oauth.NewVerifier()), oauth.Titled("redeem a random refresh token"))
			}),
			Entry("a token with one character changed", "invalid_grant", func(t string) oauth.Change {
				return both(oauth.Set("refresh_token", flip(t, significant(t, len(t)/2))), oauth.Titled("change one character of the refresh token"))
			}),
			Entry("a token with another end", "invalid_grant", func(t string) oauth.Change {
				return both(oauth.Set("refresh_token", flip(t, significant(t, len(t)-2))), oauth.Titled("change the end of the refresh token"))
			}),
			Entry("a JWT with a changed payload", "invalid_grant", func(t string) oauth.Change {
				if _, is := oauth.ParseJWT(t); !is {
					s.notApplicable("the refresh tokens are opaque")
				}
				spoilt := reassemble(t, nil, func(claims map[string]any) { claims["sub"] = "someone-else" }, "")
				return both(oauth.Set("refresh_token", spoilt), oauth.Titled("change the payload of the refresh token"))
			}),
		)

		It("keeps the scope when none is asked for", proves("RFC6749-6-scope-omitted-keeps"), func(ctx SpecContext) {
			c := s.holder(rt)
			asked := s.pair()[0]
			first := s.refreshableWith(ctx, c, asked)
			x := s.send(ctx, s.driver.Refresh(c, first.RefreshToken, "", oauth.Titled("redeem the refresh token without a scope")))
			Expect(x).To(s.beTokenAnswer())
			s.seen.expected = "a token with the scope that the user granted"
			before, known := s.toldScope(first)
			after, knownToo := s.toldScope(s.granted(x))
			switch {
			case known && knownToo:
				if !sameScope(before, after) {
					s.violated("scope %q was granted, scope %q came", before, after)
				}
			case known && !knownToo: // left out means identical (RFC 6749 §5.1); what the token is worth decides
				s.mayNotOpenMore(ctx, s.granted(x).AccessToken, before)
			default:
				s.notApplicable("nothing tells what scope a token has: neither the answer nor the token")
			}
		})

		It("narrows the scope when less is asked for", proves("RFC6749-6-scope-narrowing"), func(ctx SpecContext) {
			pair := s.pair()
			c := s.holder(rt)
			first := s.refreshableWith(ctx, c, strings.Join(pair, " "))
			x := s.send(ctx, s.driver.Refresh(c, first.RefreshToken, pair[0], oauth.Titled("redeem the refresh token for one of its two scopes")))
			s.seen.decide(x)
			s.seen.expected = "a token limited to the narrower scope"
			if !x.IssuedToken() {
				Expect(x).To(s.beRefused("invalid_scope").orAnyCode(reports.Note))
				s.warn("a narrower scope is refused: %s", answered(x))
				return
			}
			s.narrowed(ctx, s.granted(x), pair)
		})

		DescribeTable("never yields a scope that the user did not grant, asked for", table, proves("RFC6749-6-scope-widening-refused"),
			func(ctx SpecContext, wish func(granted string) string) {
				c := s.holder(rt)
				granted := s.pair()[0]
				wanted := wish(granted)
				first := s.refreshableWith(ctx, c, granted)
				if told, known := s.toldScope(first); known {
					if granted = told; within(wanted, told) {
						s.notApplicable("the server grants scope %q to a request for %q, so there is nothing left to widen", told, s.pair()[0])
					}
				}
				x := s.send(ctx, s.driver.Refresh(c, first.RefreshToken, wanted, oauth.Titled("redeem the refresh token for more scope")))
				s.seen.decide(x)
				s.seen.expected = "invalid_scope, or a token without the new scope"
				if !x.IssuedToken() {
					Expect(x).To(s.beRefused("invalid_scope").orAnyCode(reports.Note))
					return
				}
				// That the answer tells is for the row about that.
				s.within(ctx, x, append(strings.Fields(granted), s.target.Refresh.Scope))
			},
			Entry("a scope more", func(granted string) string { return granted + " " + s.third() }),
			Entry("another scope", func(string) string { return s.third() }),
			Entry("everything at once", func(string) string {
				if s.target.Profile != "space" {
					s.notApplicable("only Space has a word for everything")
				}
				return "**"
			}),
		)
	})
	rotation(s)
}

// significant is the nearest place at or before i where another character is another token: the last
// one of a base64 part may hold bits that mean nothing.
func significant(t string, i int) int {
	word := func(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }
	for ; i > 0; i-- {
		if word(t[i]) && i+1 < len(t) && word(t[i+1]) {
			return i
		}
	}
	return 0
}

// toldScope is the scope that a token or its answer names. What only asks for the refresh token is no
// right, and left out.
func (s *session) toldScope(t oauth.TokenAnswer) (string, bool) {
	scope, known := claimedScope(t.AccessToken)
	if !known {
		scope, known = t.Scope, tells(t)
	}
	var words []string
	for _, w := range strings.Fields(scope) {
		if w != s.target.Refresh.Scope {
			words = append(words, w)
		}
	}
	return strings.Join(words, " "), known
}

// narrowed holds a token that was asked for with the first of two scopes to being without the second. What
// else a server adds to every token is its own business.
func (s *session) narrowed(ctx SpecContext, t oauth.TokenAnswer, pair []string) {
	GinkgoHelper()
	claimed, known := claimedScope(t.AccessToken)
	r := s.target.Resources.Scoped
	switch {
	case tells(t) && within(pair[1], t.Scope):
		s.warn("the narrower scope is overlooked, and the answer says so: %q", t.Scope)
	case known && within(pair[1], claimed):
		s.violated("the token has scope %q, and the answer does not say so", claimed)
	case known:
		return
	case r != nil && r.Scope == pair[1]:
		s.mayNotOpenMore(ctx, t.AccessToken, pair[0])
	case !tells(t):
		s.inconclusive("nothing tells what scope the token has: neither the answer, the token nor a resource that needs the second of scopes.pair (resources.scoped)")
	}
}

// mayNotOpenMore tries a token at the resource that needs a scope which it must not have.
func (s *session) mayNotOpenMore(ctx SpecContext, token, scope string) {
	GinkgoHelper()
	r := s.target.Resources.Scoped
	if r == nil || r.Scope == "" || within(r.Scope, scope) {
		return
	}
	if x := s.send(ctx, s.driver.Resource(*r, token)); x.Status/100 == 2 && !deniesInline(x) {
		s.seen.decide(x)
		s.violated("the token opens a resource that needs %q", r.Scope)
	}
}
