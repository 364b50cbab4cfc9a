package reports

import (
	"fmt"
	"io"
)

func (l Load) markdown(w io.Writer) {
	l.headline().markdown(w, "load")
	fmt.Fprintf(w, "%s\n\n", joined(" · ", "**"+md(l.Target.Name)+"**", mdCode(l.Target.URL), md(tokenWords(l.Target.Tokens)), md(moment(l.Started)), span(l.DurationMS), md(l.Plan.words())))
	fmt.Fprintf(w, "Rate: %s\n\n", md(l.rateWords()))
	for _, n := range l.Notices {
		fmt.Fprintf(w, "> %s\n\n", md(n))
	}
	if l.Generator.Bottleneck != "" {
		fmt.Fprintf(w, "> The generator was the bottleneck: %s\n\n", md(l.Generator.Bottleneck))
	}
	if len(l.Thresholds) > 0 {
		mdRow(w, "Threshold", "", "Seen")
		mdRow(w, "---", "---", "---")
		for _, t := range l.Thresholds {
			mdRow(w, mdCode(t.Expression), mdMark(t.verdict()), md(joined(", ", t.Shown, t.Reason)))
		}
		fmt.Fprintln(w)
	}
	if b := l.Baseline; b != nil {
		fmt.Fprintf(w, "### Against the baseline\n\nA is %s, B this run.\n\n", mdCode(b.A.words()))
		b.markdownFigures(w)
	}
	mdHead(w, append([]string{"Step", "Sent", "Verified", "Errors"}, durationColumns()...)...)
	for _, s := range l.Steps {
		row := []string{md(flowWords(s.Name)), Grouped(s.Sent), Grouped(s.Verified), Grouped(s.Failed())}
		mdRow(w, append(row, s.Latency.columns()...)...)
	}
	fmt.Fprint(w, "\nLatency from the intended start.\n\n")
	if len(l.Violations) > 0 {
		fmt.Fprint(w, "### What did not hold under load\n\n")
		mdRow(w, "Verdict", "Requirement", "Answers", "What came")
		mdRow(w, "---", "---", "---:", "---")
		for i, v := range l.Violations {
			if i == markdownFindings {
				mdRow(w, "", "… and "+Plural(len(l.Violations)-i, "other", "others"), "", "")
				break
			}
			mdRow(w, mdMark(v.verdict()), mdCode(v.Requirement), Grouped(v.Count), mdCode(cut(oneLine(v.Message), summaryLength)))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "<sub>%s %s</sub>\n", md(l.Tool.Name), md(l.Tool.Version))
}
