//go:build !race

package suites_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// throttling is a sandbox that puts requests off as gateways do: all after the first ones, or each few.
func throttling(t *testing.T, off func(n int64) bool, say func(http.ResponseWriter)) target.Target {
	t.Helper()
	sb, err := sandbox.New(sandbox.Options{Tokens: "opaque", Extras: true})
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	return behind(t, sb, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/oauth/") && off(n.Add(1)) {
			say(w)
			return
		}
		sb.ServeHTTP(w, r)
	}))
}

// TestThrottledServerIsNotWrong: who is asked too often may say so, whatever the request was to prove.
func TestThrottledServerIsNotWrong(t *testing.T) {
	says := map[string]func(http.ResponseWriter){
		"429": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"slow_down": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"slow_down"}`)
		},
		"503": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
	}
	// Nothing is asked for them, or they hold of what is said when a request is put off, too.
	elsewhere := []string{
		"RFC8414-3-document", "RFC8414-2-truthful", "RFC6749-10.10-client-secret-strength", "SPACE-endpoints-documented",
		"RFC8259-8.1-json-wellformed", "RFC6749-5.2-error-status-json", "RFC6749-5.2-error-text-charset", "RFC6749-5.2-error-registered-code", "RFC6749-5.1-cache-control",
	}
	for name, say := range says {
		for when, off := range map[string]func(int64) bool{
			"all":        func(int64) bool { return true },
			"after ten":  func(n int64) bool { return n > 10 },
			"each third": func(n int64) bool { return n%3 == 0 },
			"each fifth": func(n int64) bool { return n%5 == 0 },
		} {
			t.Run(name+" "+when, func(t *testing.T) {
				record, err := play(t, throttling(t, off, say), nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range record.Results {
					for _, f := range r.Findings {
						if f.Verdict == reports.Fail {
							t.Errorf("%s: %s: %s (expected %s)", r.Requirement, f.Variant, f.Message, f.Expected)
						}
						if f.Verdict == reports.Pass && !slices.Contains(elsewhere, r.Requirement) && slices.ContainsFunc(f.Evidence, func(x reports.Exchange) bool {
							return x.Deciding && (x.Status == 429 || x.Status == 503 || strings.Contains(x.AnswerBody, "slow_down"))
						}) {
							t.Errorf("%s passes by an answer that puts the request off: %s (expected %s)", r.Requirement, f.Variant, f.Expected)
						}
						if f.Verdict == reports.Pass && when == "all" && !slices.Contains(elsewhere, r.Requirement) {
							t.Errorf("%s passes: %s: %s (expected %s)", r.Requirement, f.Variant, f.Message, f.Expected)
						}
					}
				}
			})
		}
	}
}
