package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/errors"
	"github.com/go-oauth2/oauth2/v4/manage"
	"github.com/go-oauth2/oauth2/v4/models"
	library "github.com/go-oauth2/oauth2/v4/server"
	"github.com/go-oauth2/oauth2/v4/store"

	"flowproof/peers/stand"
)

const (
	authorizePath = "/authorize"
	tokenPath     = "/token"
)

// A server is the library with its default manager, memory store and settings. What the library asks of its user by a
// hook without a default is answered from the registration: which grants and scopes a client may have, who a person is.
type server struct {
	*library.Server
	door         *stand.Door
	registration stand.Registration
}

// newPeer builds the server for its base URL.
func newPeer(base string) (stand.Peer, error) {
	// The library can demand PKCE of every client or of none, and by default it is of none.
	registration := stand.Register("optional")
	for i, c := range registration.Clients { // There is room for one redirect URI a client.
		registration.Clients[i].RedirectURIs = c.RedirectURIs[:min(1, len(c.RedirectURIs))]
	}
	manager, err := newManager(registration)
	if err != nil {
		return stand.Peer{}, err
	}
	door, err := stand.NewDoor(registration, authorizePath)
	if err != nil {
		return stand.Peer{}, err
	}
	s := &server{Server: library.NewDefaultServer(manager), door: door, registration: registration}
	s.SetClientInfoHandler(credentials)
	s.SetClientAuthorizedHandler(s.mayUseGrant)
	s.SetClientScopeHandler(s.mayHaveScope)
	s.SetRefreshingScopeHandler(narrows)
	s.SetPasswordAuthorizationHandler(s.person)
	s.SetUserAuthorizationHandler(s.whoDecided)

	target := stand.NewTarget("gooauth2", base)
	target.Endpoints = stand.Endpoints{Authorization: authorizePath, Token: tokenPath}
	target.Refresh.Rotation = true
	return stand.Peer{Handler: s.routes(), Target: target, Registration: registration}, nil
}

func newManager(r stand.Registration) (*manage.Manager, error) {
	tokens, err := store.NewMemoryTokenStore()
	if err != nil {
		return nil, fmt.Errorf("gooauth2: opening the store: %w", err)
	}
	clients := store.NewClientStore()
	for _, c := range r.Clients {
		registered := &models.Client{ID: c.ID, Secret: c.Secret, Public: c.Public}
		if uris := slices.Concat(c.RedirectURIs, c.ImplicitRedirectURIs); len(uris) > 0 {
			registered.Domain = uris[0]
		}
		if err := clients.Set(c.ID, registered); err != nil {
			return nil, fmt.Errorf("gooauth2: registering a client: %w", err)
		}
	}
	manager := manage.NewDefaultManager()
	manager.MapTokenStorage(tokens)
	manager.MapClientStorage(clients)
	return manager, nil
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(authorizePath, s.authorize)
	mux.HandleFunc(tokenPath, func(w http.ResponseWriter, r *http.Request) { _ = s.HandleTokenRequest(w, r) })
	s.door.Routes(mux, func(w http.ResponseWriter, _ *http.Request, d stand.Decision) {
		s.authorize(w, d.Request.WithContext(context.WithValue(d.Request.Context(), decided{}, d)))
	})
	resources := stand.Resources(s.grant)
	for _, path := range []string{stand.AnyPath, stand.UserPath, stand.ScopedPath} {
		mux.Handle(path, resources)
	}
	return mux
}

// authorize shows what the library could not tell the client, as its documentation does.
func (s *server) authorize(w http.ResponseWriter, r *http.Request) {
	if err := s.HandleAuthorizeRequest(w, r); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// decided is the key of the decision in the context of an authorization request that is read again after it.
type decided struct{}

// whoDecided asks, or tells who accepted.
func (s *server) whoDecided(w http.ResponseWriter, r *http.Request) (string, error) {
	d, answered := r.Context().Value(decided{}).(stand.Decision)
	switch {
	case !answered:
		query := r.URL.RawQuery
		if r.Method == http.MethodPost {
			query = r.Form.Encode()
		}
		client := s.client(r.Form.Get("client_id"))
		s.door.Ask(w, r, stand.Question{Query: query, Client: client.Name, Scopes: strings.Fields(r.Form.Get("scope"))})
		return "", nil
	case !d.Accepted:
		return "", errors.ErrAccessDenied
	}
	return d.Subject, nil
}

// credentials are looked for by one of the library's two handlers: in the header, if there is one, or in the form.
func credentials(r *http.Request) (id, secret string, err error) {
	if r.Header.Get("Authorization") != "" {
		return library.ClientBasicHandler(r)
	}
	return library.ClientFormHandler(r)
}

func (s *server) client(id string) stand.Client {
	at := slices.IndexFunc(s.registration.Clients, func(c stand.Client) bool { return c.ID == id })
	if at < 0 {
		return stand.Client{}
	}
	return s.registration.Clients[at]
}

// mayUseGrant leaves unknown clients to the library.
func (s *server) mayUseGrant(id string, grant oauth2.GrantType) (bool, error) {
	c := s.client(id)
	name := string(grant)
	if grant == oauth2.Implicit {
		name = "implicit"
	}
	return c.ID == "" || slices.Contains(c.Grants, name), nil
}

func (s *server) mayHaveScope(r *oauth2.TokenGenerateRequest) (bool, error) {
	c := s.client(r.ClientID)
	return c.ID == "" || within(r.Scope, c.Scopes), nil
}

// narrows is asked about a refresh that names a scope.
func narrows(r *oauth2.TokenGenerateRequest, granted string) (bool, error) {
	return within(r.Scope, strings.Fields(granted)), nil
}

func within(scope string, allowed []string) bool {
	return !slices.ContainsFunc(strings.Fields(scope), func(s string) bool { return !slices.Contains(allowed, s) })
}

// person answers the password grant; nobody is refused as the library refuses.
func (s *server) person(_ context.Context, _, name, password string) (string, error) {
	subject, _ := s.registration.Authenticate(name, password)
	return subject, nil
}

// grant says what an access token stands for.
func (s *server) grant(ctx context.Context, token string) (stand.Grant, bool) {
	found, err := s.Manager.LoadAccessToken(ctx, token)
	if err != nil {
		return stand.Grant{}, false
	}
	return stand.Grant{Subject: found.GetUserID(), Scopes: strings.Fields(found.GetScope())}, true
}
