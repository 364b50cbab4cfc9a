package oauth

import (
	"net/url"
	"strconv"
	"strings"
)

// Landing reads a redirect to one of the redirect URIs. Scheme, host, port and path must be those of the
// URI; its query need not be, so that a server that loses or spoils a registered query is seen to.
func (e Exchange) Landing(redirectURIs ...string) (Landing, bool) {
	if !e.Redirects() {
		return Landing{}, false
	}
	where := resolve(e.Request.FullURL(), e.Location())
	if !Lands(where, redirectURIs...) {
		return Landing{}, false
	}
	l := ParseLanding(where)
	l.Via, l.Trail = strconv.Itoa(e.Status), []Exchange{e}
	return l, true
}

// Lands reports whether the URL is at one of the redirect URIs, up to query and fragment.
func Lands(where string, redirectURIs ...string) bool {
	for _, uri := range redirectURIs {
		if at := endpoint(uri); at != "" && endpoint(where) == at {
			return true
		}
	}
	return false
}

// ParseLanding reads the response parameters of a redirect URI, percent-decoded once.
func ParseLanding(where string) Landing {
	_, query, fragment := split(where)
	return Landing{Kind: Redirected, URL: where, Query: ParseParams(query), Fragment: ParseParams(fragment)}
}

// ParseParams reads form-encoded parameters, keeping order and repetition. A broken escape stands for itself.
func ParseParams(encoded string) Params {
	var out Params
	for part := range strings.SplitSeq(encoded, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		out = append(out, Param{unescape(name), unescape(value)})
	}
	return out
}

func unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			b.WriteByte(' ')
		case c == '%' && i+2 < len(s) && nibble(s[i+1]) >= 0 && nibble(s[i+2]) >= 0:
			b.WriteByte(byte(nibble(s[i+1])<<4 | nibble(s[i+2])))
			i += 2
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func nibble(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// split never fails, unlike net/url, which refuses what a broken server may well send.
func split(raw string) (base, query, fragment string) {
	base, fragment, _ = strings.Cut(raw, "#")
	base, query, _ = strings.Cut(base, "?")
	return base, query, fragment
}

// endpoint is the URL up to its query, with the parts that name the same place written alike.
func endpoint(raw string) string {
	base, _, _ := split(raw)
	scheme, rest, ok := strings.Cut(base, "://")
	if !ok {
		return base
	}
	scheme = strings.ToLower(scheme)
	host, path, slash := strings.Cut(rest, "/")
	host = strings.ToLower(host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	if !slash && scheme != "http" && scheme != "https" {
		return scheme + "://" + host
	}
	return scheme + "://" + host + "/" + path
}

// resolve is where a reference leads from a page. What net/url cannot read stands for itself.
func resolve(page, ref string) string {
	base, err := url.Parse(page)
	if err != nil {
		return ref
	}
	u, err := url.Parse(ref)
	if err != nil || u.IsAbs() {
		return ref
	}
	return base.ResolveReference(u).String()
}
