package reports

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestComparedChecks(t *testing.T) {
	worse := two()
	worse.Results[2].Verdict, worse.Results[2].Findings[0].Verdict = Fail, Fail
	better := two()
	better.Results[0].Verdict, better.Results[0].Findings[0].Verdict = Pass, Pass
	partial, other := two(), two()
	partial.Partial, other.Target.Profile = "interrupted", "bcp-9700"
	for name, c := range map[string]struct {
		a, b Conformance
		want Outcome
		says string
	}{
		"the same":           {two(), two(), Same, "3 requirements have the verdict"},
		"worse":              {two(), worse, Worse, "1 requirement got worse"},
		"better":             {two(), better, Better, "1 requirement improved, and none got worse"},
		"both":               {better, worse, Worse, "2 requirements got worse"},
		"a part":             {two(), partial, CannotTell, "ended early"},
		"another profile":    {two(), other, CannotTell, "profile bcp-9700"},
		"nothing":            {Conformance{}, Conformance{}, CannotTell, "Nothing was judged"},
		"worse though apart": {two(), func() Conformance { c := worse; c.Partial = "interrupted"; return c }(), Worse, "got worse"},
	} {
		got := compared(c.a, c.b)
		if got.Outcome != c.want || !strings.Contains(got.Reason, c.says) {
			t.Errorf("%s: %s, %s", name, got.Outcome, got.Reason)
		}
		if code := map[Outcome]int{Same: 0, Better: 0, Worse: 1, CannotTell: 3}[got.Outcome]; got.ExitCode() != code {
			t.Errorf("%s: exit code %d", name, got.ExitCode())
		}
	}
}

func TestComparedLoads(t *testing.T) {
	faster, fast := slowerLoad(120, 0.5), slowerLoad(120, 1)
	short, few, other, stuck, broken := slowerLoad(50, 2), slowerLoad(120, 2), slowerLoad(120, 2), slowerLoad(120, 2), slowerLoad(20, 1)
	few.Steps[0].Latency = histogram(9_000, 2000)
	other.Plan.Rate, stuck.Generator.Bottleneck, broken.Verdict = 3000, "the generator was late", Fail
	tokens := slowerLoad(120, 2)
	tokens.Target.Tokens = "jwt"
	for name, c := range map[string]struct {
		b    Load
		want Outcome
		says string
	}{
		"the same run":      {fast, Same, "No figure differs"},
		"slower":            {slowerLoad(120, 2), Worse, "p50 (+100.0 %), p99 (+100.0 %) are worse in B"},
		"faster":            {faster, Better, "are better in B"},
		"too short":         {short, CannotTell, "6 blocks of 10 s each, and A has 12, B 5"},
		"too few answers":   {few, Worse, "p50 (+100.0 %) is worse"},
		"another rate":      {other, CannotTell, "the rate (2,000/s, then 3,000/s)"},
		"other tokens":      {tokens, CannotTell, "the tokens (opaque, then jwt)"},
		"a stuck generator": {stuck, CannotTell, "the generator was late"},
		"broken thresholds": {broken, Worse, "A held what was asked of it"},
	} {
		got := compared(slowerLoad(120, 1), c.b)
		if got.Outcome != c.want || !strings.Contains(got.Reason, c.says) {
			t.Errorf("%s: %s, %s", name, got.Outcome, got.Reason)
		}
	}
	if got := compared(referring(slowerLoad(120, 1), 1), referring(slowerLoad(120, 2), 1)); got.Outcome != Worse {
		t.Errorf("slower, and the reference as it was: %s, %s", got.Outcome, got.Reason)
	}
	if got := compared(referring(slowerLoad(120, 1), 1), referring(slowerLoad(120, 2), 1.5)); got.Outcome != CannotTell || got.Reason != "The environment changed: /keys, which has nothing to do with tokens, moved as well (+50.0 %)." {
		t.Errorf("slower, and the reference too: %s, %s", got.Outcome, got.Reason)
	}
	if got := compared(referring(slowerLoad(120, 1), 1), slowerLoad(120, 2)); got.Outcome != Worse || len(got.Measures) != 4 {
		t.Errorf("slower, with a reference on one side only: %s, %s, %+v", got.Outcome, got.Reason, got.Measures)
	}
	steady := func(factor float64) Load {
		l := slowerLoad(120, 1)
		for i := range l.Series {
			l.Series[i].P50US, l.Series[i].P99US = int64((640+float64(i%7))*factor), int64((2000+float64(i%11))*factor)
		}
		return l
	}
	if got := compared(steady(1), steady(1.02)); got.Outcome != Same {
		t.Errorf("two steady runs: %s, %s", got.Outcome, got.Reason)
	}
	got := compared(slowerLoad(120, 1), few)
	if m := got.Measures[1]; m.Name != "p99" || m.Outcome != CannotTell || m.B != 0 || m.Reason != "p99 needs 10,000 answers, and B has 9,000" {
		t.Errorf("p99 of 9,000 answers: %+v", m)
	}
}

func TestRecordsOfTwoKindsAreNotCompared(t *testing.T) {
	all := samples()
	for _, pair := range [][2]Record{{all["load"], all["conformance"]}, {{}, all["load"]}, {all["compared"], all["compared"]}} {
		if c, err := Compare(pair[0], pair[1], "a", "b", 0.1); err == nil {
			t.Errorf("%+v", c)
		}
	}
	for _, tolerance := range []float64{0, -1, 1, math.NaN()} {
		if _, err := Compare(all["load"], all["load"], "a", "b", tolerance); err == nil {
			t.Errorf("a tolerance of %v is taken", tolerance)
		}
	}
}

// TestMannWhitney holds the ranks to the published table of U at 2.5 % in each tail.
func TestMannWhitney(t *testing.T) {
	for _, c := range [][3]int{{6, 6, 5}, {5, 8, 6}, {8, 8, 13}, {10, 10, 23}, {12, 12, 37}, {20, 20, 127}, {6, 12, 14}, {7, 20, 34}} {
		if got := criticalRank(c[0], c[1]) - 1; got != c[2] {
			t.Errorf("U of %d and %d: %d, want %d", c[0], c[1], got, c[2])
		}
	}
	total := 0.0
	for _, c := range ranksums(6, 4) {
		total += c
	}
	if total != 210 {
		t.Errorf("%v orders of 6 and 4", total)
	}
	exact, normal := criticalRank(25, 25), criticalRank(26, 25)
	if normal < exact || normal > exact+15 {
		t.Errorf("the ranks jump from %d to %d", exact, normal)
	}
	shift, low, high := hodgesLehmann([]float64{1, 2, 3, 4, 5, 6}, []float64{11, 12, 13, 14, 15, 16})
	if shift != 10 || low != 7 || high != 13 {
		t.Errorf("shift %v, %v to %v", shift, low, high)
	}
}

// TestComparisonRarelyCriesWolf plays pairs of runs, each with an offset of its own, as runs have.
func TestComparisonRarelyCriesWolf(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	run := func(factor float64) []float64 {
		offset := 0.03 * random.NormFloat64()
		out := make([]float64, 12)
		for i := range out {
			out[i] = math.Log(2000*factor) + offset + 0.05*random.NormFloat64()
		}
		return out
	}
	count := func(factor float64) (worse int) {
		for range 400 {
			m := Measure{Outcome: CannotTell}
			if m.estimate(run(1), run(factor), math.Log1p(0.1), true, false); m.Outcome == Worse {
				worse++
			}
		}
		return worse
	}
	if n := count(1); n > 4 {
		t.Errorf("%d false alarms of 400", n)
	}
	if n := count(1.4); n < 380 {
		t.Errorf("%d of 400 runs that are 40 %% slower are called worse", n)
	}
}
