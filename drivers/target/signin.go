package target

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// SignsInAt reports whether people sign in on the URL's host: it is that of the service, of the authorization
// endpoint, or one of SignInHosts. The scheme does not matter.
func (t Target) SignsInAt(raw string) bool {
	at := authority(raw)
	return at != "" && (at == authority(t.URL) || at == authority(t.Endpoints.Authorization) || slices.Contains(t.SignInHosts, at))
}

// MayTypeInto reports whether a person's credentials may be given to the page: only on hosts that the file
// names, and over plain http only on this machine or where the deployment itself is reached so.
func (t Target) MayTypeInto(page string) bool {
	page = strings.TrimPrefix(page, "blob:")
	u, err := url.Parse(page)
	if err != nil || u.User != nil || !t.SignsInAt(page) {
		return false
	}
	return u.Scheme == "https" || loopback(u.Hostname()) || plain(t.URL) || plain(t.Endpoints.Authorization)
}

func plain(raw string) bool {
	scheme, _, _ := strings.Cut(raw, ":")
	return strings.EqualFold(scheme, "http")
}

func loopback(host string) bool {
	ip := net.ParseIP(host) // 127.acme.test is a name
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// authority is the host of an http or https URL, in lower case, with its port unless that is the scheme's own.
func authority(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Host)
	switch strings.ToLower(u.Scheme) {
	case "https":
		return strings.TrimSuffix(host, ":443")
	case "http":
		return strings.TrimSuffix(host, ":80")
	}
	return ""
}
