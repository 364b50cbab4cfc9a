package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"flowproof/peers/probe"
)

// challenge is what a request with that method adds, and a refresh token with it.
func challenge(method string) url.Values {
	more := url.Values{}
	switch method {
	case "S256":
		more = probe.Challenged()
	case "plain":
		more = url.Values{"code_challenge": {probe.Verifier}, "code_challenge_method": {method}}
	}
	more.Set("scope", "photos offline")
	return more
}

func TestAuthorizationCode(t *testing.T) {
	for _, c := range []struct{ client, method string }{
		{"web", ""}, {"web", "S256"}, {"web", "plain"}, {"partner", ""}, {"mobile", "S256"}, {"native", "plain"},
	} {
		for _, tokens := range []string{"opaque", "jwt"} {
			t.Run(strings.Join([]string{c.client, c.method, tokens}, " "), func(t *testing.T) {
				b := start(t, options{signed: tokens == "jwt", pkceForPublic: true})
				code := b.Code(c.client, challenge(c.method))
				form := b.Redemption(c.client, code, "")
				if c.method != "" {
					form.Set("code_verifier", probe.Verifier)
				}
				granted := b.Token(c.client, form).Want(t, http.StatusOK)
				if got := granted.Text(t, "scope"); got != "photos offline" {
					t.Errorf("scope %q", got)
				}
				access, refresh := granted.Text(t, "access_token"), granted.Text(t, "refresh_token")
				if got := strings.Count(access, ".") == 2; got != (tokens == "jwt") {
					t.Errorf("%s token: %s", tokens, access)
				}
				if got, want := b.Resource("/userinfo", access).Want(t, http.StatusOK).Text(t, "sub"), b.User("alice").Subject; got != want {
					t.Errorf("user %q, want %q", got, want)
				}
				b.Resource("/userinfo", refresh).Refused(t, http.StatusUnauthorized, "invalid_token")
				b.Token(c.client, form).Refused(t, http.StatusBadRequest, "invalid_grant")
			})
		}
	}
}

func TestImplicit(t *testing.T) {
	b := start(t, options{})
	landing := b.Decide(b.Consent("bob", b.Ask("spa", "token", nil)), "accept")
	if landing.RawQuery != "" {
		t.Errorf("the query is not empty: %s", landing)
	}
	members, err := url.ParseQuery(landing.Fragment)
	if err != nil {
		t.Fatal(err)
	}
	if members.Get("state") != probe.State || members.Get("token_type") != "bearer" || members.Has("refresh_token") {
		t.Errorf("members: %v", members)
	}
	if got := b.Resource("/userinfo", members.Get("access_token")).Want(t, http.StatusOK).Text(t, "sub"); got != b.User("bob").Subject {
		t.Errorf("user %q", got)
	}
}

func TestPasswordAndRefresh(t *testing.T) {
	for _, signed := range []bool{false, true} {
		b := start(t, options{signed: signed})
		first := b.Token("web", b.Password("photos offline")).Want(t, http.StatusOK)
		if got := b.Resource("/userinfo", first.Text(t, "access_token")).Want(t, http.StatusOK).Text(t, "sub"); got != b.User("alice").Subject {
			t.Errorf("user %q", got)
		}
		refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.Text(t, "refresh_token")}}
		second := b.Token("web", refresh).Want(t, http.StatusOK)
		if second.Text(t, "access_token") == first.Text(t, "access_token") || second.Text(t, "refresh_token") == first.Text(t, "refresh_token") {
			t.Error("a token came twice")
		}
		b.Resource("/api/scoped", second.Text(t, "access_token")).Want(t, http.StatusOK)
		b.Resource("/api/any", first.Text(t, "access_token")).Refused(t, http.StatusUnauthorized, "invalid_token")
		b.Token("partner", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {second.Text(t, "refresh_token")}}).Refused(t, http.StatusBadRequest, "invalid_grant")

		b.Token("web", refresh).Refused(t, http.StatusBadRequest, "invalid_grant") // reuse ends the family
		b.Resource("/api/any", second.Text(t, "access_token")).Refused(t, http.StatusUnauthorized, "invalid_token")

		wrong := b.Password("photos")
		wrong.Set("password", "wrong")
		b.Token("web", wrong).Refused(t, http.StatusBadRequest, "invalid_grant")
	}
}

func TestClientCredentials(t *testing.T) {
	for _, signed := range []bool{false, true} {
		b := start(t, options{signed: signed})
		for _, client := range []string{"service", "web", "special"} {
			granted := b.Token(client, url.Values{"grant_type": {"client_credentials"}, "scope": {"photos"}}).Want(t, http.StatusOK)
			access := granted.Text(t, "access_token")
			b.Resource("/api/any", access).Want(t, http.StatusOK)
			b.Resource("/api/scoped", access).Want(t, http.StatusOK)
			b.Resource("/userinfo", access).Refused(t, http.StatusForbidden, "insufficient_scope")
		}
		limited := b.Token("limited", url.Values{"grant_type": {"client_credentials"}, "scope": {"profile"}}).Want(t, http.StatusOK)
		b.Resource("/api/scoped", limited.Text(t, "access_token")).Refused(t, http.StatusForbidden, "insufficient_scope")
		b.Token("limited", url.Values{"grant_type": {"client_credentials"}, "scope": {"photos"}}).Refused(t, http.StatusBadRequest, "invalid_scope")
		b.Token("codeonly", url.Values{"grant_type": {"client_credentials"}}).Refused(t, http.StatusBadRequest, "unauthorized_client")
	}
}

func TestIntrospectionAndRevocation(t *testing.T) {
	b := start(t, options{})
	granted := b.Token("web", b.Password("photos offline"))
	access := url.Values{"token": {granted.Text(t, "access_token")}}
	about := b.Post(introspectPath, "service", access).Want(t, http.StatusOK).JSON(t)
	if about["active"] != true || about["client_id"] != b.Client("web").ID || about["sub"] != b.User("alice").Subject || about["scope"] != "photos offline" {
		t.Errorf("introspection: %v", about)
	}
	b.Post(revokePath, "web", access).Want(t, http.StatusOK)
	if about := b.Post(introspectPath, "service", access).Want(t, http.StatusOK).JSON(t); about["active"] != false || len(about) != 1 {
		t.Errorf("introspection after revocation: %v", about)
	}
	b.Resource("/api/any", access.Get("token")).Refused(t, http.StatusUnauthorized, "invalid_token")
}

func TestJWKS(t *testing.T) {
	b := start(t, options{signed: true})
	keys, _ := b.Get(jwksPath).Want(t, http.StatusOK).JSON(t)["keys"].([]any)
	if len(keys) != 1 {
		t.Fatalf("keys: %v", keys)
	}
	if key, ok := keys[0].(map[string]any); !ok || key["kid"] != "peer-1" || key["d"] != nil {
		t.Errorf("key: %v", keys[0])
	}
	start(t, options{}).Get(jwksPath).Want(t, http.StatusNotFound)
}

func TestRegisteredQueryStays(t *testing.T) {
	b := start(t, options{})
	landing := b.Decide(b.Consent("alice", b.Ask("query", "code", nil)), "accept")
	if landing.Query().Get("t") != "1" || landing.Query().Get("code") == "" {
		t.Errorf("landing %s", landing)
	}
}
