package oauth

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

func TestTokenAnswersAreReadAsClientsDo(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
		want       TokenAnswer
		refused    bool
		issued     bool
	}{
		{"plain", `{"access_token":"a","token_type":"Bearer","expires_in":600,"refresh_token":"r","scope":"s","id_token":"i"}`, 200,
			TokenAnswer{AccessToken: "a", TokenType: "Bearer", ExpiresIn: 600, RefreshToken: "r", Scope: "s", IDToken: "i"}, false, true},
		{"byte-order mark and trailing bytes", "\xef\xbb\xbf{\"access_token\":\"a\"} }", 200, TokenAnswer{AccessToken: "a"}, false, true},
		{"lifetime as text", `{"access_token":"a","expires_in":" 599.5 "}`, 201, TokenAnswer{AccessToken: "a", ExpiresIn: 599.5}, false, true},
		{"huge lifetime", `{"access_token":"a","expires_in":1e999}`, 200, TokenAnswer{AccessToken: "a"}, false, true},
		{"wrong types", `{"access_token":7,"token_type":[],"scope":{}}`, 200, TokenAnswer{}, false, true},
		{"twice", `{"access_token":"a","access_token":"b"}`, 200, TokenAnswer{AccessToken: "b"}, false, true},
		{"empty token", `{"access_token":""}`, 200, TokenAnswer{}, false, false},
		{"null token", `{"access_token":null}`, 200, TokenAnswer{}, false, false},
		{"an error with a token", `{"error":"x","access_token":"a"}`, 400, TokenAnswer{}, true, true},
		{"an error", `{"error":"invalid_grant"}`, 400, TokenAnswer{}, true, false},
		{"form", "access_token=a&token_type=bearer", 200, TokenAnswer{}, true, true},
		{"a page about it", "<p>access_token=a</p>", 200, TokenAnswer{}, true, false},
		{"no object", `["access_token"]`, 200, TokenAnswer{}, true, false},
		{"null", `null`, 200, TokenAnswer{}, true, false},
		{"nothing", ``, 200, TokenAnswer{}, true, false},
	} {
		e := Exchange{Status: c.status, Body: []byte(c.body)}
		got, err := e.Token()
		if (err != nil) != c.refused {
			t.Errorf("%s: %v", c.name, err)
		}
		if got.AccessToken != c.want.AccessToken || got.TokenType != c.want.TokenType || got.ExpiresIn != c.want.ExpiresIn ||
			got.RefreshToken != c.want.RefreshToken || got.Scope != c.want.Scope || got.IDToken != c.want.IDToken {
			t.Errorf("%s: got %+v", c.name, got)
		}
		if e.IssuedToken() != c.issued {
			t.Errorf("%s: issued %v", c.name, !c.issued)
		}
	}
	got, err := Exchange{Status: 200, Body: []byte(`{"access_token":7,"scope":null}`)}.Token()
	if err != nil || !got.Has["access_token"] || !got.Has["scope"] || got.Has["expires_in"] || got.Members["access_token"] != json.Number("7") {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := (Exchange{Status: 200, Body: []byte(`{"access_token":"a"}`), Err: errors.New("cut")}).Token(); err == nil {
		t.Error("half an answer was read")
	}
}

func TestErrorCode(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"invalid_grant"}`: "invalid_grant", `{"error":{"code":"x"}}`: "", `<html>`: "", ``: "",
	} {
		if got := (Exchange{Status: 400, Body: []byte(body)}).ErrorCode(); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestJWTs(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(k *rsa.PrivateKey, kid string) string {
		o := &jose.SignerOptions{}
		if kid != "" {
			o = o.WithHeader("kid", kid)
		}
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS512, Key: k}, o)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := s.Sign([]byte(`{"sub":"alice","exp":1999999999}`))
		if err != nil {
			t.Fatal(err)
		}
		out, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: &key.PublicKey, KeyID: "k1", Algorithm: "RS512", Use: "sig"}, {Key: []byte("symmetric"), KeyID: "k2"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	good := sign(key, "")
	j, ok := ParseJWT(good)
	if !ok || j.Header["alg"] != "RS512" || j.Claims["sub"] != "alice" || j.Claims["exp"] != json.Number("1999999999") {
		t.Errorf("read %+v, %v", j, ok)
	}
	parts := strings.Split(good, ".")
	tampered := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"eve"}`)) + "." + parts[2]
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	for _, c := range []struct {
		name, token string
		jwks        string
		ok          bool
	}{
		{"good", good, string(set), true},
		{"good with key ID", sign(key, "k1"), string(set), true},
		{"unknown key ID", sign(key, "k9"), string(set), false},
		{"symmetric key", sign(key, "k2"), string(set), false},
		{"other key", sign(other, ""), string(set), false},
		{"tampered", tampered, string(set), false},
		{"unsigned", none, string(set), false},
		{"no token", "opaque", string(set), false},
		{"no keys", good, `{}`, false},
		{"no key set", good, `[`, false},
	} {
		if err := VerifyJWT(c.token, []byte(c.jwks)); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, opaque := range []string{"", "a.b.c", "..", "e30.e30.", good + ".x.y"} {
		if _, ok := ParseJWT(opaque); ok {
			t.Errorf("%q reads as a JWT", opaque)
		}
	}
}
