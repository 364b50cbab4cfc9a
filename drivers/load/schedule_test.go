package load

import (
	"math"
	"testing"
	"time"
)

func TestScheduleIsExact(t *testing.T) {
	for _, c := range []struct {
		rate float64
		d    time.Duration
		want int64
	}{
		{2000, 10 * time.Second, 20000}, {3, time.Second, 3}, {0.5, time.Second, 1}, {0.5, 2 * time.Second, 1}, {0.5, 2*time.Second + 1, 2},
		{7, 3 * time.Second, 21}, {1e6, 1500 * time.Millisecond, 1_500_000}, {100.0 / 3, 3 * time.Second, 100}, {10, 0, 0},
	} {
		s := newSchedule(Plan{Rate: c.rate, Duration: c.d, Count: 1e9}.completed(0))
		if got := s.within(c.d); got != c.want {
			t.Errorf("%v/s within %v: %d, want %d", c.rate, c.d, got, c.want)
		}
	}
	s := newSchedule(Plan{Rate: 300, Duration: time.Hour, WarmUp: 10 * time.Second}.completed(0))
	if s.warm != 3000 || s.due(-s.warm) != -10*time.Second || s.due(0) != 0 || s.due(300*3600) != time.Hour {
		t.Errorf("warm %d, due %v, %v", s.warm, s.due(-s.warm), s.due(300*3600))
	}
	if from, to := s.planned(time.Second, time.Hour); from != 300 || to != s.last {
		t.Errorf("the part after the first second is from %d to %d, of %d", from, to, s.last)
	}
}

func FuzzSchedule(f *testing.F) {
	f.Add(2000.0, int64(10), int64(5))
	f.Fuzz(func(t *testing.T, rate float64, i int64, ms int64) {
		if !(rate > 1e-3) || rate > mostRate || i < 0 || i > 1e9 || ms < 0 || ms > 1e6 {
			return
		}
		s := newSchedule(Plan{Rate: rate, Count: math.MaxInt64}.completed(0))
		if s.due(i) > s.due(i+1) {
			t.Fatalf("rate %v: %d is due after %d", rate, i, i+1)
		}
		d := time.Duration(ms) * time.Millisecond
		n := s.within(d)
		if n > 0 && s.due(n-1) >= d {
			t.Fatalf("rate %v: %d within %v, but the last is due at %v", rate, n, d, s.due(n-1))
		}
	})
}

func TestMixIsAPureFunction(t *testing.T) {
	m := newMix([]Scenario{{Flow: ClientCredentials, Weight: 70}, {Flow: Password, Weight: 20}, {Flow: RefreshToken, Weight: 10}})
	if len(m.scenarios.places) != 10 {
		t.Fatalf("cycle %v", m.scenarios.places)
	}
	seen := make([]int64, 3)
	for i := range int64(1000) {
		share, nth := m.pick(i)
		if nth != seen[share] {
			t.Fatalf("request %d is number %d of its share, want %d", i, nth, seen[share])
		}
		seen[share]++
		for s := range seen {
			if got := m.count(s, i+1); got != seen[s] {
				t.Fatalf("count(%d, %d) is %d, want %d", s, i+1, got, seen[s])
			}
		}
	}
	if seen[0] != 700 || seen[1] != 200 || seen[2] != 100 {
		t.Error(seen)
	}
}
