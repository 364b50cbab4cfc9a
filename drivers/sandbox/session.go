package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

const (
	sessionCookie   = "sandbox_session"
	visitCookie     = "sandbox_visit" // of a user agent that is not signed in
	sessionLifetime = 8 * time.Hour
)

// A visitor is who sits at the user agent, as far as the server knows.
type visitor struct {
	user      *user
	session   *session
	sessionID string
	unasked   bool     // nobody is there to be asked for consent
	refusal   *refusal // the request cannot be answered without showing a page, and wants none
}

func (v visitor) signedIn() bool { return v.user != nil }

// whoAsks finds the session and does what request_credentials says about it.
func (s *Sandbox) whoAsks(r *http.Request, a *authorizationRequest) visitor {
	p := &s.policy.front
	v := s.visitor(r)
	if a.credentials == "required" && !p.ignoresRequired {
		s.endSession(v.sessionID)
		// The sign-in that follows is what was required: coming back must not end that session too.
		a.raw = withoutParameter(a.raw, "request_credentials")
		return visitor{}
	}
	if v.signedIn() {
		return v
	}
	if p.anonymous {
		return visitor{user: s.users[0], unasked: true}
	}
	if a.credentials == "skip" || a.credentials == "silent" {
		if s.options.Guest {
			return visitor{user: s.guest()}
		}
		if s.silent(*a) {
			return visitor{refusal: refuse("access_denied", "Nobody is signed in")}
		}
	}
	return v
}

// visitor finds the session that the request's cookie names.
func (s *Sandbox) visitor(r *http.Request) visitor {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return visitor{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.state.sessions[c.Value]
	if found == nil || s.now().After(found.expires) {
		return visitor{}
	}
	return visitor{user: found.user, session: found, sessionID: c.Value}
}

func (s *Sandbox) endSession(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.state.sessions, id)
}

// withoutParameter leaves a parameter out of form-encoded text, and the rest exactly as it is.
func withoutParameter(raw, name string) string {
	var kept []string
	for part := range strings.SplitSeq(raw, "&") {
		n, _, _ := strings.Cut(part, "=")
		if decoded, ok := (formReader{}).decode(n); !ok || decoded != name {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

// serveSignIn takes the sign-in form.
func (s *Sandbox) serveSignIn(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		s.refuseMethod(w, r, "POST")
		return
	}
	f, ok := s.readPageForm(w, r)
	if !ok {
		return
	}
	raw := f.get("request")
	visit := ""
	if c, err := r.Cookie(visitCookie); err == nil {
		visit = c.Value
	}
	sealed := visit != "" && same(f.get("csrf"), s.seal("sign-in", visit, ""))
	if !sealed && !s.policy.pages.signInUnsealed {
		s.errorPage(w, r, &refusal{status: http.StatusForbidden, code: "invalid_request",
			description: "The form is not the one that this browser was given; go back and try again"})
		return
	}
	raw = s.requested(visit, raw)
	now := s.now()
	u, no := s.signIn(f.get("username"), f.get("password"), now)
	if no != nil {
		if no.status >= http.StatusInternalServerError { // of the token endpoint only
			no = refuse("invalid_grant", "The user name or the password is wrong")
		}
		if no.retryAfter != "" {
			w.Header().Set("Retry-After", no.retryAfter)
		}
		a, _, _ := s.readAuthorization(raw, false) // for the application's name
		a.raw = raw
		s.signInPage(w, r, a, no.status, no.description)
		return
	}
	id := token(32)
	s.mu.Lock()
	s.sweep(now)
	s.state.sessions[id] = &session{user: u, expires: now.Add(sessionLifetime)}
	s.mu.Unlock()
	s.setCookie(w, r, sessionCookie, id, 0)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", s.origin(r)+s.continuation(raw))
	status := http.StatusSeeOther
	if spoil := s.policy.pages.signedInStatus; spoil != nil {
		status = spoil(status)
	}
	w.WriteHeader(status)
}

// continuation is where the sign-in goes on: always on this server.
func (s *Sandbox) continuation(raw string) string {
	if s.policy.pages.leavesAfterSignIn && strings.HasPrefix(raw, "https://") {
		return raw
	}
	outside := func(r rune) bool { return r <= ' ' || r > '~' }
	if raw == "" || strings.ContainsFunc(raw, outside) {
		return "/"
	}
	return s.paths().authorization + "?" + raw
}

func (s *Sandbox) setCookie(w http.ResponseWriter, r *http.Request, name, value string, age int) {
	c := http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil}
	if name == sessionCookie && s.policy.pages.crossSite {
		c.SameSite, c.Secure = http.SameSiteNoneMode, true // browsers want the one with the other, and count this machine as secure
	}
	if name == sessionCookie && s.policy.pages.scriptsReadSession {
		c.HttpOnly = false
	}
	http.SetCookie(w, &c)
}

// seal makes the anti-forgery value of a form, good for one browser and one purpose.
func (s *Sandbox) seal(purpose, holder, about string) string {
	h := hmac.New(sha256.New, s.formKey)
	for _, part := range []string{purpose, holder, about} {
		_, _ = h.Write([]byte(part))
		_, _ = h.Write([]byte{0})
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// readPageForm reads a form of one of the pages; else it has answered.
func (s *Sandbox) readPageForm(w http.ResponseWriter, r *http.Request) (form, bool) {
	body, no := readForm(w, r)
	if no == nil {
		f, ok := formReader{}.read(body, nil)
		if ok && f.repeated() == "" {
			return f, true
		}
		no = refuse("invalid_request", "The form could not be read")
	}
	s.errorPage(w, r, no)
	return nil, false
}

// serveSignOut ends the session; the page with its button is the answer to GET.
func (s *Sandbox) serveSignOut(w http.ResponseWriter, r *http.Request) {
	v := s.visitor(r)
	switch r.Method {
	case http.MethodGet:
		s.show(w, http.StatusOK, s.pages.signOut, signOutView{
			view: s.view("Sign out"), User: v.name(), CSRF: s.seal("sign-out", v.sessionID, ""),
		})
	case http.MethodPost:
		f, ok := s.readPageForm(w, r)
		if !ok {
			return
		}
		if !v.signedIn() || !same(f.get("csrf"), s.seal("sign-out", v.sessionID, "")) {
			s.errorPage(w, r, &refusal{status: http.StatusForbidden, code: "invalid_request", description: "The form is not the one that this browser was given"})
			return
		}
		s.endSession(v.sessionID)
		s.setCookie(w, r, sessionCookie, "", -1)
		w.Header().Set("Location", "/")
		w.WriteHeader(http.StatusSeeOther)
	default:
		s.refuseMethod(w, r, "GET, POST")
	}
}

func (v visitor) name() string {
	if v.user == nil {
		return ""
	}
	return strings.TrimSpace(v.user.first + " " + v.user.last)
}
