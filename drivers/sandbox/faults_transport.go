package sandbox

// transportFaults are the faults of section Q: transport, headers and proxies.
func transportFaults() []Fault {
	secure := Needs{TLS: true}
	return []Fault{
		{ID: "http-login", Requirement: "RFC6749-3.1-tls-required-authorization", Needs: secure,
			Sentence: "The sign-in form is served over plain http",
			change:   func(p *policy) { p.transport.plainSignIn = true }},
		{ID: "http-token", Requirement: "RFC6749-3.2-tls-required-token-resource", Needs: secure,
			Sentence: "The token endpoint answers over plain http",
			change:   func(p *policy) { p.transport.plainToken = true }},
		{ID: "tls10-accepted", Requirement: "RFC9325-3.1.1-tls-quality", Needs: secure,
			Sentence: "TLS 1.0 is accepted",
			change:   func(p *policy) { p.transport.oldTLS = true }},
		{ID: "no-hsts", Requirement: "RFC6797-7.1-hsts", Needs: secure,
			Sentence: "Answers carry no Strict-Transport-Security",
			change:   func(p *policy) { p.transport.omitsHSTS = true }},
		{ID: "cacheable-redirect", Requirement: "RFC6749-5.1-authorization-response-no-store",
			Sentence: "The redirect with the code may be cached",
			change:   func(p *policy) { p.transport.keepsRedirects = true }},
		{ID: "cors-echo-credentials", Requirement: "RFC9700-2.6-cors-token-safe",
			Needs:    Needs{Postures: []string{postureBCP, posture21}},
			Sentence: "Any origin is echoed as allowed, together with credentials",
			change:   func(p *policy) { p.transport.trustsOrigins = true }},
		{ID: "trust-forwarded-host", Requirement: "RFC9700-4.13-forwarded-headers-ignored",
			Sentence: "X-Forwarded-Host decides the host of redirects and links",
			change:   func(p *policy) { p.transport.believesForwarded = true }},
	}
}
