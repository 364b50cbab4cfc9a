package suites

import (
	"context"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// authorizationResponse says what an authorization endpoint sends back to the client: state, scope
// and errors (RFC 6749 §4.1.2, §4.2.2).
func authorizationResponse(s *session) {
	for _, g := range s.frontGrants() {
		Describe("the authorization endpoint, asked for a "+responseType(g)+",", flow(g), func() {
			BeforeEach(func() { s.requires(g) })
			stateReturned(s, g)
			scopesAsked(s, g)
			errorsTold(s, g)
		})
	}
	consentRefused(s)
}

// stateReturned says what becomes of the state, and of the other parameters of the response.
func stateReturned(s *session, g target.Grant) {
	It("carries the state back, once", proves("RFC6749-4.1.2-state-echoed"), func(ctx SpecContext) {
		r := s.asking(s.holder(g), g)
		l := s.bringing(ctx, r)
		s.seen.expected = "the state of the request, once"
		if values := valuesOf(l.Params(), "state"); len(values) != 1 || values[0] != r.Query.Get("state") {
			s.violated("the state comes back %d times%s: %s", len(values), map[bool]string{true: ", changed"}[len(values) == 1], landed(l))
		}
	})

	DescribeTable("carries the exact state back", table, proves("RFC6749-4.1.2-state-exact"),
		func(ctx SpecContext, odd string, refusable bool) {
			c := s.holder(g)
			s.authorizes(ctx, c, g)
			state := oauth.NewState() + odd
			l := s.play(ctx, s.asking(c, g, oauth.SetQuery("state", state), oauth.Titled("send a state with "+variant())))
			s.seen.expected = "the very same state"
			switch values := valuesOf(l.Params(), "state"); {
			case !issued(l) && refusable:
			case !issued(l):
				s.warn("the state is refused: %s", landed(l))
			case len(values) != 1:
				s.violated("the state comes back %d times: %s", len(values), landed(l))
			case values[0] != state:
				s.violated("sent …%q, came back …%q", odd, printable(tail(values[0], len(state)-len(odd))))
			}
		},
		Entry("a plus sign", "a+b", false),
		Entry("a space", "a b", false),
		Entry("a percent sign", "%25", false),
		Entry("an encoded plus sign", "%2B", false),
		Entry("an ampersand", "a&error=b", false),
		Entry("an equals sign", "a==", false),
		Entry("quotation marks", `"a'b"`, false),
		Entry("slashes", `/a\b?c#d`, false),
		Entry("angle brackets", "<a>", false),
		Entry("letters beyond ASCII", "é-日本", true), // beyond what a state may hold
		Entry("2,000 characters", strings.Repeat("0123456789", 200), true),
	)

	DescribeTable("sends each parameter of the response once", table, proves("RFC6749-3.1-response-params-once"),
		func(ctx SpecContext, leave oauth.Change) {
			c := s.holder(g)
			s.authorizes(ctx, c, g)
			r := s.asking(c, g, leave, oauth.Titled("ask with "+variant()))
			l := s.play(ctx, r)
			if l.Kind != oauth.Redirected {
				s.notApplicable("the server refuses the request: %s", landed(l))
			}
			s.holdsOnce(l, r, g)
		},
		Entry("a state", nothing),
		Entry("no state", oauth.WithoutQuery("state")),
	)
}

// tail is the text from a place on, if it is that long.
func tail(text string, from int) string { return text[min(max(from, 0), len(text)):] }

// bringing plays a request that has to bring what it asks for.
func (s *session) bringing(ctx context.Context, r oauth.Request) oauth.Landing {
	l := s.play(ctx, r)
	if !issued(l) {
		s.inconclusive("the request brought neither a code nor a token: %s", landed(l))
	}
	return l
}

// holdsOnce ends the spec unless each parameter of the response is there once and none is invented.
func (s *session) holdsOnce(l oauth.Landing, r oauth.Request, g target.Grant) {
	s.seen.expected = "each parameter once, no error beside the " + responseType(g) + ", no state unless one was sent"
	both := slices.Concat(l.Query, l.Fragment)
	if name, times := several(l); times > 1 {
		s.violated("%s comes %d times: %s", name, times, landed(l))
	}
	if issued(l) && both.Has("error") {
		s.violated("an error comes beside what was issued: %s", landed(l))
	}
	if !r.Query.Has("state") && both.Has("state") {
		if both.Get("state") != "" {
			s.violated("no state was sent, and the state %q comes back", printable(both.Get("state")))
		}
		s.note("no state was sent, and an empty one comes back")
	}
	if g != target.AuthorizationCode {
		return
	}
	if l.Fragment.Has("code") || l.Fragment.Has("access_token") {
		s.violated("a credential comes in the fragment: %s", landed(l))
	}
	if strings.ContainsFunc(l.Query.Get("code"), func(c rune) bool { return c < 0x20 || c > 0x7e }) {
		s.violated("the code has characters beyond printable ASCII")
	}
}

// scopesAsked says what becomes of scopes that cannot be granted.
func scopesAsked(s *session, g target.Grant) {
	DescribeTable("grants no scope that it should not", table, proves("RFC6749-4.1.2.1-invalid-scope"),
		func(ctx SpecContext, scope func() string) {
			c := s.holder(g)
			s.authorizes(ctx, c, g)
			verifier, asked := oauth.NewVerifier(), scope()
			r := s.asking(c, g, oauth.SetQuery("scope", asked), oauth.Titled("ask for "+variant()))
			if r.Query.Has("code_challenge") {
				r = r.Changed(challenged(verifier))
			} else {
				verifier = ""
			}
			l := s.play(ctx, r)
			if !issued(l) {
				wants := s.bringError("invalid_scope").orWarn("access_denied", "invalid_request", "unauthorized_client").orPage(reports.Warn)
				if s.target.Profile == "space" { // as Space documents it
					wants = s.bringError("invalid_scope", "access_denied").orPage(reports.Warn)
				}
				Expect(l).To(wants)
				return
			}
			s.seen.expected = "the error invalid_scope, or a token that says that it is for less"
			reported, told := l.Fragment.Get("scope"), l.Fragment.Has("scope")
			token := l.Fragment.Get("access_token")
			if g == target.AuthorizationCode {
				t := s.granted(s.send(ctx, s.driver.Redeem(c, l.Params().Get("code"), c.RedirectURI(g), verifier)))
				reported, told, token = t.Scope, t.Has["scope"], t.AccessToken
			}
			if !told {
				s.violated("a token was issued, and nothing says that it is not for %q", asked)
			}
			claimed, _ := claimedScope(token)
			for _, word := range strings.Fields(asked) {
				if slices.Contains(strings.Fields(reported), word) || slices.Contains(strings.Fields(claimed), word) {
					s.violated("a token was issued for %q", word)
				}
			}
		},
		Entry("an unknown scope", func() string { return s.unknownScope() }),
		Entry("a forbidden scope", func() string { return s.forbidden() }),
	)
}

// errorsTold says how errors are taken to the client.
func errorsTold(s *session, g target.Grant) {
	provoke := []TableEntry{
		Entry("an unknown scope", func() oauth.Change { return oauth.SetQuery("scope", s.unknownScope()) }),
		Entry("an unknown response type", func() oauth.Change { return oauth.SetQuery("response_type", marker) }),
	}
	// provoked is an error redirect; the row does not apply where this request brings none.
	provoked := func(ctx SpecContext, spoil oauth.Change) (oauth.Landing, oauth.Request) {
		c := s.holder(g)
		s.authorizes(ctx, c, g)
		r := s.asking(c, g, spoil, oauth.Titled("provoke an error with "+variant()))
		l := s.play(ctx, r)
		if l.Kind != oauth.Redirected || issued(l) && !l.Params().Has("error") {
			s.notApplicable("this brings no error to the client: %s", landed(l))
		}
		return l, r
	}

	DescribeTable("carries the exact state back with the error for", table, proves("RFC6749-4.1.2.1-state-echoed-on-error"),
		func(ctx SpecContext, spoil func() oauth.Change) {
			l, r := provoked(ctx, spoil())
			s.carriesState(l, r)
		}, provoke)

	DescribeTable("tells the client by the rules of", table, proves("RFC6749-4.1.2.1-error-redirect-syntax"),
		func(ctx SpecContext, spoil func() oauth.Change) {
			l, r := provoked(ctx, spoil())
			s.tellsError(l, r)
		}, provoke)
}

// carriesState ends the spec unless the error carries the state.
func (s *session) carriesState(l oauth.Landing, r oauth.Request) {
	s.seen.expected = "the state of the request, once"
	if values := valuesOf(l.Params(), "state"); len(values) != 1 || values[0] != r.Query.Get("state") {
		s.violated("the state comes back %d times%s: %s", len(values), map[bool]string{true: ", changed"}[len(values) == 1], landed(l))
	}
}

// tellsError ends the spec unless the error redirect is well made.
func (s *session) tellsError(l oauth.Landing, r oauth.Request) {
	s.seen.expected = "a registered error code in the component of the response, and no credential"
	params := l.Params()
	switch kind := r.Query.Get("response_type"); {
	case kind == "code" && l.Fragment.Has("error"):
		s.violated("the error comes in the fragment, where a code comes in the query")
	case kind == "token" && !l.Fragment.Has("error"): // widespread, and a row of the implicit grant of its own
		s.warn("the error comes in the query, where a token comes in the fragment")
	}
	if params.Has("code") || params.Has("access_token") {
		s.violated("a credential comes beside the error")
	}
	if !slices.Contains(authorizationErrors(), params.Get("error")) {
		s.violated("the error code %q is not registered", printable(params.Get("error")))
	}
	for _, name := range []string{"error", "error_description"} {
		if strings.ContainsFunc(params.Get(name), func(c rune) bool { return c < 0x20 || c == '"' || c == '\\' || c > 0x7e }) {
			s.violated("%s has characters that it must not have: %q", name, printable(params.Get(name)))
		}
	}
}

// authorizationErrors are the codes of RFC 6749 §4.1.2.1 and of the IANA registry for the authorization endpoint.
func authorizationErrors() []string {
	return []string{
		"invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope", "server_error", "temporarily_unavailable",
		"interaction_required", "login_required", "account_selection_required", "consent_required", "invalid_request_uri", "invalid_request_object",
		"request_not_supported", "request_uri_not_supported", "registration_not_supported", "unmet_authentication_requirements", "invalid_target",
		"invalid_authorization_details", "need_info", "request_denied", "insufficient_user_authentication",
	}
}

// consentRefused says what a client is told when the user refuses.
func consentRefused(s *session) {
	g := target.AuthorizationCode
	It("tells the client access_denied when the user refuses", proves("RFC6749-4.1.2.1-access-denied"), flow(g), func(ctx SpecContext) {
		s.requires(g)
		p := s.browsing(ctx, s.user(0))
		r := s.consentable(ctx, p, g)
		l := s.visit(ctx, nobody(p), r.Changed(oauth.Titled("refuse on the consent page")), oauth.Deny)
		s.settled(l, r)
		s.seen.expected = "a redirect to the client with the error access_denied"
		if l.Kind == oauth.SignIn {
			s.warn("the user is sent back to the sign-in page, and the client is told nothing")
			return
		}
		Expect(l).To(s.bringError("access_denied"))
	})

	It("carries the exact state back when the user refuses", proves("RFC6749-4.1.2.1-state-echoed-on-error"), flow(g), func(ctx SpecContext) {
		s.requires(g)
		p := s.person(ctx, s.user(0))
		r := s.consentable(ctx, p, g)
		l := s.visit(ctx, nobody(p), r.Changed(oauth.Titled("refuse on the consent page")), oauth.Deny)
		if l.Kind != oauth.Redirected || issued(l) {
			s.notApplicable("refusing brings no error to the client: %s", landed(l))
		}
		s.carriesState(l, r)
	})
}

// nobody is the person's session as one that stops at a sign-in page instead of signing in.
func nobody(p *person) *person { return &person{session: p.session} }

// consentable is an authorization request that leads the person to a consent page, so that there is
// something to refuse. Most consents are remembered by now.
func (s *session) consentable(ctx context.Context, p *person, g target.Grant) oauth.Request {
	scopes := []string{s.target.Scopes.Narrow, s.target.Scopes.Third, s.target.Scopes.Default}
	for _, c := range slices.Backward(s.target.Clients) {
		if c.Sacrificial || !c.Has(g) {
			continue
		}
		for _, scope := range scopes {
			if scope == "" {
				continue
			}
			r := s.asking(c, g, oauth.SetQuery("scope", scope), oauth.Titled("look for a consent page"))
			if l := s.land(ctx, p, r, oauth.Stop); l.Kind == oauth.Consent {
				return r
			}
		}
	}
	s.notApplicable("no consent page comes up for this user, whatever the clients ask for")
	panic("unreachable: Skip does not return")
}
