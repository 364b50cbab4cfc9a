package target

import "testing"

// TestCredentialsAreTypedOnlyWhereTheFileSays: a page elsewhere, however alike its address looks, gets none.
func TestCredentialsAreTypedOnlyWhereTheFileSays(t *testing.T) {
	acme := Target{
		URL: "https://acme.test", SignInHosts: []string{"login.acme.test", "sso.acme.test:8443"},
		Endpoints: Endpoints{Authorization: "https://auth.acme.test:9443/oauth/auth", Token: "https://token.acme.test/token"},
	}
	for page, want := range map[string]bool{
		"https://acme.test/login":                  true,
		"https://ACME.test:443/login":              true,
		"blob:https://acme.test/1-2-3":             true,
		"https://auth.acme.test:9443/":             true,
		"https://login.acme.test/u/login?state=x":  true,
		"https://sso.acme.test:8443/":              true,
		"https://auth.acme.test/":                  false,
		"https://sso.acme.test/":                   false,
		"https://login.acme.test:8443/":            false,
		"https://token.acme.test/login":            false, // nobody signs in at a token endpoint
		"http://acme.test/login":                   false,
		"http://login.acme.test/login":             false,
		"https://acme.test.evil.test/":             false,
		"https://login.acme.test@evil.test/":       false,
		"https://acme.test@login.acme.test/":       false,
		"https://evil.test/?https://acme.test":     false,
		"https://xlogin.acme.test/":                false,
		"data:text/html,<input type=password>":     false,
		"about:blank":                              false,
		"javascript:alert('https://acme.test')":    false,
		"com.acme.test:/login.acme.test":           false,
		"https://login.acme.test%2f.evil.test/":    false,
		"//acme.test/":                             false,
		"http://[::bad/":                           false,
		"":                                         false,
		"https://login.acme.test\n.evil.test/path": false,
	} {
		if got := acme.MayTypeInto(page); got != want {
			t.Errorf("%q: %t, want %t", page, got, want)
		}
	}
	closed := Target{URL: "http://space.lan", SignInHosts: []string{"login.lan"}}
	local := Target{URL: "https://acme.test", SignInHosts: []string{"127.0.0.1:8081"}}
	if !closed.MayTypeInto("http://login.lan/") || !local.MayTypeInto("http://127.0.0.1:8081/") || local.MayTypeInto("http://127.0.0.1:8082/") {
		t.Error("plain http is for this machine, and for deployments that are reached so")
	}
	if !acme.SignsInAt("http://login.acme.test/") || acme.SignsInAt("ftp://login.acme.test/") || (Target{}).SignsInAt("about:blank") {
		t.Error("a sign-in host is one whatever the scheme of http is")
	}
}
