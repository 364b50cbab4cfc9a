package main

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"flowproof/peers/stand"
)

const (
	requestLife = 10 * time.Minute
	codeLife    = time.Minute
	accessLife  = time.Hour
	refreshLife = 30 * 24 * time.Hour
)

var errUnknown = errors.New("zitadel: not found")

// A store keeps in memory what the library asks for, as carefully as its interface allows: whether a code or a refresh
// token may still be used is decided in the step that creates the tokens, and a use too many ends what came of the first.
type store struct {
	keys
	clients      map[string]client // by identifier
	registration stand.Registration

	mu       sync.Mutex
	requests map[string]*request     // by identifier
	codes    map[string]string       // the request of each
	access   map[string]*accessToken // by identifier
	refresh  map[string]*refreshToken
}

func newStore(r stand.Registration, signed bool) (*store, error) {
	keys, err := newKeys()
	if err != nil {
		return nil, err
	}
	s := &store{
		keys: keys, registration: r, clients: map[string]client{}, requests: map[string]*request{},
		codes: map[string]string{}, access: map[string]*accessToken{}, refresh: map[string]*refreshToken{},
	}
	for _, c := range r.Clients {
		s.clients[c.ID] = client{c, signed}
	}
	return s, nil
}

// decide files what a person said about a request.
func (s *store) decide(id string, d stand.Decision) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.pending(id)
	if err != nil {
		return nil, err
	}
	if !d.Accepted {
		delete(s.requests, id)
		return *found, nil
	}
	found.person, found.accepted = d.Subject, time.Now()
	return *found, nil
}

// pending is a request that has no code yet. It is called under the lock.
func (s *store) pending(id string) (*request, error) {
	found, ok := s.requests[id]
	if !ok || !found.issued.IsZero() || time.Since(found.asked) > requestLife {
		return nil, errUnknown
	}
	return found, nil
}

// live returns the access token of that identifier.
func (s *store) live(id string) (accessToken, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.access[id]
	if !ok || found.revoked || found.grant.ended || !time.Now().Before(found.expires) {
		return accessToken{grant: &grant{}}, false
	}
	return *found, true
}

// CreateAuthRequest is called with a request that the library found valid.
func (s *store) CreateAuthRequest(_ context.Context, asked *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	r := request{AuthRequest: asked, id: rand.Text(), asked: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[r.id] = &r
	return r, nil
}

// AuthRequestByID finds a request that has no code yet.
func (s *store) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.pending(id)
	if err != nil {
		return nil, err
	}
	return *found, nil
}

// SaveAuthCode files the code of a request that was accepted.
func (s *store) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.pending(id)
	if err != nil {
		return err
	}
	found.issued = time.Now()
	s.codes[code] = id
	return nil
}

// AuthRequestByCode finds the request of a code. One that was redeemed ends what came of it (RFC 6749 section 4.1.2).
func (s *store) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.requests[s.codes[code]]
	switch {
	case !ok || time.Since(found.issued) > codeLife:
		return nil, errUnknown
	case found.grant != nil:
		found.grant.ended = true
		return nil, errUnknown
	}
	return *found, nil
}

// DeleteAuthRequest has nothing left to do: the request is spent with the tokens, and stays known for the case that
// its code comes again.
func (s *store) DeleteAuthRequest(context.Context, string) error { return nil }

// CreateAccessToken issues a token without a refresh token.
func (s *store) CreateAccessToken(_ context.Context, r op.TokenRequest) (id string, expires time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, _, err := s.spend(r, "")
	if err != nil {
		return "", time.Time{}, err
	}
	id, expires = s.issue(g, r.GetScopes())
	return id, expires, nil
}

// CreateAccessAndRefreshTokens issues both, and replaces the current refresh token if there is one.
func (s *store) CreateAccessAndRefreshTokens(_ context.Context, r op.TokenRequest, current string) (id, refresh string, expires time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, scopes, err := s.spend(r, current)
	if err != nil {
		return "", "", time.Time{}, err
	}
	refresh = rand.Text() + rand.Text()
	s.refresh[refresh] = &refreshToken{grant: g, scopes: scopes, expires: time.Now().Add(refreshLife)}
	id, expires = s.issue(g, r.GetScopes())
	return id, refresh, expires, nil
}

// spend uses up what the request was made with, and returns the grant and its whole scope.
func (s *store) spend(r op.TokenRequest, refresh string) (*grant, []string, error) {
	switch r := r.(type) {
	case request:
		kept, ok := s.requests[r.id]
		if !ok || kept.grant != nil {
			return nil, nil, oidc.ErrInvalidGrant()
		}
		kept.grant = &grant{client: r.ClientID, person: r.person, authorized: r.accepted}
		return kept.grant, r.Scopes, nil
	case *renewal:
		kept, err := s.renewable(refresh)
		if err != nil {
			return nil, nil, oidc.ErrInvalidGrant()
		}
		kept.replaced = true
		return kept.grant, kept.scopes, nil
	case ownRequest:
		return &grant{client: r.client}, r.scopes, nil
	default:
		return nil, nil, oidc.ErrServerError()
	}
}

func (s *store) issue(g *grant, scopes []string) (id string, expires time.Time) {
	id, now := rand.Text(), time.Now()
	expires = now.Add(accessLife)
	s.access[id] = &accessToken{grant: g, scopes: scopes, issued: now, expires: expires}
	return id, expires
}

// renewable finds a refresh token that may be used. One that was replaced ends its grant (RFC 9700 section 4.14.2).
func (s *store) renewable(token string) (*refreshToken, error) {
	found, ok := s.refresh[token]
	if ok && found.replaced {
		found.grant.ended = true
	}
	if !ok || found.grant.ended || !time.Now().Before(found.expires) {
		return nil, errUnknown
	}
	return found, nil
}

// TokenRequestByRefreshToken finds what a refresh token stands for.
func (s *store) TokenRequestByRefreshToken(_ context.Context, token string) (op.RefreshTokenRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.renewable(token)
	if err != nil {
		return nil, err
	}
	return &renewal{refreshToken: *found, current: found.scopes}, nil
}

// ClientCredentialsTokenRequest decides about the scope of a client's own token.
func (s *store) ClientCredentialsTokenRequest(_ context.Context, id string, scopes []string) (op.TokenRequest, error) {
	allowed := s.clients[id].Scopes
	scopes = strings.Fields(strings.Join(scopes, " "))
	if len(scopes) == 0 {
		for _, scope := range []string{stand.Photos, stand.Profile} {
			if slices.Contains(allowed, scope) {
				scopes = append(scopes, scope)
			}
		}
	}
	if slices.ContainsFunc(scopes, func(scope string) bool { return !slices.Contains(allowed, scope) }) {
		return nil, oidc.ErrInvalidScope()
	}
	return ownRequest{client: id, scopes: scopes}, nil
}
