package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// What a claim about two load runs needs.
const (
	blockSeconds = 10 // requests of one run are not independent; blocks of seconds nearly are
	leastBlocks  = 6  // of each run, for an interval of 95 %
	shareMatters = 0.001
)

// answersFor is how many answers a percentile needs: a hundred beyond it.
func answersFor(percentile float64) int64 { return int64(math.Round(100 / (1 - percentile/100))) }

func (l Load) side(file string) Side {
	h := l.headline()
	machine := l.Machine
	return Side{File: file, Tool: l.Tool, Target: l.Target, Machine: &machine, Started: l.Started, DurationMS: l.DurationMS, Partial: l.Partial, Plan: l.Plan.words(), Verdict: h.Verdict, Word: h.Word}
}

// HoldTo keeps with the record what it is against its baseline, the other side of the comparison. Where it is worse
// the run fails, and where that cannot be told a run that holds is inconclusive.
func (l *Load) HoldTo(c Comparison) {
	l.Baseline = &c
	switch {
	case c.Outcome == Worse:
		l.Verdict = Fail
	case c.Outcome == CannotTell && l.Verdict == Pass:
		l.Verdict = Inconclusive
	}
}

func compareLoads(a, b Load, fileA, fileB string, tolerance float64) Comparison {
	out := Comparison{
		Schema: ComparisonSchema, Of: "load", A: a.side(fileA), B: b.side(fileB), Tolerance: tolerance,
		Method: fmt.Sprintf("Each run is cut into blocks of %d s, a block being the median of its seconds. The ratio of B to A is the Hodges–Lehmann estimate over all pairs of blocks, "+
			"with its exact Mann–Whitney interval of 95 %%. Worse or better: the whole interval lies beyond %s; same: within.", blockSeconds, percent(tolerance, 1)),
	}
	out.Cautions = append(cautions(out.A, out.B), "Each side is a single run: what changed between them beside the target (neighbours, network, time of day) is not told apart. Repeat the pair, the other way round too, before it is believed.")
	why := incomparable(a, b)
	reference := referenceMeasure(a, b, tolerance, why)
	if o := reference.Outcome; why == "" && (o == Worse || o == Better) {
		why = fmt.Sprintf("The environment changed: %s, which has nothing to do with tokens, moved as well (%s)", b.Reference.Path, reference.shift(reference.Ratio))
	}
	out.Measures = []Measure{
		latencyMeasure("p50", 50, a, b, tolerance, why, func(s Second) int64 { return s.P50US }),
		latencyMeasure("p99", 99, a, b, tolerance, why, func(s Second) int64 { return s.P99US }),
		tailMeasure("p99.9", 99.9, a, b),
		errorMeasure(a, b, why),
	}
	if a.Plan.Model == "closed" {
		out.Measures = append(out.Measures, throughputMeasure(a, b, tolerance, why))
	}
	if reference.Unit != "" {
		reference.Reason = joined("; ", reference.Reason, "asked for beside the load, to tell whether the environment changed")
		reference.Outcome = ""
		out.Measures = append(out.Measures, reference)
	}
	out.conclude(a, b, why)
	return out
}

// conclude says what the measures come to together.
func (c *Comparison) conclude(a, b Load, why string) {
	var all []Outcome
	for _, m := range c.Measures {
		if m.Outcome != "" {
			all = append(all, m.Outcome)
		}
	}
	c.Outcome = settle(all...)
	switch {
	case a.Verdict == Pass && b.Verdict == Fail:
		c.Outcome, c.Reason = Worse, "A held what was asked of it and B does not: "+b.headline().Sentence
	case c.Outcome == CannotTell && why != "":
		c.Reason = why + "."
	default:
		c.Reason = settled(c.Outcome, c.Measures)
	}
}

// settled names the measures that gave the outcome.
func settled(o Outcome, measures []Measure) string {
	var names []string
	why := ""
	for _, m := range measures {
		if m.Outcome != o || why != "" && m.Reason != why { // one reason is enough
			continue
		}
		name := m.Name
		if o == Worse || o == Better {
			name += " (" + m.shift(m.Ratio) + ")"
		}
		names = append(names, name)
		if why == "" {
			why = m.Reason
		}
	}
	switch o {
	case Same:
		return "No figure differs by more than the tolerance."
	case CannotTell:
		return strings.Join(names, ", ") + ": " + why + "."
	}
	return strings.Join(names, ", ") + " " + map[bool]string{true: "is ", false: "are "}[len(names) == 1] + string(o) + " in B."
}

// incomparable says why no figure of the runs can be compared, and is empty when they can.
func incomparable(a, b Load) string {
	var differ []string
	for _, d := range []struct {
		name, a, b string
	}{
		{"the model", a.Plan.Model, b.Plan.Model},
		{"the rate", perSecond(a.Plan.Rate), perSecond(b.Plan.Rate)},
		{"the grants", fmt.Sprint(a.Plan.Grants, a.Plan.Weights), fmt.Sprint(b.Plan.Grants, b.Plan.Weights)},
		{"the arrivals", a.Plan.Arrivals, b.Plan.Arrivals},
		{"the stages", stagesWords(a.Plan), stagesWords(b.Plan)},
		{"the scenarios", scenariosWords(a.Plan), scenariosWords(b.Plan)},
		{"the protocol", a.Plan.Protocol, b.Plan.Protocol},
		{"the shard", shardWords(a.Plan), shardWords(b.Plan)},
		{"the connections", Grouped(a.Plan.Connections), Grouped(b.Plan.Connections)},
		{"the tokens", a.Target.Tokens, b.Target.Tokens},
		{"the system", a.Machine.OS + " " + a.Machine.Arch, b.Machine.OS + " " + b.Machine.Arch},
		{"the cores", Grouped(a.Machine.CPUs), Grouped(b.Machine.CPUs)},
		{"the processor", a.Machine.CPU, b.Machine.CPU},
	} {
		if d.a != d.b && d.a != "" && d.b != "" {
			differ = append(differ, fmt.Sprintf("%s (%s, then %s)", d.name, d.a, d.b))
		}
	}
	switch {
	case len(differ) > 0:
		return "The runs differ in " + strings.Join(differ, ", ")
	case a.Partial != "" || b.Partial != "":
		return "A run ended early: " + joined("; ", a.Partial, b.Partial)
	case a.Generator.Bottleneck != "" || b.Generator.Bottleneck != "":
		return "The load generator was the bottleneck: " + joined("; ", a.Generator.Bottleneck, b.Generator.Bottleneck)
	}
	return ""
}

func stagesWords(p Plan) string {
	var out []string
	for _, s := range p.Stages {
		out = append(out, joined(" ", map[bool]string{true: "ramp to"}[s.Ramp], perSecond(s.Rate)))
	}
	return strings.Join(out, ", ")
}

func scenariosWords(p Plan) string {
	var out []string
	for _, s := range p.Scenarios {
		out = append(out, fmt.Sprintf("%s %s %d %v", s.Name, s.Flow, s.Weight, s.Hostile))
	}
	return strings.Join(out, ", ")
}

func shardWords(p Plan) string {
	if p.Shard == nil {
		return "all"
	}
	return fmt.Sprintf("%d of %d", p.Shard.Index, p.Shard.Of)
}

// latencyMeasure compares a percentile over the blocks of the runs.
func latencyMeasure(name string, percentile float64, a, b Load, tolerance float64, why string, of func(Second) int64) Measure {
	m := Measure{Name: name, Unit: "µs", A: a.Percentile(percentile), B: b.Percentile(percentile), Outcome: CannotTell, Reason: why}
	if few := tooFew(percentile, a, b); few != "" {
		m.Reason, m.A, m.B = few, 0, 0
		return m
	}
	logs := func(l Load) []float64 {
		return blocks(l.Series, func(s Second) (float64, bool) { return math.Log(float64(of(s))), of(s) > 0 })
	}
	m.estimate(logs(a), logs(b), math.Log1p(tolerance), true, false)
	return m
}

// referenceMeasure compares the page that was asked for beside the load; without a unit there was none.
func referenceMeasure(a, b Load, tolerance float64, why string) Measure {
	if a.Reference == nil || b.Reference == nil || a.Reference.Path != b.Reference.Path {
		return Measure{}
	}
	median := func(l Load) float64 { return l.Reference.Latency.Percentiles["50"] }
	m := Measure{Name: "reference", Unit: "µs", A: median(a), B: median(b), Outcome: CannotTell, Reason: why}
	logs := func(l Load) []float64 {
		return blocks(l.Series, func(s Second) (float64, bool) { return math.Log(float64(s.ReferenceUS)), s.ReferenceUS > 0 })
	}
	m.estimate(logs(a), logs(b), math.Log1p(tolerance), true, false)
	return m
}

// tailMeasure shows a percentile of which a record holds no course over time, and claims nothing.
func tailMeasure(name string, percentile float64, a, b Load) Measure {
	m := Measure{Name: name, Unit: "µs", A: a.Percentile(percentile), B: b.Percentile(percentile), Reason: "shown only: a record does not hold its course over time"}
	if few := tooFew(percentile, a, b); few != "" {
		m.Reason, m.A, m.B = few, 0, 0
	}
	return m
}

func tooFew(percentile float64, a, b Load) string {
	for i, l := range []Load{a, b} {
		if n := l.answersTimed(); n < answersFor(percentile) {
			return fmt.Sprintf("%s needs %s answers, and %c has %s", "p"+three(percentile), Grouped(answersFor(percentile)), "AB"[i], Grouped(n))
		}
	}
	return ""
}

// answersTimed is how many answers the latency is about.
func (l Load) answersTimed() int64 { return l.sum(func(s Step) int64 { return s.Latency.Count }) }

// Percentile is that of the latency of all steps together, in microseconds; 0 where nothing is known of it.
func (l Load) Percentile(p float64) float64 {
	if all := merged(l.Steps, func(s Step) Histogram { return s.Latency }); all != nil {
		return float64(all.ValueAtPercentile(p))
	}
	return 0
}

// errorShare is the share of the requests that had no right answer.
func (l Load) errorShare() float64 {
	var errors, sent int64
	for _, s := range l.Series {
		errors, sent = errors+s.Errors, sent+s.Sent
	}
	return float64(errors) / math.Max(float64(sent), 1)
}

func errorMeasure(a, b Load, why string) Measure {
	m := Measure{Name: "errors", Unit: "share", A: a.errorShare(), B: b.errorShare(), Outcome: CannotTell, Reason: why}
	shares := func(l Load) []float64 {
		return blockMeans(l.Series, func(s Second) (float64, bool) { return float64(s.Errors) / math.Max(float64(s.Sent), 1), s.Sent > 0 })
	}
	m.estimate(shares(a), shares(b), shareMatters, false, false)
	return m
}

func throughputMeasure(a, b Load, tolerance float64, why string) Measure {
	m := Measure{Name: "throughput", Unit: "/s", A: a.Rate.Achieved, B: b.Rate.Achieved, Outcome: CannotTell, Reason: why}
	logs := func(l Load) []float64 {
		return blocks(l.Series, func(s Second) (float64, bool) { return math.Log(float64(s.Answered)), s.Answered > 0 })
	}
	m.estimate(logs(a), logs(b), math.Log1p(tolerance), true, true)
	return m
}

// estimate fills in the shift from a to b and what it comes to; of logarithms the shift is a ratio.
func (m *Measure) estimate(a, b []float64, matters float64, logs, moreIsBetter bool) {
	m.BlocksA, m.BlocksB = len(a), len(b)
	if m.Reason != "" {
		return
	}
	if len(a) < leastBlocks || len(b) < leastBlocks {
		m.Reason = fmt.Sprintf("it takes %d blocks of %d s each, and A has %d, B %d", leastBlocks, blockSeconds, len(a), len(b))
		return
	}
	shift, low, high := hodgesLehmann(a, b)
	switch {
	case low > matters:
		m.Outcome = Worse
	case high < -matters:
		m.Outcome = Better
	case low >= -matters && high <= matters:
		m.Outcome = Same
	default:
		m.Reason = "the interval reaches across the tolerance; longer runs narrow it"
	}
	m.report(shift, low, high, logs, moreIsBetter)
}

// report keeps the estimate, and turns the outcome round where more is better.
func (m *Measure) report(shift, low, high float64, logs, moreIsBetter bool) {
	if moreIsBetter && m.Outcome != Same && m.Outcome != CannotTell {
		m.Outcome = map[Outcome]Outcome{Worse: Better, Better: Worse}[m.Outcome]
	}
	if logs {
		shift, low, high = math.Exp(shift), math.Exp(low), math.Exp(high)
	}
	m.Ratio, m.Low, m.High = shift, low, high
}

// blocks cuts a course of seconds and takes the median of each block; a block that is not whole is left out.
func blocks(series []Second, of func(Second) (float64, bool)) []float64 {
	return cutBlocks(series, of, func(values []float64) float64 {
		slices.Sort(values)
		return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	})
}

func blockMeans(series []Second, of func(Second) (float64, bool)) []float64 {
	return cutBlocks(series, of, func(values []float64) float64 {
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		return sum / float64(len(values))
	})
}

func cutBlocks(series []Second, of func(Second) (float64, bool), middle func([]float64) float64) []float64 {
	var out []float64
	for chunk := range slices.Chunk(series, blockSeconds) {
		if len(chunk) < blockSeconds {
			break
		}
		var values []float64
		for _, s := range chunk {
			if v, ok := of(s); ok {
				values = append(values, v)
			}
		}
		if len(values) > blockSeconds/2 {
			out = append(out, middle(values))
		}
	}
	return out
}
