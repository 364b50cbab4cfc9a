package stand

import (
	"embed"
	"html/template"
	"net/http"
	"net/url"
)

//go:embed pages
var pages embed.FS

const maxForm = 1 << 20 // bytes of a form that we read

// The paths of the door's pages.
const (
	loginPath   = "/login"
	consentPath = "/consent"
	logoutPath  = "/logout"
	stylePath   = "/peer.css"
)

// A Door is where people sign in and consent. It keeps an authorization request only as the query that it came
// with; whoever serves the authorization endpoint reads it anew each time.
type Door struct {
	registration Registration
	authorize    string
	sessions     sessions
	pages        *template.Template
}

// NewDoor opens a door to the authorization endpoint at that path.
func NewDoor(r Registration, authorizePath string) (*Door, error) {
	parsed, err := template.ParseFS(pages, "pages/*.html")
	if err != nil {
		return nil, err
	}
	return &Door{registration: r, authorize: authorizePath, sessions: sessions{byID: map[string]session{}}, pages: parsed}, nil
}

// A Question is what a signed-in person is asked.
type Question struct {
	Query  string // the authorization request
	Client string
	Scopes []string
}

// A Decision is the answer to it.
type Decision struct {
	Request  *http.Request // the authorization request again, as a GET
	Name     string        // who decided
	Subject  string
	Accepted bool
}

// Ask shows the consent page, or sends people who are not signed in to the login page first.
func (d *Door) Ask(w http.ResponseWriter, r *http.Request, q Question) {
	s, ok := d.sessions.of(r)
	if !ok || s.subject == "" {
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, loginPath+"?"+url.Values{"request": {q.Query}}.Encode(), http.StatusSeeOther)
		return
	}
	d.show(w, "consent.html", map[string]any{"CSRF": s.csrf, "Name": s.name, "Question": q})
}

// Routes adds the door's pages; decide is called with each decision that a person of this peer really made.
func (d *Door) Routes(mux *http.ServeMux, decide func(http.ResponseWriter, *http.Request, Decision)) {
	mux.HandleFunc("GET "+loginPath, d.loginPage)
	mux.HandleFunc("POST "+loginPath, d.login)
	mux.HandleFunc("POST "+logoutPath, d.logout)
	mux.HandleFunc("POST "+consentPath, func(w http.ResponseWriter, r *http.Request) {
		decision, ok := d.decision(w, r)
		if !ok {
			d.expired(w)
			return
		}
		decide(w, r, decision)
	})
	mux.HandleFunc("GET "+stylePath, func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pages, "pages/peer.css")
	})
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
}

func (d *Door) loginPage(w http.ResponseWriter, r *http.Request) {
	s, ok := d.sessions.of(r)
	if !ok {
		s = d.sessions.begin(w, r, "", "")
	}
	d.show(w, "login.html", map[string]any{"CSRF": s.csrf, "Request": r.URL.Query().Get("request")})
}

func (d *Door) login(w http.ResponseWriter, r *http.Request) {
	s, ok := d.genuine(w, r)
	switch {
	case !ok && s.subject != "":
		// Somebody signed in in another tab meanwhile, and that ended the session to which this form was shown.
		d.resume(w, r)
		return
	case !ok:
		d.expired(w)
		return
	}
	name, query := r.PostForm.Get("username"), r.PostForm.Get("request")
	subject, ok := d.registration.Authenticate(name, r.PostForm.Get("password"))
	if !ok {
		d.show(w, "login.html", map[string]any{"CSRF": s.csrf, "Request": query, "Name": name, "Wrong": true})
		return
	}
	d.sessions.begin(w, r, name, subject)
	d.resume(w, r)
}

// resume goes on with the authorization request for which somebody was asked to sign in.
func (d *Door) resume(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	// The path is ours and fixed, so whatever stands in the query, the browser stays here.
	target := url.URL{Path: d.authorize, RawQuery: r.PostForm.Get("request")}
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}

func (d *Door) logout(w http.ResponseWriter, r *http.Request) {
	if _, ok := d.genuine(w, r); !ok {
		d.expired(w)
		return
	}
	d.sessions.begin(w, r, "", "")
	http.Redirect(w, r, loginPath+"?"+url.Values{"request": {r.PostForm.Get("request")}}.Encode(), http.StatusSeeOther)
}

func (d *Door) decision(w http.ResponseWriter, r *http.Request) (Decision, bool) {
	s, ok := d.genuine(w, r)
	if !ok || s.subject == "" {
		return Decision{}, false
	}
	again := r.Clone(r.Context())
	again.Method, again.Body, again.ContentLength = http.MethodGet, http.NoBody, 0
	again.Header.Del("Content-Type")
	again.Form, again.PostForm, again.MultipartForm = nil, nil, nil
	again.URL = &url.URL{Path: d.authorize, RawQuery: r.PostForm.Get("request")}
	return Decision{Request: again, Name: s.name, Subject: s.subject, Accepted: r.PostForm.Get("decision") == "accept"}, true
}

// genuine reports whether a form came from a page that was shown to this very session.
func (d *Door) genuine(w http.ResponseWriter, r *http.Request) (session, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.ParseForm() != nil {
		return session{}, false
	}
	s, ok := d.sessions.of(r)
	return s, ok && Same(s.csrf, r.PostForm.Get("csrf"))
}

func (d *Door) expired(w http.ResponseWriter) {
	Protect(w)
	w.WriteHeader(http.StatusForbidden)
	_ = d.pages.ExecuteTemplate(w, "expired.html", nil)
}

func (d *Door) show(w http.ResponseWriter, page string, data any) {
	Protect(w)
	_ = d.pages.ExecuteTemplate(w, page, data)
}

// Protect sets what a page with a password or a consent owes its reader. There is no form-action: browsers apply
// it to the redirect that follows a form, too, and that one leads to the client.
func Protect(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}
