package load

import "math"

// A mix tells which job each request belongs to: the scenarios by their weights, and within each scenario its
// ordinary and its hostile requests.
type mix struct {
	scenarios cycle
	inner     []cycle // of each scenario
	first     []int   // the first job of each scenario
	of        []int   // the scenario of each job
}

const inner = 10_000 // a hundredth of a percent is the smallest share of hostile requests

func newMix(scenarios []Scenario) mix {
	var m mix
	var weights []int
	for n, s := range scenarios {
		weights = append(weights, s.Weight)
		parts := []int{inner}
		for _, h := range s.Hostile {
			part := max(int(math.Round(h.Share*inner)), 1)
			parts[0] -= part
			parts = append(parts, part)
		}
		m.first = append(m.first, len(m.of))
		m.inner = append(m.inner, newCycle(parts))
		for range parts {
			m.of = append(m.of, n)
		}
	}
	m.scenarios = newCycle(weights)
	return m
}

// pick returns the job of request i (not negative), and how many of the job's come before it.
func (m *mix) pick(i int64) (job int, nth int64) {
	scenario, n := m.scenarios.pick(i)
	part, nth := m.inner[scenario].pick(n)
	return m.first[scenario] + part, nth
}

// count is how many of the requests 0 to n-1 are the job's.
func (m *mix) count(job int, n int64) int64 {
	scenario := m.of[job]
	return m.inner[scenario].count(job-m.first[scenario], m.scenarios.count(scenario, n))
}

// jobs is how many there are.
func (m *mix) jobs() int { return len(m.of) }

// A cycle spreads shares evenly over a fixed number of places, again and again.
type cycle struct {
	places []int   // share by place
	nth    []int64 // how many of the same share come before that place
	weight []int64 // by share
}

func newCycle(weights []int) cycle {
	sum, g := 0, 0
	for _, w := range weights {
		sum += w
		g = gcd(g, w)
	}
	c := cycle{weight: make([]int64, len(weights))}
	credit := make([]int, len(weights))
	for range sum / max(g, 1) {
		best := 0
		for i, w := range weights {
			credit[i] += w
			if credit[i] > credit[best] {
				best = i
			}
		}
		credit[best] -= sum
		c.places = append(c.places, best)
		c.nth = append(c.nth, c.weight[best])
		c.weight[best]++
	}
	return c
}

// pick returns the share of place i in the endless row, and how many of the share come before it.
func (c *cycle) pick(i int64) (share int, nth int64) {
	n := int64(len(c.places))
	if n == 1 {
		return c.places[0], i
	}
	share = c.places[i%n]
	return share, i/n*c.weight[share] + c.nth[i%n]
}

// count is how many of the places 0 to n-1 are the share's.
func (c *cycle) count(share int, n int64) int64 {
	size := int64(len(c.places))
	sum := n / size * c.weight[share]
	for _, s := range c.places[:n%size] {
		if s == share {
			sum++
		}
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
