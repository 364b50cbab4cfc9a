package reports

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

func (c Comparison) headline() headline {
	return headline{c.Outcome.verdict(), strings.ToUpper(string(c.Outcome[:1])) + string(c.Outcome[1:]), c.Reason}
}

// Summary writes what changed and what it comes to. What a server sent cannot act on the terminal.
func (c Comparison) Summary(w io.Writer, color bool) {
	c = shown(c)
	t := &text{color: color}
	t.linef("%s  %s", t.bold("flowproof compare"), map[string]string{"conformance": "two checks", "load": "two load runs"}[c.Of])
	for i, s := range []Side{c.A, c.B} {
		t.labelled(0, "AB"[i:i+1], 3, oneLine(s.words()))
	}
	t.changes("worse", c.Worse)
	t.changes("better", c.Better)
	t.changes("untold", c.Untold)
	c.summaryFigures(t)
	t.gap()
	t.labelled(0, "method", 11, oneLine(c.Method))
	for _, n := range c.Cautions {
		t.labelled(0, "caution", 11, oneLine(n))
	}
	t.gap()
	h := c.headline()
	t.linef("%s %s", t.verdict(h.Verdict, h.Verdict.mark()+" "+h.Word+":"), oneLine(h.Sentence))
	t.send(w)
}

// summaryFigures is the table of the measures.
func (c Comparison) summaryFigures(t *text) {
	if len(c.Measures) > 0 {
		t.gap()
		g := grid{rows: [][]string{{"", "A", "B", "B to A", "95 % interval", ""}}}
		for _, m := range c.Measures {
			g.rows = append(g.rows, m.row())
		}
		g.style = func(row, column int, s string) string {
			switch {
			case row == 0:
				return t.dim(s)
			case column == 5:
				return t.verdict(c.Measures[row-1].verdict(), s)
			}
			return s
		}
		g.writeTo(t)
		for _, r := range c.reasons() {
			t.labelled(0, r.of, max(11, len(r.of)+2), oneLine(r.why))
		}
	}
}

// words says in a line which run it was.
func (s Side) words() string {
	return joined(" · ", s.File, s.Target.Name, s.Target.URL, moment(s.Started), span(s.DurationMS), s.Plan, s.Word)
}

func (m Measure) verdict() Verdict {
	if m.Outcome == "" {
		return NotApplicable
	}
	return m.Outcome.verdict()
}

// word is what the measure comes to.
func (m Measure) word() string {
	switch {
	case m.Outcome == "" && m.A == 0 && m.B == 0:
		return "refused"
	case m.Outcome == "":
		return "shown only"
	}
	return string(m.Outcome)
}

// row is the measure as a table shows it.
func (m Measure) row() []string {
	return []string{m.Name, m.value(m.A), m.value(m.B), m.shift(m.Ratio), m.interval(), m.word()}
}

func (m Measure) value(x float64) string {
	switch m.Unit {
	case "µs":
		if x <= 0 {
			return "–"
		}
		return micros(x)
	case "share":
		return percent(x, 1)
	}
	return perSecond(x)
}

// shift is the estimate as people read it: of ratios how much more, of shares the difference.
func (m Measure) shift(x float64) string {
	switch {
	case m.Low == 0 && m.High == 0 && m.Outcome != Same || math.IsNaN(x) || math.IsInf(x, 0):
		return "–"
	case m.Unit == "share":
		return fmt.Sprintf("%+.2f points", 100*x)
	}
	return fmt.Sprintf("%+.1f %%", 100*(x-1))
}

func (m Measure) interval() string {
	low := m.shift(m.Low)
	if low == "–" {
		return low
	}
	return low + " to " + m.shift(m.High)
}

func (c Comparison) markdown(w io.Writer) {
	c.headline().markdown(w, "compare")
	for i, s := range []Side{c.A, c.B} {
		fmt.Fprintf(w, "- **%s** %s\n", "AB"[i:i+1], mdCode(s.words()))
	}
	fmt.Fprintln(w)
	markdownChanges(w, "Worse", c.Worse)
	markdownChanges(w, "Better", c.Better)
	markdownChanges(w, "No longer told", c.Untold)
	c.markdownFigures(w)
	fmt.Fprintf(w, "<details><summary>How it was found out</summary>\n\n%s\n\n", md(c.Method))
	for _, n := range c.Cautions {
		fmt.Fprintf(w, "- %s\n", md(n))
	}
	fmt.Fprint(w, "\n</details>\n")
}

// markdownFigures is the table of the measures.
func (c Comparison) markdownFigures(w io.Writer) {
	if len(c.Measures) > 0 {
		mdHead(w, "Figure", "A", "B", "B to A", "95 % interval", "Outcome")
		for _, m := range c.Measures {
			row := m.row()
			for i := range row {
				row[i] = md(row[i])
			}
			row[5] = mdSign(m.verdict()) + " " + row[5]
			mdRow(w, row...)
		}
		fmt.Fprintln(w)
		for _, r := range c.reasons() {
			fmt.Fprintf(w, "- %s: %s\n", md(r.of), md(r.why))
		}
		fmt.Fprintln(w)
	}
}

// A remark is why figures were not compared, or how; figures with the same one share it.
type remark struct{ of, why string }

func (c Comparison) reasons() []remark {
	var out []remark
	for _, m := range c.Measures {
		if m.Reason == "" {
			continue
		}
		if i := slices.IndexFunc(out, func(r remark) bool { return r.why == m.Reason }); i >= 0 {
			out[i].of += ", " + m.Name
			continue
		}
		out = append(out, remark{m.Name, m.Reason})
	}
	return out
}
