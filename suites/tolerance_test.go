package suites

import (
	"testing"

	"flowproof/reports"
)

func TestTolerateNear(t *testing.T) {
	run := func(verdicts ...any) reports.Conformance {
		c := reports.Conformance{}
		for i := 0; i+1 < len(verdicts); i += 2 {
			c.Results = append(c.Results, reports.Result{Requirement: verdicts[i].(string), Verdict: verdicts[i+1].(reports.Verdict)})
		}
		return c
	}
	clean := run("row", reports.Pass, "other", reports.Pass)
	for _, c := range []struct {
		name            string
		allowed         Allowance
		near            reports.Conformance
		tolerated       bool
		alarms, blinded int
	}{
		{"as good as clean", Allowance{Worst: reports.Pass}, clean, true, 0, 0},
		{"a warning that is allowed", Allowance{Worst: reports.Warn}, run("row", reports.Warn), true, 0, 0},
		{"a note where a pass is due", Allowance{Worst: reports.Pass}, run("row", reports.Note), false, 1, 0},
		{"a failure", Allowance{Worst: reports.Warn}, run("row", reports.Fail), false, 1, 0},
		{"another one's note", Allowance{Worst: reports.Pass}, run("row", reports.Pass, "other", reports.Note), true, 0, 0},
		{"another one's warning", Allowance{Worst: reports.Pass}, run("row", reports.Pass, "other", reports.Warn), false, 1, 0},
		{"another one's warning, listed", Allowance{Worst: reports.Pass, Others: map[string]string{"other": "warn"}}, run("row", reports.Pass, "other", reports.Warn), true, 0, 0},
		{"not judged", Allowance{Worst: reports.Warn}, run("other", reports.Pass), false, 1, 0},
		{"inconclusive", Allowance{Worst: reports.Warn}, run("row", reports.Inconclusive), false, 1, 1},
		{"not applicable", Allowance{Worst: reports.Pass}, run("row", reports.NotApplicable), false, 1, 0},
		{"skipped, as the caution says", Allowance{Worst: reports.Pass, Skipped: true}, run("row", reports.NotApplicable), true, 0, 0},
		{"another one is blinded", Allowance{Worst: reports.Pass}, run("row", reports.Pass, "other", reports.Inconclusive), true, 0, 1},
	} {
		c.allowed.Requirement = "row"
		got := Tolerate(c.allowed, clean, c.near)
		if got.Tolerated() != c.tolerated || len(got.Alarms) != c.alarms || len(got.Blinded) != c.blinded {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
