package main

import (
	"net/url"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"flowproof/peers/stand"
)

// A client is a registration as the library reads it.
type client struct {
	stand.Client
	signed bool // its access tokens are JWTs
}

func (c client) GetID() string                        { return c.ID }
func (c client) RedirectURIs() []string               { return c.Client.RedirectURIs }
func (c client) PostLogoutRedirectURIs() []string     { return nil }
func (c client) IDTokenLifetime() time.Duration       { return time.Hour }
func (c client) DevMode() bool                        { return false }
func (c client) IDTokenUserinfoClaimsAssertion() bool { return false }
func (c client) ClockSkew() time.Duration             { return 0 }
func (c client) IsScopeAllowed(scope string) bool     { return slices.Contains(c.Scopes, scope) }
func (c client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c client) LoginURL(request string) string {
	return signInPath + "?" + url.Values{"id": {request}}.Encode()
}
func same(scopes []string) []string                                           { return scopes }
func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string     { return same }
func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string { return same }

func (c client) ApplicationType() op.ApplicationType {
	if c.Public {
		return op.ApplicationTypeNative
	}
	return op.ApplicationTypeWeb
}

func (c client) AuthMethod() oidc.AuthMethod {
	if c.Public {
		return oidc.AuthMethodNone
	}
	return oidc.AuthMethodBasic
}

func (c client) GrantTypes() (grants []oidc.GrantType) {
	for _, g := range c.Grants {
		grants = append(grants, oidc.GrantType(g))
	}
	return grants
}

func (c client) AccessTokenType() op.AccessTokenType {
	if c.signed {
		return op.AccessTokenTypeJWT
	}
	return op.AccessTokenTypeBearer
}
