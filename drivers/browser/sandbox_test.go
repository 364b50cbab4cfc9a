package browser_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"flowproof/drivers/browser"
	"flowproof/drivers/oauth"
	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
)

// serve runs a sandbox, and reads its own description of itself.
func serve(t *testing.T) target.Target {
	t.Helper()
	stand, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(stand)
	t.Cleanup(server.Close)
	secrets := stand.Secrets()
	file := stand.TargetFile(server.URL, func(name string) string { return "env:" + name })
	described, err := target.Parse("sandbox.yaml", file, target.Lookup{Env: func(name string) (string, bool) {
		value, ok := secrets[name]
		return value, ok
	}})
	if err != nil {
		t.Fatal(err)
	}
	return described
}

func request(t *testing.T, at target.Target, client string, g target.Grant, pairs ...string) (string, string) {
	t.Helper()
	c, ok := at.Client(client)
	if !ok {
		t.Fatalf("the sandbox has no client %s", client)
	}
	uri := c.RedirectURI(g)
	kind := map[target.Grant]string{target.AuthorizationCode: "code", target.Implicit: "token"}[g]
	q := url.Values{"response_type": {kind}, "client_id": {c.ID}, "redirect_uri": {uri}, "scope": {at.Scopes.Default}, "state": {rand.Text()}}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return at.Endpoints.Authorization + "?" + q.Encode(), uri
}

func TestSandboxIsSignedInTo(t *testing.T) {
	at := serve(t)
	b, err := browser.Start(t.Context(), at, browser.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	visit := func(s oauth.Session, v oauth.Visit) oauth.Landing {
		t.Helper()
		l, err := s.Visit(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for _, name := range []string{"alice", "zoe"} {
		user, ok := at.User(name)
		if !ok {
			t.Fatalf("the sandbox has no user %s", name)
		}
		s, err := b.Session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		where, uri := request(t, at, "web", target.AuthorizationCode)
		v := oauth.Visit{URL: where, RedirectURIs: []string{uri}}
		if l := visit(s, v); l.Kind != oauth.SignIn {
			t.Errorf("%s: landed %s instead of on the sign-in page", name, l.Kind)
		}
		v.User, v.Consent = &user, oauth.Deny
		if l := visit(s, v); l.Query.Get("error") != "access_denied" {
			t.Errorf("%s: denied, landed %s at %s", name, l.Kind, l.URL)
		}
		v.Consent = oauth.Accept
		if l := visit(s, v); l.Query.Get("code") == "" || l.Query.Get("state") == "" {
			t.Errorf("%s: landed %s at %s", name, l.Kind, l.URL)
		}
		v.URL, uri = request(t, at, "spa", target.Implicit)
		v.RedirectURIs = []string{uri}
		if l := visit(s, v); l.Fragment.Get("access_token") == "" || len(l.Query) > 0 {
			t.Errorf("%s: landed %s at %s", name, l.Kind, l.URL)
		}
		v.URL, _ = request(t, at, "web", target.AuthorizationCode, "client_id", "nobody")
		if l := visit(s, v); l.Kind != oauth.Shown || l.Page.Status < 400 || !strings.Contains(l.Page.Text, "Error code") {
			t.Errorf("%s: landed %s at %s", name, l.Kind, l.URL)
		}
		cookies, err := s.Cookies(t.Context(), at.Endpoints.Authorization)
		if err != nil || !slices.ContainsFunc(cookies, func(c *http.Cookie) bool { return c.HttpOnly }) {
			t.Errorf("%s: cookies %v, %v", name, cookies, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
