package suites

import (
	"encoding/base64"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// pkce says what a deployment owes a client that proves with a verifier that a code is its own (RFC 7636).
func pkce(s *session) {
	Describe("the authorization code grant with PKCE", flow(target.AuthorizationCode), func() {
		BeforeEach(func() { s.requires(target.AuthorizationCode) })
		kinds := []TableEntry{
			Entry("a confidential client", func() target.Client { return s.verifying(false) }),
			Entry("a public client", func() target.Client { return s.verifying(true) }),
		}

		DescribeTable("supports S256 for", table, proves("RFC9700-2.1.1-s256-supported"),
			func(ctx SpecContext, client func() target.Client) {
				c := client()
				if !s.ordinaryPKCE(c) {
					s.redeems(ctx, c)
				}
				Expect(s.send(ctx, s.redemption(s.challenged(ctx, c, oauth.NewVerifier())))).To(s.beTokenAnswer())
				decided := s.seen.deciding
				s.compares(ctx, c) // a server that ignores PKCE redeems as well
				s.seen.deciding = decided
			}, kinds)

		DescribeTable("refuses a wrong verifier of", table, proves("RFC7636-4.6-wrong-verifier"),
			func(ctx SpecContext, client func() target.Client) {
				c := client()
				s.redeemsChallenged(ctx, c)
				Expect(s.send(ctx, s.redemption(s.challenged(ctx, c, oauth.NewVerifier()), wrongVerifier()))).
					To(s.beRefused("invalid_grant").withUsualStatus(400).orWarnStatus(401, 403).orAnyCode(reports.Warn))
			}, kinds)

		DescribeTable("refuses a code with a challenge when the verifier is", table, proves("RFC7636-4.5-missing-verifier"),
			func(ctx SpecContext, public bool, spoil oauth.Change) {
				c := s.verifying(public)
				s.redeemsChallenged(ctx, c)
				g := s.challenged(ctx, c, oauth.NewVerifier())
				Expect(s.send(ctx, s.redemption(g, oauth.Titled("redeem the code without its verifier"), spoil))).
					To(s.beRefused("invalid_grant", "invalid_request").orAnyCode(reports.Warn))
			},
			Entry("left out by a confidential client", false, oauth.Without("code_verifier")),
			Entry("left out by a public client", true, oauth.Without("code_verifier")),
			Entry("empty", false, oauth.Set("code_verifier", "")),
			Entry("sent under another name", false, func(r *oauth.Request) {
				*r = r.Changed(oauth.Set("verifier", r.Form.Get("code_verifier")), oauth.Without("code_verifier"))
			}),
		)

		It("keeps the challenge of a code that was redeemed with a wrong verifier", proves("RFC7636-4.5-missing-verifier"), func(ctx SpecContext) {
			c := s.challengeable()
			s.compares(ctx, c)
			g := s.challenged(ctx, c, oauth.NewVerifier())
			s.replay(ctx, s.redemption(g, wrongVerifier()))
			Expect(s.send(ctx, s.redemption(g, oauth.Without("code_verifier"), oauth.Titled("redeem the same code without a verifier")))).
				To(s.beRefused("invalid_grant", "invalid_request").orAnyCode(reports.Warn))
		})

		It("refuses a verifier where there was no challenge", proves("RFC9700-4.8.2-verifier-without-challenge"), func(ctx SpecContext) {
			c := s.unforced()
			g, came := s.unchallenged(ctx, c)
			if !came {
				s.notApplicable("no code comes without a challenge: %s", landed(g.landing))
			}
			s.positive("a code without challenge of "+c.Name, func() oauth.Exchange {
				plain, _ := s.unchallenged(ctx, c)
				return s.send(ctx, s.redemption(plain))
			})
			Expect(s.send(ctx, s.redemption(g, oauth.Set("code_verifier", oauth.NewVerifier()), oauth.Titled("redeem a code without challenge with a verifier")))).
				To(s.beRefused("invalid_request", "invalid_grant").orAnyCode(reports.Warn))
		})

		It("does not take an S256 challenge for its own verifier", proves("RFC7636-4.6-s256-not-plain"), func(ctx SpecContext) {
			c := s.challengeable()
			s.compares(ctx, c)
			verifier := oauth.NewVerifier()
			Expect(s.send(ctx, s.redemption(s.challenged(ctx, c, verifier), oauth.Set("code_verifier", oauth.S256(verifier)), oauth.Titled("send the challenge as the verifier")))).
				To(s.beRefused())
		})

		DescribeTable("refuses the code_challenge_method", table, proves("RFC7636-4.4.1-unknown-method"),
			func(ctx SpecContext, method string) {
				c := s.challengeable()
				s.compares(ctx, c)
				verifier := oauth.NewVerifier()
				asks := []oauth.Change{oauth.SetQuery("code_challenge", oauth.S256(verifier)), oauth.SetQuery("code_challenge_method", method),
					oauth.Titled(fmt.Sprintf("ask for a code with the challenge method %q", method))}
				l := s.land(ctx, s.person(ctx, s.user(0)), s.authorize(c, target.AuthorizationCode, asks...), oauth.Accept)
				if l.Params().Get("code") == "" {
					Expect(l).To(s.bringError("invalid_request").orWarn("invalid_grant", "access_denied", "server_error").orPage(reports.Warn))
					return
				}
				s.unverified(ctx, func() codeGrant { return s.code(ctx, c, asks...) })
				if method != "" { // an empty value counts as left out, which is plain
					s.warn("a code is issued for the method %q, though it cannot be redeemed without a verifier that fits", method)
				}
			},
			Entry("S512", "S512"),
			Entry("s256, in lower case", "s256"),
			Entry("none", "none"),
			Entry("that is empty, or takes it for plain", ""),
		)

		It("takes a challenge without method for plain", proves("RFC7636-4.3-default-plain"), func(ctx SpecContext) {
			c := s.challengeable()
			s.compares(ctx, c)
			verifier := oauth.NewVerifier()
			asks := func(challenge string) oauth.Change {
				return both(oauth.WithoutQuery("code_challenge_method"), oauth.SetQuery("code_challenge", challenge), oauth.Titled("ask for a code with a challenge and no method"))
			}
			l := s.land(ctx, s.person(ctx, s.user(0)), s.authorize(c, target.AuthorizationCode, asks(verifier)), oauth.Accept)
			if l.Params().Get("code") == "" { // plain is not offered
				Expect(l).To(s.bringError("invalid_request").orPage(reports.Warn))
				return
			}
			s.unverified(ctx, func() codeGrant { return s.code(ctx, c, asks(verifier)) })
			g := s.code(ctx, c, asks(verifier))
			g.verifier = verifier
			x := s.send(ctx, s.redemption(g, oauth.Titled("send a verifier that equals the challenge")))
			s.seen.decide(x)
			s.seen.expected = "a token: without a method the verifier is the challenge"
			if x.IssuedToken() {
				return
			}
			g = s.code(ctx, c, asks(oauth.S256(verifier)))
			g.verifier = verifier
			if hashed := s.send(ctx, s.redemption(g, oauth.Titled("send a verifier whose hash is the challenge"))); hashed.IssuedToken() {
				s.warn("a challenge without method is taken for S256, which is safe, yet not what clients that say nothing mean")
				return
			}
			s.violated("%s", answered(x))
		})

		It("refuses the method plain", proves("RFC9700-2.1.1-plain-refused"), func(ctx SpecContext) {
			c := s.challengeable()
			s.redeemsChallenged(ctx, c)
			r := s.authorize(c, target.AuthorizationCode, oauth.SetQuery("code_challenge", oauth.NewVerifier()), oauth.SetQuery("code_challenge_method", "plain"),
				oauth.Titled("ask for a code with the challenge method plain"))
			Expect(s.land(ctx, s.person(ctx, s.user(0)), r, oauth.Accept)).
				To(s.bringError("invalid_request").orWarn("access_denied", "unauthorized_client", "server_error").orPage(reports.Warn))
		})

		It("issues no code without a challenge where the client has to use PKCE", proves("RFC7636-4.4.1-required-challenge"), func(ctx SpecContext) {
			c := s.client("authorization_code client with pkce: required", func(c target.Client) bool { return c.Has(target.AuthorizationCode) && c.PKCE == "required" })
			s.redeemsChallenged(ctx, c)
			g, _ := s.unchallenged(ctx, c)
			Expect(g.landing).To(s.bringError("invalid_request").orWarn("access_denied", "unauthorized_client", "server_error").orPage(reports.Warn))
		})

		DescribeTable("issues no code without a challenge to", table, proves("OAUTH21-4.1.2.1-challenge-demanded"),
			func(ctx SpecContext, client func() target.Client) {
				c := client()
				if s.target.Profile == "bcp-9700" && !c.Public {
					s.notApplicable("a confidential client may do without PKCE")
				}
				s.redeemsChallenged(ctx, c)
				g, _ := s.unchallenged(ctx, c)
				Expect(g.landing).To(s.bringError("invalid_request").orWarn("access_denied", "unauthorized_client", "server_error").orPage(reports.Pass))
			}, kinds)

		DescribeTable("reads a verifier of", table, proves("RFC7636-4.1-verifier-length-charset"),
			func(ctx SpecContext, verifier string, right bool) {
				c := s.challengeable()
				s.compares(ctx, c)
				x := s.send(ctx, s.redemption(s.challenged(ctx, c, verifier), oauth.Titled("redeem the code with an odd verifier")))
				switch {
				case right:
					Expect(x).To(s.beTokenAnswer())
				case !x.IssuedToken():
					Expect(x).To(s.beRefused())
				case len(verifier) < 20:
					s.seen.decide(x)
					s.seen.expected = "a refusal: so short a verifier can be guessed"
					s.violated("%s", answered(x))
				default:
					s.seen.decide(x)
					s.seen.expected = "a refusal: no client may send such a verifier"
					s.warn("it is accepted")
				}
			},
			Entry("43 characters, the fewest", ofLength(43), true),
			Entry("128 characters, the most", ofLength(128), true),
			Entry("every character that is allowed", ofLength(40)+"-._~09azAZ", true),
			Entry("10 characters, and refuses it", ofLength(10), false),
			Entry("42 characters, and refuses it", ofLength(42), false),
			Entry("129 characters, and refuses it", ofLength(129), false),
			Entry("a plus sign among others, and refuses it", ofLength(42)+"+", false),
			Entry("a slash among others, and refuses it", ofLength(42)+"/", false),
			Entry("a space among others, and refuses it", ofLength(42)+" "+ofLength(2), false),
			Entry("a letter beyond ASCII among others, and refuses it", ofLength(42)+"é", false),
		)

		DescribeTable("refuses a challenge", table, proves("RFC7636-4.2-challenge-syntax"),
			func(ctx SpecContext, spoil func(sum []byte) string) {
				c := s.challengeable()
				s.compares(ctx, c)
				verifier := oauth.NewVerifier()
				sum, err := base64.RawURLEncoding.DecodeString(oauth.S256(verifier))
				Expect(err).NotTo(HaveOccurred())
				asks := []oauth.Change{oauth.SetQuery("code_challenge", spoil(sum)), oauth.SetQuery("code_challenge_method", "S256"), oauth.Titled("ask for a code with a malformed challenge")}
				l := s.land(ctx, s.person(ctx, s.user(0)), s.authorize(c, target.AuthorizationCode, asks...), oauth.Accept)
				g := codeGrant{client: c, code: l.Params().Get("code"), redirectURI: c.RedirectURI(target.AuthorizationCode), verifier: verifier, landing: l}
				if g.code == "" {
					Expect(l).To(s.bringError("invalid_request").orWarn("invalid_grant", "access_denied", "server_error").orPage(reports.Pass))
					return
				}
				x := s.send(ctx, s.redemption(g, oauth.Titled("redeem the code of a malformed challenge")))
				s.seen.decide(x)
				s.seen.expected = "invalid_request at the authorization endpoint"
				if x.IssuedToken() {
					s.violated("a code came, and it was redeemed")
				}
				s.note("a code came, which cannot be redeemed: %s", answered(x))
			},
			Entry("of 5 characters", func(sum []byte) string { return base64.RawURLEncoding.EncodeToString(sum)[:5] }),
			Entry("with padding", base64.URLEncoding.EncodeToString),
			Entry("with characters of another alphabet", func(sum []byte) string {
				return "+/" + base64.RawURLEncoding.EncodeToString(sum)[2:]
			}),
		)

		It("keeps the challenge of each of two requests that are open at once", proves("RFC7636-4.4-challenge-bound-to-code"), func(ctx SpecContext) {
			c := s.challengeable()
			s.compares(ctx, c)
			two := func() (older, newer codeGrant) {
				return s.challenged(ctx, c, oauth.NewVerifier()), s.challenged(ctx, c, oauth.NewVerifier())
			}
			older, newer := two()
			Expect(s.send(ctx, s.redemption(older, oauth.Titled("redeem the older code with its verifier")))).To(s.beTokenAnswer())
			Expect(s.send(ctx, s.redemption(newer, oauth.Titled("redeem the newer code with its verifier")))).To(s.beTokenAnswer())
			older, newer = two()
			older.verifier, newer.verifier = newer.verifier, older.verifier
			Expect(s.send(ctx, s.redemption(older, oauth.Titled("redeem the older code with the newer verifier")))).To(s.beRefused())
			Expect(s.send(ctx, s.redemption(newer, oauth.Titled("redeem the newer code with the older verifier")))).To(s.beRefused())
		})

		It("does not show the challenge in its answer", proves("OAUTH21-4.1.2-challenge-not-disclosed"), func(ctx SpecContext) {
			c := s.challengeable()
			s.redeemsChallenged(ctx, c)
			g := s.challenged(ctx, c, oauth.NewVerifier())
			s.seen.expected = "neither challenge nor verifier in the code, the redirect, its body or its cookies"
			if where := disclosed(g); where != "" {
				s.violated("the challenge can be read %s", where)
			}
		})

		DescribeTable("does not take a verifier for the client's authentication, with", table, proves("RFC7636-5-pkce-not-client-auth"),
			func(ctx SpecContext, spoil func(c target.Client) oauth.Change) {
				c := s.verifying(false)
				s.redeemsChallenged(ctx, c)
				Expect(s.send(ctx, s.redemption(s.challenged(ctx, c, oauth.NewVerifier()), spoil(c), oauth.Titled("redeem the code by the verifier alone")))).
					To(s.beRefused("invalid_client").orAnyCode(reports.Warn))
			},
			Entry("no secret", func(c target.Client) oauth.Change { return oauth.ClientIDOnly(c.ID) }),
			Entry("a wrong secret", wrongSecret),
		)
	})
}
