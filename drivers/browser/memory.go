package browser

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	mostMemory = 1 << 30                // of one process of the browser; all of them may take twice as much
	mostRead   = 128 << 20              // by which the browser may grow while it reads one page's body
	pulse      = 100 * time.Millisecond // between two looks at the processes
	fastPulse  = 10 * time.Millisecond  // the same while a body is read, which may come at a gigabyte a second
)

var errTooMuch = errors.New("the body goes on and on: it was not read further when it took the browser " + mebibytes(mostRead))

func mebibytes(n int64) string { return strconv.FormatInt(n>>20, 10) + " MiB" }

// A keeper ends those of the browser's processes that take too much memory, as a page can make them do: of a page the
// tab alone is lost. It looks while there is a page that could.
type keeper struct {
	family *family
	most   int64 // bytes
	ended  atomic.Int64
	whole  atomic.Bool // the browser itself was ended
	wake   chan struct{}

	mu    sync.Mutex
	pages map[*session]bool // those whose tab shows a page of others
}

func newKeeper(f *family) *keeper {
	return &keeper{family: f, most: mostMemory, wake: make(chan struct{}, 1), pages: map[*session]bool{}}
}

// mind says whether the session's tab shows a page of others.
func (k *keeper) mind(s *session, shows bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !shows {
		delete(k.pages, s)
		return
	}
	k.pages[s] = true
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *keeper) idle() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.pages) == 0
}

// keep looks until the browser is gone.
func (k *keeper) keep(gone <-chan struct{}) {
	tick := time.NewTicker(pulse)
	defer tick.Stop()
	for {
		if k.idle() {
			select {
			case <-k.wake:
				continue
			case <-gone:
				return
			}
		}
		select {
		case <-tick.C:
			k.look()
		case <-gone:
			return
		}
	}
}

// reading is a context that ends, by errTooMuch, when the browser grows while it reads one body. Chromium keeps the whole
// of it before it gives any, and tells nothing meanwhile.
func (k *keeper) reading(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	before := k.family.private(k.family.head.Pid)
	go func() {
		tick := time.NewTicker(fastPulse)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if k.family.private(k.family.head.Pid)-before > mostRead {
					cancel(errTooMuch)
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}

func (k *keeper) look() {
	var all, most int64
	largest := 0
	for _, pid := range k.family.members() {
		took := k.family.private(pid)
		if took > k.most {
			k.end(pid)
			continue
		}
		all += took
		if took > most && pid != k.family.head.Pid {
			most, largest = took, pid
		}
	}
	if all > 2*k.most {
		k.end(largest)
	}
}

// end ends a process that took too much. What that was is noted before, since the browser tells of its tab at once.
func (k *keeper) end(pid int) {
	if pid == k.family.head.Pid {
		k.whole.Store(true)
	}
	k.ended.Add(1)
	k.family.end(pid)
}

// tooMuch says what a page did that lost its tab.
func (k *keeper) tooMuch() string {
	return "the page took too much memory, and was ended (a page may take " + mebibytes(k.most) + ", and all of them twice as much)"
}

// gone says why the browser is, for a visit that it took along.
func (b *Browser) gone() string {
	if b.keeper.whole.Load() {
		return "the browser took more than " + mebibytes(b.keeper.most) + " of memory, and was ended"
	}
	return "the browser is gone"
}
