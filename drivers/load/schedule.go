package load

import (
	"math"
	"time"
)

// A schedule tells when each request is meant to start. It is a pure function of the index, so that a
// late start moves no other, and a part of a plan can be run elsewhere.
//
// Request i starts when as many requests as the arrivals put before it would have started at the plan's
// rates: the arrivals say how much is in front of i, the stages when that much is over.
type schedule struct {
	stages   []stretch
	arrivals *arrivals // nil: constant
	warmRate float64
	warm     int64 // how many requests come before the measured ones; they have negative indices
	last     int64 // how many measured requests there are
}

// A stretch is a stage with what comes before it. Times are in nanoseconds, rates in requests each.
type stretch struct {
	start, length float64 // length is infinite in a last stage without an end
	before        float64 // requests of the stages before
	from, to      float64
}

func newSchedule(p Plan) *schedule {
	s := &schedule{warmRate: startRate(p.Stages) / 1e9, last: p.Count}
	at, sum, rate := 0.0, 0.0, 0.0
	for _, stage := range p.Stages {
		piece := stretch{start: at, length: float64(stage.Duration), before: sum, from: stage.Rate / 1e9, to: stage.Rate / 1e9}
		if stage.Ramp {
			piece.from = rate
		}
		if stage.Duration == 0 {
			piece.length = math.Inf(1)
		}
		s.stages = append(s.stages, piece)
		at += piece.length
		sum += piece.requests(piece.length)
		rate = piece.to
	}
	if p.Arrivals == Poisson {
		s.arrivals = newArrivals(p.Seed, sum, p.Count)
	}
	if n := s.within(time.Duration(min(at, math.MaxInt64/2))); !math.IsInf(at, 1) && (p.Count == 0 || n < p.Count) {
		s.last = n
	}
	if p.WarmUp > 0 {
		s.warm = int64(math.Ceil(s.warmRate*float64(p.WarmUp) - 1e-9))
	}
	return s
}

// requests is how many are due in the first t of the stretch.
func (s stretch) requests(t float64) float64 {
	if s.from == s.to {
		return s.from * t
	}
	return t * (s.from + (s.to-s.from)*t/s.length/2)
}

// when is the time, in the stretch, at which n requests of it are over.
func (s stretch) when(n float64) float64 {
	switch {
	case n <= 0:
		return 0
	case s.from == s.to:
		return n / s.to
	}
	bend := (s.to - s.from) / s.length
	return 2 * n / (s.from + math.Sqrt(max(s.from*s.from+2*bend*n, 0)))
}

// due is when request i is meant to start, from the start of the measured part.
func (s *schedule) due(i int64) time.Duration {
	if i < 0 {
		return time.Duration(math.Round(float64(i) / s.warmRate))
	}
	if s.arrivals != nil {
		return s.at(s.arrivals.before(i))
	}
	return s.at(float64(i))
}

// at is when so many requests are over.
func (s *schedule) at(n float64) time.Duration {
	i := 0
	for i+1 < len(s.stages) && s.stages[i+1].before <= n {
		i++
	}
	for i > 0 && s.stages[i].to == 0 && s.stages[i].from == 0 { // nothing is ever due in a pause
		i--
	}
	piece := s.stages[i]
	t := piece.start + min(piece.when(n-piece.before), piece.length)
	if math.IsNaN(t) || t > math.MaxInt64/2 {
		return never
	}
	return time.Duration(math.Round(t))
}

// over is how many requests, as the rates have it, are over at d.
func (s *schedule) over(d time.Duration) float64 {
	t := float64(d)
	for i := len(s.stages) - 1; i >= 0; i-- {
		if piece := s.stages[i]; t >= piece.start {
			return piece.before + piece.requests(min(t-piece.start, piece.length))
		}
	}
	return 0
}

// within is how many requests are due before d has passed.
func (s *schedule) within(d time.Duration) int64 {
	if d <= 0 || len(s.stages) == 0 {
		return 0
	}
	n := int64(s.over(d))
	if s.arrivals != nil {
		n = s.arrivals.rank(s.over(d))
	}
	for s.due(n) < d && !s.exhausted(n) { // the product may be off by a rounding
		n++
	}
	for n > 0 && s.due(n-1) >= d {
		n--
	}
	return n
}

// exhausted reports whether the rates come to an end before request n.
func (s *schedule) exhausted(n int64) bool {
	end := s.stages[len(s.stages)-1]
	sum := end.before + end.requests(end.length)
	if s.arrivals != nil {
		return s.arrivals.before(n) >= sum
	}
	return float64(n) >= sum*(1-1e-12)
}

// planned is how many of the measured requests are due in [from, to), as a range of indices.
func (s *schedule) planned(from, to time.Duration) (first, next int64) {
	return min(s.within(from), s.last), min(s.within(to), s.last)
}
