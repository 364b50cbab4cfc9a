package suites

import (
	"slices"
	"strings"

	"flowproof/reports"
	"flowproof/suites/catalogue"
)

// Prove compares a clean run with one that had a fault. Caught means: worse than without the fault, and as
// bad as the level of the requirement (or of this very fault) allows in the profile. What the caller knows of
// the fault itself it fills in.
func Prove(row catalogue.Requirement, clean, faulty reports.Conformance, consequences []string) reports.Proof {
	profile, edition := catalogue.Profile(clean.Target.Profile), clean.Target.Edition
	level, _ := row.In(profile, edition)
	if row.Fault.Level != "" {
		level = row.Fault.Level
	}
	before, after := verdicts(clean), verdicts(faulty)
	p := reports.Proof{
		Fault: row.Fault.ID, Sentence: row.Fault.Sentence, Requirement: row.ID,
		Profile: string(profile), Edition: edition,
		Clean: before[row.ID], Faulty: after[row.ID], Wanted: reports.OfLevel(level), DurationMS: faulty.DurationMS,
	}
	p.Caught = worse(bad(p.Faulty), bad(p.Clean)) && !worse(p.Wanted, bad(p.Faulty))
	accused, _ := Changes(clean, faulty)
	for _, id := range accused {
		switch {
		case id == row.ID:
		case slices.Contains(consequences, id):
			p.Worse = append(p.Worse, id)
		default:
			p.Stowaways = append(p.Stowaways, id)
		}
	}
	return p
}

// Changes compares two runs against the same target: the requirements that accuse it more than before, and those
// that can no longer be judged.
func Changes(before, after reports.Conformance) (accused, blinded []string) {
	was := verdicts(before)
	for _, r := range after.Results {
		switch {
		case worse(bad(r.Verdict), bad(was[r.Requirement])):
			accused = append(accused, r.Requirement)
		case r.Verdict == reports.Inconclusive && was[r.Requirement] != "" && was[r.Requirement] != reports.Inconclusive:
			blinded = append(blinded, r.Requirement)
		}
	}
	return accused, blinded
}

// Spots are the findings of a run that should have none. A note is none: it says what a deployment may do.
func Spots(clean reports.Conformance) []reports.Spot {
	var out []reports.Spot
	for _, r := range clean.Results {
		if r.Verdict != reports.Fail && r.Verdict != reports.Warn && r.Verdict != reports.Inconclusive {
			continue
		}
		spot := reports.Spot{Requirement: r.Requirement, Profile: clean.Target.Profile, Edition: clean.Target.Edition, Verdict: r.Verdict}
		for _, f := range r.Findings {
			if f.Verdict == r.Verdict {
				spot.Message = strings.TrimPrefix(f.Variant+": "+f.Message, ": ")
			}
		}
		out = append(out, spot)
	}
	return out
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
