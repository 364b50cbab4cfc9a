package suites

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// transport says what a deployment owes everybody on the way to it: TLS, and URLs that nobody else decides.
func transport(s *session) {
	Describe("plain http", func() {
		BeforeEach(s.requiresTLS)

		It("leads to no sign-in form", proves("RFC6749-3.1-tls-required-authorization"), func(ctx SpecContext) {
			c, g := s.frontClient()
			r := s.asking(c, g)
			if x := s.send(ctx, r); x.Status >= 400 {
				s.seen.decide(x)
				s.inconclusive("the request that is tried over plain http is refused over https already: %s", answered(x))
			}
			s.staysShut(ctx, r.Changed(oauth.To(s.plainly(r.URL)), oauth.Titled("ask for authorization over plain http")))
		})

		DescribeTable("is not how to ask", table, proves("RFC6749-3.2-tls-required-token-resource"),
			func(ctx SpecContext, request func() oauth.Request) {
				// No secret goes over plain http: what is sent is made up, and over https known to be processed.
				r := request()
				processed := s.send(ctx, r.Changed(oauth.Titled("send made-up credentials over https")))
				x := s.overHTTP(ctx, r.Changed(oauth.To(s.plainly(r.URL)), oauth.Titled("send made-up credentials over plain http")))
				s.seen.decide(x)
				s.seen.expected = "no answer to the credentials: a redirect to https, or a refusal of plain http"
				switch {
				case x.Status >= 500 || throttled(x):
					s.inconclusive("the server refused nobody and answered nobody: %s", answered(x))
				case x.Status/100 == 2 && mediaType(x) != "text/html":
					s.violated("the request was processed: %s", answered(x))
				case x.Status == http.StatusUnauthorized, x.ErrorCode() != "" && x.ErrorCode() == processed.ErrorCode():
					s.violated("the credentials were looked at: %s; over https: %s", answered(x), answered(processed))
				case x.ErrorCode() != "":
					s.note("plain http is refused in the words of OAuth: %s", answered(x))
				}
			},
			Entry("the token endpoint", func() oauth.Request {
				form := oauth.Params{{Name: "grant_type", Value: string(target.ClientCredentials)}, {Name: "client_id", Value: marker + oauth.NewState()}, {Name: "client_secret", Value: marker + oauth.NewState()}}
				return oauth.Request{Method: http.MethodPost, URL: s.target.Endpoints.Token, Header: oauth.Params{{Name: "Accept", Value: "application/json"}}, Form: form}
			}),
			Entry("a resource", func() oauth.Request {
				r := s.target.Resources.Any
				if r == nil {
					r = s.target.Resources.User
				}
				return s.driver.Resource(s.protected("any", r), marker+oauth.NewState())
			}),
		)
	})
	handshakes(s)
	origins(s)
	forwarded(s)
}

// requiresTLS makes the row not applicable to a target without TLS, as a stand on loopback is.
func (s *session) requiresTLS() {
	for _, raw := range []string{s.target.Endpoints.Token, s.target.Endpoints.Authorization} {
		if raw != "" && !strings.HasPrefix(raw, "https://") {
			s.notApplicable("the target is served over plain http, so there is no TLS to hold it to")
		}
	}
}

// plainly is the same URL over plain http: where the target file says, or on port 80.
func (s *session) plainly(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" {
		s.notApplicable("%s is not served over https", raw)
	}
	own, err := url.Parse(s.target.URL)
	plain, failed := url.Parse(s.target.Plain)
	if err == nil && failed == nil && s.target.Plain != "" && own.Host == u.Host {
		u.Host = plain.Host
	} else if u.Host = u.Hostname(); strings.Contains(u.Host, ":") {
		u.Host = "[" + u.Host + "]"
	}
	u.Scheme = "http"
	return u.String()
}

// overHTTP sends a request over plain http. Where nothing listens there is nothing to hold to anything.
func (s *session) overHTTP(ctx SpecContext, r oauth.Request) oauth.Exchange {
	x := s.driver.Send(ctx, r)
	if x.Answered() {
		return x
	}
	s.seen.decide(x)
	if failed, is := errors.AsType[*net.OpError](x.Err); is && failed.Op == "dial" {
		s.notApplicable("nothing can be reached over plain http at %s (%v); tls.plain in the target file says where else", r.URL, failed.Err)
	}
	s.inconclusive("no whole answer over plain http: %v", x.Err)
	return x
}

// staysShut follows an authorization request over plain http, and ends the spec if it comes to anything there.
func (s *session) staysShut(ctx SpecContext, r oauth.Request) {
	GinkgoHelper()
	for range 5 {
		x := s.overHTTP(ctx, r)
		s.seen.decide(x)
		s.seen.expected = "a redirect to https before any form, or a refusal"
		where, err := url.Parse(x.Location())
		switch {
		case x.Status >= 500 || throttled(x):
			s.inconclusive("the server refused nobody and answered nobody: %s", answered(x))
		case x.Status >= 400:
			return
		case !x.Redirects() && asksPassword(x):
			s.violated("the sign-in form comes over plain http: %s", answered(x))
		case !x.Redirects():
			s.note("something answers over plain http, though without a sign-in form: %s", answered(x))
			return
		case err != nil:
			s.inconclusive("the redirect leads to what is no URL")
		}
		if l, is := x.Landing(s.caught(r)...); is {
			s.violated("the request was processed over plain http: %s", landed(l))
		}
		here, err := url.Parse(r.FullURL())
		if err != nil {
			s.inconclusive("%v", err)
		}
		if where = here.ResolveReference(where); where.Scheme != "http" {
			return
		}
		r = oauth.Request{Title: "follow the redirect, still over plain http", Method: http.MethodGet, URL: where.String(), Header: r.Header}
	}
	s.inconclusive("the redirects over plain http do not end")
}

// asksPassword says whether a page has a field for a password.
func asksPassword(x oauth.Exchange) bool {
	body := strings.ToLower(string(x.Body))
	return strings.Contains(body, "<form") && strings.Contains(body, "<input") && passwordField.MatchString(body)
}

// origins says which scripts may read an answer with the user's own credentials (Fetch standard).
func origins(s *session) {
	DescribeTable("lets no foreign script send credentials to", table, proves("RFC9700-2.6-cors-token-safe"),
		func(ctx SpecContext, request func(ctx SpecContext) oauth.Request) {
			r := request(ctx)
			s.send(ctx, r) // without an origin, it is answered
			for _, origin := range []string{"https://script." + foreignHost, "null"} {
				asked := oauth.Request{
					Title: "ask whether a script of " + origin + " may", Method: http.MethodOptions, URL: r.URL,
					Header: oauth.Params{{Name: "Origin", Value: origin}, {Name: "Access-Control-Request-Method", Value: r.Method}, {Name: "Access-Control-Request-Headers", Value: "authorization,content-type"}},
				}
				again := request(ctx).Changed(oauth.Header("Origin", origin), oauth.Titled("send it as a script of "+origin))
				for _, probe := range []oauth.Request{asked, again} {
					x := s.send(ctx, probe)
					s.seen.decide(x)
					s.seen.expected = "no leave for credentials of that origin"
					allowed, credentials := x.Header.Get("Access-Control-Allow-Origin"), x.Header.Get("Access-Control-Allow-Credentials") == "true"
					switch {
					case credentials && allowed == origin:
						s.violated("the origin %s is allowed, with credentials", origin)
					case credentials && allowed == "*": // which browsers refuse
						s.note("every origin is allowed, and credentials, too; browsers refuse that")
					}
				}
			}
		},
		Entry("the token endpoint", func(ctx SpecContext) oauth.Request {
			if len(s.enabled()) == 0 {
				s.notApplicable("no client in the target file has a grant that ends at the token endpoint")
			}
			return s.tokenRequest(ctx, s.enabled()[0])
		}),
		Entry("the revocation endpoint", func(SpecContext) oauth.Request {
			if s.target.Endpoints.Revocation == "" {
				s.notApplicable("the target file names no revocation endpoint (endpoints.revocation)")
			}
			c := s.client("client", func(target.Client) bool { return true })
			return s.driver.Revoke(c, marker+oauth.NewState(), "")
		}),
	)
}

// forwarded says whose word counts on where the server is.
func forwarded(s *session) {
	DescribeTable("lets no request decide where the server is by", table, proves("RFC9700-4.13-forwarded-headers-ignored"),
		func(ctx SpecContext, forge func(host string) oauth.Change) {
			host := strangeHost()
			for _, r := range s.addressed() {
				plain := s.send(ctx, r)
				if plain.Status >= 400 {
					s.seen.decide(plain)
					s.inconclusive("the request is refused without the header already: %s", answered(plain))
				}
				s.ignores(ctx, r.Changed(forge(host), oauth.Titled(r.Title+", with "+variant())), host, plain)
			}
		},
		Entry("X-Forwarded-Host", func(host string) oauth.Change { return oauth.Header("X-Forwarded-Host", host) }),
		Entry("X-Forwarded-Proto", func(string) oauth.Change { return oauth.Header("X-Forwarded-Proto", s.otherScheme()) }),
		Entry("Forwarded", func(host string) oauth.Change { return oauth.Header("Forwarded", "host="+host) }),
		Entry("Host", func(host string) oauth.Change { return oauth.Header("Host", host) }),
		Entry("X-Original-URL", func(host string) oauth.Change { return oauth.Header("X-Original-URL", "https://"+host+"/") }),
	)
}

// strangeHost is the name of a host that no server has seen. It holds letters and digits alone: one that no host may have
// is refused by every server, whatever it makes of the others.
func strangeHost() string { return "h" + strings.ToLower(rand.Text()[:8]) + "." + foreignHost }

// addressed are requests whose answers show where the server thinks that it is.
func (s *session) addressed() []oauth.Request {
	var out []oauth.Request
	if s.target.Endpoints.Authorization != "" && (s.offers(target.AuthorizationCode) || s.offers(target.Implicit)) {
		c, g := s.frontClient()
		out = append(out, s.asking(c, g))
	}
	if s.target.Endpoints.Metadata != "" {
		out = append(out, oauth.Request{Title: "read the metadata document", Method: http.MethodGet, URL: s.target.Endpoints.Metadata})
	}
	if len(out) == 0 {
		s.notApplicable("the target file names neither an authorization endpoint nor a metadata document, so no answer holds URLs of the server")
	}
	return out
}

// otherScheme is the one that the target is not served by.
func (s *session) otherScheme() string {
	if strings.HasPrefix(s.target.URL, "https://") {
		return "http"
	}
	return "https"
}

// ignores ends the spec if the forged host, or the server's own under the forged scheme, is in the answer.
func (s *session) ignores(ctx SpecContext, r oauth.Request, host string, plain oauth.Exchange) {
	GinkgoHelper()
	x := s.driver.Send(ctx, r)
	if !x.Answered() && variant() == "Host" { // hung up on a host that is not served here; the request itself was answered before
		return
	}
	if !x.Answered() {
		s.inconclusive("no whole answer to %q: %v", r.Title, x.Err)
	}
	s.seen.decide(x)
	s.seen.expected = "an answer in which nothing of the forged header can be found, or a refusal"
	switch where := found(x, host); {
	case x.Status >= 500 || throttled(x):
		s.inconclusive("the server refused nobody and answered nobody: %s", answered(x))
	case x.Status >= 400: // who quotes a host to say that it is unknown sends nobody there
	case where != "" && variant() == "Host": // no other site can make a browser send one; a server with many names goes by it
		s.warn("the server takes the host of the request for its own, in %s: %s", where, answered(x))
	case where != "":
		s.violated("the forged host turns up in %s: %s", where, answered(x))
	case variant() == "X-Forwarded-Proto":
		own, err := url.Parse(r.URL)
		if err != nil {
			s.inconclusive("%v", err)
		}
		if forged := s.otherScheme() + "://" + own.Host; found(x, forged) != "" && found(plain, forged) == "" {
			s.violated("the server's own URLs begin with %s now, in %s", forged, found(x, forged))
		}
	}
}

// found is where in an answer the text is.
func found(x oauth.Exchange, text string) string {
	for name, values := range x.Header {
		if strings.Contains(strings.ToLower(strings.Join(values, " ")), text) {
			return fmt.Sprintf("the header %s", printable(name))
		}
	}
	if strings.Contains(strings.ToLower(string(x.Body)), text) {
		return "the body"
	}
	return ""
}
