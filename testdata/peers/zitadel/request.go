package main

import (
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// A request is an authorization request, from the moment at which it was found valid to its code's redemption.
type request struct {
	*oidc.AuthRequest
	id       string
	asked    time.Time
	person   string // who accepted, and when
	accepted time.Time
	issued   time.Time // when its code was, if it was
	grant    *grant    // what the code was redeemed for
}

func (r request) GetID() string          { return r.id }
func (r request) GetACR() string         { return "" }
func (r request) GetAMR() []string       { return nil }
func (r request) GetAudience() []string  { return []string{r.ClientID} }
func (r request) GetAuthTime() time.Time { return r.accepted }
func (r request) GetClientID() string    { return r.ClientID }
func (r request) GetNonce() string       { return r.Nonce }
func (r request) GetScopes() []string    { return r.Scopes }
func (r request) GetSubject() string     { return r.person }
func (r request) Done() bool             { return !r.accepted.IsZero() }

func (r request) GetCodeChallenge() *oidc.CodeChallenge {
	if r.CodeChallenge == "" {
		return nil
	}
	return &oidc.CodeChallenge{Challenge: r.CodeChallenge, Method: r.CodeChallengeMethod}
}

// A grant is what one decision, or one client on its own account, was given; its tokens end with it.
type grant struct {
	client, person string
	authorized     time.Time
	ended          bool
}

// An accessToken is known by its identifier.
type accessToken struct {
	grant           *grant
	scopes          []string
	issued, expires time.Time
	revoked         bool
}

// A refreshToken keeps the scope that the person granted, whatever a refresh asks for.
type refreshToken struct {
	grant    *grant
	scopes   []string
	expires  time.Time
	replaced bool
}

// renewal is a request made with a refresh token.
type renewal struct {
	refreshToken
	current []string // the scope of the new access token
}

func (r *renewal) GetAMR() []string                 { return nil }
func (r *renewal) GetAudience() []string            { return []string{r.grant.client} }
func (r *renewal) GetAuthTime() time.Time           { return r.grant.authorized }
func (r *renewal) GetClientID() string              { return r.grant.client }
func (r *renewal) GetScopes() []string              { return r.current }
func (r *renewal) GetSubject() string               { return r.grant.person }
func (r *renewal) SetCurrentScopes(scopes []string) { r.current = scopes }

// ownRequest is made by a client on its own account.
type ownRequest struct {
	client string
	scopes []string
}

func (r ownRequest) GetSubject() string    { return r.client }
func (r ownRequest) GetAudience() []string { return []string{r.client} }
func (r ownRequest) GetScopes() []string   { return r.scopes }
