package suites_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"flowproof/drivers/oauth"
	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
	"flowproof/reports"
	"flowproof/suites"
	"flowproof/suites/catalogue"
)

// standIn serves a sandbox and returns it as a target.
func standIn(t *testing.T, o sandbox.Options) target.Target {
	t.Helper()
	sb, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return behind(t, sb, sb)
}

// behind serves a sandbox as the handler lets it be seen, and returns it as a target.
func behind(t *testing.T, sb *sandbox.Sandbox, handler http.Handler) target.Target {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	secrets := sb.Secrets()
	parsed, err := target.Parse("sandbox", sb.TargetFile(server.URL, func(name string) string { return "env:" + name }), target.Lookup{
		Env:  func(name string) (string, bool) { s, ok := secrets[name]; return s, ok },
		File: os.ReadFile,
	})
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// play runs the suites with a reader of plain forms in place of the browser.
func play(t *testing.T, of target.Target, change func(*suites.Options)) (reports.Conformance, error) {
	t.Helper()
	driver, err := oauth.New(of, oauth.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(driver.Close)
	o := suites.Options{Target: of, Driver: driver, Front: oauth.NewForms(of, driver), NoBrowser: "this test has none", Rounds: 2}
	if change != nil {
		change(&o)
	}
	return suites.Run(t.Context(), o)
}

func TestSandboxIsSpotless(t *testing.T) {
	key, err := sandbox.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []sandbox.Options{
		{Posture: "space"},
		{Posture: "space", Edition: "space-2021", Guest: true},
		{Posture: "space", Edition: "space-2024"},
		{Posture: "space", Tokens: "opaque", Rotation: true, Extras: true},
		{Posture: "rfc6749"},
		{Posture: "rfc6749", Tokens: "opaque", Rotation: true, Extras: true},
		{Posture: "bcp-9700"},
		{Posture: "bcp-9700", Extras: true},
		{Posture: "oauth-2.1"},
		{Posture: "oauth-2.1", Tokens: "opaque", Extras: true},
	} {
		o.Key = key
		t.Run(strings.Join([]string{o.Posture, o.Edition, o.Tokens}, " "), func(t *testing.T) {
			record, err := play(t, standIn(t, o), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(record.Results) < 80 {
				t.Errorf("only %d requirements were judged", len(record.Results))
			}
			for _, r := range record.Results {
				row, _ := catalogue.ByID(r.Requirement)
				if r.Verdict == reports.Inconclusive && row.Browser {
					continue // there is no browser here
				}
				for _, f := range r.Findings {
					if f.Verdict == reports.Fail || f.Verdict == reports.Warn || f.Verdict == reports.Inconclusive {
						t.Errorf("%s %s: %s: %s (expected %s)", f.Verdict, r.Requirement, f.Variant, f.Message, f.Expected)
					}
				}
			}
		})
	}
}

func TestRunClaimsNothingWithoutATarget(t *testing.T) {
	of := standIn(t, sandbox.Options{Tokens: "opaque"})
	of.Endpoints.Token = "http://127.0.0.1:9/oauth/token"
	if _, err := play(t, of, nil); err == nil || !strings.Contains(err.Error(), "gave no answer") {
		t.Fatalf("got %v, want an error that says that the token endpoint gave no answer", err)
	}
}

func TestRunRefusesABadFilter(t *testing.T) {
	of := standIn(t, sandbox.Options{Tokens: "opaque"})
	if _, err := play(t, of, func(o *suites.Options) { o.Only = "((" }); err == nil {
		t.Fatal("a filter that cannot be read was accepted")
	}
	if _, err := play(t, of, func(o *suites.Options) { o.Only = "no-such-label" }); err == nil {
		t.Fatal("a filter that chooses nothing passed")
	}
}

func TestEndedRunIsPartialAndPassesNothing(t *testing.T) {
	of := standIn(t, sandbox.Options{Tokens: "opaque"})
	driver, err := oauth.New(of, oauth.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	record, err := suites.Run(ctx, suites.Options{
		Target: of, Driver: driver, Front: oauth.NewForms(of, driver),
		Progress: func(done, _ int) {
			if done == 5 {
				cancel()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if record.Partial == "" {
		t.Error("the record of a run that was ended is not marked partial")
	}
	passed := 0
	for _, r := range record.Results {
		if r.Verdict == reports.Pass {
			passed++
		}
	}
	if passed > 5 {
		t.Errorf("%d requirements passed although the run ended after 5 specs", passed)
	}
}

func TestWithoutAUserAgentFrontRowsAreInconclusive(t *testing.T) {
	of := standIn(t, sandbox.Options{Tokens: "opaque"})
	record, err := play(t, of, func(o *suites.Options) { o.Front, o.Only = nil, "RFC6749-4.1-issues-token" })
	if err != nil {
		t.Fatal(err)
	}
	if got := record.Results[0].Verdict; got != reports.Inconclusive {
		t.Errorf("got %s, want inconclusive", got)
	}
	if record.ExitCode(false) != 3 {
		t.Errorf("exit code %d, want 3", record.ExitCode(false))
	}
}

func TestSuitesCiteOnlyWhatHasAFault(t *testing.T) {
	record, err := play(t, standIn(t, sandbox.Options{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	proved := map[string]bool{}
	for _, f := range sandbox.Faults() {
		proved[f.Requirement] = true
		row, known := catalogue.ByID(f.Requirement)
		if !known || row.Fault.ID != f.ID {
			t.Errorf("the fault %s is for %s, whose fault is %s", f.ID, f.Requirement, row.Fault.ID)
		}
		for _, c := range f.Consequences {
			if _, known := catalogue.ByID(c); !known {
				t.Errorf("the fault %s has the consequence %s, which is no requirement", f.ID, c)
			}
		}
	}
	for _, r := range record.Results {
		if !proved[r.Requirement] {
			t.Errorf("%s is judged, and no fault of the sandbox proves it", r.Requirement)
		}
	}
}

// TestSilenceProvesNothing: a target that falls silent is waited for once; what is left neither passes nor fails.
func TestSilenceProvesNothing(t *testing.T) {
	sb, err := sandbox.New(sandbox.Options{Tokens: "opaque"})
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int64
	record, err := play(t, behind(t, sb, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > 40 {
			panic(http.ErrAbortHandler) // and the connection ends
		}
		sb.ServeHTTP(w, r)
	})), nil)
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, r := range record.Results {
		switch r.Verdict {
		case reports.Fail:
			t.Errorf("%s fails: %s", r.Requirement, r.Findings[0].Message)
		case reports.Pass:
			passed++
		}
	}
	if passed == 0 || passed > 40 || record.ExitCode(false) != 3 {
		t.Errorf("%d passed, exit code %d", passed, record.ExitCode(false))
	}
	if n := requests.Load(); n > 500 {
		t.Errorf("it was asked %d times", n)
	}
}
