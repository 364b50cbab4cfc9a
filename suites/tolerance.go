package suites

import (
	"fmt"

	"flowproof/reports"
)

// A Tolerance says how a deployment was judged that deviates in a way that some requirement's caution allows.
type Tolerance struct {
	Requirement string
	Verdict     reports.Verdict // of that requirement
	Alarms      []string        // requirements judged worse than the caution allows, with why
	Blinded     []string        // requirements that could be judged without the deviation, and cannot with it
}

// Tolerated reports whether nothing was judged worse than allowed.
func (t Tolerance) Tolerated() bool { return len(t.Alarms) == 0 }

// An Allowance is how bad a deviation may be judged: by the requirement whose caution tells of it, which may
// be left out where the caution says so, by the others that are listed, and by all the rest (a note).
type Allowance struct {
	Requirement string
	Worst       reports.Verdict
	Skipped     bool // the requirement may be not applicable
	Others      map[string]string
}

// Tolerate compares a run with the deviation with what is allowed, and with the run without it.
func Tolerate(a Allowance, clean, near reports.Conformance) Tolerance {
	after := verdicts(near)
	t := Tolerance{Requirement: a.Requirement, Verdict: after[a.Requirement]}
	switch {
	case t.Verdict == reports.Pass || bad(t.Verdict) != "": // judged, and how badly is seen below
	case t.Verdict == reports.NotApplicable && a.Skipped:
	case t.Verdict == "":
		t.Alarms = append(t.Alarms, a.Requirement+": not judged")
	default:
		t.Alarms = append(t.Alarms, fmt.Sprintf("%s: %s (%s)", a.Requirement, t.Verdict, reason(near, a.Requirement)))
	}
	for _, r := range near.Results {
		allowed := reports.Note
		if r.Requirement == a.Requirement {
			allowed = a.Worst
		} else if other, listed := a.Others[r.Requirement]; listed {
			allowed = reports.Verdict(other)
		}
		if worse(bad(r.Verdict), bad(allowed)) {
			t.Alarms = append(t.Alarms, fmt.Sprintf("%s: %s (%s)", r.Requirement, r.Verdict, reason(near, r.Requirement)))
		}
	}
	_, blinded := Changes(clean, near)
	for _, id := range blinded {
		t.Blinded = append(t.Blinded, fmt.Sprintf("%s (%s)", id, reason(near, id)))
	}
	return t
}

// reason is what the finding says that decided a requirement's verdict.
func reason(c reports.Conformance, requirement string) string {
	for _, r := range c.Results {
		for _, f := range r.Findings {
			if r.Requirement != requirement || f.Verdict != r.Verdict {
				continue
			}
			if f.Variant != "" {
				return f.Variant + ": " + f.Message
			}
			return f.Spec + ": " + f.Message
		}
	}
	return "no finding"
}
