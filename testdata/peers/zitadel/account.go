package main

import (
	"context"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"flowproof/peers/stand"
)

// GetClientByClientID finds a client.
func (s *store) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	found, ok := s.clients[id]
	if !ok {
		return nil, errUnknown
	}
	return found, nil
}

// AuthorizeClientIDSecret compares a secret.
func (s *store) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if !stand.Same(s.clients[id].Secret, secret) {
		return errUnknown
	}
	return nil
}

// ClientCredentials finds a client that has this secret.
func (s *store) ClientCredentials(ctx context.Context, id, secret string) (op.Client, error) {
	if err := s.AuthorizeClientIDSecret(ctx, id, secret); err != nil {
		return nil, err
	}
	return s.GetClientByClientID(ctx, id)
}

// SetUserinfoFromToken names the person of an access token.
func (s *store) SetUserinfoFromToken(_ context.Context, about *oidc.UserInfo, id, _, _ string) error {
	switch found, ok := s.live(id); {
	case !ok:
		return &oidc.Error{ErrorType: "invalid_token"}
	case found.grant.person == "":
		return &oidc.Error{ErrorType: "insufficient_scope"}
	default:
		about.Subject = found.grant.person
		return nil
	}
}

// SetIntrospectionFromToken tells about an access token that is alive.
func (s *store) SetIntrospectionFromToken(_ context.Context, about *oidc.IntrospectionResponse, id, subject, _ string) error {
	found, ok := s.live(id)
	if !ok {
		return errUnknown
	}
	about.Scope, about.ClientID, about.Subject, about.TokenType = found.scopes, found.grant.client, subject, oidc.BearerToken
	about.IssuedAt, about.Expiration = oidc.FromTime(found.issued), oidc.FromTime(found.expires)
	return nil
}

// GetRefreshTokenInfo recognises refresh tokens; they are their own identifiers.
func (s *store) GetRefreshTokenInfo(_ context.Context, _, token string) (person, id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.refresh[token]
	if !ok {
		return "", "", op.ErrInvalidRefreshToken
	}
	return found.grant.person, token, nil
}

// RevokeToken ends an access token, or with a refresh token everything of its grant (RFC 7009 section 2.1).
func (s *store) RevokeToken(_ context.Context, token, _, client string) *oidc.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	foreign := oidc.ErrUnauthorizedClient().WithDescription("The token is another client's.")
	if found, ok := s.refresh[token]; ok {
		if found.grant.client != client {
			return foreign
		}
		found.grant.ended = true
	}
	if found, ok := s.access[token]; ok {
		if found.grant.client != client {
			return foreign
		}
		found.revoked = true
	}
	return nil
}

// Health says that the memory is there.
func (*store) Health(context.Context) error { return nil }

// What follows belongs to OpenID Connect, or to grants that nobody is registered for.

// TerminateSession is for the end of sessions that the library knows; the door keeps its own.
func (*store) TerminateSession(context.Context, string, string) error { return nil }

// SetUserinfoFromScopes adds nothing to ID tokens.
func (*store) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// GetPrivateClaimsFromRequest puts the scope into JWTs, as RFC 9068 has it; the list that is passed is not the whole.
func (*store) GetPrivateClaimsFromRequest(_ context.Context, r op.TokenRequest, _ []string) (map[string]any, error) {
	return map[string]any{"scope": oidc.SpaceDelimitedArray(r.GetScopes()).String()}, nil
}

// GetPrivateClaimsFromScopes is not asked where GetPrivateClaimsFromRequest is there.
func (*store) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return map[string]any{}, nil
}

// GetKeyByIDAndClientID finds no client's key: none is registered.
func (*store) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errUnknown
}

// ValidateJWTProfileScopes refuses: no client has a key to sign an assertion with.
func (*store) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, oidc.ErrInvalidScope()
}

var (
	_ op.Storage                        = (*store)(nil)
	_ op.ClientCredentialsStorage       = (*store)(nil)
	_ op.CanGetPrivateClaimsFromRequest = (*store)(nil)
	_ op.AuthRequest                    = request{}
	_ op.RefreshTokenRequest            = (*renewal)(nil)
	_ op.Client                         = client{}
)
