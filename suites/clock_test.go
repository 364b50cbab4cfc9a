//go:build !race

package suites_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"flowproof/drivers/sandbox"
	"flowproof/reports"
)

// TestClocksMayDiffer checks servers whose clock is not this machine's. They are right by their own, and where they do
// not tell theirs, nobody knows whose is wrong.
func TestClocksMayDiffer(t *testing.T) {
	key, err := sandbox.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ahead  time.Duration
		date   func(now time.Time) []string // nil: no header
		notice string
		want   reports.Verdict // of what it says of times
	}{
		"an hour ahead":        {time.Hour, dated, "the target's clock is 1h0m", reports.Pass},
		"an hour behind":       {-time.Hour, dated, "the target's clock is 1h0m", reports.Pass},
		"ahead, and tells not": {time.Hour, func(time.Time) []string { return nil }, "", reports.Inconclusive},
		"ahead of its own":     {time.Hour, func(time.Time) []string { return dated(time.Now()) }, "", reports.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			clock := func() time.Time { return time.Now().Add(c.ahead) }
			o := sandbox.Options{Posture: "rfc6749", Extras: true, Key: key, Clock: clock, Tokens: "opaque"}
			if c.want == reports.Pass {
				o.Tokens = "rs512" // which tell times, too
			}
			sb, err := sandbox.New(o)
			if err != nil {
				t.Fatal(err)
			}
			record, err := play(t, behind(t, sb, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Date"] = c.date(clock())
				sb.ServeHTTP(w, r)
			})), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range record.Results {
				if r.Requirement == "RFC7662-2.2-state-truthful" {
					if r.Verdict != c.want {
						t.Errorf("%s is %s, want %s: %+v", r.Requirement, r.Verdict, c.want, r.Findings[0].Message)
					}
				} else if r.Verdict == reports.Fail || r.Verdict == reports.Warn {
					t.Errorf("%s is %s: %s", r.Requirement, r.Verdict, r.Findings[0].Message)
				}
			}
			if said := strings.Join(record.Notices, "\n"); strings.Contains(said, "clock") != (c.notice != "") || !strings.Contains(said, c.notice) {
				t.Errorf("the notices are %q", record.Notices)
			}
		})
	}
}

func dated(now time.Time) []string { return []string{now.UTC().Format(http.TimeFormat)} }
