package main

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const verifier = "a-verifier-of-forty-three-characters-at-least"

func s256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func challenge(method string) url.Values {
	switch method {
	case "S256":
		return url.Values{"code_challenge": {s256(verifier)}, "code_challenge_method": {method}, "scope": {"photos offline"}}
	case "plain":
		return url.Values{"code_challenge": {verifier}, "code_challenge_method": {method}, "scope": {"photos offline"}}
	}
	return url.Values{"scope": {"photos offline"}}
}

func TestAuthorizationCode(t *testing.T) {
	for _, c := range []struct{ client, method string }{
		{"web", ""}, {"web", "S256"}, {"web", "plain"}, {"partner", ""}, {"mobile", "S256"}, {"native", "plain"},
	} {
		for _, tokens := range []string{"opaque", "jwt"} {
			t.Run(strings.Join([]string{c.client, c.method, tokens}, " "), func(t *testing.T) {
				b := start(t, options{signed: tokens == "jwt", pkceForPublic: true})
				code := b.code(c.client, challenge(c.method))
				form := b.redemption(c.client, code, "")
				if c.method != "" {
					form.Set("code_verifier", verifier)
				}
				granted := b.token(c.client, form).want(t, http.StatusOK)
				if got := granted.text(t, "scope"); got != "photos offline" {
					t.Errorf("scope %q", got)
				}
				access, refresh := granted.text(t, "access_token"), granted.text(t, "refresh_token")
				if got := strings.Count(access, ".") == 2; got != (tokens == "jwt") {
					t.Errorf("%s token: %s", tokens, access)
				}
				if got, want := b.resource("/userinfo", access).want(t, http.StatusOK).text(t, "sub"), b.User("alice").Subject; got != want {
					t.Errorf("user %q, want %q", got, want)
				}
				b.resource("/userinfo", refresh).refused(t, http.StatusUnauthorized, "invalid_token")
				b.token(c.client, form).refused(t, http.StatusBadRequest, "invalid_grant")
			})
		}
	}
}

func TestImplicit(t *testing.T) {
	b := start(t, options{})
	landing := b.decide(b.consent("bob", b.ask("spa", "token", nil)), "accept")
	if landing.RawQuery != "" {
		t.Errorf("the query is not empty: %s", landing)
	}
	members, err := url.ParseQuery(landing.Fragment)
	if err != nil {
		t.Fatal(err)
	}
	if members.Get("state") != state || members.Get("token_type") != "bearer" || members.Has("refresh_token") {
		t.Errorf("members: %v", members)
	}
	if got := b.resource("/userinfo", members.Get("access_token")).want(t, http.StatusOK).text(t, "sub"); got != b.User("bob").Subject {
		t.Errorf("user %q", got)
	}
}

func TestPasswordAndRefresh(t *testing.T) {
	for _, signed := range []bool{false, true} {
		b := start(t, options{signed: signed})
		first := b.token("web", b.password("photos offline")).want(t, http.StatusOK)
		if got := b.resource("/userinfo", first.text(t, "access_token")).want(t, http.StatusOK).text(t, "sub"); got != b.User("alice").Subject {
			t.Errorf("user %q", got)
		}
		refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.text(t, "refresh_token")}}
		second := b.token("web", refresh).want(t, http.StatusOK)
		if second.text(t, "access_token") == first.text(t, "access_token") || second.text(t, "refresh_token") == first.text(t, "refresh_token") {
			t.Error("a token came twice")
		}
		b.resource("/api/scoped", second.text(t, "access_token")).want(t, http.StatusOK)
		b.resource("/api/any", first.text(t, "access_token")).refused(t, http.StatusUnauthorized, "invalid_token")
		b.token("partner", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {second.text(t, "refresh_token")}}).refused(t, http.StatusBadRequest, "invalid_grant")

		b.token("web", refresh).refused(t, http.StatusBadRequest, "invalid_grant") // reuse ends the family
		b.resource("/api/any", second.text(t, "access_token")).refused(t, http.StatusUnauthorized, "invalid_token")

		wrong := b.password("photos")
		wrong.Set("password", "wrong")
		b.token("web", wrong).refused(t, http.StatusBadRequest, "invalid_grant")
	}
}

func TestClientCredentials(t *testing.T) {
	for _, signed := range []bool{false, true} {
		b := start(t, options{signed: signed})
		for _, client := range []string{"service", "web", "special"} {
			granted := b.token(client, url.Values{"grant_type": {"client_credentials"}, "scope": {"photos"}}).want(t, http.StatusOK)
			access := granted.text(t, "access_token")
			b.resource("/api/any", access).want(t, http.StatusOK)
			b.resource("/api/scoped", access).want(t, http.StatusOK)
			b.resource("/userinfo", access).refused(t, http.StatusForbidden, "insufficient_scope")
		}
		limited := b.token("limited", url.Values{"grant_type": {"client_credentials"}, "scope": {"profile"}}).want(t, http.StatusOK)
		b.resource("/api/scoped", limited.text(t, "access_token")).refused(t, http.StatusForbidden, "insufficient_scope")
		b.token("limited", url.Values{"grant_type": {"client_credentials"}, "scope": {"photos"}}).refused(t, http.StatusBadRequest, "invalid_scope")
		b.token("codeonly", url.Values{"grant_type": {"client_credentials"}}).refused(t, http.StatusBadRequest, "unauthorized_client")
	}
}

func TestIntrospectionAndRevocation(t *testing.T) {
	b := start(t, options{})
	granted := b.token("web", b.password("photos offline"))
	access := url.Values{"token": {granted.text(t, "access_token")}}
	about := b.post(introspectPath, "service", access).want(t, http.StatusOK).json(t)
	if about["active"] != true || about["client_id"] != b.Client("web").ID || about["sub"] != b.User("alice").Subject || about["scope"] != "photos offline" {
		t.Errorf("introspection: %v", about)
	}
	b.post(revokePath, "web", access).want(t, http.StatusOK)
	if about := b.post(introspectPath, "service", access).want(t, http.StatusOK).json(t); about["active"] != false || len(about) != 1 {
		t.Errorf("introspection after revocation: %v", about)
	}
	b.resource("/api/any", access.Get("token")).refused(t, http.StatusUnauthorized, "invalid_token")
}

func TestJWKS(t *testing.T) {
	b := start(t, options{signed: true})
	keys, _ := b.get(jwksPath).want(t, http.StatusOK).json(t)["keys"].([]any)
	if len(keys) != 1 {
		t.Fatalf("keys: %v", keys)
	}
	if key, ok := keys[0].(map[string]any); !ok || key["kid"] != "peer-1" || key["d"] != nil {
		t.Errorf("key: %v", keys[0])
	}
	start(t, options{}).get(jwksPath).want(t, http.StatusNotFound)
}

func TestRegisteredQueryStays(t *testing.T) {
	b := start(t, options{})
	landing := b.decide(b.consent("alice", b.ask("query", "code", nil)), "accept")
	if landing.Query().Get("t") != "1" || landing.Query().Get("code") == "" {
		t.Errorf("landing %s", landing)
	}
}
