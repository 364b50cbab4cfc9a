package sandbox

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// sendError takes an error back to the client (RFC 6749 §4.1.2.1, §4.2.2.1).
func (s *Sandbox) sendError(w http.ResponseWriter, r *http.Request, a authorizationRequest, no *refusal) {
	p := &s.policy.front
	params := []pair{{"error", no.code}, {"error_description", no.description}}
	state, sent := a.state, a.stateSent
	if p.spoilErrorState != nil {
		state, sent = p.spoilErrorState(state, sent)
	}
	if sent {
		params = append(params, pair{"state", state})
	}
	fragment := a.responseType == typeToken
	if fragment && p.tokenErrorsQuery || !fragment && p.swapsErrors {
		fragment = !fragment
	}
	s.send(w, r, a, params, fragment)
}

// sendAnswer takes the code or the token to the client.
func (s *Sandbox) sendAnswer(w http.ResponseWriter, r *http.Request, a authorizationRequest, who visitor) {
	p := &s.policy.front
	var params []pair
	fragment := a.responseType == typeToken
	if fragment {
		out := issuance{client: a.client, user: who.user, scope: a.scope}
		access, err := s.issueAccess(out, s.now())
		if err != nil {
			s.errorPage(w, r, crash(http.StatusInternalServerError))
			return
		}
		params = []pair{{"access_token", access}, {"token_type", "Bearer"},
			{"expires_in", seconds(s.policy.grants.accessLifetime)}, {"scope", a.scope.text}}
		if p.implicitRefresh {
			params = append(params, pair{"refresh_token", s.fileRefresh(a, who.user)})
		}
		if p.spoilFragment != nil {
			params = p.spoilFragment(params)
		}
	} else {
		params = []pair{{"code", s.fileCode(a, who)}}
	}
	state, sent := a.state, a.stateSent
	if p.spoilState != nil {
		state, sent = p.spoilState(state, sent)
	}
	if sent {
		params = append(params, pair{"state", state})
	}
	s.send(w, r, a, params, fragment && !p.tokenInQuery)
}

// send redirects the user agent to the client; a form's POST is answered with 303, so that nothing is posted twice.
func (s *Sandbox) send(w http.ResponseWriter, r *http.Request, a authorizationRequest, params []pair, fragment bool) {
	location := a.redirectURI
	if s.policy.front.dropsQuery {
		location, _, _ = strings.Cut(location, "?")
	}
	separator := "?"
	switch {
	case fragment:
		separator = "#"
	case strings.Contains(location, "?"):
		separator = "&"
	}
	status := http.StatusFound
	if r.Method == http.MethodPost {
		status = http.StatusSeeOther
	}
	h := w.Header()
	if s.policy.pages.stateInHeaders {
		for _, line := range strings.Split(a.state, "\r\n")[1:] {
			name, value, _ := strings.Cut(line, ":")
			h.Set(name, value)
		}
	}
	h.Set("Location", location+separator+encode(s.withIssuer(params)))
	h.Set("Cache-Control", "no-store")
	if s.policy.transport.keepsRedirects {
		h.Set("Cache-Control", "private, max-age=300")
	}
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
}

func encode(params []pair) string {
	var b strings.Builder
	for i, p := range params {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name)
		b.WriteByte('=')
		// %20 is a space to every reader, + only to readers of forms.
		b.WriteString(strings.ReplaceAll(url.QueryEscape(p.value), "+", "%20"))
	}
	return b.String()
}

// fileCode makes an authorization code.
func (s *Sandbox) fileCode(a authorizationRequest, who visitor) string {
	now := s.now()
	value := token(32)
	if s.policy.front.challengeInCode && a.challenge.value != "" {
		value += "." + base64.RawURLEncoding.EncodeToString([]byte(a.challenge.value))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	s.state.lastCode = who.user
	if who.session != nil && a.challenge.value != "" {
		last := a.challenge
		who.session.challenge = &last
	}
	s.state.codes[value] = &code{
		client: a.client, user: who.user, redirectURI: a.redirectURI, redirectSent: a.redirectSent, scope: a.scope,
		offline: a.offline && !s.policy.front.ignoresOffline, challenge: a.challenge,
		expires: now.Add(s.policy.front.codeLifetime), session: who.session,
	}
	return value
}

func (s *Sandbox) fileRefresh(a authorizationRequest, u *user) string {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newRefresh(s.newAuthorization(a.client, u, a.scope, now), a.scope, now)
}
