package suites

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/onsi/gomega/types"

	"flowproof/drivers/oauth"
	"flowproof/reports"
)

// An answerMatcher holds an exchange to what is expected of it. Tolerated deviations are part of
// the expectation: they match, and lower the verdict.
type answerMatcher struct {
	s         *session
	wants     string
	statuses  []int                      // any when empty
	codes     []string                   // the error code is one of these, any when empty
	mild      map[string]reports.Verdict // other codes that are tolerated, and how they lower the verdict
	tolerated []int                      // other statuses, at the price of a warning
	usual     bool                       // the status is left to the row about it, when the code is right
	token     bool                       // a token is wanted, or not
	seen      string
}

var _ types.GomegaMatcher = (*answerMatcher)(nil)

// beTokenAnswer matches an answer that issues an access token. How it is dressed is for the rows about the answer.
func (s *session) beTokenAnswer() *answerMatcher {
	return &answerMatcher{s: s, wants: "200 with an access token", statuses: []int{http.StatusOK}, token: true}
}

// beRefused matches a clean refusal: 4xx, no token, the error code one of these (any when none is given).
func (s *session) beRefused(codes ...string) *answerMatcher {
	wants := "a refusal (4xx) without a token"
	if len(codes) > 0 {
		wants = "a refusal with the error " + words(codes)
	}
	return &answerMatcher{s: s, wants: wants, codes: codes}
}

// withStatus wants one of these statuses.
func (m *answerMatcher) withStatus(statuses ...int) *answerMatcher {
	m.statuses = statuses
	m.wants += fmt.Sprintf(", status %s", join(statuses))
	return m
}

// withUsualStatus wants the status, and leaves another one to the row about the status when the code is right.
func (m *answerMatcher) withUsualStatus(status int) *answerMatcher {
	m.usual = true
	return m.withStatus(status)
}

// orWarn tolerates other error codes with a warning.
func (m *answerMatcher) orWarn(codes ...string) *answerMatcher { return m.or(reports.Warn, codes) }

// orNote tolerates other error codes with a note.
func (m *answerMatcher) orNote(codes ...string) *answerMatcher { return m.or(reports.Note, codes) }

// orAnyCode tolerates every other error code: the refusal is what counts.
func (m *answerMatcher) orAnyCode(v reports.Verdict) *answerMatcher { return m.or(v, []string{"*"}) }

// orWarnStatus tolerates other statuses with a warning.
func (m *answerMatcher) orWarnStatus(statuses ...int) *answerMatcher {
	m.tolerated = append(m.tolerated, statuses...)
	return m
}

func (m *answerMatcher) or(v reports.Verdict, codes []string) *answerMatcher {
	if m.mild == nil {
		m.mild = map[string]reports.Verdict{}
	}
	for _, c := range codes {
		m.mild[c] = v
	}
	return m
}

// Match judges; effect comes before wording: an issued token is what matters first.
func (m *answerMatcher) Match(actual any) (bool, error) {
	x, ok := actual.(oauth.Exchange)
	if !ok {
		return false, fmt.Errorf("suites: %T is not an exchange", actual)
	}
	m.s.seen.decide(x)
	m.s.seen.expected, m.seen = m.wants, answered(x)
	if m.token {
		return x.IssuedToken() && x.Status == http.StatusOK, nil
	}
	m.s.heard(x)
	told := x.Status >= 300 || x.ErrorCode() != "" // an error under status 200 is judged by its own row
	if x.IssuedToken() || !told || x.Status >= 500 {
		return !x.IssuedToken() && m.brokeDown(x), nil
	}
	return m.status(x) && m.code(x.ErrorCode()), nil
}

// brokeDown tolerates an error of the server's own where every refusal will do: it gave nothing away and says so, and
// that it should not be a 500 is for the row about the status.
func (m *answerMatcher) brokeDown(x oauth.Exchange) bool {
	_, every := m.mild["*"]
	every = every || len(m.codes)+len(m.statuses) == 0
	if !every || x.Status != http.StatusInternalServerError || x.ErrorCode() == "" {
		return false
	}
	m.s.seen.lower(reports.Warn, fmt.Sprintf("nothing is issued, but the answer is %s", answered(x)))
	return true
}

func (m *answerMatcher) status(x oauth.Exchange) bool {
	status := x.Status
	switch {
	case len(m.statuses) == 0 || slices.Contains(m.statuses, status):
		return true
	case m.usual && slices.Contains(m.codes, x.ErrorCode()):
		m.s.seen.lower(reports.Note, fmt.Sprintf("status %d where %s is right", status, join(m.statuses)))
		return true
	}
	tolerated := slices.Contains(m.tolerated, status)
	if tolerated {
		m.s.seen.lower(reports.Warn, fmt.Sprintf("status %d where %s is right", status, join(m.statuses)))
	}
	return tolerated
}

func (m *answerMatcher) code(code string) bool {
	if len(m.codes) == 0 || slices.Contains(m.codes, code) {
		return true
	}
	v, tolerated := m.mild[code]
	if !tolerated {
		v, tolerated = m.mild["*"]
	}
	if tolerated {
		m.s.seen.lower(v, fmt.Sprintf("the error is %q where %s is right", code, words(m.codes)))
	}
	return tolerated
}

// FailureMessage says what was wanted and what came.
func (m *answerMatcher) FailureMessage(any) string { return m.seen }

// NegatedFailureMessage is never wanted: a refusal is not the negation of an acceptance.
func (m *answerMatcher) NegatedFailureMessage(any) string { return "not " + m.wants + ": " + m.seen }

// A landingMatcher holds the end of an authorization request to what is expected of it.
type landingMatcher struct {
	s     *session
	wants string
	judge func(l oauth.Landing) (bool, string) // and what is wrong
	wrong string
}

var _ types.GomegaMatcher = (*landingMatcher)(nil)

// Match judges a landing.
func (m *landingMatcher) Match(actual any) (bool, error) {
	l, ok := actual.(oauth.Landing)
	if !ok {
		return false, fmt.Errorf("suites: %T is not a landing", actual)
	}
	if len(l.Trail) > 0 {
		m.s.seen.decide(l.Trail[len(l.Trail)-1])
	}
	m.s.seen.expected = m.wants
	held, wrong := m.judge(l)
	if m.wrong = landed(l); wrong != "" {
		m.wrong = wrong + ": " + m.wrong
	}
	return held, nil
}

// FailureMessage says what was wrong and where it landed.
func (m *landingMatcher) FailureMessage(any) string { return m.wrong }

// NegatedFailureMessage is never wanted.
func (m *landingMatcher) NegatedFailureMessage(any) string { return "not " + m.wants + ": " + m.wrong }

// bringError matches an error redirect with one of the codes; other codes, or the error shown on a
// page of the server instead, are judged by what the caller tolerates.
func (s *session) bringError(codes ...string) *errorLanding {
	e := &errorLanding{codes: codes, mild: map[string]reports.Verdict{}}
	e.landingMatcher = landingMatcher{s: s, wants: "a redirect to the client with the error " + words(codes), judge: e.held}
	return e
}

// An errorLanding is a landingMatcher for error redirects.
type errorLanding struct {
	landingMatcher
	codes []string
	mild  map[string]reports.Verdict // tolerated codes; "page" stands for an error page
}

// orWarn tolerates other codes with a warning.
func (e *errorLanding) orWarn(codes ...string) *errorLanding {
	for _, c := range codes {
		e.mild[c] = reports.Warn
	}
	return e
}

// orPage accepts an error page of the server instead of the redirect, at the price of the verdict.
func (e *errorLanding) orPage(v reports.Verdict) *errorLanding {
	e.mild["page"] = v
	return e
}

func (e *errorLanding) held(l oauth.Landing) (bool, string) {
	if issued := l.Params().Get("code") + l.Params().Get("access_token"); issued != "" {
		return false, "something was issued"
	}
	if l.Kind != oauth.Redirected {
		v, tolerated := e.mild["page"]
		if !tolerated || l.Kind != oauth.Shown || l.Page == nil || l.Page.Status >= 500 {
			return false, "no redirect with an error"
		}
		if v != reports.Pass {
			e.s.seen.lower(v, "the error is shown on a page instead of told to the client")
		}
		return true, ""
	}
	code := l.Params().Get("error")
	if slices.Contains(e.codes, code) {
		return true, ""
	}
	if v, tolerated := e.mild[code]; tolerated && code != "" {
		e.s.seen.lower(v, fmt.Sprintf("the error is %q where %s is right", code, words(e.codes)))
		return true, ""
	}
	return false, "another answer"
}

// answered says in words what came back, without anything secret.
func answered(x oauth.Exchange) string {
	switch {
	case x.Status == 0:
		return fmt.Sprintf("no answer (%v)", x.Err)
	case x.IssuedToken():
		return fmt.Sprintf("%d with an access token", x.Status)
	case x.ErrorCode() != "":
		return fmt.Sprintf("%d %s", x.Status, printable(x.ErrorCode()))
	default:
		return fmt.Sprintf("%d %s, %d bytes of %s", x.Status, http.StatusText(x.Status), len(x.Body), printable(mediaType(x)))
	}
}

// landed says in words where an authorization request ended, without anything secret.
func landed(l oauth.Landing) string {
	switch l.Kind {
	case oauth.Redirected:
		var names []string
		for _, p := range l.Params() {
			name := p.Name
			if name == "error" {
				name += "=" + p.Value
			}
			names = append(names, name)
		}
		to, _, _ := strings.Cut(l.URL, "?")
		to, _, _ = strings.Cut(to, "#")
		return printable(fmt.Sprintf("redirected to %s with %s", to, strings.Join(names, ", ")))
	case oauth.Shown:
		if l.Page != nil {
			return printable(fmt.Sprintf("a page of the server (status %d): %s", l.Page.Status, excerpt(l.Page.Title+" "+l.Page.Text)))
		}
		return "a page of the server"
	default:
		return "the " + string(l.Kind) + " page"
	}
}

// excerpt is the beginning of a text on one line.
func excerpt(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 160 {
		text = text[:160] + "…"
	}
	return text
}

// printable makes server text harmless in a message.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || (r >= 0x80 && r <= 0x9f) {
			return '·'
		}
		return r
	}, strings.ToValidUTF8(text, "·"))
}

func join(statuses []int) string {
	out := make([]string, len(statuses))
	for i, s := range statuses {
		out[i] = fmt.Sprint(s)
	}
	return strings.Join(out, " or ")
}
