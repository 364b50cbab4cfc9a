package reports

import "strings"

// remarks are the notices, and what the gates have to say beside their verdict.
func (c Conformance) remarks() []string {
	out := append([]string(nil), c.Notices...)
	if c.Strict {
		out = append(out, "The check was strict: warnings count as failures, and so do waivers that nobody looks after.")
	}
	if c.Baseline != nil {
		out = append(out, c.Baseline.words())
	}
	for _, w := range c.Waivers {
		if remark := w.remark(); remark != "" {
			out = append(out, remark)
		}
	}
	return out
}

// counting is the verdict of the variant once what was set aside no longer counts.
func (v variant) counting() Verdict {
	return Result{Verdict: v.verdict(), Findings: v.findings}.Counting()
}

// aside says why the variant's verdict does not count, and is empty when it does.
func (v variant) aside() string {
	if v.counting() == v.verdict() {
		return ""
	}
	for _, f := range v.findings {
		if f.Verdict == v.verdict() {
			return f.aside()
		}
	}
	return ""
}

// aside says in a word why the verdict of the requirement does not count, and is empty when it does.
func (r Result) aside() string {
	if r.Counting() == Worst(r.Verdict) {
		return ""
	}
	for _, f := range r.worst() {
		if f.Waived == "" {
			return "as in the baseline"
		}
	}
	return "waived"
}

// gates says whether each gate that the check was given holds.
func (c Conformance) gates() []gate {
	var out []gate
	if b := c.Baseline; b != nil {
		g := gate{"is no worse than the baseline", Pass, b.words()}
		if len(b.Worse) > 0 {
			g.Verdict = Fail
			lines := []string{g.Words}
			for _, change := range b.Worse {
				lines = append(lines, change.step()+": "+change.subject())
			}
			g.Words = strings.Join(lines, "\n")
		}
		out = append(out, g)
	}
	if len(c.Waivers) > 0 {
		g := gate{"has waivers that are looked after", Pass, Plural(len(c.Waivers), "waiver", "waivers") + "."}
		for _, w := range c.Waivers {
			if remark := w.remark(); remark != "" {
				g.Words += "\n" + remark
			}
		}
		if c.staleWaivers() > 0 {
			g.Verdict = Warn
			if c.Strict {
				g.Verdict = Fail
			}
		}
		out = append(out, g)
	}
	return out
}

// A gate is a condition on the whole run.
type gate struct {
	Name    string
	Verdict Verdict
	Words   string // one line, then one for each thing to know
}
