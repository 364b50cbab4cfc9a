package load

import (
	"runtime"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// An outcome is what became of one request.
type outcome struct {
	step            int
	due, sent, done time.Duration // from the start of the measured part
	free            bool          // a connection was free when it was due, so lateness is ours
	rest            bool          // it follows in an arrival, so that it is not in the schedule
	answered        bool
	throttled       bool
	class           string // of the error; empty when there was none
	flaws           flaws
	state           string // of an authorization request
	code            string // that came back
	chain           *chain // whose token was presented
}

// overdue is how late a request may start without being counted as late.
const overdue = time.Millisecond

// A recorder keeps what a few workers saw. They and the collector share it, hence the lock.
type recorder struct {
	mu       sync.Mutex
	measured []tally // by step
	warm     []tally
	lateness coarse
	window   window
	delayed  int64         // measured requests for which a connection was free, and that started late all the same
	last     time.Duration // when the last measured answer came
	began    bool
	first    outcome // that was sent first; of it only the times are kept
	series   *series
}

// A tally is what was counted of one step.
type tally struct {
	sent, answered, verified, throttled int64
	late                                int64 // started more than overdue after they were due
	errors                              map[string]int64
	flaws                               [flawCount]int64
	latency, service                    *hdrhistogram.Histogram
}

const (
	longest    = int64(time.Hour / time.Microsecond)
	digits     = 3
	mostErrors = 64 // classes of a step
	otherError = "other"
)

func newRecorder(steps int, s *series) *recorder {
	return &recorder{measured: make([]tally, steps), warm: make([]tally, steps), series: s}
}

// recordersPerCPU keep the workers from waiting for one another, without histograms for each of them.
const recordersPerCPU = 4

// recorder is the one that the n-th worker writes to.
func (e *engine) recorder(n int) *recorder {
	most := recordersPerCPU * runtime.GOMAXPROCS(0)
	if len(e.recorders) < most {
		e.recorders = append(e.recorders, newRecorder(len(e.steps), e.series))
	}
	return e.recorders[n%most]
}

func (r *recorder) add(o *outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.began || o.sent < r.first.sent {
		r.began, r.first = true, outcome{due: o.due, sent: o.sent}
	}
	if o.due < 0 {
		r.warm[o.step].add(o)
		return
	}
	r.measured[o.step].add(o)
	if o.free {
		r.lateness.add(micros(o.sent - o.due))
		if o.sent-o.due > overdue {
			r.delayed++
		}
	}
	r.last = max(r.last, o.done)
	r.window.add(o, r.series)
}

func (t *tally) add(o *outcome) {
	if t.latency == nil {
		t.latency = hdrhistogram.New(1, longest, digits)
		t.service = hdrhistogram.New(1, longest, digits)
	}
	t.sent++
	if o.answered {
		t.answered++
	}
	if o.sent-o.due > overdue {
		t.late++
	}
	switch {
	case o.throttled:
		t.throttled++
	case o.class == "":
		t.verified++
	default:
		t.fail(o.class, 1)
	}
	for f := flaw(0); o.flaws>>f != 0; f++ {
		if o.flaws.has(f) {
			t.flaws[f]++
		}
	}
	// A timeout took at least that long: leaving it out would flatter the server.
	if o.answered || o.class == timedOut {
		_ = t.latency.RecordValue(min(micros(o.done-o.due), longest))
		_ = t.service.RecordValue(min(micros(o.done-o.sent), longest))
	}
}

func (t *tally) fail(class string, n int64) {
	if t.errors == nil {
		t.errors = map[string]int64{}
	}
	if _, known := t.errors[class]; !known && len(t.errors) >= mostErrors {
		class = otherError
	}
	t.errors[class] += n
}

func (t *tally) merge(from *tally) {
	t.sent += from.sent
	t.answered += from.answered
	t.verified += from.verified
	t.throttled += from.throttled
	t.late += from.late
	for class, n := range from.errors {
		t.fail(class, n)
	}
	for f, n := range from.flaws {
		t.flaws[f] += n
	}
	if from.latency == nil {
		return
	}
	if t.latency == nil { // its own: the other's are still being looked at
		t.latency, t.service = hdrhistogram.New(1, longest, digits), hdrhistogram.New(1, longest, digits)
	}
	t.latency.Merge(from.latency)
	t.service.Merge(from.service)
}

// failed is how many requests had no verified answer and were not throttled.
func (t *tally) failed() int64 {
	var sum int64
	for _, n := range t.errors {
		sum += n
	}
	return sum
}

// micros rounds to microseconds; a clock that was read out of order is no negative duration.
func micros(d time.Duration) int64 {
	return max(int64((d+time.Microsecond/2)/time.Microsecond), 0)
}
