package load

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"flowproof/drivers/oauth"
)

// An engine runs one plan once: its workers, each with one connection or stream, share the schedule and
// nothing else.
type engine struct {
	plan      Plan
	steps     []step
	sites     []*site
	mix       mix
	schedule  *schedule
	lanes     []*lane
	workers   []*worker
	recorders []*recorder
	series    *series
	seen      seen
	firsts    firsts
	knows     identities
	before    flight
	failing   flaws
	sampled   sampler
	reference reference
	still     standstill // of collect, until it ended
	nap       func(time.Duration)
	meter     func() func(wall time.Duration) used // of this process, from now on
	startAt   time.Time
	redactor  *oauth.Redactor // of what is shown while it runs

	base time.Time     // the start of the measured part
	end  time.Duration // no request starts later, but for what an earlier one began

	counted atomic.Int64 // measured requests of a closed run with a count

	halted   atomic.Bool
	halt     chan struct{}
	halting  sync.Once
	haltedAt time.Duration // read after halt is closed
	why      string        // the run ended early
	aborted  bool          // by a rule of the plan
	begun    atomic.Int64  // chains that were begun again
	grown    atomic.Int64  // workers that joined while the run went on
}

// A lane is the part of the schedule that goes to one node. Its workers share it.
type lane struct {
	engine *engine
	number int64
	next   atomic.Int64 // the index of the next request
	idle   atomic.Int32 // workers that wait for a request
	turn   chan struct{}
	growth chan struct{} // the worker that looks whether one more is needed
	later  later
}

const (
	lead  = 10 * time.Millisecond // for the workers to get ready
	slack = 50 * time.Millisecond // a request that was due in time may still start that late
	never = time.Duration(math.MaxInt64)
)

// newEngine makes an engine of a resolved plan and its sites, with the wires of each site.
func newEngine(p Plan, sites []*site, wires [][]wire, before flight, nap func(time.Duration)) *engine {
	e := &engine{
		plan: p, steps: p.steps(), sites: sites, mix: newMix(p.Scenarios), schedule: &schedule{}, series: newSeries(),
		before: before, knows: before.knows, failing: failing(), nap: nap, meter: noMeter, sampled: sampler{tokens: make(chan sample, 1)}, halt: make(chan struct{}), end: never,
	}
	if p.Model == Open {
		e.schedule = newSchedule(p)
	}
	e.seen = newSeen(e.arrivalsInAll())
	if p.Duration > 0 {
		e.end = p.Duration
		if p.Model == Open {
			e.end += slack
		}
	}
	for n, s := range sites {
		l := &lane{engine: e, number: int64(n*p.Shard.Of + p.Shard.Index - 1), turn: make(chan struct{}, 1), growth: make(chan struct{}, 1)}
		l.later.init()
		l.next.Store(-e.schedule.warm)
		e.lanes = append(e.lanes, l)
		from := part(p.atFirst(), n, len(sites))
		for i, w := range wires[n] {
			wk := &worker{engine: e, lane: l, site: s, wire: w, reserve: i >= from, recorder: e.recorder(len(e.workers)), chains: make([]*chain, len(s.jobs))}
			for k, j := range s.jobs {
				if j.held != nothingHeld {
					wk.chains[k] = &chain{issue: j.issues[i%len(j.issues)], holds: j.held}
				}
			}
			e.workers = append(e.workers, wk)
		}
	}
	return e
}

// arrivalsInAll is how many arrivals the plan has, each of which may bring one token of a kind; 0: it depends on
// the server.
func (e *engine) arrivalsInAll() int64 {
	all := e.schedule.warm + e.schedule.last
	if e.plan.Model == Closed {
		all = e.plan.Count
	}
	return all / int64(e.plan.Shard.Of)
}

// part is how many of all the n-th of so many parts gets.
func part(all, n, parts int) int { return (n+1)*all/parts - n*all/parts }

// workers is how many requests can be under way at a time.
func (p Plan) workers() int { return p.Connections * max(p.Streams, 1) }

// atFirst is how many of them there are before the connections grow.
func (p Plan) atFirst() int { return p.ConnectionsFrom * max(p.Streams, 1) }

// laneOf is the lane that a request belongs to. Each job's requests go round all lanes, so that each node and
// each shard gets its part of every scenario.
func (e *engine) laneOf(i int64) int64 {
	job, nth := e.mix.pick(i + e.schedule.warm)
	return (nth + int64(job)) % e.allLanes()
}

// allLanes is how many there are on all shards.
func (e *engine) allLanes() int64 { return int64(len(e.sites) * e.plan.Shard.Of) }

// count is how many of the requests first to next-1 are this shard's and the job's.
func (e *engine) count(job int, first, next int64) int64 {
	warm := e.schedule.warm
	of := int64(e.plan.Shard.Of)
	// The job's requests whose number, counted round the shards, comes to this one's.
	mine := ((int64(e.plan.Shard.Index-1-job))%of + of) % of
	below := func(n int64) int64 { return (n + of - 1 - mine) / of }
	return below(e.mix.count(job, warm+next)) - below(e.mix.count(job, warm+first))
}

// ready sets the clock: the measured part starts when the warm-up is over.
func (e *engine) ready() {
	start := time.Now().Add(lead)
	if wait := time.Until(e.startAt); !e.startAt.IsZero() && wait > lead {
		start = time.Now().Add(wait)
	}
	e.base = start.Add(e.warmUp())
}

// warmUp is how long the warm-up takes.
func (e *engine) warmUp() time.Duration {
	if e.plan.Model == Open && e.schedule.warm > 0 {
		return -e.schedule.due(-e.schedule.warm)
	}
	return e.plan.WarmUp
}

// run sends everything, and returns when the last answer came or was given up.
func (e *engine) run() {
	var all sync.WaitGroup
	for _, w := range e.workers {
		w.since = -never
		all.Go(func() {
			defer w.wire.close()
			if e.plan.Model == Closed {
				e.pause(-e.warmUp()-e.now(), nil)
			} else if w.reserve && !w.needed() {
				return
			}
			w.run()
		})
	}
	all.Wait()
	for _, r := range e.recorders {
		r.mu.Lock()
		r.window.flush(e.series)
		r.mu.Unlock()
	}
	e.series.closeBefore(math.MaxInt)
}

func (e *engine) now() time.Duration { return time.Since(e.base) }

// stop lets no further request start. The first reason counts.
func (e *engine) stop(why string, aborted bool) {
	e.halting.Do(func() {
		e.why, e.aborted, e.haltedAt = why, aborted, e.now()
		e.halted.Store(true)
		close(e.halt)
	})
}

// cut gives up what is under way.
func (e *engine) cut() {
	for _, w := range e.workers {
		w.wire.cut()
	}
}
