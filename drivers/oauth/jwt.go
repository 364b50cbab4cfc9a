package oauth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// A JWT is a signed token as anybody can read it: nothing in it is proved.
type JWT struct{ Header, Claims map[string]any }

// ParseJWT reads a signed JWT in its compact form, if that is what the token is.
func ParseJWT(token string) (JWT, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return JWT{}, false
	}
	header, ok := segment(parts[0])
	if !ok || text(header["alg"]) == "" {
		return JWT{}, false
	}
	claims, ok := segment(parts[1])
	if !ok {
		return JWT{}, false
	}
	return JWT{header, claims}, true
}

func segment(s string) (map[string]any, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var m map[string]any
	if dec.Decode(&m) != nil || m == nil {
		return nil, false
	}
	return m, true
}

// VerifyJWT proves the signature of a token by one of the public keys of a key set. Times and audiences
// are the caller's business.
func VerifyJWT(token string, jwks []byte) error {
	keys, err := ReadKeys(jwks)
	if err != nil {
		return err
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	})
	if err != nil {
		return fmt.Errorf("oauth: read the signed token: %w", err)
	}
	candidates := keys.Keys
	if kid := signed.Signatures[0].Header.KeyID; kid != "" {
		if candidates = keys.Key(kid); len(candidates) == 0 {
			return fmt.Errorf("oauth: verify the token: the key set has no key %q", kid)
		}
	}
	for _, k := range candidates {
		if !k.IsPublic() {
			continue
		}
		if _, err := signed.Verify(k); err == nil {
			return nil
		}
	}
	return errors.New("oauth: verify the token: no key of the set fits its signature")
}

// ReadKeys reads a key set, and leaves out keys of kinds that nobody here knows (RFC 7517 §5).
func ReadKeys(jwks []byte) (jose.JSONWebKeySet, error) {
	var set map[string]json.RawMessage // a struct would take KEYS for keys
	var list []json.RawMessage
	if err := json.Unmarshal(jwks, &set); err != nil {
		return jose.JSONWebKeySet{}, fmt.Errorf("oauth: read the key set: %w", err)
	}
	if err := json.Unmarshal(set["keys"], &list); err != nil {
		return jose.JSONWebKeySet{}, fmt.Errorf("oauth: read the keys of the key set: %w", err)
	}
	var keys jose.JSONWebKeySet
	var unread error
	for _, raw := range list {
		var k jose.JSONWebKey
		if err := json.Unmarshal(raw, &k); err != nil {
			unread = err
			continue
		}
		keys.Keys = append(keys.Keys, k)
	}
	if len(keys.Keys) == 0 && unread != nil {
		return keys, fmt.Errorf("oauth: read the key set: %w", unread)
	}
	return keys, nil
}
