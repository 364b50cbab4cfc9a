package suites

import (
	"net/http"
	"testing"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

func TestCutURIKeepsEveryByte(t *testing.T) {
	for _, uri := range []string{
		"https://app.acme.test", "https://app.acme.test/", "https://app.acme.test:8443/a/../b//c;d?t=1&u=%2F",
		"http://127.0.0.1:7777/callback", "http://[::1]:7777/callback", "http://[::1]/callback", "https://app.acme.test?t=1",
	} {
		u, ok := cutURI(uri)
		if !ok || u.String() != uri {
			t.Errorf("%s became %s", uri, u)
		}
	}
	for _, uri := range []string{"", "com.acme.app:/cb", "javascript:alert(1)", "/cb", "//host/cb"} {
		if _, ok := cutURI(uri); ok {
			t.Errorf("%q was taken for a URI of the web", uri)
		}
	}
}

func TestSpoilersChangeOneThing(t *testing.T) {
	for _, c := range []struct {
		name, from, want string
		spoil            spoiler
	}{
		{"host", "https://a.test:1/p?q=1", "https://a.test.:1/p?q=1", hostAs(func(h string) string { return h + "." })},
		{"path", "https://a.test:1/p?q=1", "https://a.test:1/p/x?q=1", pathAs(func(p string) string { return p + "/x" })},
		{"letter", "https://a.test/cb/1", "https://a.test/c%62/1", lastLetter(escapedByte)},
		{"no letter", "https://a.test/1", "https://a.test/1", lastLetter(escapedByte)},
		{"query", "https://a.test/cb", "https://a.test/cb?x=1", withQuery("x=1")},
		{"more query", "https://a.test/cb?t=1", "https://a.test/cb?t=1&x=1", withQuery("x=1")},
		{"decimal", "http://127.0.0.1:7/cb", "http://2130706433:7/cb", hostAs(decimal)},
		{"no decimal", "http://localhost:7/cb", "", hostAs(decimal)},
		{"no web", "com.acme.app:/cb", "", pathAs(func(p string) string { return p + "/x" })},
	} {
		if got := c.spoil(c.from); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestFateOfARedirectURI(t *testing.T) {
	const registered = "https://app.acme.test/cb"
	s := &session{target: target.Target{}}
	for _, c := range []struct {
		name, asked, landed string
		registered          string
		want                fate
	}{
		{"a code to the place asked for", "https://app.acme.test/cb/flowproof", "https://app.acme.test/cb/flowproof?code=x&state=s", registered, taken},
		{"an error to the place asked for", "https://foreign.test/cb", "https://foreign.test/cb?error=invalid_request&state=s", registered, taken},
		{"an error without state there", "https://foreign.test/cb", "https://foreign.test/cb?error=invalid_request", registered, taken},
		{"a code to the registered URI", "https://app.acme.test/%63b", "https://app.acme.test/cb?code=x&state=s", registered, overridden},
		{"an error to the registered URI", "https://foreign.test/cb", "https://app.acme.test/cb?error=invalid_request&error_description=flowproof&state=s", registered, turnedDown},
		{"the planted query", registered + "?flowproof=1", registered + "?flowproof=1&code=x&state=s", registered, taken},
		{"the fragment kept", registered + "#flowproof", registered + "?code=x&state=s#flowproof", registered, taken},
		{"the fragment dropped", registered + "#flowproof", registered + "?code=x&state=s", registered, overridden},
		{"the query dropped as asked", registered, registered + "?code=x&state=s", registered + "?t=1", taken},
		{"a page of the server on another host", "https://foreign.test/cb", "https://login.acme.test/error?error=invalid_request", registered, turnedDown},
		{"the root as browsers write it", "https://app.acme.test?flowproof=1", "https://app.acme.test/?code=x&state=s", "https://app.acme.test", overridden},
	} {
		r := oauth.Request{Query: oauth.Params{{Name: "redirect_uri", Value: c.asked}, {Name: "state", Value: "s"}}}
		if got := s.fateOf(oauth.ParseLanding(c.landed), r, c.registered); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
	if got := s.fateOf(oauth.Landing{Kind: oauth.Shown}, oauth.Request{}, registered); got != turnedDown {
		t.Errorf("a page: got %d", got)
	}
}

func TestNewerCookiesReplaceOlderOnes(t *testing.T) {
	header := ""
	for _, c := range []*http.Cookie{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}, {Name: "a", Value: "3"}} {
		header = kept(header, c)
	}
	if want := "b=2; a=3"; header != want {
		t.Errorf("got %q, want %q", header, want)
	}
}
