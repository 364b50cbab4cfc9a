package load

import (
	"fmt"
	"slices"
	"time"

	"flowproof/reports"
)

// A judgement holds thresholds to what was measured: of each step, of each scenario with all its steps, and,
// under no name, of all together.
type judgement struct {
	tallies    map[string]*tally
	planned    map[string]int64
	span       time.Duration
	bottleneck string
	still      bool // this process stood still for a while
}

func newJudgement(span time.Duration, g reports.Generator) judgement {
	return judgement{tallies: map[string]*tally{"": {}}, planned: map[string]int64{}, span: span, bottleneck: g.Bottleneck, still: g.StoodStillMS > 0}
}

// add counts a step under its name, under that of its scenario and under that of all.
func (j judgement) add(step, scenario string, t *tally, planned int64) {
	for _, name := range slices.Compact([]string{step, scenario, ""}) {
		if j.tallies[name] == nil {
			j.tallies[name] = &tally{}
		}
		j.tallies[name].merge(t)
		j.planned[name] += planned
	}
}

// ours is how many requests may have failed on account of this machine.
func (j judgement) ours(t *tally) int64 {
	n, _ := t.own()
	if j.still {
		n += t.lost()
	}
	return n
}

func (j judgement) judge(h Threshold) reports.Threshold {
	out := reports.Threshold{Expression: h.String()}
	t := j.tallies[h.step]
	if t == nil || t.sent == 0 {
		out.Reason = "nothing was sent"
		return out
	}
	var ours int64
	switch h.metric {
	case "errors":
		out.Value = float64(t.failed()) / float64(t.sent)
		if ours = j.ours(t); !h.held(float64(t.failed()-ours) / float64(t.sent)) {
			ours = 0 // the target alone breaks the bound
		}
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
	if !out.Held && j.bottleneck != "" && (ours > 0 || h.timed() || h.metric == "rate" || h.metric == "unsent") {
		out.Reason = "not to be told from the target: " + j.bottleneck
	}
	return out
}

// verdict is fail when a threshold or a requirement does not hold, or, unless a threshold bounds the
// errors, when any request failed. It is inconclusive when something cannot be told.
func verdict(l *reports.Load, hs []Threshold, whole *tally, own int64) reports.Verdict {
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
	if !bounded && whole.failed() > own && whole.answered > 0 {
		return reports.Fail
	}
	if untold || own > 0 {
		return reports.Inconclusive
	}
	return reports.Pass
}

func requests(n int64) string { return reports.Plural(n, "request", "requests") }

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
	n.uniqueness(say)
	var unsent, late, waited int64
	for _, s := range n.steps {
		unsent += s.NotSent
		late += s.Errors[timedOut]
		waited += s.Late
	}
	if own, class := whole.own(); own > 0 {
		say("%s could not be sent, since this machine has no more means (%s): %s.", requests(own), class, mend(class))
	}
	if e.still.times > 0 {
		say("The schedule was not kept: %s. What was due then was sent late or not at all, and what was under way may have failed for that alone.", e.still.String())
	}
	if unsent > 0 {
		say("%s due and could not be sent before the end, since every connection was busy or the load generator was late: the latencies would be longer otherwise.", reports.Plural(unsent, "request was", "requests were"))
	}
	if queued := waited - n.total.delayed; queued > 0 && e.plan.Model == Open {
		say("%s started more than %s late because every connection was busy; the latencies count the wait.", requests(queued), showMicroseconds(float64(overdue.Microseconds())))
	}
	if n.total.delayed > 0 && e.plan.Model == Open {
		say("%s for which a connection was free started more than %s late: that much is the load generator's, and the latencies count it.", requests(n.total.delayed), showMicroseconds(float64(overdue.Microseconds())))
	}
	if late > 0 {
		say("%s timed out after %v; the latencies count that time.", requests(late), e.plan.Timeout)
	}
	if whole.throttled > 0 {
		say("%s by 429 or 503: that counts in the latencies, but neither as verified nor as an error.", reports.Plural(whole.throttled, "answer was a refusal", "answers were refusals"))
	}
	if b := e.begun.Load(); b > 0 {
		say("%s refused.", reports.Plural(b, "chain of tokens was begun again, since its token was", "chains of tokens were begun again, since their token was"))
	}
	if e.before.reissues {
		say("The target gives the same client the same token while it lives; only a repeat across clients or users counts as a violation.")
	}
	if e.sampled.asked > 0 && e.sampled.strange == 0 {
		say("%s was said to be that of the client and user who had asked.", reports.Plural(e.sampled.asked, "token was introspected during the run; it", "tokens were introspected during the run; each"))
	}
	n.hostile(say)
	if g := e.grown.Load(); g > 0 {
		say("The connections grew from %s to %s, since requests were due while all were busy.", reports.Grouped(e.plan.atFirst()), reports.Grouped(int64(e.plan.atFirst())+g))
	}
	if e.plan.Shard.Of > 1 {
		say("This is shard %d of %d: figures are of its part of the plan alone.", e.plan.Shard.Index, e.plan.Shard.Of)
	}
	if n.together {
		say("The target ran in the same process as the load generator: CPU seconds and memory are those of both.")
	}
	if e.plan.NoKeepAlive {
		say("Every request opened a connection of its own; latency and service time include that.")
	}
	if e.plan.Model == Closed {
		say("The model is closed, with at most %s under way at a time, so that a slow server is asked less often and waits are hidden.", requests(int64(e.plan.workers())))
	}
	return out
}

const uniquenessNotice = "Uniqueness was checked over"

// uniqueness says over what it was checked.
func (n notes) uniqueness(say func(string, ...any)) {
	var counts []string
	var bytes int64
	sampled := ""
	for _, set := range []struct {
		of   *uniques
		name string
	}{{n.engine.seen.access, "access token"}, {n.engine.seen.refresh, "refresh token"}, {n.engine.seen.codes, "code"}} {
		x := set.of.extent()
		bytes += x.bytes
		count := reports.Plural(x.given, set.name, set.name+"s")
		switch {
		case x.given == 0:
			continue
		case x.compared < x.given:
			sampled = "; more do not fit the memory set aside for it, so that a repeat among the others was not noticed"
			count = "a sample of " + reports.Grouped(x.compared) + " of " + count
		}
		counts = append(counts, count)
	}
	room := ""
	if mib := bytes >> 20; mib > 0 {
		room = " in " + reports.Grouped(mib) + " MiB"
	}
	if len(counts) > 0 {
		say(uniquenessNotice+" %s, kept as 64-bit hashes%s%s.", list(counts), room, sampled)
	}
}

// hostile says what became of the requests that had to be refused.
func (n notes) hostile(say func(string, ...any)) {
	var sent, refused int64
	for _, s := range n.steps {
		if s.Hostile {
			sent += s.Sent
			refused += s.Verified + s.Throttled
		}
	}
	if sent > 0 {
		say("%s of %s.", reports.Grouped(refused), reports.Plural(sent, "hostile request was refused as it has to be", "hostile requests were refused as they have to be"))
	}
}
