package reports

import (
	"fmt"
	"slices"
	"strings"
)

// A Baseline is the earlier record that a check was held to, and what differs.
type Baseline struct {
	File      string   `json:"file"`
	Tool      Tool     `json:"tool"`
	Catalogue string   `json:"catalogue,omitempty"`
	Target    Target   `json:"target"`
	Started   string   `json:"started"`
	Worse     []Change `json:"worse,omitempty"`  // failures and warnings that were not there
	Better    []Change `json:"better,omitempty"` // requirements that are met better than they were
	Untold    []Change `json:"untold,omitempty"` // judged then, inconclusive now
	Gone      []string `json:"gone,omitempty"`   // requirements judged then and not looked at now
}

// A Change is a requirement, or one variant of it, whose verdict differs.
type Change struct {
	Requirement string  `json:"requirement"`
	Sentence    string  `json:"sentence"`
	Variant     string  `json:"variant,omitempty"`
	Was         Verdict `json:"was,omitempty"` // empty: it was not looked at
	Is          Verdict `json:"is"`
	Seen        string  `json:"seen,omitempty"` // what the later run saw
}

// HoldTo keeps with the record what got worse and better since the baseline, and sets aside what is as it
// was. Records that cannot be compared are refused.
func (c *Conformance) HoldTo(b Conformance, file string) error {
	switch {
	case b.Partial != "":
		return fmt.Errorf("reports: hold to %s: its run ended early (%s), so it is no baseline; make one from a whole run", file, b.Partial)
	case b.Target.Profile != c.Target.Profile || b.Target.Edition != c.Target.Edition:
		return fmt.Errorf("reports: hold to %s: it was judged by profile %s and this run by profile %s; make a baseline with the same",
			file, b.Target.judged(), c.Target.judged())
	}
	d := differences(b, *c)
	about := b.Target
	about.Lines = nil
	c.Baseline = &Baseline{
		File: file, Tool: b.Tool, Catalogue: b.Catalogue, Target: about, Started: b.Started,
		Worse: d.worse, Better: d.better, Untold: d.untold, Gone: d.gone,
	}
	for i := range c.Results {
		r := &c.Results[i]
		for j := range r.Findings {
			f := &r.Findings[j]
			is := func(change Change) bool { return change.Requirement == r.Requirement && change.Variant == f.Variant }
			bad := f.Verdict == Fail || f.Verdict == Warn || f.Verdict == Inconclusive
			f.Known = bad && f.Waived == "" && !slices.ContainsFunc(d.worse, is) && !slices.ContainsFunc(d.untold, is)
		}
	}
	return nil
}

func (t Target) judged() string { return joined(" ", t.Profile, t.Edition) }

// A difference is what two checks of one profile say differently.
type difference struct {
	worse, better, untold []Change
	gone                  []string
}

// differences compares variant by variant, so that a new failure shows also where another one was known.
func differences(a, b Conformance) difference {
	var d difference
	before, now := map[string]Result{}, map[string]bool{}
	for _, r := range a.Results {
		before[r.Requirement] = r
	}
	for _, r := range b.Results {
		now[r.Requirement] = true
		old, known := before[r.Requirement]
		worse, untold := len(d.worse), len(d.untold)
		for _, v := range byVariant(r) {
			was := old.verdictOf(v.name)
			if !known {
				was = ""
			}
			is := v.accepted()
			change := Change{Requirement: r.Requirement, Sentence: r.Sentence, Variant: v.name, Was: was, Is: is, Seen: v.seen(is)}
			switch {
			case (is == Fail || is == Warn) && (was == "" || is.rank() < was.rank()):
				d.worse = append(d.worse, change)
			case is == Inconclusive && (was == "" || was.Judged()):
				d.untold = append(d.untold, change)
			}
		}
		was, is := old.accepted(), r.accepted()
		switch {
		case !known || len(d.worse) > worse || len(d.untold) > untold:
		case is == NotApplicable && was.Judged():
			d.gone = append(d.gone, r.Requirement)
		case is.Judged() && is.rank() > was.rank():
			d.better = append(d.better, Change{Requirement: r.Requirement, Sentence: r.Sentence, Was: was, Is: is})
		}
	}
	for _, r := range a.Results {
		if !now[r.Requirement] && r.Verdict.Judged() {
			d.gone = append(d.gone, r.Requirement)
		}
	}
	return d
}

// accepted is the verdict once what was waived is set aside.
func (f Finding) accepted() Verdict {
	if f.Waived != "" {
		return Note
	}
	return Worst(f.Verdict)
}

func (v variant) accepted() Verdict {
	if len(v.findings) == 0 {
		return Worst(v.result.Verdict)
	}
	var all []Verdict
	for _, f := range v.findings {
		all = append(all, f.accepted())
	}
	return Worst(all...)
}

func (r Result) accepted() Verdict {
	var all []Verdict
	for _, v := range byVariant(r) {
		all = append(all, v.accepted())
	}
	return Worst(all...)
}

// verdictOf is the verdict of a variant; one that is not there had the requirement's.
func (r Result) verdictOf(name string) Verdict {
	for _, v := range byVariant(r) {
		if v.name == name {
			return v.accepted()
		}
	}
	return r.accepted()
}

// seen is what the finding that gave the verdict says.
func (v variant) seen(verdict Verdict) string {
	for _, f := range v.findings {
		if f.Verdict == verdict && f.Message != "" {
			return f.Message
		}
	}
	return ""
}

// requirements counts those that the changes are about.
func requirements(changes []Change) int {
	seen := map[string]bool{}
	for _, c := range changes {
		seen[c.Requirement] = true
	}
	return len(seen)
}

// subject names what changed.
func (c Change) subject() string {
	if c.Variant == "" {
		return c.Requirement
	}
	return c.Requirement + " (" + c.Variant + ")"
}

// step is the change itself: pass → fail.
func (c Change) step() string {
	was := c.Was.Word()
	if c.Was == "" {
		was = "not looked at"
	}
	return was + " → " + c.Is.Word()
}

// words says what differs, in one sentence.
func (b Baseline) words() string {
	parts := []string{Plural(requirements(b.Worse), "requirement got worse", "requirements got worse")}
	if n := requirements(b.Better); n > 0 {
		parts = append(parts, Plural(n, "improved", "improved"))
	}
	if n := requirements(b.Untold); n > 0 {
		parts = append(parts, Plural(n, "can no longer be told", "can no longer be told"))
	}
	if n := len(b.Gone); n > 0 {
		parts = append(parts, Plural(n, "was not looked at this time", "were not looked at this time"))
	}
	return fmt.Sprintf("Held to the baseline %s of %s: %s.", b.File, moment(b.Started), strings.Join(parts, ", "))
}

// A changeView is a change of one requirement, with all the variants that changed alike.
type changeView struct {
	Change
	Variants []string
}

func groupedChanges(changes []Change) []changeView {
	var out []changeView
	for _, c := range changes {
		i := slices.IndexFunc(out, func(v changeView) bool { return v.Requirement == c.Requirement && v.Was == c.Was && v.Is == c.Is })
		if i < 0 {
			i = len(out)
			out = append(out, changeView{Change: c})
		}
		if c.Variant != "" {
			out[i].Variants = append(out[i].Variants, c.Variant)
		}
	}
	return out
}
