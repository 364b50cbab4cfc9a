package reports

import (
	"fmt"
	"math"
)

// What a claim about runs that took turns needs.
const (
	leastPairs = 6 // of which the test can show anything at 5 %
	mostPairs  = 20
	beyondEach = 10 // answers beyond a percentile, in each run
	chance     = 0.05
)

// Turns are the runs of one side of a comparison, in their order, and all of them together.
type Turns struct {
	Whole Load
	Runs  []Load
}

// MostPairs is how many pairs of runs CompareTurns takes.
func MostPairs() int { return mostPairs }

// CompareTurns says what B does differently from A, when runs of the same plan took turns: A B B A A B B A and so on.
// The n-th run of A and the n-th of B are a pair.
func CompareTurns(a, b Turns, fileA, fileB string, tolerance float64) (Comparison, error) {
	n := min(len(a.Runs), len(b.Runs))
	switch {
	case n == 0:
		return Comparison{}, fmt.Errorf("reports: compare: A has %d runs and B %d; a pair takes one of each", len(a.Runs), len(b.Runs))
	case n > mostPairs:
		return Comparison{}, fmt.Errorf("reports: compare: %d pairs; %d at most", n, mostPairs)
	case !(tolerance > 0 && tolerance < 1):
		return Comparison{}, badTolerance(tolerance)
	}
	busy := ""
	a.Runs, b.Runs, busy = unhindered(a.Runs[:n], b.Runs[:n])
	n = len(a.Runs)
	out := Comparison{
		Schema: ComparisonSchema, Of: "load", A: a.Whole.side(fileA), B: b.Whole.side(fileB), Tolerance: tolerance, Pairs: n,
		Method: fmt.Sprintf("%d pairs of runs took turns, A B B A and so on, so that what changes around the targets falls on both. The ratio of B to A is the Hodges–Lehmann estimate over the pairs, "+
			"with the interval of 95 %% that belongs to Wilcoxon's signed ranks. Worse or better: the estimate lies beyond %s, and an exact sign-flip test leaves it to chance with less than %s; same: the whole interval lies within.",
			n, percent(tolerance, 1), percent(chance, 1)),
	}
	out.Cautions = cautions(out.A, out.B)
	if busy != "" {
		out.Cautions = append(out.Cautions, busy)
	}
	why := incomparable(a.Whole, b.Whole)
	if why == "" && n < leastPairs {
		why = fmt.Sprintf("it takes %d pairs of runs, and there are %d", leastPairs, n)
	}
	out.Measures = []Measure{
		turnsPercentile("p50", 50, a, b, tolerance, why),
		turnsPercentile("p99", 99, a, b, tolerance, why),
		turnsPercentile("p99.9", 99.9, a, b, tolerance, why),
	}
	errors := Measure{Name: "errors", Unit: "share", A: a.Whole.errorShare(), B: b.Whole.errorShare(), Outcome: CannotTell, Reason: why}
	errors.pair(differing(a, b, Load.errorShare), shareMatters, false, false)
	out.Measures = append(out.Measures, errors)
	if a.Whole.Plan.Model == "closed" {
		m := Measure{Name: "throughput", Unit: "/s", A: a.Whole.Rate.Achieved, B: b.Whole.Rate.Achieved, Outcome: CannotTell, Reason: why}
		m.pair(differing(a, b, func(l Load) float64 { return math.Log(l.Rate.Achieved) }), math.Log1p(tolerance), true, true)
		out.Measures = append(out.Measures, m)
	}
	out.conclude(a.Whole, b.Whole, why)
	return out, nil
}

// unhindered are the pairs in which the load generator was not the bottleneck, and a word about the others.
func unhindered(a, b []Load) (as, bs []Load, busy string) {
	why := ""
	for i := range a {
		if hindered := joined("; ", a[i].Generator.Bottleneck, b[i].Generator.Bottleneck); hindered != "" {
			why = hindered
			continue
		}
		as, bs = append(as, a[i]), append(bs, b[i])
	}
	if left := len(a) - len(as); left > 0 {
		busy = Plural(left, "pair was left out, since the load generator was its bottleneck", "pairs were left out, since the load generator was their bottleneck") + ": " + why + "."
	}
	return as, bs, busy
}

// differing are the differences of B to A, pair by pair.
func differing(a, b Turns, of func(Load) float64) []float64 {
	var out []float64
	for i := range a.Runs {
		out = append(out, of(b.Runs[i])-of(a.Runs[i]))
	}
	return out
}

func turnsPercentile(name string, percentile float64, a, b Turns, tolerance float64, why string) Measure {
	m := Measure{Name: name, Unit: "µs", A: a.Whole.Percentile(percentile), B: b.Whole.Percentile(percentile), Outcome: CannotTell, Reason: why}
	few := tooFew(percentile, a.Whole, b.Whole)
	for _, side := range [][]Load{a.Runs, b.Runs} {
		for _, l := range side {
			if n, least := l.answersTimed(), answersFor(percentile)*beyondEach/100; few == "" && n < least {
				few = fmt.Sprintf("%s needs %s answers in each run, and one has %s", name, Grouped(least), Grouped(n))
			}
		}
	}
	if few != "" {
		m.A, m.B, m.Reason = 0, 0, few
		if percentile > 99 { // not every run is to be long enough for it
			m.Outcome = ""
		}
		return m
	}
	m.pair(differing(a, b, func(l Load) float64 { return math.Log(max(l.Percentile(percentile), 1)) }), math.Log1p(tolerance), true, false)
	return m
}

// pair fills in the shift from the differences of pairs, and what it comes to; of logarithms it is a ratio.
func (m *Measure) pair(differences []float64, matters float64, logs, moreIsBetter bool) {
	if m.Reason != "" {
		return
	}
	shift, low, high := pairedShift(differences)
	reversed := make([]float64, len(differences))
	for i, d := range differences {
		reversed[i] = -d
	}
	switch {
	case shift > matters && signFlip(differences) <= chance:
		m.Outcome = Worse
	case shift < -matters && signFlip(reversed) <= chance:
		m.Outcome = Better
	case low >= -matters && high <= matters:
		m.Outcome = Same
	default:
		m.Reason = "the interval reaches across the tolerance; more pairs, or longer runs, narrow it"
	}
	m.report(shift, low, high, logs, moreIsBetter)
	for _, d := range differences {
		if logs {
			d = math.Exp(d)
		}
		m.Pairs = append(m.Pairs, d)
	}
}
