package load

import (
	"container/heap"
	"sync"
	"sync/atomic"
	"time"
)

// later keeps what is to be sent after a think time, so that nobody has to wait with it.
type later struct {
	mu       sync.Mutex
	queue    followUps
	earliest atomic.Int64  // when the first of them is due
	owed     atomic.Int64  // arrivals that are not over yet
	sooner   chan struct{} // something came that is due before the rest
}

// A followUp is the rest of an arrival.
type followUp struct {
	due      time.Duration
	job      *job
	issue    *issue
	value    string // what the answer before brought
	verifier string
}

func (l *later) init() {
	l.earliest.Store(int64(never))
	l.sooner = make(chan struct{}, 1)
}

func (l *later) first() time.Duration { return time.Duration(l.earliest.Load()) }

func (l *later) put(f followUp) {
	l.mu.Lock()
	heap.Push(&l.queue, f)
	first := l.queue[0].due
	l.earliest.Store(int64(first))
	l.mu.Unlock()
	if first == f.due {
		select {
		case l.sooner <- struct{}{}:
		default:
		}
	}
}

// take is the first of them, if it is due.
func (l *later) take(now time.Duration) (f followUp, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 || l.queue[0].due > now {
		return f, false
	}
	f, ok = heap.Pop(&l.queue).(followUp)
	l.earliest.Store(int64(never))
	if len(l.queue) > 0 {
		l.earliest.Store(int64(l.queue[0].due))
	}
	return f, ok
}

// left is how many were due in the measured part and not sent, of the job.
func (l *later) left(j *job) (n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.queue {
		if f.job == j && f.due >= 0 {
			n++
		}
	}
	return n
}

type followUps []followUp

func (q followUps) Len() int           { return len(q) }
func (q followUps) Less(i, j int) bool { return q[i].due < q[j].due }
func (q followUps) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *followUps) Push(x any) {
	if f, ok := x.(followUp); ok {
		*q = append(*q, f)
	}
}

func (q *followUps) Pop() any {
	last := len(*q) - 1
	f := (*q)[last]
	*q = (*q)[:last]
	return f
}
