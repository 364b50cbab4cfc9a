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
	f, who, no := s.readExtra(w, r, s.policy.extras.revokesForAnybody)
	if no == nil {
		no = s.endToken(f, who.client)
	}
	if no != nil {
		s.refuseToken(w, *no)
		return
	}
	w.Header()["Cache-Control"] = s.fixed.noStore
	w.WriteHeader(http.StatusOK)
}

// endToken revokes a token of the asker; one that is worth nothing anyway is no error (RFC 7009 §2.2).
func (s *Sandbox) endToken(f form, asker *client) *refusal {
	p := &s.policy.extras
	if p.revokesNothing {
		return nil
	}
	foreign := refuse("invalid_grant", "The token is another client's")
	mine := func(owner *client) bool { return owner == asker || asker == nil || p.revokesForeign }
	value, hint := f.get("token"), f.get("token_type_hint")
	s.mu.Lock()
	defer s.mu.Unlock()
	// A hint only says where to look first (RFC 7009 §2.1).
	if rt := s.state.refresh[value]; rt != nil && !(p.trustsHint && hint == "access_token") {
		if !mine(rt.authorization.client) {
			return foreign
		}
		s.revoke(rt.authorization)
		rt.authorization.revoked = !p.keepsAccess
		return nil
	}
	a, why := s.lookUp(s.policy.token.spacesToken.take(value), s.now())
	switch {
	case why != "" && p.unknownTokenStatus != 0:
		no := refuse("invalid_request", "There is no such token")
		no.status = p.unknownTokenStatus
		return no
	case why != "", p.trustsHint && hint == "refresh_token", p.accessIrrevocable:
		return nil
	case !mine(a.client):
		return foreign
	}
	s.state.denied[a.id] = a.expires
	return nil
}

// serveIntrospect is the introspection endpoint (RFC 7662).
func (s *Sandbox) serveIntrospect(w http.ResponseWriter, r *http.Request) {
	f, who, no := s.readExtra(w, r, s.policy.extras.tellsAnybody)
	if no == nil && who.client != nil && who.client.public {
		no = s.unknownCaller(false, "")
	}
	if no != nil {
		s.refuseToken(w, *no)
		return
	}
	answer := s.introspection(f.get("token"), who.client)
	if s.policy.extras.alwaysActive {
		answer["active"] = true
	}
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
	mine := func(owner *client) bool { return owner == asker || asker == nil }
	s.mu.Lock()
	defer s.mu.Unlock()
	if rt := s.state.refresh[value]; rt != nil {
		if !mine(rt.authorization.client) || rt.authorization.revoked || rt.superseded || now.After(rt.expires) {
			return object{"active": false}
		}
		o := object{"active": true, "client_id": rt.authorization.client.id, "scope": rt.scope.text, "exp": rt.expires.Unix()}
		if u := rt.authorization.user; u != nil {
			o["sub"], o["username"] = u.id, u.name
		}
		return o
	}
	a, why := s.lookUp(s.policy.token.spacesToken.take(value), now)
	if why != "" || !mine(a.client) {
		return object{"active": false}
	}
	o := object{"active": true, "client_id": a.client.id, "scope": a.scope.text, "token_type": "Bearer",
		"exp": a.expires.Unix(), "iat": a.issued.Unix(), "iss": *s.issuer.Load(), "sub": a.client.appID}
	if a.user != nil {
		o["sub"], o["username"] = a.user.id, a.user.name
	}
	return o
}

// readExtra reads a request to an endpoint that looks at a token and knows its clients as the token endpoint
// does. With a fault anybody may ask, and is no client then.
func (s *Sandbox) readExtra(w http.ResponseWriter, r *http.Request, anybody bool) (form, caller, *refusal) {
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
	if anybody && no != nil {
		who, no = caller{}, nil
	}
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
	issuer := s.announcedIssuer()
	base := *s.issuer.Load()
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
	document := object{
		"issuer":                                         issuer,
		"authorization_endpoint":                         base + s.paths().authorization,
		"token_endpoint":                                 base + s.paths().token,
		"jwks_uri":                                       base + pathKeys,
		"revocation_endpoint":                            base + pathRevoke,
		"introspection_endpoint":                         base + pathIntrospect,
		"response_types_supported":                       types,
		"grant_types_supported":                          grants,
		"code_challenge_methods_supported":               methods,
		"token_endpoint_auth_methods_supported":          withNone,
		"revocation_endpoint_auth_methods_supported":     withNone,
		"introspection_endpoint_auth_methods_supported":  secrets,
		"scopes_supported":                               strings.Fields(strings.Join([]string{s.scopes().standard, s.scopes().first, s.scopes().second, s.scopes().third}, " ")),
		"authorization_response_iss_parameter_supported": true,
	}
	if spoil := s.policy.extras.spoilMetadata; spoil != nil {
		spoil(document)
	}
	body, err := json.Marshal(document)
	if err != nil {
		s.refuseToken(w, *crash(http.StatusInternalServerError))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// announcedIssuer is how the server names itself.
func (s *Sandbox) announcedIssuer() string {
	if s.policy.extras.otherIssuer {
		return "https://issuer.other.test"
	}
	return *s.issuer.Load()
}

// withIssuer adds the issuer to an authorization response, where that is announced (RFC 9207).
func (s *Sandbox) withIssuer(params []pair) []pair {
	if !s.options.Extras || s.policy.extras.errorsOmitIssuer && params[0].name == "error" {
		return params
	}
	return append(params, pair{"iss", s.announcedIssuer()})
}
