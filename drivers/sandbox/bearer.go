package sandbox

import (
	"encoding/json"
	"html"
	"net/http"
	"strings"
)

// An apiRefusal is an error answer of the API: Space's words in the body, RFC 6750's in the header.
type apiRefusal struct {
	status            int
	code, description string
	oauth             string // the error attribute of WWW-Authenticate, or empty
	scope             string
	challenge         bool
}

func notAuthenticated(description, oauth string) *apiRefusal {
	return &apiRefusal{status: http.StatusUnauthorized, code: "authentication-required", description: description, oauth: oauth, challenge: true}
}

func denied(description, scope string) *apiRefusal {
	return &apiRefusal{status: http.StatusForbidden, code: "permission-denied", description: description,
		oauth: "insufficient_scope", scope: scope, challenge: true}
}

func notFound(description string) *apiRefusal {
	return &apiRefusal{status: http.StatusNotFound, code: "not-found", description: description}
}

// bearer finds out what the request's token allows (RFC 6750 §2.1). Tokens in the URL or in a form are not read.
func (s *Sandbox) bearer(r *http.Request) (access, *apiRefusal) {
	p := &s.policy.resource
	values := r.Header["Authorization"]
	if p.ignoresHeader && r.URL.Path == pathProfiles {
		values = nil
	}
	inQuery := p.queryWins && len(values) > 0 || (p.queryToken || p.queryCacheable) && len(values) == 0
	if inQuery && r.URL.Query().Has("access_token") {
		values = []string{"Bearer " + r.URL.Query().Get("access_token")}
	}
	malformed := &apiRefusal{status: http.StatusBadRequest, code: "validation-error", oauth: "invalid_request", challenge: true,
		description: "The Authorization header is malformed"}
	if len(values) > 1 {
		return access{}, malformed
	}
	scheme, value := "", ""
	if len(values) == 1 {
		scheme, value, _ = strings.Cut(values[0], " ")
	}
	known := strings.EqualFold(scheme, "Bearer")
	if p.caseSensitive {
		known = scheme == "Bearer"
	}
	if !known {
		oauth := ""
		if p.errorUnasked {
			oauth = "invalid_token"
		}
		return access{}, notAuthenticated("Authentication is required", oauth)
	}
	value = s.policy.token.spacesToken.take(strings.Trim(value, " "))
	if value == "" && p.emptyTokenStatus != 0 {
		return access{}, &apiRefusal{status: p.emptyTokenStatus, code: "internal-server-error", description: "Internal error"}
	}
	if !isB64Token(value) {
		return access{}, malformed
	}
	a, why := s.findAccess(value, s.now())
	if why != "" && p.acceptsRefresh {
		a, why = s.refreshAsAccess(value, why)
	}
	if why == "" {
		return a, nil
	}
	if p.invalidTokenStatus != 0 && why == whyInvalid {
		return access{}, &apiRefusal{status: p.invalidTokenStatus, code: "internal-server-error", description: "Internal error"}
	}
	return access{}, notAuthenticated(why, "invalid_token")
}

func (s *Sandbox) refreshAsAccess(value, why string) (access, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rt := s.state.refresh[value]
	if rt == nil {
		return access{}, why
	}
	return access{client: rt.authorization.client, user: rt.authorization.user, scope: rt.scope}, ""
}

func isB64Token(v string) bool {
	body := strings.TrimRight(v, "=")
	return body != "" && !strings.ContainsFunc(body, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune("-._~+/", r)
	})
}

// refuseAPI writes an error answer of the API.
func (s *Sandbox) refuseAPI(w http.ResponseWriter, r *apiRefusal) {
	p := &s.policy.resource
	h := w.Header()
	apiHeaders(h)
	if r.challenge && !(p.omitsChallenge && r.oauth == "") {
		value := `Bearer realm="sandbox"`
		if r.oauth != "" {
			value += `, error="` + r.oauth + `", error_description="` + r.description + `"`
		}
		if r.scope != "" {
			value += `, scope="` + r.scope + `"`
		}
		h.Set("WWW-Authenticate", value)
	}
	if p.htmlError != nil && p.htmlError(r) {
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(r.status)
		_, _ = w.Write([]byte("<!doctype html><title>Error</title><p>" + html.EscapeString(r.description)))
		return
	}
	body, _ := json.Marshal(map[string]string{"error": r.code, "error_description": r.description}) // strings always marshal
	w.WriteHeader(r.status)
	_, _ = w.Write(body)
}

func apiHeaders(h http.Header) {
	h.Set("Content-Type", "application/json;charset=UTF-8")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "private, no-store")
	}
	h.Set("Content-Security-Policy", "frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
}
