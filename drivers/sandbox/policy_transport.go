package sandbox

// transportPolicy is what the sandbox decides about connections, headers and proxies.
type transportPolicy struct {
	plainSignIn       bool // the authorization endpoint is served over plain http, too
	plainToken        bool // and the token endpoint
	oldTLS            bool // TLS 1.0 is accepted
	omitsHSTS         bool
	keepsRedirects    bool // a redirect with a code may be cached
	trustsOrigins     bool // any origin may send credentials and read the answer
	believesForwarded bool // X-Forwarded-Host is where this server is
}
