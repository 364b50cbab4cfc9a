package load

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"flowproof/reports"
)

// A knee is a server that holds every rate up to a known one.
type knee struct {
	at     float64
	wall   float64 // above it the generator gives way
	noise  func() float64
	glitch func() bool // a step fails for another reason
	probes int
}

func (k *knee) probe(_ context.Context, rate float64, length time.Duration) (trial, error) {
	k.probes++
	at := k.at
	if k.noise != nil {
		at *= k.noise()
	}
	t := trial{took: length, finished: true}
	switch {
	case k.wall > 0 && rate > k.wall:
		t.ours, t.Bottleneck, t.Why = true, "no processor was left", "p99<250ms was broken"
	case rate > at, k.glitch != nil && k.glitch():
		t.Why = "p99<250ms was broken"
	default:
		t.Held = true
	}
	return t, nil
}

func searched(t *testing.T, start, most float64, k *knee) (*search, reports.Capacity) {
	t.Helper()
	s := &search{start: start, most: most, length: func(float64) time.Duration { return 5 * time.Second }, limit: 5 * time.Minute}
	if err := s.run(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	c := s.result()
	proven(t, c)
	return s, c
}

// proven checks that no more is claimed than was seen.
func proven(t *testing.T, c reports.Capacity) {
	t.Helper()
	if c.Held == 0 {
		return
	}
	confirmed, heldLast, failedLast := 0, false, false
	for _, s := range c.Tests {
		if s.Rate == c.Held {
			heldLast = s.Held
			switch {
			case !s.Held:
				confirmed = 0
			case s.Purpose == reports.Below || s.Purpose == reports.Above:
				confirmed++
			}
		}
		if s.Rate == c.Failed {
			failedLast = !s.Held
		}
	}
	if c.Confirmed != (confirmed >= 2) || !heldLast {
		t.Errorf("%.1f was claimed after %d confirmations, confirmed %v, the last held %v", c.Held, confirmed, c.Confirmed, heldLast)
	}
	if c.Failed != 0 && (!failedLast || c.Failed <= c.Held) {
		t.Errorf("%.1f is said to have failed, above %.1f", c.Failed, c.Held)
	}
}

func TestSearchFindsAKnownKnee(t *testing.T) {
	for _, at := range []float64{100, 101, 137, 199, 200, 256, 1000, 4711, 250_000} {
		s, c := searched(t, 100, mostRate, &knee{at: at})
		if c.Held > at || c.Held*precision < at*0.9999 || c.Failed <= at || c.Failed > c.Held*precision*1.0001 {
			t.Errorf("knee %.0f: held %.1f, failed %.1f", at, c.Held, c.Failed)
		}
		if !c.Confirmed || c.AtLeast || c.Limit != "p99<250ms was broken" || len(c.Tests) > 28 {
			t.Errorf("knee %.0f: %+v", at, c)
		}
		if last := c.Tests[len(c.Tests)-1]; last.Purpose != reports.Above || last.Rate != c.Failed || last.Held {
			t.Errorf("knee %.0f: the last step is %+v", at, last)
		}
		if s.spent > s.limit {
			t.Errorf("took %v", s.spent)
		}
	}
}

func TestSearchStandsNoise(t *testing.T) {
	const runs = 400
	far, unsure := 0, 0
	for seed := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, 1))
		_, c := searched(t, 100, mostRate, &knee{
			at:     1730,
			noise:  func() float64 { return 1 + 0.015*r.NormFloat64() },
			glitch: func() bool { return r.Float64() < 0.04 },
		})
		if !c.Confirmed {
			unsure++
			continue
		}
		if c.Held > 1730*1.05 || c.Held < 1730/1.12 {
			far++
		}
	}
	t.Logf("%d of %d were off by more than the noise, %d were not confirmed", far, runs, unsure)
	if far > runs/20 || unsure > runs/20 {
		t.Errorf("%d of %d were off by more than the noise, %d were not confirmed", far, runs, unsure)
	}
}

func TestSearchTellsWhenTheGeneratorGaveWay(t *testing.T) {
	_, c := searched(t, 100, mostRate, &knee{at: math.Inf(1), wall: 5000})
	if !c.AtLeast || !c.Confirmed || c.Held != 3200 || c.Failed != 0 || c.Limit != "the load generator gave way first: no processor was left" {
		t.Errorf("%+v", c)
	}
	// The knee is below: it is found without the wall being noticed.
	if _, c = searched(t, 100, mostRate, &knee{at: 900, wall: 5000}); c.AtLeast || !near(c.Held, 900, 0.05) {
		t.Errorf("%+v", c)
	}
	// The wall stands between the rates of the bisection: what held is a lower bound.
	if _, c = searched(t, 100, mostRate, &knee{at: 1000, wall: 1100}); c.Held > 1000 || c.Held < 800 || !c.AtLeast {
		t.Errorf("%+v", c)
	}
	// Nothing is known when the generator cannot even begin.
	if _, c = searched(t, 100, mostRate, &knee{at: 1000, wall: 50}); c.Held != 0 || c.AtLeast || c.Confirmed {
		t.Errorf("%+v", c)
	}
}

func TestSearchEnds(t *testing.T) {
	// Nothing ever fails: the bound ends it.
	_, c := searched(t, 100, 20_000, &knee{at: math.Inf(1)})
	if !c.AtLeast || !c.Confirmed || c.Held != 20_000 || c.Limit != "no higher rate was allowed" {
		t.Errorf("%+v", c)
	}
	if _, c = searched(t, 100, mostRate, &knee{at: math.Inf(1)}); c.Held != mostRate {
		t.Errorf("%+v", c)
	}
	// Nothing ever holds, and two steps are enough to see it.
	k := &knee{}
	if _, c = searched(t, 100, mostRate, k); c.Held != 0 || c.Failed != 100 || k.probes != 2 {
		t.Errorf("%d steps, %+v", k.probes, c)
	}
	// Chance alone decides: it ends all the same.
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		if s, _ := searched(t, 100, mostRate, &knee{at: math.Inf(1), glitch: func() bool { return r.Float64() < 0.5 }}); s.spent > s.limit || len(s.trials) > mostTrials {
			t.Fatalf("%d steps, %v", len(s.trials), s.spent)
		}
	}
}

func TestSearchWithoutTimeSaysSo(t *testing.T) {
	s := &search{start: 100, most: mostRate, length: func(float64) time.Duration { return 5 * time.Second }, limit: 21 * time.Second}
	if err := s.run(t.Context(), &knee{at: math.Inf(1)}); err != nil {
		t.Fatal(err)
	}
	if c := s.result(); c.Held != 800 || c.Confirmed || c.Limit != "the time for the search was up" {
		t.Errorf("%+v", c)
	}
}

func TestSearchRepeatsAFirstFailure(t *testing.T) {
	n := 0
	_, c := searched(t, 100, mostRate, &knee{at: 1000, glitch: func() bool { n++; return n == 1 || n == 4 }})
	if !near(c.Held, 1000, 0.05) || c.Tests[0].Held || !c.Tests[1].Held {
		t.Errorf("%+v", c)
	}
}
