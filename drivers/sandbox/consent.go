package sandbox

import (
	"net/http"
	"strings"
)

// allowed asks whether the person has allowed this before.
func (s *Sandbox) allowed(a authorizationRequest, u *user) bool {
	if u.guest {
		return true // nobody is there to be asked
	}
	if asks := s.policy.near.consent; asks != nil {
		return !*asks
	}
	// Anybody can pretend to be a public client on the same machine: there, a person is asked each time (RFC 6749 §10.2).
	if a.client.public && !strings.HasPrefix(a.redirectURI, "https://") && !s.policy.pages.remembersPublic {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.consents[consentKey{u, a.client}].covers(a.scope, a.offline)
}

// serveConsent takes the consent form.
func (s *Sandbox) serveConsent(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		s.refuseMethod(w, r, "POST")
		return
	}
	f, ok := s.readPageForm(w, r)
	if !ok {
		return
	}
	who := s.visitor(r)
	raw := f.get("request")
	sealed := same(f.get("csrf"), s.seal("consent", who.sessionID, raw)) || s.policy.pages.consentUnsealed
	if !who.signedIn() || !sealed {
		s.errorPage(w, r, &refusal{status: http.StatusForbidden, code: "invalid_request",
			description: "The form is not the one that this browser was given; go back and try again"})
		return
	}
	raw = s.requested(who.sessionID, raw)
	a, fatal, no := s.readAuthorization(raw, false)
	switch {
	case fatal != nil:
		s.errorPage(w, r, fatal)
	case no != nil:
		s.sendError(w, r, a, no)
	case f.get("decision") == "accept", s.policy.front.denialGrants:
		s.remember(a, who.user)
		s.sendAnswer(w, r, a, who)
	default:
		s.sendError(w, r, a, refuse("access_denied", "The user refused"))
	}
}

// remember files what a person allowed an application.
func (s *Sandbox) remember(a authorizationRequest, u *user) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := consentKey{u, a.client}
	c := s.state.consents[key]
	if c == nil {
		c = &consent{}
		s.state.consents[key] = c
	}
	for i := range c.approved {
		if c.approved[i].scope.text == a.scope.text {
			c.approved[i].offline = c.approved[i].offline || a.offline
			return
		}
	}
	c.approved = append(c.approved, approval{id: token(9), scope: a.scope, offline: a.offline})
}

// actions are the rights of a scope in words.
func actions(sc scope) []string {
	if sc.all {
		return []string{"All actions"}
	}
	var out []string
	for _, item := range sc.items {
		cut := strings.LastIndexByte(item, ':')
		where, what := "", item
		if cut >= 0 {
			where, what = item[:cut], item[cut+1:]
		}
		text := strings.ReplaceAll(what, ".", " › ")
		if where != "" && where != "global" {
			text += " in " + where
		}
		out = append(out, text)
	}
	return out
}
