package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

const (
	typeCode  = "code"
	typeToken = "token"

	methodPlain = "plain"
	methodS256  = "S256"
)

// An authorizationRequest is a request to the authorization endpoint, as far as it could be read.
type authorizationRequest struct {
	raw          string // its parameters as sent
	client       *client
	responseType string
	redirectURI  string
	redirectSent bool
	posted       bool // the request came by POST
	state        string
	stateSent    bool
	scope        scope
	offline      bool
	challenge    challenge
	credentials  string // request_credentials
}

// serveAuthorize is the authorization endpoint (RFC 6749 §3.1).
func (s *Sandbox) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	if s.policy.pages.crossOrigin && s.crossOrigin(w, r, "GET, POST") {
		return
	}
	raw := r.URL.RawQuery
	switch r.Method {
	case http.MethodGet:
		if s.policy.front.refusesGet {
			s.refuseMethod(w, r, "POST")
			return
		}
	case http.MethodPost:
		body, no := readForm(w, r)
		if no != nil {
			s.errorPage(w, r, no)
			return
		}
		if raw == "" || !s.policy.pages.postedQuery {
			raw = body
		}
	default:
		s.refuseMethod(w, r, "GET, POST")
		return
	}
	a, fatal, no := s.readAuthorization(raw, r.Method == http.MethodPost)
	if fatal != nil && s.policy.near.signInBeforeErrors && !s.visitor(r).signedIn() {
		s.signInPage(w, r, a, http.StatusOK, "")
		return
	}
	if fatal != nil {
		s.errorPage(w, r, fatal)
		return
	}
	who := s.whoAsks(r, &a)
	switch {
	case no != nil && (who.signedIn() || !s.policy.front.loginFirst):
		s.sendError(w, r, a, no)
	case who.refusal != nil:
		s.sendError(w, r, a, who.refusal)
	case !who.signedIn():
		s.signInPage(w, r, a, http.StatusOK, "")
	case who.unasked, s.allowed(a, who.user):
		s.sendAnswer(w, r, a, who)
	case s.silent(a):
		s.sendError(w, r, a, refuse("access_denied", "The user would have to be asked"))
	default:
		s.consentPage(w, r, a, who)
	}
}

// readAuthorization checks a request. A fatal refusal is shown and never sent to the redirect URI, for
// that cannot be trusted; the other kind is sent there.
func (s *Sandbox) readAuthorization(raw string, posted bool) (a authorizationRequest, fatal, no *refusal) {
	p := &s.policy.front
	f, ok := formReader{}.read(raw, nil)
	if !ok {
		return a, refuse("invalid_request", "The parameters are not form-encoded UTF-8"), nil
	}
	a.raw, a.posted = raw, posted
	twice := s.repeated(f)
	if (twice == "client_id" || twice == "redirect_uri") && !p.checksFirst {
		return a, refuse("invalid_request", "client_id or redirect_uri is repeated"), nil
	}
	a.state, a.stateSent = f.get("state"), f.get("state") != ""
	a.responseType = f.get("response_type")
	a.offline = f.get("access_type") == "offline"
	a.credentials = f.get("request_credentials")
	a.client = s.byID[f.get("client_id")]
	fatal = s.readRedirect(&a, f)
	if fatal != nil && a.redirectURI == "" {
		return a, fatal, nil
	}
	if a.client == nil {
		return a, nil, refuse("invalid_request", "The client is unknown")
	}
	for _, check := range []func(*authorizationRequest, form) *refusal{
		s.checkNames, s.checkRepeats, s.checkResponseType, s.checkCredentials, s.readChallenge, s.readScope,
	} {
		if no := check(&a, f); no != nil {
			return a, nil, no
		}
	}
	return a, fatal, nil
}

// readRedirect finds out where the answer may go; only a fault lets it name a place and refuse it too.
func (s *Sandbox) readRedirect(a *authorizationRequest, f form) *refusal {
	p := &s.policy.front
	asked := f.get("redirect_uri")
	a.redirectSent = asked != ""
	if a.client == nil {
		if p.redirectsUnknown {
			a.redirectURI = asked
		}
		return refuse("invalid_request", "The client is unknown")
	}
	bad := "invalid_request"
	if p.spaceErrors {
		bad = "unauthorized_client"
	}
	registered := a.client.redirectsFor(a.responseType)
	if asked == "" {
		if len(registered) == 0 || (len(registered) > 1 || p.demandsRedirectURI) && !p.picksFirst {
			return refuse(bad, "redirect_uri is missing")
		}
		a.redirectURI = registered[0]
		return nil
	}
	compared := asked
	if p.stripsFragment {
		compared, _, _ = strings.Cut(asked, "#")
	}
	if !s.matches(a.client, registered, compared) && !(a.posted && p.postUnchecked) {
		if p.errorsAnywhere {
			a.redirectURI = asked
		}
		return refuse(bad, "redirect_uri is not registered for the client")
	}
	a.redirectURI = compared
	if p.checksFirst {
		a.redirectURI = f.last("redirect_uri")
	}
	return nil
}

// redirectsFor lists the URIs that an answer of that type may go to. Code and implicit have lists of
// their own; an answer that can only be an error may go to any of them.
func (c *client) redirectsFor(responseType string) []string {
	switch {
	case responseType == typeCode && c.has(grantCode):
		return c.redirects
	case responseType == typeToken && c.has(grantImplicit):
		return c.implicit
	}
	return slices.Concat(c.redirects, c.implicit)
}

// matches compares redirect URIs as strings (RFC 9700 §2.1); only the port of a loopback address is free (RFC 8252 §7.3).
func (s *Sandbox) matches(c *client, registered []string, asked string) bool {
	p := &s.policy.front
	if p.refusesRedirect != nil && p.refusesRedirect(c, asked) {
		return false
	}
	if s.policy.pages.refusesPlain && !s.policy.pages.plainRedirects && strings.HasPrefix(asked, "http://") && !strings.HasPrefix(asked, "http://127.0.0.1") {
		return false // what is sent there can be read on the way (RFC 9700 §2.6)
	}
	return slices.ContainsFunc(registered, func(r string) bool {
		return r == asked || !p.loopbackPortFixed && loopbackMatches(r, asked) || p.matchRedirect != nil && p.matchRedirect(r, asked)
	})
}

func loopbackMatches(registered, asked string) bool {
	cut := func(uri string) (host, path string, ok bool) {
		rest, ok := strings.CutPrefix(uri, "http://")
		if !ok {
			return "", "", false
		}
		authority, path, _ := strings.Cut(rest, "/")
		host, port, _ := strings.Cut(authority, ":")
		digits := !strings.ContainsFunc(port, func(r rune) bool { return r < '0' || r > '9' })
		return host, path, host == "127.0.0.1" && digits && len(port) <= 5
	}
	rh, rp, ok := cut(registered)
	ah, ap, ok2 := cut(asked)
	return ok && ok2 && rh == ah && rp == ap
}

// checkNames lets unknown parameters be, as RFC 6749 §3.1 demands.
func (s *Sandbox) checkNames(_ *authorizationRequest, f form) *refusal {
	if !s.policy.front.refusesUnknown {
		return nil
	}
	known := []string{"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "access_type", "request_credentials"}
	for _, p := range f {
		if !slices.Contains(known, p.name) {
			return refuse("invalid_request", "A parameter is unknown")
		}
	}
	return nil
}

func (s *Sandbox) checkRepeats(_ *authorizationRequest, f form) *refusal {
	p := &s.policy.front
	if twice := s.repeated(f); twice != "" && !(p.checksFirst && (twice == "client_id" || twice == "redirect_uri")) {
		return refuse("invalid_request", "A parameter is repeated")
	}
	return nil
}

func (s *Sandbox) checkResponseType(a *authorizationRequest, _ form) *refusal {
	p := &s.policy.front
	if p.defaultsToCode && a.responseType == "" {
		a.responseType = typeCode
	}
	if p.typePrefix && strings.HasPrefix(a.responseType, typeCode) {
		a.responseType = typeCode
	}
	missing := "invalid_request"
	if p.spaceErrors {
		missing = "unsupported_response_type"
	}
	var grant string
	switch {
	case a.responseType == "":
		return refuse(missing, "response_type is missing")
	case a.responseType == typeCode:
		grant = grantCode
	case a.responseType == typeToken && p.offersImplicit:
		grant = grantImplicit
	default:
		return refuse("unsupported_response_type", "The server does not offer this response_type")
	}
	if !a.client.has(grant) && !p.ignoresTypeList && !(p.implicitForAll && grant == grantImplicit) {
		return refuse("unauthorized_client", "The client is not registered for this response_type")
	}
	if p.refusesImplicit && grant == grantImplicit {
		return refuse("unauthorized_client", "The implicit flow is switched off")
	}
	return nil
}

func (s *Sandbox) checkCredentials(a *authorizationRequest, _ form) *refusal {
	if !s.policy.front.requestCredentials {
		a.credentials = ""
		return nil
	}
	switch a.credentials {
	case "", "default", "required":
	case "skip", "silent":
		if a.responseType == typeCode && !s.policy.front.silentCode {
			a.credentials = ""
		}
	default:
		return refuse("invalid_request", "request_credentials has no such value")
	}
	return nil
}

// readChallenge is PKCE (RFC 7636 §4.3).
func (s *Sandbox) readChallenge(a *authorizationRequest, f form) *refusal {
	p := &s.policy.front
	if a.responseType != typeCode {
		return nil
	}
	value, method := f.get("code_challenge"), f.get("code_challenge_method")
	required := a.client.requiresPKCE && !p.pkceNotEnforced || p.pkceAll || p.pkcePublic && a.client.public
	if value == "" {
		if required || method != "" {
			return refuse("invalid_request", "code_challenge is missing")
		}
		return nil
	}
	if method == "" {
		method = methodPlain
		if p.defaultsS256 {
			method = methodS256
		}
	}
	if method != methodS256 && method != methodPlain && p.unknownMethodOff {
		return nil
	}
	if method != methodS256 && (method != methodPlain || !p.plain) {
		return refuse("invalid_request", "code_challenge_method is not offered")
	}
	if s.policy.near.lateChallenge {
		a.challenge = challenge{value, method}
		return nil
	}
	if p.anyChallenge {
		value = strings.TrimRight(value, "=")
	} else if !isVerifier(value) {
		return refuse("invalid_request", "code_challenge is malformed")
	}
	a.challenge = challenge{value, method}
	return nil
}

func (s *Sandbox) readScope(a *authorizationRequest, f form) *refusal {
	w := s.wish(f)
	if !w.given && s.policy.front.demandsScope {
		return refuse("invalid_scope", "scope is missing")
	}
	if s.policy.front.echoesScope && w.given {
		a.scope = literal(w.text)
		return nil
	}
	granted, no := s.resolve(w, a.client.rights)
	if no != nil {
		return no
	}
	a.scope = granted
	return nil
}

func (s *Sandbox) silent(a authorizationRequest) bool {
	return a.credentials == "silent" && !s.policy.front.ignoresSilent
}
