package suites

import (
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// spaceFront says what Space documents about its authorization endpoint.
func spaceFront(s *session) {
	Describe("the authorization endpoint of a Space deployment", func() {
		DescribeTable("honours request_credentials", table, proves("SPACE-request-credentials-default"),
			func(ctx SpecContext, play func(ctx SpecContext, ask func(p *person, how string) oauth.Landing)) {
				c, g := s.frontClient()
				play(ctx, func(p *person, how string) oauth.Landing {
					r := s.authorize(c, g, oauth.SetQuery("request_credentials", how), oauth.Titled("ask with request_credentials="+how))
					return s.visit(ctx, p, s.ordinarily(c, g, r), oauth.Accept)
				})
			},
			Entry("default, signed in", func(ctx SpecContext, ask func(*person, string) oauth.Landing) {
				p := s.browsing(ctx, s.user(0))
				s.seen.expected = "a redirect to the client without a sign-in page"
				if l := ask(anonymous(p), "default"); !arrived(l) {
					s.violated("%s", landed(l))
				}
			}),
			Entry("default, signed out", func(ctx SpecContext, ask func(*person, string) oauth.Landing) {
				s.seen.expected = "the sign-in page"
				if l := ask(s.stranger(ctx, s.Browser), "default"); l.Kind != oauth.SignIn {
					s.violated("%s", landed(l))
				}
			}),
			Entry("required, signed in", func(ctx SpecContext, ask func(*person, string) oauth.Landing) {
				p := s.newcomer(ctx, s.lastUser()) // this session is ended here, so it is nobody else's
				if l := ask(anonymous(p), "default"); !arrived(l) {
					s.inconclusive("the user is not signed in to begin with: %s", landed(l))
				}
				s.seen.expected = "the sign-in page although the user was signed in, and the end of the session"
				if l := ask(anonymous(p), "required"); l.Kind != oauth.SignIn {
					s.violated("%s", landed(l))
				}
				if l := ask(anonymous(p), "default"); l.Kind != oauth.SignIn {
					s.violated("the sign-in page was shown, but the user was not signed out: %s", landed(l))
				}
			}),
		)

		DescribeTable("lets guests pass and stays silent in the implicit flow, asked by", table, flow(target.Implicit), proves("SPACE-request-credentials-skip-silent"),
			func(ctx SpecContext, judge func(ctx SpecContext, ask func(p *person, how string) oauth.Landing)) {
				s.requires(target.Implicit)
				c := s.holder(target.Implicit)
				judge(ctx, func(p *person, how string) oauth.Landing {
					r := s.authorize(c, target.Implicit)
					if how != "" {
						r = r.Changed(oauth.SetQuery("request_credentials", how), oauth.Titled("ask with request_credentials="+how))
					}
					return s.visit(ctx, p, r, oauth.Accept)
				})
			},
			Entry("skip of a signed-in user", func(ctx SpecContext, ask func(*person, string) oauth.Landing) {
				s.expectToken(ctx, ask, "skip")
			}),
			Entry("silent of a signed-in user", func(ctx SpecContext, ask func(*person, string) oauth.Landing) {
				s.expectToken(ctx, ask, "silent")
			}),
			Entry("skip of a stranger", func(ctx SpecContext, ask func(*person, string) oauth.Landing) {
				l := ask(s.stranger(ctx, s.Browser), "skip")
				if !s.target.Guest {
					s.seen.expected = "the sign-in page, since no guest is allowed"
					if l.Kind != oauth.SignIn {
						s.violated("%s", landed(l))
					}
					return
				}
				s.seen.expected = "a guest's token, which opens no user's own resource"
				s.guestOnly(ctx, l)
			}),
			Entry("silent of a stranger", func(ctx SpecContext, ask func(*person, string) oauth.Landing) {
				l := ask(s.stranger(ctx, s.Browser), "silent")
				s.seen.expected = "a redirect to the client without a page: an error, or a guest's token where guests are allowed"
				code := l.Params().Get("error")
				switch {
				case l.Kind != oauth.Redirected:
					s.violated("%s", landed(l))
				case l.Params().Get("access_token") != "" && s.target.Guest:
					s.guestOnly(ctx, l)
				case l.Params().Get("access_token") != "":
					s.violated("a token came, although nobody is signed in and no guest is allowed")
				case !slices.Contains([]string{"access_denied", "login_required", "interaction_required"}, code):
					s.warn("the error is %q", printable(code))
				}
			}),
		)

		DescribeTable("reports by its documented code", table, flow(target.AuthorizationCode), proves("SPACE-authorization-errors"),
			func(ctx SpecContext, home bool, codes []string, spoil func(c target.Client) oauth.Change) {
				s.requires(target.AuthorizationCode)
				c := s.holder(target.AuthorizationCode)
				p := s.person(ctx, s.user(0))
				s.mustBringCode(ctx, p, c)
				l := s.land(ctx, p, s.authorize(c, target.AuthorizationCode, spoil(c)), oauth.Accept)
				s.judgeCode(l, home, codes)
			},
			Entry("an unregistered redirect_uri", true, []string{"unauthorized_client"}, func(target.Client) oauth.Change {
				return both(oauth.SetQuery("redirect_uri", "https://flowproof.invalid/callback"), oauth.Titled("name a redirect_uri that is not registered"))
			}),
			Entry("an unknown client", true, []string{"invalid_request"}, func(c target.Client) oauth.Change {
				return both(oauth.SetQuery("client_id", stranger(c.ID)), oauth.Titled("name a client that nobody registered"))
			}),
			Entry("a missing response_type", false, []string{"unsupported_response_type"}, func(target.Client) oauth.Change {
				return both(oauth.WithoutQuery("response_type"), oauth.Titled("leave out response_type"))
			}),
			Entry("an unknown response_type", false, []string{"unsupported_response_type"}, func(target.Client) oauth.Change {
				return both(oauth.SetQuery("response_type", "flowproof"), oauth.Titled("ask for an unknown response_type"))
			}),
			Entry("a missing scope", false, []string{"invalid_scope", "access_denied"}, func(target.Client) oauth.Change {
				return both(oauth.WithoutQuery("scope"), oauth.Titled("leave out scope"))
			}),
			Entry("a scope that nobody may have", false, []string{"invalid_scope", "access_denied"}, func(target.Client) oauth.Change {
				return both(oauth.SetQuery("scope", s.forbidden()), oauth.Titled("ask for a scope that nobody may have"))
			}),
		)
	})
}

// judgeCode holds an authorization error to the documented codes. At home means on a page of the server:
// nothing may go to where nobody is known to listen.
func (s *session) judgeCode(l oauth.Landing, home bool, codes []string) {
	GinkgoHelper()
	s.seen.expected = "an error page that names " + words(codes)
	if !home {
		s.seen.expected = "a redirect to the client with the error " + words(codes)
	}
	if len(l.Trail) > 0 {
		s.seen.decide(l.Trail[len(l.Trail)-1])
	}
	switch {
	case l.Kind == oauth.Redirected && home:
		s.violated("%s", landed(l))
	case l.Kind == oauth.Redirected:
		if code := l.Params().Get("error"); !slices.Contains(codes, code) {
			s.violated("%s", landed(l))
		}
	case l.Kind != oauth.Shown || l.Page == nil:
		s.violated("the request was not refused: %s", landed(l))
	case l.Page.Status >= 500:
		s.violated("%s", landed(l))
	default:
		text := l.Page.Text + " " + l.Page.HTML + " " + l.Page.URL
		if slices.ContainsFunc(codes, func(code string) bool { return strings.Contains(text, code) }) {
			return
		}
		for _, other := range []string{"invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope", "server_error"} {
			if strings.Contains(text, other) {
				s.violated("the page names %s", other)
			}
		}
		s.note("the page does not name the error's code")
	}
}

// mustBringCode is the positive control of refusals at the authorization endpoint, made once a run for each client.
func (s *session) mustBringCode(ctx SpecContext, p *person, c target.Client) {
	name := "authorization of " + c.Name
	known, made := s.controls[name]
	if !made {
		r := s.ordinarily(c, target.AuthorizationCode, s.authorize(c, target.AuthorizationCode))
		if l := s.land(ctx, p, r, oauth.Accept); !arrived(l) {
			known.failure = "the positive control (" + name + ") brought no code: " + landed(l)
		}
		s.controls[name] = known
	}
	if known.failure != "" {
		s.inconclusive("%s", known.failure)
	}
}

// ordinarily adds the code challenge that an ordinary request of the client carries.
func (s *session) ordinarily(c target.Client, g target.Grant, r oauth.Request) oauth.Request {
	if g != target.AuthorizationCode || !s.ordinaryPKCE(c) {
		return r
	}
	return r.Changed(oauth.SetQuery("code_challenge", oauth.S256(oauth.NewVerifier())), oauth.SetQuery("code_challenge_method", "S256"))
}

// newcomer is the user, signed in in a browser session that no other row uses.
func (s *session) newcomer(ctx SpecContext, u target.User) *person {
	p := s.stranger(ctx, s.Browser)
	p.user = u
	c, g := s.frontClient()
	if l := s.visit(ctx, p, s.ordinarily(c, g, s.authorize(c, g)), oauth.Accept); !arrived(l) {
		s.inconclusive("%s could not sign in: %s", u.Name, landed(l))
	}
	return p
}

// anonymous is the same session, where nobody answers a sign-in page.
func anonymous(p *person) *person { return &person{session: p.session} }

// arrived says whether a code or a token came to the client.
func arrived(l oauth.Landing) bool {
	return l.Kind == oauth.Redirected && l.Params().Get("code")+l.Params().Get("access_token") != ""
}

// expectToken holds skip and silent to a user who is signed in and has consented.
func (s *session) expectToken(ctx SpecContext, ask func(*person, string) oauth.Landing, how string) {
	GinkgoHelper()
	p := s.browsing(ctx, s.user(0))
	if l := ask(p, ""); !arrived(l) { // signs in and consents, if that was not done yet
		s.inconclusive("the implicit flow brought no token to begin with: %s", landed(l))
	}
	s.seen.expected = "a redirect to the client with a token, and no page"
	if l := ask(anonymous(p), how); !arrived(l) {
		s.violated("%s", landed(l))
	}
}

// guestOnly holds a landing to a guest's token, which must not open what is a user's own.
func (s *session) guestOnly(ctx SpecContext, l oauth.Landing) {
	GinkgoHelper()
	if !arrived(l) {
		s.violated("%s", landed(l))
	}
	if r := s.target.Resources.User; r != nil {
		x := s.send(ctx, s.driver.Resource(*r, l.Params().Get("access_token"), oauth.Titled("call a user's resource with a guest's token")))
		if x.Status/100 == 2 && !deniesInline(x) {
			s.seen.decide(x)
			s.violated("a guest's token opens a user's own resource: %s", answered(x))
		}
	}
}
