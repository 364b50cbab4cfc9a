package suites

import (
	"context"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// tokenRequest is a fresh, valid token request of the grant: what is odd about a probe is only what it changes.
func (s *session) tokenRequest(ctx context.Context, g target.Grant) oauth.Request {
	switch g {
	case target.ClientCredentials:
		return s.driver.ClientCredentials(s.confidential(g), s.applicationScope())
	case target.Password:
		return s.driver.Password(s.holder(g), s.user(0), s.target.Scopes.Default)
	case target.AuthorizationCode:
		return s.redemption(s.code(ctx, s.holder(g)))
	case target.RefreshToken:
		c := s.holder(g)
		return s.driver.Refresh(c, s.refreshable(ctx, c).RefreshToken, "")
	}
	s.notApplicable("the %s grant does not end at the token endpoint", g)
	panic("unreachable: Skip does not return")
}

// applicationScope is what a client asks for itself. Leaving it out is legal everywhere and what real clients do.
func (s *session) applicationScope() string { return "" }

// control proves once a run that the grant issues tokens; refusals are believed only after it.
func (s *session) control(ctx context.Context, g target.Grant) oauth.Exchange {
	return s.positive(string(g), func() oauth.Exchange { return s.send(ctx, s.tokenRequest(ctx, g)) })
}

// positive makes a control once under its name; a failed one makes every spec that needs it inconclusive.
func (s *session) positive(name string, make func() oauth.Exchange) oauth.Exchange {
	c, made := s.controls[name]
	if !made {
		c.exchange = make()
		if !c.exchange.IssuedToken() {
			c.failure = "the positive control (" + name + ") issued no token: " + answered(c.exchange)
		}
		s.controls[name] = c
	}
	if c.failure != "" {
		s.seen.decide(c.exchange)
		s.inconclusive("%s", c.failure)
	}
	return c.exchange
}

// granted is the token that an exchange issued; without one the spec is inconclusive.
func (s *session) granted(x oauth.Exchange) oauth.TokenAnswer {
	t, err := x.Token()
	if err != nil || t.AccessToken == "" {
		s.seen.decide(x)
		s.inconclusive("%q was to issue a token: %s", x.Request.Title, answered(x))
	}
	return t
}

// accessToken is a live access token of the client for itself, made once a run.
func (s *session) accessToken(ctx context.Context) string {
	return s.granted(s.control(ctx, target.ClientCredentials)).AccessToken
}

// userToken is a live access token of a user, by whichever grant the target has, made once for each user
// unless something happened that may have ended it.
func (s *session) userToken(ctx context.Context, u target.User) oauth.TokenAnswer {
	name := "a token for the user " + u.Name
	if c, made := s.controls[name]; made && c.failure == "" && c.ended != s.passive.endings() {
		delete(s.controls, name) // it may be dead by now
	}
	x := s.positive(name, func() oauth.Exchange { return s.userGrant(ctx, u) })
	c := s.controls[name]
	c.ended = s.passive.endings()
	s.controls[name] = c
	return s.granted(x)
}

func (s *session) userGrant(ctx context.Context, u target.User) oauth.Exchange {
	for _, c := range s.target.Clients {
		if !c.Sacrificial && !c.Public && c.Has(target.Password) {
			return s.send(ctx, s.driver.Password(c, u, s.target.Scopes.Default))
		}
	}
	return s.send(ctx, s.redemption(s.codeFor(ctx, s.holder(target.AuthorizationCode), u)))
}

// refreshable is an answer with a refresh token, issued to the client a moment ago.
func (s *session) refreshable(ctx context.Context, c target.Client) oauth.TokenAnswer {
	return s.refreshableWith(ctx, c, s.target.Scopes.Default)
}

// refreshableWith asks for the scope; the target file says how refresh tokens are asked for.
func (s *session) refreshableWith(ctx context.Context, c target.Client, scope string) oauth.TokenAnswer {
	s.learnRefreshDemand(ctx, c, func() oauth.TokenAnswer { return s.refreshableWith(ctx, c, scope) })
	var x oauth.Exchange
	switch {
	case c.Has(target.AuthorizationCode):
		x = s.send(ctx, s.redemption(s.code(ctx, c, oauth.SetQuery("scope", scope), s.driver.ForRefresh())))
	case c.Has(target.Password):
		x = s.send(ctx, s.driver.Password(c, s.user(0), scope, s.driver.ForRefresh()))
	default:
		s.notApplicable("the client %s has neither the authorization code nor the password grant, so nothing gives it a refresh token", c.Name)
	}
	t := s.granted(x)
	if t.RefreshToken == "" {
		s.seen.decide(x)
		s.inconclusive("no refresh token came where the target file's refresh section says one is asked for: %s", answered(x))
	}
	return t
}

// A codeGrant is a code and what is needed to redeem it.
type codeGrant struct {
	client      target.Client
	code        string
	redirectURI string
	verifier    string
	landing     oauth.Landing
}

// redemption is the valid request that redeems the code.
func (s *session) redemption(g codeGrant, changes ...oauth.Change) oauth.Request {
	return s.driver.Redeem(g.client, g.code, g.redirectURI, g.verifier, changes...)
}

// code is a fresh code for the first user.
func (s *session) code(ctx context.Context, c target.Client, changes ...oauth.Change) codeGrant {
	return s.codeFor(ctx, c, s.user(0), changes...)
}

// codeFor plays an authorization request of the client as the user, who accepts.
func (s *session) codeFor(ctx context.Context, c target.Client, u target.User, changes ...oauth.Change) codeGrant {
	g := codeGrant{client: c, redirectURI: c.RedirectURI(target.AuthorizationCode)}
	r := s.authorize(c, target.AuthorizationCode)
	if s.ordinaryPKCE(c) {
		g.verifier = oauth.NewVerifier()
		r = r.Changed(oauth.SetQuery("code_challenge", oauth.S256(g.verifier)), oauth.SetQuery("code_challenge_method", "S256"))
	}
	r = r.Changed(changes...)
	if uri := r.Query.Get("redirect_uri"); uri != "" {
		g.redirectURI = uri
	}
	g.landing = s.land(ctx, s.person(ctx, u), r, oauth.Accept)
	g.code = g.landing.Params().Get("code")
	if g.landing.Kind != oauth.Redirected || g.code == "" {
		s.inconclusive("no code came for %q: %s", r.Title, landed(g.landing))
	}
	return g
}

// ordinaryPKCE says whether an ordinary request of the client carries a challenge: where the
// registration or the profile demands one.
func (s *session) ordinaryPKCE(c target.Client) bool {
	switch {
	case c.PKCE == "none":
		return false
	case c.PKCE == "required" || s.target.Profile == "oauth-2.1":
		return true
	default:
		return c.Public && s.target.Profile == "bcp-9700"
	}
}

// authorize is the ordinary authorization request of the client, with a fresh state.
func (s *session) authorize(c target.Client, g target.Grant, changes ...oauth.Change) oauth.Request {
	return s.driver.Authorize(c, g, c.RedirectURI(g), s.target.Scopes.Default, oauth.NewState(), changes...)
}
