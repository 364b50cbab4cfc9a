package oauth

import (
	"net/http"
	"slices"
	"testing"
)

func TestLandings(t *testing.T) {
	const cb = "https://app.acme.test/authorized"
	for _, c := range []struct {
		name, location string
		uris           []string
		lands          bool
		query          Params
		fragment       Params
	}{
		{"query", cb + "?code=a%20b+c&state=%C3%A9", []string{cb}, true, Params{{"code", "a b c"}, {"state", "é"}}, nil},
		{"fragment", cb + "#access_token=t&token_type=Bearer&expires_in=600", []string{cb}, true, nil, Params{{"access_token", "t"}, {"token_type", "Bearer"}, {"expires_in", "600"}}},
		{"order and repetition", cb + "?b=1&a=2&b=3&&c", []string{cb}, true, Params{{"b", "1"}, {"a", "2"}, {"b", "3"}, {"c", ""}}, nil},
		{"decoded once", cb + "?state=%2525", []string{cb}, true, Params{{"state", "%25"}}, nil},
		{"broken escapes", cb + "?state=%zz%4&error=%", []string{cb}, true, Params{{"state", "%zz%4"}, {"error", "%"}}, nil},
		{"bytes that net/url refuses", cb + "?state=a\x7fb c", []string{cb}, true, Params{{"state", "a\x7fb c"}}, nil},
		{"registered query kept", "https://app.acme.test/cb?t=1&code=x", []string{"https://app.acme.test/cb?t=1"}, true, Params{{"t", "1"}, {"code", "x"}}, nil},
		{"registered query lost", "https://app.acme.test/cb?code=x", []string{"https://app.acme.test/cb?t=1"}, true, Params{{"code", "x"}}, nil},
		{"second of two", cb + "?code=x", []string{"https://other.test/", cb}, true, Params{{"code", "x"}}, nil},
		{"default port, host in capitals", "HTTPS://APP.acme.test:443/authorized?code=x", []string{cb}, true, Params{{"code", "x"}}, nil},
		{"loopback", "http://127.0.0.1:7777/callback?code=x", []string{"http://127.0.0.1:7777/callback"}, true, Params{{"code", "x"}}, nil},
		{"custom scheme", "com.acme.app:/cb?code=x", []string{"com.acme.app:/cb"}, true, Params{{"code", "x"}}, nil},
		{"relative", "/authorized?code=x", []string{"https://server.test/authorized"}, true, Params{{"code", "x"}}, nil},
		{"relative to the scheme", "//app.acme.test/authorized?code=x", []string{cb}, true, Params{{"code", "x"}}, nil},
		{"other path", cb + "/?code=x", []string{cb}, false, nil, nil},
		{"other port", "https://app.acme.test:8443/authorized?code=x", []string{cb}, false, nil, nil},
		{"other scheme", "http://app.acme.test/authorized?code=x", []string{cb}, false, nil, nil},
		{"other host", "https://app.acme.test.evil.test/authorized", []string{cb}, false, nil, nil},
		{"user part", "https://app.acme.test@evil.test/authorized", []string{cb}, false, nil, nil},
		{"nothing registered", cb, []string{""}, false, nil, nil},
		{"no location", "", []string{cb}, false, nil, nil},
	} {
		e := Exchange{Request: Request{URL: "https://server.test/oauth/auth"}, Status: 303, Header: http.Header{"Location": {c.location}}}
		l, ok := e.Landing(c.uris...)
		if ok != c.lands || !slices.Equal(l.Query, c.query) || !slices.Equal(l.Fragment, c.fragment) {
			t.Errorf("%s: %v, query %q, fragment %q", c.name, ok, l.Query, l.Fragment)
		}
		if ok && (l.Kind != Redirected || l.Via != "303" || len(l.Trail) != 1) {
			t.Errorf("%s: %+v", c.name, l)
		}
	}
	if _, ok := (Exchange{Status: 200, Header: http.Header{"Location": {cb}}}).Landing(cb); ok {
		t.Error("a page with a Location landed")
	}
}

func TestFullURL(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"https://x.test/a", "https://x.test/a?b=c+d"},
		{"https://x.test/a?", "https://x.test/a?b=c+d"},
		{"https://x.test/a?e=%ZZ", "https://x.test/a?e=%ZZ&b=c+d"},
		{"https://x.test/a#f", "https://x.test/a?b=c+d#f"},
	} {
		if got := (Request{URL: c.url, Query: Params{{"b", "c d"}}}).FullURL(); got != c.want {
			t.Errorf("%s: %s, want %s", c.url, got, c.want)
		}
	}
}
