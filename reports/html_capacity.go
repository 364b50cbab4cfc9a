package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

type capacityView struct {
	Facts  []fact
	Steps  []capacityStepView
	Charts []chart
}

type capacityStepView struct {
	Verdict                Verdict
	Rate, Figures, Outcome string
}

func (c *Capacity) view(bounds []Threshold) *capacityView {
	if c == nil {
		return nil
	}
	v := &capacityView{
		Facts:  facts("Highest rate that held", c.words(), "The knee", c.interval(), "Objective", strings.Join(c.Objective, ", "), "Gave way first", c.Limit, "Steps", Grouped(len(c.Tests))),
		Charts: []chart{c.curve(bounds), c.throughputCurve()},
	}
	if errors := c.errorCurve(); errors.Empty == "" {
		v.Charts = append(v.Charts, errors)
	}
	for _, s := range c.Tests {
		v.Steps = append(v.Steps, capacityStepView{s.verdict(), perSecond(s.Rate), s.figures(), s.outcome()})
	}
	return v
}

// figures are the step's as a phrase.
func (s CapacityStep) figures() string {
	c := s.columns()
	return fmt.Sprintf("%s for %s: %s achieved, p50 %s, p99 %s, %s errors", c[0], span(s.DurationMS), c[2], c[3], c[4], c[5])
}

// tiles begin those of the page.
func (c *Capacity) tiles() []tile {
	if c == nil {
		return nil
	}
	about := "the search ended there"
	switch {
	case c.Held == 0:
		about = c.interval()
	case c.Failed > 0:
		about = "no longer at " + perSecond(c.Failed)
	}
	return []tile{{"Capacity", c.words(), about}}
}

// points are the rates that were tried, each with its worst figures; those of a generator that gave way are
// not the server's.
func (c *Capacity) points() []CapacityStep {
	var out []CapacityStep
	for _, s := range slices.SortedStableFunc(slices.Values(c.Tests), func(a, b CapacityStep) int { return cmp.Compare(a.Rate, b.Rate) }) {
		if s.verdict() == Inconclusive {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Rate == s.Rate {
			at := &out[n-1]
			at.P50US, at.P99US, at.Errors, at.Held = max(at.P50US, s.P50US), max(at.P99US, s.P99US), max(at.Errors, s.Errors), at.Held && s.Held
			at.Achieved = min(at.Achieved, s.Achieved)
			continue
		}
		out = append(out, s)
	}
	return out
}

// rateScale is a logarithmic x axis for the rates.
func rateScale(points []CapacityStep) (scale, []tick) {
	s := scale{max(points[0].Rate, 1), max(points[len(points)-1].Rate, points[0].Rate*1.5, 1.5), plotLeft, plotRight, true}
	return s, s.logTicks(20, perSecond)
}

func (c *Capacity) curve(bounds []Threshold) chart {
	out := chart{ID: "capacity-curve", Title: "Rate against latency", Caption: "From the intended start; the worst run at each rate, but for those in which the generator gave way. Both scales are logarithmic."}
	points := slices.DeleteFunc(c.points(), func(s CapacityStep) bool { return s.P50US <= 0 })
	if len(points) == 0 {
		out.Empty = "No answer came."
		return out
	}
	xs, p50, p99 := make([]float64, len(points)), make([]float64, len(points)), make([]float64, len(points))
	for i, s := range points {
		xs[i], p50[i], p99[i] = s.Rate, s.P50US, s.P99US
	}
	var limits []Threshold
	low, high, _ := extent(p50, p99)
	for _, t := range bounds {
		if percent, us, ok := bound(t.Expression); ok && percent == 99 {
			limits = append(limits, t)
			low, high = min(low, us), max(high, us)
		}
	}
	x, xticks := rateScale(points)
	y, yticks := logScale(low, high, tickMicros)
	out.X, out.Y = xticks, yticks
	out.Lines = []line{{Name: "p99", Kind: "p99", Path: path(xs, p99, x, y)}, {Name: "p50", Kind: "p50", Path: path(xs, p50, x, y)}}
	for _, t := range limits {
		_, us, _ := bound(t.Expression)
		at := px(y.at(us))
		out.Lines = append(out.Lines, line{Name: t.Expression, Kind: "intended", Path: "M" + px(plotLeft) + " " + at + "H" + px(plotRight)})
	}
	for _, s := range points {
		at := x.at(s.Rate)
		switch {
		case s.Rate == c.Held:
			out.Marks = append(out.Marks, mark{px(at), px(y.at(s.P99US)), perSecond(c.Held) + " held", Pass, true})
		case s.Rate == c.Failed:
			out.Marks = append(out.Marks, mark{px(at), px(y.at(s.P99US)), perSecond(c.Failed) + " did not", Fail, at > (plotLeft+plotRight)/2})
		}
	}
	out.Table.Head = []string{"rate", "p50", "p99"}
	for _, s := range points {
		out.Table.Rows = append(out.Table.Rows, tableRow{px(x.at(s.Rate)), []string{perSecond(s.Rate), micros(s.P50US), micros(s.P99US)}})
	}
	return out
}

// throughputCurve leaves the line of what was due where the server has no more to give.
func (c *Capacity) throughputCurve() chart {
	out := chart{ID: "capacity-throughput", Title: "Rate against verified answers", Caption: "Both a second; the worst run at each rate, but for those in which the generator gave way."}
	points := c.points()
	if len(points) == 0 {
		out.Empty = "The generator gave way at every rate."
		return out
	}
	due, verified := make([]float64, len(points)), make([]float64, len(points))
	for i, s := range points {
		due[i], verified[i] = s.Intended, s.Achieved
	}
	_, high, _ := extent(due, verified)
	y, yticks := linearScale(high, perSecond)
	x := scale{0, y.high, plotLeft, plotRight, false}
	out.Y = yticks
	for i, t := range yticks {
		out.X = append(out.X, tick{At: px(x.at(y.high * float64(i) / float64(len(yticks)-1))), Label: t.Label, Last: i == len(yticks)-1})
	}
	out.Lines = []line{{Name: "due", Kind: "intended", Path: path(due, due, x, y)}, {Name: "verified", Kind: "answered", Path: path(due, verified, x, y)}}
	out.Table.Head = []string{"due", "verified"}
	for i, s := range points {
		out.Table.Rows = append(out.Table.Rows, tableRow{px(x.at(due[i])), []string{perSecond(s.Intended), perSecond(s.Achieved)}})
	}
	return out
}

func (c *Capacity) errorCurve() chart {
	out := chart{ID: "capacity-errors", Title: "Rate against errors", Caption: "The share of the requests without a right answer; the worst run at each rate, but for those in which the generator gave way."}
	points := c.points()
	high := 0.0
	for _, s := range points {
		high = max(high, s.Errors)
	}
	if high == 0 {
		out.Empty = "No errors at any rate."
		return out
	}
	x, xticks := rateScale(points)
	y, yticks := linearScale(100*high, func(v float64) string { return three(v) + " %" })
	out.X, out.Y = xticks, yticks
	var bars strings.Builder
	out.Table.Head = []string{"rate", "errors"}
	for _, s := range points {
		at := px(x.at(s.Rate))
		if s.Errors > 0 {
			fmt.Fprintf(&bars, "M%s %sV%s", at, px(plotBottom), px(y.at(100*s.Errors)))
		}
		out.Table.Rows = append(out.Table.Rows, tableRow{at, []string{perSecond(s.Rate), percent(s.Errors, 1)}})
	}
	out.Lines = []line{{Name: "errors", Kind: "errors", Path: bars.String()}}
	return out
}

// junit is the test that a rate was found.
func (c *Capacity) junit(l Load) junitCase {
	out := loadCase("capacity", "is found")
	out.Properties = properties("held", three(c.Held), "failed", three(c.Failed), "objective", strings.Join(c.Objective, ", "), "limit", c.Limit)
	var body strings.Builder
	for _, s := range c.Tests {
		fmt.Fprintf(&body, "%s: %s\n", strings.Join(s.columns(), "  "), s.outcome())
	}
	h := c.headline(l)
	switch h.Verdict {
	case Pass:
		out.Output = &junitText{escaped(body.String())}
	case Fail:
		out.Failure = &junitOutcome{oneLine(h.Sentence), "capacity", escaped(body.String())}
	default:
		out.Error = &junitOutcome{oneLine(h.Sentence), "capacity", escaped(body.String())}
	}
	return out
}
