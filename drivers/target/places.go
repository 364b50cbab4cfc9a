package target

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// service is the base URL of the deployment, without a final slash.
func (r *reader) service(n ast.Node) string {
	raw := r.filled(n, "url")
	if raw == "" {
		return ""
	}
	if why := wrongURL(raw); why != "" {
		r.mistake(position(n), "write it as in https://acme.example.test", "url: %s", why)
		return ""
	}
	if strings.ContainsAny(raw, "?#") {
		r.mistake(position(n), "cut it there", "url: a service URL has no query and no fragment")
		return ""
	}
	return strings.TrimRight(raw, "/")
}

// wrongURL never repeats the URL: it may hold a password.
func wrongURL(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "it cannot be read as a URL"
	case u.Scheme != "http" && u.Scheme != "https":
		return "it has to begin with http:// or https://"
	case u.Hostname() == "":
		return "it names no host"
	case u.User != nil:
		return "it must not hold a user or a password"
	}
	return ""
}

// absolute resolves a reference below the service URL; an empty one stays so.
func (r *reader) absolute(n ast.Node, path string) string {
	raw, ok := r.text(n, path)
	switch {
	case !ok || raw == "":
		return ""
	case strings.Contains(raw, "#"):
		r.mistake(position(n), "cut it at the #", "%s: a fragment is never sent", path)
		return ""
	case strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//"):
		if _, err := url.Parse(raw); err != nil {
			r.mistake(position(n), "", "%s: it cannot be read as a URL", path)
			return ""
		}
		return r.below(raw)
	}
	if why := wrongURL(raw); why != "" {
		r.mistake(position(n), "write a path that begins with /, or a whole URL", "%s: %s", path, why)
		return ""
	}
	return raw
}

func (r *reader) below(path string) string {
	if r.base == "" {
		return "" // the service URL is a mistake of its own
	}
	return r.base + path
}

func (r *reader) endpoints(n ast.Node, space bool) Endpoints {
	var e Endpoints
	if space {
		e = Endpoints{
			Authorization: r.below("/oauth/auth"), Token: r.below("/oauth/token"), JWKS: r.below("/oauth/jwks.json"),
			Consents: r.below("/api/http/team-directory/profiles/oauth-consents"),
		}
	}
	if n == nil {
		return e
	}
	known := fields{}
	for name, where := range map[string]*string{
		"authorization": &e.Authorization, "token": &e.Token, "revocation": &e.Revocation, "introspection": &e.Introspection,
		"metadata": &e.Metadata, "jwks": &e.JWKS, "consents": &e.Consents,
	} {
		known[name] = func(e entry) { *where = r.absolute(e.value, "endpoints."+name) }
	}
	found := r.object(n, "endpoints", known)
	if c, ok := found["consents"]; ok && !space {
		r.mistake(c.key, "leave it out", "endpoints.consents is for profile space only")
	}
	return e
}

func (r *reader) resources(n ast.Node, space bool) Resources {
	var all Resources
	if space {
		all = Resources{
			Any:         &Resource{Get: r.below("/api/http/team-directory/profiles")},
			User:        &Resource{Get: r.below("/api/http/team-directory/profiles/me"), Subject: "username"},
			Application: &Resource{Get: r.below("/api/http/applications/me")},
		}
	}
	if n == nil {
		return all
	}
	one := func(where **Resource, subject string) func(entry) {
		return func(e entry) {
			path, resource := "resources."+e.name, Resource{Subject: subject}
			found := r.object(e.value, path, fields{
				"get":     func(e entry) { resource.Get = r.absolute(e.value, path+".get") },
				"scope":   func(e entry) { resource.Scope = r.filled(e.value, path+".scope") },
				"subject": func(e entry) { resource.Subject = r.filled(e.value, path+".subject") },
			})
			if mapping(r.plain(e.value)) {
				r.missing(e.key, path, found, map[string]string{"get": "write get: with its path or URL"})
			}
			if g, ok := found["get"]; ok {
				if s, isText := r.plain(g.value).(*ast.StringNode); isText && s.Value == "" {
					r.mistake(position(g.value), "write its path or URL, or leave the resource out", "%s.get is empty", path)
				}
			}
			*where = &resource
		}
	}
	subject := ""
	if space {
		subject = "username"
	}
	found := r.object(n, "resources", fields{
		"any": one(&all.Any, ""), "user": one(&all.User, subject), "application": one(&all.Application, ""), "scoped": one(&all.Scoped, ""),
	})
	if e, ok := found["scoped"]; ok && all.Scoped != nil && all.Scoped.Scope == "" && mapping(r.plain(e.value)) {
		r.mistake(e.key, "write scope: with the scope that opens it", "resources.scoped needs its scope")
	}
	return all
}

func (r *reader) refresh(n ast.Node, space bool) Refresh {
	var f Refresh
	if space {
		f.Parameters = map[string]string{"access_type": "offline"}
	}
	if n == nil {
		return f
	}
	found := r.object(n, "refresh", fields{
		"parameters": func(e entry) {
			f.Parameters = map[string]string{}
			entries, _ := r.entries(e.value, "refresh.parameters")
			for _, p := range entries {
				f.Parameters[p.name], _ = r.text(p.value, "refresh.parameters."+p.name)
			}
		},
		"scope":    func(e entry) { f.Scope, _ = r.text(e.value, "refresh.scope") },
		"rotation": func(e entry) { f.Rotation = r.truth(e.value, "refresh.rotation") },
		"grace":    func(e entry) { f.Grace = r.duration(e.value, "refresh.grace") },
	})
	if g, ok := found["grace"]; ok && f.Grace > 0 && !f.Rotation {
		r.mistake(g.key, "add rotation: true, or leave grace out", "refresh.grace makes no sense without rotation")
	}
	return f
}

func (r *reader) scopes(n ast.Node, space bool) Scopes {
	var s Scopes
	if space {
		s.Default = "**"
	}
	if n == nil {
		return s
	}
	r.object(n, "scopes", fields{
		"default":   func(e entry) { s.Default, _ = r.text(e.value, "scopes.default") },
		"narrow":    func(e entry) { s.Narrow = r.filled(e.value, "scopes.narrow") },
		"third":     func(e entry) { s.Third = r.filled(e.value, "scopes.third") },
		"forbidden": func(e entry) { s.Forbidden = r.filled(e.value, "scopes.forbidden") },
		"pair": func(e entry) {
			s.Pair = values(r.texts(e.value, "scopes.pair"))
			if sequence(r.plain(e.value)) && len(s.Pair) != 2 {
				r.mistake(position(e.value), "write exactly two", "scopes.pair holds %d", len(s.Pair))
			}
		},
	})
	return s
}

// signIn reads a recipe. Auto, the default, is an empty one.
func (r *reader) signIn(n ast.Node) []Step {
	if s, ok := r.plain(n).(*ast.StringNode); ok {
		if s.Value != "auto" {
			r.mistake(position(n), "write auto, or a list of steps", "sign_in: unknown %q", s.Value)
		}
		return nil
	}
	var steps []Step
	for i, item := range r.items(n, "sign_in") {
		steps = append(steps, r.step(item, fmt.Sprintf("sign_in[%d]", i)))
	}
	return steps
}

func (r *reader) step(n ast.Node, path string) Step {
	var s Step
	act := func(e entry) {
		if s.Do != "" {
			r.mistake(e.key, "write it as a step of its own", "%s does two things, %s and %s", path, s.Do, e.name)
			return
		}
		s.Do = e.name
		where := join(path, e.name)
		known := fields{
			"selector": func(e entry) { s.Selector = r.filled(e.value, where+".selector") },
			"optional": func(e entry) { s.Optional = r.truth(e.value, where+".optional") },
		}
		needed := map[string]string{"selector": "write selector: with a CSS selector"}
		switch e.name {
		case "fill":
			known["value"] = func(e entry) { s.Value = r.choice(e.value, where+".value", "username", "password") }
			needed["value"] = "write value: username or password"
		case "expect":
			known["text"] = func(e entry) { s.Value = r.filled(e.value, where+".text") }
			needed["text"] = "write text: with what the page shows"
		}
		found := r.object(e.value, where, known)
		if mapping(r.plain(e.value)) {
			r.missing(e.key, where, found, needed)
		}
	}
	r.object(n, path, fields{
		"fill": act, "click": act, "wait": act, "expect": act, "totp": act,
		"optional": func(e entry) { s.Optional = r.truth(e.value, path+".optional") },
	})
	if s.Do == "" && mapping(r.plain(n)) {
		r.mistake(position(n), "write fill, click, wait, expect or totp", "%s does nothing", path)
	}
	return s
}
