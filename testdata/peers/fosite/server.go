package main

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"

	"flowproof/peers/stand"
)

const (
	authorizePath  = "/oauth2/auth"
	tokenPath      = "/oauth2/token"
	introspectPath = "/oauth2/introspect"
	revokePath     = "/oauth2/revoke"
	jwksPath       = "/.well-known/jwks.json"
)

// Options are what differs between two runs of this peer.
type options struct {
	signed        bool // access tokens are JWTs
	pkceForPublic bool // public clients must use PKCE
}

type server struct {
	provider     *provider
	door         *stand.Door
	registration stand.Registration
}

// newPeer builds the server for its base URL.
func newPeer(base string, o options) (stand.Peer, error) {
	publicPKCE := "optional"
	if o.pkceForPublic {
		publicPKCE = "required"
	}
	registration := stand.Register(publicPKCE)
	kept, err := newStore(registration)
	if err != nil {
		return stand.Peer{}, err
	}
	p, err := newProvider(kept, base, o.signed, o.pkceForPublic)
	if err != nil {
		return stand.Peer{}, err
	}
	door, err := stand.NewDoor(registration, authorizePath)
	if err != nil {
		return stand.Peer{}, err
	}
	s := &server{provider: p, door: door, registration: registration}

	target := stand.NewTarget("fosite", base)
	target.Endpoints = stand.Endpoints{
		Authorization: authorizePath, Token: tokenPath, Revocation: revokePath, Introspection: introspectPath,
	}
	if o.signed {
		target.Endpoints.JWKS = jwksPath
	}
	target.Refresh.Scope = stand.Offline
	target.Refresh.Rotation = true
	return stand.Peer{Handler: s.routes(), Target: target, Registration: registration}, nil
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+authorizePath, s.authorize)
	mux.HandleFunc("POST "+authorizePath, s.authorize)
	mux.HandleFunc(tokenPath, s.token)
	mux.HandleFunc(introspectPath, s.introspect)
	mux.HandleFunc(revokePath, s.revoke)
	mux.HandleFunc("GET "+jwksPath, s.jwks)
	s.door.Routes(mux, s.decided)
	resources := stand.Resources(s.grant)
	for _, path := range []string{stand.AnyPath, stand.UserPath, stand.ScopedPath} {
		mux.Handle(path, resources)
	}
	return mux
}

func (s *server) authorize(w http.ResponseWriter, r *http.Request) {
	request, err := s.provider.NewAuthorizeRequest(r.Context(), r)
	if err != nil {
		s.provider.WriteAuthorizeError(r.Context(), w, request, err)
		return
	}
	query := r.URL.RawQuery
	if r.Method == http.MethodPost {
		query = r.Form.Encode()
	}
	s.door.Ask(w, r, stand.Question{Query: query, Client: s.name(request.GetClient()), Scopes: request.GetRequestedScopes()})
}

// decided reads the request again, so that a page that was tampered with gains nothing.
func (s *server) decided(w http.ResponseWriter, r *http.Request, d stand.Decision) {
	ctx := r.Context()
	request, err := s.provider.NewAuthorizeRequest(ctx, d.Request)
	if err == nil && !d.Accepted {
		err = fosite.ErrAccessDenied
	}
	if err != nil {
		s.provider.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	for _, scope := range request.GetRequestedScopes() {
		request.GrantScope(scope)
	}
	response, err := s.provider.NewAuthorizeResponse(ctx, request, s.provider.session(d.Name, d.Subject))
	if err != nil {
		s.provider.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	s.provider.WriteAuthorizeResponse(ctx, w, request, response)
}

func (s *server) token(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	request, err := s.provider.NewAccessRequest(ctx, r, s.provider.session("", ""))
	if err != nil {
		s.provider.WriteAccessError(ctx, w, request, err)
		return
	}
	// In these two flows fosite has checked the scopes against the client and leaves granting them to its user;
	// in the others a person granted them, or the refresh token carries them.
	if grants := request.GetGrantTypes(); grants.ExactOne("client_credentials") || grants.ExactOne("password") {
		for _, scope := range request.GetRequestedScopes() {
			request.GrantScope(scope)
		}
	}
	claims(request)
	response, err := s.provider.NewAccessResponse(ctx, request)
	if err != nil {
		s.provider.WriteAccessError(ctx, w, request, err)
		return
	}
	s.provider.WriteAccessResponse(ctx, w, request, response)
}

func (s *server) introspect(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	response, err := s.provider.NewIntrospectionRequest(ctx, r, s.provider.session("", ""))
	if err != nil {
		s.provider.WriteIntrospectionError(ctx, w, err)
		return
	}
	s.provider.WriteIntrospectionResponse(ctx, w, response)
}

func (s *server) revoke(w http.ResponseWriter, r *http.Request) {
	s.provider.WriteRevocationResponse(r.Context(), w, s.provider.NewRevocationRequest(r.Context(), r))
}

func (s *server) jwks(w http.ResponseWriter, r *http.Request) {
	if s.provider.key == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.provider.key.Public()}})
}

// grant says what an access token stands for. Fosite finds refresh tokens, too; those open nothing.
func (s *server) grant(ctx context.Context, token string) (stand.Grant, bool) {
	use, request, err := s.provider.IntrospectToken(ctx, token, fosite.AccessToken, s.provider.session("", ""))
	if err != nil || use != fosite.AccessToken {
		return stand.Grant{}, false
	}
	return stand.Grant{Subject: request.GetSession().GetSubject(), Scopes: request.GetGrantedScopes()}, true
}

// name is what the consent page calls the client.
func (s *server) name(c fosite.Client) string {
	for _, registered := range s.registration.Clients {
		if registered.ID == c.GetID() {
			return registered.Name
		}
	}
	return c.GetID()
}
