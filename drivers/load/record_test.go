package load

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestCoarseIsWithinThreePercent(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var c coarse
	var all []int64
	for range 100_000 {
		v := int64(random.ExpFloat64() * 5000)
		c.add(v)
		all = append(all, v)
	}
	slices.Sort(all)
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[int(q*float64(len(all)-1))]
		if got := c.quantile(q); !near(float64(got), float64(want), 0.03) {
			t.Errorf("q %v: %d, want %d", q, got, want)
		}
	}
	for v := int64(1); v < 1<<33; v = v*3/2 + 1 {
		if m := coarseMiddle(coarseBucket(v)); v < 1<<32 && !near(float64(m), float64(v), 0.032) {
			t.Errorf("%d lies in a bucket whose middle is %d", v, m)
		}
	}
	var none coarse
	if none.quantile(0.99) != 0 {
		t.Error("nothing has a quantile")
	}
}

// However long the run and however many the requests: a second costs its figures and nothing else.
func TestSeriesStaysSmall(t *testing.T) {
	s := newSeries()
	workers := []*recorder{newRecorder(1, s), newRecorder(1, s)}
	const seconds, each = 1500, 100
	for second := range seconds {
		for i := range each {
			at := time.Duration(second)*time.Second + time.Duration(i)*10*time.Millisecond
			workers[i%2].add(&outcome{due: at, sent: at, done: at + time.Millisecond, answered: true})
		}
		s.closeBefore(second - recently)
		if len(s.open)+len(s.spare) > recently+3 {
			t.Fatalf("second %d: %d seconds are open, %d spare", second, len(s.open), len(s.spare))
		}
	}
	for _, w := range workers {
		w.window.flush(s)
	}
	s.closeBefore(seconds + 1)
	if len(s.seconds) != seconds || len(s.open) != 0 {
		t.Fatalf("%d seconds, %d open", len(s.seconds), len(s.open))
	}
	for _, at := range s.seconds {
		if at.Sent != each || at.Answered != each || !near(float64(at.P99US), 1000, 0.03) || at.MaxUS != 1000 {
			t.Fatalf("%+v", at)
		}
	}
}

func TestSeriesCountsSendingAndAnsweringApart(t *testing.T) {
	s := newSeries()
	r := newRecorder(1, s)
	r.add(&outcome{due: 500 * time.Millisecond, sent: time.Second, done: 3500 * time.Millisecond, answered: true})
	r.add(&outcome{due: 3 * time.Second, sent: 3 * time.Second, done: 3600 * time.Millisecond, class: "reset"})
	r.window.flush(s)
	s.closeBefore(10)
	if len(s.seconds) != 4 || s.seconds[1].Sent != 1 || s.seconds[3].Sent != 1 || s.seconds[3].Answered != 1 || s.seconds[3].Errors != 1 {
		t.Fatalf("%+v", s.seconds)
	}
	if got := s.seconds[3]; got.MaxUS != 3_000_000 || !near(float64(got.ServiceP99US), 2_500_000, 0.03) {
		t.Errorf("%+v", got)
	}
}

func TestTimeoutsCountInTheLatency(t *testing.T) {
	var c tally
	c.add(&outcome{done: 10 * time.Second, class: timedOut})
	c.add(&outcome{done: time.Millisecond, class: "refused"})
	if c.latency.TotalCount() != 1 || c.failed() != 2 {
		t.Errorf("%d in the histogram, %d failed", c.latency.TotalCount(), c.failed())
	}
}
