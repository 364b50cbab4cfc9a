package suites

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// A spoiler makes another redirect URI of a registered one; nothing when that one has not what it spoils.
type spoiler func(uri string) string

// webURI is an http or https URI in its parts, none of them decoded.
type webURI struct{ scheme, host, port, path, query string }

// cutURI reads a URI as it stands.
func cutURI(uri string) (webURI, bool) {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || scheme != "http" && scheme != "https" {
		return webURI{}, false
	}
	u := webURI{scheme: scheme}
	rest, u.query, _ = strings.Cut(rest, "?")
	authority, path, slash := strings.Cut(rest, "/")
	if slash {
		u.path = "/" + path
	}
	u.host = authority
	if host, port, err := net.SplitHostPort(authority); err == nil {
		u.host, u.port = host, port
	}
	return u, true
}

func (u webURI) String() string {
	host := u.host
	switch {
	case u.port != "":
		host = net.JoinHostPort(u.host, u.port)
	case strings.Contains(u.host, ":") && !strings.HasPrefix(u.host, "["):
		host = "[" + u.host + "]"
	}
	out := u.scheme + "://" + host + u.path
	if u.query != "" {
		out += "?" + u.query
	}
	return out
}

// part spoils a web URI; a URI of another kind has nothing to spoil.
func part(spoil func(u *webURI) bool) spoiler {
	return func(uri string) string {
		u, ok := cutURI(uri)
		if !ok || !spoil(&u) {
			return ""
		}
		return u.String()
	}
}

// hostAs spoils the host alone.
func hostAs(spoil func(host string) string) spoiler {
	return part(func(u *webURI) bool {
		u.host = spoil(u.host)
		return u.host != ""
	})
}

// pathAs spoils the path alone.
func pathAs(spoil func(path string) string) spoiler {
	return part(func(u *webURI) bool {
		u.path = spoil(u.path)
		return true
	})
}

// appended adds to the end of the URI.
func appended(tail string) spoiler { return func(uri string) string { return uri + tail } }

// withQuery adds a parameter to the URI.
func withQuery(pair string) spoiler {
	return func(uri string) string {
		if strings.Contains(uri, "?") {
			return uri + "&" + pair
		}
		return uri + "?" + pair
	}
}

// verbatimURI is a URI that has nothing of the registered one.
func verbatimURI(uri string) spoiler { return func(string) string { return uri } }

// lastLetter replaces the last letter of the path.
func lastLetter(as func(letter byte) string) spoiler {
	return pathAs(func(path string) string {
		for i := len(path) - 1; i >= 0; i-- {
			if c := path[i] | 0x20; c >= 'a' && c <= 'z' {
				return path[:i] + as(path[i]) + path[i+1:]
			}
		}
		return path
	})
}

// escapedByte writes a byte in percent-encoding.
func escapedByte(c byte) string { return "%" + strings.ToUpper(strconv.FormatUint(uint64(c), 16)) }

// decimal writes an IPv4 address as one number.
func decimal(host string) string {
	a, err := netip.ParseAddr(host)
	if err != nil || !a.Is4() {
		return ""
	}
	b := a.As4()
	return strconv.FormatUint(uint64(b[0])<<24|uint64(b[1])<<16|uint64(b[2])<<8|uint64(b[3]), 10)
}

// plain says whether a redirect URI is one of the web without a query.
func plain(uri string) bool {
	u, ok := cutURI(uri)
	return ok && u.query == ""
}

// queried says whether a redirect URI has a query.
func queried(uri string) bool {
	u, ok := cutURI(uri)
	return ok && u.query != ""
}

// loopback says whether a redirect URI stays on the user's machine.
func loopback(uri string) bool {
	u, ok := cutURI(uri)
	return ok && (u.host == "localhost" || loopbackAddress(uri))
}

// loopbackAddress says whether a redirect URI names the user's machine by its address.
func loopbackAddress(uri string) bool {
	u, ok := cutURI(uri)
	if !ok {
		return false
	}
	a, err := netip.ParseAddr(u.host)
	return err == nil && a.IsLoopback()
}

// hostIsIPv4 says whether a redirect URI names its host by an IPv4 address.
func hostIsIPv4(uri string) bool {
	u, ok := cutURI(uri)
	return ok && decimal(u.host) != ""
}
