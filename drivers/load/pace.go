package load

import "time"

// A claim is a request that a worker took: one of the schedule, or what is left of an arrival.
type claim struct {
	index    int64
	due, now time.Duration
	free     bool // a connection was free when it was due, so lateness is ours
	rest     *followUp
}

// peek is the lane's next request. It reports false when there is none left.
func (l *lane) peek() (i int64, ok bool) {
	e := l.engine
	for {
		i = l.next.Load()
		if i >= e.schedule.last && e.plan.Model == Open {
			return i, false
		}
		if e.allLanes() == 1 || e.laneOf(i) == l.number {
			return i, true
		}
		l.next.CompareAndSwap(i, i+1)
	}
}

// claim takes the next request of the open model, and waits until it is due. It reports false when
// there is none left. Requests that are overdue are taken at once by whoever comes; for one that is
// not yet due, one free worker watches the clock and sends it itself, while the others wait their turn.
func (w *worker) claim() (c claim, ok bool) {
	e, l := w.engine, w.lane
	watching, waiting := false, false
	defer func() {
		if waiting {
			l.idle.Add(-1)
		}
		if watching {
			<-l.turn
		}
	}()
	for !e.halted.Load() {
		due := never
		i, more := l.peek()
		if more {
			due = e.schedule.due(i)
		}
		now := e.now()
		if now > e.end {
			due, more = never, false
		}
		rest := l.later.first()
		switch {
		case rest <= now && rest <= due:
			if f, ok := l.later.take(now); ok {
				return claim{due: f.due, now: now, free: w.since <= f.due || l.idle.Load() > 0, rest: &f}, true
			}
		case due <= now:
			if l.next.CompareAndSwap(i, i+1) {
				return claim{index: i, due: due, now: now, free: w.since <= due || l.idle.Load() > 0}, true
			}
		case !more && rest == never && l.later.owed.Load() == 0:
			return claim{}, false
		case !watching:
			if !waiting {
				waiting = true
				l.idle.Add(1)
			}
			select {
			case l.turn <- struct{}{}:
				watching = true
			case <-e.halt:
			}
		default:
			at := min(due, rest)
			if at == never { // what is under way may leave something
				at = now + time.Millisecond
			}
			w.await(at)
		}
	}
	return claim{}, false
}

// await sleeps until due, or less. The last stretch is slept precisely; before that the run may be halted, or
// something turn up that is due earlier.
func (w *worker) await(due time.Duration) {
	e := w.engine
	wait := due - e.now()
	if wait <= 0 {
		return
	}
	if wait <= precise {
		e.nap(wait)
		return
	}
	e.pause(wait-precise/2, w.lane.later.sooner)
}

// pause waits for about d, or until the run is halted or something comes up.
func (e *engine) pause(d time.Duration, comesUp <-chan struct{}) {
	if d <= 0 {
		return
	}
	over := time.NewTimer(d)
	defer over.Stop()
	select {
	case <-over.C:
	case <-comesUp:
	case <-e.halt:
	}
}

const (
	precise  = 10 * time.Millisecond
	patience = time.Millisecond // so long a request may be overdue before a connection is opened for it
)

// needed waits, in reserve, until a request is overdue and every connection is busy. It reports false when the
// schedule is over before.
func (w *worker) needed() bool {
	e, l := w.engine, w.lane
	select {
	case l.growth <- struct{}{}: // one looks, the others wait behind it
		defer func() { <-l.growth }()
	case <-e.halt:
		return false
	}
	for !e.halted.Load() {
		i, more := l.peek()
		if !more || e.now() > e.end {
			return false
		}
		if wait := e.schedule.due(i) + patience - e.now(); wait > 0 {
			e.pause(wait, nil)
			continue
		}
		if l.idle.Load() == 0 {
			e.grown.Add(1)
			w.since = e.now()
			return true
		}
		e.pause(patience, nil)
	}
	return false
}
