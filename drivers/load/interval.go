package load

import (
	"context"
	"maps"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// Await tells when the first request is due; it is asked when everything is ready. Its error ends the run before
// anything was sent.
type Await func(ctx context.Context, h Head) (time.Time, error)

// A Head is what a run says of itself before its first request: its record, in which nothing was sent so far.
type Head struct{ reports.Load }

// head is that of this run.
func (e *engine) head(t target.Target, o Options) Head {
	l := reports.Load{
		Schema: reports.LoadSchema, Tool: reports.Tool{Name: "flowproof", Version: o.Version},
		Target:  reports.Target{Name: t.Name, URL: t.URL, Profile: t.Profile, Edition: t.Edition, Tokens: e.before.tokens},
		Plan:    e.planRecord(),
		Machine: reports.ThisMachine(),
	}
	var none tally
	for i, s := range e.steps {
		l.Steps = append(l.Steps, none.record(s.name, e.planned(i, 0), e.hostile(i)))
		if e.plan.WarmUp > 0 {
			l.WarmUp = append(l.WarmUp, none.record(s.name, e.warmPlanned(i, 0), e.hostile(i)))
		}
	}
	l.Rate.Intended = e.intended(l.Steps)
	return Head{l}
}

// An Interval is what a run counted since the one before. All of them together are what its record counts.
type Interval struct {
	Now        Snapshot
	Steps      []reports.Step // nothing is planned in these
	WarmUp     []reports.Step
	Seconds    []reports.Second
	Violations []reports.Violation
	First      *Start // once it is known
}

// A Start is when the first request was sent, and when it had been due.
type Start struct {
	Sent time.Time
	Due  time.Duration // from the start, which is that of the warm-up if there is one
}

const intervalEvery = 500 * time.Millisecond

// intervals tell the intervals of a run.
type intervals struct {
	engine   *engine
	redactor *oauth.Redactor
	told     total
	seconds  []reports.Second
}

func newIntervals(e *engine, r *oauth.Redactor) *intervals {
	n := len(e.steps)
	return &intervals{engine: e, redactor: r, told: total{steps: make([]tally, n), warm: make([]tally, n)}}
}

// tell tells them until over is closed; the last one is left.
func (v *intervals) tell(over <-chan struct{}, each func(Interval)) {
	ticks := time.NewTicker(intervalEvery)
	defer ticks.Stop()
	for {
		select {
		case <-over:
			return
		case <-ticks.C:
		}
		each(v.next())
	}
}

// next is what was counted since it was asked for the last time.
func (v *intervals) next() Interval {
	e := v.engine
	i := Interval{Now: e.snapshot(nil), First: e.start()}
	sum := e.total()
	fresh := total{steps: make([]tally, len(e.steps)), warm: make([]tally, len(e.steps))}
	for n, s := range e.steps {
		for _, of := range []struct {
			now, told, fresh *tally
			to               *[]reports.Step
		}{{&sum.steps[n], &v.told.steps[n], &fresh.steps[n], &i.Steps}, {&sum.warm[n], &v.told.warm[n], &fresh.warm[n], &i.WarmUp}} {
			*of.fresh = of.now.since(of.told)
			if of.fresh.sent == 0 {
				continue
			}
			bare := *of.fresh
			bare.redact(v.redactor)
			step := bare.record(s.name, bare.sent, e.hostile(n))
			step.Planned, step.Latency.Percentiles, step.Service.Percentiles = 0, nil, nil
			*of.to = append(*of.to, step)
		}
	}
	i.Violations = e.violations(&fresh, v.redactor, 0)
	v.told = sum
	i.Seconds = v.fresh()
	return i
}

// fresh are the seconds in which something was counted since the last time.
func (v *intervals) fresh() []reports.Second {
	now := v.engine.seconds()
	var out []reports.Second
	for i, at := range now {
		if i < len(v.seconds) {
			if at == v.seconds[i] {
				continue
			}
			old := v.seconds[i]
			at.Planned -= old.Planned
			at.Sent -= old.Sent
			at.Answered -= old.Answered
			at.Errors -= old.Errors
		}
		out = append(out, at)
	}
	v.seconds = now
	return out
}

// since is what was counted after another count of the same.
func (t *tally) since(before *tally) tally {
	out := tally{
		sent: t.sent - before.sent, answered: t.answered - before.answered, verified: t.verified - before.verified, throttled: t.throttled - before.throttled,
		late: t.late - before.late, errors: maps.Clone(t.errors), latency: since(t.latency, before.latency), service: since(t.service, before.service),
	}
	for class, n := range before.errors {
		if out.errors[class] -= n; out.errors[class] == 0 {
			delete(out.errors, class)
		}
	}
	for f := range flawCount {
		out.flaws[f] = t.flaws[f] - before.flaws[f]
	}
	return out
}

func since(now, before *hdrhistogram.Histogram) *hdrhistogram.Histogram {
	if now == nil || before == nil {
		return now
	}
	counts, old := now.Export(), before.Export().Counts
	for i := range min(len(counts.Counts), len(old)) {
		counts.Counts[i] -= old[i]
	}
	return hdrhistogram.Import(counts)
}

// start is when the first request was sent, as far as it was answered; nil: none was.
func (e *engine) start() *Start {
	var first *outcome
	for _, r := range e.recorders {
		r.mu.Lock()
		if r.began && (first == nil || r.first.sent < first.sent) {
			at := r.first
			first = &at
		}
		r.mu.Unlock()
	}
	if first == nil {
		return nil
	}
	return &Start{Sent: e.base.Add(first.sent), Due: first.due + e.warmUp()}
}
