package load

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func staged(stages ...Stage) Plan { return Plan{Stages: stages} }

// What each stage holds is the area under its rate.
func TestStagesAreExact(t *testing.T) {
	s := newSchedule(staged(
		Stage{Ramp: true, Rate: 100, Duration: 10 * time.Second},
		Stage{Rate: 100, Duration: 5 * time.Second},
		Stage{Rate: 300, Duration: 2 * time.Second},
		Stage{Ramp: true, Rate: 0, Duration: 4 * time.Second},
	).completed(0))
	for at, want := range map[time.Duration]int64{
		10 * time.Second: 500, 15 * time.Second: 1000, 17 * time.Second: 1600, 21 * time.Second: 2200, time.Hour: 2200, 5 * time.Second: 125, 19 * time.Second: 1600 + 450,
	} {
		if got := s.within(at); got != want {
			t.Errorf("%d are due within %v, want %d", got, at, want)
		}
	}
	if s.last != 2200 {
		t.Errorf("%d in all", s.last)
	}
	for i, want := range map[int64]time.Duration{0: 0, 125: 5 * time.Second, 500: 10 * time.Second, 501: 10*time.Second + 10*time.Millisecond, 1000: 15 * time.Second, 1003: 15*time.Second + 10*time.Millisecond} {
		if got := s.due(i); (got - want).Abs() > 1 {
			t.Errorf("request %d is due at %v, want %v", i, got, want)
		}
	}
}

// A ramp in a plan of stages, on the engine's own clock: the server sees what the schedule says.
func TestStagesArriveAsPlanned(t *testing.T) {
	for _, arrivals := range []string{Constant, Poisson} {
		synctest.Test(t, func(t *testing.T) {
			p := Plan{Arrivals: arrivals, Stages: []Stage{{Rate: 50, Duration: 2 * time.Second}, {Ramp: true, Rate: 200, Duration: 2 * time.Second}, {Rate: 20, Duration: time.Second}}}
			s := answersAfter(time.Millisecond)
			l, e := play(t, t.Context(), p, s)
			balanced(t, l)
			if n := int64(len(s.arrived)); n != e.schedule.last || onlyStep(t, l).Verified != n {
				t.Errorf("%s: %d arrived of %d", arrivals, n, e.schedule.last)
			}
			for i, at := range s.arrived {
				if want := e.base.Add(e.schedule.due(int64(i))); !at.Equal(want) {
					t.Fatalf("%s: request %d was sent %v late", arrivals, i, at.Sub(want))
				}
			}
			var sum int64
			for _, second := range l.Series {
				sum += second.Planned
			}
			if sum != e.schedule.last || arrivals == Constant && (l.Series[0].Planned != 50 || l.Series[4].Planned != 20 || sum != 370) {
				t.Errorf("%s: the seconds hold %d: %+v", arrivals, sum, l.Series)
			}
		})
	}
}

func TestScheduleIsSeekable(t *testing.T) {
	p := Plan{Arrivals: Poisson, Seed: 3, Stages: []Stage{{Ramp: true, Rate: 900, Duration: 20 * time.Second}, {Rate: 400, Duration: 10 * time.Second}}}
	one, other := newSchedule(p.completed(0)), newSchedule(p.completed(0))
	var in []time.Duration
	for i := range one.last {
		in = append(in, one.due(i))
	}
	if !slices.IsSorted(in) || in[len(in)-1] >= 30*time.Second {
		t.Fatal("the schedule goes back, or beyond its end")
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		i := random.Int64N(one.last)
		if got := other.due(i); got != in[i] {
			t.Fatalf("request %d is due at %v, and at %v when looked up alone", i, in[i], got)
		}
		d := time.Duration(random.Int64N(int64(31 * time.Second)))
		want, _ := slices.BinarySearch(in, d)
		if got := other.within(d); got != int64(want) {
			t.Fatalf("%d within %v, want %d", got, d, want)
		}
	}
	p.Seed = 4
	if s := newSchedule(p.completed(0)); s.due(100) == in[100] {
		t.Error("another seed makes the same schedule")
	}
}

// The gaps of a Poisson process are exponential, and the counts of equal spans have their mean as variance; so
// it has to be within blocks and across them.
func TestPoissonArrivalsArePoisson(t *testing.T) {
	const n = 200_000
	a := newArrivals(42, n, 0)
	gaps := make([]float64, 0, n)
	last := 0.0
	for i := range int64(n - 5000) {
		x := a.before(i)
		gaps = append(gaps, x-last)
		last = x
	}
	// Kolmogorov and Smirnov: at 1.63 over the root of n, one honest sample in a hundred fails; the seed is fixed.
	slices.Sort(gaps)
	worst := 0.0
	for i, g := range gaps {
		want := 1 - math.Exp(-g)
		worst = max(worst, math.Abs(want-float64(i)/float64(len(gaps))), math.Abs(want-float64(i+1)/float64(len(gaps))))
	}
	if limit := 1.63 / math.Sqrt(float64(len(gaps))); worst > limit {
		t.Errorf("the gaps differ from exponential ones by %.5f, more than %.5f", worst, limit)
	}
	for _, span := range []float64{10, 500, 4000} {
		var sum, squares float64
		cells := int(last / span)
		for k := range cells {
			c := float64(a.rank(float64(k+1)*span) - a.rank(float64(k)*span))
			sum += c
			squares += c * c
		}
		mean := sum / float64(cells)
		variance := squares/float64(cells) - mean*mean
		if spread := 4 * math.Sqrt(2/float64(cells)); !near(mean, span, 0.02) || !near(variance/mean, 1, spread) {
			t.Errorf("spans of %v hold %.2f on average with variance %.2f", span, mean, variance)
		}
	}
}

// The shards of a plan are the plan: every request of the schedule is in exactly one of them, each has its part
// of every job, and the counts by formula are those by counting.
func TestShardsAreThePlan(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for range 60 {
		p := Plan{Stages: []Stage{{Rate: 1 + 200*random.Float64(), Duration: time.Duration(1+random.IntN(9)) * time.Second}, {Ramp: true, Rate: 100 * random.Float64(), Duration: 3 * time.Second}}}
		if random.IntN(2) == 0 {
			p.Arrivals, p.Seed = Poisson, random.Uint64()
		}
		p.WarmUp = time.Duration(random.IntN(3)) * time.Second
		for i := range 1 + random.IntN(3) {
			s := Scenario{Name: fmt.Sprint("s", i), Flow: ClientCredentials, Weight: 1 + random.IntN(5)}
			if random.IntN(2) == 0 {
				s.Hostile = []Hostile{{WrongSecret, 0.1}}
			}
			p.Scenarios = append(p.Scenarios, s)
		}
		of, nodes := 1+random.IntN(5), 1+random.IntN(3)
		p.Connections = nodes
		for range nodes {
			p.Nodes = append(p.Nodes, fmt.Sprintf("https://node-%d.test", len(p.Nodes)))
		}
		owner := map[int64]string{}
		jobs := map[string]int64{}
		var sum int64
		for shard := range of {
			p.Shard = Shard{shard + 1, of}
			whole, err := p.resolved(testTarget())
			if err != nil {
				t.Fatal(err)
			}
			e := rig(t, testTarget(), whole, answersAfter(0))
			counted := make([]int64, e.mix.jobs())
			for n, l := range e.lanes {
				for i, ok := l.peek(); ok; i, ok = l.peek() {
					me := fmt.Sprintf("shard %d, node %d", shard, n)
					if other, taken := owner[i]; taken {
						t.Fatalf("request %d is sent by %s and by %s", i, other, me)
					}
					owner[i] = me
					job, _ := e.mix.pick(i + e.schedule.warm)
					if i >= 0 {
						counted[job]++
					}
					jobs[fmt.Sprint(job, " ", me)]++
					l.next.Store(i + 1)
				}
			}
			for job, n := range counted {
				if got := e.count(job, 0, e.schedule.last); got != n {
					t.Fatalf("shard %d/%d sends %d of job %d, and says %d", shard+1, of, n, job, got)
				}
			}
			sum += e.arrivals(-e.schedule.warm, e.schedule.last)
			if shard == of-1 {
				if all := e.schedule.warm + e.schedule.last; int64(len(owner)) != all || sum != all {
					t.Fatalf("%d requests are sent, and %d counted, of %d", len(owner), sum, all)
				}
				for job := range e.mix.jobs() {
					all := e.mix.count(job, e.schedule.warm+e.schedule.last)
					for s := range of {
						for n := range nodes {
							if got := jobs[fmt.Sprintf("%d shard %d, node %d", job, s, n)]; got < all/int64(of*nodes) || got > all/int64(of*nodes)+1 {
								t.Fatalf("job %d: %d of %d go to shard %d and node %d, of %d times %d", job, got, all, s, n, of, nodes)
							}
						}
					}
				}
			}
		}
	}
}

// Shards that run at the same time send, together, what the whole plan sends alone.
func TestShardsRunAtTheirTimes(t *testing.T) {
	arrivals := func(t *testing.T, shard Shard, at time.Duration) []time.Duration {
		var out []time.Duration
		synctest.Test(t, func(t *testing.T) {
			s := answersAfter(time.Millisecond)
			p, err := Plan{Rate: 200, Duration: 2 * time.Second, Arrivals: Poisson, WarmUp: time.Second, Shard: shard}.resolved(testTarget())
			if err != nil {
				t.Fatal(err)
			}
			e := rig(t, testTarget(), p, s)
			start := time.Now()
			e.startAt = start.Add(at)
			e.watch(context.Background(), e.sites[0].driver.Redactor(), testTarget(), Options{})
			for _, x := range s.arrived {
				out = append(out, x.Sub(start))
			}
		})
		return out
	}
	whole := arrivals(t, Shard{}, 3*time.Second)
	var parts []time.Duration
	for i := range 3 {
		parts = append(parts, arrivals(t, Shard{i + 1, 3}, 3*time.Second)...)
	}
	slices.Sort(parts)
	if !slices.Equal(whole, parts) || whole[0] != 3*time.Second {
		t.Errorf("the parts send %d requests, the whole plan %d, the first at %v", len(parts), len(whole), whole[0])
	}
}

func TestNodesGetEqualParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[string]int{}
		s := &server{}
		s.handle = func(s *server, form url.Values, _ int64) reply {
			s.mu.Lock()
			seen[form.Get("node")]++
			s.mu.Unlock()
			r := s.good()
			if r.after = time.Millisecond; form.Get("node") == "1" {
				r.after = 300 * time.Millisecond // a slow node does not get less to do
			}
			return r
		}
		p := Plan{Rate: 90, Duration: 5 * time.Second, Connections: 60, Nodes: []string{"http://a.test", "http://b.test", "http://c.test"}}
		l, _ := play(t, t.Context(), p, s)
		balanced(t, l)
		if seen["0"] != 150 || seen["1"] != 150 || seen["2"] != 150 {
			t.Error(seen)
		}
		if step := onlyStep(t, l); step.Latency.Percentiles["50"] > 2000 || !near(step.Latency.Percentiles["75"], 300e3, 0.01) {
			t.Errorf("%+v", step.Latency.Percentiles)
		}
	})
}

func TestConnectionsGrowWhenAllAreBusy(t *testing.T) {
	for _, c := range []struct {
		delay time.Duration
		most  int64 // how many join
		least int64
	}{{time.Millisecond, 0, 0}, {200 * time.Millisecond, 20, 16}, {10 * time.Second, 28, 28}} {
		synctest.Test(t, func(t *testing.T) {
			l, e := play(t, t.Context(), Plan{Rate: 100, Duration: 5 * time.Second, ConnectionsFrom: 4, Connections: 32, Timeout: time.Minute}, answersAfter(c.delay))
			balanced(t, l)
			if n := e.grown.Load(); n > c.most || n < c.least {
				t.Errorf("with a delay of %v, %d connections joined", c.delay, n)
			}
			if c.delay < time.Second && (onlyStep(t, l).NotSent != 0 || onlyStep(t, l).Latency.MaxUS > c.delay.Microseconds()+5000) {
				t.Errorf("%+v", onlyStep(t, l))
			}
			if grew := shows(l.Notices, "grew from 4"); grew != (c.least > 0) {
				t.Error(l.Notices)
			}
		})
	}
}
