package suites

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// authorizationCode says what a deployment owes a client that redeems a code (RFC 6749 §4.1.3).
func authorizationCode(s *session) {
	Describe("the authorization code grant", flow(target.AuthorizationCode), func() {
		const code = target.AuthorizationCode
		BeforeEach(func() { s.requires(code) })

		It("issues a token that opens the resource as the user who signed in", proves("RFC6749-4.1-issues-token"), func(ctx SpecContext) {
			x := s.send(ctx, s.redemption(s.code(ctx, s.holder(code))))
			Expect(x).To(s.beTokenAnswer())
			s.opensAs(ctx, s.granted(x).AccessToken, s.user(0))
		})

		It("redeems a code once", proves("RFC6749-4.1.2-code-single-use"), func(ctx SpecContext) {
			g, _ := s.redeemed(ctx, s.holder(code))
			Expect(s.send(ctx, s.redemption(g, oauth.Titled("redeem the code again")))).To(s.beSpent())
		})

		DescribeTable("ends what came of a code when it is redeemed again:", table, proves("RFC6749-4.1.2-replay-revokes-tokens"),
			func(ctx SpecContext, alive func(ctx SpecContext, c target.Client, t oauth.TokenAnswer) oauth.Exchange) {
				c := s.renewing()
				g, first := s.redeemed(ctx, c, s.driver.ForRefresh())
				s.replay(ctx, s.redemption(g, oauth.Titled("redeem the code again")))
				x := alive(ctx, c, first)
				s.seen.decide(x)
				s.seen.expected = "a refusal: the code was redeemed twice, so somebody stole it"
				if x.Status/100 == 2 && !deniesInline(x) && x.ErrorCode() == "" {
					s.violated("it still works: %s", answered(x))
				}
			},
			Entry("the access token", func(ctx SpecContext, _ target.Client, t oauth.TokenAnswer) oauth.Exchange {
				return s.send(ctx, s.driver.Resource(s.personsResource(ctx), t.AccessToken, oauth.Titled("call with the token of a code that was replayed")))
			}),
			Entry("the refresh token", flow(target.RefreshToken), func(ctx SpecContext, c target.Client, t oauth.TokenAnswer) oauth.Exchange {
				if t.RefreshToken == "" {
					s.notApplicable("no refresh token came with the code")
				}
				return s.send(ctx, s.driver.Refresh(c, t.RefreshToken, "", oauth.Titled("use the refresh token of a code that was replayed")))
			}),
		)

		DescribeTable("lets nobody end the tokens of a code by replaying it with", table, proves("OAUTH21-7.5.2-invalid-replay-harmless"),
			func(ctx SpecContext, spoil func(c target.Client) oauth.Change) {
				c := s.confidential(code)
				spoilt := spoil(c)
				r := s.personsResource(ctx)
				if x := s.send(ctx, s.redemption(s.guarded(ctx, c), spoilt, oauth.Titled("redeem another code in the same wrong way"))); x.IssuedToken() {
					s.seen.decide(x)
					s.inconclusive("what was to be an invalid redemption is none: %s", answered(x))
				}
				g := s.guarded(ctx, c)
				first := s.granted(s.send(ctx, s.redemption(g)))
				s.replay(ctx, s.redemption(g, spoilt))
				x := s.send(ctx, s.driver.Resource(r, first.AccessToken, oauth.Titled("call with the token that came first")))
				Expect(x).To(s.beOpened())
			},
			Entry("a wrong secret", func(c target.Client) oauth.Change {
				return both(wrongSecret(c), oauth.Titled("redeem the code again with a wrong secret"))
			}),
			Entry("a wrong verifier", func(c target.Client) oauth.Change {
				if c.PKCE == "none" {
					s.notApplicable("the client %s is registered without PKCE", c.Name)
				}
				return both(oauth.Set("code_verifier", oauth.NewVerifier()), oauth.Titled("redeem the code again with a wrong verifier"))
			}),
		)

		DescribeTable("redeems a code for nobody but its client, not for", table, proves("RFC6749-4.1.3-code-bound-to-client"),
			func(ctx SpecContext, pair func() (owner, thief target.Client)) {
				owner, thief := pair()
				s.redeems(ctx, owner)
				s.redeems(ctx, thief)
				g := s.code(ctx, owner)
				stolen := g
				stolen.client = thief
				Expect(s.send(ctx, s.redemption(stolen, oauth.Titled("redeem the code of another client")))).
					To(s.beRefused("invalid_grant").orAnyCode(reports.Warn))
				if x := s.send(ctx, s.redemption(g, oauth.Titled("redeem the code as its owner, afterwards"))); !x.IssuedToken() {
					s.note("the owner cannot redeem the code after another client tried to: %s", answered(x))
				}
			},
			Entry("another confidential client", s.twoConfidential),
			Entry("another public client", s.twoPublic),
		)

		DescribeTable("wants the redirect_uri of the authorization request again, not", table, proves("RFC6749-4.1.3-redirect-uri-identical"),
			func(ctx SpecContext, spoil func() (c target.Client, uri string)) {
				c, uri := spoil()
				s.redeems(ctx, c)
				Expect(s.send(ctx, s.redemption(s.code(ctx, c), oauth.Set("redirect_uri", uri), oauth.Titled("redeem the code with another redirect_uri")))).
					To(s.beRefused("invalid_grant").orAnyCode(reports.Warn))
			},
			Entry("another one that is registered", func() (target.Client, string) {
				c := s.client("authorization_code client with two redirect URIs", func(c target.Client) bool { return c.Has(code) && len(c.RedirectURIs) > 1 })
				return c, c.RedirectURIs[1]
			}),
			Entry("the same in another letter case", func() (target.Client, string) {
				c := s.holder(code)
				uri := c.RedirectURI(code)
				at := pathOf(uri)
				if swapCase(uri[at:]) == uri[at:] {
					s.notApplicable("the path of the redirect URI of %s has no letters", c.Name)
				}
				return c, uri[:at] + swapCase(uri[at:])
			}),
			Entry("the same with a slash added", func() (target.Client, string) {
				c := s.holder(code)
				uri := c.RedirectURI(code)
				base, query, asks := strings.Cut(uri, "?")
				if asks {
					return c, base + "/?" + query
				}
				return c, uri + "/"
			}),
		)

		It("wants the redirect_uri again at all", proves("RFC6749-4.1.3-redirect-uri-required"), func(ctx SpecContext) {
			c := s.holder(code)
			s.redeems(ctx, c)
			Expect(s.send(ctx, s.redemption(s.code(ctx, c), oauth.Without("redirect_uri"), oauth.Titled("redeem the code without its redirect_uri")))).
				To(s.beRefused("invalid_grant", "invalid_request").orAnyCode(reports.Warn))
		})

		It("does not demand the redirect_uri again", proves("OAUTH21-10.2-redirect-uri-not-demanded"), func(ctx SpecContext) {
			c := s.holder(code)
			s.redeems(ctx, c)
			g := s.guarded(ctx, c)
			Expect(s.send(ctx, s.redemption(g, oauth.Without("redirect_uri"), oauth.Titled("redeem the code without its redirect_uri")))).To(s.beTokenAnswer())
		})

		DescribeTable("refuses", table, proves("RFC6749-4.1.3-invalid-code-refused"),
			func(ctx SpecContext, spoil func(code string) oauth.Change, wanted, tolerated string) {
				c := s.holder(code)
				s.redeems(ctx, c)
				g := s.code(ctx, c)
				Expect(s.send(ctx, s.redemption(g, spoil(g.code), oauth.Titled("redeem a code that is none")))).
					To(s.beRefused(wanted).orWarn(tolerated))
			},
			Entry("no code at all", func(string) oauth.Change { return oauth.Without("code") }, "invalid_request", "invalid_grant"),
			Entry("a random code", func(string) oauth.Change { return oauth.Set("code", oauth.NewVerifier()) }, "invalid_grant", "invalid_request"),
			Entry("a code with one character changed", func(code string) oauth.Change { return oauth.Set("code", altered(code)) }, "invalid_grant", "invalid_request"),
			Entry("a code with blanks after it", func(code string) oauth.Change { return oauth.Set("code", code+"  ") }, "invalid_grant", "invalid_request"),
		)

		It("wants a public client to name itself", proves("RFC6749-3.2.1-public-client-id-required"), func(ctx SpecContext) {
			c := s.public(code)
			s.redeems(ctx, c)
			Expect(s.send(ctx, s.redemption(s.code(ctx, c), oauth.NoAuth(), oauth.Titled("redeem a public client's code without client_id")))).
				To(s.beRefused("invalid_request", "invalid_client").orAnyCode(reports.Warn))
		})

		DescribeTable("tells codes and tokens apart, and takes", table, proves("RFC6749-5.2-artifact-confusion"),
			func(ctx SpecContext, confused func(ctx SpecContext, c target.Client) oauth.Request) {
				c := s.renewing()
				s.redeems(ctx, c)
				if !c.Has(target.RefreshToken) {
					s.notApplicable("no client in the target file has both the authorization_code and the refresh_token grant")
				}
				Expect(s.send(ctx, confused(ctx, c))).To(s.beRefused("invalid_grant").orAnyCode(reports.Warn))
			},
			Entry("no code for a refresh token", flow(target.RefreshToken), func(ctx SpecContext, c target.Client) oauth.Request {
				return s.driver.Refresh(c, s.code(ctx, c, s.driver.ForRefresh()).code, "", oauth.Titled("send a code as the refresh token"))
			}),
			Entry("no refresh token for a code", func(ctx SpecContext, c target.Client) oauth.Request {
				return s.redemption(s.code(ctx, c), oauth.Set("code", s.refreshable(ctx, c).RefreshToken), oauth.Titled("send a refresh token as the code"))
			}),
			Entry("no access token for a code", func(ctx SpecContext, c target.Client) oauth.Request {
				return s.redemption(s.code(ctx, c), oauth.Set("code", s.refreshable(ctx, c).AccessToken), oauth.Titled("send an access token as the code"))
			}),
			Entry("no access token for a refresh token", flow(target.RefreshToken), func(ctx SpecContext, c target.Client) oauth.Request {
				return s.driver.Refresh(c, s.refreshable(ctx, c).AccessToken, "", oauth.Titled("send an access token as the refresh token"))
			}),
		)

		It("issues each token to the user who authorized its code", proves("RFC6749-4.1.2-code-bound-to-user"), func(ctx SpecContext) {
			one, two := s.user(0), s.user(1)
			if r := s.protected("user", s.target.Resources.User); r.Subject == "" {
				s.notApplicable("the resource %q in the target file does not say which member names the user (subject)", "user")
			}
			c := s.holder(code)
			s.redeems(ctx, c)
			first, second := s.codeFor(ctx, c, one), s.codeFor(ctx, c, two)
			tokenOne := s.granted(s.send(ctx, s.redemption(first, oauth.Titled("redeem the code of "+one.Name)))).AccessToken
			tokenTwo := s.granted(s.send(ctx, s.redemption(second, oauth.Titled("redeem the code of "+two.Name)))).AccessToken
			s.opensAs(ctx, tokenOne, one)
			s.opensAs(ctx, tokenTwo, two)
		})
	})
}

// redeems is the positive control of the refusals of a client's codes: a fresh one issues a token, once a run.
func (s *session) redeems(ctx context.Context, c target.Client) {
	s.positive("a fresh code of "+c.Name, func() oauth.Exchange { return s.send(ctx, s.redemption(s.code(ctx, c))) })
}

// redeemed is a code that was just redeemed, and what came of it.
func (s *session) redeemed(ctx context.Context, c target.Client, changes ...oauth.Change) (codeGrant, oauth.TokenAnswer) {
	g := s.code(ctx, c, changes...)
	return g, s.granted(s.send(ctx, s.redemption(g)))
}

// replay sends a code again. A replay that issues a token is what the row about single use is for; it proves nothing here.
func (s *session) replay(ctx context.Context, r oauth.Request) {
	if x := s.send(ctx, r); x.IssuedToken() || x.Status >= 500 {
		s.seen.decide(x)
		s.inconclusive("the replay was not refused: %s", answered(x))
	}
}

// renewing is the first client with the code grant that gets refresh tokens, or else any with the code grant.
func (s *session) renewing() target.Client {
	for _, c := range s.target.Clients {
		if c.Has(target.AuthorizationCode) && c.Has(target.RefreshToken) && !c.Public && !c.Sacrificial && c.PKCE != "required" {
			return c
		}
	}
	for _, c := range s.target.Clients {
		if c.Has(target.AuthorizationCode) && c.Has(target.RefreshToken) && !c.Sacrificial {
			return c
		}
	}
	return s.holder(target.AuthorizationCode)
}

// personsResource is a resource that a person's token opens, after its positive control.
func (s *session) personsResource(ctx context.Context) target.Resource {
	r := s.target.Resources.User
	if r == nil {
		r = s.target.Resources.Any
	}
	found := s.protected("user", r)
	token := s.userToken(ctx, s.user(0)).AccessToken
	s.mustOpen("the resource with a good token of a person", func() oauth.Exchange { return s.send(ctx, s.driver.Resource(found, token)) })
	return found
}

// twoConfidential are two confidential clients with the code grant, sharing a redirect URI if any two do.
func (s *session) twoConfidential() (owner, thief target.Client) {
	owner = s.confidential(target.AuthorizationCode)
	for _, c := range s.target.Clients {
		if !c.Public && !c.Sacrificial && c.Name != owner.Name && c.Has(target.AuthorizationCode) &&
			c.RedirectURI(target.AuthorizationCode) == owner.RedirectURI(target.AuthorizationCode) {
			return owner, c
		}
	}
	return owner, s.client("second confidential client with the grant "+string(target.AuthorizationCode), func(c target.Client) bool {
		return !c.Public && c.Has(target.AuthorizationCode) && c.Name != owner.Name
	})
}

// twoPublic are two public clients with the code grant.
func (s *session) twoPublic() (owner, thief target.Client) {
	owner = s.public(target.AuthorizationCode)
	return owner, s.client("second public client with the grant "+string(target.AuthorizationCode), func(c target.Client) bool {
		return c.Public && c.Has(target.AuthorizationCode) && c.Name != owner.Name
	})
}

// wrongSecret authenticates the client in its own way with a secret that is not its own.
func wrongSecret(c target.Client) oauth.Change {
	if c.Authentication == "body" {
		return oauth.BodyAuth(c.ID, oauth.NewState())
	}
	return oauth.BasicAuth(c.ID, oauth.NewState())
}

// both makes one change of several.
func both(changes ...oauth.Change) oauth.Change {
	return func(r *oauth.Request) { *r = r.Changed(changes...) }
}

// altered changes one character in the middle to another of its kind. At the end of base64 another
// character may stand for the same bytes, and a letter in the other case may in hexadecimal.
func altered(code string) string {
	b := []byte(code)
	for i := range b {
		at := (len(b)/2 + i) % len(b)
		switch c := b[at]; {
		case c >= '0' && c <= '9':
			b[at] = '0' + (c-'0'+1)%10
		case c >= 'a' && c <= 'z':
			b[at] = 'a' + (c-'a'+1)%6
		case c >= 'A' && c <= 'Z':
			b[at] = 'A' + (c-'A'+1)%6
		default:
			continue
		}
		return string(b)
	}
	return code + "x"
}

// pathOf is where the path of a URI begins.
func pathOf(uri string) int {
	_, rest, _ := strings.Cut(uri, "://")
	if at := strings.IndexByte(rest, '/'); at >= 0 {
		return len(uri) - len(rest) + at
	}
	return len(uri)
}
