package suites

import (
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// metadata says what a deployment owes those who read its metadata (RFC 8414), and the issuer in its
// authorization responses (RFC 9207).
func metadata(s *session) {
	Describe("the metadata document", func() {
		It("is valid, and names the issuer that was asked for", proves("RFC8414-3-document"), func(ctx SpecContext) {
			m := s.document(ctx)
			s.namesItsIssuer(m)
			s.namesEndpoints(m)
			for _, name := range []string{
				"response_types_supported", "response_modes_supported", "grant_types_supported", "scopes_supported", "code_challenge_methods_supported",
				"token_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported", "introspection_endpoint_auth_methods_supported",
			} {
				switch list, there := m[name].([]any); {
				case m[name] == nil && name != "response_types_supported":
				case m[name] == nil:
					s.violated("%s is missing", name)
				case !there || slices.ContainsFunc(list, func(v any) bool { _, text := v.(string); return !text }):
					s.violated("%s is not a list of texts", name)
				case len(list) == 0:
					s.violated("%s is empty, and has to be left out then", name)
				}
			}
		})

		It("shows that the server knows PKCE", proves("RFC9700-2.1.1-pkce-discoverable"), func(ctx SpecContext) {
			m := s.document(ctx)
			s.seen.expected = "code_challenge_methods_supported with S256"
			switch methods := texts(m, "code_challenge_methods_supported"); {
			case len(methods) == 0:
				s.violated("code_challenge_methods_supported is missing")
			case !slices.Contains(methods, "S256"):
				s.warn("code_challenge_methods_supported names %s, and not S256", words(methods))
			}
		})
		announced(s)
	})

	for _, g := range s.frontGrants() {
		Describe("the authorization response with a "+responseType(g), flow(g), func() { issuerTold(s, g) })
	}
}

// document is the metadata document, read as JSON.
func (s *session) document(ctx SpecContext) map[string]any {
	GinkgoHelper()
	if s.target.Endpoints.Metadata == "" {
		s.notApplicable("the target file names no metadata document (endpoints.metadata)")
	}
	x := s.readMetadata(ctx)
	s.seen.decide(x)
	s.seen.expected = "200 with a JSON object, application/json"
	switch {
	case x.Status != 200:
		s.violated("%s", answered(x))
	case mediaType(x) != "application/json":
		s.violated("the content type is %q", printable(mediaType(x)))
	case members(x) == nil:
		s.violated("the body is not a JSON object")
	}
	return members(x)
}

// readMetadata asks for the metadata document, once a run.
func (s *session) readMetadata(ctx SpecContext) oauth.Exchange {
	GinkgoHelper()
	const name = "the metadata document"
	x, made := s.memo[name]
	if !made {
		x = s.send(ctx, oauth.Request{Title: "read the metadata document", Method: "GET", URL: s.target.Endpoints.Metadata, Header: oauth.Params{{Name: "Accept", Value: "application/json"}}})
		s.memo[name] = x
	}
	return x
}

// namesItsIssuer compares the issuer with the URL that the document was read from (RFC 8414 §3.3).
func (s *session) namesItsIssuer(m map[string]any) {
	GinkgoHelper()
	asked := s.target.Endpoints.Metadata
	s.seen.expected = "an issuer from whose URL that of the document, " + asked + ", is built"
	issuer, _ := m["issuer"].(string)
	u, err := url.Parse(issuer)
	switch {
	case issuer == "":
		s.violated("there is no issuer")
	case err != nil || u.Host == "" || strings.ContainsAny(issuer, "?#"):
		s.violated("the issuer %q is no URL without query and fragment", printable(issuer))
	case u.Scheme != "https" && strings.HasPrefix(asked, "https://"):
		s.violated("the issuer %q is not an https URL", printable(issuer))
	case slices.Contains(documentsOf(u), asked):
	case !strings.Contains(asked, "/.well-known/"):
		s.note("the document is not read from a well-known URL, so its issuer cannot be compared with it")
	default:
		s.violated("the document names the issuer %q", printable(issuer))
	}
}

// documentsOf are the URLs at which the issuer's metadata may be: that of RFC 8414 §3, and those of OpenID Connect.
func documentsOf(issuer *url.URL) []string {
	origin, path := issuer.Scheme+"://"+issuer.Host, strings.TrimSuffix(issuer.EscapedPath(), "/")
	return []string{
		origin + "/.well-known/oauth-authorization-server" + path,
		origin + "/.well-known/openid-configuration" + path,
		origin + path + "/.well-known/openid-configuration",
		origin + path + "/.well-known/oauth-authorization-server", // of servers that came before the RFC
	}
}

// namesEndpoints holds the URLs of the document to RFC 8414 §2.
func (s *session) namesEndpoints(m map[string]any) {
	GinkgoHelper()
	s.seen.expected = "the endpoints as URLs without fragment"
	secure := strings.HasPrefix(s.target.Endpoints.Metadata, "https://")
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint", "revocation_endpoint", "introspection_endpoint"} {
		if m[name] == nil {
			// Only what the grants of the target's clients need has to be there.
			if name == "authorization_endpoint" && (s.offers(target.AuthorizationCode) || s.offers(target.Implicit)) || name == "token_endpoint" && len(s.enabled()) > 0 {
				s.violated("%s is missing", name)
			}
			continue
		}
		raw, _ := m[name].(string)
		u, err := url.Parse(raw)
		switch {
		case err != nil || u.Host == "":
			s.violated("%s is %s, which is no URL", name, shown(m[name]))
		case strings.Contains(raw, "#"):
			s.violated("%s has a fragment: %q", name, printable(raw))
		case secure && u.Scheme != "https":
			s.violated("%s is not an https URL: %q", name, printable(raw))
		}
		if known := s.endpointNamed(name); known != "" && known != raw {
			s.note("%s is %q, and the target file has %s", name, printable(raw), known)
		}
	}
}

// endpointNamed is what the target file has for a member of the document, or nothing.
func (s *session) endpointNamed(member string) string {
	e := s.target.Endpoints
	return map[string]string{
		"authorization_endpoint": e.Authorization, "token_endpoint": e.Token, "jwks_uri": e.JWKS,
		"revocation_endpoint": e.Revocation, "introspection_endpoint": e.Introspection,
	}[member]
}

// texts is a list of the document, without what is no text.
func texts(m map[string]any, name string) []string {
	var out []string
	list, _ := m[name].([]any)
	for _, v := range list {
		if text, is := v.(string); is {
			out = append(out, text)
		}
	}
	return out
}

// issuerInEvery says the same of all responses that the run brought.
func issuerInEvery(s *session) {
	It("names the announced issuer in every response", proves("RFC9207-2-iss-right"), func(ctx SpecContext) {
		m := s.document(ctx)
		if m["authorization_response_iss_parameter_supported"] != true {
			s.notApplicable("the metadata does not announce authorization_response_iss_parameter_supported")
		}
		issuer, _ := m["issuer"].(string)
		s.seen.expected = "iss once, equal to the metadata's issuer " + printable(issuer)
		brought := s.passive.redirects()
		if len(brought) == 0 {
			s.notApplicable("the run brought no response to a client")
		}
		for _, x := range brought {
			l := oauth.ParseLanding(x.Location())
			if told := valuesOf(slices.Concat(l.Query, l.Fragment), "iss"); len(told) != 1 || told[0] != issuer {
				s.seen.decide(x)
				s.violated("iss is %q: %s", told, landed(l))
			}
		}
	})
}

// issuerTold says which issuer an authorization response names, where that is announced (RFC 9207).
func issuerTold(s *session, g target.Grant) {
	DescribeTable("names the announced issuer, once, in", table, proves("RFC9207-2-iss-right"),
		func(ctx SpecContext, spoil func() oauth.Change) {
			s.requires(g)
			m := s.document(ctx)
			if m["authorization_response_iss_parameter_supported"] != true {
				if s.target.Profile == "bcp-9700" {
					s.note("authorization_response_iss_parameter_supported is not announced, so clients of several servers cannot tell responses apart by iss")
					return
				}
				s.notApplicable("the metadata does not announce authorization_response_iss_parameter_supported")
			}
			c := s.holder(g)
			s.authorizes(ctx, c, g)
			l := s.play(ctx, s.asking(c, g, spoil(), oauth.Titled("ask for authorization, for "+variant())))
			if l.Kind != oauth.Redirected || issued(l) != (variant() == "a success") {
				s.notApplicable("this brings no such response to the client: %s", landed(l))
			}
			issuer, _ := m["issuer"].(string)
			s.seen.expected = "iss once, equal to the metadata's issuer " + printable(issuer)
			switch told := valuesOf(slices.Concat(l.Query, l.Fragment), "iss"); {
			case len(told) != 1:
				s.violated("iss comes %d times: %s", len(told), landed(l))
			case told[0] != issuer:
				s.violated("iss is %q", printable(told[0]))
			}
		},
		Entry("a success", func() oauth.Change { return nothing }),
		Entry("an error about the scope", func() oauth.Change { return oauth.SetQuery("scope", s.unknownScope()) }),
		Entry("an error about the response type", func() oauth.Change { return oauth.SetQuery("response_type", marker) }),
	)
}
