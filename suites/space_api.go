package suites

import (
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// The texts that Space's own clients compare.
const (
	expiredText = "Access token has expired"
	revokedText = "Refresh token associated with the access token is revoked"
)

// spaceAPI says what Space's API owes the bearers of tokens.
func spaceAPI(s *session) {
	Describe("the API of a Space deployment", func() {
		It("does not open a user's own resource to an application", flow(target.ClientCredentials), proves("SPACE-cc-no-user-resources"), func(ctx SpecContext) {
			r := s.protected("user", s.target.Resources.User)
			own := s.accessToken(ctx)
			if app := s.applicationResource(); app != nil {
				s.mustOpen("the application's resource with the application's token", func() oauth.Exchange {
					return s.send(ctx, s.driver.Resource(*app, own))
				})
			}
			s.mustOpen("the user's resource with a user's token", func() oauth.Exchange {
				return s.send(ctx, s.driver.Resource(r, s.userToken(ctx, s.user(0)).AccessToken))
			})
			x := s.send(ctx, s.driver.Resource(r, own, oauth.Titled("call a user's resource with an application's token")))
			s.seen.decide(x)
			s.seen.expected = "403 permission-denied"
			switch {
			case x.Status/100 == 2 && deniesInline(x):
				return
			case x.Status/100 == 2:
				s.violated("an application reads a user's resource: %s", answered(x))
			case x.Status >= 500:
				s.inconclusive("the server broke down: %s", answered(x))
			case x.Status != http.StatusForbidden:
				s.warn("the refusal is %s", answered(x))
			case members(x) != nil && x.ErrorCode() != "permission-denied":
				s.warn("the error is %q", x.ErrorCode())
			}
		})

		DescribeTable("issues tokens that the published key set verifies, for one audience", table, proves("SPACE-jwt-key-set"),
			func(ctx SpecContext, g target.Grant) {
				s.requires(g)
				keys := s.keySet(ctx)
				x := s.control(ctx, g)
				s.seen.decide(x)
				s.seen.expected = "a JWT that a published key verifies, whose only audience is the client's id"
				token := s.granted(x).AccessToken
				j, is := oauth.ParseJWT(token)
				if !is {
					s.notApplicable("the access tokens are opaque")
				}
				if keys.Status != http.StatusOK {
					s.seen.decide(keys)
					s.violated("the key set: %s", answered(keys))
				}
				if err := oauth.VerifyJWT(token, keys.Body); err != nil {
					s.violated("%v", err)
				}
				c, _ := s.target.Client(x.Request.Client)
				if aud := audiences(j); len(aud) != 1 || aud[0] != c.ID {
					s.violated("the audiences are %q, the client is %q", aud, c.ID)
				}
			}, eachGrant())

		DescribeTable("answers in JSON with the documented code to", table, proves("SPACE-resource-error-shape"),
			func(ctx SpecContext, provoke func(ctx SpecContext) oauth.Exchange, status int, code, text string) {
				x := provoke(ctx)
				s.seen.decide(x)
				s.seen.expected = "JSON with the error " + code
				switch {
				case x.Status/100 == 2:
					s.inconclusive("nothing was refused: %s", answered(x))
				case x.Status >= 500, x.Status == http.StatusNotFound:
					s.inconclusive("the answer is not the one that this is about: %s", answered(x))
				case members(x) == nil:
					s.violated("%s", answered(x))
				case x.ErrorCode() != code:
					s.violated("the error is %q", printable(x.ErrorCode()))
				case description(x) == "":
					s.violated("the error has no error_description, which the API description requires")
				case text != "" && description(x) != text:
					s.violated("error_description is %q; Kotlin clients compare %q", printable(description(x)), text)
				case x.Status != status:
					s.warn("%s comes with status %d", code, x.Status)
				}
			},
			Entry("a missing right", func(ctx SpecContext) oauth.Exchange { return s.withoutRight(ctx) }, http.StatusForbidden, "permission-denied", ""),
			Entry("a token that nobody issued", func(ctx SpecContext) oauth.Exchange {
				r, _ := s.opened(ctx)
				return s.send(ctx, s.driver.Resource(r, oauth.NewVerifier(), oauth.Titled("call with a random token")))
			}, http.StatusUnauthorized, "authentication-required", ""),
			Entry("a token that has expired", func(ctx SpecContext) oauth.Exchange {
				if !s.Slow {
					s.notApplicable("it waits until a token expires: run with --slow")
				}
				return s.aged(ctx).late
			}, http.StatusUnauthorized, "authentication-required", expiredText),
		)

		It("ends the access tokens of a refresh token that is deleted", flow(target.RefreshToken), proves("SPACE-revoked-refresh-kills-access"), func(ctx SpecContext) {
			u := s.lastUser()
			c, g := s.revocable()
			mine := s.granted(s.userGrant(ctx, u)).AccessToken // of an authorization of its own: it survives
			before := s.refreshTokens(ctx, mine)
			t := s.offline(ctx, c, g, u)
			r := s.protected("any", s.userResource())
			if x := s.send(ctx, s.driver.Resource(r, t.AccessToken)); x.Status/100 != 2 {
				s.seen.decide(x)
				s.inconclusive("the access token does not open the resource to begin with: %s", answered(x))
			}
			id := s.added(before, s.refreshTokens(ctx, mine))
			if x := s.send(ctx, s.consentRequest(http.MethodDelete, "/refresh-tokens/"+id, mine, "delete the refresh token")); x.Status/100 != 2 {
				s.seen.decide(x)
				s.inconclusive("the refresh token could not be deleted: %s", answered(x))
			}
			x := s.send(ctx, s.driver.Resource(r, t.AccessToken, oauth.Titled("call after the refresh token was deleted")))
			s.seen.decide(x)
			s.seen.expected = "401 authentication-required: " + revokedText
			switch {
			case x.Status/100 == 2:
				s.violated("the access token still opens the resource: %s", answered(x))
			case x.Status >= 500:
				s.inconclusive("the server broke down: %s", answered(x))
			case x.ErrorCode() != "authentication-required":
				s.violated("the error is %q", printable(x.ErrorCode()))
			case description(x) != revokedText:
				s.violated("error_description is %q; the SDKs compare %q", printable(description(x)), revokedText)
			case x.Status != http.StatusUnauthorized:
				s.warn("the status is %d", x.Status)
			}
		})
	})
}

// withoutRight is the answer to a good token that lacks the right.
func (s *session) withoutRight(ctx SpecContext) oauth.Exchange {
	if r := s.target.Resources.User; r != nil && len(s.granting(target.ClientCredentials)) > 0 {
		return s.send(ctx, s.driver.Resource(*r, s.accessToken(ctx), oauth.Titled("call a user's resource with an application's token")))
	}
	r := s.protected("scoped", s.target.Resources.Scoped)
	c := s.limited()
	x := s.positive("client_credentials of "+c.Name, func() oauth.Exchange {
		return s.send(ctx, s.driver.ClientCredentials(c, strings.Join(c.Scopes, " ")))
	})
	return s.send(ctx, s.driver.Resource(r, s.granted(x).AccessToken, oauth.Titled("call with a token of too little scope")))
}

// granting are the confidential clients with the grant.
func (s *session) granting(g target.Grant) []target.Client {
	var out []target.Client
	for _, c := range s.target.Clients {
		if c.Has(g) && !c.Public && !c.Sacrificial && c.PKCE != "required" {
			out = append(out, c)
		}
	}
	return out
}

// revocable is the last client that gets refresh tokens, by the cheapest way: the rows that keep tokens
// take the first ones.
func (s *session) revocable() (target.Client, target.Grant) {
	for _, g := range []target.Grant{target.Password, target.AuthorizationCode} {
		list := s.granting(g)
		for i := len(list) - 1; i >= 0; i-- {
			if list[i].Has(target.RefreshToken) {
				return list[i], g
			}
		}
	}
	s.notApplicable("no confidential client in the target file gets refresh tokens")
	panic("unreachable: Skip does not return")
}

// audiences are those that a JWT names, as one text or as a list.
func audiences(j oauth.JWT) []string {
	switch aud := j.Claims["aud"].(type) {
	case string:
		return []string{aud}
	case []any:
		var out []string
		for _, one := range aud {
			text, _ := one.(string)
			out = append(out, text)
		}
		return out
	}
	return nil
}
