package suites

import (
	"context"
	"net/http"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// learnDemands finds out whether client credentials have to name a scope. RFC 6749 §3.3 lets a server refuse
// those that do not, and the requests of nearly every spec would fail for a reason that they are not about. Some do so in words of their own, so that any refusal but that of the client is reason to ask.
func (s *session) learnDemands(ctx context.Context) {
	if s.target.Scopes.Default == "" {
		return
	}
	for _, c := range s.target.Clients {
		if c.Public || c.Sacrificial || !c.Has(target.ClientCredentials) || c.PKCE == "required" {
			continue
		}
		x := s.driver.Send(ctx, s.driver.ClientCredentials(c, "", oauth.Titled("see whether a scope is demanded")))
		code := x.ErrorCode()
		if x.IssuedToken() || x.Status/100 != 4 || x.Status == http.StatusUnauthorized || code == "invalid_client" || code == "unauthorized_client" {
			return
		}
		x = s.driver.Send(ctx, s.driver.ClientCredentials(c, s.target.Scopes.Default, oauth.Titled("see whether a scope does")))
		if x.IssuedToken() {
			s.driver.Demand(target.ClientCredentials, s.target.Scopes.Default)
		}
		return
	}
}

// learnRefreshDemand finds out once a run whether a refresh has to name a scope, as the help page of Space says.
func (s *session) learnRefreshDemand(ctx context.Context, c target.Client, refreshable func() oauth.TokenAnswer) {
	if s.target.Profile != "space" || s.target.Scopes.Default == "" || s.knowsRefresh {
		return
	}
	s.knowsRefresh = true
	x := s.send(ctx, s.driver.Refresh(c, refreshable().RefreshToken, "", oauth.Titled("see whether a refresh has to name a scope")))
	if !x.IssuedToken() && x.ErrorCode() == "invalid_scope" {
		s.driver.Demand(target.RefreshToken, s.target.Scopes.Default)
	}
}
