package suites

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// An asker is one of those who ask at once: a client by one grant, for a user or for itself.
type asker struct {
	name   string
	client target.Client
	user   bool // it asks for a user
	ask    func(ctx context.Context) oauth.Request
	got    func(x oauth.Exchange)
}

// askers are two clients with two users, by each grant that the target offers.
func (s *session) askers(ctx context.Context) []*asker {
	var out []*asker
	add := func(a asker) {
		if a.got == nil {
			a.got = func(oauth.Exchange) {}
		}
		out = append(out, &a)
	}
	for _, c := range s.couple(target.ClientCredentials) {
		scopes := []string{s.applicationScope()}
		if s.target.Scopes.Narrow != "" {
			scopes = append(scopes, s.target.Scopes.Narrow)
		}
		for _, scope := range scopes {
			add(asker{name: c.Name + " for itself, scope " + scope, client: c, ask: func(context.Context) oauth.Request {
				return s.driver.ClientCredentials(c, scope)
			}})
		}
	}
	for _, u := range s.two() {
		for _, c := range s.couple(target.Password) {
			add(asker{name: c.Name + " for " + u.Name + " by password", client: c, user: true, ask: func(context.Context) oauth.Request {
				return s.driver.Password(c, u, s.target.Scopes.Default)
			}})
		}
		if s.Front == nil {
			continue
		}
		for _, c := range s.couple(target.AuthorizationCode) {
			add(asker{name: c.Name + " for " + u.Name + " by code", client: c, user: true, ask: func(ctx context.Context) oauth.Request {
				return s.redemption(s.codeFor(ctx, c, u))
			}})
		}
		for _, c := range s.couple(target.RefreshToken) {
			if !c.Has(target.AuthorizationCode) {
				continue
			}
			first := s.granted(s.send(ctx, s.redemption(s.codeFor(ctx, c, u, s.driver.ForRefresh()))))
			if first.RefreshToken == "" {
				continue
			}
			last := first.RefreshToken
			add(asker{name: c.Name + " for " + u.Name + " by refresh token", client: c, user: true,
				ask: func(context.Context) oauth.Request { return s.driver.Refresh(c, last, "") },
				got: func(x oauth.Exchange) {
					if t, err := x.Token(); err == nil && t.RefreshToken != "" {
						last = t.RefreshToken
					}
				}})
		}
	}
	if len(out) < 2 {
		s.notApplicable("the target file has too few clients and users to ask at once")
	}
	return out
}

// questions are the requests of all askers, made before any is sent.
func (s *session) questions(ctx context.Context, askers []*asker) []oauth.Request {
	GinkgoHelper()
	out := make([]oauth.Request, len(askers))
	for i, a := range askers {
		out[i] = a.ask(ctx)
		out[i].Title = "ask as " + a.name
	}
	return out
}

// couple are the first two confidential clients with the grant, or as many as there are.
func (s *session) couple(g target.Grant) []target.Client {
	var out []target.Client
	for _, c := range s.target.Clients {
		if !c.Public && !c.Sacrificial && c.Has(g) && c.PKCE != "required" && len(out) < 2 {
			out = append(out, c)
		}
	}
	return out
}

// two are the first two users, or as many as there are.
func (s *session) two() []target.User {
	var out []target.User
	for _, u := range s.target.Users {
		if !u.Sacrificial && len(out) < 2 {
			out = append(out, u)
		}
	}
	return out
}
