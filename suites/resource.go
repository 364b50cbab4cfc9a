package suites

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// resource says what a resource owes the bearer of a token, and those without one (RFC 6750).
func resource(s *session) {
	const twoHeaders = "two Authorization headers"
	Describe("a protected resource", func() {
		It("opens to a token in the Authorization header", proves("RFC6750-2.1-header-accepted"), func(ctx SpecContext) {
			r, token := s.openable(ctx)
			Expect(s.send(ctx, s.driver.Resource(r, token))).To(s.beOpened())
			if any := s.target.Resources.Any; any != nil {
				Expect(s.send(ctx, s.driver.Resource(*any, token))).To(s.beOpened())
			}
		})

		It("reads the scheme in any letter case", proves("RFC9110-11.1-scheme-case-insensitive"), func(ctx SpecContext) {
			r, token := s.opened(ctx)
			for _, scheme := range []string{"bearer", "BEARER"} {
				Expect(s.send(ctx, s.driver.Resource(r, token, oauth.Header("Authorization", scheme+" "+token), oauth.Titled("write the scheme as "+scheme)))).To(s.beOpened())
			}
		})

		It("challenges a request without a token", proves("RFC6750-3-missing-token-challenge"), func(ctx SpecContext) {
			r, _ := s.opened(ctx)
			x := s.send(ctx, s.driver.Resource(r, "", oauth.Titled("call without a token")))
			s.seen.decide(x)
			s.seen.expected = "401 with a Bearer challenge that has a parameter"
			if x.Status != http.StatusUnauthorized {
				s.violated("%s", answered(x))
			}
			if !challenges(x.Header.Values("WWW-Authenticate"), "bearer", "=") {
				s.violated("WWW-Authenticate is %q", x.Header.Values("WWW-Authenticate"))
			}
		})

		It("names no error to a request without a token", proves("RFC6750-3.1-no-error-without-credentials"), func(ctx SpecContext) {
			r, _ := s.opened(ctx)
			x := s.send(ctx, s.driver.Resource(r, "", oauth.Titled("call without a token")))
			s.seen.decide(x)
			s.seen.expected = "a challenge without an error attribute"
			if challenges(x.Header.Values("WWW-Authenticate"), "bearer", "error=") {
				s.violated("WWW-Authenticate is %q", x.Header.Values("WWW-Authenticate"))
			}
		})

		DescribeTable("refuses", table, proves("RFC6750-3.1-invalid-token"),
			func(ctx SpecContext, spoil func(token string) string) {
				r, token := s.opened(ctx)
				x := s.send(ctx, s.driver.Resource(r, spoil(token), oauth.Titled("call with an invalid token")))
				s.seen.decide(x)
				s.seen.expected = `401 with error="invalid_token"`
				switch {
				case x.Status/100 == 2:
					s.seen.forced = reports.Fail
					s.violated("the resource opened to an invalid token: %s", answered(x))
				case x.Status >= 500:
					s.violated("%s", answered(x))
				case x.Status != http.StatusUnauthorized: // refused, in other words than are recommended
					s.warn("the refusal is %s", answered(x))
				case !challenges(x.Header.Values("WWW-Authenticate"), "bearer", `error="invalid_token"`):
					s.warn("the challenge does not say invalid_token: %q", x.Header.Values("WWW-Authenticate"))
				}
			},
			Entry("a random token", func(string) string { return oauth.NewVerifier() }),
			Entry("a token that was cut", func(t string) string { return t[:len(t)-max(1, len(t)/4)] }),
			Entry("a token with one character changed", func(t string) string { return flip(t, len(t)/2) }),
		)

		It("wants the scope that it needs", proves("RFC6750-3.1-insufficient-scope"), func(ctx SpecContext) {
			r := s.protected("scoped", s.target.Resources.Scoped)
			c := s.limited()
			x := s.positive("client_credentials of "+c.Name, func() oauth.Exchange {
				return s.send(ctx, s.driver.ClientCredentials(c, strings.Join(c.Scopes, " ")))
			})
			s.positiveResource(ctx, "the resource that needs more scope, with that scope", r)
			y := s.send(ctx, s.driver.Resource(r, s.granted(x).AccessToken, oauth.Titled("call with a token of too little scope")))
			s.seen.decide(y)
			s.seen.expected = `403 with error="insufficient_scope"`
			switch {
			case y.Status/100 == 2 && !deniesInline(y):
				s.seen.forced = reports.Fail
				s.violated("the resource opened without the scope that it needs: %s", answered(y))
			case y.Status == http.StatusNotFound:
				return // hides that it exists
			case y.Status >= 500:
				s.violated("%s", answered(y))
			case y.Status != http.StatusForbidden && !deniesInline(y):
				s.warn("the refusal is %s", answered(y))
			case deniesInline(y):
				return
			case !challenges(y.Header.Values("WWW-Authenticate"), "bearer", `error="insufficient_scope"`):
				s.warn("the challenge does not say insufficient_scope: %q", y.Header.Values("WWW-Authenticate"))
			}
		})

		DescribeTable("survives", table, proves("RFC6750-3.1-malformed-request"),
			func(ctx SpecContext, spoil func(token string) oauth.Change) {
				r, token := s.opened(ctx)
				x := s.driver.Send(ctx, s.driver.Resource(r, token, spoil(token), oauth.Titled("call with malformed credentials")))
				s.seen.decide(x)
				s.seen.expected = "400, 401 or 431"
				switch {
				case x.Status == 0:
					s.inconclusive("no answer: %v", x.Err)
				case x.Status/100 == 2 && variant() == twoHeaders: // HTTP libraries keep the first, which is the good one
					s.warn("the resource opened to the first of two headers: %s", answered(x))
				case x.Status/100 == 2:
					s.seen.forced = reports.Fail
					s.violated("the resource opened: %s", answered(x))
				case x.Status != http.StatusBadRequest && x.Status != http.StatusUnauthorized && x.Status != http.StatusRequestHeaderFieldsTooLarge:
					s.violated("%s", answered(x))
				}
			},
			Entry("a scheme without a token", func(string) oauth.Change { return oauth.Header("Authorization", "Bearer") }),
			Entry("two tokens in one header", func(t string) oauth.Change { return oauth.Header("Authorization", "Bearer "+t+" "+t) }),
			Entry(twoHeaders, func(string) oauth.Change {
				return oauth.TwiceHeader("Authorization", "Bearer "+oauth.NewVerifier())
			}),
			Entry("a token of 64 KB", func(string) oauth.Change {
				return oauth.Header("Authorization", "Bearer "+strings.Repeat("a", 64<<10))
			}),
			Entry("characters that no token has", func(t string) oauth.Change { return oauth.Header("Authorization", "Bearer "+t+`"<\é`) }),
		)

		DescribeTable("refuses a JWT with", table, proves("RFC6749-10.3-jwt-tamper-refused"),
			func(ctx SpecContext, spoil func(ctx SpecContext, token string) string) {
				r, token := s.opened(ctx)
				if _, is := oauth.ParseJWT(token); !is {
					s.notApplicable("the access tokens are opaque")
				}
				x := s.send(ctx, s.driver.Resource(r, spoil(ctx, token), oauth.Titled("call with a tampered JWT")))
				s.seen.decide(x)
				s.seen.expected = "401"
				if x.Status/100 == 2 || x.Status >= 500 {
					s.violated("%s", answered(x))
				}
			},
			Entry("a changed payload", func(_ SpecContext, t string) string {
				return reassemble(t, nil, func(claims map[string]any) { claims["sub"] = "someone-else" }, "")
			}),
			Entry("no algorithm (none)", unsigned("none")),
			Entry("no algorithm (None)", unsigned("None")),
			Entry("no algorithm (NONE)", unsigned("NONE")),
			Entry("no algorithm (nOnE)", unsigned("nOnE")),
			Entry("an empty signature", func(_ SpecContext, t string) string { return t[:strings.LastIndex(t, ".")+1] }),
			Entry("an unknown key", func(_ SpecContext, t string) string {
				return reassemble(t, func(h map[string]any) { h["kid"] = "flowproof-unknown" }, nil, t[strings.LastIndex(t, ".")+1:])
			}),
			Entry("an HMAC made with the public key", func(ctx SpecContext, t string) string { return s.hmacByPublicKey(ctx, t) }),
		)

		DescribeTable("opens to access tokens only, not to", table, proves("RFC6749-1.5-only-access-tokens-accepted"),
			func(ctx SpecContext, other func(ctx SpecContext) string) {
				r := s.protected("user", s.userResource())
				s.mustOpen("the user's resource with a user's token", func() oauth.Exchange {
					return s.send(ctx, s.driver.Resource(r, s.userToken(ctx, s.user(0)).AccessToken))
				})
				x := s.send(ctx, s.driver.Resource(r, other(ctx), oauth.Titled("call with something that is no access token")))
				s.seen.decide(x)
				s.seen.expected = "401"
				if x.Status/100 == 2 && !deniesInline(x) || x.Status >= 500 {
					s.violated("%s", answered(x))
				}
			},
			Entry("a refresh token", flow(target.RefreshToken), func(ctx SpecContext) string {
				s.requires(target.RefreshToken)
				return s.refreshable(ctx, s.holder(target.RefreshToken)).RefreshToken
			}),
			Entry("a code", flow(target.AuthorizationCode), func(ctx SpecContext) string {
				s.requires(target.AuthorizationCode)
				return s.code(ctx, s.holder(target.AuthorizationCode)).code
			}),
		)
	})
	presentation(s)
	expiry(s)
}

// beOpened matches a resource's answer with the resource.
func (s *session) beOpened() types.GomegaMatcher { return &openedMatcher{s: s} }

type openedMatcher struct{ s *session }

// Match judges a resource's answer.
func (m *openedMatcher) Match(actual any) (bool, error) {
	x, ok := actual.(oauth.Exchange)
	if !ok {
		return false, fmt.Errorf("suites: %T is not an exchange", actual)
	}
	m.s.seen.decide(x)
	m.s.seen.expected = "2xx with the resource"
	return x.Status/100 == 2 && !deniesInline(x), nil
}

// FailureMessage says what came instead.
func (m *openedMatcher) FailureMessage(actual any) string {
	return answered(actual.(oauth.Exchange))
}

// NegatedFailureMessage says that it opened.
func (m *openedMatcher) NegatedFailureMessage(actual any) string {
	return "the resource opened: " + answered(actual.(oauth.Exchange))
}

// openable is the resource that most tokens open, and a live token for it.
func (s *session) openable(ctx SpecContext) (target.Resource, string) {
	for _, c := range s.target.Clients {
		if c.Has(target.ClientCredentials) && !c.Public && !c.Sacrificial {
			if r := s.applicationResource(); r != nil {
				return *r, s.accessToken(ctx)
			}
		}
	}
	r := s.target.Resources.Any
	if r == nil {
		r = s.target.Resources.User
	}
	return s.protected("any", r), s.userToken(ctx, s.user(0)).AccessToken
}

// opened is the same after its positive control: the resource opens to that token.
func (s *session) opened(ctx SpecContext) (target.Resource, string) {
	r, token := s.openable(ctx)
	s.mustOpen("the resource with a good token", func() oauth.Exchange { return s.send(ctx, s.driver.Resource(r, token)) })
	return r, token
}

// mustOpen is a positive control at a resource, made once a run.
func (s *session) mustOpen(name string, call func() oauth.Exchange) {
	c, made := s.controls[name]
	if !made {
		c.exchange = call()
		if c.exchange.Status/100 != 2 {
			c.failure = "the positive control (" + name + ") did not open: " + answered(c.exchange)
		}
		s.controls[name] = c
	}
	if c.failure != "" {
		s.seen.decide(c.exchange)
		s.inconclusive("%s", c.failure)
	}
}

// positiveResource is the control of a resource that needs a scope: a token with it opens the resource.
func (s *session) positiveResource(ctx SpecContext, name string, r target.Resource) {
	s.mustOpen(name, func() oauth.Exchange {
		c := s.confidential(target.ClientCredentials)
		token := s.granted(s.send(ctx, s.driver.ClientCredentials(c, r.Scope))).AccessToken
		return s.send(ctx, s.driver.Resource(r, token))
	})
}

// mistaken reports whether what a resource's member calls a user is somebody else. The server's own identifiers need not
// stand in the target file: one that is nobody else's is learned, and has to stay.
func (s *session) mistaken(u target.User, member, named string) bool {
	if named != "" && (named == u.Username || named == u.Subject) {
		return false
	}
	others := func(other target.User) bool {
		return other.Name != u.Name && (named == other.Username || named == other.Subject || named == s.subjects[other.Name])
	}
	own := member == "sub" || strings.HasSuffix(strings.ToLower(member), "id")
	if named == "" || u.Subject != "" || !own || slices.ContainsFunc(s.target.Users, others) {
		return true
	}
	if s.subjects[u.Name] == "" {
		s.subjects[u.Name] = named
	}
	return s.subjects[u.Name] != named
}

// opensAs holds a token to the user that it was issued for, where the target names a resource that tells.
func (s *session) opensAs(ctx SpecContext, token string, u target.User) {
	GinkgoHelper()
	r := s.target.Resources.User
	if r == nil {
		if any := s.target.Resources.Any; any != nil {
			Expect(s.send(ctx, s.driver.Resource(*any, token))).To(s.beOpened())
		}
		return
	}
	x := s.send(ctx, s.driver.Resource(*r, token))
	Expect(x).To(s.beOpened())
	if r.Subject == "" {
		return
	}
	s.seen.expected = fmt.Sprintf("the resource of %s", u.Name)
	named, _ := members(x)[r.Subject].(string)
	if s.mistaken(u, r.Subject, named) {
		s.violated("the token opens the resource of another user: %s names %q", r.Subject, printable(named))
	}
}

// deniesInline says whether a 2xx answer of Space's API denies the field inside it.
func deniesInline(x oauth.Exchange) bool {
	return strings.Contains(string(x.Body), "HA_InlineError.InaccessibleFields")
}

// flip changes the character at i to another of the same kind.
func flip(t string, i int) string {
	c := byte('A')
	if t[i] == c {
		c = 'B'
	}
	return t[:i] + string(c) + t[i+1:]
}

// unsigned makes a JWT that claims to need no signature.
func unsigned(alg string) func(SpecContext, string) string {
	return func(_ SpecContext, t string) string {
		return reassemble(t, func(h map[string]any) { h["alg"] = alg }, nil, "")
	}
}

// reassemble rewrites a JWT's header and claims; an empty signature leaves the old one unless the header changed.
func reassemble(token string, header, claims func(map[string]any), signature string) string {
	j, _ := oauth.ParseJWT(token)
	parts := strings.Split(token, ".")
	part := func(m map[string]any, change func(map[string]any), old string) string {
		if change == nil {
			return old
		}
		change(m)
		b, err := json.Marshal(m)
		if err != nil {
			return old
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	if signature == "" && header == nil {
		signature = parts[2]
	}
	return part(j.Header, header, parts[0]) + "." + part(j.Claims, claims, parts[1]) + "." + signature
}
