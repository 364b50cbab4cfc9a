package suites

import (
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// clientCredentials says what a deployment owes a client that asks for itself (RFC 6749 §4.4),
// and how scope is read wherever a token is asked for (RFC 6749 §3.3).
func clientCredentials(s *session) {
	Describe("the client credentials grant", flow(target.ClientCredentials), func() {
		const cc = target.ClientCredentials

		It("issues a token that opens the resource", proves("RFC6749-4.4-issues-token"), func(ctx SpecContext) {
			x := s.send(ctx, s.tokenRequest(ctx, cc))
			Expect(x).To(s.beTokenAnswer())
			if r := s.applicationResource(); r != nil {
				Expect(s.send(ctx, s.driver.Resource(*r, s.granted(x).AccessToken))).To(s.beOpened())
			}
		})

		It("is for confidential clients only", proves("RFC6749-4.4-confidential-only"), func(ctx SpecContext) {
			c := s.client("public client", func(c target.Client) bool { return c.Public })
			s.control(ctx, cc)
			Expect(s.send(ctx, s.driver.ClientCredentials(c, "", oauth.Titled("ask as a public client")))).To(s.beRefused())
		})

		It("issues no refresh token", proves("RFC6749-4.4.3-no-refresh-token"), func(ctx SpecContext) {
			s.control(ctx, cc)
			for _, ask := range []oauth.Change{oauth.Titled("ask with client credentials"), s.driver.ForRefresh()} {
				x := s.send(ctx, s.tokenRequest(ctx, cc).Changed(ask))
				s.seen.decide(x)
				s.seen.expected = "a token answer without refresh_token"
				s.heard(x)
				if !x.IssuedToken() {
					continue // asking for one may be refused
				}
				if s.granted(x).Has["refresh_token"] {
					s.violated("a refresh token came with client credentials")
				}
			}
		})

		DescribeTable("grants no more scope than the client may have", table, proves("RFC6749-3.3-scope-not-escalated"),
			func(ctx SpecContext, ask func() string) {
				c := s.limited()
				s.positive("client_credentials of "+c.Name, func() oauth.Exchange {
					return s.send(ctx, s.driver.ClientCredentials(c, strings.Join(c.Scopes, " ")))
				})
				wanted := ask()
				x := s.send(ctx, s.driver.ClientCredentials(c, wanted, oauth.Titled("ask for more scope than the client may have")))
				s.seen.decide(x)
				s.seen.expected = "invalid_scope, or a token without that scope"
				if !x.IssuedToken() {
					Expect(x).To(s.beRefused("invalid_scope").orAnyCode(reports.Note))
					return
				}
				s.within(ctx, x, c.Scopes)
			},
			Entry("a scope of others", func() string { return s.third() }),
			Entry("a scope that nobody may have", func() string { return s.forbidden() }),
			Entry("everything at once", func() string { return "**" }),
		)

		It("reads scope as a set of case-sensitive words", proves("RFC6749-3.3-scope-order-and-case"), func(ctx SpecContext) {
			pair := s.pair()
			c := s.confidential(cc)
			forth := s.positive("client_credentials with two scopes", func() oauth.Exchange {
				return s.send(ctx, s.driver.ClientCredentials(c, pair[0]+" "+pair[1]))
			})
			back := s.send(ctx, s.driver.ClientCredentials(c, pair[1]+" "+pair[0], oauth.Titled("ask for the same scopes in reverse order")))
			Expect(back).To(s.beTokenAnswer())
			if a, b := s.scopeOf(forth, pair), s.scopeOf(back, pair); !sameScope(a, b) {
				s.violated("%q in one order, %q in the other", a, b)
			}
			other := swapCase(pair[0])
			folded := s.send(ctx, s.driver.ClientCredentials(c, other, oauth.Titled("ask for a scope in another letter case")))
			s.seen.decide(folded)
			s.seen.expected = "another scope: refused, or left out of the grant"
			if folded.IssuedToken() && slices.Contains(strings.Fields(s.scopeOf(folded, []string{other})), pair[0]) {
				s.violated("%q was taken for %q", other, pair[0])
			}
		})

		It("has an answer to a request without scope", proves("RFC6749-3.3-scope-omitted-default"), func(ctx SpecContext) {
			c := s.confidential(cc)
			if scope := s.target.Scopes.Narrow; scope != "" {
				s.positive("client_credentials with a narrow scope", func() oauth.Exchange {
					return s.send(ctx, s.driver.ClientCredentials(c, scope))
				})
			}
			x := s.send(ctx, s.driver.ClientCredentials(c, "", oauth.Without("scope"), oauth.Titled("ask without a scope")))
			s.seen.decide(x)
			s.seen.expected = "a token with the default scope, or invalid_scope"
			if !x.IssuedToken() {
				Expect(x).To(s.beRefused("invalid_scope").orWarn("invalid_request"))
			}
		})

		It("issues tokens that nobody takes for a person's", proves("RFC9700-4.15-client-not-user"), func(ctx SpecContext) {
			own := s.accessToken(ctx)
			persons := s.userToken(ctx, s.user(0)).AccessToken
			s.seen.expected = "another subject than a person's"
			a, isA := oauth.ParseJWT(own)
			b, isB := oauth.ParseJWT(persons)
			if isA && isB {
				if a.Claims["sub"] != nil && a.Claims["sub"] == b.Claims["sub"] {
					s.violated("the application's token and a person's have the same subject")
				}
				return
			}
			r := s.protected("user", s.target.Resources.User)
			x := s.send(ctx, s.driver.Resource(r, own))
			s.seen.decide(x)
			if x.Status/100 != 2 || deniesInline(x) || s.namesNobody(x, r) {
				return
			}
			_, says := members(x)[r.Subject]
			if !says && members(x) != nil && named(s.send(ctx, s.driver.Resource(r, persons)), r) != "" {
				s.note("the application's token opens a person's resource, which then names nobody: %s", answered(x))
				return
			}
			s.violated("the application's token opens a person's resource: %s", answered(x))
		})
	})
}

// applicationResource is a resource that an application's token opens, or nil.
func (s *session) applicationResource() *target.Resource {
	if r := s.target.Resources.Application; r != nil {
		return r
	}
	return s.target.Resources.Any
}

// limited is a confidential client whose allowance is known and narrow.
func (s *session) limited() target.Client {
	return s.client("confidential client_credentials client with a narrow, known allowance (scopes)", func(c target.Client) bool {
		return !c.Public && c.Has(target.ClientCredentials) && len(c.Scopes) > 0 && !slices.Contains(c.Scopes, "**") && !slices.Contains(c.Scopes, s.target.Scopes.Third)
	})
}

func (s *session) third() string {
	if s.target.Scopes.Third == "" {
		s.notApplicable("the target file names no third scope (scopes.third)")
	}
	return s.target.Scopes.Third
}

func (s *session) forbidden() string {
	if s.target.Scopes.Forbidden == "" {
		s.notApplicable("the target file names no forbidden scope (scopes.forbidden)")
	}
	return s.target.Scopes.Forbidden
}

func (s *session) pair() []string {
	if len(s.target.Scopes.Pair) < 2 {
		s.notApplicable("the target file names no two scopes (scopes.pair)")
	}
	return s.target.Scopes.Pair
}

// scopeOf is the scope that an exchange granted: what the token claims, else what the answer says,
// else what was asked for (RFC 6749 §5.1: identical when not told).
func (s *session) scopeOf(x oauth.Exchange, asked []string) string {
	t := s.granted(x)
	if claimed, known := claimedScope(t.AccessToken); known {
		return claimed
	}
	if t.Has["scope"] {
		return t.Scope
	}
	return strings.Join(asked, " ")
}

// within holds a token to an allowance: by what the token claims and the answer says, and, where
// neither tells, by a resource that needs more.
func (s *session) within(ctx SpecContext, x oauth.Exchange, allowed []string) {
	GinkgoHelper()
	t := s.granted(x)
	claimed, known := claimedScope(t.AccessToken)
	if known && !within(claimed, strings.Join(allowed, " ")) {
		s.violated("the token was granted scope %q, the client may have %q", claimed, strings.Join(allowed, " "))
	}
	if t.Has["scope"] && !within(t.Scope, strings.Join(allowed, " ")) {
		s.violated("the answer grants scope %q, the client may have %q", t.Scope, strings.Join(allowed, " "))
	}
	if known || t.Has["scope"] {
		return
	}
	if r := s.target.Resources.Scoped; r != nil && r.Scope != "" && !slices.Contains(allowed, r.Scope) {
		if opened := s.send(ctx, s.driver.Resource(*r, t.AccessToken)); opened.Status/100 == 2 {
			s.violated("the token opens a resource that needs %q", r.Scope)
		}
		return
	}
	s.inconclusive("a token was issued, and nothing tells what scope it has: neither the answer, the token nor a resource (resources.scoped)")
}

// namesNobody says whether a resource's answer names somebody who is none of the people, as a service account is.
func (s *session) namesNobody(x oauth.Exchange, r target.Resource) bool {
	who := ""
	if r.Subject != "" {
		who = named(x, r)
	}
	return who != "" && !slices.ContainsFunc(s.target.Users, func(u target.User) bool { return who == u.Username || who == u.Subject })
}
