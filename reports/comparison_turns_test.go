package reports

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestPairedShift(t *testing.T) {
	// By hand: the averages are 1, 1.5, 2, 2, 2.5, 3; of three pairs no bound leaves less than 5 % outside.
	if shift, low, high := pairedShift([]float64{1, 2, 3}); shift != 2 || low != 1 || high != 3 {
		t.Errorf("%v, %v to %v", shift, low, high)
	}
	// Wilcoxon's table: at 5 %, two-sided, 3 is critical for 8 pairs, 8 for 10 and 25 for 15.
	for n, critical := range map[int]int{5: -1, 6: 0, 8: 3, 10: 8, 15: 25, 20: 52} {
		if got := signedRank(n); got != critical+1 {
			t.Errorf("of %d pairs the bound is the average %d", n, got)
		}
	}
}

func TestSignFlip(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
	}{
		{[]float64{1}, 1.0 / 2},
		{[]float64{-1}, 1},
		{[]float64{1, 2}, 1.0 / 4},
		{[]float64{2, -1}, 2.0 / 4}, // 3, 1
		{[]float64{1, 1, 1, 1, 1, 1}, 1.0 / 64},
		{[]float64{5, 4, 3, -1}, 2.0 / 16},
		{[]float64{0, 0}, 1},
	} {
		if got := signFlip(c.of); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v: %v, by hand %v", c.of, got, c.want)
		}
	}
}

func TestTurnsTellNoiseFromAChange(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	// Two deployments on a machine that drifts and never does the same twice; B is slower by the factor.
	outcomes := func(factor float64) map[Outcome]int {
		out := map[Outcome]int{}
		for range 500 {
			drift, differences := 0.0, make([]float64, 8)
			run := func() float64 {
				drift = 0.8*drift + 0.03*random.NormFloat64()
				return drift + 0.03*random.NormFloat64()
			}
			for i := range differences {
				if first, second := run(), run(); i%2 == 0 {
					differences[i] = math.Log(factor) + second - first
				} else {
					differences[i] = math.Log(factor) + first - second
				}
			}
			m := Measure{Outcome: CannotTell}
			m.pair(differences, math.Log1p(0.05), true, false)
			out[m.Outcome]++
		}
		return out
	}
	if got := outcomes(1); got[Worse]+got[Better] > 25 { // 5 %
		t.Errorf("of the same deployment: %v", got)
	}
	if got := outcomes(1.2); got[Worse] < 480 {
		t.Errorf("of one that is a fifth slower: %v", got)
	}
	if got := outcomes(1 / 1.2); got[Better] < 480 {
		t.Errorf("of one that is faster: %v", got)
	}
}

// A shift that lies beyond the tolerance is none as long as chance explains it.
func TestAShiftThatChanceExplainsIsNoClaim(t *testing.T) {
	for _, sign := range []float64{1, -1} {
		m := Measure{Outcome: CannotTell}
		differences := []float64{0.2, 0.2, 0.2, 0.2, 0.2, 0.2, -1, -1}
		for i := range differences {
			differences[i] *= sign
		}
		if m.pair(differences, math.Log1p(0.05), true, false); m.Outcome != CannotTell || math.Abs(math.Log(m.Ratio)-0.2*sign) > 1e-9 {
			t.Errorf("a ratio of %v is %s", m.Ratio, m.Outcome)
		}
	}
}

// turnsOf are runs of which those of B take the factor.
func turnsOf(pairs int, factor float64) (a, b Turns) {
	as, bs := slowerLoad(1, 1), slowerLoad(1, factor)
	for range pairs {
		a.Runs, b.Runs = append(a.Runs, as), append(b.Runs, bs)
	}
	a.Whole, b.Whole = as, bs
	return a, b
}

func TestTurnsAreRefusedWhatTheyCannotShow(t *testing.T) {
	turns := func(pairs int, change func(a, b *Turns)) Comparison {
		a, b := turnsOf(pairs, 2)
		change(&a, &b)
		got, err := CompareTurns(a, b, "a", "b", 0.1)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for name, c := range map[string]struct {
		got  Comparison
		want Outcome
		says string
	}{
		"enough":          {turns(8, func(*Turns, *Turns) {}), Worse, "p50"},
		"five pairs":      {turns(5, func(*Turns, *Turns) {}), CannotTell, "it takes 6 pairs of runs, and there are 5"},
		"a short run":     {turns(8, func(a, _ *Turns) { shorten(&a.Runs[3]) }), Worse, "p50 (+"},
		"another rate":    {turns(8, func(_, b *Turns) { b.Whole.Plan.Rate = 1 }), CannotTell, "the rate"},
		"a generator":     {turns(8, func(_, b *Turns) { b.Whole.Generator.Bottleneck = "it slept" }), CannotTell, "it slept"},
		"broken promises": {turns(5, func(_, b *Turns) { b.Whole.Verdict = Fail }), Worse, "A held what was asked of it"},
		"two busy pairs":  {turns(8, busy(2)), Worse, "p50"},
		"three":           {turns(8, busy(3)), CannotTell, "it takes 6 pairs of runs, and there are 5"},
		"an odd run":      {turns(6, func(a, _ *Turns) { a.Runs = append(a.Runs, a.Runs[0]) }), Worse, "p50"},
	} {
		if c.got.Outcome != c.want || !strings.Contains(c.got.Reason, c.says) {
			t.Errorf("%s: %s, %s", name, c.got.Outcome, c.got.Reason)
		}
	}
	if got := turns(8, busy(2)); len(got.Cautions) != 1 || got.Cautions[0] != "2 pairs were left out, since the load generator was their bottleneck: it slept." || len(got.Measures[0].Pairs) != 6 {
		t.Errorf("%q, %d pairs", got.Cautions, len(got.Measures[0].Pairs))
	}
	short := turns(8, func(a, _ *Turns) { shorten(&a.Runs[3]) })
	if m := short.Measures[1]; m.Outcome != CannotTell || m.Reason != "p99 needs 1,000 answers in each run, and one has 900" {
		t.Errorf("p99 with a run of 900 answers: %+v", m)
	}
	if m := short.Measures[2]; m.Outcome != "" || m.A != 0 {
		t.Errorf("p99.9 of short runs: %+v", m)
	}
	for _, n := range []int{0, mostPairs + 1} {
		a, b := turnsOf(n, 1)
		if _, err := CompareTurns(a, b, "a", "b", 0.1); err == nil {
			t.Errorf("%d pairs were compared", n)
		}
	}
}

// busy has the generator be the bottleneck in so many turns of A.
func busy(turns int) func(a, b *Turns) {
	return func(a, _ *Turns) {
		for i := range turns {
			a.Runs[i].Generator.Bottleneck = "it slept"
		}
	}
}

func shorten(l *Load) {
	l.Steps = slices.Clone(l.Steps)
	l.Steps[0].Latency = histogram(900, 2000)
}
