package suites

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// tokenAnswers says how a token endpoint dresses its answers, right and wrong ones (RFC 6749 §5).
// Most rows are passive: they judge every answer that the other specs provoked.
func tokenAnswers(s *session) {
	Describe("every answer of the token endpoint", func() {
		passive := func(sentence, id string) {
			It(sentence, proves(id), func(ctx SpecContext) {
				s.provoke(ctx)
				s.judgePassively(id)
			})
		}
		passive("is status 200 and JSON at top level when it succeeds", "RFC6749-5.1-status-200-json")
		passive("is well-formed JSON", "RFC8259-8.1-json-wellformed")
		passive("names an access token when it succeeds", "RFC6749-5.1-access-token-present")
		passive("keeps tokens to the characters that a header carries", "RFC6750-2.1-b64token-syntax")
		passive("names the token type when it succeeds", "RFC6749-5.1-token-type-present")
		passive("says Bearer as the token type", "RFC6749-7.1-token-type-bearer")
		passive("says how long the token lives", "RFC6749-5.1-expires-in-present")
		passive("says the lifetime as a number", "RFC6749-5.1-expires-in-number")
		passive("writes the scope as words with single spaces", "RFC6749-3.3-scope-syntax")
		passive("forbids caching", "RFC6749-5.1-cache-control")
		passive("forbids caching to old caches", "RFC6749-5.1-pragma")
		passive("tells an error with its status and as JSON", "RFC6749-5.2-error-status-json")
		passive("uses registered error codes", "RFC6749-5.2-error-registered-code")
		passive("keeps error texts to their characters", "RFC6749-5.2-error-text-charset")
		passive("gives tokens a short life", "RFC6750-5.3-short-lifetime")

		It("reports the scope when it is not the one that was asked for", proves("RFC6749-5.1-scope-reported-when-different"), func(ctx SpecContext) {
			c := s.client("confidential client_credentials client with a known allowance (scopes)", func(c target.Client) bool {
				return !c.Public && c.Has(target.ClientCredentials) && len(c.Scopes) > 0 && c.Scopes[0] != "**"
			})
			if s.target.Scopes.Third == "" {
				s.notApplicable("the target file names no third scope (scopes.third)")
			}
			own := strings.Join(c.Scopes, " ")
			s.positive("client_credentials of "+c.Name, func() oauth.Exchange { return s.send(ctx, s.driver.ClientCredentials(c, own)) })
			for _, more := range []string{own + " " + s.target.Scopes.Third, s.target.Scopes.Default} {
				if within(more, own) {
					continue
				}
				x := s.send(ctx, s.driver.ClientCredentials(c, more, oauth.Titled("ask for more than the client may have")))
				s.seen.decide(x)
				s.seen.expected = "an error, or a token whose scope member names what was granted"
				if !x.IssuedToken() {
					Expect(x).To(s.beRefused("invalid_scope").orAnyCode(reports.Note))
					continue
				}
				t := s.granted(x)
				claimed, known := claimedScope(t.AccessToken)
				switch {
				case known && sameScope(claimed, more):
					continue // all of it was granted, which is for the row about that
				case !t.Has["scope"]:
					s.violated("a token was issued for another scope than the one asked for, and the answer does not say which")
				case known && tells(t) && !sameScope(claimed, t.Scope):
					s.violated("the answer says scope %q, the token says %q", t.Scope, claimed)
				}
			}
		})

		DescribeTable("echoes no secret into an error", table, proves("RFC6749-10.3-no-secret-echo"),
			func(ctx SpecContext, probe func(ctx SpecContext, marker string) oauth.Request) {
				marker := "Mk" + oauth.NewState()
				x := s.send(ctx, probe(ctx, marker))
				s.seen.decide(x)
				s.seen.wording = true
				s.seen.expected = "an error in which neither the secret nor anything of the server's inside can be read"
				if x.Request.Form.Get("code") == marker { // what is repeated of a code is no secret any more
					marker = "\x00"
				}
				for name, values := range x.Header {
					if strings.Contains(strings.Join(values, " "), marker) {
						s.violated("the header %s repeats the secret that was sent", name)
					}
				}
				if strings.Contains(string(x.Body), marker) {
					s.violated("the body repeats the secret that was sent")
				}
				if leak := innards(string(x.Body)); leak != "" {
					s.violated("the body shows the server's inside: %s", leak)
				}
				if throttled(x) {
					s.inconclusive("the server throttles (%s), so what it says to a wrong secret is not told", answered(x))
				}
			},
			Entry("a wrong client secret by Basic", func(_ SpecContext, marker string) oauth.Request {
				c := s.confidential(target.ClientCredentials)
				return s.driver.ClientCredentials(c, "", s.driver.Basic(c.ID, marker))
			}),
			Entry("a wrong client secret in the body", func(_ SpecContext, marker string) oauth.Request {
				c := s.confidential(target.ClientCredentials)
				return s.driver.ClientCredentials(c, "", oauth.BodyAuth(c.ID, marker))
			}),
			Entry("a wrong password", func(_ SpecContext, marker string) oauth.Request {
				s.requires(target.Password)
				return s.driver.Password(s.holder(target.Password), s.user(0), s.target.Scopes.Default, oauth.Set("password", marker))
			}),
			Entry("an unknown code", func(_ SpecContext, marker string) oauth.Request {
				s.requires(target.AuthorizationCode)
				c := s.confidential(target.AuthorizationCode)
				return s.driver.Redeem(c, marker, c.RedirectURI(target.AuthorizationCode), "")
			}),
			Entry("an unknown refresh token", func(_ SpecContext, marker string) oauth.Request {
				s.requires(target.RefreshToken)
				return s.driver.Refresh(s.confidential(target.RefreshToken), marker, "")
			}),
		)
	})
}

// provoke makes sure that there are answers to judge, also when only passive rows were chosen.
func (s *session) provoke(ctx SpecContext) {
	for _, g := range s.enabled() {
		if g != target.ClientCredentials && g != target.Password {
			continue
		}
		if _, made := s.controls[string(g)]; made {
			continue
		}
		x := s.send(ctx, s.tokenRequest(ctx, g))
		c := control{exchange: x}
		if !x.IssuedToken() {
			c.failure = "the positive control (" + string(g) + ") issued no token: " + answered(x)
		}
		s.controls[string(g)] = c
	}
	if s.passive.tally("RFC6749-5.2-error-status-json").seen == 0 && len(s.enabled()) > 0 {
		c := s.holder(s.enabled()[0])
		s.send(ctx, s.driver.ClientCredentials(c, "", oauth.Set("grant_type", "urn:flowproof:none"), oauth.Titled("ask for an unknown grant")))
	}
}

// judgePassively gives the verdict on a passive row from all the answers of the run.
func (s *session) judgePassively(id string) {
	GinkgoHelper()
	t := s.passive.tally(id)
	if t.seen == 0 {
		s.inconclusive("no answer of the run was of the kind that this is about")
	}
	s.seen.judged, s.seen.wording = t.seen, true
	s.seen.decide(t.at)
	switch t.worst.worse {
	case "":
	case reports.Fail:
		s.violated("%s (%d answers judged)", printable(t.worst.because), t.seen)
	case reports.Note:
		s.note("%s (%d answers judged)", printable(t.worst.because), t.seen)
	default:
		s.warn("%s (%d answers judged)", printable(t.worst.because), t.seen)
	}
}

// judgePassivelyIfSeen is for rows that have a spec of their own, which provokes what there is to judge.
func (s *session) judgePassivelyIfSeen(id string) {
	GinkgoHelper()
	if s.passive.tally(id).seen == 0 {
		s.notApplicable("no answer of the run was of the kind that this is about")
	}
	s.judgePassively(id)
}

// tells says whether an answer names a scope in a way that can be read.
func tells(t oauth.TokenAnswer) bool {
	_, is := t.Members["scope"].(string)
	return is
}

// claimedScope is the scope that a JWT access token claims.
func claimedScope(token string) (string, bool) {
	j, is := oauth.ParseJWT(token)
	if !is {
		return "", false
	}
	scope, is := j.Claims["scope"].(string)
	return scope, is
}

// sameScope compares scopes as sets of words.
func sameScope(a, b string) bool { return within(a, b) && within(b, a) }

// within says whether every word of the scope a is one of b.
func within(a, b string) bool {
	have := map[string]bool{}
	for _, w := range strings.Fields(b) {
		have[w] = true
	}
	for _, w := range strings.Fields(a) {
		if !have[w] {
			return false
		}
	}
	return true
}

// innards finds what an error must not show of the server: paths, statements, stack frames.
func innards(body string) string {
	for _, mark := range []string{"goroutine ", "Traceback (most recent", "\tat java.", "\tat org.", "at com.", "SQLSTATE", "SELECT ", "stack trace", "/usr/lib/", "/home/", ".go:", ".java:", ".py\", line"} {
		if strings.Contains(body, mark) {
			return mark
		}
	}
	return ""
}
