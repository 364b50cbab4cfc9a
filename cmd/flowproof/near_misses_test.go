package main

import (
	"bytes"
	"strings"
	"testing"

	"flowproof/drivers/sandbox"
	"flowproof/suites"
	"flowproof/suites/catalogue"
)

// TestNearMissesAreTolerated plays the verb, in one process: three deviations, and the line at the end.
func TestNearMissesAreTolerated(t *testing.T) {
	var out, complaints bytes.Buffer
	code := run(t.Context(), []string{"mutate", "--near-misses", "--no-browser", "--verbose", "--only", "token-type-lower-case,wrong-password-401,scope-demanded-of-clients"},
		console{out: &out, err: &complaints, env: func(string) (string, bool) { return "", false }})
	for _, want := range []string{"tolerated   token-type-lower-case by RFC6749-7.1-token-type-bearer: pass\n",
		"tolerated   wrong-password-401 by RFC6749-4.3.2-password-errors: warn\n", "\ntolerated 3 of 3\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("exit code %d: %s%swant %q", code, out.String(), complaints.String(), want)
		}
	}
}

func TestNearMissesNameRequirements(t *testing.T) {
	for _, n := range sandbox.NearMisses() {
		for _, id := range append([]string{n.Requirement}, keys(n.Others)...) {
			if _, known := catalogue.ByID(id); !known {
				t.Errorf("%s names %s, which the catalogue does not know", n.ID, id)
			}
		}
	}
}

func keys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

func TestNearMissLines(t *testing.T) {
	miss := sandbox.NearMiss{ID: "near", Requirement: "row"}
	if lines := toleranceLines(miss, suites.Tolerance{Verdict: "pass", Blinded: []string{"x"}}, false); len(lines) != 0 {
		t.Errorf("%q", lines)
	}
	lines := toleranceLines(miss, suites.Tolerance{Verdict: "pass", Alarms: []string{"other: fail (why)"}, Blinded: []string{"x"}}, true)
	if len(lines) != 2 || lines[0] != "alarm       near, allowed by row: other: fail (why)" {
		t.Errorf("%q", lines)
	}
	if _, err := chosenNearMisses([]string{"nobody"}); err == nil {
		t.Error("an unknown near miss was chosen")
	}
}
