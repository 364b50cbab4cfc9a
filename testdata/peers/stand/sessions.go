package stand

import (
	"crypto/rand"
	"net/http"
	"sync"
)

const cookieName = "peer_session"

// A session is one browser's acquaintance with the peer. Subject is empty until somebody signs in.
type session struct {
	id, csrf, name, subject string
}

type sessions struct {
	mu   sync.Mutex
	byID map[string]session
}

// of returns the session that the request's cookie names.
func (s *sessions) of(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return session{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.byID[cookie.Value]
	return found, ok
}

// begin replaces the request's session, if it has one, by a new one: an identifier that somebody planted before
// the sign-in is worth nothing after it.
func (s *sessions) begin(w http.ResponseWriter, r *http.Request, name, subject string) session {
	fresh := session{id: rand.Text(), csrf: rand.Text(), name: name, subject: subject}
	old, _ := s.of(r)
	s.mu.Lock()
	delete(s.byID, old.id)
	s.byID[fresh.id] = fresh
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: fresh.id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return fresh
}
