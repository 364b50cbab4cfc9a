package suites

import (
	"net/http"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// announced compares what the metadata announces with what works for the clients of the target file. What is
// announced may still be switched off for a client, so only an answer about the server itself is a lie.
func announced(s *session) {
	truthful := proves("RFC8414-2-truthful")

	It("announces grants that the token endpoint knows", truthful, func(ctx SpecContext) {
		m := s.document(ctx)
		decides := s.memo["the metadata document"]
		for _, grant := range texts(m, "grant_types_supported") {
			if grant == string(target.Implicit) {
				continue // it ends at the authorization endpoint
			}
			s.seen.expected = "any answer but unsupported_grant_type for " + printable(grant)
			x, known := s.knowsGrant(ctx, grant)
			if throttled(x) {
				s.seen.decide(x)
				s.inconclusive("the server throttles (%s), so whether it knows %s is not told", answered(x), printable(grant))
			}
			if !known {
				s.seen.decide(x)
				s.violated("%s is announced, and the token endpoint answers %s", printable(grant), answered(x))
			}
		}
		s.seen.decide(decides)
	})

	DescribeTable("announces each grant that works:", table, truthful,
		func(ctx SpecContext, g target.Grant) {
			m := s.document(ctx)
			s.requires(g)
			named := texts(m, "grant_types_supported")
			if m["grant_types_supported"] == nil { // which means these two (RFC 8414 §2)
				named = []string{string(target.AuthorizationCode), string(target.Implicit)}
			}
			if slices.Contains(named, string(g)) {
				return
			}
			x := s.send(ctx, s.tokenRequest(ctx, g))
			s.seen.decide(x)
			s.seen.expected = "a refusal, since the grant is not announced"
			switch {
			case !x.IssuedToken():
			case m["grant_types_supported"] == nil:
				s.note("grant_types_supported is left out, which means %s; %s issues tokens, too", words(named), g)
			default:
				s.violated("%s is not announced, and issues tokens", g)
			}
		}, eachGrant())

	DescribeTable("tells of response types what is so:", table, truthful,
		func(ctx SpecContext, g target.Grant) {
			m := s.document(ctx)
			s.listed(m, "response_types_supported")
			if !s.offers(target.AuthorizationCode) && !s.offers(target.Implicit) {
				s.notApplicable("no client in the target file has a grant that begins at the authorization endpoint")
			}
			named := slices.Contains(texts(m, "response_types_supported"), responseType(g))
			c, registered := s.askerFor(g)
			l := s.play(ctx, s.asking(c, g, oauth.SetQuery("redirect_uri", c.RedirectURI(registered)), oauth.Titled("ask for a "+responseType(g))))
			switch {
			case named:
				s.seen.expected = "any answer but unsupported_response_type, since " + responseType(g) + " is announced"
				if l.Params().Get("error") == "unsupported_response_type" {
					s.violated("%s is announced: %s", responseType(g), landed(l))
				}
			case issued(l):
				s.seen.expected = "a refusal, since " + responseType(g) + " is not announced"
				s.violated("%s is not announced: %s", responseType(g), landed(l))
			}
		},
		Entry("code", flow(target.AuthorizationCode), target.AuthorizationCode),
		Entry("token", flow(target.Implicit), target.Implicit),
	)

	DescribeTable("announces each way of authentication that works:", table, truthful,
		func(ctx SpecContext, name string, way func(c target.Client) oauth.Change) {
			m := s.document(ctx)
			methods := texts(m, "token_endpoint_auth_methods_supported")
			if len(methods) == 0 {
				methods = []string{"client_secret_basic"} // what leaving it out means
			}
			if slices.Contains(methods, name) {
				return // whether a client may use it is for its registration
			}
			s.control(ctx, target.ClientCredentials)
			c := s.confidential(target.ClientCredentials)
			x := s.send(ctx, s.driver.ClientCredentials(c, s.applicationScope(), way(c), oauth.Titled("authenticate by "+name)))
			s.seen.decide(x)
			s.seen.expected = "a refusal, since " + name + " is not announced"
			if x.IssuedToken() {
				s.violated("%s is not announced, and works", name)
			}
		},
		Entry("HTTP Basic", "client_secret_basic", func(c target.Client) oauth.Change { return s.driver.Basic(c.ID, c.Secret.Reveal()) }),
		Entry("credentials in the body", "client_secret_post", func(c target.Client) oauth.Change { return oauth.BodyAuth(c.ID, c.Secret.Reveal()) }),
	)

	DescribeTable("tells of PKCE what is so:", table, truthful, flow(target.AuthorizationCode),
		func(ctx SpecContext, method string) {
			m := s.document(ctx)
			s.listed(m, "code_challenge_methods_supported")
			s.requires(target.AuthorizationCode)
			c := s.challengeable()
			s.authorizes(ctx, c, target.AuthorizationCode)
			named := slices.Contains(texts(m, "code_challenge_methods_supported"), method)
			right, first := s.worksBy(ctx, c, method, true)
			switch {
			case named && method == "plain": // which a client may be forbidden
			case named:
				s.seen.expected = "a token for the right verifier, since " + method + " is announced"
				if !right {
					s.violated("%s is announced, and does not work: %s", method, first)
				}
			case right:
				// A server that overlooks challenges supports nothing.
				if wrong, _ := s.worksBy(ctx, c, method, false); !wrong {
					s.seen.expected = "a refusal, since " + method + " is not announced"
					s.violated("%s is not announced, and works", method)
				}
			}
		},
		Entry("S256", "S256"),
		Entry("plain", "plain"),
	)
}

// listed makes the row not applicable where the document is silent: other rows are about what has to be in it.
func (s *session) listed(m map[string]any, name string) {
	if len(texts(m, name)) == 0 {
		s.notApplicable("the metadata has no %s", name)
	}
}

// knowsGrant says whether the token endpoint knows a grant, whichever client asks.
func (s *session) knowsGrant(ctx SpecContext, grant string) (last oauth.Exchange, known bool) {
	asked := 0
	for _, prefers := range []bool{true, false} { // those that are registered for it first
		for _, c := range s.target.Clients {
			if c.Sacrificial || c.Public && !prefers || c.Has(target.Grant(grant)) != prefers || asked == 3 {
				continue
			}
			asked++
			last = s.send(ctx, s.driver.ClientCredentials(c, "", oauth.Set("grant_type", grant), oauth.Titled("ask with nothing but the grant type "+printable(grant))))
			if last.ErrorCode() != "unsupported_grant_type" {
				return last, true
			}
		}
	}
	if asked == 0 {
		s.notApplicable("no client of the target file can ask for a token")
	}
	return last, false
}

// askerFor is a client to ask for the response type: one that has the grant, else any with a redirect URI.
func (s *session) askerFor(g target.Grant) (target.Client, target.Grant) {
	for _, registered := range []target.Grant{g, target.AuthorizationCode, target.Implicit} {
		for _, c := range s.target.Clients {
			if c.Has(registered) && !c.Sacrificial && c.PKCE != "required" {
				return c, registered
			}
		}
	}
	return s.holder(g), g
}

// worksBy says whether a code that was asked for with a challenge of the method is redeemed by its verifier,
// or by another one; and what was answered.
func (s *session) worksBy(ctx SpecContext, c target.Client, method string, right bool) (bool, string) {
	verifier := oauth.NewVerifier()
	challenge := verifier
	if method == "S256" {
		challenge = oauth.S256(verifier)
	}
	l := s.play(ctx, s.asking(c, target.AuthorizationCode, oauth.SetQuery("code_challenge", challenge), oauth.SetQuery("code_challenge_method", method),
		oauth.Titled("ask with a challenge by "+method)))
	if !issued(l) {
		return false, landed(l)
	}
	if !right {
		verifier = oauth.NewVerifier()
	}
	x := s.send(ctx, s.driver.Redeem(c, l.Params().Get("code"), c.RedirectURI(target.AuthorizationCode), verifier))
	if x.Status >= http.StatusInternalServerError || throttled(x) {
		s.inconclusive("the code was neither redeemed nor refused: %s", answered(x))
	}
	s.seen.decide(x)
	return x.IssuedToken(), answered(x)
}
