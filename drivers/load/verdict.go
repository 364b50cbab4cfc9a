package load

import (
	"fmt"
	"time"

	"flowproof/reports"
)

// A judgement holds thresholds to what was measured; the key "" stands for all steps together.
type judgement struct {
	tallies    map[string]*tally
	planned    map[string]int64
	span       time.Duration
	bottleneck string
}

func (j judgement) judge(h Threshold) reports.Threshold {
	out := reports.Threshold{Expression: h.String()}
	t := j.tallies[h.step]
	if t == nil || t.sent == 0 {
		out.Reason = "nothing was sent"
		return out
	}
	switch h.metric {
	case "errors":
		out.Value = float64(t.failed()) / float64(t.sent)
	case "throttled":
		out.Value = float64(t.throttled) / float64(t.sent)
	case "unsent":
		out.Value = 1 - float64(t.sent)/float64(max(j.planned[h.step], t.sent))
	case "rate":
		out.Value = perSecond(t.verified, j.span)
	default:
		hist := t.latency
		if h.clock == serviceClock {
			hist = t.service
		}
		n := hist.TotalCount()
		if n == 0 {
			out.Reason = "nothing was answered"
			return out
		}
		switch h.metric {
		case "p":
			out.Value = float64(hist.ValueAtPercentile(h.percentile))
		case "mean":
			out.Value = hist.Mean()
		case "max":
			out.Value = float64(hist.Max())
		case "min":
			out.Value = float64(hist.Min())
		}
		if need := h.samples(); n < need {
			out.Shown = h.shown(out.Value)
			out.Reason = fmt.Sprintf("p%g takes %d answers to tell, and there were %d", h.percentile, need, n)
			return out
		}
	}
	out.Shown = h.shown(out.Value)
	out.Held = h.held(out.Value)
	if !out.Held && j.bottleneck != "" && (h.timed() || h.metric == "rate" || h.metric == "unsent") {
		out.Reason = "not to be told from the target: " + j.bottleneck
	}
	return out
}

// verdict is fail when a threshold or a requirement does not hold, or, unless a threshold bounds the
// errors, when any request failed. It is inconclusive when something cannot be told.
func verdict(l *reports.Load, hs []Threshold, whole *tally) reports.Verdict {
	bounded := false
	for _, h := range hs {
		bounded = bounded || h.metric == "errors"
	}
	for _, v := range l.Violations {
		if v.Verdict == reports.Fail {
			return reports.Fail
		}
	}
	untold := whole.verified == 0 || l.Partial != ""
	for _, t := range l.Thresholds {
		if !t.Held && t.Reason == "" {
			return reports.Fail
		}
		untold = untold || t.Reason != ""
	}
	if !bounded && whole.failed() > 0 && whole.answered > 0 {
		return reports.Fail
	}
	if untold {
		return reports.Inconclusive
	}
	return reports.Pass
}

// notes are what a reader must know about a run.
type notes struct {
	engine   *engine
	total    *total
	steps    []reports.Step
	together bool
}

func (n notes) list(whole *tally) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	e := n.engine
	tokens, bytes := e.seen.size()
	if tokens > 0 {
		say("Uniqueness was checked over %d access tokens, kept as 62-bit hashes in %.1f MiB.", tokens, float64(bytes)/(1<<20))
	}
	var unsent, late int64
	for _, s := range n.steps {
		unsent += s.NotSent
		late += s.Errors[timedOut]
	}
	if unsent > 0 {
		say("%d requests were due and could not be sent before the end, since every connection was busy: the latencies would be longer with them.", unsent)
	}
	if late > 0 {
		say("%d requests timed out after %v; the latencies count them with the time they were waited for.", late, e.plan.Timeout)
	}
	if whole.throttled > 0 {
		say("%d answers were refusals by 429 or 503; they are neither verified nor errors, and the latencies count them.", whole.throttled)
	}
	if b := e.begun.Load(); b > 0 {
		say("%d chains of refresh tokens were begun again with the password, since their token was refused.", b)
	}
	if e.reissues {
		say("The target gives the same client the same token while it lives; only a repeat across clients or users counts as a violation.")
	}
	if n.together {
		say("The target ran in the same process as the load generator: CPU seconds and memory are those of both.")
	}
	if e.plan.NoKeepAlive {
		say("Every request opened a connection of its own; latency and service time include that.")
	}
	if e.plan.Model == Closed {
		say("The model is closed: %d workers wait for their answers, so that a slow server is asked less often and waits are hidden.", e.plan.Connections)
	}
	return out
}
