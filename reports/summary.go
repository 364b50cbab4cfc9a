package reports

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// How much of the findings a summary tells; the reports tell all.
const (
	summaryFindings = 12
	summaryReasons  = 6
	summaryLength   = 300 // runes of an expectation or observation
)

// Summary writes the counts by flow and endpoint, the worst findings and the verdict. What a server sent
// cannot act on the terminal.
func (c Conformance) Summary(w io.Writer, color bool) {
	c = shown(c)
	t := &text{color: color}
	t.linef("%s  %s", t.bold("flowproof check"), joined(" · ", oneLine(c.Target.Name), oneLine(c.Target.URL), "profile "+oneLine(c.Target.Profile), oneLine(c.Target.Edition)))
	t.linef("%s", t.dim(joined(" · ", moment(c.Started), span(c.DurationMS), Plural(c.Exchanges, "exchange", "exchanges"), oneLine(c.Browser), joinedBefore("only ", oneLine(c.Only)))))
	t.gap()
	c.summaryTable(t)
	for _, n := range c.remarks() {
		t.gap()
		t.labelled(0, "note", 6, oneLine(n))
	}
	c.summaryBaseline(t)
	c.summaryFindings(t)
	c.summaryReasons(t, NotApplicable, "not applicable")
	c.summaryReasons(t, Inconclusive, "inconclusive")
	t.gap()
	h := c.headline()
	if c.Partial != "" {
		t.linef("%s", t.verdict(Inconclusive, "partial: "+oneLine(c.Partial)))
	}
	t.linef("%s %s%s", t.verdict(h.Verdict, h.Verdict.mark()+" "+h.Word+":"), c.countsLine(), strings.TrimSuffix(joinedBefore("; ", strings.TrimSpace(c.asideWords())), "."))
	t.send(w)
}

// joinedBefore puts the separator before what is not empty.
func joinedBefore(separator, s string) string {
	if s == "" {
		return ""
	}
	return separator + s
}

// summaryBaseline lists what differs from the baseline.
func (c Conformance) summaryBaseline(t *text) {
	if b := c.Baseline; b != nil {
		t.changes("worse", b.Worse)
		t.changes("better", b.Better)
		t.changes("untold", b.Untold)
	}
}

// changes lists changes under one word, those of a requirement that changed alike together.
func (t *text) changes(word string, changes []Change) {
	all := groupedChanges(changes)
	for i, change := range all {
		if i == 0 {
			t.gap()
		}
		if i == summaryFindings {
			t.labelled(0, "", 8, "… and "+Plural(len(all)-i, "other", "others"))
			break
		}
		name := oneLine(change.Requirement)
		if len(change.Variants) > 0 {
			name += " (" + cut(oneLine(strings.Join(change.Variants, ", ")), summaryLength) + ")"
		}
		t.labelled(0, word, 8, oneLine(change.step())+"  "+name)
	}
}

func (c Conformance) countsLine() string {
	counts := c.Counts()
	var parts []string
	for _, v := range Verdicts() {
		if n := counts[v]; n > 0 {
			parts = append(parts, Grouped(n)+" "+v.Word())
		}
	}
	return joined(", ", parts...) + " of " + Plural(len(c.Results), "requirement", "requirements")
}

func (c Conformance) summaryTable(t *text) {
	m := c.Matrix()
	verdicts := Verdicts()
	row := func(name string, counts Counts) []string {
		out := []string{name}
		for _, v := range verdicts {
			if counts[v] == 0 {
				out = append(out, "·")
			} else {
				out = append(out, Grouped(counts[v]))
			}
		}
		return out
	}
	head := []string{"flow"}
	for _, v := range verdicts {
		head = append(head, v.Word())
	}
	g := grid{rows: [][]string{head}}
	for _, flow := range m.Flows {
		g.rows = append(g.rows, row(oneLine(flowWords(flow)), m.At(flow, "")))
	}
	endpoints := len(g.rows)
	g.rows = append(g.rows, []string{"endpoint"})
	for _, e := range m.Endpoints {
		g.rows = append(g.rows, row(oneLine(endpointWords(e)), m.At("", e)))
	}
	g.style = func(r, column int, s string) string {
		switch {
		case r == 0, r == endpoints, s == "·":
			return t.dim(s)
		case column == 0:
			return s
		}
		return t.verdict(verdicts[column-1], s)
	}
	g.writeTo(t)
}

// worstFirst returns the results that want attention, worst first, what was set aside last, and else in the
// catalogue's order.
func (c Conformance) worstFirst() []Result {
	var out []Result
	for _, r := range c.Results {
		if r.Verdict == Fail || r.Verdict == Warn {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b Result) int {
		return cmp.Or(cmp.Compare(a.Counting().rank(), b.Counting().rank()), cmp.Compare(a.Verdict.rank(), b.Verdict.rank()))
	})
	return out
}

// worst returns the findings that gave the result its verdict.
func (r Result) worst() []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if f.Verdict == r.Verdict {
			out = append(out, f)
		}
	}
	return out
}

func (c Conformance) summaryFindings(t *text) {
	all := c.worstFirst()
	for _, r := range all[:min(len(all), summaryFindings)] {
		t.gap()
		t.linef("%s %s  %s", t.verdict(r.Verdict, strings.ToUpper(r.Verdict.Word())), t.bold(oneLine(r.Requirement)), t.dim(joined(", ", oneLine(r.Level), oneLine(r.Source))))
		t.labelled(5, "", 0, oneLine(r.Sentence))
		findings := r.worst()
		if len(findings) == 0 {
			continue
		}
		f := findings[0]
		if f.Variant != "" {
			t.labelled(5, "with", 10, cut(oneLine(f.Variant), summaryLength))
		}
		if f.Expected != "" {
			t.labelled(5, "expected", 10, cut(oneLine(f.Expected), summaryLength))
		}
		if f.Message != "" {
			t.labelled(5, "seen", 10, cut(oneLine(f.Message), summaryLength))
		}
		if why := f.aside(); why != "" {
			t.labelled(5, "aside", 10, cut(oneLine(why), summaryLength))
		}
		if more := len(findings) - 1; more > 0 {
			t.labelled(5, "and", 10, Plural(more, "more finding like it", "more findings like it"))
		}
	}
	if more := len(all) - summaryFindings; more > 0 {
		t.gap()
		t.linef("%s", t.dim(fmt.Sprintf("     … and %s: the report has them all", Plural(more, "more requirement", "more requirements"))))
	}
}

// summaryReasons says why requirements have a verdict that judges nothing, the commonest reason first.
func (c Conformance) summaryReasons(t *text, v Verdict, label string) {
	reasons, total := c.reasons(v)
	if total == 0 {
		return
	}
	var parts []string
	for _, r := range reasons[:min(len(reasons), summaryReasons)] {
		parts = append(parts, fmt.Sprintf("%s (%d)", cut(strings.TrimRight(oneLine(r.Text), "."), summaryLength/2), r.Count))
	}
	if more := len(reasons) - summaryReasons; more > 0 {
		parts = append(parts, Plural(more, "other reason", "other reasons"))
	}
	t.gap()
	label = fmt.Sprintf("%s %d", label, total)
	t.labelled(0, label, len(label)+2, strings.Join(parts, "; "))
}

// A reason is why some requirements were not judged, and how many.
type reason struct {
	Text  string
	Count int
}

// reasons groups the requirements of a verdict by the message of the finding that gave it.
func (c Conformance) reasons(v Verdict) (reasons []reason, total int) {
	counts := map[string]int{}
	for _, r := range c.Results {
		if r.Verdict != v {
			continue
		}
		total++
		why := "no reason given"
		for _, f := range r.worst() {
			if f.Message != "" {
				why = f.Message
				break
			}
		}
		counts[why]++
	}
	for text, n := range counts {
		reasons = append(reasons, reason{text, n})
	}
	slices.SortFunc(reasons, func(a, b reason) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Text, b.Text))
	})
	return reasons, total
}
