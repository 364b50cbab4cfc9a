package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"flowproof/peers/stand"
)

// The library's own paths, and the one to which it sends people who have to sign in.
const (
	authorizePath  = "/authorize"
	tokenPath      = "/oauth/token"
	introspectPath = "/oauth/introspect"
	revokePath     = "/revoke"
	jwksPath       = "/keys"
	signInPath     = "/sign-in"
)

type server struct {
	*op.Provider
	store *store
	door  *stand.Door
}

// newPeer builds the server for its base URL.
func newPeer(base string, signed bool) (stand.Peer, error) {
	registration := register()
	kept, err := newStore(registration, signed)
	if err != nil {
		return stand.Peer{}, err
	}
	config := &op.Config{
		CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true,
		SupportedScopes: []string{oidc.ScopeOpenID, oidc.ScopeOfflineAccess, stand.Photos, stand.Profile, stand.Notes},
	}
	if _, err := rand.Read(config.CryptoKey[:]); err != nil {
		return stand.Peer{}, fmt.Errorf("zitadel: making a key: %w", err)
	}
	provider, err := op.NewProvider(config, kept, op.StaticIssuer(base), op.WithAllowInsecure())
	if err != nil {
		return stand.Peer{}, fmt.Errorf("zitadel: making the provider: %w", err)
	}
	door, err := stand.NewDoor(registration, signInPath)
	if err != nil {
		return stand.Peer{}, err
	}
	s := &server{Provider: provider, store: kept, door: door}

	target := stand.NewTarget("zitadel", base)
	target.Endpoints = stand.Endpoints{
		Authorization: authorizePath, Token: tokenPath, Revocation: revokePath, Introspection: introspectPath,
		Metadata: oidc.DiscoveryEndpoint,
	}
	if signed {
		target.Endpoints.JWKS = jwksPath
	}
	target.Refresh.Scope = oidc.ScopeOfflineAccess
	target.Refresh.Rotation = true
	return stand.Peer{Handler: s.routes(base), Target: target, Registration: registration}, nil
}

// register leaves out what the library does not offer: the password grant, and an implicit grant without an ID token.
func register() stand.Registration {
	r := stand.Register("required").Offering("authorization_code", "client_credentials", "refresh_token")
	for i, c := range r.Clients {
		scopes := strings.Join(c.Scopes, " ")
		r.Clients[i].Scopes = strings.Fields(strings.ReplaceAll(scopes, stand.Offline, oidc.ScopeOfflineAccess))
	}
	return r
}

// routes leave everything to the library but the pages, and two of the resources; /userinfo is the library's, too.
func (s *server) routes(base string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.Provider)
	mux.HandleFunc("GET "+signInPath, s.signIn)
	s.door.Routes(mux, s.decided)
	resources := stand.Resources(func(ctx context.Context, token string) (stand.Grant, bool) {
		return s.grant(op.ContextWithIssuer(ctx, base), token)
	})
	mux.Handle(stand.AnyPath, resources)
	mux.Handle(stand.ScopedPath, resources)
	return mux
}

func (s *server) signIn(w http.ResponseWriter, r *http.Request) {
	request, err := s.store.AuthRequestByID(r.Context(), r.URL.Query().Get("id"))
	if err != nil {
		http.Error(w, "This request is unknown, or was answered already.", http.StatusBadRequest)
		return
	}
	s.door.Ask(w, r, stand.Question{
		Query:  url.Values{"id": {request.GetID()}}.Encode(),
		Client: s.store.clients[request.GetClientID()].Name, Scopes: request.GetScopes(),
	})
}

// decided hands the request back to the library, which answers the client.
func (s *server) decided(w http.ResponseWriter, r *http.Request, d stand.Decision) {
	id := d.Request.URL.Query().Get("id")
	request, err := s.store.decide(id, d)
	switch {
	case err != nil:
		http.Error(w, "This request is unknown, or was answered already.", http.StatusBadRequest)
	case !d.Accepted:
		op.AuthRequestError(w, r, request, oidc.ErrAccessDenied(), s.Provider)
	default:
		http.Redirect(w, r, authorizePath+"/callback?"+url.Values{"id": {id}}.Encode(), http.StatusSeeOther)
	}
}

var errDead = errors.New("zitadel: no such token, or no longer")

// grant says what an access token stands for.
func (s *server) grant(ctx context.Context, token string) (stand.Grant, bool) {
	id, err := s.tokenID(ctx, token)
	if err != nil {
		return stand.Grant{}, false
	}
	found, ok := s.store.live(id)
	return stand.Grant{Subject: found.grant.person, Scopes: found.scopes}, ok
}

func (s *server) tokenID(ctx context.Context, token string) (string, error) {
	if opened, err := s.Crypto().Decrypt(token); err == nil {
		id, _, found := strings.Cut(opened, ":")
		if !found {
			return "", errDead // a code is encrypted with the same key
		}
		return id, nil
	}
	claims, err := op.VerifyAccessToken[*oidc.AccessTokenClaims](ctx, token, s.AccessTokenVerifier(ctx))
	if err != nil {
		return "", errDead
	}
	return claims.JWTID, nil
}
