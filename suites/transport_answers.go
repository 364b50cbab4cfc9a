package suites

import (
	"net/http"
	"regexp"
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
			for _, g := range s.frontGrants() {
				s.requires(g)
				s.authorizes(ctx, s.holder(g), g)
			}
			s.judgePassively("RFC6749-5.1-authorization-response-no-store")
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
	home := origin(t.Endpoints.Authorization)
	at := func(x oauth.Exchange, endpoint string) bool {
		return endpoint != "" && strings.HasPrefix(x.Request.URL, endpoint)
	}
	return []passiveRow{
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
	}
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
