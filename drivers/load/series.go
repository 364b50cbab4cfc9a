package load

import (
	"sync"
	"time"

	"flowproof/reports"
)

// A window is what one recorder saw within one second of the run. Requests count in the second in which
// they were sent, answers in the second in which they came.
type window struct {
	second           int
	sent             int64
	answered         int64
	errors           int64
	over             int64 // answered or given up
	latency, service coarse
}

func (w *window) add(o *outcome, s *series) {
	second := int(o.done / time.Second)
	if second != w.second {
		w.flush(s)
		w.second = second
	}
	if at := int(o.sent / time.Second); at == second {
		w.sent++
	} else {
		s.sentIn(at)
	}
	if o.rest {
		s.restIn(int(o.due / time.Second))
	}
	w.over++
	if o.answered {
		w.answered++
	}
	if o.class != "" {
		w.errors++
	}
	if o.answered || o.class == timedOut {
		w.latency.add(micros(o.done - o.due))
		w.service.add(micros(o.done - o.sent))
	}
}

// flush hands the window over to the series and empties it.
func (w *window) flush(s *series) {
	if w.sent+w.over == 0 {
		return
	}
	s.take(w)
	*w = window{second: w.second}
}

// A series is the run second by second. Of a second that is over only the figures are kept, so that it
// grows by some hundred bytes a second and not with the rate.
type series struct {
	mu      sync.Mutex
	seconds []reports.Second
	over    []int64 // requests that were answered or given up, by second
	open    map[int]*curve
	spare   []*curve
}

type curve struct{ latency, service coarse }

func newSeries() *series { return &series{open: map[int]*curve{}} }

// at is the second's place; seconds without any request are kept too.
func (s *series) at(second int) *reports.Second {
	for len(s.seconds) <= second {
		s.seconds = append(s.seconds, reports.Second{Second: len(s.seconds)})
		s.over = append(s.over, 0)
	}
	return &s.seconds[second]
}

func (s *series) sentIn(second int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at(second).Sent++
}

// restIn counts a request that was due in a second without being in the schedule.
func (s *series) restIn(second int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at(second).Planned++
}

func (s *series) take(w *window) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.at(w.second)
	at.Sent += w.sent
	at.Answered += w.answered
	at.Errors += w.errors
	s.over[w.second] += w.over
	if at.P50US > 0 { // the second was closed already
		at.MaxUS = max(at.MaxUS, w.latency.max)
		return
	}
	c := s.open[w.second]
	if c == nil {
		c = s.fresh()
		s.open[w.second] = c
	}
	c.latency.merge(&w.latency)
	c.service.merge(&w.service)
}

func (s *series) fresh() *curve {
	if n := len(s.spare); n > 0 {
		c := s.spare[n-1]
		s.spare = s.spare[:n-1]
		*c = curve{}
		return c
	}
	return &curve{}
}

// closeBefore turns the seconds before that one into figures.
func (s *series) closeBefore(second int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, c := range s.open {
		if i >= second {
			continue
		}
		at := s.at(i)
		at.P50US, at.P99US, at.MaxUS = c.latency.quantile(0.5), c.latency.quantile(0.99), c.latency.max
		at.ServiceP99US = c.service.quantile(0.99)
		delete(s.open, i)
		s.spare = append(s.spare, c)
	}
}

// recent adds up the last seconds up to now: what was answered, and the percentiles of the latency.
func (s *series) recent(now time.Duration, seconds int) (answered, p50, p99 int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := int(now / time.Second)
	var sum coarse
	for i := max(last-seconds+1, 0); i <= last && i < len(s.seconds); i++ {
		answered += s.seconds[i].Answered
		if c := s.open[i]; c != nil {
			sum.merge(&c.latency)
		}
	}
	return answered, sum.quantile(0.5), sum.quantile(0.99)
}

// A sight is what was seen of one second, for a rule.
type sight struct {
	total, errors int64
	latency       float64 // the rule's percentile, in microseconds
}

// glance looks at a second that is over.
func (s *series) glance(second int, h Threshold) sight {
	s.mu.Lock()
	defer s.mu.Unlock()
	if second < 0 || second >= len(s.seconds) {
		return sight{}
	}
	at := s.seconds[second]
	v := sight{total: s.over[second], errors: at.Errors}
	if c := s.open[second]; c != nil && h.metric == "p" {
		of := &c.latency
		if h.clock == serviceClock {
			of = &c.service
		}
		v.latency = float64(of.quantile(h.percentile / 100))
	}
	return v
}
