package load

import "time"

// claim takes the next request of the open model, and waits until it is due. It reports false when
// there is none left. Requests that are overdue are taken at once by whoever comes; for one that is
// not yet due, one free worker watches the clock and sends it itself, while the others wait their turn.
func (w *worker) claim() (i int64, due, now time.Duration, free, ok bool) {
	e := w.engine
	watching, waiting := false, false
	defer func() {
		if waiting {
			e.idle.Add(-1)
		}
		if watching {
			<-e.turn
		}
	}()
	for !e.halted.Load() {
		i := e.next.Load()
		if i >= e.schedule.last {
			return 0, 0, 0, false, false
		}
		due := e.schedule.due(i)
		now := e.now()
		switch {
		case now > e.end:
			return 0, 0, 0, false, false
		case due <= now:
			if e.next.CompareAndSwap(i, i+1) {
				free = w.since <= due || e.idle.Load() > 0
				return i, due, now, free, true
			}
		case !watching:
			if !waiting {
				waiting = true
				e.idle.Add(1)
			}
			select {
			case e.turn <- struct{}{}:
				watching = true
			case <-e.halt:
			}
		default:
			e.await(due)
		}
	}
	return 0, 0, 0, false, false
}

// await sleeps until due, or less. The last stretch is slept precisely; before that the run may be halted.
func (e *engine) await(due time.Duration) {
	wait := due - e.now()
	if wait <= 0 {
		return
	}
	if wait <= precise {
		e.nap(wait)
		return
	}
	e.pause(wait - precise/2)
}

// pause waits for about d, or until the run is halted.
func (e *engine) pause(d time.Duration) {
	over := time.NewTimer(d)
	defer over.Stop()
	select {
	case <-over.C:
	case <-e.halt:
	}
}

const precise = 10 * time.Millisecond
