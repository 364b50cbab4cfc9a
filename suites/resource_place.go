package suites

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// presentation says which ways of presenting a token count (RFC 6750 §2).
func presentation(s *session) {
	Describe("the place of a token at a resource", func() {
		It("lets no token in a weaker place win over the one in the header", proves("RFC6750-2-one-method-only"), func(ctx SpecContext) {
			r := s.protected("user", s.target.Resources.User)
			if r.Subject == "" {
				s.notApplicable("the target file does not say which member of the resource names the user (resources.user.subject)")
			}
			one, other := s.user(0), s.user(1)
			good, second := s.userToken(ctx, one).AccessToken, s.userToken(ctx, other).AccessToken
			own := s.send(ctx, s.driver.Resource(r, good))
			if own.Status/100 != 2 || named(own, r) == "" {
				s.seen.decide(own)
				s.inconclusive("the resource does not open to %s, or does not name the user: %s", one.Name, answered(own))
			}
			x := s.send(ctx, s.driver.Resource(r, good, oauth.SetQuery("access_token", second),
				oauth.Titled("call with one user's token in the header and another's in the URL")))
			s.seen.decide(x)
			s.seen.expected = "a refusal, or the resource of the user whose token is in the header"
			if who := named(x, r); x.Status/100 == 2 && who != named(own, r) {
				s.violated("the resource of another user came: %s names %q", r.Subject, printable(who))
			}
			if x.Status >= 500 {
				s.violated("%s", answered(x))
			}
		})

		It("keeps the answer to a token in the URL out of shared caches", proves("RFC6750-2.3-query-token-cached"), func(ctx SpecContext) {
			x := s.byQuery(ctx)
			s.seen.expected = "a refusal, or an answer with Cache-Control: private"
			lines := x.Header.Values("Cache-Control")
			if x.Status/100 == 2 && !deniesInline(x) && !directive(lines, "private") && !directive(lines, "no-store") {
				s.violated("the resource opens to a token in the URL, and Cache-Control is %q", strings.Join(lines, ", "))
			}
		})

		It("ignores a token in the URL", proves("OAUTH21-5.1-query-token-ignored"), func(ctx SpecContext) {
			x := s.byQuery(ctx)
			s.seen.expected = "401"
			switch {
			case x.Status/100 == 2 && !deniesInline(x):
				s.violated("the resource opens to a token in the URL: %s", answered(x))
			case x.Status >= 500:
				s.inconclusive("the server broke down: %s", answered(x))
			}
		})
	})
}

// byQuery is the answer to a good token in the URL only.
func (s *session) byQuery(ctx SpecContext) oauth.Exchange {
	r, token := s.opened(ctx)
	x := s.send(ctx, s.driver.Resource(r, "", oauth.SetQuery("access_token", token), oauth.Titled("call with the token in the URL")))
	s.seen.decide(x)
	return x
}

// named is whom a resource's answer names.
func named(x oauth.Exchange, r target.Resource) string {
	name, _ := members(x)[r.Subject].(string)
	return name
}
