package target

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Masked is the effective configuration as YAML: defaults filled in, URLs absolute, secrets masked.
func (t Target) Masked() string {
	m := keys{}
	m.text("name", t.Name).text("url", t.URL).text("profile", t.Profile).text("edition", t.Edition)
	m.object("endpoints", new(keys).text("authorization", t.Endpoints.Authorization).text("token", t.Endpoints.Token).
		text("jwks", t.Endpoints.JWKS).text("consents", t.Endpoints.Consents).text("revocation", t.Endpoints.Revocation).
		text("introspection", t.Endpoints.Introspection).text("metadata", t.Endpoints.Metadata))
	clients, users := new(keys), new(keys)
	for _, c := range t.Clients {
		clients.object(c.Name, maskedClient(c))
	}
	for _, u := range t.Users {
		users.object(u.Name, new(keys).text("username", u.Username).secret("password", u.Password).secret("totp", u.TOTP).
			text("subject", u.Subject).truth("sacrificial", u.Sacrificial))
	}
	m.object("clients", clients).object("users", users)
	m.object("scopes", new(keys).text("default", t.Scopes.Default).text("narrow", t.Scopes.Narrow).texts("pair", t.Scopes.Pair).
		text("third", t.Scopes.Third).text("forbidden", t.Scopes.Forbidden))
	resources := new(keys)
	for _, r := range []struct {
		name string
		at   *Resource
	}{{"any", t.Resources.Any}, {"user", t.Resources.User}, {"application", t.Resources.Application}, {"scoped", t.Resources.Scoped}} {
		if r.at != nil {
			resources.object(r.name, new(keys).text("get", r.at.Get).text("scope", r.at.Scope).text("subject", r.at.Subject))
		}
	}
	parameters := new(keys)
	for _, name := range slices.Sorted(maps.Keys(t.Refresh.Parameters)) {
		parameters.text(name, t.Refresh.Parameters[name])
	}
	m.object("resources", resources)
	m.object("refresh", new(keys).object("parameters", parameters).text("scope", t.Refresh.Scope).
		truth("rotation", t.Refresh.Rotation).duration("grace", t.Refresh.Grace))
	m.truth("guest", t.Guest)
	m.signIn(t.SignIn)
	m.texts("sign_in_hosts", t.SignInHosts)
	secure := new(keys)
	if n := strings.Count(t.CA, "-----BEGIN CERTIFICATE-----"); n > 0 {
		secure.add("ca_certificates", n)
	}
	m.object("tls", secure.text("plain", t.Plain))
	m.duration("timeout", t.Timeout)
	out, err := yaml.MarshalWithOptions(yaml.MapSlice(m), yaml.IndentSequence(true))
	if err != nil {
		return "" // nothing in it but text, numbers, truths, lists and mappings
	}
	return string(out)
}

func maskedClient(c Client) *keys {
	k := new(keys).text("id", c.ID).secret("secret", c.Secret).truth("public", c.Public)
	if !c.Public {
		k.text("authentication", c.Authentication)
	}
	var grants []string
	for _, g := range c.Grants {
		grants = append(grants, string(g))
	}
	return k.texts("grants", grants).texts("redirect_uris", c.RedirectURIs).
		texts("implicit_redirect_uris", c.ImplicitRedirectURIs).texts("scopes", c.Scopes).text("pkce", c.PKCE).
		truth("secret_issued", c.SecretIssued).truth("sacrificial", c.Sacrificial)
}

// keys are the pairs of a YAML mapping in order; what is empty is left out.
type keys yaml.MapSlice

func (k *keys) add(name string, value any) *keys {
	*k = append(*k, yaml.MapItem{Key: name, Value: value})
	return k
}

func (k *keys) text(name, value string) *keys {
	if value == "" {
		return k
	}
	return k.add(name, value)
}

func (k *keys) texts(name string, items []string) *keys {
	if len(items) == 0 {
		return k
	}
	return k.add(name, items)
}

func (k *keys) truth(name string, is bool) *keys {
	if !is {
		return k
	}
	return k.add(name, is)
}

func (k *keys) secret(name string, s Secret) *keys {
	if s.Empty() {
		return k
	}
	return k.add(name, s.String())
}

func (k *keys) duration(name string, d time.Duration) *keys {
	if d == 0 {
		return k
	}
	return k.add(name, d.String())
}

func (k *keys) object(name string, o *keys) *keys {
	if len(*o) == 0 {
		return k
	}
	return k.add(name, yaml.MapSlice(*o))
}

func (k *keys) signIn(steps []Step) {
	if len(steps) == 0 {
		k.add("sign_in", "auto")
		return
	}
	var list []yaml.MapSlice
	for _, s := range steps {
		act := new(keys).text("selector", s.Selector)
		switch s.Do {
		case "fill":
			act.text("value", s.Value)
		case "expect":
			act.text("text", s.Value)
		}
		act.truth("optional", s.Optional)
		act.duration("patience", s.Patience)
		list = append(list, yaml.MapSlice{{Key: s.Do, Value: yaml.MapSlice(*act)}})
	}
	k.add("sign_in", list)
}
