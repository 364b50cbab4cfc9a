package suites

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// authorization says how an authorization endpoint handles a request (RFC 6749 §3.1, §4.1.2.1).
func authorization(s *session) {
	Describe("the authorization endpoint", func() {
		BeforeEach(func() { s.beginsHere() })

		It("supports GET", proves("RFC6749-3.1-get-supported"), func(ctx SpecContext) {
			c, g := s.frontClient()
			x := s.send(ctx, s.asking(c, g))
			s.seen.decide(x)
			s.seen.expected = "a page, or a redirect"
			switch {
			case x.Status == http.StatusNotFound || x.Status == http.StatusMethodNotAllowed || x.Status >= 500:
				s.violated("%s", answered(x))
			case x.Status == http.StatusUnauthorized && mediaType(x) == "text/html": // asks who is there
			case x.Status >= 400:
				s.inconclusive("the ordinary request is refused: %s", answered(x))
			}
		})

		It("holds a POST to the checks of a GET", proves("RFC6749-3.1-post-same-validation"), func(ctx SpecContext) {
			s.posts(ctx)
		})

		DescribeTable("treats as if it were not there", table, proves("RFC6749-3.1-unknown-and-empty-params"),
			func(ctx SpecContext, add, leave oauth.Change) {
				c, g := s.frontClient()
				s.authorizes(ctx, c, g)
				without := s.play(ctx, s.asking(c, g, leave, oauth.Titled("ask without "+variant())))
				with := s.play(ctx, s.asking(c, g, add, oauth.Titled("ask with "+variant())))
				s.seen.expected = "the same as without it: " + outcome(without)
				if outcome(with) != outcome(without) {
					s.violated("with it: %s; without: %s", landed(with), outcome(without))
				}
			},
			Entry("an unknown parameter", oauth.SetQuery("x_flowproof", "1"), oauth.WithoutQuery()),
			Entry("an empty scope", oauth.SetQuery("scope", ""), oauth.WithoutQuery("scope")),
			Entry("an empty state", oauth.SetQuery("state", ""), oauth.WithoutQuery("state")),
		)

		repeats(s)
		responseTypes(s)
		strangers(s)
	})
}

// beginsHere makes the row not applicable unless a flow of the target begins at the authorization endpoint.
func (s *session) beginsHere() {
	for _, c := range s.target.Clients {
		if c.Has(target.AuthorizationCode) || c.Has(target.Implicit) {
			return
		}
	}
	s.notApplicable("no client in the target file has the grant authorization_code or implicit")
}

// posts sends authorization requests by POST: an ordinary one, and two that a GET would not get through with.
func (s *session) posts(ctx SpecContext) {
	c, g := s.frontClient()
	s.authorizes(ctx, c, g)
	cookies, err := s.person(ctx, s.user(0)).session.Cookies(ctx, s.target.Endpoints.Authorization)
	if err != nil {
		s.inconclusive("%v", err)
	}
	post := func(title string, changes ...oauth.Change) oauth.Exchange {
		r := s.asking(c, g, changes...)
		return s.send(ctx, r.Changed(posted, withCookies(cookies), oauth.Titled(title)))
	}
	ordinary := post("post the ordinary request")
	s.seen.decide(ordinary)
	s.seen.expected = "a refusal of POST, or the checks of a GET"
	if ordinary.Status >= 500 && ordinary.Status != http.StatusNotImplemented {
		s.inconclusive("the server broke down at a POST: %s", answered(ordinary))
	}
	for _, probe := range []struct {
		title string
		spoil oauth.Change
		where string
	}{
		{"post a request with a foreign redirect URI", oauth.SetQuery("redirect_uri", foreignURI), foreignURI},
		{"post a request of an unknown client", oauth.SetQuery("client_id", stranger(c.ID)), c.RedirectURI(g)},
	} {
		x := post(probe.title, probe.spoil)
		s.seen.decide(x)
		l, left := x.Landing(probe.where)
		switch {
		case left && s.getsThrough(ctx, s.asking(c, g, probe.spoil), probe.where):
			continue // a GET is not checked for this either, which its own row tells
		case left:
			s.violated("%s: %s", probe.title, landed(l))
		case x.Status >= 500 && x.Status != http.StatusNotImplemented:
			s.inconclusive("the server broke down, which proves no refusal: %s", answered(x))
		case x.Status < 400 && ordinary.Status == x.Status && (!toldByRedirect(x) || toldByRedirect(ordinary)):
			s.inconclusive("%s is answered like the ordinary request, and leads to no client: %s", probe.title, answered(x))
		}
	}
}

// toldByRedirect says whether the answer leads to a page that tells of an error.
func toldByRedirect(x oauth.Exchange) bool {
	return x.Redirects() && oauth.ParseLanding(x.Location()).Params().Has("error")
}

// getsThrough says whether the request leads to the URI when it is made by GET.
func (s *session) getsThrough(ctx SpecContext, r oauth.Request, where string) bool {
	l := s.play(ctx, r.Changed(oauth.Titled("ask for the same by GET")))
	return l.Kind == oauth.Redirected && oauth.Lands(l.URL, where)
}

// posted sends the request's parameters as a form.
func posted(r *oauth.Request) { r.Method, r.Form, r.Query = http.MethodPost, r.Query, nil }

// repeats says what becomes of repeated parameters.
func repeats(s *session) {
	foreign := func(string) string { return foreignURI }
	other := func(value string) string { return value + "x" }
	DescribeTable("refuses to take twice", table, proves("RFC6749-3.1-duplicate-param"), flow(target.AuthorizationCode),
		func(ctx SpecContext, name string, another func(value string) string, first bool) {
			c := s.redirecting(target.AuthorizationCode)
			s.authorizes(ctx, c, target.AuthorizationCode)
			r := s.asking(c, target.AuthorizationCode, oauth.Titled("repeat "+variant()))
			if strings.HasPrefix(name, "code_challenge") && !r.Query.Has(name) {
				r = r.Changed(challenged(oauth.NewVerifier()))
				if l := s.play(ctx, r.Changed(oauth.Titled("ask with a code challenge"))); !issued(l) {
					s.notApplicable("the server takes no code challenge: %s", landed(l))
				}
			}
			value := r.Query.Get(name)
			if first {
				r = r.Changed(ahead(name, another(value)))
			} else {
				r = r.Changed(oauth.TwiceQuery(name, another(value)))
			}
			l := s.play(ctx, r)
			s.seen.expected = "the error invalid_request, or an error page where the client or its redirect URI is in doubt"
			doubtful := name == "client_id" || name == "redirect_uri"
			switch {
			case doubtful && l.Kind == oauth.Redirected && oauth.Lands(l.URL, foreignURI):
				s.violated("%s", landed(l))
			case issued(l) && another(value) == value:
				s.warn("%s is accepted", variant())
			case issued(l):
				s.violated("the request went through: %s", landed(l))
			case l.Kind != oauth.Redirected && !doubtful:
				s.note("the error is shown on a page instead of told to the client")
			case l.Kind == oauth.Redirected && l.Params().Get("error") != "invalid_request":
				s.note("the error is %q where invalid_request is right", printable(l.Params().Get("error")))
			}
		},
		Entry("response_type with another value", "response_type", other, false),
		Entry("scope with another value", "scope", other, false),
		Entry("state with another value", "state", other, false),
		Entry("code_challenge with another value", "code_challenge", oauth.S256, false),
		Entry("client_id, the unknown one last", "client_id", stranger, false),
		Entry("client_id, the unknown one first", "client_id", stranger, true),
		Entry("redirect_uri, the foreign one last", "redirect_uri", foreign, false),
		Entry("redirect_uri, the foreign one first", "redirect_uri", foreign, true),
		Entry("state with the same value", "state", func(value string) string { return value }, false),
		Entry("scope with the same value", "scope", func(value string) string { return value }, false),
	)
}

// ahead adds a query parameter at the beginning, whether or not it is there.
func ahead(name, value string) oauth.Change {
	return func(r *oauth.Request) {
		r.Query = slices.Insert(slices.Clone(r.Query), 0, oauth.Param{Name: name, Value: value})
	}
}

// responseTypes says what becomes of response types that are missing, unknown or not for the client.
func responseTypes(s *session) {
	const twice = "code code"
	code := target.AuthorizationCode

	It("answers a request without response_type with an error", proves("RFC6749-3.1.1-missing-response-type"), flow(code), func(ctx SpecContext) {
		c := s.holder(code)
		s.authorizes(ctx, c, code)
		Expect(s.play(ctx, s.asking(c, code, oauth.WithoutQuery("response_type"), oauth.Titled("leave out response_type")))).
			To(s.bringError("invalid_request", "unsupported_response_type").orPage(reports.Pass))
	})

	DescribeTable("answers unsupported_response_type to", table, proves("RFC6749-3.1.1-unknown-response-type"), flow(code),
		func(ctx SpecContext, value string) {
			c := s.holder(code)
			s.authorizes(ctx, c, code)
			l := s.play(ctx, s.asking(c, code, oauth.SetQuery("response_type", value), oauth.Titled("ask for "+variant())))
			if value == twice && issued(l) { // a set of values, of which this is one written twice (OAuth Multiple Response Types §2.1)
				s.seen.expected = "an error, or the code that a set of one value asks for"
				s.note("the server reads the value as a set, and sends a code: %s", landed(l))
				return
			}
			Expect(l).To(s.bringError("unsupported_response_type").orWarn("invalid_request", "unauthorized_client").orPage(reports.Warn))
		},
		Entry("an unknown response type", marker),
		Entry("code in another letter case", "Code"),
		Entry("code twice in one value", twice),
		Entry("a response type that begins like code", "code_"+marker),
	)

	DescribeTable("answers unauthorized_client to a client that asks for", table, proves("RFC6749-4.1.2.1-unauthorized-response-type"),
		func(ctx SpecContext, wanted, own target.Grant) {
			c := s.client("client with the grant "+string(own)+" and without "+string(wanted), func(c target.Client) bool {
				return c.Has(own) && !c.Has(wanted) && c.RedirectURI(own) != ""
			})
			s.authorizes(ctx, c, own)
			r := s.asking(c, own, oauth.SetQuery("response_type", responseType(wanted)), oauth.Titled("ask for "+variant()))
			if wanted == code && s.ordinaryPKCE(c) {
				r = r.Changed(challenged(oauth.NewVerifier()))
			}
			wants := s.bringError("unauthorized_client").orWarn("unsupported_response_type").orPage(reports.Warn)
			if !s.offers(wanted) { // nobody may: then that is what there is to say
				wants = s.bringError("unauthorized_client", "unsupported_response_type").orPage(reports.Warn)
			}
			Expect(s.play(ctx, r)).To(wants)
		},
		Entry("a token, where it may only have codes", flow(target.Implicit), target.Implicit, code),
		Entry("a code, where it may only have tokens", flow(code), code, target.Implicit),
	)
}

// offers says whether any client of the target has the grant.
func (s *session) offers(g target.Grant) bool {
	return slices.ContainsFunc(s.target.Clients, func(c target.Client) bool { return c.Has(g) })
}

// strangers says what becomes of requests from nobody in particular: unknown clients, and people who have not signed in.
func strangers(s *session) {
	code := target.AuthorizationCode

	DescribeTable("redirects nowhere for", table, proves("RFC6749-4.1.2.1-bad-client-no-redirect"), flow(code),
		func(ctx SpecContext, spoil func(id string) oauth.Change, sameAtHeart bool) {
			c := s.holder(code)
			s.authorizes(ctx, c, code)
			if sameAtHeart && swapCase(c.ID) == c.ID {
				s.notApplicable("the client_id of %s has no letters", c.Name)
			}
			r := s.asking(c, code, spoil(c.ID), oauth.Titled("ask as "+variant()))
			l, ended := s.glance(ctx, r, nil)
			if !ended { // sign-in comes first
				l = s.play(ctx, r)
			}
			s.settled(l, r)
			s.seen.expected = "an error page, no redirect"
			leads := l.Kind == oauth.Redirected && (issued(l) || oauth.Lands(l.URL, s.caught(r)...))
			switch {
			case leads && sameAtHeart && issued(l):
				s.warn("the client_id is accepted whatever its letter case")
			case leads:
				s.violated("%s", landed(l))
			}
		},
		Entry("a missing client_id", func(string) oauth.Change { return oauth.WithoutQuery("client_id") }, false),
		Entry("an unknown client_id", func(id string) oauth.Change { return oauth.SetQuery("client_id", stranger(id)) }, false),
		Entry("a client_id in another letter case", func(id string) oauth.Change { return oauth.SetQuery("client_id", swapCase(id)) }, true),
	)

	for _, g := range s.frontGrants() {
		DescribeTable("has the user sign in before it issues a "+responseType(g)+" to", table, proves("RFC6749-3.1-authenticates-user"), flow(g),
			func(ctx SpecContext, cookies func(ctx SpecContext) string) {
				s.requires(g)
				c := s.holder(g)
				s.authorizes(ctx, c, g)
				r := s.asking(c, g, oauth.Titled("ask with "+variant()))
				if sent := cookies(ctx); sent != "" {
					r = r.Changed(oauth.Header("Cookie", sent))
				}
				s.demandsSignIn(ctx, r)
			},
			Entry("no cookie at all", func(SpecContext) string { return "" }),
			Entry("cookies of its own names, with random values", func(ctx SpecContext) string { return s.madeUpCookies(ctx) }),
		)
	}

	It("has the user sign in before it redirects with an error", proves("RFC9700-4.11.2-authenticate-before-error-redirect"), flow(code), func(ctx SpecContext) {
		c := s.holder(code)
		s.authorizes(ctx, c, code)
		r := s.asking(c, code, oauth.SetQuery("scope", s.unknownScope()), oauth.Titled("ask for an unknown scope without a session"))
		l, _ := s.glance(ctx, r, nil)
		s.settled(l, r)
		s.seen.expected = "sign-in first"
		if l.Kind == oauth.Redirected && oauth.Lands(l.URL, s.caught(r)...) {
			s.violated("%s", landed(l))
		}
	})
}

// unknownScope is a scope of the server's own shape that nobody defined.
func (s *session) unknownScope() string {
	if strings.Contains(s.target.Scopes.Narrow, ":") {
		return "global:Flowproof.Unknown"
	}
	return "flowproof_unknown"
}

// madeUpCookies carry the names of the server's cookies and values that it never issued.
func (s *session) madeUpCookies(ctx SpecContext) string {
	cookies, err := s.person(ctx, s.user(0)).session.Cookies(ctx, s.target.Endpoints.Authorization)
	if err != nil || len(cookies) == 0 {
		s.notApplicable("the server's sessions have no cookies")
	}
	var pairs []string
	for _, c := range cookies {
		pairs = append(pairs, c.Name+"="+oauth.NewVerifier())
	}
	return strings.Join(pairs, "; ")
}

// demandsSignIn follows the request within the server, with the very cookies that it carries and those
// that come on the way, and ends the spec unless it comes to a page where one signs in.
func (s *session) demandsSignIn(ctx SpecContext, r oauth.Request) {
	s.seen.expected = "a sign-in page"
	for range 5 {
		x := s.send(ctx, r)
		for _, c := range (&http.Response{Header: x.Header}).Cookies() {
			r.Header = r.Header.With("Cookie", kept(r.Header.Get("Cookie"), c))
		}
		s.seen.decide(x)
		if l, ok := x.Landing(s.caught(r)...); ok {
			if issued(l) {
				s.violated("%s", landed(l))
			}
			s.note("the client is told %q instead of a page being shown", printable(l.Params().Get("error")))
			return
		}
		to, err := url.Parse(x.Location())
		if !x.Redirects() || err != nil {
			s.asksForSomebody(x)
			return
		}
		base, err := url.Parse(r.FullURL())
		if err != nil {
			s.inconclusive("%v", err)
		}
		next := base.ResolveReference(to)
		if !s.own(next) {
			return // signing in is another server's business
		}
		r.Query = nil
		r = r.Changed(oauth.To(next.String()), oauth.Titled("follow the redirect"))
	}
	s.inconclusive("the server redirects in circles")
}

// kept is a Cookie header with one more cookie, in the place of an older one of that name.
func kept(header string, c *http.Cookie) string {
	var pairs []string
	for pair := range strings.SplitSeq(header, "; ") {
		if name, _, _ := strings.Cut(pair, "="); pair != "" && name != c.Name {
			pairs = append(pairs, pair)
		}
	}
	return strings.Join(append(pairs, c.Name+"="+c.Value), "; ")
}

// asksForSomebody ends the spec unless the page asks who is there.
func (s *session) asksForSomebody(x oauth.Exchange) {
	page := strings.ToLower(string(x.Body))
	switch {
	case x.Status == http.StatusUnauthorized || x.Status == http.StatusForbidden:
	case x.Status >= 400:
		s.inconclusive("neither a sign-in page nor an answer: %s", answered(x))
	case !slices.ContainsFunc([]string{"password", "<form", "sign in", "log in", "<script"}, func(mark string) bool { return strings.Contains(page, mark) }):
		s.inconclusive("a page came that does not look like one for signing in: %s", answered(x))
	}
}
