package suites

import (
	"slices"
	"testing"

	"flowproof/reports"
	"flowproof/suites/catalogue"
)

func TestProve(t *testing.T) {
	const id = "RFC6749-4.1.2-code-single-use"
	row, known := catalogue.ByID(id)
	if !known {
		t.Fatal("no such row")
	}
	run := func(verdicts ...any) reports.Conformance {
		c := reports.Conformance{Target: reports.Target{Profile: "rfc6749"}}
		for i := 0; i+1 < len(verdicts); i += 2 {
			c.Results = append(c.Results, reports.Result{Requirement: verdicts[i].(string), Verdict: verdicts[i+1].(reports.Verdict)})
		}
		return c
	}
	clean := run(id, reports.Pass, "other", reports.Pass, "noted", reports.Note)
	for _, c := range []struct {
		name         string
		faulty       reports.Conformance
		consequences []string
		caught       bool
		stowaways    []string
	}{
		{"caught", run(id, reports.Fail, "other", reports.Pass, "noted", reports.Note), nil, true, nil},
		{"a warning does not do for a MUST", run(id, reports.Warn), nil, false, nil},
		{"inconclusive catches nothing", run(id, reports.Inconclusive), nil, false, nil},
		{"missed", run(id, reports.Pass), nil, false, nil},
		{"not judged", run("other", reports.Pass), nil, false, nil},
		{"a stowaway", run(id, reports.Fail, "other", reports.Warn), nil, true, []string{"other"}},
		{"a known consequence", run(id, reports.Fail, "other", reports.Fail), []string{"other"}, true, nil},
		{"inconclusive is no stowaway", run(id, reports.Fail, "other", reports.Inconclusive), nil, true, nil},
		{"a note that was there before is none either", run(id, reports.Fail, "noted", reports.Note), nil, true, nil},
	} {
		p := Prove(row, clean, c.faulty, c.consequences)
		if p.Caught != c.caught || !slices.Equal(p.Stowaways, c.stowaways) {
			t.Errorf("%s: caught %v, stowaways %q", c.name, p.Caught, p.Stowaways)
		}
	}
	if p := Prove(row, run(id, reports.Fail), run(id, reports.Fail), nil); p.Caught {
		t.Error("what fails without the fault proves nothing with it")
	}
}
