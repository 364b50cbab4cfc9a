package load

import (
	"fmt"
	"strings"
	"time"

	"flowproof/reports"
)

// An Abort is a rule that ends a run: a bound on errors or on a percentile of the latency that was passed in
// each second of a spell. The zero value is none; ParseAbort makes them.
type Abort struct {
	bound Threshold
	spell time.Duration
}

// String is the rule as it is written.
func (a Abort) String() string { return a.bound.String() + " for " + a.spell.String() }

const (
	abortShapes = "write errors>50% for 5s, or p99>2s for 10s"
	mostSpell   = 5 * time.Minute
)

// ParseAbort reads a rule: errors>SHARE or pN>DURATION, and for how many seconds.
func ParseAbort(s string) (Abort, error) {
	what, spell, ok := strings.Cut(s, " for ")
	if !ok {
		return Abort{}, fmt.Errorf("abort %q does not say for how long; %s", s, abortShapes)
	}
	h, err := ParseThreshold(what)
	if err != nil {
		return Abort{}, fmt.Errorf("abort %q: %w", s, err)
	}
	if h.step != "" || h.metric != "errors" && h.metric != "p" || h.op != ">" && h.op != ">=" {
		return Abort{}, fmt.Errorf("abort %q is neither about errors nor about a percentile that gets too high; %s", s, abortShapes)
	}
	d, err := time.ParseDuration(strings.TrimSpace(spell))
	if err != nil || d < time.Second || d > mostSpell || d%time.Second != 0 {
		return Abort{}, fmt.Errorf("abort %q: %q is no number of whole seconds up to 5m; %s", s, strings.TrimSpace(spell), abortShapes)
	}
	return Abort{h, d}, nil
}

func defaultAbort() []Abort {
	return []Abort{{Threshold{expression: "errors>90%", metric: "errors", op: ">", bound: 0.9}, 5 * time.Second}}
}

const abortLeast = 20 // requests a second; of fewer a share says little

// passed tells how a rule was broken in each of the seconds before now, or nothing if it was not; due tells
// whether there was anything to send in a second.
func (a Abort) passed(s *series, now int, due func(second int) bool) string {
	n := int(a.spell / time.Second)
	if now < n {
		return ""
	}
	var total, failed int64
	for second := now - n; second < now; second++ {
		v := s.glance(second, a.bound)
		total += v.total
		failed += v.errors
		if a.bound.metric == "errors" {
			if v.total == 0 || !a.bound.held(float64(v.errors)/float64(v.total)) {
				return ""
			}
			continue
		}
		// A second in which requests were due and nothing came back is as bad as any bound.
		if silent := v.total == 0 && due(second); !silent && !a.bound.held(v.latency) {
			return ""
		}
	}
	if a.bound.metric == "errors" {
		if total < abortLeast*int64(n) && failed < abortLeast {
			return ""
		}
		return fmt.Sprintf("stopped, since %s%% of the requests of the last %d s failed (%s of %s)", significant(100*float64(failed)/float64(total)), n, reports.Grouped(failed), reports.Grouped(total))
	}
	return fmt.Sprintf("stopped, since p%g of the latency passed %s in each of the last %d s", a.bound.percentile, a.bound.shown(a.bound.bound), n)
}

// longestSpell is how many seconds the plan's rules look back, for a percentile.
func (p Plan) longestSpell() int {
	n := 0
	for _, a := range p.Abort {
		if a.bound.metric == "p" {
			n = max(n, int(a.spell/time.Second))
		}
	}
	return n
}
