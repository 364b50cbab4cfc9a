package browser

import (
	"slices"
	"testing"

	"flowproof/drivers/target"
)

func TestHostsThatAVisitMayOpen(t *testing.T) {
	h := hostsOf(target.Target{
		URL:         "https://Space.acme.test",
		Endpoints:   target.Endpoints{Authorization: "https://space.acme.test:443/oauth/auth", Token: "http://127.0.0.1:8080/token"},
		SignInHosts: []string{"idp.acme.test", "sso.acme.test:8443"},
	})
	for where, want := range map[string]bool{
		"https://space.acme.test/x":     true,
		"https://SPACE.acme.test:443/":  true,
		"http://space.acme.test/":       true, // to be sent on to https
		"https://space.acme.test:8443/": false,
		"http://127.0.0.1:8080/":        true,
		"http://127.0.0.1:8081/":        false,
		"https://idp.acme.test/":        true,
		"https://idp.acme.test:9443/":   false,
		"https://sso.acme.test:8443/":   true,
		"https://sso.acme.test/":        false,
		"https://space.acme.test@evil/": false,
		"https://evil.test/?space.acme": false,
		"https://space.acme.test.evil/": false,
		"com.example.app:/cb":           false,
		"javascript:alert(1)":           false,
		"about:blank":                   true,
		"http://[::bad/":                false,
		"":                              false,
		"//space.acme.test/without":     false,
	} {
		if got := h.open(where); got != want {
			t.Errorf("%q: %t, want %t", where, got, want)
		}
	}
}

func TestOnwardIsWhereTheBrowserGoes(t *testing.T) {
	for _, c := range []struct{ page, fragment, location, want string }{
		{"https://a.test/x/y?z", "", "../cb?code=1", "https://a.test/cb?code=1"},
		{"https://a.test/x", "", "//b.test/cb", "https://b.test/cb"},
		{"https://a.test/x", "#kept", "https://b.test/cb", "https://b.test/cb#kept"},
		{"https://a.test/x", "#lost", "https://b.test/cb#own", "https://b.test/cb#own"},
		{"https://a.test/x", "", "com.example.app:/cb?code=1", "com.example.app:/cb?code=1"},
		{"https://a.test/x", "", "http://[::bad", "http://[::bad"},
	} {
		if got := onward(c.page, c.fragment, c.location); got != c.want {
			t.Errorf("from %s to %s: %s, want %s", c.page, c.location, got, c.want)
		}
	}
}

// TestSignInHostsAreTrustedByTheTargetsRoots: their keys are looked up, too.
func TestSignInHostsAreTrustedByTheTargetsRoots(t *testing.T) {
	got := secure(target.Target{
		URL: "https://acme.test", Endpoints: target.Endpoints{Authorization: "https://acme.test:443/auth", Token: "http://127.0.0.1/token"},
		SignInHosts: []string{"login.acme.test", "sso.acme.test:8443"},
	})
	if want := []string{"acme.test:443", "login.acme.test:443", "sso.acme.test:8443"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
