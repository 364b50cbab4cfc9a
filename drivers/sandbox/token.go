package sandbox

import (
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

const maxBody = 1 << 20

// serveToken is the token endpoint.
func (s *Sandbox) serveToken(w http.ResponseWriter, r *http.Request) {
	if s.crossOrigin(w, r, "POST") {
		return
	}
	if s.options.Load.play(w, r, s.started) {
		return
	}
	f, no := s.readTokenRequest(w, r)
	if no != nil {
		s.refuseToken(w, *no)
		return
	}
	grant, no := s.grantType(f)
	if no != nil {
		s.refuseToken(w, *no)
		return
	}
	who, no := s.authenticate(r, f, grant)
	if no != nil {
		s.refuseToken(w, *no)
		return
	}
	out, no := s.grant(tokenRequest{form: f, grant: grant, caller: who, now: s.now()})
	if no != nil {
		s.refuseToken(w, *no)
		return
	}
	s.answerToken(w, grant, out)
}

// A tokenRequest is a request to the token endpoint whose sender is known.
type tokenRequest struct {
	caller
	form  form
	grant string
	now   time.Time
}

// readTokenRequest reads the parameters from where they belong: a form-encoded body.
func (s *Sandbox) readTokenRequest(w http.ResponseWriter, r *http.Request) (form, *refusal) {
	p := &s.policy.token
	get := r.Method == http.MethodGet && p.acceptsGet
	if !get && (r.Method != http.MethodPost || p.refusesPost) {
		no := refuse("invalid_request", "The token endpoint answers POST only")
		no.status, no.allow = http.StatusMethodNotAllowed, http.MethodPost
		return nil, no
	}
	text := r.URL.RawQuery
	if !get {
		body, no := readForm(w, r)
		if no != nil {
			return nil, no
		}
		if p.mergesQuery && text != "" {
			body += "&" + text
		}
		text = body
	}
	f, ok := formReader{latin1: p.decodesLatin1, keepEmpty: p.emptyScopeIsValue}.read(text, make(form, 0, 8))
	switch {
	case !ok && p.badPercentStatus != 0:
		return nil, crash(p.badPercentStatus)
	case !ok:
		return nil, refuse("invalid_request", "The body is not form-encoded UTF-8, or has far too many parameters")
	}
	if p.foldsGrantType {
		for i := range f {
			f[i].name = strings.ToLower(f[i].name)
		}
	}
	if s.repeated(f) != "" && !p.takesFirst {
		return nil, refuse("invalid_request", "A parameter is repeated")
	}
	if p.refusesUnknown && !allKnown(f) {
		return nil, refuse("invalid_request", "A parameter is unknown")
	}
	return f, nil
}

// readForm reads a bounded, form-encoded body.
func readForm(w http.ResponseWriter, r *http.Request) (string, *refusal) {
	if ct := r.Header.Get("Content-Type"); ct != "application/x-www-form-urlencoded" {
		kind, params, err := mime.ParseMediaType(ct)
		charset := strings.ToLower(params["charset"])
		if err != nil || kind != "application/x-www-form-urlencoded" || charset != "" && charset != "utf-8" {
			drain(r)
			return "", refuse("invalid_request", "The body must be application/x-www-form-urlencoded in UTF-8")
		}
	}
	var body []byte
	var err error
	if n := r.ContentLength; n >= 0 && n <= maxBody {
		body = make([]byte, n)
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	}
	if len(body) > maxBody {
		drain(r)
		w.Header().Set("Connection", "close")
		return "", refuse("invalid_request", "The body is larger than 1 MiB")
	}
	if err != nil {
		return "", refuse("invalid_request", "The body could not be read")
	}
	return string(body), nil
}

// drain reads what a sender still has to say, within reason, so that it can hear the answer.
func drain(r *http.Request) { _, _ = io.CopyN(io.Discard, r.Body, 8*maxBody) }

func allKnown(f form) bool {
	for _, p := range f {
		switch p.name {
		case "grant_type", "scope", "client_id", "client_secret", "username", "password", "code", "redirect_uri",
			"code_verifier", "refresh_token", "access_type", "resource", "audience":
		default:
			return false
		}
	}
	return true
}

// grantType checks grant_type as far as that is possible without knowing the client.
func (s *Sandbox) grantType(f form) (string, *refusal) {
	p := &s.policy.token
	g := f.get("grant_type")
	if p.foldsGrantType {
		g = strings.ToLower(g)
	}
	switch {
	case g == "" && p.missingGrantStatus != 0:
		return "", crash(p.missingGrantStatus)
	case g == "":
		return "", refuse("invalid_request", "grant_type is missing")
	}
	return g, nil
}
