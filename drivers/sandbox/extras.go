package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
)

// serveRevoke is the revocation endpoint (RFC 7009).
func (s *Sandbox) serveRevoke(w http.ResponseWriter, r *http.Request) {
	if s.crossOrigin(w, r, "POST") {
		return
	}
	f, who, no := s.readExtra(w, r)
	if no != nil {
		s.refuseToken(w, *no)
		return
	}
	value := f.get("token")
	now := s.now()
	s.mu.Lock()
	if rt := s.state.refresh[value]; rt != nil {
		if rt.authorization.client == who.client {
			s.revoke(rt.authorization)
		}
	} else if a, why := s.lookUp(s.policy.token.spacesToken.take(value), now); why == "" && a.client == who.client {
		s.state.denied[a.id] = a.expires
	}
	s.mu.Unlock()
	w.Header()["Cache-Control"] = s.fixed.noStore
	w.WriteHeader(http.StatusOK)
}

// serveIntrospect is the introspection endpoint (RFC 7662).
func (s *Sandbox) serveIntrospect(w http.ResponseWriter, r *http.Request) {
	f, who, no := s.readExtra(w, r)
	if no == nil && who.client.public {
		no = s.unknownCaller(false, "")
	}
	if no != nil {
		s.refuseToken(w, *no)
		return
	}
	answer := s.introspection(f.get("token"), who.client)
	body, err := json.Marshal(answer)
	if err != nil {
		s.refuseToken(w, *crash(http.StatusInternalServerError))
		return
	}
	s.writeToken(w, http.StatusOK, body)
}

// introspection says what a token is worth; a foreign one is worth nothing to the asker.
func (s *Sandbox) introspection(value string, asker *client) object {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if rt := s.state.refresh[value]; rt != nil {
		if rt.authorization.client != asker || rt.authorization.revoked || rt.superseded || now.After(rt.expires) {
			return object{"active": false}
		}
		o := object{"active": true, "client_id": asker.id, "scope": rt.scope.text, "exp": rt.expires.Unix()}
		if u := rt.authorization.user; u != nil {
			o["sub"], o["username"] = u.id, u.name
		}
		return o
	}
	a, why := s.lookUp(s.policy.token.spacesToken.take(value), now)
	if why != "" || a.client != asker {
		return object{"active": false}
	}
	o := object{"active": true, "client_id": a.client.id, "scope": a.scope.text, "token_type": "Bearer",
		"exp": a.expires.Unix(), "iat": a.issued.Unix(), "iss": *s.issuer.Load(), "sub": a.client.appID}
	if a.user != nil {
		o["sub"], o["username"] = a.user.id, a.user.name
	}
	return o
}

// readExtra reads a request to an endpoint that looks at a token and knows its clients as the token endpoint does.
func (s *Sandbox) readExtra(w http.ResponseWriter, r *http.Request) (form, caller, *refusal) {
	if r.Method != http.MethodPost {
		no := refuse("invalid_request", "This endpoint answers POST only")
		no.status, no.allow = http.StatusMethodNotAllowed, http.MethodPost
		return nil, caller{}, no
	}
	body, no := readForm(w, r)
	if no != nil {
		return nil, caller{}, no
	}
	f, ok := formReader{}.read(body, nil)
	if !ok || f.repeated() != "" {
		return nil, caller{}, refuse("invalid_request", "The body is not form-encoded UTF-8, or repeats a parameter")
	}
	who, no := s.authenticate(r, f, "")
	if no != nil {
		return nil, caller{}, no
	}
	if f.get("token") == "" {
		return nil, caller{}, refuse("invalid_request", "token is missing")
	}
	return f, who, nil
}

// serveMetadata is the metadata document (RFC 8414).
func (s *Sandbox) serveMetadata(w http.ResponseWriter, r *http.Request) {
	if s.crossOrigin(w, r, "GET") {
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.refuseMethod(w, r, "GET")
		return
	}
	p := &s.policy.front
	issuer := *s.issuer.Load()
	grants, types, methods := []string{grantCode, grantClientCredentials, grantRefresh}, []string{typeCode}, []string{methodS256}
	if s.policy.grants.offersPassword {
		grants = append(grants, grantPassword)
	}
	if p.offersImplicit && s.options.Edition != edition2024 {
		grants, types = append(grants, grantImplicit), append(types, typeToken)
	}
	if p.plain {
		methods = append(methods, methodPlain)
	}
	secrets := []string{"client_secret_basic", "client_secret_post"}
	withNone := append([]string{"none"}, secrets...)
	body, err := json.Marshal(object{
		"issuer":                                        issuer,
		"authorization_endpoint":                        issuer + s.paths().authorization,
		"token_endpoint":                                issuer + s.paths().token,
		"jwks_uri":                                      issuer + pathKeys,
		"revocation_endpoint":                           issuer + pathRevoke,
		"introspection_endpoint":                        issuer + pathIntrospect,
		"response_types_supported":                      types,
		"grant_types_supported":                         grants,
		"code_challenge_methods_supported":              methods,
		"token_endpoint_auth_methods_supported":         withNone,
		"revocation_endpoint_auth_methods_supported":    withNone,
		"introspection_endpoint_auth_methods_supported": secrets,
		"scopes_supported":                              strings.Fields(strings.Join([]string{s.scopes().standard, s.scopes().first, s.scopes().second, s.scopes().third}, " ")),
	})
	if err != nil {
		s.refuseToken(w, *crash(http.StatusInternalServerError))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}
