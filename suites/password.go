package suites

import (
	"net/http"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// password says what a deployment owes a client that holds a person's password (RFC 6749 §4.3),
// or that it owes nothing (RFC 9700 §2.4).
func password(s *session) {
	Describe("the resource owner password grant", flow(target.Password), func() {
		BeforeEach(func() { s.requires(target.Password) })
		ask := func(ctx SpecContext, changes ...oauth.Change) oauth.Exchange {
			return s.send(ctx, s.driver.Password(s.holder(target.Password), s.user(0), s.target.Scopes.Default, changes...))
		}

		It("issues a token that opens the resource as the user", proves("RFC6749-4.3-issues-token"), func(ctx SpecContext) {
			x := ask(ctx)
			Expect(x).To(s.beTokenAnswer())
			s.opensAs(ctx, s.granted(x).AccessToken, s.user(0))
		})

		DescribeTable("tells what is wrong with", table, proves("RFC6749-4.3.2-password-errors"),
			func(ctx SpecContext, spoil oauth.Change, code string) {
				s.control(ctx, target.Password)
				refused := s.beRefused(code)
				if code == "invalid_request" { // a missing password is taken for a wrong one
					refused = refused.orWarn("invalid_grant")
				}
				Expect(ask(ctx, spoil)).To(refused.withStatus(http.StatusBadRequest).orWarnStatus(http.StatusUnauthorized, http.StatusForbidden, http.StatusOK))
			},
			Entry("a missing username", oauth.Without("username"), "invalid_request"),
			Entry("a missing password", oauth.Without("password"), "invalid_request"),
			Entry("a wrong password", oauth.Set("password", "not-the-password"), "invalid_grant"),
		)

		It("does not tell which users there are", proves("RFC6749-10.10-no-user-enumeration"), func(ctx SpecContext) {
			s.control(ctx, target.Password)
			const tries = 5 // few enough not to be throttled as guessing
			var known, unknown []time.Duration
			u := s.lastUser()
			for range tries {
				a := s.send(ctx, s.driver.Password(s.holder(target.Password), u, s.target.Scopes.Default, oauth.Set("password", oauth.NewState()), oauth.Titled("send a wrong password for a real user")))
				b := s.send(ctx, s.driver.Password(s.holder(target.Password), u, s.target.Scopes.Default, oauth.Set("username", "nobody-"+oauth.NewState()[:8]), oauth.Set("password", oauth.NewState()), oauth.Titled("send a password for a user who is not there")))
				s.seen.decide(b)
				s.seen.expected = "the same status, code and text for both"
				s.heard(a)
				s.heard(b)
				if a.Status != b.Status || a.ErrorCode() != b.ErrorCode() || description(a) != description(b) {
					s.violated("a real user: %s %q; an unknown one: %s %q", answered(a), description(a), answered(b), description(b))
				}
				known, unknown = append(known, a.Duration), append(unknown, b.Duration)
			}
			if a, b := median(known), median(unknown); a > 3*b && a-b > 20*time.Millisecond || b > 3*a && b-a > 20*time.Millisecond {
				s.note("the median time tells them apart: %v for a real user, %v for an unknown one, over %d tries each", a.Round(time.Millisecond), b.Round(time.Millisecond), tries)
			}
		})
	})

	Describe("the resource owner password grant, which should be gone", flow(target.Password), func() {
		It("is refused", proves("RFC9700-2.4-password-grant-refused"), func(ctx SpecContext) {
			u := s.user(0)
			c := s.confidentialClient()
			if s.offers(target.Password) { // where each client has its own grants, another one's refusal says nothing
				c = s.confidential(target.Password)
			}
			x := s.send(ctx, s.driver.Password(c, u, s.target.Scopes.Default))
			s.seen.decide(x)
			s.seen.expected = "unsupported_grant_type or unauthorized_client"
			if x.ErrorCode() == "invalid_grant" {
				s.violated("the grant is offered: the refusal is %s, which is about the password", answered(x))
			}
			Expect(x).To(s.beRefused("unsupported_grant_type", "unauthorized_client").orWarn("invalid_request", "invalid_client", "invalid_scope"))
		})
	})
}

// confidentialClient is any confidential client.
func (s *session) confidentialClient() target.Client {
	return s.client("confidential client", func(c target.Client) bool { return !c.Public })
}

// lastUser is the test account that other rows use least.
func (s *session) lastUser() target.User {
	for _, u := range slices.Backward(s.target.Users) {
		if !u.Sacrificial {
			return u
		}
	}
	return s.user(0)
}

// description is the text of an error.
func description(x oauth.Exchange) string {
	text, _ := members(x)["error_description"].(string)
	return text
}

func median(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
