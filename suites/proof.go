package suites

import (
	"slices"

	"flowproof/reports"
	"flowproof/suites/catalogue"
)

// A Proof says whether a requirement caught the fault that it names, and what else got worse with it.
type Proof struct {
	Requirement string
	Clean       reports.Verdict // without the fault; empty: not judged
	Faulty      reports.Verdict // with it
	Wanted      reports.Verdict // as bad as the requirement's level allows
	Caught      bool
	Stowaways   []string // requirements that got worse and are no known consequence
}

// Prove compares a clean run with one that had a fault. Caught means: worse than without the fault, and as
// bad as the level of the requirement (or of this very fault) allows in the profile.
func Prove(row catalogue.Requirement, clean, faulty reports.Conformance, consequences []string) Proof {
	profile, edition := catalogue.Profile(clean.Target.Profile), clean.Target.Edition
	level, _ := row.In(profile, edition)
	if row.Fault.Level != "" {
		level = row.Fault.Level
	}
	before, after := verdicts(clean), verdicts(faulty)
	p := Proof{Requirement: row.ID, Clean: before[row.ID], Faulty: after[row.ID], Wanted: levelVerdict(level)}
	p.Caught = worse(bad(p.Faulty), bad(p.Clean)) && !worse(p.Wanted, bad(p.Faulty))
	for _, r := range faulty.Results {
		if r.Requirement == row.ID || slices.Contains(consequences, r.Requirement) {
			continue
		}
		if worse(bad(r.Verdict), bad(before[r.Requirement])) {
			p.Stowaways = append(p.Stowaways, r.Requirement)
		}
	}
	return p
}

func verdicts(c reports.Conformance) map[string]reports.Verdict {
	out := map[string]reports.Verdict{}
	for _, r := range c.Results {
		out[r.Requirement] = r.Verdict
	}
	return out
}

// bad is the verdict where it accuses the server, else nothing.
func bad(v reports.Verdict) reports.Verdict {
	if v == reports.Fail || v == reports.Warn || v == reports.Note {
		return v
	}
	return ""
}
