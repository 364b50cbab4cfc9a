package sandbox

import (
	"sync"
	"sync/atomic"
	"time"
)

// A throttle slows down guessing. Each client and each user name has a budget of failures that fills
// again with time; while it is spent, attempts in that name are put off, right ones too, for otherwise the
// guesser would learn which was right. Nobody else notices.
type throttle struct {
	mu     sync.Mutex
	spent  map[string]budget
	active atomic.Int64 // how many budgets are not full, so that the usual path takes no lock
	off    bool
}

type budget struct {
	failures float64
	at       time.Time
}

const (
	failuresAllowed  = 40
	failuresForgiven = 1 // a second
	budgetsKept      = 10000
)

func (t *throttle) init(off bool) { t.spent, t.off = map[string]budget{}, off }

// holds reports whether attempts in that name have to wait.
func (t *throttle) holds(name string, now time.Time) bool {
	if t.off || t.active.Load() == 0 {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b, ok := t.spent[name]
	return ok && b.left(now) > failuresAllowed-1
}

func (b budget) left(now time.Time) float64 {
	return max(0, b.failures-failuresForgiven*now.Sub(b.at).Seconds())
}

// failed counts a failure in that name.
func (t *throttle) failed(name string, now time.Time) {
	if t.off {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.spent) >= budgetsKept {
		for k, b := range t.spent {
			if b.left(now) == 0 {
				delete(t.spent, k)
			}
		}
		if len(t.spent) >= budgetsKept {
			clear(t.spent) // a flood of names: better to forget than to grow without bound
		}
	}
	t.spent[name] = budget{failures: t.spent[name].left(now) + 1, at: now}
	t.active.Store(int64(len(t.spent)))
}
