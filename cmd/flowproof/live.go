package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"flowproof/drivers/load"
)

// liveModes are the ways of --progress.
func liveModes() []string { return []string{"auto", "plain", "none"} }

// A live shows a load run while it goes on: a dashboard on a terminal, a line a second when asked for it.
type live struct {
	console console
	plain   bool
	said    time.Duration // the second of the last line
	now     atomic.Pointer[load.Snapshot]
	warmUp  time.Duration
	bars    *mpb.Progress
	bar     *mpb.Bar
}

// newLive shows a run of a plan with that warm-up, in one of the modes.
func newLive(c console, mode string, warmUp time.Duration) *live {
	l := &live{console: c, plain: mode == "plain", warmUp: warmUp}
	if mode != "auto" || !c.draws() {
		return l
	}
	l.bars = mpb.New(mpb.WithOutput(c.err), mpb.WithWidth(48), mpb.WithRefreshRate(200*time.Millisecond))
	l.bar = l.bars.New(0, mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("━").Padding("─"),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name("load  ")),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return "  " + l.clock() })),
		mpb.BarExtender(mpb.BarFillerFunc(l.fill), false),
	)
	return l
}

// show takes the newest figures. It is never called twice at a time.
func (l *live) show(s load.Snapshot) {
	l.now.Store(&s)
	if l.bar != nil {
		done, of := stretch(s)
		l.bar.SetTotal(of+int64(l.warmUp), false)
		l.bar.SetCurrent(done + int64(l.warmUp))
	}
	if s.Elapsed < l.said { // the next step of a search
		l.said = 0
	}
	if second := s.Elapsed.Truncate(time.Second); l.plain && s.Elapsed > 0 && second > l.said {
		l.said = second
		l.console.say("%s", plainLine(s))
	}
}

// stretch is how much of the measured part is over: of its time, or of its requests where that is not known.
func stretch(s load.Snapshot) (done, of int64) {
	if s.Duration > 0 {
		return int64(s.Elapsed), int64(s.Duration)
	}
	return s.Answered, max(s.Planned, 1)
}

// beside is the console for lines that are not to run into the dashboard.
func (l *live) beside(c console) console {
	if l.bars != nil {
		c.err = l.bars
	}
	return c
}

// end takes the dashboard away, wherever it stands; mpb would wait for a bar that is not full.
func (l *live) end() {
	if l.bar != nil {
		l.bar.Abort(true)
		l.bars.Wait()
	}
}

func (l *live) clock() string {
	s := l.now.Load()
	switch {
	case s == nil:
		return "gets ready"
	case s.Elapsed < 0:
		return "warms up"
	case s.Duration > 0:
		return fmt.Sprintf("%v of %v", s.Elapsed.Truncate(time.Second), s.Duration)
	}
	return s.Elapsed.Truncate(time.Second).String()
}

func (l *live) fill(w io.Writer, at decor.Statistics) error {
	s := l.now.Load()
	if s == nil {
		return nil
	}
	for _, line := range dashboard(*s, at.AvailableWidth) {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// dashboard is what stands below the bar, in lines that are no wider than the terminal.
func dashboard(s load.Snapshot, width int) []string {
	lines := []string{
		fmt.Sprintf("      rate      %s   in flight %d   answered %d", rates(s), s.InFlight, s.Answered),
		fmt.Sprintf("      latency   p50 %s   p99 %s   in the last seconds", short(s.P50), short(s.P99)),
		fmt.Sprintf("      errors    %d%s", s.Errors, named("   ", s.Failing)),
		fmt.Sprintf("      findings  %d%s", len(s.Broken), named("   ", s.Broken)),
	}
	if s.Throttled > 0 {
		lines = slices.Insert(lines, 3, fmt.Sprintf("      throttled %d", s.Throttled))
	}
	for i, line := range lines {
		lines[i] = fitting(harmless(line), width)
	}
	return lines
}

// plainLine is a second of the run for a log.
func plainLine(s load.Snapshot) string {
	line := fmt.Sprintf("%5v  rate %s  in flight %d  p50 %s  p99 %s  answered %d  errors %d%s", s.Elapsed.Truncate(time.Second), rates(s),
		s.InFlight, short(s.P50), short(s.P99), s.Answered, s.Errors, named(" ", s.Failing))
	if len(s.Broken) > 0 {
		line += fmt.Sprintf("  findings %d%s", len(s.Broken), named(" ", s.Broken))
	}
	return harmless(line)
}

func rates(s load.Snapshot) string {
	if s.Intended == 0 {
		return fmt.Sprintf("%.0f/s", s.Rate)
	}
	return fmt.Sprintf("%.0f/s of %.0f/s", s.Rate, s.Intended)
}

const mostNamed = 3

// named are the first of the counts with their names.
func named(lead string, counts []load.Count) string {
	var out []string
	for _, c := range counts[:min(len(counts), mostNamed)] {
		out = append(out, fmt.Sprintf("%s %d", c.Name, c.N))
	}
	if len(counts) > mostNamed {
		out = append(out, "…")
	}
	if len(out) == 0 {
		return ""
	}
	return lead + "(" + strings.Join(out, ", ") + ")"
}

// short is a duration with three figures or so.
func short(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

// harmless replaces what would move a terminal's cursor or hide text.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, s)
}

// fitting is the line, or what of it a terminal shows in that width, where some characters take two places.
func fitting(line string, width int) string {
	if width < 1 {
		return line
	}
	return runewidth.Truncate(line, width, "…")
}
