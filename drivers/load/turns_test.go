package load

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"flowproof/reports"
)

// turnOf is the record of a turn with so many requests.
func turnOf(requests int64) reports.Load {
	t := tally{sent: requests, answered: requests, verified: requests}
	return reports.Load{
		Schema: reports.LoadSchema, Started: "2026-02-03T10:20:00Z", DurationMS: 1000, Verdict: reports.Pass,
		Plan: reports.Plan{Model: Open, Thresholds: []string{"errors<1%"}}, Rate: reports.Rate{Intended: float64(requests)},
		Steps:     []reports.Step{t.record("client_credentials", requests, false)},
		Series:    []reports.Second{{Planned: requests, Sent: requests, Answered: requests, P50US: requests}},
		Generator: reports.Generator{CPUSeconds: 1, MaxRSSBytes: requests},
		Notices:   []string{"A word.", uniquenessNotice + " some."},
	}
}

func TestTurnsAlternate(t *testing.T) {
	var order strings.Builder
	turns := Turns{Pairs: 3, Done: func(n, of int, second bool, _ reports.Load) {
		if n != order.Len() || of != 6 {
			t.Errorf("turn %d of %d after %d", n, of, order.Len())
		}
	}}
	as, bs, err := turns.play(t.Context(), func(_ context.Context, second bool) (reports.Load, error) {
		order.WriteByte(map[bool]byte{false: 'A', true: 'B'}[second])
		return turnOf(int64(order.Len())), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if order.String() != "ABBAAB" {
		t.Errorf("the order was %s", order.String())
	}
	for name, c := range map[string]struct {
		got  reports.Turns
		want []int64
	}{"A": {as, []int64{1, 4, 5}}, "B": {bs, []int64{2, 3, 6}}} {
		var sum int64
		for i, n := range c.want {
			sum += n
			if c.got.Runs[i].Steps[0].Sent != n {
				t.Errorf("%s: its run %d is that of turn %d", name, i+1, c.got.Runs[i].Steps[0].Sent)
			}
			if s := c.got.Whole.Series[i]; s.Second != i || s.Sent != n || s.P50US != n {
				t.Errorf("%s: second %d is %+v", name, i, s)
			}
		}
		w := c.got.Whole
		if w.Steps[0].Sent != sum || w.DurationMS != 3000 || w.Rate.Intended != float64(sum)/3 || w.Rate.Achieved != float64(sum)/3 {
			t.Errorf("%s: the whole is %+v, %+v", name, w.Steps[0], w.Rate)
		}
		if w.Generator.CPUSeconds != 3 || w.Generator.MaxRSSBytes != c.want[2] || w.Verdict != reports.Pass || len(w.Thresholds) != 1 || w.Partial != "" {
			t.Errorf("%s: the whole is %+v, %s, %v", name, w.Generator, w.Verdict, w.Thresholds)
		}
		if strings.Join(w.Notices, "|") != "This is the sum of 3 turns of the plan, without the time between them.|A word.|Uniqueness was checked over some." {
			t.Errorf("%s: %q", name, w.Notices)
		}
	}
}

func TestBusyTurns(t *testing.T) {
	for _, c := range []struct {
		busy int
		want string
		says string
	}{
		{0, "", "This is the sum of 8 turns"},
		{2, "", "In 2 of the turns the load generator was the bottleneck (it slept)"},
		{3, "turn 1: it slept", "8 requests. That was the last turn of 8"},
	} {
		var runs []reports.Load
		for i := range 8 {
			l := turnOf(10)
			l.Notices = []string{fmt.Sprintf("%d requests.", i+1), "Always."}
			if i < c.busy {
				l.Generator.Bottleneck = "it slept"
			}
			runs = append(runs, l)
		}
		got, err := joined(runs)
		if err != nil || got.Generator.Bottleneck != c.want || !strings.Contains(strings.Join(got.Notices, "|"), c.says) {
			t.Errorf("%d busy turns: %q, %q, %v", c.busy, got.Generator.Bottleneck, got.Notices, err)
		}
		if n := len(got.Notices); n > 4 {
			t.Errorf("%d notices: %q", n, got.Notices)
		}
	}
}

func TestTurnsThatEndEarly(t *testing.T) {
	play := func(stop int, fault error) (as, bs reports.Turns, err error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n := 0
		return Turns{Pairs: 3}.play(ctx, func(context.Context, bool) (reports.Load, error) {
			if n++; n == stop {
				cancel()
			}
			if n == stop && fault != nil {
				return reports.Load{}, fault
			}
			return turnOf(10), nil
		})
	}
	if _, _, err := play(1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("ended in the first turn: %v", err)
	}
	as, bs, err := play(3, nil)
	if err != nil || len(as.Runs) != 1 || len(bs.Runs) != 2 || bs.Whole.Partial != "interrupted" {
		t.Errorf("ended in the third turn: %d and %d runs, %q, %v", len(as.Runs), len(bs.Runs), bs.Whole.Partial, err)
	}
	if as, bs, err = play(4, errors.New("gone")); err != nil || len(as.Runs) != 1 || len(bs.Runs) != 2 {
		t.Errorf("the fourth was given up: %d and %d runs, %v", len(as.Runs), len(bs.Runs), err)
	}
	_, _, err = Turns{Pairs: 3}.play(t.Context(), func(_ context.Context, second bool) (reports.Load, error) {
		if second {
			return reports.Load{}, ErrUnreachable
		}
		return turnOf(10), nil
	})
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "turn 2") {
		t.Errorf("B could not be reached: %v", err)
	}
	for _, n := range []int{0, reports.MostPairs() + 1} {
		if _, _, err := (Turns{Pairs: n}).Play(t.Context(), testTarget(), testTarget(), Plan{}, Options{}); err == nil {
			t.Errorf("%d pairs were played", n)
		}
	}
}
