package suites

import (
	"net/http"
	"testing"

	"flowproof/reports"
)

// A server that breaks down over a bad request gave nothing away. Whether that will do depends on what is asked.
func TestRefusalByServerError(t *testing.T) {
	const broken = `{"error":"server_error"}`
	for _, c := range []struct {
		name    string
		matcher func(*session) *answerMatcher
		status  int
		body    string
		matches bool
		lowered reports.Verdict
	}{
		{"every refusal will do", anyRefusal, 500, broken, true, reports.Warn},
		{"nothing is said of how", func(s *session) *answerMatcher { return s.beRefused() }, 500, broken, true, reports.Warn},
		{"a certain status is due", func(s *session) *answerMatcher { return s.beRefused().withStatus(401) }, 500, broken, false, ""},
		{"a certain one is due", certainRefusal, 500, broken, false, ""},
		{"without a word", anyRefusal, 500, "it broke", false, ""},
		{"with a token all the same", anyRefusal, 500, `{"error":"server_error","access_token":"x","token_type":"Bearer"}`, false, ""},
		{"not now", anyRefusal, http.StatusServiceUnavailable, `{"error":"temporarily_unavailable"}`, false, ""},
		{"a clean one", anyRefusal, 400, `{"error":"invalid_grant"}`, true, ""},
		{"another clean one", anyRefusal, 400, `{"error":"invalid_request"}`, true, reports.Note},
	} {
		s := &session{seen: &observation{}}
		matched, err := c.matcher(s).Match(answer(c.status, c.body))
		if err != nil || matched != c.matches || s.seen.lowered != c.lowered {
			t.Errorf("%s: %t, %q, %v", c.name, matched, s.seen.lowered, err)
		}
	}
}

func anyRefusal(s *session) *answerMatcher     { return certainRefusal(s).orAnyCode(reports.Note) }
func certainRefusal(s *session) *answerMatcher { return s.beRefused("invalid_grant") }
