package load

import (
	"slices"
	"strings"

	"flowproof/drivers/target"
)

// fit tells what the target lacks for the scenario.
func (s Scenario) fit(at string, t target.Target, w *problems) {
	if !slices.Contains(Flows(), s.Flow) {
		return
	}
	switch {
	case s.Flow == AuthorizationCode && t.Endpoints.Authorization == "":
		w.add(at+".flow", "name it under endpoints: authorization", "%s needs an authorization endpoint, and the target has none", s.Name)
	case s.Flow == Revocation && t.Endpoints.Revocation == "":
		w.add(at+".flow", "name it under endpoints: revocation, or leave the scenario out", "%s needs a revocation endpoint, and the target has none", s.Name)
	case s.Flow == Resource && s.resource(t) == nil && slices.Contains(resources(), s.Resource):
		w.add(at+".resource", "describe it under resources:", "%s needs the resource %q, and the target has none", s.Name, s.Resource)
	}
	s.fitOrigin(at, t, w)
	clients := s.clients(at, t, w)
	if len(clients) > 0 {
		for _, h := range s.Hostile {
			if h.Kind == ForeignRefreshToken && len(clients) < 2 {
				w.add(at+".hostile."+string(h.Kind), "name another client with the same grants", "a foreign refresh token takes two clients, and %s has one", s.Name)
			}
			if h.Kind != UsedCode && h.Kind != ForeignRefreshToken && !slices.ContainsFunc(clients, confidential) {
				w.add(at+".hostile."+string(h.Kind), "name a confidential client", "%s takes a client with a secret", h.Kind)
			}
		}
	}
	if s.personal() {
		s.users(at, t, w)
	}
}

// fitOrigin keeps to one server: each connection leads to the token endpoint's host.
func (s Scenario) fitOrigin(at string, t target.Target, w *problems) {
	var what, where string
	switch s.Flow {
	case AuthorizationCode:
		what, where = "authorization endpoint", t.Endpoints.Authorization
	case Revocation:
		what, where = "revocation endpoint", t.Endpoints.Revocation
	case Resource:
		if r := s.resource(t); r != nil {
			what, where = "resource", r.Get
		}
	}
	if where != "" && originOf(where) != originOf(t.Endpoints.Token) {
		w.add(at+".flow", "leave the scenario out, or load it with a tool of its own", "the %s of %s is on another host than the token endpoint, and load goes to one", what, s.Name)
	}
}

func confidential(c target.Client) bool { return !c.Public }

// resource is the one that the scenario calls, nil when the target has none.
func (s Scenario) resource(t target.Target) *target.Resource {
	switch s.Resource {
	case userResource:
		return t.Resources.User
	case applicationResource:
		return t.Resources.Application
	case scopedResource:
		return t.Resources.Scoped
	}
	return t.Resources.Any
}

// grants are those that a client needs for the scenario.
func (s Scenario) grants() []target.Grant {
	switch s.Flow {
	case Password:
		return []target.Grant{target.Password}
	case RefreshToken:
		return []target.Grant{target.Password, target.RefreshToken}
	case AuthorizationCode:
		return []target.Grant{target.AuthorizationCode}
	case Resource:
		if s.Resource == userResource {
			return []target.Grant{target.Password}
		}
	}
	return []target.Grant{target.ClientCredentials}
}

// served reports whether the client has the grants that the scenario takes.
func (s Scenario) served(c target.Client) bool {
	return !slices.ContainsFunc(s.grants(), func(g target.Grant) bool { return !c.Has(g) })
}

// clients are those that the scenario's requests go out for.
func (s Scenario) clients(at string, t target.Target, w *problems) []target.Client {
	var out []target.Client
	for i, name := range s.Clients {
		c, ok := t.Client(name)
		if !ok {
			w.add(at+"."+pathOf("clients", i), "it has "+names(t.Clients, func(c target.Client) string { return c.Name }), "there is no client %q in the target", name)
			return nil
		}
		if s.served(c) {
			out = append(out, c)
		}
	}
	if len(s.Clients) == 0 {
		for _, c := range t.Clients {
			if s.served(c) && !c.Sacrificial && confidential(c) { // for public clients consent is asked for again and again
				out = append(out, c)
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	need := words(s.grants(), " and ")
	if s.Flow == RefreshToken {
		need = "both password and refresh_token, since refresh tokens are obtained with a password,"
	}
	if len(s.Clients) > 0 {
		w.add(at+".clients", "name another, or add the grant in the target file", "%s needs a client with %s among its grants, and %s has not", s.Name, need, strings.Join(s.Clients, ", "))
		return nil
	}
	w.add(at+".flow", "add one to the target file", "%s needs a confidential client that is not sacrificial, with %s among its grants", s.Name, need)
	return nil
}

// users are the people who take part.
func (s Scenario) users(at string, t target.Target, w *problems) []target.User {
	signsIn := s.Flow == AuthorizationCode
	out := slices.Clone(s.People)
	for i, name := range s.Users {
		u, ok := t.User(name)
		if !ok {
			w.add(at+"."+pathOf("users", i), "it has "+names(t.Users, func(u target.User) string { return u.Name }), "there is no user %q in the target", name)
			return nil
		}
		out = append(out, u)
	}
	if len(s.Users) == 0 && len(s.People) == 0 {
		for _, u := range t.Users {
			if !u.Sacrificial && (signsIn || u.TOTP.Empty()) {
				out = append(out, u)
			}
		}
	}
	if len(out) == 0 {
		w.add(at+".flow", "add one to the target file, or name one", "%s needs a user who is not sacrificial and has no one-time password", s.Name)
	}
	return out
}

func names[T any](all []T, name func(T) string) string {
	if len(all) == 0 {
		return "none"
	}
	out := make([]string, len(all))
	for i, x := range all {
		out[i] = name(x)
	}
	return strings.Join(out, ", ")
}
