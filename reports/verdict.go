package reports

import (
	"slices"

	"flowproof/suites/catalogue"
)

// Verdicts lists them all, worst first.
func Verdicts() []Verdict {
	return []Verdict{Fail, Warn, Inconclusive, Note, Pass, NotApplicable}
}

// Known reports whether v is one of the verdicts.
func (v Verdict) Known() bool { return slices.Contains(Verdicts(), v) }

// Judged reports whether v says something about the target.
func (v Verdict) Judged() bool {
	return v == Fail || v == Warn || v == Note || v == Pass
}

// Word is the verdict as people read it.
func (v Verdict) Word() string {
	if v == NotApplicable {
		return "not applicable"
	}
	return string(v)
}

// rank is the place in Verdicts; a word that is no verdict proves nothing.
func (v Verdict) rank() int {
	if i := slices.Index(Verdicts(), v); i >= 0 {
		return i
	}
	return slices.Index(Verdicts(), Inconclusive)
}

// Worst returns the worst of the verdicts. Pass and NotApplicable together are Pass; of no verdicts
// at all nothing is known, which is Inconclusive.
func Worst(verdicts ...Verdict) Verdict {
	worst := len(Verdicts())
	for _, v := range verdicts {
		worst = min(worst, v.rank())
	}
	if worst == len(Verdicts()) {
		return Inconclusive
	}
	return Verdicts()[worst]
}

// Counts says how many there are of each verdict.
type Counts map[Verdict]int

// Judged is how many say something about the target.
func (c Counts) Judged() int {
	sum := 0
	for v, n := range c {
		if v.Judged() {
			sum += n
		}
	}
	return sum
}

// Worst is the worst verdict that occurs, and false when none does.
func (c Counts) Worst() (Verdict, bool) {
	for _, v := range Verdicts() {
		if c[v] > 0 {
			return v, true
		}
	}
	return "", false
}

// add counts one verdict; what is no verdict counts as Inconclusive.
func (c Counts) add(v Verdict) { c[Worst(v)]++ }

// Counts says how many requirements have each verdict.
func (c Conformance) Counts() Counts {
	counts := Counts{}
	for _, r := range c.Results {
		counts.add(r.Verdict)
	}
	return counts
}

// aside says why a finding does not count, and is empty when it does.
func (f Finding) aside() string {
	switch {
	case f.Waived != "":
		return f.Waived
	case f.Known:
		return "as in the baseline"
	}
	return ""
}

// Counting is the verdict once what was waived, or was so in the baseline, is set aside.
func (r Result) Counting() Verdict {
	if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.aside() != "" }) {
		return Worst(r.Verdict)
	}
	var all []Verdict
	for _, f := range r.Findings {
		if f.aside() != "" {
			all = append(all, Note) // seen, and not held against the target
		} else {
			all = append(all, f.Verdict)
		}
	}
	return Worst(all...)
}

// Counting says how many requirements have each verdict once what was set aside no longer counts.
func (c Conformance) Counting() Counts {
	counts := Counts{}
	for _, r := range c.Results {
		counts.add(r.Counting())
	}
	return counts
}

// The exit codes of a verdict.
const (
	exitHolds       = 0
	exitFallsShort  = 1
	exitCannotClaim = 3
)

// ExitCode is 1 when a requirement fails or got worse than in the baseline (or, under strict, when one warns or
// a waiver is stale), 3 when the run is partial, something is inconclusive or nothing was judged, and 0 when
// the target conforms. What is waived, or was so in the baseline, does not count.
func (c Conformance) ExitCode(strict bool) int {
	counts := c.Counting()
	strict = strict || c.Strict
	switch {
	case counts[Fail] > 0, c.Baseline != nil && len(c.Baseline.Worse) > 0, strict && counts[Warn]+c.staleWaivers() > 0:
		return exitFallsShort
	case c.Partial != "", counts[Inconclusive] > 0, counts.Judged() == 0:
		return exitCannotClaim
	}
	return exitHolds
}

// ExitCode is 1 when the run fails, 3 when it is partial or inconclusive, and 0 when it holds.
func (l Load) ExitCode() int {
	switch {
	case l.Verdict == Fail:
		return exitFallsShort
	case l.Verdict != Pass, l.Partial != "" && len(l.Agents) == 0: // what agents left out counts in their verdict
		return exitCannotClaim
	}
	return exitHolds
}

// OfLevel is the verdict on what violates a requirement of that level.
func OfLevel(l catalogue.Level) Verdict {
	switch l {
	case "MUST", "MUST NOT", "DOC":
		return Fail
	case "SHOULD", "SHOULD NOT":
		return Warn
	default:
		return Note
	}
}
