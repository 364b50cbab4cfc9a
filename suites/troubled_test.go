//go:build !race

package suites_test

import (
	"bytes"
	"flag"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
	"flowproof/reports"
	"flowproof/suites"
	"flowproof/suites/catalogue"
)

var thorough = flag.Bool("thorough", false, "lose answers of a server with each of the faults, not only with some")

// A loss is how an answer gets lost on its way.
type loss func(w http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder)

func losses() map[string]loss {
	return map[string]loss{
		"reset": func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) { panic(http.ErrAbortHandler) },
		"half a body": func(w http.ResponseWriter, _ *http.Request, answer *httptest.ResponseRecorder) {
			maps.Copy(w.Header(), answer.Header())
			w.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()+1))
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
			panic(http.ErrAbortHandler)
		},
		"silence": func(_ http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) { <-r.Context().Done() },
	}
}

// losing is a sandbox some of whose answers get lost, although it does what was asked for.
func losing(t *testing.T, o sandbox.Options, by loss, lost func(n int64, path string) bool) target.Target {
	t.Helper()
	sb, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	return behind(t, sb, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !lost(n.Add(1), r.URL.Path) {
			sb.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		sb.ServeHTTP(answer, r)
		by(w, r, answer)
	}))
}

// TestLostAnswersProveNothing loses answers of a server that errs in nothing: what was not observed is neither held
// against it nor passes, and the rest is judged as ever.
func TestLostAnswersProveNothing(t *testing.T) {
	at := func(prefix string) func(int64, string) bool {
		return func(n int64, path string) bool { return n > 1 && strings.HasPrefix(path, prefix) }
	}
	key, err := sandbox.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	o := sandbox.Options{Tokens: "opaque", Extras: true, Key: key}
	for where, c := range map[string]struct {
		lost func(int64, string) bool
		dead string // the endpoint of which nothing is heard
		pass int    // at least
	}{
		"each third":    {lost: func(n int64, _ string) bool { return n%3 == 0 }, pass: 30},
		"each seventh":  {lost: func(n int64, _ string) bool { return n%7 == 0 }, pass: 60},
		"revocation":    {at("/oauth/revoke"), "revocation", 140},
		"introspection": {at("/oauth/introspect"), "introspection", 140},
		"resource":      {at("/api/"), "resource", 110},
		"metadata":      {at("/.well-known/"), "metadata", 140},
		"authorization": {at("/oauth/auth"), "authorization", 60},
	} {
		for how, by := range losses() {
			if how == "silence" && c.dead != "introspection" || how == "half a body" && c.dead != "" && c.dead != "revocation" {
				continue // each takes its time, and resets show the same
			}
			t.Run(where+", "+how, func(t *testing.T) {
				of := losing(t, o, by, c.lost)
				if how == "silence" {
					of.Timeout = 300 * time.Millisecond
				}
				record, err := play(t, of, func(o *suites.Options) { o.Destructive = c.dead == "" })
				if err != nil {
					t.Fatal(err)
				}
				passed := 0
				for _, r := range record.Results {
					row, _ := catalogue.ByID(r.Requirement)
					if r.Verdict == reports.Pass {
						passed++
					}
					for _, f := range r.Findings {
						switch {
						case f.Verdict == reports.Fail || f.Verdict == reports.Warn:
							t.Errorf("%s %s: %s: %s (expected %s)", f.Verdict, r.Requirement, f.Variant, f.Message, f.Expected)
						case f.Verdict == reports.Pass && slices.ContainsFunc(f.Evidence, func(x reports.Exchange) bool { return x.Deciding && x.Error != "" }):
							t.Errorf("%s passes by an answer that was lost: %s (expected %s)", r.Requirement, f.Variant, f.Expected)
						case f.Verdict == reports.Pass && c.dead != "" && row.Endpoint == c.dead && !row.Passive && !strings.HasPrefix(f.Variant, "/oauth/token"):
							t.Errorf("%s passes, and nothing was heard of its endpoint: %s (expected %s)", r.Requirement, f.Variant, f.Expected)
						}
					}
				}
				if passed < c.pass {
					t.Errorf("%d pass, and %d have nothing to do with what was lost", passed, c.pass)
				}
			})
		}
	}
}

// TestLostAnswersHideNoFault loses a fifth of the answers of servers that do err: what is wrong with them is found, or not
// known, and never passes.
func TestLostAnswersHideNoFault(t *testing.T) {
	key, err := sandbox.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	every, verdicts := 9, map[reports.Verdict]int{}
	if *thorough {
		every = 1
	}
	for i, f := range sandbox.Faults() {
		row, _ := catalogue.ByID(f.Requirement)
		o := f.Options(sandbox.Options{Key: key})
		if o.Faults = []string{f.ID}; i%every != 0 || row.Browser || row.Slow || o.TLS {
			continue
		}
		for how, by := range losses() {
			if how == "silence" {
				continue
			}
			fifth := func(n int64, _ string) bool { return n > 1 && rand.New(rand.NewPCG(uint64(i), uint64(n))).IntN(5) == 0 }
			record, err := play(t, losing(t, o, by, fifth), func(o *suites.Options) {
				o.Destructive, o.Only = true, f.Requirement
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range record.Results {
				if r.Requirement != f.Requirement {
					continue
				}
				if verdicts[r.Verdict]++; r.Verdict == reports.Pass {
					t.Errorf("%s passes before a server with the fault %s", r.Requirement, f.ID)
				}
			}
		}
	}
	t.Logf("lost answers: %d runs before servers that err: wrong verdict %d, %v", sum(verdicts), verdicts[reports.Pass], verdicts)
}

func sum(counts map[reports.Verdict]int) (n int) {
	for _, one := range counts {
		n += one
	}
	return n
}

// TestHangingUpIsAnAnswer: a server that hangs up again and again, on those alone who do one thing, is held to that.
func TestHangingUpIsAnAnswer(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{} // how often for each code; twice is no race yet, but a replay
	for name, c := range map[string]struct {
		requirement string
		hangsUp     func(r *http.Request, form url.Values, status int) bool
	}{
		"on a NUL byte": {"RFC6749-10.14-malformed-token-request", func(_ *http.Request, form url.Values, _ int) bool {
			return form.Get("x") == "\x00"
		}},
		"on those who lose a race": {"RFC6749-10.5-race-losers-clean", func(_ *http.Request, form url.Values, status int) bool {
			mu.Lock()
			defer mu.Unlock()
			code := form.Get("code")
			asked[code]++
			return status == http.StatusBadRequest && asked[code] > 2
		}},
	} {
		t.Run(name, func(t *testing.T) {
			sb, err := sandbox.New(sandbox.Options{Tokens: "opaque"})
			if err != nil {
				t.Fatal(err)
			}
			of := behind(t, sb, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				form, _ := url.ParseQuery(string(body))
				r.Body = io.NopCloser(bytes.NewReader(body))
				answer := httptest.NewRecorder()
				sb.ServeHTTP(answer, r)
				if c.hangsUp(r, form, answer.Code) {
					panic(http.ErrAbortHandler)
				}
				maps.Copy(w.Header(), answer.Header())
				w.WriteHeader(answer.Code)
				_, _ = w.Write(answer.Body.Bytes())
			}))
			record, err := play(t, of, func(o *suites.Options) { o.Only = c.requirement })
			if err != nil {
				t.Fatal(err)
			}
			if r := record.Results[0]; r.Verdict != reports.Fail {
				t.Errorf("%s: %s, want fail: %s", r.Requirement, r.Verdict, r.Findings[0].Message)
			}
		})
	}
}
