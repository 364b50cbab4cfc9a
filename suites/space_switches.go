package suites

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// spaceSwitches says what the switches of an application's registration do.
func spaceSwitches(s *session) {
	Describe("the switches of an application on a Space deployment", flow(target.AuthorizationCode), func() {
		const code = target.AuthorizationCode

		DescribeTable("take effect", table, proves("SPACE-public-client-and-require-pkce"),
			func(ctx SpecContext, judge func(ctx SpecContext)) { judge(ctx) },
			Entry("public clients off", func(ctx SpecContext) {
				c := s.confidential(code)
				s.positive("authorization_code with PKCE of "+c.Name, func() oauth.Exchange {
					return s.send(ctx, s.redemption(s.proven(ctx, c)))
				})
				Expect(s.send(ctx, s.redemption(s.proven(ctx, c), both(oauth.ClientIDOnly(c.ID), oauth.Titled("redeem the code with client_id and verifier alone"))))).
					To(s.beRefused("invalid_client").orAnyCode(reports.Note))
			}),
			Entry("public clients on", func(ctx SpecContext) {
				c := s.public(code)
				Expect(s.send(ctx, s.redemption(s.proven(ctx, c)))).To(s.beTokenAnswer())
			}),
			Entry("Require PKCE on", func(ctx SpecContext) {
				c := s.client("client with the code flow that requires PKCE (pkce: required)", func(c target.Client) bool {
					return c.Has(code) && c.PKCE == "required"
				})
				p := s.person(ctx, s.user(0))
				s.mustBringCode(ctx, p, c)
				l := s.land(ctx, p, s.authorize(c, code, oauth.Titled("ask for a code without a challenge")), oauth.Accept)
				s.seen.expected = "no code without a challenge"
				switch {
				case !arrived(l) && l.Kind == oauth.Redirected:
					if got := l.Params().Get("error"); got != "invalid_request" {
						s.note("the error is %q", printable(got))
					}
				case !arrived(l) && l.Kind == oauth.Shown && l.Page != nil && l.Page.Status < 500:
					s.note("the error is shown on a page instead of told to the client")
				case !arrived(l):
					s.inconclusive("the request was neither refused nor granted: %s", landed(l))
				default:
					x := s.send(ctx, s.driver.Redeem(c, l.Params().Get("code"), c.RedirectURI(code), ""))
					if x.IssuedToken() {
						s.violated("a code was issued and redeemed without a challenge: %s", answered(x))
					}
					s.warn("a code was issued without a challenge, and refused only when it was redeemed: %s", answered(x))
				}
			}),
		)

		It("keep the implicit flow from new applications", flow(target.Implicit), proves("SPACE-implicit-not-for-new"), func(ctx SpecContext) {
			c := s.client("client with the code flow and without the implicit flow", func(c target.Client) bool {
				return c.Has(code) && !c.Has(target.Implicit) && c.RedirectURI(code) != ""
			})
			p := s.person(ctx, s.user(0))
			s.mustBringCode(ctx, p, c)
			r := s.authorize(c, code, oauth.SetQuery("response_type", "token"), oauth.Titled("ask for a token by the implicit flow"))
			l := s.land(ctx, p, r, oauth.Accept)
			s.seen.expected = "an error"
			switch {
			case l.Params().Get("access_token") != "":
				s.violated("%s", landed(l))
			case l.Kind == oauth.Redirected && l.Params().Get("error") == "":
				s.violated("neither a token nor an error: %s", landed(l))
			case l.Kind == oauth.Shown && l.Page != nil && l.Page.Status >= 500:
				s.inconclusive("the server broke down: %s", landed(l))
			case l.Kind != oauth.Redirected && l.Kind != oauth.Shown:
				s.inconclusive("the request was neither refused nor granted: %s", landed(l))
			}
		})
	})
}

// proven is a code for the first user under a challenge, whatever the client's registration asks for.
func (s *session) proven(ctx SpecContext, c target.Client) codeGrant {
	verifier := oauth.NewVerifier()
	g := s.code(ctx, c, oauth.SetQuery("code_challenge", oauth.S256(verifier)), oauth.SetQuery("code_challenge_method", "S256"))
	g.verifier = verifier
	return g
}
