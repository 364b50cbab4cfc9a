package load

import (
	"fmt"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// A total is everything that all workers saw.
type total struct {
	steps, warm []tally
	lateness    coarse
	delayed     int64
	last        time.Duration // when the last measured answer came
}

func (e *engine) total() total {
	sum := total{steps: make([]tally, len(e.steps)), warm: make([]tally, len(e.steps))}
	for _, r := range e.recorders {
		r.mu.Lock()
		for i := range e.steps {
			sum.steps[i].merge(&r.measured[i])
			sum.warm[i].merge(&r.warm[i])
		}
		sum.lateness.merge(&r.lateness)
		sum.delayed += r.delayed
		sum.last = max(sum.last, r.last)
		r.mu.Unlock()
	}
	return sum
}

// summary makes the record of a run that is over.
func (e *engine) summary(redactor *oauth.Redactor, t target.Target, o Options, u used) reports.Load {
	sum := e.total()
	l := reports.Load{
		Schema:  reports.LoadSchema,
		Tool:    reports.Tool{Name: "flowproof", Version: o.Version},
		Target:  reports.Target{Name: t.Name, URL: t.URL, Profile: t.Profile, Edition: t.Edition, Tokens: e.before.tokens},
		Plan:    e.planRecord(),
		Started: e.base.UTC().Format(time.RFC3339Nano),
		Partial: e.why,
		Machine: reports.ThisMachine(),
		Series:  e.seconds(),
	}
	if e.plan.Reference != "" {
		l.Reference = e.reference.record(e.plan.Reference, l.Series)
	}
	span := e.span(sum.last)
	l.DurationMS = span.Milliseconds()
	for i := range sum.steps {
		sum.steps[i].redact(redactor)
		l.Steps = append(l.Steps, sum.steps[i].record(e.steps[i].name, e.planned(i, sum.steps[i].sent), e.hostile(i)))
		if e.plan.WarmUp > 0 {
			sum.warm[i].redact(redactor)
			l.WarmUp = append(l.WarmUp, sum.warm[i].record(e.steps[i].name, e.warmPlanned(i, sum.warm[i].sent), e.hostile(i)))
		}
	}
	l.Generator = e.generator(&sum, u, o)
	l.Violations = e.violations(&sum, redactor, e.sampled.strange)
	rest := notes{engine: e, total: &sum, steps: l.Steps, together: o.Together}
	j := newJudgement(span, l.Generator)
	for i, s := range l.Steps {
		j.add(s.Name, e.plan.Scenarios[e.steps[i].scenario].Name, &sum.steps[i], s.Planned)
	}
	whole := j.tallies[""]
	l.Rate = reports.Rate{Intended: e.intended(l.Steps), Achieved: perSecond(whole.verified, span)}
	for _, h := range e.plan.Thresholds {
		l.Thresholds = append(l.Thresholds, j.judge(h))
	}
	l.Verdict = verdict(&l, e.plan.Thresholds, whole, j.ours(whole))
	if e.aborted && l.Generator.Bottleneck == "" { // a rule of the plan is a bound, too
		l.Verdict = reports.Fail
	}
	l.Notices = rest.list(whole)
	return l
}

// redact masks what a server wrote into its error codes, should it be a secret.
func (t *tally) redact(r *oauth.Redactor) {
	shown := map[string]int64{}
	for class, n := range t.errors {
		shown[r.Text(class)] += n
	}
	t.errors = shown
}

// intended is the rate of all requests of this shard, those that follow in an arrival with it.
func (e *engine) intended(steps []reports.Step) float64 {
	if e.plan.Model == Closed {
		return 0
	}
	var all, arrivals int64
	for i, s := range steps {
		all += s.Planned
		if _, first := e.jobOf(i); first {
			arrivals += s.Planned
		}
	}
	return e.plan.Rate / float64(e.plan.Shard.Of) * float64(all) / float64(max(arrivals, 1))
}

// span is how long the measured part took: the plan's time, or longer when answers came later.
func (e *engine) span(last time.Duration) time.Duration {
	switch {
	case e.why != "":
		return max(last, e.haltedAt, 0)
	case e.plan.Model == Open:
		return max(last, e.schedule.due(e.schedule.last))
	}
	return last
}

// arrivals is how many of the schedule's requests first to next-1 are this shard's.
func (e *engine) arrivals(first, next int64) (n int64) {
	for job := range e.mix.jobs() {
		n += e.count(job, first, next)
	}
	return n
}

// planned is how many measured requests of a step were due: those of the schedule, and for what follows in an
// arrival those that came to it.
func (e *engine) planned(i int, sent int64) int64 {
	if e.plan.Model == Closed {
		return sent
	}
	job, first := e.jobOf(i)
	if !first {
		for n, l := range e.lanes {
			sent += l.later.left(e.sites[n].jobs[job])
		}
		return sent
	}
	n := e.schedule.last
	if e.why != "" {
		n = max(min(n, e.schedule.within(e.haltedAt)), 0)
	}
	return max(e.count(job, 0, n), sent)
}

// jobOf is the job whose requests are recorded as the step, and whether each of its arrivals begins with it.
func (e *engine) jobOf(step int) (job int, first bool) {
	for n, j := range e.sites[0].jobs {
		for k, s := range j.steps {
			if s == step {
				return n, k == 0
			}
		}
	}
	return 0, false
}

func (e *engine) hostile(step int) bool { return e.steps[step].kind == refusalKind }

// warmPlanned is how many requests of a step were due in the warm-up.
func (e *engine) warmPlanned(i int, sent int64) int64 {
	if job, first := e.jobOf(i); first && e.plan.Model == Open && e.why == "" {
		return e.count(job, -e.schedule.warm, 0)
	}
	return sent
}

// record is the tally as that of a step.
func (t *tally) record(name string, planned int64, hostile bool) reports.Step {
	return reports.Step{
		Name: name, Planned: planned, Sent: t.sent, Answered: t.answered, Verified: t.verified, Throttled: t.throttled, Errors: t.errors,
		NotSent: planned - t.sent, Late: t.late, Hostile: hostile, Latency: histogram(t.latency), Service: histogram(t.service),
	}
}

// seconds is the series with what was planned for each second.
func (e *engine) seconds() []reports.Second {
	e.series.mu.Lock()
	out := slices.Clone(e.series.seconds)
	e.series.mu.Unlock()
	for i := range out {
		if e.plan.Model == Closed {
			out[i].Planned = out[i].Sent
			continue
		}
		from := time.Duration(i) * time.Second
		out[i].Planned += e.arrivals(e.schedule.planned(from, from+time.Second))
	}
	return out
}

func percentiles() map[string]float64 {
	return map[string]float64{"50": 50, "75": 75, "90": 90, "95": 95, "99": 99, "99.9": 99.9, "99.99": 99.99}
}

func histogram(h *hdrhistogram.Histogram) reports.Histogram {
	if h == nil || h.TotalCount() == 0 {
		return reports.Histogram{Percentiles: map[string]float64{}}
	}
	out := reports.Histogram{Count: h.TotalCount(), MinUS: h.Min(), MeanUS: h.Mean(), MaxUS: h.Max(), Percentiles: map[string]float64{}}
	for name, p := range percentiles() {
		out.Percentiles[name] = float64(h.ValueAtPercentile(p))
	}
	if encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase); err == nil {
		out.Encoded = string(encoded)
	}
	return out
}

func perSecond(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

const (
	mostCPU      = 0.9                  // of the processors that the generator may use
	mostLateness = 2 * time.Millisecond // at the 99th percentile
	mostPause    = 0.01                 // of the time, for collecting garbage
)

// generator says how the load generator itself fared, and whether the figures are its own.
func (e *engine) generator(sum *total, u used, o Options) reports.Generator {
	g := reports.Generator{
		CPUSeconds: u.cpu.Seconds(), MaxRSSBytes: u.maxRSS, GCPauseUS: u.pause.Microseconds(), GCPauseMaxUS: u.longestPause.Microseconds(),
		LatenessP99US: sum.lateness.quantile(0.99), LatenessMaxUS: sum.lateness.max, Late: sum.delayed, StoodStillMS: e.still.total.Milliseconds(),
	}
	who := "the load generator"
	if o.Together {
		who = "the load generator and the target, which share a process,"
	}
	cores := u.cpu.Seconds() / max(u.wall, time.Millisecond).Seconds()
	var all tally
	for i := range sum.steps {
		for class, n := range sum.steps[i].errors {
			all.fail(class, n)
		}
	}
	switch own, most := all.own(); {
	case own > 0:
		g.Bottleneck = fmt.Sprintf("this machine could not send %s: %s", requests(own), most)
	case e.still.times > 0:
		g.Bottleneck = e.still.String()
	case u.wall > time.Second && cores >= mostCPU*float64(u.cores):
		g.Bottleneck = fmt.Sprintf("%s kept %s of %d processors busy", who, significant(cores), u.cores)
	case g.LatenessP99US > mostLateness.Microseconds():
		g.Bottleneck = fmt.Sprintf("1%% of the requests for which a connection was free were sent %s late or later", showMicroseconds(float64(g.LatenessP99US)))
	case u.wall > time.Second && u.pause.Seconds() > mostPause*u.wall.Seconds():
		g.Bottleneck = fmt.Sprintf("%s stood still for %s%% of the time to collect garbage", who, significant(100*u.pause.Seconds()/u.wall.Seconds()))
	}
	return g
}

// violations are the flaws of what was counted, and so many strange tokens that were introspected.
func (e *engine) violations(sum *total, redactor *oauth.Redactor, strange int64) []reports.Violation {
	e.firsts.mu.Lock()
	defer e.firsts.mu.Unlock()
	var out []reports.Violation
	for f := range flawCount {
		var n int64
		for i := range sum.steps {
			n += sum.steps[i].flaws[f]
		}
		if f == wrongOwner {
			n += strange
		}
		if n == 0 {
			continue
		}
		r := f.rule()
		v := reports.Violation{Requirement: r.requirement, Verdict: r.verdict, Count: n, Message: r.message, First: e.firsts.exchanges[f].Evidence(redactor)}
		v.First.Deciding = true
		if e.firsts.worst[f].Status != 0 {
			worst := e.firsts.worst[f].Evidence(redactor)
			worst.Deciding = true
			v.Worst = &worst
		}
		out = append(out, v)
	}
	return out
}
