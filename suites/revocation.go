package suites

import (
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// The kinds of token that a client can revoke.
const (
	refreshKind = "refresh token"
	accessKind  = "access token"
)

// revocation says what a deployment owes a client that wants a token to end (RFC 7009).
func revocation(s *session) {
	Describe("the revocation endpoint", func() {
		BeforeEach(func() {
			if s.target.Endpoints.Revocation == "" {
				s.notApplicable("the target file names no revocation endpoint (endpoints.revocation)")
			}
		})

		DescribeTable("ends a refresh token of", table, proves("RFC7009-2-refresh-token-revoked"), flow(target.RefreshToken),
			func(ctx SpecContext, client func() target.Client) {
				c := client()
				s.refreshes(ctx, c)
				t := s.refreshable(ctx, c)
				s.revoked(ctx, c, t.RefreshToken)
				Expect(s.send(ctx, s.driver.Refresh(c, t.RefreshToken, "", oauth.Titled("redeem the refresh token after its revocation")))).
					To(s.beRefused("invalid_grant").orAnyCode(reports.Warn))
			},
			Entry("a confidential client", func() target.Client { return s.confidential(target.RefreshToken) }),
			Entry("a public client", func() target.Client { return s.public(target.RefreshToken) }),
		)

		It("ends an access token", proves("RFC7009-2-access-token-revoked"), func(ctx SpecContext) {
			t := s.expendable(ctx)
			x := s.send(ctx, s.driver.Revoke(t.client, t.value, ""))
			s.seen.decide(x)
			s.seen.expected = "200 and no use of the token afterwards, or unsupported_token_type"
			if x.ErrorCode() == "unsupported_token_type" {
				return
			}
			s.confirmed(x)
			s.seen.expected = "no use of the token after its revocation was confirmed"
			s.dies(ctx, t)
		})

		It("ends the access tokens of a grant with its refresh token", proves("RFC7009-2.1-refresh-revokes-access"), flow(target.RefreshToken), func(ctx SpecContext) {
			c := s.holder(target.RefreshToken)
			s.revokes(ctx, refreshKind)
			t := s.refreshable(ctx, c)
			access := expendable{c, s.protected("user", s.userResource()), t.AccessToken}
			s.opensNow(ctx, access)
			s.revoked(ctx, c, t.RefreshToken)
			s.seen.expected = "no use of the access token after the revocation of its refresh token"
			s.dies(ctx, access)
		})

		DescribeTable("answers 200 to a token that is worth nothing:", table, proves("RFC7009-2.2-unknown-token-200"),
			func(ctx SpecContext, worthless func(ctx SpecContext) (target.Client, string)) {
				c, token := worthless(ctx)
				x := s.send(ctx, s.driver.Revoke(c, token, "", oauth.Titled("revoke "+variant())))
				s.seen.decide(x)
				s.seen.expected = "200"
				switch {
				case putOff(x):
					s.inconclusive("the server throttles: %s", answered(x))
				case x.Status/100 != 2:
					s.violated("%s", answered(x))
				case x.Status != http.StatusOK:
					s.note("%s where 200 is right", answered(x))
				}
			},
			Entry("one that never was", func(ctx SpecContext) (target.Client, string) {
				return s.mayRevoke(ctx, false).client, "flowproof" + oauth.NewVerifier()
			}),
			Entry("one that was revoked before", func(ctx SpecContext) (target.Client, string) {
				t := s.mayRevoke(ctx, true)
				return t.client, t.value
			}),
			Entry("one that has expired", func(ctx SpecContext) (target.Client, string) {
				if !s.Slow {
					s.notApplicable("it waits for minutes: run with --slow")
				}
				t := s.expendable(ctx)
				s.outlive(ctx, t)
				return t.client, t.value
			}),
		)

		DescribeTable("revokes nothing for", table, proves("RFC7009-2.1-client-auth-required"), flow(target.RefreshToken),
			func(ctx SpecContext, spoil func(c target.Client) oauth.Change) {
				s.revokes(ctx, refreshKind)
				c := s.confidential(target.RefreshToken)
				t := s.refreshable(ctx, c)
				x := s.send(ctx, s.driver.Revoke(c, t.RefreshToken, "", spoil(c), oauth.Titled("revoke for "+variant())))
				s.survives(ctx, c, t.RefreshToken, x)
				s.seen.decide(x)
				s.seen.expected = "401 or 400, and a token that lives on"
				switch x.Status / 100 {
				case 2:
					s.warn("the token lives on, and yet its revocation is answered with %s", answered(x))
				case 3:
					s.warn("the token lives on, and yet the request is not refused in words that a client reads: %s", answered(x))
				case 5:
					s.warn("the token lives on, but only since the server broke down: %s", answered(x))
				}
			},
			Entry("somebody without credentials", func(target.Client) oauth.Change { return oauth.NoAuth() }),
			Entry("somebody with a wrong secret", func(c target.Client) oauth.Change { return s.wrongly(c) }),
			Entry("somebody who only names a confidential client", func(c target.Client) oauth.Change { return oauth.ClientIDOnly(c.ID) }),
		)

		DescribeTable("lets no client end another's", table, proves("RFC7009-2.1-foreign-token-untouched"),
			func(ctx SpecContext, kind string) {
				s.revokes(ctx, kind)
				title := oauth.Titled("revoke another client's " + kind)
				if kind == accessKind {
					t := s.expendable(ctx)
					x := s.send(ctx, s.driver.Revoke(s.foreigner(t.client), t.value, "", title))
					used := s.send(ctx, s.driver.Resource(t.resource, t.value, oauth.Titled("call with that token")))
					s.seen.decide(x)
					s.seen.expected = "an access token that lives on"
					if !opens(used) {
						s.violated("another client ended it (%s): %s", answered(x), answered(used))
					}
					return
				}
				c := s.confidential(target.RefreshToken)
				t := s.refreshable(ctx, c)
				s.survives(ctx, c, t.RefreshToken, s.send(ctx, s.driver.Revoke(s.foreigner(c), t.RefreshToken, "", title)))
			},
			Entry(refreshKind, flow(target.RefreshToken), refreshKind),
			Entry(accessKind, accessKind),
		)

		DescribeTable("finds a token whatever its hint says:", table, proves("RFC7009-2.1-hint-not-trusted"),
			func(ctx SpecContext, kind, hint string) {
				s.revokes(ctx, kind)
				title := oauth.Titled("revoke with the hint " + hint)
				if kind == accessKind {
					t := s.expendable(ctx)
					x := s.send(ctx, s.driver.Revoke(t.client, t.value, hint, title))
					s.seen.decide(x)
					s.seen.expected = "the end of the token"
					s.dies(ctx, t)
					return
				}
				c := s.holder(target.RefreshToken)
				t := s.refreshable(ctx, c)
				x := s.send(ctx, s.driver.Revoke(c, t.RefreshToken, hint, title))
				Expect(s.send(ctx, s.driver.Refresh(c, t.RefreshToken, ""))).To(s.beRefused())
				s.seen.decide(x)
				s.seen.expected = "200, and the end of the token"
				if x.Status/100 != 2 {
					s.note("the token is revoked, and yet the answer is %s", answered(x))
				}
			},
			Entry("a refresh token as access_token", flow(target.RefreshToken), refreshKind, "access_token"),
			Entry("a refresh token as something unknown", flow(target.RefreshToken), refreshKind, "flowproof_unknown"),
			Entry("an access token as refresh_token", accessKind, "refresh_token"),
		)
	})
}

// An expendable is an access token that no other spec needs, and a resource that it opens.
type expendable struct {
	client   target.Client
	resource target.Resource
	value    string
}

// expendable is a fresh access token whose use was proved: a client's own if there can be one, else a user's.
func (s *session) expendable(ctx SpecContext) expendable {
	GinkgoHelper()
	var t expendable
	if c, has := s.firstWith(target.ClientCredentials); has && s.applicationResource() != nil {
		t = expendable{c, *s.applicationResource(), s.granted(s.send(ctx, s.driver.ClientCredentials(c, s.applicationScope()))).AccessToken}
	} else {
		c := s.holder(target.AuthorizationCode)
		t = expendable{c, s.protected("user", s.userResource()), s.granted(s.send(ctx, s.redemption(s.code(ctx, c)))).AccessToken}
	}
	s.opensNow(ctx, t)
	return t
}

// opensNow is the control that the token is good before it is revoked. Servers that issue a live token
// again would take the controls of other specs along with it, so those are made anew.
func (s *session) opensNow(ctx SpecContext, t expendable) {
	for name, c := range s.controls {
		if issued, err := c.exchange.Token(); err == nil && issued.AccessToken == t.value {
			delete(s.controls, name)
		}
	}
	if x := s.send(ctx, s.driver.Resource(t.resource, t.value)); !opens(x) {
		s.seen.decide(x)
		s.inconclusive("the resource did not open to the token before its revocation: %s", answered(x))
	}
}

// opens says whether a resource opened.
func opens(x oauth.Exchange) bool { return x.Status/100 == 2 && !deniesInline(x) }

// dies ends the spec if the token still opens its resource.
func (s *session) dies(ctx SpecContext, t expendable) {
	GinkgoHelper()
	x := s.send(ctx, s.driver.Resource(t.resource, t.value, oauth.Titled("call with the token after the revocation")))
	s.seen.decide(x)
	switch {
	case x.Status >= 500 || throttled(x):
		s.inconclusive("the resource refused nobody and answered nobody: %s", answered(x))
	case !opens(x):
	case jwt(t.value):
		s.violated("the token, which is self-contained, opens the resource until it expires: %s", answered(x))
	default:
		s.violated("the token opens the resource: %s", answered(x))
	}
}

func jwt(token string) bool {
	_, is := oauth.ParseJWT(token)
	return is
}

// refreshes proves once a run that the client's refresh tokens work.
func (s *session) refreshes(ctx SpecContext, c target.Client) {
	s.positive("a refresh token of "+c.Name, func() oauth.Exchange {
		return s.send(ctx, s.driver.Refresh(c, s.refreshable(ctx, c).RefreshToken, ""))
	})
}

// revoked revokes a token and ends the spec unless that is confirmed.
func (s *session) revoked(ctx SpecContext, c target.Client, token string) {
	GinkgoHelper()
	s.confirmed(s.send(ctx, s.driver.Revoke(c, token, "")))
}

// confirmed ends the spec unless the answer confirms a revocation.
func (s *session) confirmed(x oauth.Exchange) {
	GinkgoHelper()
	s.seen.decide(x)
	s.seen.expected = "200: the token is revoked"
	switch {
	case putOff(x):
		s.inconclusive("the server is busy, and the token lives on (RFC 7009 §2.2.1): %s", answered(x))
	case x.Status == http.StatusUnauthorized || x.Status == http.StatusForbidden || x.ErrorCode() == "unsupported_token_type":
		s.inconclusive("the client may not revoke this token: %s", answered(x))
	case x.Status/100 != 2:
		s.violated("a live token of the client is not revoked: %s", answered(x))
	case x.Status != http.StatusOK:
		s.note("%s where 200 is right", answered(x))
	}
}

// mayRevoke is an access token that was revoked by its client. Where that is refused only because it is an
// access token, the client may use the endpoint all the same, which is enough for one that asks about another token.
func (s *session) mayRevoke(ctx SpecContext, confirmed bool) expendable {
	t := s.expendable(ctx)
	x := s.send(ctx, s.driver.Revoke(t.client, t.value, ""))
	if x.Status/100 != 2 && (confirmed || x.ErrorCode() != "unsupported_token_type") {
		s.seen.decide(x)
		s.inconclusive("the positive control, the revocation of a live access token, was not confirmed: %s", answered(x))
	}
	return t
}

// revokes proves once a run that tokens of the kind can be revoked at all: else that one lives on proves nothing.
func (s *session) revokes(ctx SpecContext, kind string) {
	name := "the revocation of a " + kind
	c, made := s.controls[name]
	if !made {
		var dead bool
		if kind == accessKind {
			t := s.expendable(ctx)
			c.exchange = s.send(ctx, s.driver.Revoke(t.client, t.value, ""))
			dead = !opens(s.send(ctx, s.driver.Resource(t.resource, t.value)))
		} else {
			owner := s.holder(target.RefreshToken)
			s.refreshes(ctx, owner)
			t := s.refreshable(ctx, owner)
			c.exchange = s.send(ctx, s.driver.Revoke(owner, t.RefreshToken, ""))
			dead = !s.send(ctx, s.driver.Refresh(owner, t.RefreshToken, "")).IssuedToken()
		}
		if !dead {
			c.failure = "the positive control (" + name + ") changed nothing: " + answered(c.exchange)
		}
		s.controls[name] = c
	}
	if c.failure != "" {
		s.seen.decide(c.exchange)
		s.inconclusive("%s", c.failure)
	}
}

// survives ends the spec if the refresh token did not outlive what was tried on it.
func (s *session) survives(ctx SpecContext, c target.Client, token string, tried oauth.Exchange) {
	GinkgoHelper()
	used := s.send(ctx, s.driver.Refresh(c, token, "", oauth.Titled("redeem that refresh token")))
	s.seen.decide(tried)
	s.seen.expected = "a refresh token that lives on"
	switch {
	case used.Status >= 500 || throttled(used):
		s.inconclusive("whether the token lives cannot be told: %s", answered(used))
	case !used.IssuedToken():
		s.violated("the token ended (%s): %s", answered(tried), answered(used))
	}
}

// foreigner is a confidential client other than the token's own, whatever its grants.
func (s *session) foreigner(c target.Client) target.Client {
	return s.client("second confidential client", func(o target.Client) bool { return !o.Public && o.Name != c.Name })
}

// wrongly authenticates the client in its own way with a wrong secret.
func (s *session) wrongly(c target.Client) oauth.Change {
	if c.Authentication == "body" {
		return oauth.BodyAuth(c.ID, "wrong"+oauth.NewState())
	}
	return oauth.BasicAuth(c.ID, "wrong"+oauth.NewState())
}

// outlive waits until the token has expired.
func (s *session) outlive(ctx SpecContext, t expendable) {
	for d := time.Minute; ; d *= 2 {
		s.pass(ctx, d)
		if x := s.send(ctx, s.driver.Resource(t.resource, t.value, oauth.Titled("see whether the token has expired"))); x.Status == http.StatusUnauthorized {
			return
		}
		if d > patience {
			s.inconclusive("the token lives for longer than is waited for (%s)", strings.TrimSuffix(patience.String(), "0s"))
		}
	}
}
