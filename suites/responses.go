package suites

import (
	"fmt"
	"net/url"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// everyResponse says what each response to an authorization request owes, whichever spec sent the request.
func everyResponse(s *session) {
	passive := func(sentence, id, expected string) {
		It(sentence, proves(id), func(ctx SpecContext) {
			s.bringResponses(ctx)
			s.seen.expected = expected
			s.judgePassivelyIfSeen(id)
		})
	}
	passive("to the client goes to a host where something is registered", "RFC6749-3.1.2.4-foreign-host-no-redirect", "every response at the host of a registered redirect URI")
	passive("to the client goes to the registered URI that was asked for", "RFC6749-3.1.2.3-registered-uri-accepted", "every response at the redirect URI of its request")
	passive("to the client names each parameter once", "RFC6749-3.1-response-params-once", "each parameter of every response once, of errors as of codes and tokens")
	passive("to the client with an error carries the state back", "RFC6749-4.1.2.1-state-echoed-on-error", "the state of the request with every error")
	passive("to the client with an error is made by the rules", "RFC6749-4.1.2.1-error-redirect-syntax", "a registered error code in the component of the response")
	issuerInEvery(s)
}

// bringResponses makes sure that there are responses to judge, also when only rows about them were chosen.
func (s *session) bringResponses(ctx SpecContext) {
	offered := slices.DeleteFunc(s.frontGrants(), func(g target.Grant) bool { return !s.offers(g) })
	if len(offered) == 0 {
		s.notApplicable("no client in the target file has a grant that begins at the authorization endpoint")
	}
	for _, g := range offered {
		s.authorizes(ctx, s.holder(g), g)
	}
}

// responseRows judge where a response to an authorization request goes, and what it carries.
func responseRows(t target.Target) []passiveRow {
	uris := t.RedirectURIs()
	asked := func(x oauth.Exchange) bool { return sentTo(x, t.Endpoints.Authorization) }
	tellsError := func(x oauth.Exchange) bool {
		l, is := x.Landing(uris...)
		return asked(x) && is && l.Params().Has("error") && !issued(l)
	}
	return []passiveRow{
		{"RFC6749-3.1.2.4-foreign-host-no-redirect", func(x oauth.Exchange) bool {
			to, err := url.Parse(x.Location())
			return asked(x) && x.Redirects() && err == nil && (to.Scheme == "https" || to.Scheme == "http")
		}, judgeHost(t)},
		{"RFC6749-3.1.2.3-registered-uri-accepted", func(x oauth.Exchange) bool {
			to, err := url.Parse(x.Location())
			return asked(x) && x.Redirects() && err == nil && to.IsAbs() && askedFor(t, x) != "" &&
				!slices.Contains([]string{origin(t.URL), origin(t.Endpoints.Authorization)}, origin(x.Location()))
		}, func(x oauth.Exchange) opinion {
			if oauth.Lands(x.Location(), askedFor(t, x)) {
				return opinion{}
			}
			return astray(x, "not to the URI that was asked for")
		}},
		{"RFC6749-4.1.2.1-state-echoed-on-error", func(x oauth.Exchange) bool { return tellsError(x) && plainState(x) }, func(x oauth.Exchange) opinion {
			l, _ := x.Landing(uris...)
			return violation(!slices.Equal(valuesOf(l.Params(), "state"), valuesOf(x.Request.Query, "state")), "an error comes without the state of its request: %s", landed(l))
		}},
		{"RFC6749-4.1.2.1-error-redirect-syntax", func(x oauth.Exchange) bool {
			return tellsError(x) && slices.Equal(valuesOf(x.Request.Query, "response_type"), []string{"code"})
		}, func(x oauth.Exchange) opinion {
			l, _ := x.Landing(uris...)
			code := l.Params().Get("error")
			switch {
			case l.Fragment.Has("error"):
				return violation(true, "the error comes in the fragment, where a code comes in the query: %s", landed(l))
			case !slices.Contains(authorizationErrors(), code): // of a request that is broken in an odd way, perhaps
				return opinion{reports.Warn, fmt.Sprintf("the error code %q is not registered", printable(code))}
			default:
				return opinion{}
			}
		}},
	}
}

// onceRow judges every redirect that brings a client something, wherever it comes from: a consent page's form, too.
func onceRow(t target.Target) passiveRow {
	uris := t.RedirectURIs()
	return passiveRow{"RFC6749-3.1-response-params-once", func(x oauth.Exchange) bool { return responds(x, uris) }, func(x oauth.Exchange) opinion {
		l, _ := x.Landing(uris...)
		name, times := several(l)
		return violation(times > 1, "%s comes %d times: %s", name, times, landed(l))
	}}
}

// responds says whether an answer brings a client a code, a token or an error.
func responds(x oauth.Exchange, uris []string) bool {
	l, is := x.Landing(uris...)
	return is && (issued(l) || l.Params().Has("error"))
}

// judgeHost wants a response at the origin of a registered URI or of the server's own.
func judgeHost(t target.Target) func(oauth.Exchange) opinion {
	var origins []string
	for _, uri := range append(t.RedirectURIs(), t.URL, t.Endpoints.Authorization, t.Endpoints.Token) {
		origins = append(origins, origin(uri))
	}
	return func(x oauth.Exchange) opinion {
		if slices.Contains(origins, origin(x.Location())) || loopback(x.Location()) { // native apps choose a port there (RFC 8252 §7.3)
			return opinion{}
		}
		return astray(x, "where nothing is registered")
	}
}

// astray is what a response means that goes where it should not. An error alone may go to a page of the server's at
// another host, so it only warns, and only where it carries the state along.
func astray(x oauth.Exchange, where string) opinion {
	l, state := oauth.ParseLanding(x.Location()), x.Request.Query.Get("state")
	switch {
	case issued(l):
		return violation(true, "it goes to %s, %s", origin(x.Location()), where)
	case l.Params().Has("error") && state != "" && l.Params().Get("state") == state:
		return opinion{reports.Warn, fmt.Sprintf("an error goes to %s, %s", origin(x.Location()), where)}
	default:
		return opinion{}
	}
}

// askedFor is the redirect URI that the request names, if it is one of its client's.
func askedFor(t target.Target, x oauth.Exchange) string {
	uris := valuesOf(x.Request.Query, "redirect_uri")
	for _, c := range t.Clients {
		if len(uris) == 1 && c.ID == x.Request.Query.Get("client_id") && slices.Contains(slices.Concat(c.RedirectURIs, c.ImplicitRedirectURIs), uris[0]) {
			return uris[0]
		}
	}
	return ""
}

// plainState says whether the state of a request can be read whatever else is wrong with it: no parameter comes
// twice, and it is of the characters that everybody takes.
func plainState(x oauth.Exchange) bool {
	for _, p := range x.Request.Query {
		if len(valuesOf(x.Request.Query, p.Name)) > 1 {
			return false
		}
	}
	state := x.Request.Query.Get("state")
	return len(state) >= 8 && len(state) <= 100 && b64token.MatchString(state)
}

// several is a parameter of the response that comes more than once, and how often.
func several(l oauth.Landing) (name string, times int) {
	both := slices.Concat(l.Query, l.Fragment)
	for _, name := range []string{
		"code", "access_token", "token_type", "expires_in", "scope", "state", "iss", "error", "error_description", "error_uri",
	} {
		if n := len(valuesOf(both, name)); n > 1 {
			return name, n
		}
	}
	return "", 0
}
