package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// How much a job summary tells; CI servers cut what is long.
const markdownFindings = 30

// Markdown writes a job summary: the verdict, the matrix or the figures, and what falls short. What a server
// sent is text in it: no markup, no link, no mention, no break of a table.
func Markdown(w io.Writer, r Record) error {
	var out bytes.Buffer
	switch r.Kind() {
	case "conformance":
		shown(*r.Conformance).markdown(&out)
	case "load":
		shown(*r.Load).markdown(&out)
	case "comparison":
		shown(*r.Comparison).markdown(&out)
	default:
		return errNotOf("markdown", r, "a run")
	}
	_, err := w.Write(out.Bytes())
	return err
}

// md makes text inert in Markdown, in running text and in the cells of tables.
func md(s string) string {
	var b strings.Builder
	runes := []rune(oneLine(s))
	word := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
	}
	for i, r := range runes {
		active := strings.ContainsRune("\\`*[]<>&|~@$#", r)
		switch r {
		case '_': // emphasis, but not within a word
			active = !word(i-1) || !word(i+1)
		case ':': // the middle of a link, or the end of an emoji's name
			time := i > 0 && i+1 < len(runes) && unicode.IsDigit(runes[i-1]) && unicode.IsDigit(runes[i+1])
			active = i+1 < len(runes) && runes[i+1] != ' ' && !time
		case '.': // a host's name becomes a link by its www
			active = i >= 3 && strings.EqualFold(string(runes[i-3:i]), "www")
		case '-', '+', '=': // a list, or a rule
			active = i == 0
		}
		if active {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// mdCode is md in the face of code, in which nobody is mentioned.
func mdCode(s string) string {
	if s = oneLine(s); s == "" {
		return ""
	}
	return "<code>" + md(s) + "</code>"
}

func mdSign(v Verdict) string {
	return map[Verdict]string{Fail: "❌", Warn: "⚠️", Inconclusive: "❔", Note: "ℹ️", Pass: "✅", NotApplicable: "➖"}[v]
}

func mdMark(v Verdict) string { return mdSign(v) + " " + v.Word() }

func mdRow(w io.Writer, cells ...string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }

func mdHead(w io.Writer, cells ...string) {
	mdRow(w, cells...)
	rule := make([]string, len(cells))
	for i := range rule {
		rule[i] = "---:"
	}
	rule[0] = "---"
	mdRow(w, rule...)
}

func (h headline) markdown(w io.Writer, about string) {
	fmt.Fprintf(w, "## %s flowproof %s: %s\n\n%s\n\n", mdSign(h.Verdict), about, md(h.Word), md(h.Sentence))
}

func (c Conformance) markdown(w io.Writer) {
	c.headline().markdown(w, "check")
	fmt.Fprintf(w, "%s\n\n", joined(" · ", "**"+md(c.Target.Name)+"**", mdCode(c.Target.URL), "profile "+md(c.Target.judged()), md(moment(c.Started)), span(c.DurationMS),
		Plural(c.Exchanges, "exchange", "exchanges"), md(c.Browser), joinedBefore("only ", mdCode(c.Only))))
	c.markdownMatrix(w)
	for _, remark := range c.remarks() {
		fmt.Fprintf(w, "> %s\n\n", md(remark))
	}
	c.markdownChanges(w)
	c.markdownFindings(w)
	for _, v := range []Verdict{Inconclusive, NotApplicable} {
		reasons, total := c.reasons(v)
		if total == 0 {
			continue
		}
		fmt.Fprintf(w, "<details><summary>%s: %s</summary>\n\n", v.Word(), Plural(total, "requirement", "requirements"))
		for i, why := range reasons {
			if i == markdownFindings {
				fmt.Fprintf(w, "- … and %s\n", Plural(len(reasons)-i, "other reason", "other reasons"))
				break
			}
			fmt.Fprintf(w, "- %d× %s\n", why.Count, md(cut(oneLine(why.Text), summaryLength)))
		}
		fmt.Fprint(w, "\n</details>\n\n")
	}
	fmt.Fprintf(w, "<sub>%s %s</sub>\n", md(c.Tool.Name), md(c.Tool.Version))
}

func (c Conformance) markdownMatrix(w io.Writer) {
	m := c.Matrix()
	var verdicts []Verdict
	for _, v := range Verdicts() {
		if c.Counts()[v] > 0 {
			verdicts = append(verdicts, v)
		}
	}
	if len(verdicts) == 0 {
		return
	}
	head := []string{"Flow"}
	for _, v := range verdicts {
		head = append(head, mdMark(v))
	}
	mdHead(w, head...)
	row := func(name string, counts Counts) {
		cells := []string{name}
		for _, v := range verdicts {
			if counts[v] == 0 {
				cells = append(cells, "·")
			} else {
				cells = append(cells, Grouped(counts[v]))
			}
		}
		mdRow(w, cells...)
	}
	for _, flow := range m.Flows {
		row(md(flowWords(flow)), m.At(flow, ""))
	}
	row("**all**", c.Counts())
	fmt.Fprintln(w)
}

func (c Conformance) markdownChanges(w io.Writer) {
	if c.Baseline == nil {
		return
	}
	markdownChanges(w, "Worse than the baseline", c.Baseline.Worse)
	markdownChanges(w, "Better than the baseline", c.Baseline.Better)
	markdownChanges(w, "No longer told", c.Baseline.Untold)
}

// markdownChanges writes a table of what differs, or nothing.
func markdownChanges(w io.Writer, title string, changes []Change) {
	if len(changes) == 0 {
		return
	}
	fmt.Fprintf(w, "### %s\n\n", title)
	mdRow(w, "Requirement", "Was", "Is", "Seen")
	mdRow(w, "---", "---", "---", "---")
	all := groupedChanges(changes)
	for i, change := range all {
		if i == markdownFindings {
			mdRow(w, "… and "+Plural(len(all)-i, "other", "others"), "", "", "")
			break
		}
		was := "not looked at"
		if change.Was != "" {
			was = mdMark(change.Was)
		}
		mdRow(w, mdCode(change.Requirement)+" "+md(change.Sentence)+joinedBefore("<br>with ", mdCode(cut(strings.Join(change.Variants, ", "), summaryLength))), was, mdMark(change.Is), mdCode(cut(oneLine(change.Seen), summaryLength)))
	}
	fmt.Fprintln(w)
}

func (c Conformance) markdownFindings(w io.Writer) {
	all := c.worstFirst()
	if len(all) == 0 {
		return
	}
	fmt.Fprint(w, "### What falls short\n\n")
	mdRow(w, "Verdict", "Requirement", "Expected", "What came")
	mdRow(w, "---", "---", "---", "---")
	for i, r := range all {
		if i == markdownFindings {
			mdRow(w, "", "… and "+Plural(len(all)-i, "other", "others")+": the report has them all", "", "")
			break
		}
		f := Finding{}
		if worst := r.worst(); len(worst) > 0 {
			f = worst[0]
		}
		verdict := mdMark(r.Verdict)
		if why := f.aside(); why != "" && r.Counting() != r.Verdict {
			verdict += "<br>" + md(why)
		}
		mdRow(w, verdict, mdCode(r.Requirement)+"<br>"+md(r.Sentence)+"<br>"+md(r.Level+", "+r.Source)+joinedBefore("<br>with ", mdCode(cut(oneLine(f.Variant), summaryLength))),
			md(cut(oneLine(f.Expected), summaryLength)), mdCode(cut(oneLine(f.Message), summaryLength)))
	}
	fmt.Fprintln(w)
}
