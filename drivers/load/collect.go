package load

import (
	"time"
)

// A Snapshot is how far a run has got.
type Snapshot struct {
	Elapsed   time.Duration // of the measured part; negative in the warm-up
	Duration  time.Duration // of the measured part when it will be over; 0: until Planned
	Planned   int64         // requests of the measured part, 0 in a closed run with a duration
	Sent      int64         // measured, as are those below
	Answered  int64
	Verified  int64
	Throttled int64
	Errors    int64
	InFlight  int64         // requests without an answer so far
	Intended  float64       // requests a second that were due in the last seconds, 0 in a closed run
	Rate      float64       // answers a second, of the last seconds
	P50, P99  time.Duration // latency of the last seconds
	Failing   []Count       // the errors by class, those that came most at first
	Broken    []Count       // the requirements that did not hold, the worst at first
}

const (
	tick     = 200 * time.Millisecond
	recently = 3 // seconds of a snapshot's percentiles and rates
)

// collect looks at the run five times a second until over is closed: it closes the seconds that have
// passed, reports progress, and stops a run that broke a rule of the plan.
func (e *engine) collect(over <-chan struct{}, progress func(Snapshot)) {
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for {
		e.still.look(e.now())
		select {
		case <-over:
			e.still.heard(e.now())
			return
		case <-ticks.C:
			e.still.heard(e.now())
		}
		s := e.snapshot(nil)
		if progress != nil {
			progress(s)
		}
		e.abort()
	}
}

// abort ends a run that broke one of the plan's rules for long enough.
func (e *engine) abort() {
	for _, rule := range e.plan.Abort {
		if why := rule.passed(e.series, int(e.now()/time.Second), e.busy); why != "" {
			e.stop(why, true)
		}
	}
}

// busy reports whether there was anything to send in a second.
func (e *engine) busy(second int) bool {
	from := time.Duration(second) * time.Second
	return e.plan.Model == Closed || e.arrivals(e.schedule.planned(from, from+time.Second)) > 0
}

// snapshot is the run as it stands. beside, if not nil, sees each recorder at the same moment.
func (e *engine) snapshot(beside func(*recorder)) Snapshot {
	now := e.now()
	s := Snapshot{Elapsed: now, Duration: e.plan.Duration, Planned: e.arrivals(0, e.schedule.last)}
	if e.plan.Model == Closed {
		s.Planned = e.plan.Count
	}
	var all tally
	for _, r := range e.recorders {
		r.mu.Lock()
		r.window.flush(e.series)
		for i := range r.measured {
			t := &r.measured[i]
			for class, n := range t.errors {
				all.fail(class, n)
			}
			for f, n := range t.flaws {
				all.flaws[f] += n
			}
			s.Sent += t.sent
			s.Answered += t.answered
			s.Verified += t.verified
			s.Throttled += t.throttled
			s.Errors += t.failed()
		}
		if beside != nil {
			beside(r)
		}
		r.mu.Unlock()
	}
	e.series.closeBefore(int(now/time.Second) - max(recently, e.plan.longestSpell()+1))
	for _, w := range e.workers {
		if w.busy.Load() {
			s.InFlight++
		}
	}
	s.Failing = e.failures(all.errors)
	for _, f := range findings([]tally{all}) {
		s.Broken = append(s.Broken, Count{f.Requirement, f.N})
	}
	answered, p50, p99 := e.series.recent(now, recently)
	s.P50, s.P99 = time.Duration(p50)*time.Microsecond, time.Duration(p99)*time.Microsecond
	span := min(now, (recently-1)*time.Second+now%time.Second)
	if span > 0 {
		s.Rate = float64(answered) / span.Seconds()
		if e.plan.Model == Open {
			s.Intended = float64(e.arrivals(e.schedule.planned(now-span, now))) / span.Seconds()
		}
	}
	return s
}
