package suites

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// codeLife says when a code ends (RFC 6749 §4.1.2). It waits for minutes, which the tokens that other specs
// share do not survive: it comes after them.
func codeLife(s *session) {
	Describe("the life of an authorization code", flow(target.AuthorizationCode), func() {
		BeforeEach(func() { s.requires(target.AuthorizationCode) })

		DescribeTable("redeems a code once, and not again", table, proves("RFC6749-4.1.2-code-single-use"),
			func(ctx SpecContext, later time.Duration) {
				if !s.Slow {
					s.notApplicable("it waits: run with --slow")
				}
				g, _ := s.redeemed(ctx, s.holder(target.AuthorizationCode))
				s.pass(ctx, later)
				Expect(s.send(ctx, s.redemption(g, oauth.Titled("redeem the code again after "+later.String())))).To(s.beSpent())
			},
			Entry("a second later", time.Second),
			Entry("30 seconds later", 30*time.Second),
		)

		It("ends a code within 10 minutes", proves("RFC6749-4.1.2-code-expires"), func(ctx SpecContext) {
			c := s.holder(target.AuthorizationCode)
			s.redeems(ctx, c)
			ages := []time.Duration{time.Minute, 5 * time.Minute, 10*time.Minute + 5*time.Second, 15 * time.Minute}
			codes := make([]codeGrant, len(ages))
			for i := range ages {
				codes[i] = s.code(ctx, c)
			}
			s.seen.expected = "a refusal once the code is older than 10 minutes"
			waited := time.Duration(0)
			for i, age := range ages {
				s.pass(ctx, age-waited)
				waited = age
				x := s.send(ctx, s.redemption(codes[i], oauth.Titled("redeem a code that is "+age.String()+" old")))
				s.seen.decide(x)
				switch {
				case !x.IssuedToken():
					Expect(x).To(s.beRefused("invalid_grant").orAnyCode(reports.Warn))
					return
				case i == len(ages)-1:
					s.violated("a code that is %v old is redeemed", age)
				case age > 10*time.Minute:
					s.warn("a code that is %v old is redeemed; 10 minutes are the most that is recommended", age)
				}
			}
		})
	})
}

// beSpent matches the refusal of a code that was redeemed before.
func (s *session) beSpent() *answerMatcher {
	return s.beRefused("invalid_grant").withUsualStatus(400).orWarnStatus(401, 403).orAnyCode(reports.Warn)
}
