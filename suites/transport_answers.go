package suites

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

var passwordField = regexp.MustCompile(`(?i)<input[^>]*\btype\s*=\s*["']?password`)

// everyAnswer says what answers owe wherever they come from. The rows are passive: they judge what the other
// specs provoked.
func everyAnswer(s *session) {
	Describe("every answer", func() {
		It("over https tells user agents to stay with it", proves("RFC6797-7.1-hsts"), func(ctx SpecContext) {
			s.requiresTLS()
			s.provoke(ctx)
			s.glimpse(ctx)
			s.judgePassively("RFC6797-7.1-hsts")
		})

		It("on the way to a code or token forbids caching", proves("RFC6749-5.1-authorization-response-no-store"), func(ctx SpecContext) {
			s.glimpse(ctx)
			for _, g := range s.frontGrants() {
				s.requires(g)
				s.authorizes(ctx, s.holder(g), g)
			}
			s.judgePassively("RFC6749-5.1-authorization-response-no-store")
		})

		It("with a code, a token or an error goes to a host where something is registered", proves("RFC6749-3.1.2.4-foreign-host-no-redirect"), func(ctx SpecContext) {
			for _, g := range s.frontGrants() {
				s.requires(g)
				s.authorizes(ctx, s.holder(g), g)
			}
			s.seen.expected = "every response at the host of a registered redirect URI"
			s.judgePassively("RFC6749-3.1.2.4-foreign-host-no-redirect")
		})

		issuerInEvery(s)

		It("to the client goes to the registered URI that was asked for", proves("RFC6749-3.1.2.3-registered-uri-accepted"), func(SpecContext) {
			s.seen.expected = "every response at the redirect URI of its request"
			s.judgePassivelyIfSeen("RFC6749-3.1.2.3-registered-uri-accepted")
		})

		It("with an error carries the state back", proves("RFC6749-4.1.2.1-state-echoed-on-error"), func(ctx SpecContext) {
			for _, g := range s.frontGrants() {
				s.requires(g)
				s.authorizes(ctx, s.holder(g), g)
			}
			s.seen.expected = "the state of the request with every error"
			s.judgePassivelyIfSeen("RFC6749-4.1.2.1-state-echoed-on-error")
		})

		It("with an error is made by the rules", proves("RFC6749-4.1.2.1-error-redirect-syntax"), func(SpecContext) {
			s.seen.expected = "a registered error code in the component of the response"
			s.judgePassivelyIfSeen("RFC6749-4.1.2.1-error-redirect-syntax")
		})

		It("of 401 to a client that used Basic has a Basic challenge", proves("RFC6749-5.2-basic-failure-challenge"), func(SpecContext) {
			s.seen.expected = "WWW-Authenticate with the scheme Basic"
			s.judgePassivelyIfSeen("RFC6749-5.2-basic-failure-challenge")
		})

		It("of a resource that refuses with 401 has a Bearer challenge", proves("RFC6750-3-missing-token-challenge"), func(SpecContext) {
			s.seen.expected = "WWW-Authenticate with the scheme Bearer"
			s.judgePassivelyIfSeen("RFC6750-3-missing-token-challenge")
		})

		It("to the client names each parameter once", proves("RFC6749-3.1-response-params-once"), func(ctx SpecContext) {
			for _, g := range s.frontGrants() {
				s.requires(g)
				s.authorizes(ctx, s.holder(g), g)
			}
			s.seen.expected = "each parameter of every response once, of errors as of codes and tokens"
			s.judgePassively("RFC6749-3.1-response-params-once")
		})
	})
}

// glimpse asks for authorization as a stranger, so that there is a page to judge.
func (s *session) glimpse(ctx SpecContext) {
	if s.target.Endpoints.Authorization == "" || !s.offers(target.AuthorizationCode) && !s.offers(target.Implicit) {
		s.notApplicable("no client in the target file has a grant that begins at the authorization endpoint")
	}
	c, g := s.frontClient()
	s.send(ctx, s.asking(c, g))
}

// transportRows are the passive rows about answers of every kind.
func transportRows(t target.Target) []passiveRow {
	var uris []string
	for _, c := range t.Clients {
		uris = append(append(uris, c.RedirectURIs...), c.ImplicitRedirectURIs...)
	}
	responds := func(x oauth.Exchange) bool {
		l, is := x.Landing(uris...)
		return is && issued(l)
	}
	comes := func(x oauth.Exchange) (oauth.Landing, bool) {
		l, is := x.Landing(uris...)
		return l, is && (issued(l) || l.Params().Has("error"))
	}
	home := origin(t.Endpoints.Authorization)
	at := func(x oauth.Exchange, endpoint string) bool {
		return endpoint != "" && strings.HasPrefix(x.Request.URL, endpoint)
	}
	return []passiveRow{
		foreignRow(t, uris),
		askedForRow(t),
		stateRow(t, uris),
		syntaxRow(t, uris),
		challengeRow(t),
		basicRow(t),
		{"RFC6797-7.1-hsts", func(x oauth.Exchange) bool {
			// Refusals may come from what stands before the server.
			return strings.HasPrefix(x.Request.URL, "https://") && x.Status < 400 && (at(x, t.Endpoints.Authorization) || at(x, t.Endpoints.Token))
		}, judgeHSTS},
		{"RFC6749-5.1-authorization-response-no-store", func(x oauth.Exchange) bool {
			return responds(x) || x.Status == http.StatusOK && asksPerson(x) && (at(x, t.Endpoints.Authorization) || origin(x.Request.URL) == home && asksPassword(x))
		}, func(x oauth.Exchange) opinion {
			what := "the page"
			if responds(x) {
				what = "the response"
			}
			return violation(!directive(x.Header.Values("Cache-Control"), "no-store"), "%s says Cache-Control: %q", what, printable(strings.Join(x.Header.Values("Cache-Control"), ", ")))
		}},
		{"RFC6749-3.1-response-params-once", func(x oauth.Exchange) bool { _, is := comes(x); return is }, func(x oauth.Exchange) opinion {
			l, _ := comes(x)
			name, times := several(l)
			return violation(times > 1, "%s comes %d times: %s", name, times, landed(l))
		}},
	}
}

// same is the origin of a URL in the form that others of the same meaning share: without the port that its scheme
// means anyway, and without the dot that ends a host.
func same(raw string) string {
	o := origin(raw)
	for scheme, port := range map[string]string{"https:": ":443", "http:": ":80"} {
		if strings.HasPrefix(o, scheme) {
			o = strings.TrimSuffix(o, port)
		}
	}
	return strings.TrimSuffix(o, ".")
}

// foreignRow judges where responses go. An error alone may go to a page of the server's at another host, so it only
// warns, and only where it carries the state along.
func foreignRow(t target.Target, uris []string) passiveRow {
	var origins []string
	for _, uri := range slices.Concat(uris, []string{t.URL, t.Endpoints.Authorization, t.Endpoints.Token}) {
		origins = append(origins, same(uri))
	}
	leads := func(x oauth.Exchange) (*url.URL, bool) {
		u, err := url.Parse(x.Location())
		return u, err == nil && x.Redirects() && (u.Scheme == "https" || u.Scheme == "http") && strings.HasPrefix(x.Request.URL, t.Endpoints.Authorization)
	}
	return passiveRow{"RFC6749-3.1.2.4-foreign-host-no-redirect", func(x oauth.Exchange) bool { _, is := leads(x); return is }, func(x oauth.Exchange) opinion {
		u, _ := leads(x)
		l, state := oauth.ParseLanding(x.Location()), x.Request.Query.Get("state")
		switch {
		case slices.Contains(origins, same(u.String())) || loopback(u.String()): // native apps choose a port there (RFC 8252 §7.3)
			return opinion{}
		case issued(l):
			return violation(true, "it goes to %s, where nothing is registered", origin(u.String()))
		case l.Params().Has("error") && state != "" && l.Params().Get("state") == state:
			return opinion{reports.Warn, fmt.Sprintf("an error goes to %s, where nothing is registered", origin(u.String()))}
		default:
			return opinion{}
		}
	}}
}

// askedForRow judges whether responses go where a request wanted them that named a registered URI. As with foreignRow,
// an error may go to a page of the server's.
func askedForRow(t target.Target) passiveRow {
	asked := func(x oauth.Exchange) string {
		uris := valuesOf(x.Request.Query, "redirect_uri")
		if len(uris) != 1 || !strings.HasPrefix(x.Request.URL, t.Endpoints.Authorization) {
			return ""
		}
		for _, c := range t.Clients {
			if c.ID == x.Request.Query.Get("client_id") && slices.Contains(slices.Concat(c.RedirectURIs, c.ImplicitRedirectURIs), uris[0]) {
				return uris[0]
			}
		}
		return ""
	}
	own := []string{origin(t.URL), origin(t.Endpoints.Authorization)}
	return passiveRow{"RFC6749-3.1.2.3-registered-uri-accepted", func(x oauth.Exchange) bool {
		to, err := url.Parse(x.Location())
		return x.Redirects() && asked(x) != "" && err == nil && to.IsAbs() && !slices.Contains(own, origin(x.Location()))
	}, func(x oauth.Exchange) opinion {
		l, state := oauth.ParseLanding(x.Location()), x.Request.Query.Get("state")
		switch {
		case oauth.Lands(x.Location(), asked(x)):
			return opinion{}
		case issued(l):
			return violation(true, "asked for at %s, it goes elsewhere: %s", asked(x), landed(l))
		case l.Params().Has("error") && state != "" && l.Params().Get("state") == state:
			return opinion{reports.Warn, fmt.Sprintf("asked for at %s, an error goes elsewhere: %s", asked(x), landed(l))}
		default:
			return opinion{}
		}
	}}
}

// stateRow judges the errors that are told to a client, where the request is such that its state can be read.
func stateRow(t target.Target, uris []string) passiveRow {
	asked := func(x oauth.Exchange) (string, bool) {
		names := map[string]bool{}
		for _, p := range x.Request.Query {
			if names[p.Name] {
				return "", false
			}
			names[p.Name] = true
		}
		state := x.Request.Query.Get("state")
		return state, len(state) >= 8 && len(state) <= 100 && b64token.MatchString(state)
	}
	return passiveRow{"RFC6749-4.1.2.1-state-echoed-on-error", func(x oauth.Exchange) bool {
		l, is := x.Landing(uris...)
		_, plain := asked(x)
		return is && plain && l.Params().Has("error") && !issued(l) && strings.HasPrefix(x.Request.URL, t.Endpoints.Authorization)
	}, func(x oauth.Exchange) opinion {
		l, _ := x.Landing(uris...)
		state, _ := asked(x)
		return violation(!slices.Equal(valuesOf(l.Params(), "state"), []string{state}), "an error comes without the state of its request: %s", landed(l))
	}}
}

// syntaxRow judges the errors that answer a request for a code.
func syntaxRow(t target.Target, uris []string) passiveRow {
	return passiveRow{"RFC6749-4.1.2.1-error-redirect-syntax", func(x oauth.Exchange) bool {
		l, is := x.Landing(uris...)
		return is && l.Params().Has("error") && !issued(l) && strings.HasPrefix(x.Request.URL, t.Endpoints.Authorization) &&
			slices.Equal(valuesOf(x.Request.Query, "response_type"), []string{"code"})
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
	}}
}

// challengeRow judges every 401 of a resource to a request without a token, or with one that is worth nothing
// (RFC 6750 §3).
func challengeRow(t target.Target) passiveRow {
	var at []string
	for _, r := range []*target.Resource{t.Resources.Any, t.Resources.User, t.Resources.Application, t.Resources.Scoped} {
		if r != nil {
			at = append(at, r.Get)
		}
	}
	return passiveRow{"RFC6750-3-missing-token-challenge", func(x oauth.Exchange) bool {
		sent := x.Request.Header.Get("Authorization")
		return x.Status == http.StatusUnauthorized && slices.Contains(at, x.Request.URL) && (sent == "" || strings.HasPrefix(sent, "Bearer "))
	}, func(x oauth.Exchange) opinion {
		return violation(!challenges(x.Header.Values("WWW-Authenticate"), "bearer", ""), "WWW-Authenticate is %q", x.Header.Values("WWW-Authenticate"))
	}}
}

// basicRow judges every 401 to a client that authenticated by Basic, at whichever endpoint (RFC 6749 §5.2,
// RFC 7009 §2.1, RFC 7662 §2.3).
func basicRow(t target.Target) passiveRow {
	e := t.Endpoints
	return passiveRow{"RFC6749-5.2-basic-failure-challenge", func(x oauth.Exchange) bool {
		return x.Status == http.StatusUnauthorized && x.Request.Method == http.MethodPost && x.Request.URL != "" &&
			slices.Contains([]string{e.Token, e.Revocation, e.Introspection}, x.Request.URL) &&
			strings.HasPrefix(x.Request.Header.Get("Authorization"), "Basic ") &&
			(x.ErrorCode() == "" || x.ErrorCode() == "invalid_client") // 401 for a wrong password or code is another row's
	}, func(x oauth.Exchange) opinion {
		return violation(!challenges(x.Header.Values("WWW-Authenticate"), "basic", ""), "to a client that used Basic, WWW-Authenticate is %q", x.Header.Values("WWW-Authenticate"))
	}}
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

// asksPerson says whether a page has a form for the person: to sign in, or to consent.
func asksPerson(x oauth.Exchange) bool {
	return mediaType(x) == "text/html" && strings.Contains(strings.ToLower(string(x.Body)), "<form")
}

// origin is scheme and host of a URL.
func origin(raw string) string {
	scheme, rest, _ := strings.Cut(raw, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	return strings.ToLower(scheme + "://" + rest[:end])
}

// halfYear is the least that a user agent should remember, in seconds.
const halfYear = 15552000

func judgeHSTS(x oauth.Exchange) opinion {
	policy := x.Header.Get("Strict-Transport-Security") // of several, the first counts (RFC 6797 §8.1)
	if policy == "" {
		return violation(true, "the answer has no Strict-Transport-Security")
	}
	for part := range strings.SplitSeq(policy, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "max-age") {
			continue
		}
		age, err := strconv.ParseInt(strings.Trim(strings.TrimSpace(value), `"`), 10, 64)
		return violation(err != nil || age < halfYear, "Strict-Transport-Security is %q, less than %d seconds", printable(policy), halfYear)
	}
	return violation(true, "Strict-Transport-Security is %q, without max-age", printable(policy))
}
