package load

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"flowproof/drivers/target"
	"flowproof/reports"
)

// Turns play one plan before two deployments, A B B A A B B A and so on, so that what changes around them falls on
// both alike. Each turn is a whole run, with its warm-up.
type Turns struct {
	Pairs int                                          // of turns, one of each deployment
	Pause time.Duration                                // between two turns, for a backlog to drain
	Done  func(n, of int, second bool, l reports.Load) // after each turn; second: it was B's

	pause time.Duration // between two turns, for a backlog to drain
}

// mostBusy is how many turns there are for one in which the load generator may have been the bottleneck.
const mostBusy = 4

// order tells whose each turn is: true is B's.
func (t Turns) order() []bool {
	out := make([]bool, 0, 2*t.Pairs)
	for i := range t.Pairs {
		second := i%2 == 1
		out = append(out, second, !second)
	}
	return out
}

// Play plays the turns. When ctx ends the record of B is partial. An error means that there is nothing to compare.
func (t Turns) Play(ctx context.Context, a, b target.Target, p Plan, o Options) (as, bs reports.Turns, err error) {
	if t.Pairs < 1 || t.Pairs > reports.MostPairs() {
		return as, bs, fmt.Errorf("load: %d pairs of turns; give 1 to %d", t.Pairs, reports.MostPairs())
	}
	var rigs [2]*Rig
	for i, of := range []target.Target{a, b} {
		if rigs[i], err = Prepare(ctx, of, p, o); err != nil {
			return as, bs, fmt.Errorf("%c, %s: %w", "AB"[i], of.Name, err)
		}
		defer rigs[i].Close()
	}
	t.pause = rest
	return t.play(ctx, func(ctx context.Context, second bool) (reports.Load, error) {
		if second {
			return rigs[1].Run(ctx)
		}
		return rigs[0].Run(ctx)
	})
}

// play is Play over whatever runs the plan.
func (t Turns) play(ctx context.Context, run func(ctx context.Context, second bool) (reports.Load, error)) (as, bs reports.Turns, err error) {
	order := t.order()
	for n, second := range order {
		if n > 0 && !idle(ctx, t.pause) {
			break
		}
		l, err := run(ctx, second)
		if ctx.Err() != nil && (err != nil || len(bs.Runs) == 0) {
			break
		}
		if err != nil {
			return as, bs, fmt.Errorf("turn %d: %w", n+1, err)
		}
		of := &as
		if second {
			of = &bs
		}
		of.Runs = append(of.Runs, l)
		if t.Done != nil {
			t.Done(n+1, len(order), second, l)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(as.Runs) == 0 || len(bs.Runs) == 0 {
		return as, bs, fmt.Errorf("load: the turns ended before each deployment had one: %w", context.Cause(ctx))
	}
	for _, of := range []*reports.Turns{&as, &bs} {
		if of.Whole, err = joined(of.Runs); err != nil {
			return as, bs, err
		}
		if ctx.Err() != nil {
			of.Whole.Partial = "interrupted"
		}
	}
	return as, bs, nil
}

// joined is the record of runs of one plan before one target, one after the other and without the time between
// them. Thresholds and the verdict are those of all of them together.
func joined(runs []reports.Load) (reports.Load, error) {
	first := runs[0]
	out := reports.Load{Schema: reports.LoadSchema, Tool: first.Tool, Target: first.Target, Plan: first.Plan, Started: first.Started, Machine: first.Machine}
	var m merger
	var span time.Duration
	seconds, memory := 0, int64(0)
	var busy []string
	for n, l := range runs {
		if l.Generator.Bottleneck != "" {
			busy = append(busy, l.Generator.Bottleneck)
		}
		if err := m.add(l, fmt.Sprintf("turn %d", n+1), seconds); err != nil {
			return out, fmt.Errorf("load: turn %d: %w", n+1, err)
		}
		seconds += len(l.Series)
		span += time.Duration(l.DurationMS) * time.Millisecond
		memory = max(memory, l.Generator.MaxRSSBytes)
	}
	out.Notices = []string{fmt.Sprintf("This is the sum of %s of the plan, without the time between them.", reports.Plural(len(runs), "turn", "turns"))}
	if len(busy) > 0 && len(busy) <= len(runs)/mostBusy {
		m.generator.Bottleneck = ""
		out.Notices = append(out.Notices, fmt.Sprintf("In %d of the turns the load generator was the bottleneck (%s); they are in the figures, but not in what is claimed against the baseline.", len(busy), busy[0]))
	}
	out.Notices = append(out.Notices, alike(runs)...)
	m.generator.MaxRSSBytes = memory // it was one process
	out.DurationMS, out.Rate.Intended = span.Milliseconds(), m.intended/float64(len(runs))
	return out, m.sum(&out, span)
}

// alike are the notices of the turns, those that differ in their numbers only once.
func alike(runs []reports.Load) []string {
	type said struct {
		notice string
		times  int
	}
	var out []said
	number := regexp.MustCompile(`[0-9][0-9.,]*`)
	same := func(a, b string) bool {
		return number.ReplaceAllString(a, "") == number.ReplaceAllString(b, "") || strings.HasPrefix(a, uniquenessNotice) && strings.HasPrefix(b, uniquenessNotice)
	}
	for _, l := range runs {
		for _, notice := range l.Notices {
			i := slices.IndexFunc(out, func(s said) bool { return same(s.notice, notice) })
			if i < 0 {
				i, out = len(out), append(out, said{})
			}
			out[i] = said{notice, out[i].times + 1} // the last one has the counts of those before, where there are any
		}
	}
	var words []string
	for _, s := range out {
		if s.times > 1 && !strings.HasPrefix(s.notice, uniquenessNotice) && number.MatchString(s.notice) {
			s.notice += fmt.Sprintf(" That was the last turn of %d of which this was to be said.", s.times)
		}
		words = append(words, s.notice)
	}
	return words
}

// idle waits, and reports whether the context goes on.
func idle(ctx context.Context, wait time.Duration) bool {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
