package target

import (
	"cmp"
	"time"

	"flowproof/drivers/strict"
)

// A reader makes a target of what is written, and files what makes no sense of it.
type reader struct {
	*strict.File
	folder string
	lookup Lookup
	base   string // the service URL, for relative references
}

const defaultTimeout = 10 * time.Second

func (r *reader) target(f file) Target {
	t := Target{
		Name: f.Name, URL: r.service(f.URL), Profile: f.Profile, Edition: f.Edition, Guest: f.Guest,
		CA: r.trust(f.TLS.CA), Plain: r.plainHTTP(f.TLS.Plain), Timeout: cmp.Or(f.Timeout, defaultTimeout),
	}
	space := t.Profile == "space"
	if t.Profile != "" && !space {
		for _, path := range []string{"edition", "endpoints.consents"} {
			if r.Has(path) {
				r.AtKey(path, "leave it out", "%s is for profile space only", path)
			}
		}
	}
	if space && t.Edition == "" {
		t.Edition = "space-2023"
	}
	r.base = t.URL
	t.Endpoints = r.endpoints(f.Endpoints, space)
	t.Clients = r.clients(f.Clients)
	t.Users = r.users(f.Users)
	t.Scopes = r.scopes(f.Scopes, space)
	t.Resources = r.resources(f.Resources, space)
	t.Refresh = r.refresh(f.Refresh, space)
	t.SignIn = r.signIn(f.SignIn)
	t.SignInHosts = r.signInHosts(f.SignInHosts)
	if t.Profile != "" && t.URL != "" {
		r.needEndpoints(t)
	}
	return t
}

func (r *reader) needEndpoints(t Target) {
	front := false
	for _, c := range t.Clients {
		front = front || c.Has(AuthorizationCode) || c.Has(Implicit)
	}
	if t.Endpoints.Token == "" && !r.Spoiled("endpoints.token") {
		r.AtKey("endpoints.token", "write endpoints: {token: /…}; only profile space has a default for it", "endpoints.token is missing")
	}
	if front && t.Endpoints.Authorization == "" && !r.Spoiled("endpoints.authorization") {
		r.AtKey("endpoints.authorization", "write endpoints: {authorization: /…}; only profile space has a default for it",
			"endpoints.authorization is missing, and a client has a grant that starts there")
	}
}

func (r *reader) scopes(f scopesFile, space bool) Scopes {
	s := Scopes{Narrow: f.Narrow, Pair: f.Pair, Third: f.Third, Forbidden: f.Forbidden}
	switch {
	case f.Default != nil:
		s.Default = *f.Default
	case space:
		s.Default = "**"
	}
	if f.Pair != nil && len(f.Pair) != 2 {
		r.AtValue("scopes.pair", "write exactly two", "scopes.pair holds %d", len(f.Pair))
	}
	return s
}

func (r *reader) refresh(f refreshFile, space bool) Refresh {
	out := Refresh(f)
	if space && f.Parameters == nil {
		out.Parameters = map[string]string{"access_type": "offline"}
	}
	if f.Grace > 0 && !f.Rotation {
		r.AtKey("refresh.grace", "add rotation: true, or leave grace out", "refresh.grace makes no sense without rotation")
	}
	return out
}

func (r *reader) signIn(written signInFile) []Step {
	var steps []Step
	for i, w := range written {
		path := strict.Item("sign_in", i)
		var acts []string
		for _, key := range r.Keys(path) {
			if key != "optional" {
				acts = append(acts, key)
			}
		}
		if len(acts) == 0 && !r.Spoiled(path) {
			r.AtKey(path, "write fill, click, wait, expect or totp", "%s does nothing", path)
		}
		if len(acts) > 1 {
			r.AtKey(path+"."+acts[1], "write it as a step of its own", "%s does two things, %s and %s", path, acts[0], acts[1])
		}
		steps = append(steps, w.step())
	}
	return steps
}

func (w stepFile) step() Step {
	s := Step{Optional: w.Optional}
	act := func(do string, a *actFile) {
		if a != nil {
			s.Do, s.Selector, s.Optional, s.Patience = do, a.Selector, s.Optional || a.Optional, a.Patience
		}
	}
	act("click", w.Click)
	act("wait", w.Wait)
	act("totp", w.TOTP)
	if a := w.Fill; a != nil {
		act("fill", &actFile{a.Selector, a.Optional, a.Patience})
		s.Value = a.Value
	}
	if a := w.Expect; a != nil {
		act("expect", &actFile{a.Selector, a.Optional, a.Patience})
		s.Value = a.Text
	}
	return s
}
