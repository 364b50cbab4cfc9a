package target

import (
	"net/url"
	"strings"

	"flowproof/drivers/strict"
)

// service is the base URL of the deployment, without a final slash.
func (r *reader) service(raw string) string {
	if raw == "" {
		return ""
	}
	if why := wrongURL(raw); why != "" {
		r.AtValue("url", "write it as in https://acme.example.test", "url: %s", why)
		return ""
	}
	if strings.ContainsAny(raw, "?#") {
		r.AtValue("url", "cut it there", "url: a service URL has no query and no fragment")
		return ""
	}
	return strings.TrimRight(raw, "/")
}

// signInHosts are host names, each with its port unless that is the scheme's own: https's or http's.
func (r *reader) signInHosts(written []string) []string {
	var hosts []string
	for i, host := range written {
		path := strict.Item("sign_in_hosts", i)
		if r.Spoiled(path) {
			continue
		}
		u, err := url.Parse("https://" + host)
		if err != nil || u.Hostname() == "" || u.Host != host || strings.HasSuffix(host, ":") || strings.ContainsAny(host, "*%") {
			r.AtValue(path, "write it as in login.acme.test, or login.acme.test:8443", "%s: it has to be a host, perhaps with its port, and nothing else", path)
			continue
		}
		hosts = append(hosts, strings.TrimSuffix(strings.ToLower(host), ":443"))
	}
	return hosts
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
func (r *reader) absolute(path, raw string) string {
	switch {
	case raw == "":
		return ""
	case strings.Contains(raw, "#"):
		r.AtValue(path, "cut it at the #", "%s: a fragment is never sent", path)
		return ""
	case strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//"):
		if _, err := url.Parse(raw); err != nil {
			r.AtValue(path, "", "%s: it cannot be read as a URL", path)
			return ""
		}
		return r.below(raw)
	}
	if why := wrongURL(raw); why != "" {
		r.AtValue(path, "write a path that begins with /, or a whole URL", "%s: %s", path, why)
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

func (r *reader) endpoints(written map[string]string, space bool) Endpoints {
	at := func(name, ofSpace string) string {
		if raw, ok := written[name]; ok {
			return r.absolute("endpoints."+name, raw)
		}
		if space && ofSpace != "" {
			return r.below(ofSpace)
		}
		return ""
	}
	return Endpoints{
		Authorization: at("authorization", "/oauth/auth"), Token: at("token", "/oauth/token"), JWKS: at("jwks", "/oauth/jwks.json"),
		Consents:   at("consents", "/api/http/team-directory/profiles/oauth-consents"),
		Revocation: at("revocation", ""), Introspection: at("introspection", ""), Metadata: at("metadata", ""),
	}
}

func (r *reader) resources(written map[string]resourceFile, space bool) Resources {
	at := func(name, ofSpace, subject string) *Resource {
		path := "resources." + name
		w, ok := written[name]
		out := Resource{Get: r.absolute(path+".get", w.Get), Scope: w.Scope, Subject: w.Subject}
		if space && out.Subject == "" {
			out.Subject = subject
		}
		switch {
		case ok:
			return &out
		case space && ofSpace != "":
			out.Get = r.below(ofSpace)
			return &out
		}
		return nil
	}
	all := Resources{
		Any:         at("any", "/api/http/team-directory/profiles", ""),
		User:        at("user", "/api/http/team-directory/profiles/me", "username"),
		Application: at("application", "/api/http/applications/me", ""),
		Scoped:      at("scoped", "", ""),
	}
	if all.Scoped != nil && all.Scoped.Scope == "" && !r.Spoiled("resources.scoped.scope") {
		r.AtKey("resources.scoped", "write scope: with the scope that opens it", "resources.scoped needs its scope")
	}
	return all
}
