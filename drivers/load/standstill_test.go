package load

import (
	"strings"
	"testing"
	"time"

	"flowproof/reports"
)

func TestStandstillIsToldFromAProcessorThatIsBusy(t *testing.T) {
	var s standstill
	for _, woke := range []time.Duration{0, tick, tick + unheard/2} {
		s.look(5 * time.Second)
		s.heard(5*time.Second + woke)
	}
	if s.String() != "" {
		t.Errorf("%s", s.String())
	}
	s.look(6 * time.Second)
	s.heard(8*time.Second + tick)
	if want := "stood still for 2s, from second 7 of the run on"; !strings.Contains(s.String(), want) {
		t.Errorf("%s, want %s", s.String(), want)
	}
	s.look(9 * time.Second)
	s.heard(12*time.Second + tick)
	if want := "stood still for 5s, 2 times, for the first time in second 7"; !strings.Contains(s.String(), want) {
		t.Errorf("%s, want %s", s.String(), want)
	}
}

// What failed while nobody listened tells nothing of the target, and what was answered wrongly still does.
func TestStandstillExcusesWhatWasUnderWay(t *testing.T) {
	for _, c := range []struct {
		errors map[string]int64
		still  int64
		want   reports.Verdict
	}{
		{nil, 0, reports.Pass},
		{map[string]int64{timedOut: 2}, 0, reports.Fail},
		{map[string]int64{timedOut: 2, "eof": 1, "reset": 1}, 3000, reports.Inconclusive},
		{map[string]int64{timedOut: 2, "500": 1}, 3000, reports.Fail},
	} {
		h, err := ParseThreshold("errors<0.1%")
		if err != nil {
			t.Fatal(err)
		}
		for _, bounds := range [][]Threshold{nil, {h}} {
			g := reports.Generator{StoodStillMS: c.still}
			if c.still > 0 {
				g.Bottleneck = "this process stood still"
			}
			j := newJudgement(time.Second, g)
			j.add("a", "a", &tally{sent: 100, answered: 96, verified: 96, errors: c.errors}, 100)
			var l reports.Load
			for _, b := range bounds {
				l.Thresholds = append(l.Thresholds, j.judge(b))
			}
			if got := verdict(&l, bounds, j.tallies[""], j.ours(j.tallies[""])); got != c.want {
				t.Errorf("%v, stood still %d ms, %d bounds: %s, want %s", c.errors, c.still, len(bounds), got, c.want)
			}
		}
	}
}
