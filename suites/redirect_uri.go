package suites

import (
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// redirectURI says how an authorization endpoint compares redirect URIs (RFC 6749 §3.1.2, RFC 9700 §2.1).
// A URI counts as accepted only when the user agent is seen to be sent there.
func redirectURI(s *session) {
	for _, g := range s.frontGrants() {
		Describe("the authorization endpoint, asked for a "+responseType(g)+",", flow(g), func() {
			BeforeEach(func() { s.requires(g) })
			registeredURIs(s, g)
			foreignURIs(s, g)
			lookalikeURIs(s, g)
			plantedURIs(s, g)
			oddURIs(s, g)
		})
	}
	loopbackURIs(s)
	shownErrors(s)
}

// refusesURI asks for a redirect to a spoilt form of the client's registered URI, and ends the spec
// unless it is refused or tolerated.
func (s *session) refusesURI(ctx SpecContext, c target.Client, g target.Grant, spoil spoiler, tolerated bool) {
	GinkgoHelper()
	registered := c.RedirectURI(g)
	uri := spoil(registered)
	if uri == "" || slices.Contains(c.RedirectURIs, uri) || slices.Contains(c.ImplicitRedirectURIs, uri) {
		s.notApplicable("the redirect URI %s cannot be spoilt in this way", registered)
	}
	s.authorizes(ctx, c, g)
	r := s.asking(c, g, oauth.SetQuery("redirect_uri", uri), oauth.Titled("ask for a redirect to "+variant()))
	l := s.play(ctx, r)
	s.seen.expected = "an error page, no redirect to this URI"
	if slices.ContainsFunc(l.Trail, func(x oauth.Exchange) bool { return x.Header.Get("X-Flowproof") != "" }) {
		s.seen.forced = reports.Fail
		s.violated("the redirect URI was written into the answer's header as it was, line break included")
	}
	switch s.fateOf(l, r, registered) {
	case taken:
		if !tolerated {
			s.violated("%s", landed(l))
		}
		s.warn("a redirect URI that names the same place in another way is followed: %s", landed(l))
	case overridden:
		s.warn("the user agent was sent to the registered URI instead, with what was asked for")
	}
}

// registeredURIs says what becomes of the URIs that clients registered.
func registeredURIs(s *session, g target.Grant) {
	It("redirects to each registered URI", proves("RFC6749-3.1.2.3-registered-uri-accepted"), func(ctx SpecContext) {
		for _, c := range s.target.Clients {
			if c.Sacrificial || !c.Has(g) {
				continue
			}
			uris := c.RedirectURIs
			if g == target.Implicit {
				uris = c.ImplicitRedirectURIs
			}
			for _, uri := range uris {
				if insecure(uri) && s.judges("RFC9700-2.6-http-redirect-refused") {
					continue // that one is to be refused
				}
				r := s.asking(c, g, oauth.SetQuery("redirect_uri", uri), oauth.Titled("ask for a redirect to a registered URI of "+c.Name))
				l := s.play(ctx, r)
				s.seen.expected = "a redirect to the registered URI with a " + responseType(g)
				if !issued(l) || !oauth.Lands(l.URL, uri) {
					s.violated("%s, registered by %s: %s", uri, c.Name, landed(l))
				}
			}
		}
	})

	It("demands a redirect URI of a client that registered several", proves("RFC6749-3.1.2.3-required-when-several"), func(ctx SpecContext) {
		c := s.client("client with the grant "+string(g)+" and two redirect URIs", func(c target.Client) bool {
			return c.Has(g) && (g == target.AuthorizationCode && len(c.RedirectURIs) > 1 || g == target.Implicit && len(c.ImplicitRedirectURIs) > 1)
		})
		s.authorizes(ctx, c, g)
		r := s.asking(c, g, oauth.WithoutQuery("redirect_uri"), oauth.Titled("leave out redirect_uri"))
		l := s.play(ctx, r)
		s.seen.expected = "an error page"
		if l.Kind == oauth.Redirected && (issued(l) || oauth.Lands(l.URL, s.caught(r)...)) {
			s.violated("%s", landed(l))
		}
	})

	It("retains the query of a registered URI", proves("RFC6749-3.1.2-registered-query-retained"), func(ctx SpecContext) {
		c := s.registeredFor(g, "a query in its redirect URI", queried)
		l := s.play(ctx, s.asking(c, g))
		if !issued(l) {
			s.inconclusive("the ordinary request of %s brought no %s: %s", c.Name, responseType(g), landed(l))
		}
		s.seen.expected = "the registered query unchanged, and the parameters of the response"
		for _, p := range oauth.ParseLanding(c.RedirectURI(g)).Query {
			if values := valuesOf(l.Query, p.Name); len(values) != 1 || values[0] != p.Value {
				s.violated("the registered URI has %s=%s, the redirect has it %d times, %q", p.Name, p.Value, len(values), values)
			}
		}
	})
}

// valuesOf are all the values of a parameter.
func valuesOf(list oauth.Params, name string) []string {
	var out []string
	for _, p := range list {
		if p.Name == name {
			out = append(out, p.Value)
		}
	}
	return out
}

// foreignURIs says that nothing, not even an error, is redirected to a foreign host.
func foreignURIs(s *session, g target.Grant) {
	DescribeTable("redirects to no foreign host", table, proves("RFC6749-3.1.2.4-foreign-host-no-redirect"),
		func(ctx SpecContext, also oauth.Change, signedOut bool) {
			c := s.redirecting(g)
			s.authorizes(ctx, c, g)
			r := s.asking(c, g, oauth.SetQuery("redirect_uri", foreignURI), also, oauth.Titled("ask for a redirect to a foreign host, with "+variant()))
			s.seen.expected = "an error page"
			if signedOut {
				if l, ended := s.glance(ctx, r, nil); ended {
					s.keepsHome(l, r)
				}
			}
			s.keepsHome(s.play(ctx, r), r)
		},
		Entry("an otherwise ordinary request", nothing, false),
		Entry("no scope", oauth.WithoutQuery("scope"), false),
		Entry("an unknown scope", oauth.SetQuery("scope", marker), false),
		Entry("an unknown response type", oauth.SetQuery("response_type", marker), false),
		Entry("no response type", oauth.WithoutQuery("response_type"), false),
		Entry("no state", oauth.WithoutQuery("state"), false),
		Entry("a repeated state", oauth.TwiceQuery("state", marker), false),
		Entry("prompt=none", oauth.SetQuery("prompt", "none"), true),
		Entry("request_credentials=silent", oauth.SetQuery("request_credentials", "silent"), true),
	)
}

func nothing(*oauth.Request) {}

// keepsHome ends the spec when the user agent was sent to the foreign host.
func (s *session) keepsHome(l oauth.Landing, r oauth.Request) {
	s.settled(l, r)
	switch {
	case l.Kind == oauth.Redirected && strings.Contains(before(before(l.URL, "?"), "#"), foreignHost):
		s.violated("%s", landed(l))
	case l.Kind == oauth.Shown && l.Page != nil && strings.Contains(l.Page.HTML, `href="`+foreignURI):
		s.warn("the error page links to the foreign host")
	}
}

// lookalikeURIs spoils the registered URI part by part.
func lookalikeURIs(s *session, g target.Grant) {
	ordinary := func(ctx SpecContext, spoil spoiler, tolerated bool) {
		s.refusesURI(ctx, s.redirecting(g), g, spoil, tolerated)
	}

	DescribeTable("refuses a host that only looks like the registered one", table, proves("RFC9700-2.1-host-lookalike"), ordinary,
		Entry("a subdomain of it", hostAs(func(h string) string { return marker + "." + h }), false),
		Entry("a host that ends like it", hostAs(func(h string) string { return marker + h }), false),
		Entry("a host that begins like it", hostAs(func(h string) string { return h + "." + foreignHost }), false),
		Entry("it as the user name of a foreign host", hostAs(func(h string) string { return h + "@" + foreignHost }), false),
		Entry("it as user name and password of a foreign host", hostAs(func(h string) string { return h + ":x@" + foreignHost }), false),
		Entry("it behind a foreign host and a backslash", hostAs(func(h string) string { return foreignHost + `\@` + h }), false),
		Entry("it as the path of a foreign host, after a backslash", hostAs(func(h string) string { return foreignHost + `\.` + h }), false),
		Entry("it behind a foreign host and a tab", hostAs(func(h string) string { return foreignHost + "\t." + h }), false),
		Entry("it with a fullwidth dot", hostAs(func(h string) string { return strings.Replace(h, ".", "．", 1) }), false),
		Entry("it in capital letters", hostAs(strings.ToUpper), true),
		Entry("it with a trailing dot", hostAs(func(h string) string { return h + "." }), true),
	)

	It("refuses an IPv4 address that is written as one number", proves("RFC9700-2.1-host-lookalike"), func(ctx SpecContext) {
		c := s.registeredFor(g, "an IPv4 address in its redirect URI", hostIsIPv4)
		s.refusesURI(ctx, c, g, hostAs(decimal), false)
	})

	DescribeTable("refuses another scheme or port", table, proves("RFC9700-2.1-scheme-port-exact"),
		func(ctx SpecContext, spoil spoiler, tolerated bool) {
			c := s.registeredFor(g, "a redirect URI that is not a loopback one", func(uri string) bool { return plain(uri) && !loopback(uri) })
			s.refusesURI(ctx, c, g, spoil, tolerated)
		},
		Entry("http for https, or the other way round", part(func(u *webURI) bool {
			u.scheme = map[string]string{"https": "http", "http": "https"}[u.scheme]
			return true
		}), false),
		Entry("another port", part(func(u *webURI) bool {
			u.port = map[bool]string{true: "8444", false: "8443"}[u.port == "8443"]
			return true
		}), false),
		Entry("the default port written out", part(func(u *webURI) bool {
			written := u.port != ""
			u.port = map[string]string{"https": "443", "http": "80"}[u.scheme]
			return !written
		}), true),
	)

	DescribeTable("refuses another path", table, proves("RFC9700-2.1-path-exact"),
		func(ctx SpecContext, spoil spoiler) { ordinary(ctx, spoil, false) },
		Entry("a segment appended", pathAs(func(p string) string { return strings.TrimSuffix(p, "/") + "/" + marker })),
		Entry("a segment cut", part(func(u *webURI) bool {
			cut := strings.TrimSuffix(u.path, "/")
			u.path = cut[:strings.LastIndexByte(cut, '/')+1]
			return cut != ""
		})),
		Entry("letters appended", pathAs(func(p string) string { return p + marker })),
		Entry("a slash added or removed at the end", pathAs(func(p string) string {
			if cut, had := strings.CutSuffix(p, "/"); had {
				return cut
			}
			return p + "/"
		})),
		Entry("another letter case", pathAs(swapCase)),
		Entry("a step up into another segment", pathAs(func(p string) string { return p + "/../" + marker })),
		Entry("a slash doubled", pathAs(func(p string) string { return "/" + p })),
		Entry("a parameter appended", pathAs(func(p string) string { return p + ";" + marker })),
	)

	DescribeTable("refuses another query", table, proves("RFC9700-2.1-query-exact"),
		func(ctx SpecContext, wanted func(uri string) bool, what string, spoil spoiler) {
			s.refusesURI(ctx, s.registeredFor(g, what, wanted), g, spoil, false)
		},
		Entry("a query where none is registered", plain, "no query in its redirect URI", withQuery(marker+"=1")),
		Entry("a parameter added to the registered query", queried, "a query in its redirect URI", withQuery(marker+"=1")),
		Entry("another value", queried, "a query in its redirect URI", appended(marker)),
		Entry("the registered query removed", queried, "a query in its redirect URI", func(uri string) string { return before(uri, "?") }),
	)

	DescribeTable("compares without decoding", table, proves("RFC9700-2.1-encoding-not-normalised"),
		func(ctx SpecContext, spoil spoiler) { ordinary(ctx, spoil, false) },
		Entry("a letter in percent-encoding", lastLetter(escapedByte)),
		Entry("a letter in double percent-encoding", lastLetter(func(c byte) string { return "%25" + escapedByte(c)[1:] })),
		Entry("a step up in percent-encoding", pathAs(func(p string) string { return p + "/%2e%2e/" + marker })),
		Entry("a step back to it in percent-encoding", pathAs(func(p string) string { return "/" + marker + "/%2e%2e" + p })),
		Entry("a NUL in percent-encoding", appended("%00")),
		Entry("a NUL", appended("\x00")),
		Entry("a line break in percent-encoding", appended("%0d%0aX-Flowproof:%201")),
		Entry("a line break", appended("\r\nX-Flowproof: 1\r\n")),
		Entry("a letter beyond ASCII", appended("é")),
	)
}

// plantedURIs adds to the registered URI what would be read as part of the response.
func plantedURIs(s *session, g target.Grant) {
	DescribeTable("refuses a fragment", table, proves("RFC6749-3.1.2-fragment-refused"),
		func(ctx SpecContext, tail string) { s.refusesURI(ctx, s.redirecting(g), g, appended(tail), false) },
		Entry("a fragment", "#"+marker),
		Entry("a fragment in percent-encoding", "%23"+marker),
	)

	names := []string{"code", "state"}
	if g == target.Implicit {
		names = []string{"access_token", "state"}
	}
	for _, name := range names {
		DescribeTable("lets nothing planted pass for the response", table, proves("RFC6749-10.14-response-param-pollution"),
			func(ctx SpecContext) {
				c := s.redirecting(g)
				s.authorizes(ctx, c, g)
				planted := withQuery(name + "=" + marker)(c.RedirectURI(g))
				r := s.asking(c, g, oauth.SetQuery("redirect_uri", planted), oauth.Titled("plant a parameter "+name+" in the redirect URI"))
				l := s.play(ctx, r)
				s.seen.expected = "an error page, or one genuine value"
				if l.Kind != oauth.Redirected {
					return
				}
				if values := append(valuesOf(l.Query, name), valuesOf(l.Fragment, name)...); slices.Contains(values, marker) {
					s.violated("the planted value comes to the client: %s", landed(l))
				} else if issued(l) && len(values) != 1 {
					s.violated("%s comes %d times to the client: %s", name, len(values), landed(l))
				}
			},
			Entry("a planted "+name),
		)
	}
}
