package reports

import "testing"

func TestWorst(t *testing.T) {
	for _, c := range []struct {
		in   []Verdict
		want Verdict
	}{
		{nil, Inconclusive},
		{[]Verdict{Pass, NotApplicable}, Pass},
		{[]Verdict{NotApplicable}, NotApplicable},
		{[]Verdict{Pass, Note}, Note},
		{[]Verdict{Note, Inconclusive, Pass}, Inconclusive},
		{[]Verdict{Inconclusive, Warn}, Warn},
		{[]Verdict{Warn, Fail, Pass}, Fail},
		{[]Verdict{Pass, "great"}, Inconclusive},
	} {
		if got := Worst(c.in...); got != c.want {
			t.Errorf("Worst(%v) = %s, want %s", c.in, got, c.want)
		}
	}
}

func results(verdicts ...Verdict) []Result {
	var out []Result
	for _, v := range verdicts {
		out = append(out, Result{Verdict: v})
	}
	return out
}

func TestExitCodeOfACheck(t *testing.T) {
	for _, c := range []struct {
		name          string
		in            Conformance
		plain, strict int
		verdict       Verdict
	}{
		{"all pass", Conformance{Results: results(Pass, Pass, NotApplicable)}, 0, 0, Pass},
		{"a note", Conformance{Results: results(Pass, Note)}, 0, 0, Pass},
		{"a warning", Conformance{Results: results(Pass, Warn)}, 0, 1, Warn},
		{"a failure", Conformance{Results: results(Pass, Fail, Inconclusive)}, 1, 1, Fail},
		{"a failure before the end", Conformance{Partial: "interrupted", Results: results(Fail)}, 1, 1, Fail},
		{"partial", Conformance{Partial: "interrupted", Results: results(Pass)}, 3, 3, Inconclusive},
		{"inconclusive", Conformance{Results: results(Pass, Inconclusive)}, 3, 3, Inconclusive},
		{"a warning and inconclusive", Conformance{Results: results(Warn, Inconclusive)}, 3, 1, Inconclusive},
		{"nothing judged", Conformance{Results: results(NotApplicable)}, 3, 3, Inconclusive},
		{"nothing at all", Conformance{}, 3, 3, Inconclusive},
		{"no verdict", Conformance{Results: results(Pass, "great")}, 3, 3, Inconclusive},
	} {
		if got := c.in.ExitCode(false); got != c.plain {
			t.Errorf("%s: exit code %d, want %d", c.name, got, c.plain)
		}
		if got := c.in.ExitCode(true); got != c.strict {
			t.Errorf("%s, strict: exit code %d, want %d", c.name, got, c.strict)
		}
		if got := c.in.headline().Verdict; got != c.verdict {
			t.Errorf("%s: the headline says %s, want %s", c.name, got, c.verdict)
		}
	}
}

func TestExitCodeOfALoad(t *testing.T) {
	for _, c := range []struct {
		in   Load
		want int
	}{
		{Load{Verdict: Pass}, 0},
		{Load{Verdict: Fail}, 1},
		{Load{Verdict: Fail, Partial: "interrupted"}, 1},
		{Load{Verdict: Pass, Partial: "interrupted"}, 3},
		{Load{Verdict: Inconclusive}, 3},
		{Load{}, 3},
	} {
		if got := c.in.ExitCode(); got != c.want {
			t.Errorf("%s %q: exit code %d, want %d", c.in.Verdict, c.in.Partial, got, c.want)
		}
	}
}

func TestMatrixCountsRequirementsOnceACell(t *testing.T) {
	m := Conformance{Results: []Result{
		{Verdict: Fail, Findings: []Finding{
			{Verdict: Pass, Flow: "password", Endpoint: "token"},
			{Verdict: Fail, Flow: "password", Endpoint: "token"},
			{Verdict: NotApplicable, Flow: "implicit", Endpoint: "authorization"},
		}},
		{Verdict: Pass, Findings: []Finding{
			{Verdict: Pass, Flow: "any", Endpoint: "jwks"},
			{Verdict: NotApplicable, Flow: "password", Endpoint: "token"},
			{Verdict: Pass, Flow: "password", Endpoint: "resource"},
		}},
	}}.Matrix()
	for _, c := range []struct {
		flow, endpoint string
		verdict        Verdict
		want           int
	}{
		{"password", "token", Fail, 1},
		{"password", "token", Pass, 0},
		{"password", "token", NotApplicable, 1},
		{"password", "", Fail, 1},
		{"password", "", Pass, 1},
		{"", "token", NotApplicable, 1},
		{"implicit", "authorization", NotApplicable, 1},
		{"implicit", "token", Pass, 0},
		{"", "", Fail, 1},
		{"", "", Pass, 1},
	} {
		if got := m.At(c.flow, c.endpoint)[c.verdict]; got != c.want {
			t.Errorf("%s × %s: %d %s, want %d", c.flow, c.endpoint, got, c.verdict, c.want)
		}
	}
	if len(m.Flows) != 6 || m.Flows[5] != "any" {
		t.Errorf("flows %v", m.Flows)
	}
	if len(m.Endpoints) != 4 || m.Endpoints[3] != "jwks" {
		t.Errorf("endpoints %v", m.Endpoints)
	}
}
