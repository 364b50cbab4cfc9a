package sandbox

import "net/http"

const (
	pathSignIn     = "/oauth/sign-in"
	pathSignOut    = "/oauth/sign-out"
	pathConsent    = "/oauth/consent"
	pathKeys       = "/oauth/jwks.json"
	pathRevoke     = "/oauth/revoke"
	pathIntrospect = "/oauth/introspect"
	pathMetadata   = "/.well-known/oauth-authorization-server"
	pathAPI        = "/api/http/"
	pathConsents   = "/api/http/team-directory/profiles/oauth-consents"
)

// endpoints are the two that the standard is about.
type endpoints struct{ authorization, token string }

func (s *Sandbox) paths() endpoints {
	if s.policy.resource.otherPaths {
		return endpoints{"/hub/auth", "/hub/token"}
	}
	return endpoints{"/oauth/auth", "/oauth/token"}
}

func (s *Sandbox) route() {
	s.mux = http.NewServeMux()
	s.mux.HandleFunc(s.paths().authorization, s.serveAuthorize)
	s.mux.HandleFunc(pathSignIn, s.serveSignIn)
	s.mux.HandleFunc(pathSignOut, s.serveSignOut)
	s.mux.HandleFunc(pathConsent, s.serveConsent)
	s.mux.HandleFunc(pathKeys, s.serveKeys)
	s.mux.HandleFunc(pathAPI, s.serveAPI)
	s.mux.HandleFunc("/", s.serveHome)
	if s.options.Extras {
		s.mux.HandleFunc(pathRevoke, s.late(s.serveRevoke))
		s.mux.HandleFunc(pathIntrospect, s.serveIntrospect)
		s.mux.HandleFunc(pathMetadata, s.serveMetadata)
	}
}

// ServeHTTP answers for the whole service URL.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !linger(r, s.options.Load.Latency) {
		return
	}
	s.issuerFor(r)
	if !s.secured(w, r) {
		return
	}
	if g := s.policy.near.gateway; g != nil {
		s.serveThrough(g, w, r)
		return
	}
	s.serve(w, r)
}

func (s *Sandbox) serve(w http.ResponseWriter, r *http.Request) {
	// The token endpoint goes first and straight: it is the one that is put under load.
	if r.URL.Path == s.paths().token {
		s.serveToken(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// crossOrigin lets scripts of any origin read the answers of an endpoint that looks at no cookies, and
// reports whether the request was only the question whether it may.
func (s *Sandbox) crossOrigin(w http.ResponseWriter, r *http.Request, methods string) bool {
	if r.Header["Origin"] == nil {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	if s.policy.transport.trustsOrigins {
		h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	h.Add("Vary", "Origin")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", methods)
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
