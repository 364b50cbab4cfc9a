package load

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"flowproof/drivers/target"
)

// An engine runs one plan: its workers, each with one connection, share the schedule and nothing else.
type engine struct {
	plan     Plan
	jobs     []job
	mix      mix
	schedule schedule
	workers  []*worker
	series   *series
	seen     *uniques
	firsts   firsts
	reissues bool // the target gives the same live token again, by design
	failing  flaws
	nap      func(time.Duration)

	base time.Time     // the start of the measured part
	end  time.Duration // no request starts later

	next    atomic.Int64 // the index of the next request
	counted atomic.Int64 // measured requests of a closed run with a count
	idle    atomic.Int32 // workers that wait for a request
	turn    chan struct{}

	halted   atomic.Bool
	halt     chan struct{}
	halting  sync.Once
	haltedAt time.Duration // read after halt is closed
	why      string        // the run ended early
	begun    atomic.Int64  // chains that were begun again
}

// A worker is one connection and what goes over it.
type worker struct {
	engine   *engine
	wire     wire
	recorder *recorder
	chain    *chain        // nil unless refresh tokens are in the mix
	since    time.Duration // when it became free
	answer   answer
	members  members
}

const (
	lead  = 10 * time.Millisecond // for the workers to get ready
	slack = 50 * time.Millisecond // a request that was due in time may still start that late
	never = time.Duration(math.MaxInt64)
)

// newEngine makes an engine of a resolved plan, with one wire and, if refresh tokens are in the mix,
// one begun chain for each worker.
func newEngine(p Plan, jobs []job, wires []wire, chains []*chain, nap func(time.Duration)) *engine {
	e := &engine{
		plan: p, jobs: jobs, mix: newMix(p.Mix), series: newSeries(), seen: newUniques(), failing: failing(), nap: nap,
		turn: make(chan struct{}, 1), halt: make(chan struct{}), end: never,
	}
	if p.Model == Open {
		e.schedule = newSchedule(p)
		e.next.Store(-e.schedule.warm)
	}
	if p.Duration > 0 {
		e.end = p.Duration
		if p.Model == Open {
			e.end += slack
		}
	}
	for i, w := range wires {
		wk := &worker{engine: e, wire: w, recorder: newRecorder(len(jobs), e.series)}
		if chains != nil {
			wk.chain = chains[i]
		}
		e.workers = append(e.workers, wk)
	}
	return e
}

// ready sets the clock: the measured part starts when the warm-up is over.
func (e *engine) ready() {
	e.base = time.Now().Add(lead + e.before())
}

// before is how long the warm-up takes.
func (e *engine) before() time.Duration {
	if e.plan.Model == Open {
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
			if e.plan.Model == Closed {
				e.pause(-e.before() - e.now())
			}
			w.run()
		})
	}
	all.Wait()
	for _, w := range e.workers {
		w.recorder.mu.Lock()
		w.recorder.window.flush(e.series)
		w.recorder.mu.Unlock()
	}
	e.series.closeBefore(math.MaxInt)
}

func (e *engine) now() time.Duration { return time.Since(e.base) }

// stop lets no further request start. The first reason counts.
func (e *engine) stop(why string) {
	e.halting.Do(func() {
		e.why, e.haltedAt = why, e.now()
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

func (w *worker) run() {
	defer w.wire.close()
	for {
		var (
			i        int64
			due, now time.Duration
			free, ok bool
		)
		if w.engine.plan.Model == Open {
			i, due, now, free, ok = w.claim()
		} else {
			i, now, ok = w.proceed()
			due = now
		}
		if !ok {
			return
		}
		w.send(i, due, now, free)
	}
}

// proceed takes the next request of the closed model.
func (w *worker) proceed() (i int64, now time.Duration, ok bool) {
	e := w.engine
	now = e.now()
	if e.halted.Load() || now >= e.end {
		return 0, 0, false
	}
	if e.plan.Count > 0 && now >= 0 && e.counted.Add(1) > e.plan.Count {
		return 0, 0, false
	}
	return e.next.Add(1) - 1, now, true
}

// send makes request i and records what became of it.
func (w *worker) send(i int64, due, now time.Duration, free bool) {
	e := w.engine
	step, nth := e.mix.pick(i + e.schedule.warm)
	j := &e.jobs[step]
	o := outcome{step: step, due: due, sent: now, free: free}
	request := &j.issues[nth%int64(len(j.issues))]
	bytes := request.bytes
	if j.grant == target.RefreshToken {
		request = &w.chain.origin
		if w.chain.token == "" && w.chain.begin(w.wire) != nil {
			o.done, o.class = e.now(), noChain
			w.recorder.add(&o)
			w.since = o.done
			return
		}
		bytes = w.chain.bytes
	}
	err := w.wire.do(bytes, &w.answer)
	o.done = e.now()
	w.since = o.done
	if err != nil {
		o.class = class(err)
		w.recorder.add(&o)
		return
	}
	w.judge(&o, j.grant, request.owner)
	w.recorder.add(&o)
	if news := o.flaws &^ e.firsts.known(); news != 0 && due >= 0 {
		e.firsts.keep(news, w.exchange(&o, j.grant, request))
	}
	if j.grant == target.RefreshToken {
		w.goOn(&o)
	}
}

// judge verifies the answer.
func (w *worker) judge(o *outcome, g target.Grant, owner int) {
	e, a, m := w.engine, &w.answer, &w.members
	o.answered = true
	if is, well := throttled(a, m); is {
		o.throttled = true
		if !well {
			o.flaws = badThrottling.bit()
		}
		return
	}
	if a.status < 200 || a.status > 299 {
		o.class = statusClass(a.status, failureCode(a, m))
		return
	}
	o.flaws = verify(a, g, m)
	if m.token.kind == '"' && len(m.token.raw) > 0 {
		if repeated, same := e.seen.add(m.token.raw, owner); repeated {
			if e.reissues && same {
				o.flaws |= reissuedToken.bit()
			} else {
				o.flaws |= repeatedToken.bit()
			}
		}
	}
	if o.flaws&e.failing != 0 {
		o.class = unverified
	}
}

// goOn follows the rotation of the chain, or begins it again when its token was refused.
func (w *worker) goOn(o *outcome) {
	switch {
	case o.class == "" && !o.throttled || o.class == unverified:
		if m := &w.members; m.refresh.kind == '"' {
			w.chain.follow(m.refresh.raw)
		}
	case w.answer.status == 400 || w.answer.status == 401 || w.answer.status == 403:
		w.engine.begun.Add(1)
		_ = w.chain.begin(w.wire) // a chain that stays broken shows at the next request
		w.since = w.engine.now()
	}
}
