package load

import (
	"math"
	"time"
)

// A schedule tells when each request is meant to start. It is a pure function of the index, so that a
// late start moves no other, and a part of a plan can be run elsewhere.
type schedule struct {
	rate float64 // requests a second
	warm int64   // how many requests come before the measured ones; they have negative indices
	last int64   // how many measured requests there are
}

func newSchedule(p Plan) schedule {
	s := schedule{rate: p.Rate, last: p.Count}
	s.warm = s.within(p.WarmUp)
	if n := s.within(p.Duration); p.Duration > 0 && (p.Count == 0 || n < p.Count) {
		s.last = n
	}
	return s
}

// due is when request i is meant to start, from the start of the measured part.
func (s schedule) due(i int64) time.Duration {
	return time.Duration(math.Round(float64(i) * 1e9 / s.rate))
}

// within is how many requests are due before d has passed.
func (s schedule) within(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	n := int64(s.rate * d.Seconds())
	for s.due(n) < d { // the product may be off by a rounding
		n++
	}
	for n > 0 && s.due(n-1) >= d {
		n--
	}
	return n
}

// planned is how many of the measured requests are due in [from, to).
func (s schedule) planned(from, to time.Duration) int64 {
	return min(s.within(to), s.last) - min(s.within(from), s.last)
}

// A mix tells which share each request belongs to: a fixed cycle in which the shares are spread evenly.
type mix struct {
	cycle  []int   // share by place in the cycle
	nth    []int64 // how many of the same share come before that place
	weight []int64 // by share
}

func newMix(shares []Share) mix {
	sum, g := 0, 0
	for _, s := range shares {
		sum += s.Weight
		g = gcd(g, s.Weight)
	}
	m := mix{weight: make([]int64, len(shares))}
	credit := make([]int, len(shares))
	for range sum / g {
		best := 0
		for i, s := range shares {
			credit[i] += s.Weight
			if credit[i] > credit[best] {
				best = i
			}
		}
		credit[best] -= sum
		m.cycle = append(m.cycle, best)
		m.nth = append(m.nth, m.weight[best])
		m.weight[best]++
	}
	return m
}

// pick returns the share of request i (not negative), and how many of the share come before it.
func (m mix) pick(i int64) (share int, nth int64) {
	n := int64(len(m.cycle))
	share = m.cycle[i%n]
	return share, i/n*m.weight[share] + m.nth[i%n]
}

// count is how many of the requests 0 to n-1 belong to the share.
func (m mix) count(share int, n int64) int64 {
	size := int64(len(m.cycle))
	c := n / size * m.weight[share]
	for _, s := range m.cycle[:n%size] {
		if s == share {
			c++
		}
	}
	return c
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
