package browser

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// hosts are those that a visit may open pages of, each with its port unless that is the scheme's own.
type hosts struct {
	target  map[string]bool // the target's own
	allowed map[string]bool // further ones, where people sign in
}

func hostsOf(t target.Target) hosts {
	h := hosts{target: map[string]bool{}, allowed: map[string]bool{}}
	e := t.Endpoints
	for _, raw := range []string{t.URL, e.Authorization, e.Token, e.Revocation, e.Introspection, e.Metadata, e.JWKS, e.Consents} {
		if a := authority(raw); a != "" {
			h.target[a] = true
		}
	}
	for _, host := range t.SignInHosts {
		h.allowed[host] = true
	}
	return h
}

// ours reports whether the URL is on one of the target's hosts.
func (h hosts) ours(raw string) bool { return h.target[authority(raw)] }

// open reports whether the browser may open the URL as a page: a page of the target, of a host on the
// way, or no page of any host, as about:blank.
func (h hosts) open(raw string) bool {
	switch scheme(raw) {
	case "about", "blob", "data", "chrome-error":
		return true
	case "http", "https":
		a := authority(raw)
		return h.target[a] || h.allowed[a]
	}
	return false
}

// names are the host names of all of them, without ports.
func (h hosts) names() []string {
	var out []string
	for _, set := range []map[string]bool{h.target, h.allowed} {
		for a := range set {
			name, _, err := net.SplitHostPort(a)
			if err != nil {
				name = a
			}
			out = append(out, name)
		}
	}
	return out
}

// authority is the URL's host, in lower case, with its port unless that is the scheme's own.
func authority(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return host
}

func scheme(raw string) string {
	s, _, _ := strings.Cut(raw, ":")
	return strings.ToLower(s)
}

// leaves reports whether going to the URL would leave for a client: a registered redirect URI, whatever
// its host, or, for the page itself, any place where the visit has no business.
func (v *visit) leaves(where string, page bool) bool {
	if oauth.Lands(where, v.RedirectURIs...) {
		return true
	}
	return page && !v.s.b.hosts.open(where) && authority(where) != v.start && !slices.Contains(v.watched.Hosts, authority(where))
}

// onward is where a redirect leads, as the browser goes: relative to the page, its fragment kept.
func onward(page, fragment, location string) string {
	where := location
	if base, err := url.Parse(page); err == nil {
		if ref, err := url.Parse(location); err == nil && !ref.IsAbs() {
			where = base.ResolveReference(ref).String()
		}
	}
	if !strings.Contains(where, "#") {
		where += fragment
	}
	return where
}
