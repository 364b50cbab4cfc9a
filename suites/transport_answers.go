package suites

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
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
			s.bringResponses(ctx)
			s.judgePassively("RFC6749-5.1-authorization-response-no-store")
		})

		everyResponse(s)

		It("of 401 to a client that used Basic has a Basic challenge", proves("RFC6749-5.2-basic-failure-challenge"), func(SpecContext) {
			s.seen.expected = "WWW-Authenticate with the scheme Basic"
			s.judgePassivelyIfSeen("RFC6749-5.2-basic-failure-challenge")
		})

		It("of a resource that refuses with 401 has a Bearer challenge", proves("RFC6750-3-missing-token-challenge"), func(SpecContext) {
			s.seen.expected = "WWW-Authenticate with the scheme Bearer"
			s.judgePassivelyIfSeen("RFC6750-3-missing-token-challenge")
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
	uris := t.RedirectURIs()
	brings := func(x oauth.Exchange) bool {
		l, is := x.Landing(uris...)
		return is && issued(l)
	}
	home := origin(t.Endpoints.Authorization)
	return []passiveRow{
		challengeRow(t),
		basicRow(t),
		{"RFC6797-7.1-hsts", func(x oauth.Exchange) bool {
			// Refusals may come from what stands before the server.
			return strings.HasPrefix(x.Request.URL, "https://") && x.Status < 400 && (sentTo(x, t.Endpoints.Authorization) || sentTo(x, t.Endpoints.Token))
		}, judgeHSTS},
		{"RFC6749-5.1-authorization-response-no-store", func(x oauth.Exchange) bool {
			return brings(x) || x.Status == http.StatusOK && asksPerson(x) && (sentTo(x, t.Endpoints.Authorization) || origin(x.Request.URL) == home && asksPassword(x))
		}, func(x oauth.Exchange) opinion {
			what := "the page"
			if brings(x) {
				what = "the response"
			}
			return violation(!directive(x.Header.Values("Cache-Control"), "no-store"), "%s says Cache-Control: %q", what, printable(strings.Join(x.Header.Values("Cache-Control"), ", ")))
		}},
	}
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

// sentTo says whether a request went to the endpoint; to one that the target has not got none does.
func sentTo(x oauth.Exchange, endpoint string) bool {
	rest, found := strings.CutPrefix(x.Request.URL, endpoint)
	return endpoint != "" && found && (rest == "" || strings.ContainsAny(rest[:1], "?&#"))
}

// asksPerson says whether a page has a form for the person: to sign in, or to consent.
func asksPerson(x oauth.Exchange) bool {
	return mediaType(x) == "text/html" && strings.Contains(strings.ToLower(string(x.Body)), "<form")
}

// origin is scheme and host of a URL, in the form that URLs of the same meaning share: without the port that the
// scheme means anyway, and without the dot that ends a host.
func origin(raw string) string {
	scheme, rest, _ := strings.Cut(strings.ToLower(raw), "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	usual := map[string]string{"https": ":443", "http": ":80"}[scheme]
	return scheme + "://" + strings.TrimSuffix(strings.TrimSuffix(rest, usual), ".")
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
