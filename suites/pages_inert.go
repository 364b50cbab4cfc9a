package suites

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	"golang.org/x/net/html"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/suites/catalogue"
)

// markup is text that a page which takes it for its own turns into an element, and into a script that
// leaves its mark on the document.
const (
	planted = "flowproof-planted"
	markup  = `x'"></title></textarea></script><` + planted + `></` + planted + `><script>document.documentElement.setAttribute("` + planted + `","")</script>`
)

// inertPages says that what a request says is shown as text, and stays out of the answer's head.
func inertPages(s *session) {
	g := target.AuthorizationCode
	DescribeTable("show as inert text", table, proves("RFC6749-10.14-no-reflected-markup"), flow(g),
		func(ctx SpecContext, spoil oauth.Change, signedIn bool) {
			s.requires(g)
			if s.Browser == nil {
				s.inconclusive("only a browser can tell. %s", s.NoBrowser)
			}
			s.seen.expected = "a page on which it is text"
			var p *person
			r := s.asking(s.redirecting(g), g)
			if signedIn {
				p = nobody(s.browsing(ctx, s.user(0)))
				r = s.consentPage(ctx, s.browsing(ctx, s.user(0)))
			} else {
				p = s.onlooker(ctx)
			}
			l := s.visit(ctx, p, r.Changed(spoil, oauth.Titled("put markup into "+variant())), oauth.Stop)
			if l.Page == nil {
				return // no page shows it
			}
			if l.Page.Status >= 500 {
				s.inconclusive("the server broke down: %s", landed(l))
			}
			switch element, ran := grown(l.Page.HTML); {
			case ran:
				s.violated("the markup ran as a script on the %s page", l.Kind)
			case element:
				s.violated("the markup became an element of the %s page", l.Kind)
			}
		},
		Entry("the state", oauth.SetQuery("state", markup), false),
		Entry("the scope", oauth.SetQuery("scope", markup), false),
		Entry("the client_id", oauth.SetQuery("client_id", markup), false),
		Entry("the redirect URI", func(r *oauth.Request) { oauth.SetQuery("redirect_uri", r.Query.Get("redirect_uri")+"?"+markup)(r) }, false),
		Entry("an error and its description", both(oauth.SetQuery("error", markup), oauth.SetQuery("error_description", markup)), false),
		Entry("the state, on the consent page", oauth.SetQuery("state", markup), true),
	)

	DescribeTable("keep out of the answer's headers", table, proves("RFC6749-10.14-no-header-injection"), flow(g),
		func(ctx SpecContext, spoil oauth.Change) {
			s.requires(g)
			const added = "X-Flowproof"
			s.seen.expected = "no header " + added
			c := s.redirecting(g)
			r := s.asking(c, g, spoil, oauth.Titled("put a line break into "+variant()))
			look := func(x oauth.Exchange) {
				s.seen.decide(x)
				if x.Header.Get(added) != "" {
					s.violated("the answer has a header %s, which the request put there", added)
				}
			}
			look(s.send(ctx, r))
			if s.Front != nil {
				s.authorizes(ctx, c, g)
				look(s.send(ctx, r.Changed(withCookies(s.cookiesOf(ctx, s.person(ctx, s.user(0)))), oauth.Titled(r.Title+", signed in"))))
			}
		},
		Entry("the state", lineBreak("state")),
		Entry("the state of a request that is refused", both(lineBreak("state"), oauth.SetQuery("response_type", marker))),
		Entry("the redirect URI", lineBreak("redirect_uri")),
	)
}

// lineBreak adds a line break to the parameter, and what would be a header after it.
func lineBreak(name string) oauth.Change {
	return func(r *oauth.Request) { oauth.SetQuery(name, r.Query.Get(name)+"\r\nX-Flowproof: 1")(r) }
}

// grown says whether the markup became an element of the page, and whether its script ran.
func grown(page string) (element, ran bool) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return false, false
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		element = element || n.Data == planted
		ran = ran || slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return n.Data == "html" && a.Key == planted })
	}
	return element, ran
}

// crossOriginReads says that no script of another origin gets to read the authorization endpoint.
func crossOriginReads(s *session) {
	DescribeTable("do not open to scripts of other origins by", table, proves("RFC9700-2.6-no-cors-at-authorization"),
		func(ctx SpecContext, change func(ctx SpecContext) oauth.Change) {
			const origin, allow = "https://" + foreignHost, "Access-Control-Allow-Origin"
			c, g := s.frontClient()
			s.seen.expected = "no " + allow
			x := s.send(ctx, s.asking(c, g, oauth.Header("Origin", origin), change(ctx), oauth.Titled("send "+variant()+" for a script of another origin")))
			s.seen.decide(x)
			switch value := x.Header.Get(allow); value {
			case "":
			case "*", origin, "null":
				s.violated("%s: %s", allow, printable(value))
			default:
				s.note("%s is there, for another origin than the one that asked: %s", allow, printable(value))
			}
		},
		Entry("the answer to a request", func(SpecContext) oauth.Change { return nothing }),
		Entry("the answer to a request of somebody who is signed in", func(ctx SpecContext) oauth.Change {
			cookies, err := s.person(ctx, s.user(0)).session.Cookies(ctx, s.target.Endpoints.Authorization)
			if err != nil {
				s.inconclusive("%v", err)
			}
			return withCookies(cookies)
		}),
		Entry("the answer to a preflight", func(SpecContext) oauth.Change {
			return both(oauth.Method(http.MethodOptions), oauth.Header("Access-Control-Request-Method", http.MethodGet))
		}),
	)
}

// insecure says whether what is sent to the URI can be read on the way.
func insecure(uri string) bool { return strings.HasPrefix(uri, "http:") && !loopback(uri) }

// judges says whether the run holds the target to the requirement.
func (s *session) judges(id string) bool {
	row, known := catalogue.ByID(id)
	_, in := row.In(catalogue.Profile(s.target.Profile), s.target.Edition)
	return known && in
}

// plainRedirects says that nothing is sent over plain HTTP to another machine.
func plainRedirects(s *session) {
	g := target.AuthorizationCode
	It("sends no code to a plain http redirect URI", proves("RFC9700-2.6-http-redirect-refused"), flow(g), func(ctx SpecContext) {
		s.requires(g)
		c := s.registeredFor(g, "a plain http redirect URI that is no loopback one", func(uri string) bool {
			return insecure(uri)
		})
		s.authorizes(ctx, s.holder(g), g)
		l := s.play(ctx, s.asking(c, g, oauth.Titled("ask for a code over plain http")))
		s.seen.expected = "a refusal"
		if issued(l) && strings.HasPrefix(l.URL, "http:") {
			s.violated("%s", landed(l))
		}
	})
}

// signInReturns says that where the sign-in page goes on to is not for the request to choose.
func signInReturns(s *session) {
	DescribeTable("never send the user on to", table, proves("RFC9700-4.11.2-login-return-not-open"),
		func(ctx SpecContext, where string) {
			u := s.user(0)
			c, g := s.frontClient()
			r := s.asking(c, g)
			s.seen.expected = "a page of the server, or the client"
			away := func(l oauth.Landing) bool {
				to, err := url.Parse(l.URL)
				return l.Kind == oauth.Redirected && err == nil && strings.EqualFold(strings.TrimSuffix(to.Hostname(), "."), foreignHost)
			}
			first := s.signInForm(ctx, r, u)
			for _, hidden := range first.page.Hidden() {
				f := s.signInForm(ctx, r, u)
				l := s.chase(ctx, f.form.Changed(sameSite(f.form), oauth.Set(hidden.Name, where), oauth.Titled("sign in with a foreign "+hidden.Name)), f.cookies)
				if away(l) {
					s.violated("the hidden field %s of the sign-in page decides where to go on to: the user is sent to %s", printable(hidden.Name), foreignHost)
				}
			}
			for _, page := range s.returning(first.page.URL, where) {
				l := s.visit(ctx, s.guestOf(ctx, u), oauth.Request{Title: "sign in on the page with another place to return to", URL: page}, oauth.Stop)
				if away(l) {
					s.violated("a parameter of the sign-in page's address decides where to go on to: the user is sent to %s", foreignHost)
				}
			}
			s.signsIn(ctx, r, s.user(1))
		},
		Entry("a foreign site", foreignURI),
		Entry("a foreign site, without a scheme", "//"+foreignHost+"/callback"),
	)
}

// guestOf is a new browser session in which the user will sign in.
func (s *session) guestOf(ctx context.Context, u target.User) *person {
	p := s.stranger(ctx, s.Browser)
	p.user = u
	return p
}

// returning are the addresses of the sign-in page with each parameter that holds a place to return to
// changed. Where the page is the authorization endpoint itself, its parameters are the request's.
func (s *session) returning(page, where string) []string {
	base, query, has := strings.Cut(before(page, "#"), "?")
	if !has || strings.HasPrefix(s.target.Endpoints.Authorization, base) {
		return nil
	}
	params := oauth.ParseParams(query)
	var out []string
	for _, p := range params {
		if strings.HasPrefix(p.Value, "/") || strings.Contains(p.Value, "://") {
			out = append(out, base+"?"+params.With(p.Name, where).Encode())
		}
	}
	return out[:min(len(out), 3)]
}
