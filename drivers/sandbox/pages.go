package sandbox

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

//go:embed pages
var pageFiles embed.FS

// pages are the server-rendered pages; none needs a script.
type pages struct {
	signIn, signOut, consent, failure, home *template.Template
	style                                   template.CSS
	policy                                  string // Content-Security-Policy
}

// view is what every page shows.
type view struct {
	Title string
	Style template.CSS
}

type signInView struct {
	view
	Client, Request, CSRF, Problem, Action string

	Echo   template.HTML // only a fault shows it
	Script string        // of another host; only a fault loads it
}

type consentView struct {
	view
	Client, User, Request, CSRF, Action string
	Actions                             []string
	Offline                             bool
	Organization                        string
}

type failureView struct {
	view
	Code, Description string
}

type signOutView struct {
	view
	User, CSRF string
}

type homeView struct {
	view
	User, Posture string
}

func newPages() (*pages, error) {
	style, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		return nil, fmt.Errorf("sandbox: reading the style of the pages: %w", err)
	}
	sum := sha256.Sum256(style)
	p := &pages{
		style: template.CSS(style), //nolint:gosec // our own file
		// No form-action: browsers apply it to the redirect that follows a form, which leads to the client.
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; frame-ancestors 'none'; base-uri 'none'",
	}
	for name, t := range map[string]**template.Template{
		"sign-in": &p.signIn, "sign-out": &p.signOut, "consent": &p.consent, "failure": &p.failure, "home": &p.home,
	} {
		*t, err = template.ParseFS(pageFiles, "pages/frame.html", "pages/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("sandbox: reading the page %s: %w", name, err)
		}
	}
	return p, nil
}

func (s *Sandbox) view(title string) view { return view{Title: title, Style: s.pages.style} }

// show writes a page.
func (s *Sandbox) show(w http.ResponseWriter, status int, t *template.Template, data any) {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "frame", data); err != nil {
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", s.pages.policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	s.spoilPage(h)
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// signInPage asks who is there, and remembers the request in the form itself, so that several can be under way at once.
func (s *Sandbox) signInPage(w http.ResponseWriter, r *http.Request, a authorizationRequest, status int, problem string) {
	var visit string
	if c, err := r.Cookie(visitCookie); err == nil && len(c.Value) == opaqueLength {
		visit = c.Value
	} else {
		visit = token(32)
		s.setCookie(w, r, visitCookie, visit, 0)
	}
	s.hold(visit, a.raw)
	v := signInView{view: s.view("Sign in"), Request: a.raw, CSRF: s.seal("sign-in", visit, ""), Problem: problem, Action: s.origin(r) + pathSignIn}
	if s.policy.pages.echoesState {
		v.Echo = template.HTML(a.state) //nolint:gosec // that is the fault
	}
	if s.policy.pages.thirdParty {
		v.Script = analytics + "/page.js"
	}
	if a.client != nil {
		v.Client = a.client.title
	}
	s.show(w, status, s.pages.signIn, v)
}

func (s *Sandbox) consentPage(w http.ResponseWriter, _ *http.Request, a authorizationRequest, who visitor) {
	s.hold(who.sessionID, a.raw)
	s.show(w, http.StatusOK, s.pages.consent, consentView{
		view: s.view("Allow " + a.client.title + "?"), Client: a.client.title, User: who.name(), Request: a.raw,
		CSRF: s.seal("consent", who.sessionID, a.raw), Action: pathConsent, Actions: actions(a.scope), Offline: a.offline,
		Organization: organization,
	})
}

const organization = "Sandbox"

// errorPage shows an error that must not go to the client.
func (s *Sandbox) errorPage(w http.ResponseWriter, _ *http.Request, no *refusal) {
	if s.policy.front.blankErrors {
		w.WriteHeader(no.status)
		return
	}
	s.show(w, no.status, s.pages.failure, failureView{view: s.view("That did not work"), Code: no.code, Description: no.description})
}

func (s *Sandbox) refuseMethod(w http.ResponseWriter, r *http.Request, allow string) {
	w.Header().Set("Allow", allow)
	s.errorPage(w, r, &refusal{status: http.StatusMethodNotAllowed, code: "invalid_request", description: "This address answers " + allow + " only"})
}

func (s *Sandbox) serveHome(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		s.errorPage(w, r, &refusal{status: http.StatusNotFound, code: "not-found", description: "There is nothing at this address"})
		return
	}
	s.show(w, http.StatusOK, s.pages.home, homeView{view: s.view("Sandbox"), User: s.visitor(r).name(), Posture: s.options.Posture})
}

// spoilPage takes the faults' protections away from a page.
func (s *Sandbox) spoilPage(h http.Header) {
	p := &s.policy.pages
	if p.framed {
		h.Del("X-Frame-Options")
		h.Set("Content-Security-Policy", strings.ReplaceAll(s.pages.policy, "frame-ancestors 'none'; ", ""))
	}
	if p.referrer != "" {
		h.Set("Referrer-Policy", p.referrer)
	}
	if p.thirdParty {
		h.Set("Content-Security-Policy", s.pages.policy+"; script-src "+analytics)
	}
}
