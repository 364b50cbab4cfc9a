package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/token/jwt"
)

// A provider is fosite, composed of the five flows, PKCE, introspection and revocation, with its own defaults.
type provider struct {
	fosite.OAuth2Provider
	key *jose.JSONWebKey // signs access tokens; nil when they are opaque
}

func newProvider(s *store, base string, signed, pkceForPublic bool) (*provider, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("fosite: making a secret: %w", err)
	}
	config := &fosite.Config{
		GlobalSecret:                   secret,
		ClientSecretsHasher:            sha256Hasher{},
		EnablePKCEPlainChallengeMethod: true,
		EnforcePKCEForPublicClients:    pkceForPublic,
		AccessTokenIssuer:              base,
		TokenURL:                       base + tokenPath,
		// Both are the defaults, which fosite would otherwise fill in at the first request, under no lock.
		ScopeStrategy:            fosite.WildcardScopeStrategy,
		AudienceMatchingStrategy: fosite.DefaultAudienceMatchingStrategy,
	}

	var p provider
	var strategy oauth2.CoreStrategy = compose.NewOAuth2HMACStrategy(config)
	if signed {
		private, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("fosite: making a signing key: %w", err)
		}
		p.key = &jose.JSONWebKey{Key: private, KeyID: "peer-1", Algorithm: string(jose.RS256), Use: "sig"}
		config.JWTScopeClaimKey = jwt.JWTScopeFieldString
		strategy = compose.NewOAuth2JWTStrategy(func(context.Context) (any, error) { return p.key, nil }, strategy, config)
	}
	p.OAuth2Provider = compose.Compose(config, s, strategy,
		compose.OAuth2AuthorizeExplicitFactory,
		compose.OAuth2AuthorizeImplicitFactory,
		compose.OAuth2ClientCredentialsGrantFactory,
		//lint:ignore SA1019 It is deprecated to discourage the flow, which is one of the five.
		compose.OAuth2ResourceOwnerPasswordCredentialsFactory,
		compose.OAuth2RefreshTokenGrantFactory,
		compose.OAuth2TokenIntrospectionFactory,
		compose.OAuth2TokenRevocationFactory,
		compose.OAuth2PKCEFactory,
	)
	return &p, nil
}

// session is what fosite keeps about a grant to that person; nobody when the client acts for itself.
func (p *provider) session(name, subject string) fosite.Session {
	if p.key == nil {
		return &fosite.DefaultSession{Username: name, Subject: subject, Extra: map[string]any{}}
	}
	return &oauth2.JWTSession{
		Username: name, Subject: subject,
		JWTClaims: &jwt.JWTClaims{Subject: subject},
		JWTHeader: &jwt.Headers{Extra: map[string]any{"kid": p.key.KeyID}},
	}
}

// claims puts into a signed token what fosite leaves to its user: whom it is about, and which client has it.
func claims(r fosite.AccessRequester) {
	if s, ok := r.GetSession().(*oauth2.JWTSession); ok {
		s.JWTClaims.Subject = s.Subject
		s.JWTClaims.Add("client_id", r.GetClient().GetID())
	}
}
