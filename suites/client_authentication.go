package suites

import (
	"encoding/base64"
	"math"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// clientAuthentication says how a token endpoint tells clients apart (RFC 6749 §2.3, §5.2).
func clientAuthentication(s *session) {
	Describe("client authentication", func() {
		const cc = target.ClientCredentials

		It("accepts HTTP Basic", proves("RFC6749-2.3.1-basic-supported"), func(ctx SpecContext) {
			c := s.confidential(cc)
			Expect(s.send(ctx, s.driver.ClientCredentials(c, "", s.driver.Basic(c.ID, c.Secret.Reveal())))).To(s.beTokenAnswer())
		})

		It("accepts credentials in the body", proves("OAUTH21-2.4.1-body-credentials-supported"), func(ctx SpecContext) {
			s.control(ctx, cc)
			c := s.confidential(cc)
			Expect(s.send(ctx, s.driver.ClientCredentials(c, "", oauth.BodyAuth(c.ID, c.Secret.Reveal())))).To(s.beTokenAnswer())
		})

		It("decodes Basic credentials that were form-encoded", proves("RFC6749-2.3.1-basic-form-encoding"), func(ctx SpecContext) {
			s.control(ctx, cc)
			c := s.client("client_credentials client whose secret has odd characters", func(c target.Client) bool {
				return c.Has(cc) && odd(c.Secret.Reveal())
			})
			s.takesBasic(ctx, s.confidential(cc))
			encoded := s.send(ctx, s.driver.ClientCredentials(c, "", oauth.BasicAuthEncoded(c.ID, c.Secret.Reveal()), oauth.Titled("send form-encoded credentials by Basic")))
			if !encoded.IssuedToken() {
				raw := s.send(ctx, s.driver.ClientCredentials(c, "", oauth.BasicAuth(c.ID, c.Secret.Reveal()), oauth.Titled("send the same credentials as they are")))
				if raw.IssuedToken() { // a mess that the OAuth 2.1 draft itself tells of
					s.seen.decide(encoded)
					s.warn("only credentials that were not form-encoded are accepted")
					return
				}
			}
			Expect(encoded).To(s.beTokenAnswer())
		})

		It("reads the scheme of the Authorization header", proves("RFC7235-2.1-scheme-token"), func(ctx SpecContext) {
			s.control(ctx, cc)
			c := s.confidential(cc)
			pair := base64.StdEncoding.EncodeToString([]byte(c.ID + ":" + c.Secret.Reveal()))
			s.takesBasic(ctx, c)
			Expect(s.send(ctx, s.driver.ClientCredentials(c, "", oauth.Header("Authorization", "basic "+pair), oauth.Titled("write the scheme in lower case")))).To(s.beTokenAnswer())
			Expect(s.send(ctx, s.driver.ClientCredentials(c, "", oauth.Header("Authorization", "Foo "+pair), oauth.Titled("write an unknown scheme")))).To(s.beRefused())
		})

		It("takes no client secret from the URL", proves("RFC6749-2.3.1-secret-not-in-uri"), func(ctx SpecContext) {
			s.control(ctx, cc)
			c := s.confidential(cc)
			Expect(s.send(ctx, s.driver.ClientCredentials(c, "", oauth.NoAuth(), oauth.SetQuery("client_id", c.ID), oauth.SetQuery("client_secret", c.Secret.Reveal()),
				oauth.Titled("put the client's credentials into the URL")))).To(s.beRefused())
		})

		It("refuses credentials of two clients at once", proves("RFC6749-2.3-conflicting-clients-refused"), func(ctx SpecContext) {
			s.control(ctx, cc)
			a := s.confidential(cc)
			b := s.other(a, cc)
			Expect(s.send(ctx, s.driver.ClientCredentials(a, "", s.driver.Basic(a.ID, a.Secret.Reveal()), oauth.Set("client_id", b.ID), oauth.Set("client_secret", b.Secret.Reveal()),
				oauth.Titled("authenticate as one client by Basic and as another in the body")))).To(s.beRefused("invalid_request", "invalid_client").orAnyCode(reports.Note))
			Expect(s.send(ctx, s.driver.ClientCredentials(a, "", s.driver.Basic(a.ID, a.Secret.Reveal()), oauth.Set("client_id", b.ID),
				oauth.Titled("authenticate as one client and name another in the body")))).To(s.beRefused("invalid_request", "invalid_client").orAnyCode(reports.Note))
		})

		It("refuses two methods of authentication at once", proves("RFC6749-2.3-two-methods-refused"), func(ctx SpecContext) {
			s.control(ctx, cc)
			c := s.confidential(cc)
			x := s.send(ctx, s.driver.ClientCredentials(c, "", s.driver.Basic(c.ID, c.Secret.Reveal()), oauth.Set("client_id", c.ID), oauth.Set("client_secret", c.Secret.Reveal()),
				oauth.Titled("send the same credentials by Basic and in the body")))
			if x.IssuedToken() && !s.acceptsBodyCredentials(ctx) {
				s.seen.decide(x)
				s.note("the server takes no credentials in the body, and does not look at them")
				return
			}
			Expect(x).To(s.beRefused("invalid_request").orAnyCode(reports.Note))
		})

		DescribeTable("answers invalid_client to", table, proves("RFC6749-5.2-invalid-client-code"),
			func(ctx SpecContext, auth func(c target.Client) oauth.Change) {
				s.control(ctx, cc)
				c := s.confidential(cc)
				Expect(s.send(ctx, s.driver.ClientCredentials(c, "", auth(c)))).To(s.beRefused("invalid_client").orWarn("unauthorized_client"))
			},
			Entry("a wrong secret by Basic", func(c target.Client) oauth.Change { return s.driver.Basic(c.ID, oauth.NewState()) }),
			Entry("a wrong secret in the body", func(c target.Client) oauth.Change { return oauth.BodyAuth(c.ID, oauth.NewState()) }),
			Entry("an unknown client by Basic", func(c target.Client) oauth.Change { return s.driver.Basic(stranger(c.ID), c.Secret.Reveal()) }),
			Entry("an unknown client in the body", func(c target.Client) oauth.Change { return oauth.BodyAuth(stranger(c.ID), c.Secret.Reveal()) }),
		)

		It("answers 401 to failed Basic authentication", proves("RFC6749-5.2-basic-failure-401"), func(ctx SpecContext) {
			s.control(ctx, cc)
			c := s.confidential(cc)
			Expect(s.send(ctx, s.driver.ClientCredentials(c, "", s.driver.Basic(c.ID, oauth.NewState()), oauth.Titled("send a wrong secret by Basic")))).
				To(s.beRefused().withStatus(401))
		})

		It("challenges with Basic after failed Basic authentication", proves("RFC6749-5.2-basic-failure-challenge"), func(ctx SpecContext) {
			s.control(ctx, cc)
			c := s.confidential(cc)
			x := s.send(ctx, s.driver.ClientCredentials(c, "", s.driver.Basic(c.ID, oauth.NewState()), oauth.Titled("send a wrong secret by Basic")))
			Expect(x).To(s.beRefused())
			s.seen.expected = "WWW-Authenticate with the scheme Basic and a realm"
			if !challenges(x.Header.Values("WWW-Authenticate"), "basic", "realm=") {
				s.violated("WWW-Authenticate is %q", x.Header.Values("WWW-Authenticate"))
			}
		})

		DescribeTable("is demanded of a confidential client", table, proves("RFC6749-3.2.1-auth-required"),
			func(ctx SpecContext, g target.Grant) {
				s.control(ctx, g)
				for title, auth := range map[string]func(c target.Client) oauth.Change{
					"no credentials":     func(target.Client) oauth.Change { return oauth.NoAuth() },
					"the client_id only": func(c target.Client) oauth.Change { return oauth.ClientIDOnly(c.ID) },
					"an empty secret":    func(c target.Client) oauth.Change { return s.driver.Basic(c.ID, "") },
				} {
					r := s.tokenRequest(ctx, g)
					c, _ := s.target.Client(r.Client)
					if c.Public {
						s.notApplicable("no confidential client has the grant %s", g)
					}
					x := s.send(ctx, r.Changed(auth(c), oauth.Titled("send "+title)))
					s.seen.decide(x)
					Expect(x).To(s.beRefused("invalid_client", "invalid_request").orAnyCode(reports.Note))
					if g == target.AuthorizationCode || g == target.RefreshToken {
						continue // a burnt code or refresh token is a fair answer to this
					}
				}
			}, eachGrant())

		DescribeTable("compares credentials to the last character", table, proves("RFC6749-2.3.1-credentials-compared-exactly"),
			func(ctx SpecContext, spoil func(secret string) (string, bool)) {
				s.control(ctx, cc)
				c := s.confidential(cc)
				wrong, differs := spoil(c.Secret.Reveal())
				if !differs {
					s.notApplicable("the secret of %s has nothing to spoil in this way", c.Name)
				}
				Expect(s.send(ctx, s.driver.ClientCredentials(c, "", s.driver.Basic(c.ID, wrong), oauth.Titled("send a secret that is nearly right")))).To(s.beRefused())
				if !s.mayUsePasswords() {
					return
				}
				u := s.user(0)
				wrong, _ = spoil(u.Password.Reveal())
				s.control(ctx, target.Password)
				Expect(s.send(ctx, s.driver.Password(s.holder(target.Password), u, s.target.Scopes.Default, oauth.Set("password", wrong), oauth.Titled("send a password that is nearly right")))).To(s.beRefused())
			},
			Entry("another letter case", func(x string) (string, bool) { return swapCase(x), swapCase(x) != x }),
			Entry("the last character cut", func(x string) (string, bool) { return x[:len(x)-1], true }),
			Entry("a character appended", func(x string) (string, bool) { return x + "x", true }),
			Entry("blanks around it", func(x string) (string, bool) { return " " + x + " ", true }),
			Entry("the end changed", func(x string) (string, bool) { return x[:len(x)*3/4] + strings.Repeat("x", len(x)-len(x)*3/4), true }),
			Entry("the first 72 bytes only", func(x string) (string, bool) { return x[:min(72, len(x))], len(x) > 72 }),
		)

		DescribeTable("holds a client to its registered grants", table, proves("RFC6749-5.2-unauthorized-client-grant"),
			func(ctx SpecContext, g target.Grant) {
				c := s.client("confidential client without the grant "+string(g), func(c target.Client) bool {
					return !c.Public && !c.Has(g) && len(c.Grants) > 0 && !s.alwaysOn(g)
				})
				s.control(ctx, g)
				var r oauth.Request
				switch g {
				case target.ClientCredentials:
					r = s.driver.ClientCredentials(c, "")
				case target.Password:
					r = s.driver.Password(c, s.user(0), s.target.Scopes.Default)
				default:
					s.notApplicable("a client without the %s grant gets nothing that it could redeem", g)
				}
				x := s.send(ctx, r.Changed(oauth.Titled("ask for a grant that the client is not registered for")))
				if x.IssuedToken() {
					s.seen.decide(x)
					s.seen.expected = "a refusal with the error unauthorized_client"
					s.violated("%s, by a grant that clients.%s.grants does not name", answered(x), c.Name)
				}
				Expect(x).To(s.beRefused("unauthorized_client").orWarn("unsupported_grant_type", "invalid_grant", "invalid_client", "invalid_request"))
			},
			Entry(string(target.ClientCredentials), flow(target.ClientCredentials), target.ClientCredentials),
			Entry(string(target.Password), flow(target.Password), target.Password),
		)

		It("rests on secrets that cannot be guessed", proves("RFC6749-10.10-client-secret-strength"), func(SpecContext) {
			issued, seen := 0, map[string]string{}
			s.seen.expected = "at least 128 bits in each secret that the server issued, all different"
			for _, c := range s.target.Clients {
				if !c.SecretIssued || c.Secret.Empty() {
					continue
				}
				issued++
				if bits := strength(c.Secret.Reveal()); bits < 128 {
					s.violated("the secret of client %s has at most %.0f bits", c.Name, bits)
				}
				if other, twice := seen[c.Secret.Reveal()]; twice {
					s.violated("the clients %s and %s have the same secret", other, c.Name)
				}
				seen[c.Secret.Reveal()] = c.Name
			}
			if issued == 0 {
				s.notApplicable("no client in the target file is marked secret_issued: true")
			}
		})

		DescribeTable("is not open to guessing", table, proves("RFC6749-2.3.1-brute-force-throttled"),
			func(ctx SpecContext, wrong func() oauth.Request, right func() oauth.Request) {
				good := right()
				s.granted(s.send(ctx, good))
				const tries = 50
				first := s.send(ctx, wrong())
				for range tries - 2 {
					s.driver.Send(ctx, wrong())
				}
				last := s.send(ctx, wrong())
				s.seen.decide(last)
				s.seen.expected = "429, a growing delay or a lockout after 50 wrong secrets"
				after := s.send(ctx, right())
				slower := last.Duration > 5*first.Duration && last.Duration.Milliseconds() > 200
				if last.Status == first.Status && last.ErrorCode() == first.ErrorCode() && !slower && after.IssuedToken() {
					s.seen.forced = reports.Warn // alerting cannot be seen from outside
					s.violated("%d wrong ones were answered alike at full speed (%s), and the right one works at once", tries, answered(last))
				}
			},
			Entry("client secrets", func() oauth.Request {
				c := s.sacrificialClient()
				return s.driver.ClientCredentials(c, "", s.driver.Basic(c.ID, oauth.NewState()), oauth.Titled("guess the client's secret"))
			}, func() oauth.Request { return s.driver.ClientCredentials(s.sacrificialClient(), "") }),
			Entry("passwords", flow(target.Password), func() oauth.Request {
				s.requires(target.Password)
				return s.driver.Password(s.holder(target.Password), s.sacrificialUser(), s.target.Scopes.Default, oauth.Set("password", oauth.NewState()), oauth.Titled("guess the user's password"))
			}, func() oauth.Request {
				s.requires(target.Password)
				return s.driver.Password(s.holder(target.Password), s.sacrificialUser(), s.target.Scopes.Default)
			}),
		)
	})
}

// stranger is an id of the same shape that nobody registered.
func stranger(id string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '8', r >= 'a' && r <= 'e', r >= 'A' && r <= 'E':
			return r + 1
		default:
			return r
		}
	}, id) + "0"
}

// challenges says whether some challenge has the scheme and holds the text.
func challenges(lines []string, scheme, holds string) bool {
	for _, line := range lines {
		lower := strings.ToLower(line)
		if at := strings.Index(lower, scheme+" "); at >= 0 && strings.Contains(lower[at:], holds) {
			return true
		}
	}
	return false
}

func swapCase(x string) string {
	return strings.Map(func(r rune) rune {
		if up := []rune(strings.ToUpper(string(r)))[0]; up != r {
			return up
		}
		return []rune(strings.ToLower(string(r)))[0]
	}, x)
}

// strength bounds the bits of a secret from above: its length times the bits of the alphabet that it
// draws on, cut to what its distinct characters can carry.
func strength(secret string) float64 {
	var alphabet float64
	for _, class := range []struct {
		chars string
		size  float64
	}{{"0123456789", 10}, {"abcdef", 6}, {"ghijklmnopqrstuvwxyz", 20}, {"ABCDEFGHIJKLMNOPQRSTUVWXYZ", 26}} {
		if strings.ContainsAny(secret, class.chars) {
			alphabet += class.size
		}
	}
	if strings.ContainsFunc(secret, func(r rune) bool { return r < '0' || r > 'z' || (r > '9' && r < 'A') || (r > 'Z' && r < 'a') }) {
		alphabet += 12
	}
	distinct := map[rune]bool{}
	for _, r := range secret {
		distinct[r] = true
	}
	if len(distinct) < 6 { // one pattern over and over
		alphabet = float64(len(distinct))
	}
	return float64(len([]rune(secret))) * math.Log2(max(alphabet, 1))
}

// mayUsePasswords says whether the password grant is there to be tried in this profile.
func (s *session) mayUsePasswords() bool {
	for _, c := range s.target.Clients {
		if c.Has(target.Password) && !c.Sacrificial {
			return s.target.Profile == "space" || s.target.Profile == "rfc6749"
		}
	}
	return false
}

// alwaysOn are grants that Space gives to every application, without a switch.
func (s *session) alwaysOn(g target.Grant) bool {
	return s.target.Profile == "space" && (g == target.Password || g == target.RefreshToken)
}

func (s *session) sacrificialClient() target.Client {
	for _, c := range s.target.Clients {
		if c.Sacrificial && c.Has(target.ClientCredentials) {
			return c
		}
	}
	s.notApplicable("the target file has no client with sacrificial: true")
	panic("unreachable: Skip does not return")
}

func (s *session) sacrificialUser() target.User {
	for _, u := range s.target.Users {
		if u.Sacrificial {
			return u
		}
	}
	s.notApplicable("the target file has no user with sacrificial: true")
	panic("unreachable: Skip does not return")
}

// takesBasic makes a row not applicable where clients cannot authenticate by Basic at all, as OAuth 2.1 allows.
func (s *session) takesBasic(ctx SpecContext, c target.Client) {
	if s.target.Profile != "oauth-2.1" {
		return
	}
	if x := s.send(ctx, s.driver.ClientCredentials(c, "", s.driver.Basic(c.ID, c.Secret.Reveal()))); !x.IssuedToken() {
		s.notApplicable("the server takes no client credentials by Basic: %s", answered(x))
	}
}
