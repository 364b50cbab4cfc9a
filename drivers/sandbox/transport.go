package sandbox

import (
	"crypto/tls"
	"net/http"
)

// TLS is how the sandbox shakes hands, with the certificate.
func (s *Sandbox) TLS(certificate tls.Certificate) *tls.Config {
	lowest := uint16(tls.VersionTLS12)
	if s.policy.transport.oldTLS {
		lowest = tls.VersionTLS10
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: lowest, NextProtos: []string{"h2", "http/1.1"}}
}

// secured reports whether the request may go on: where TLS is offered nothing is served without it.
func (s *Sandbox) secured(w http.ResponseWriter, r *http.Request) bool {
	p := &s.policy.transport
	switch {
	case !s.options.TLS:
		return true
	case r.TLS != nil:
		if !p.omitsHSTS {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		return true
	case p.plainSignIn && r.URL.Path == s.paths().authorization, p.plainToken && r.URL.Path == s.paths().token:
		return true
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		w.Header().Set("Location", *s.issuer.Load()+r.URL.RequestURI())
		w.WriteHeader(http.StatusPermanentRedirect)
	default: // a redirect would have the secrets of the body sent a second time
		http.Error(w, "Use https", http.StatusForbidden)
	}
	return false
}

// origin is what a link to this server begins with: nothing, for its pages only link to it by path.
func (s *Sandbox) origin(r *http.Request) string {
	if host := r.Header.Get("X-Forwarded-Host"); s.policy.transport.believesForwarded && host != "" {
		return "https://" + host
	}
	return ""
}
