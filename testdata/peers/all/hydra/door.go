package main

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"os"

	"flowproof/peers/stand"
)

const (
	maxForm  = 1 << 20 // bytes of a form that are read
	remember = 3600    // seconds
)

// A door serves the three pages that Hydra sends people to.
type door struct {
	hydra     admin
	passwords map[string]string
}

// A redirection says where to send the browser next.
type redirection struct {
	RedirectTo string `json:"redirect_to"`
}

// A question is what Hydra tells of a challenge.
type question struct {
	Challenge string
	Skip      bool
	Subject   string
	Scopes    []string `json:"requested_scope"`
	Audience  []string `json:"requested_access_token_audience"`
	Client    struct {
		ID string `json:"client_id"`
	}
	Wrong bool `json:"-"` // the password was
}

func (d door) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", d.login)
	mux.HandleFunc("POST /login", d.signIn)
	mux.HandleFunc("GET /consent", d.consent)
	mux.HandleFunc("POST /consent", d.decide)
	mux.HandleFunc("GET /error", func(w http.ResponseWriter, r *http.Request) {
		show(w, http.StatusBadRequest, "error", r.URL.Query().Get("error")+": "+r.URL.Query().Get("error_description"))
	})
	protected := http.NewCrossOriginProtection().Handler(mux) // forms of other sites are refused
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		protected.ServeHTTP(w, r)
	})
}

func (d door) ask(w http.ResponseWriter, r *http.Request, what, challenge string) (question, bool) {
	var q question
	err := d.hydra.call(r.Context(), http.MethodGet, "/oauth2/auth/requests/"+what+"?"+what+"_challenge="+url.QueryEscape(challenge), nil, &q)
	if err != nil {
		fail(w, r, err)
	}
	return q, err == nil
}

// answer accepts or rejects a challenge, and sends the browser where Hydra says.
func (d door) answer(w http.ResponseWriter, r *http.Request, what, verb, challenge string, with map[string]any) {
	var to redirection
	path := "/oauth2/auth/requests/" + what + "/" + verb + "?" + what + "_challenge=" + url.QueryEscape(challenge)
	if err := d.hydra.call(r.Context(), http.MethodPut, path, with, &to); err != nil {
		fail(w, r, err)
		return
	}
	leave(w, r, to.RedirectTo)
}

func (d door) login(w http.ResponseWriter, r *http.Request) {
	challenge := r.URL.Query().Get("login_challenge")
	q, ok := d.ask(w, r, "login", challenge)
	switch {
	case !ok:
	case q.Skip:
		d.answer(w, r, "login", "accept", challenge, map[string]any{"subject": q.Subject})
	default:
		show(w, http.StatusOK, "login", q)
	}
}

func (d door) signIn(w http.ResponseWriter, r *http.Request) {
	name, challenge := r.PostFormValue("username"), r.PostFormValue("challenge")
	q, ok := d.ask(w, r, "login", challenge)
	if !ok {
		return
	}
	password, known := d.passwords[name]
	if !known || subtle.ConstantTimeCompare([]byte(password), []byte(r.PostFormValue("password"))) != 1 {
		q.Wrong = true
		show(w, http.StatusOK, "login", q)
		return
	}
	d.answer(w, r, "login", "accept", challenge, map[string]any{"subject": name, "remember": true, "remember_for": remember})
}

func (d door) consent(w http.ResponseWriter, r *http.Request) {
	challenge := r.URL.Query().Get("consent_challenge")
	q, ok := d.ask(w, r, "consent", challenge)
	switch {
	case !ok:
	case q.Skip:
		d.grant(w, r, q)
	default:
		show(w, http.StatusOK, "consent", q)
	}
}

func (d door) decide(w http.ResponseWriter, r *http.Request) {
	challenge := r.PostFormValue("challenge")
	q, ok := d.ask(w, r, "consent", challenge)
	switch {
	case !ok:
	case r.PostFormValue("decision") == "accept":
		d.grant(w, r, q)
	default:
		d.answer(w, r, "consent", "reject", challenge, map[string]any{"error": "access_denied", "error_description": "The person said no."})
	}
}

func (d door) grant(w http.ResponseWriter, r *http.Request, q question) {
	d.answer(w, r, "consent", "accept", q.Challenge, map[string]any{
		"grant_scope": q.Scopes, "grant_access_token_audience": q.Audience, "remember": true, "remember_for": remember,
	})
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	var gone goneError
	if errors.As(err, &gone) && gone.to != "" {
		leave(w, r, gone.to)
		return
	}
	fmt.Fprintln(os.Stderr, err)
	show(w, http.StatusBadRequest, "error", "This page is no longer valid. Go back to the application and start again.")
}

func leave(w http.ResponseWriter, r *http.Request, to string) {
	stand.Protect(w)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func show(w http.ResponseWriter, status int, page string, data any) {
	stand.Protect(w)
	w.WriteHeader(status)
	_ = pages().ExecuteTemplate(w, page, data)
}

func pages() *template.Template {
	return template.Must(template.New("").Parse(`
{{define "login"}}<!doctype html><html lang="en"><title>Sign in</title><h1>Sign in</h1>
{{if .Wrong}}<p role="alert">This user name and this password do not belong together.</p>{{end}}
<form method="post" action="/login"><input type="hidden" name="challenge" value="{{.Challenge}}">
<p><label>User name <input id="username" name="username" autocomplete="username" required></label>
<p><label>Password <input id="password" name="password" type="password" autocomplete="current-password" required></label>
<p><button id="sign-in">Sign in</button></form>{{end}}
{{define "consent"}}<!doctype html><html lang="en"><title>Grant access</title><h1>Grant access</h1>
<p>{{.Subject}}, <strong>{{.Client.ID}}</strong> would like to have access to:<ul>{{range .Scopes}}<li>{{.}}{{end}}</ul>
<form method="post" action="/consent"><input type="hidden" name="challenge" value="{{.Challenge}}">
<p><button id="accept" name="decision" value="accept">Accept</button> <button name="decision" value="cancel">Cancel</button></form>{{end}}
{{define "error"}}<!doctype html><html lang="en"><title>That did not work</title><h1>That did not work</h1><p>{{.}}{{end}}`))
}
