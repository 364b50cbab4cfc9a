package suites

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// eachGrant makes one entry for each grant that ends at the token endpoint, the cheapest first.
func eachGrant() []TableEntry {
	var out []TableEntry
	for _, g := range []target.Grant{target.ClientCredentials, target.Password, target.AuthorizationCode, target.RefreshToken} {
		out = append(out, Entry(string(g), flow(g), g))
	}
	return out
}

// tokenRequest says how a token endpoint reads a request (RFC 6749 §3.2, appendix B).
func tokenRequest(s *session) {
	Describe("the token endpoint", func() {
		DescribeTable("issues a token to a form that is posted", table, proves("RFC6749-3.2-post-form-accepted"),
			func(ctx SpecContext, g target.Grant) {
				Expect(s.send(ctx, s.tokenRequest(ctx, g))).To(s.beTokenAnswer())
			}, eachGrant())

		DescribeTable("refuses other methods", table, proves("RFC6749-3.2-get-refused"),
			func(ctx SpecContext, g target.Grant) {
				s.control(ctx, g)
				for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
					r := s.tokenRequest(ctx, g).Changed(oauth.Titled("ask by " + method))
					if method == http.MethodGet {
						r = r.Changed(oauth.AsGET())
					}
					x := s.send(ctx, r.Changed(oauth.Method(method)))
					s.seen.decide(x)
					s.seen.expected = "4xx without a token, 405 with Allow"
					s.heard(x)
					if x.IssuedToken() || x.Status >= 500 || x.Status < 300 {
						s.violated("%s: %s", method, answered(x))
					}
					if x.Status == http.StatusMethodNotAllowed && x.Header.Get("Allow") == "" {
						s.warn("%s is answered with 405, which has to carry Allow", method)
					}
				}
			}, eachGrant())

		DescribeTable("reads no parameters from the URL", table, proves("RFC6749-3.2-query-params-not-honoured"),
			func(ctx SpecContext, g target.Grant) {
				s.control(ctx, g)
				Expect(s.send(ctx, s.tokenRequest(ctx, g).Changed(oauth.InQuery(), oauth.Titled("put the parameters into the URL")))).
					To(s.beRefused("invalid_request").orAnyCode(reports.Note))
			}, eachGrant())

		DescribeTable("ignores a parameter that it does not know", table, proves("RFC6749-3.2-unknown-param-ignored"),
			func(ctx SpecContext, g target.Grant) {
				s.control(ctx, g)
				Expect(s.send(ctx, s.tokenRequest(ctx, g).Changed(oauth.Set("x_flowproof", "1")))).To(s.beTokenAnswer())
			}, eachGrant())

		DescribeTable("treats an empty value as an omitted one", table, proves("RFC6749-3.2-empty-value-omitted"),
			func(ctx SpecContext, g target.Grant) {
				s.control(ctx, g)
				for _, name := range []string{"scope", "grant_type"} {
					omitted := s.send(ctx, s.tokenRequest(ctx, g).Changed(oauth.Without(name), oauth.Titled("leave out "+name)))
					empty := s.send(ctx, s.tokenRequest(ctx, g).Changed(oauth.Set(name, ""), oauth.Titled("send an empty "+name)))
					s.seen.decide(empty)
					s.seen.expected = "the same answer as without the parameter"
					s.heard(omitted)
					s.heard(empty)
					if !omitted.IssuedToken() && !empty.IssuedToken() && empty.Status/100 == 4 && omitted.ErrorCode() != empty.ErrorCode() {
						s.warn("both are refused, in other words: an empty %s: %s; left out: %s", name, answered(empty), answered(omitted))
						continue
					}
					if omitted.IssuedToken() != empty.IssuedToken() || omitted.ErrorCode() != empty.ErrorCode() || empty.Status >= 500 {
						s.violated("an empty %s: %s; left out: %s", name, answered(empty), answered(omitted))
					}
				}
			}, eachGrant())

		DescribeTable("refuses a repeated parameter", table, proves("RFC6749-3.2-duplicate-param"),
			func(ctx SpecContext, g target.Grant) {
				s.control(ctx, g)
				for _, name := range []string{"grant_type", "client_id", "scope", "username", "code", "redirect_uri", "code_verifier", "refresh_token"} {
					if !s.tokenRequest(ctx, g).Form.Has(name) {
						continue
					}
					for _, same := range []bool{false, true} {
						r := s.tokenRequest(ctx, g)
						value, how := r.Form.Get(name), "with the same value"
						if !same {
							value, how = value+"x", "with another value"
						}
						x := s.send(ctx, r.Changed(oauth.Twice(name, value), oauth.Titled("repeat "+name+" "+how)))
						s.seen.decide(x)
						s.seen.expected = "400 invalid_request"
						switch {
						case x.Status >= 500:
							s.violated("%s %s: %s", name, how, answered(x))
						case x.IssuedToken() && same:
							s.warn("%s repeated %s is accepted", name, how)
						case x.IssuedToken():
							s.violated("%s repeated %s: %s", name, how, answered(x))
						case x.ErrorCode() != "invalid_request":
							s.note("%s repeated %s is refused with %s", name, how, printable(x.ErrorCode()))
						}
					}
				}
			}, eachGrant())

		It("answers 400 invalid_request when grant_type is missing", proves("RFC6749-5.2-missing-grant-type"), func(ctx SpecContext) {
			g := s.enabled()[0]
			s.control(ctx, g)
			Expect(s.send(ctx, s.tokenRequest(ctx, g).Changed(oauth.Without("grant_type"), oauth.Titled("leave out grant_type")))).
				To(s.beRefused("invalid_request").withStatus(400).orWarn("unsupported_grant_type", "invalid_grant"))
			Expect(s.send(ctx, s.tokenRequest(ctx, g).Changed(emptyForm, oauth.Titled("post an empty form")))).
				To(s.beRefused("invalid_request").withStatus(400).orWarn("unsupported_grant_type", "invalid_grant", "invalid_client").orWarnStatus(401))
		})

		It("answers 400 unsupported_grant_type to a grant that it does not know", proves("RFC6749-5.2-unsupported-grant-type"), func(ctx SpecContext) {
			g := s.enabled()[0]
			s.control(ctx, g)
			Expect(s.send(ctx, s.tokenRequest(ctx, g).Changed(oauth.Set("grant_type", "urn:flowproof:none"), oauth.Titled("ask for an unknown grant")))).
				To(s.beRefused("unsupported_grant_type").withStatus(400).orWarn("invalid_request", "invalid_grant"))
		})

		It("tells grant types and parameter names apart by letter case", proves("RFC6749-1.9-case-sensitive"), flow(target.ClientCredentials), func(ctx SpecContext) {
			s.control(ctx, target.ClientCredentials)
			r := s.tokenRequest(ctx, target.ClientCredentials)
			// How the refusals are worded is for the rows about an unknown grant and a missing one.
			Expect(s.send(ctx, r.Changed(oauth.Set("grant_type", "Client_Credentials"), oauth.Titled("write the grant type in another case")))).
				To(s.beRefused())
			Expect(s.send(ctx, r.Changed(oauth.Without("grant_type"), oauth.Set("Grant_Type", "client_credentials"), oauth.Titled("write the parameter's name in another case")))).
				To(s.beRefused())
		})

		DescribeTable("decodes a form as UTF-8", table, proves("RFC6749-B-form-utf8"),
			func(ctx SpecContext, probe func(ctx SpecContext)) { probe(ctx) },
			Entry("a content type with a charset", func(ctx SpecContext) {
				g := s.enabled()[0]
				s.control(ctx, g)
				Expect(s.send(ctx, s.tokenRequest(ctx, g).Changed(oauth.Header("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")))).To(s.beTokenAnswer())
			}),
			Entry("a password with odd characters", flow(target.Password), func(ctx SpecContext) {
				for _, u := range s.target.Users {
					if odd(u.Password.Reveal()) && !u.Sacrificial {
						s.control(ctx, target.Password)
						r := s.driver.Password(s.holder(target.Password), u, s.target.Scopes.Default)
						Expect(s.send(ctx, r.Changed(oauth.Titled("send a password with odd characters, space as +")))).To(s.beTokenAnswer())
						Expect(s.send(ctx, r.Changed(spaceAsPercent, oauth.Titled("send the same with space as %20")))).To(s.beTokenAnswer())
						return
					}
				}
				s.notApplicable("no user in the target file has a password with a space, %%, +, &, = or a letter beyond ASCII")
			}),
			Entry("a client secret with odd characters in the body", flow(target.ClientCredentials), func(ctx SpecContext) {
				c := s.client("client_credentials client whose secret has odd characters", func(c target.Client) bool {
					return c.Has(target.ClientCredentials) && odd(c.Secret.Reveal())
				})
				x := s.send(ctx, s.driver.ClientCredentials(c, "", oauth.BodyAuth(c.ID, c.Secret.Reveal())))
				if !x.IssuedToken() && !s.acceptsBodyCredentials(ctx) {
					s.notApplicable("the server takes no client credentials in the body, so an odd secret cannot be sent there")
				}
				Expect(x).To(s.beTokenAnswer())
			}),
		)

		DescribeTable("survives a malformed body", table, proves("RFC6749-10.14-malformed-token-request"),
			func(ctx SpecContext, spoil func(r oauth.Request) oauth.Request) {
				g := s.enabled()[0]
				s.control(ctx, g)
				x := s.insist(ctx, func() oauth.Request {
					return spoil(s.tokenRequest(ctx, g)).Changed(oauth.Titled("send a malformed body"))
				}, func() oauth.Request { return s.tokenRequest(ctx, g) })
				s.seen.decide(x)
				s.seen.expected = "a clean 4xx within 5 seconds"
				s.heard(x)
				switch {
				case x.Status == 0:
					s.violated("no answer, %d times, while well-formed requests in between had one: %v", insistence, x.Err)
				case x.Status >= 500 || x.Status < 300 && !x.IssuedToken():
					s.violated("%s", answered(x))
				case x.IssuedToken():
					s.note("the server reads this as a token request: %s", answered(x))
				case innards(string(x.Body)) != "":
					s.violated("the answer shows the server's inside: %s", innards(string(x.Body)))
				case x.ErrorCode() == "":
					s.note("the refusal is no OAuth error: %s", answered(x))
				}
			},
			Entry("a percent sign without digits", verbatim(form, func(b string) string { return b + "&scope=%ZZ" })),
			Entry("a NUL byte", verbatim(form, func(b string) string { return b + "&x=\x00" })),
			Entry("broken UTF-8", verbatim(form, func(b string) string { return b + "&x=%C3%28&y=\xff" })),
			Entry("JSON", verbatim("application/json", func(string) string { return `{"grant_type":"client_credentials"}` })),
			Entry("multipart", verbatim("multipart/form-data; boundary=x", func(string) string {
				return "--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n--x--\r\n"
			})),
			Entry("no content type", verbatim("", func(b string) string { return b })),
			Entry("a value of 1 MiB", verbatim(form, func(b string) string { return b + "&scope=" + strings.Repeat("a", 1<<20) })),
			Entry("10,000 parameters", verbatim(form, func(b string) string {
				var many strings.Builder
				for i := range 10_000 {
					fmt.Fprintf(&many, "&p%d=1", i)
				}
				return b + many.String()
			})),
		)
	})
}

// insistence is how often a request is sent that gets no answer, until that is no coincidence.
const insistence = 5

// insist sends a request that may rightly be held to have no answer: what got lost on its way gets another try, after a
// control that is answered. Without that the spec is inconclusive.
func (s *session) insist(ctx context.Context, request, control func() oauth.Request) oauth.Exchange {
	GinkgoHelper()
	var x oauth.Exchange
	for range insistence {
		if x = s.driver.Send(ctx, request()); x.Status != 0 {
			return x
		}
		s.send(ctx, control())
	}
	return x
}

const form = "application/x-www-form-urlencoded"

// verbatim sends a spoilt body under a content type.
func verbatim(contentType string, spoil func(body string) string) func(oauth.Request) oauth.Request {
	return func(r oauth.Request) oauth.Request {
		return r.Changed(oauth.WithBody(contentType, spoil(r.Form.Encode())))
	}
}

// emptyForm drops every parameter and keeps the content type.
func emptyForm(r *oauth.Request) { r.Form = oauth.Params{} }

// spaceAsPercent writes spaces as %20 instead of +.
func spaceAsPercent(r *oauth.Request) {
	body := strings.ReplaceAll(r.Form.Encode(), "+", "%20")
	oauth.WithBody(form, body)(r)
}

// odd says whether a secret has characters that tell decoders apart.
func odd(secret string) bool {
	return strings.ContainsFunc(secret, func(c rune) bool { return strings.ContainsRune(" +%&=", c) || c > 0x7f })
}

// acceptsBodyCredentials says whether the server takes client credentials in the body at all.
func (s *session) acceptsBodyCredentials(ctx SpecContext) bool {
	c := s.confidential(target.ClientCredentials)
	const name = "credentials in the body"
	x, made := s.memo[name]
	if !made {
		x = s.send(ctx, s.driver.ClientCredentials(c, "", oauth.BodyAuth(c.ID, c.Secret.Reveal())))
		s.memo[name] = x
	}
	return x.IssuedToken()
}
