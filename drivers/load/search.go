package load

import (
	"context"
	"math"
	"time"

	"flowproof/reports"
)

// A prober holds a rate for a while and tells what came of it.
type prober interface {
	probe(ctx context.Context, rate float64, length time.Duration) (trial, error)
}

// A trial is one rate that was held for a while.
type trial struct {
	reports.CapacityStep
	ours     bool          // it did not hold because of the load generator
	took     time.Duration // with everything around it
	finished bool
}

// A search looks for the highest rate that holds. It doubles the rate until one does not, bisects between the
// highest that held and the lowest that did not, and then confirms both for longer. Where a confirmation
// contradicts, the search goes on from there, so that a single bad second decides nothing.
type search struct {
	start, most float64
	length      func(rate float64) time.Duration
	limit       time.Duration // of all trials together

	held    float64 // the highest rate that held, below failed
	failed  float64 // the lowest rate above it that did not; 0: not known
	wall    bool    // at failed it was the generator that gave way
	above   bool    // failed was confirmed
	grow    float64
	rates   map[float64]*rated
	trials  []trial
	spent   time.Duration
	best    float64 // the highest confirmed rate, should the time run out
	timeUp  bool
	stopped bool // by the context
}

// A rated is what is known of a rate.
type rated struct {
	held    bool // the last time
	ours    bool
	why     string
	sure    int // confirmations that held
	spared  bool
	blunder bool // one failure of the ramp was repeated
}

const (
	precision  = 1.05 // between the rate that holds and the one that does not
	sureAfter  = 2    // confirmations
	longer     = 2    // times as long as other steps are confirmations
	mostTrials = 48
)

// run searches. An error means that a trial could not be made.
func (s *search) run(ctx context.Context, p prober) error {
	s.grow, s.rates = 2, map[float64]*rated{}
	for {
		rate, purpose := s.next()
		if purpose == "" {
			return nil
		}
		length := s.length(rate)
		if purpose == reports.Below || purpose == reports.Above {
			length *= longer
		}
		if len(s.trials) >= mostTrials || s.spent+length > s.limit {
			s.timeUp = true
			return nil
		}
		t, err := p.probe(ctx, rate, length)
		if err != nil {
			return err
		}
		t.Purpose, t.Rate = purpose, rate
		s.trials = append(s.trials, t)
		s.spent += t.took
		if !t.finished {
			s.stopped = true
			return nil
		}
		s.learn(t)
	}
}

// next is the rate to try and why; no purpose means that the search is over.
func (s *search) next() (rate float64, purpose string) {
	at := s.rates[s.held]
	switch {
	case s.held == 0 && s.failed == 0:
		return s.start, reports.Ramping
	case s.held == 0:
		return 0, ""
	case s.failed == 0 && s.held < s.most:
		return min(s.held*s.grow, s.most), reports.Ramping
	case s.failed > 0 && !s.wall && s.failed > s.held*precision:
		return math.Sqrt(s.held * s.failed), reports.Bisecting
	case at.sure < sureAfter:
		return s.held, reports.Below
	case s.failed > 0 && !s.wall && !s.above:
		return s.failed, reports.Above
	}
	return 0, ""
}

func (s *search) learn(t trial) {
	r := s.rates[t.Rate]
	if r == nil {
		r = &rated{}
		s.rates[t.Rate] = r
	}
	confirming := t.Purpose == reports.Below || t.Purpose == reports.Above
	if t.Held {
		r.held, r.ours, r.why = true, false, ""
		if confirming {
			r.sure++
		}
		if r.sure >= sureAfter {
			s.best = max(s.best, t.Rate)
		}
		if t.Rate > s.held {
			s.held = t.Rate
		}
		if s.failed > 0 && s.failed <= s.held { // what had failed held
			s.failed, s.wall, s.above = s.nextFailed(), false, false
			s.grow = 1.25
		}
		return
	}
	// The machine may have had something else to do, and the first steps may have found everything cold.
	if t.ours && !r.spared {
		r.spared = true
		return
	}
	if t.Purpose == reports.Ramping && !t.ours && !r.blunder {
		r.blunder = true
		return
	}
	r.held, r.ours, r.why, r.sure = false, t.ours, t.Why, 0
	if s.best >= t.Rate {
		s.best = 0
	}
	s.failed, s.wall, s.above = t.Rate, t.ours, confirming
	s.held = s.lastHeld()
	if s.best > s.held {
		s.best = 0
	}
}

// nextFailed is the lowest rate above held that the server did not hold, or 0.
func (s *search) nextFailed() float64 {
	low := 0.0
	for rate, r := range s.rates {
		if rate > s.held && !r.held && r.why != "" && !r.ours && (low == 0 || rate < low) {
			low = rate
		}
	}
	return low
}

// lastHeld is the highest rate below failed that held, or 0.
func (s *search) lastHeld() float64 {
	high := 0.0
	for rate, r := range s.rates {
		if rate < s.failed && r.held {
			high = max(high, rate)
		}
	}
	return high
}

// result says what the search found; its steps, too, but not the objective.
func (s *search) result() reports.Capacity {
	c := reports.Capacity{Held: s.held, Failed: s.failed, Tests: []reports.CapacityStep{}}
	for _, t := range s.trials {
		if t.finished {
			c.Tests = append(c.Tests, t.CapacityStep)
		}
	}
	c.Confirmed = s.held > 0 && s.rates[s.held].sure >= sureAfter
	switch {
	case s.stopped:
		c.Limit = "the search was interrupted"
	case s.timeUp:
		c.Limit = "the time for the search was up"
	case s.wall:
		c.Limit = "the load generator gave way first: " + s.last(s.failed).Bottleneck
		c.Failed, c.AtLeast = 0, s.held > 0
	case s.failed > 0:
		c.Limit = s.last(s.failed).Why
	default:
		c.Limit, c.AtLeast = "no higher rate was allowed", true
	}
	if s.stopped || s.timeUp {
		if s.wall {
			c.Failed = 0
		}
		if !c.Confirmed && s.best > 0 {
			c.Held, c.Confirmed = s.best, true
		}
		c.AtLeast = c.Held > 0
	}
	return c
}

// last is the last trial of a rate that did not hold.
func (s *search) last(rate float64) trial {
	for i := len(s.trials) - 1; i >= 0; i-- {
		if t := s.trials[i]; t.Rate == rate && !t.Held {
			return t
		}
	}
	return trial{}
}
