package main

import (
	"bytes"
	"strings"
	"testing"

	"flowproof/drivers/sandbox"
	"flowproof/reports"
	"flowproof/suites"
)

func TestTallyCountsWhatWentWrong(t *testing.T) {
	fault := sandbox.Fault{ID: "code-reusable", Requirement: "RFC6749-4.1.2-code-single-use"}
	for _, c := range []struct {
		name  string
		proof suites.Proof
		line  string
		sum   string
	}{
		{"caught", suites.Proof{Faulty: reports.Fail, Wanted: reports.Fail, Caught: true}, "",
			"caught 1 of 1; stowaways 0; findings without a fault 0"},
		{"missed", suites.Proof{Faulty: reports.Pass, Wanted: reports.Fail}, "not caught  code-reusable by RFC6749-4.1.2-code-single-use: pass where fail was due",
			"caught 0 of 1; stowaways 0; findings without a fault 0"},
		{"not judged", suites.Proof{Wanted: reports.Fail}, "not caught  code-reusable by RFC6749-4.1.2-code-single-use: not judged where fail was due",
			"caught 0 of 1; stowaways 0; findings without a fault 0"},
		{"stowaway", suites.Proof{Faulty: reports.Fail, Wanted: reports.Fail, Caught: true, Stowaways: []string{"A", "B"}},
			"stowaways   code-reusable, meant for RFC6749-4.1.2-code-single-use, also made these worse: A, B",
			"caught 1 of 1; stowaways 2; findings without a fault 0"},
	} {
		sum := tally{}
		if line := sum.count(fault, c.proof); line != c.line {
			t.Errorf("%s: %q, want %q", c.name, line, c.line)
		}
		if sum.String() != c.sum {
			t.Errorf("%s: %q, want %q", c.name, sum, c.sum)
		}
		if sum.proved() != (c.name == "caught") {
			t.Errorf("%s: proved is %v", c.name, sum.proved())
		}
	}
}

func TestTallyTellsFindingsWithoutAFault(t *testing.T) {
	sum := tally{caught: 1, of: 1}
	lines := sum.spots(reports.Conformance{Results: []reports.Result{
		{Requirement: "passes", Verdict: reports.Pass}, {Requirement: "notes", Verdict: reports.Note},
		{Requirement: "warns", Verdict: reports.Warn, Findings: []reports.Finding{{Verdict: reports.Warn, Variant: "v", Message: "m"}}},
	}})
	if len(lines) != 1 || !strings.Contains(lines[0], "warns") || !strings.Contains(lines[0], "v: m") || sum.proved() {
		t.Errorf("%q, proved %v", lines, sum.proved())
	}
}

func TestReadTallyReadsWhatAProcessPrinted(t *testing.T) {
	var out bytes.Buffer
	out.WriteString("no fault    warn X, profile space: why\n" + tally{3, 4, 1, 2}.String() + "\n")
	sum, lines := readTally(&out)
	if sum != (tally{3, 4, 1, 2}) || len(lines) != 1 {
		t.Errorf("%+v %q", sum, lines)
	}
}

// TestMutateProvesAndRefutes plays the verb: a fault that is caught, and the line at the end.
func TestMutateProvesAndRefutes(t *testing.T) {
	var out, complaints bytes.Buffer
	code := run(t.Context(), []string{"mutate", "--no-browser", "--verbose", "--only", "omit-pragma,cc-for-public"}, console{out: &out, err: &complaints, env: func(string) (string, bool) { return "", false }})
	if want := "caught 2 of 2; stowaways 0;"; !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "caught      cc-for-public by RFC6749-4.4-confidential-only: fail") {
		t.Errorf("%s%s, exit code %d, want %q", out.String(), complaints.String(), code, want)
	}
}
