package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// NewKey makes a signing key, which takes a moment: sandboxes may share one.
func NewKey() (*rsa.PrivateKey, error) { return makeKey(2048) }

// QuickKey makes a weak key that signs five times as fast, for those who start sandboxes by the hundred.
func QuickKey() (*rsa.PrivateKey, error) { return makeKey(1024) }

func makeKey(bits int) (*rsa.PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, fmt.Errorf("sandbox: making a signing key: %w", err)
	}
	return key, nil
}

func (s *Sandbox) prepareKeys() error {
	if s.key = s.options.Key; s.key == nil {
		var err error
		if s.key, err = NewKey(); err != nil {
			return err
		}
	}
	var err error
	// A bare key, so that the header is {"alg":"RS512"}: no kid, as in Space's examples.
	s.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.RS512, Key: s.key}, nil)
	if err != nil {
		return fmt.Errorf("sandbox: preparing to sign: %w", err)
	}
	published := s.key
	if s.policy.resource.staleKeySet {
		if published, err = NewKey(); err != nil {
			return err
		}
	}
	sum := sha256.Sum256(published.N.Bytes())
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{
		Key: &published.PublicKey, KeyID: hex.EncodeToString(sum[:8]), Algorithm: string(jose.RS512), Use: "sig",
	}}}
	if s.keySet, err = json.Marshal(set); err != nil {
		return fmt.Errorf("sandbox: writing the key set: %w", err)
	}
	return nil
}

func (s *Sandbox) serveKeys(w http.ResponseWriter, r *http.Request) {
	if s.crossOrigin(w, r, "GET") {
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(s.keySet)
}

// unsignedPayload reads a token whose header says that nobody signed it.
func unsignedPayload(value string) ([]byte, bool) {
	parts := strings.Split(value, ".")
	if len(parts) != 3 {
		return nil, false
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || json.Unmarshal(raw, &header) != nil || !strings.EqualFold(header.Algorithm, "none") {
		return nil, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	return payload, err == nil
}

// String is the identifier as tokens show it.
func (id authorizationID) String() string { return hex.EncodeToString(id[:]) }

func parseAuthorizationID(text string) (authorizationID, bool) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(authorizationID{}) {
		return authorizationID{}, false
	}
	return authorizationID(raw), true
}
