package reports

import "math"

type comparisonPage struct {
	frame
	Comparison
	Sides   []sideView
	Forest  []forestRow
	Reasons []string
	Band    segment // where differences do not matter
}

type sideView struct {
	Letter string
	Side
	Facts []fact
}

// A forestRow is a measure with its interval drawn.
type forestRow struct {
	Measure
	Verdict       Verdict
	Cells         []string
	Drawn         bool
	At, Low, High float64
	Dots          []float64 // the pairs, each on its own
}

func newComparisonPage(c Comparison) comparisonPage {
	h := c.headline()
	target := Target{Name: c.B.Target.Name, URL: c.B.Target.URL}
	if c.A.Target.Name != c.B.Target.Name {
		target.Name = c.A.Target.Name + " → " + c.B.Target.Name
	}
	p := comparisonPage{
		frame:      frame{Kind: "comparison", Headline: h, Title: h.Word + " · " + target.Name + " · flowproof compare", Target: target, Tool: c.B.Tool},
		Comparison: c,
	}
	for i, s := range []Side{c.A, c.B} {
		p.Sides = append(p.Sides, sideView{"AB"[i : i+1], s, facts("Record", s.File, "Target", joined(" ", s.Target.Name, s.Target.URL), "Profile", s.Target.judged(), "Tokens", tokenFact(s.Target.Tokens),
			"Plan", s.Plan, "Started", moment(s.Started), "Took", span(s.DurationMS), "Partial", s.Partial, "Machine", machineFact(s.Machine), "Catalogue", s.Catalogue, "Made by", joined(" ", s.Tool.Name, s.Tool.Version))})
	}
	// Ratios from one half to the double; what lies beyond is drawn at the edge.
	x := scale{math.Log(0.5), math.Log(2), 0, 1000, false}
	p.Band = segment{X: x.at(-math.Log1p(c.Tolerance)), Width: x.at(math.Log1p(c.Tolerance)) - x.at(-math.Log1p(c.Tolerance))}
	for _, m := range c.Measures {
		row := forestRow{Measure: m, Verdict: m.verdict(), Cells: m.row()}
		if m.Unit != "share" && m.Low > 0 && m.High > 0 && m.Ratio > 0 {
			row.Drawn, row.At, row.Low, row.High = true, x.at(math.Log(m.Ratio)), x.at(math.Log(m.Low)), x.at(math.Log(m.High))
			for _, ratio := range m.Pairs {
				row.Dots = append(row.Dots, x.at(math.Log(ratio)))
			}
		}
		p.Forest = append(p.Forest, row)
	}
	for _, r := range c.reasons() {
		p.Reasons = append(p.Reasons, r.of+": "+r.why)
	}
	return p
}

// Width is how long the interval is drawn.
func (r forestRow) Width() float64 { return math.Max(r.High-r.Low, 4) }
