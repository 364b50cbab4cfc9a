package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// serveConsents lists and deletes what a person allowed to whom.
func (s *Sandbox) serveConsents(w http.ResponseWriter, r *http.Request, a access) {
	parts := strings.Split(strings.Trim(strings.TrimPrefix(r.URL.Path, pathConsents), "/"), "/")
	if a.user == nil || a.user.guest {
		s.refuseAPI(w, denied("Only a person has consents", ""))
		return
	}
	switch owner := parts[0]; owner {
	case "me", "id:" + a.user.id, a.user.id, "username:" + a.user.name:
	default:
		s.refuseAPI(w, denied("The consents of others are theirs", ""))
		return
	}
	switch {
	case r.Method != http.MethodDelete && len(parts) == 1:
		s.writeAPI(w, s.listConsents(a.user))
	case r.Method == http.MethodDelete && len(parts) == 3 && s.deleteConsent(a, parts[1], parts[2]):
		apiHeaders(w.Header())
		w.WriteHeader(http.StatusNoContent)
	default:
		s.refuseAPI(w, notFound("There is no such consent"))
	}
}

func (s *Sandbox) listConsents(u *user) []object {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []object{}
	for _, c := range s.clients {
		key := consentKey{u, c}
		scopes, tokens := []object{}, []object{}
		if given := s.state.consents[key]; given != nil {
			for _, ap := range given.approved {
				scopes = append(scopes, object{"id": ap.id, "scope": ap.scope.text, "offlineAllowed": ap.offline})
			}
		}
		for _, rt := range s.refreshTokensOf(key) {
			tokens = append(tokens, object{"id": rt.id, "scope": rt.scope.text, "lastAccess": object{"time": rt.used.UTC().Format(time.RFC3339)}})
		}
		if len(scopes)+len(tokens) > 0 {
			out = append(out, object{
				"clientApplication": object{"id": c.appID, "clientId": c.id, "name": c.title},
				"approvedScopes":    scopes, "refreshTokens": tokens,
			})
		}
	}
	return out
}

// deleteConsent deletes one thing that a person allowed, and reports whether it was there.
func (s *Sandbox) deleteConsent(a access, kind, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch kind {
	case "applications":
		for _, c := range s.clients {
			if id == c.appID || id == "id:"+c.appID || id == "clientId:"+c.id {
				key := consentKey{a.user, c}
				_, had := s.state.consents[key]
				delete(s.state.consents, key)
				return s.revokeWhere(func(x *authorization) bool { return x.user == a.user && x.client == c }) || had
			}
		}
	case "approved-scopes":
		for key, c := range s.state.consents {
			at := slices.IndexFunc(c.approved, func(ap approval) bool { return ap.id == id })
			if key.user == a.user && at >= 0 {
				gone := c.approved[at].scope.text
				c.approved = slices.Delete(c.approved, at, at+1)
				s.revokeWhere(func(x *authorization) bool { return x.user == a.user && x.client == key.client && x.scope.text == gone })
				return true
			}
		}
	case "refresh-tokens":
		for _, rt := range s.state.refresh {
			if rt.authorization.user == a.user && rt.id == id {
				s.withdraw(rt.authorization)
				return true
			}
		}
	}
	return false
}

// withdraw ends an authorization because the person wants it so; s.mu is held.
func (s *Sandbox) withdraw(a *authorization) {
	s.revoke(a)
	if s.policy.resource.ignoresRevocation {
		a.revoked = false // its refresh tokens are gone, its access tokens are not
	}
}

// revokeWhere ends authorizations, and reports whether there were any; s.mu is held.
func (s *Sandbox) revokeWhere(chosen func(*authorization) bool) bool {
	any := false
	for _, x := range s.state.authorizations {
		if !x.revoked && chosen(x) {
			s.withdraw(x)
			any = true
		}
	}
	return any
}
