package main

import (
	"context"
	"slices"
	"sync"

	"github.com/ory/fosite"
	"github.com/ory/fosite/storage"

	"flowproof/peers/stand"
)

// A store is fosite's own MemoryStore, changed in three points only, none of which decides about a request:
//
//   - refresh tokens have a store of their own with the same answers, because MemoryStore writes that map without
//     the lock that its readers hold, and a load run would end the process;
//   - a code comes with a copy of its session, as from a database, because two redemptions at once would write
//     to the one map of expiry times, and that ends the process, too;
//   - the password grant names the user, not a new random subject at each request.
type store struct {
	*storage.MemoryStore
	registration stand.Registration

	mu      sync.Mutex
	refresh map[string]refreshToken // by signature
	latest  map[string]string       // the signature of a request's newest refresh token
}

type refreshToken struct {
	active    bool
	requester fosite.Requester
}

func newStore(r stand.Registration) (*store, error) {
	s := &store{
		MemoryStore: storage.NewMemoryStore(), registration: r,
		refresh: map[string]refreshToken{}, latest: map[string]string{},
	}
	for _, c := range r.Clients {
		registered := &fosite.DefaultClient{
			ID: c.ID, Public: c.Public, GrantTypes: c.Grants, Scopes: c.Scopes,
			RedirectURIs:  slices.Concat(c.RedirectURIs, c.ImplicitRedirectURIs),
			ResponseTypes: responseTypes(c),
		}
		if !c.Public {
			hash, err := sha256Hasher{}.Hash(context.Background(), []byte(c.Secret))
			if err != nil {
				return nil, err
			}
			registered.Secret = hash
		}
		s.Clients[c.ID] = registered
	}
	return s, nil
}

func responseTypes(c stand.Client) (types []string) {
	if len(c.RedirectURIs) > 0 {
		types = append(types, "code")
	}
	if len(c.ImplicitRedirectURIs) > 0 {
		types = append(types, "token")
	}
	return types
}

func (s *store) GetAuthorizeCodeSession(ctx context.Context, signature string, session fosite.Session) (fosite.Requester, error) {
	stored, err := s.MemoryStore.GetAuthorizeCodeSession(ctx, signature, session)
	request, ok := stored.(*fosite.Request)
	if err != nil || !ok {
		return stored, err
	}
	own := *request
	own.Session = request.Session.Clone()
	return &own, nil
}

func (s *store) Authenticate(_ context.Context, name, password string) (string, error) {
	subject, ok := s.registration.Authenticate(name, password)
	if !ok {
		return "", fosite.ErrNotFound
	}
	return subject, nil
}

func (s *store) CreateRefreshTokenSession(_ context.Context, signature, _ string, r fosite.Requester) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh[signature] = refreshToken{active: true, requester: r}
	s.latest[r.GetID()] = signature
	return nil
}

func (s *store) GetRefreshTokenSession(_ context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.refresh[signature]
	switch {
	case !ok:
		return nil, fosite.ErrNotFound
	case !found.active:
		return found.requester, fosite.ErrInactiveToken
	}
	return found.requester, nil
}

func (s *store) DeleteRefreshTokenSession(_ context.Context, signature string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.refresh, signature)
	return nil
}

func (s *store) RevokeRefreshToken(_ context.Context, requestID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	signature, ok := s.latest[requestID]
	if !ok {
		return nil
	}
	found, ok := s.refresh[signature]
	if !ok {
		return fosite.ErrNotFound
	}
	found.active = false
	s.refresh[signature] = found
	return nil
}

func (s *store) RotateRefreshToken(ctx context.Context, requestID, _ string) error {
	if err := s.RevokeRefreshToken(ctx, requestID); err != nil {
		return err
	}
	return s.RevokeAccessToken(ctx, requestID)
}
