package load

import (
	"context"
	"io"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flowproof/reports"
)

// foundOn searches on a fake server, on the clock of the test's bubble.
func foundOn(t *testing.T, ctx context.Context, c Capacity, p Plan, s *server, bottleneck func(rate float64) string) reports.Load {
	t.Helper()
	c, err := c.completed(p)
	if err != nil {
		t.Fatal(err)
	}
	p.Thresholds, p.WarmUp = c.Objective, c.warmUp(p)
	l, err := c.find(ctx, p, func(ctx context.Context, stages ...Stage) (reports.Load, error) {
		p := p
		p.Stages, p.Rate, p.Duration = stages, 0, 0
		l, _ := play(t, ctx, p, s)
		if bottleneck != nil {
			l.Generator.Bottleneck = bottleneck(stages[0].Rate)
		}
		return l, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func objective(t *testing.T, s string) []Threshold {
	t.Helper()
	hs, err := ParseObjective(s)
	if err != nil {
		t.Fatal(err)
	}
	return hs
}

// Eight connections that wait 20 ms for each answer carry 400 a second.
func TestCapacityOfAFakeServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{handle: func(s *server, _ url.Values, _ int64) reply {
			r := s.good()
			r.after = 20 * time.Millisecond
			return r
		}}
		var said int
		c := Capacity{Objective: objective(t, "p90<50ms"), Step: 2 * time.Second, Say: func(reports.CapacityStep) { said++ }}
		l := foundOn(t, t.Context(), c, Plan{Rate: 60, Duration: time.Second, Connections: 8}, s, nil)
		got := l.Capacity
		if l.Verdict != reports.Pass || !got.Confirmed || got.AtLeast || said != len(got.Tests) {
			t.Fatalf("%s %+v", l.Verdict, got)
		}
		// Just above 400/s the queue takes a while to pass the bound.
		if got.Held < 380 || got.Held > 420 || got.Failed <= got.Held || !strings.Contains(got.Limit, "p90<50ms was broken with") {
			t.Errorf("held %.1f, failed %.1f: %s", got.Held, got.Failed, got.Limit)
		}
		if l.Plan.Stages[0].Rate != got.Held || !l.Thresholds[0].Held || l.Plan.Thresholds[3] != "unsent<0.1%" {
			t.Errorf("the record is about %+v, %+v", l.Plan, l.Thresholds)
		}
		balanced(t, l)
	})
}

func TestCapacityWhereNothingHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{handle: func(*server, url.Values, int64) reply { return reply{status: 500, body: "{}"} }}
		l := foundOn(t, t.Context(), Capacity{Objective: objective(t, "errors<1%"), Step: time.Second}, Plan{Rate: 50, Duration: time.Second}, s, nil)
		if l.Verdict != reports.Fail || l.Capacity.Held != 0 || len(l.Capacity.Tests) != 2 || l.ExitCode() != 1 || !strings.Contains(l.Capacity.Limit, "errors<1% was broken with 100%") {
			t.Errorf("%s %+v", l.Verdict, l.Capacity)
		}
	})
}

// A server that throttles does not hold, however fast it answers.
func TestCapacityOfAThrottlingServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var window, n int64
		s := &server{handle: func(s *server, _ url.Values, _ int64) reply {
			s.mu.Lock()
			defer s.mu.Unlock()
			if now := time.Now().UnixMilli() / 100; now != window {
				window, n = now, 0
			}
			if n++; n > 30 {
				return reply{status: 429, retry: "1", body: `{"error":"slow_down"}`}
			}
			return s.good()
		}}
		l := foundOn(t, t.Context(), Capacity{Objective: objective(t, "p99<1s"), Start: 100, Step: time.Second}, Plan{Rate: 10, Duration: time.Second, Connections: 8}, s, nil)
		if c := l.Capacity; l.Verdict != reports.Pass || c.Held > 301 || c.Held < 285 || !strings.Contains(c.Limit, "throttled<0.1%") {
			t.Errorf("%s %.1f %s", l.Verdict, c.Held, c.Limit)
		}
	})
}

func TestCapacityThatTheGeneratorEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{handle: func(s *server, _ url.Values, _ int64) reply {
			r := s.good()
			r.after = 20 * time.Millisecond
			return r
		}}
		busy := func(rate float64) string {
			if rate > 300 {
				return "no processor was left"
			}
			return ""
		}
		l := foundOn(t, t.Context(), Capacity{Objective: objective(t, "p90<50ms"), Step: time.Second}, Plan{Rate: 120, Duration: time.Second, Connections: 8}, s, busy)
		if c := l.Capacity; l.Verdict != reports.Pass || !c.AtLeast || c.Held != 240 || c.Failed != 0 || !strings.Contains(c.Limit, "the load generator gave way first: no processor was left") {
			t.Errorf("%s %+v", l.Verdict, c)
		}
	})
}

func TestCapacityInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{handle: func(s *server, _ url.Values, _ int64) reply { return s.good() }}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		l := foundOn(t, ctx, Capacity{Objective: objective(t, "p90<50ms"), Step: 2 * time.Second}, Plan{Rate: 100, Duration: time.Second, Connections: 4}, s, nil)
		if c := l.Capacity; l.Partial != "interrupted" || l.ExitCode() != 3 || c.Confirmed || c.Held != 100 || len(c.Tests) != 1 {
			t.Errorf("%q %+v", l.Partial, c)
		}
	})
}

func TestCapacityRefusesWhatItCannotTell(t *testing.T) {
	open := Plan{Rate: 100, Duration: time.Second}
	for _, c := range []struct {
		capacity Capacity
		plan     Plan
		want     string
	}{
		{Capacity{Objective: objective(t, "p99.9<1s")}, open, "takes 10000 answers to tell, which are 1m50s at 100/s"},
		{Capacity{Objective: objective(t, "rare:p99<1s")}, Plan{Rate: 100, Duration: time.Second, Scenarios: []Scenario{{Name: "often", Flow: ClientCredentials, Weight: 9}, {Name: "rare", Flow: Password, Weight: 1}}}, "1m50s"},
		{Capacity{Start: 500, Most: 100}, open, "no rate to try"},
		{Capacity{Step: time.Millisecond}, open, "takes from 500ms"},
		{Capacity{}, Plan{Model: Closed, Count: 5}, "open model"},
		{Capacity{}, Plan{Rate: 100, Count: 5, Shard: Shard{1, 2}}, "cannot be shared out"},
	} {
		if _, err := c.capacity.Check(c.plan); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want %q, got %v", c.want, err)
		}
	}
	if d, err := (Capacity{Objective: objective(t, "p99.9<1s"), Step: 2 * time.Minute}).Check(open); err != nil || d > 2*time.Hour {
		t.Errorf("%v, %v", d, err)
	}
	for _, wrong := range []string{"", "p99", "rate>500/s", "p99>1s", "p99<1s,,", "errors<1%;p99<1s"} {
		if hs, err := ParseObjective(wrong); err == nil {
			t.Errorf("%q was read as %v", wrong, hs)
		}
	}
}

func TestCapacityInterruptedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{handle: func(s *server, _ url.Values, _ int64) reply { return s.good() }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		l := foundOn(t, ctx, Capacity{Objective: objective(t, "p90<50ms"), Step: 2 * time.Second}, Plan{Rate: 100, Duration: time.Second, Connections: 4}, s, nil)
		if c := l.Capacity; l.Partial != "interrupted" || c.Held != 0 || len(c.Tests) != 0 || l.ExitCode() != 3 {
			t.Errorf("%q %+v", l.Partial, c)
		}
		for _, f := range reports.Formats() {
			if !f.For("load") {
				continue
			}
			if err := reports.Render(f.Name, io.Discard, reports.Record{Load: &l}); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
		}
	})
}
