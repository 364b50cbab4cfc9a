package suites

import (
	"fmt"
	"slices"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"flowproof/drivers/target"
	"flowproof/reports"
	"flowproof/suites/catalogue"
)

// proves labels a spec with the requirements that it proves. An id that the catalogue does not
// know stops the program while the tree is built.
func proves(ids ...string) ginkgo.Labels {
	for _, id := range ids {
		if _, known := catalogue.ByID(id); !known {
			panic(fmt.Sprintf("suites: no requirement %q in the catalogue; near it: %v", id, catalogue.Nearest(id)))
		}
	}
	return ginkgo.Labels(ids)
}

// flow labels the specs of one flow.
func flow(g target.Grant) ginkgo.Labels { return ginkgo.Labels{string(g)} }

// table marks a container whose leaves are variants of one sentence.
var table = ginkgo.Label("table")

// findings gathers what the specs report, by requirement.
type findings struct {
	session *session
	profile catalogue.Profile
	edition string
	byID    map[string][]reports.Finding
	awaited map[rowVariant]int // specs that have not ended; nil: nobody waits
}

// A rowVariant is a requirement, or one variant of it.
type rowVariant struct{ id, variant string }

// await counts the specs of each variant of a requirement, so that it can be told when it is complete.
func (f *findings) await(chosen types.LabelFilter) {
	f.awaited = map[rowVariant]int{}
	for _, r := range preview(f.session.Options) {
		if !chosen(r.Labels()) {
			continue
		}
		_, variant := sentenceOf(r)
		for _, label := range r.Labels() {
			f.awaited[rowVariant{label, variant}]++
		}
	}
}

// complete hands over the variant when its last spec has ended.
func (f *findings) complete(row catalogue.Requirement, level catalogue.Level, variant string) {
	p := rowVariant{row.ID, variant}
	if f.awaited[p]--; f.awaited[p] != 0 {
		return
	}
	var found []reports.Finding
	for _, one := range f.byID[row.ID] {
		if one.Variant == variant {
			found = append(found, one)
		}
	}
	f.session.Found(resultOf(row, level, found))
}

// add turns one spec's report into a finding for each requirement that it proves.
func (f *findings) add(r ginkgo.SpecReport) {
	if f.byID == nil {
		f.byID = map[string][]reports.Finding{}
	}
	seen := f.session.seen
	if r.State == types.SpecStatePassed {
		seen.settle()
	} else if why := seen.putOffAt(r); why != "" {
		seen.unproven = why
	}
	for _, label := range r.Labels() {
		row, known := catalogue.ByID(label)
		if !known {
			continue
		}
		level, applies := row.In(f.profile, f.edition)
		if !applies {
			continue
		}
		finding := reports.Finding{
			Flow: flowOf(r), Endpoint: row.Endpoint,
			Expected: f.session.masked(seen.expected),
			Verdict:  verdictOf(r, seen, level), Message: f.session.masked(messageOf(r, seen)), Seen: seen.judged,
			DurationMS: r.RunTime.Round(time.Millisecond).Milliseconds(),
		}
		finding.Spec, finding.Variant = sentenceOf(r)
		if !f.session.Bare {
			finding.Evidence = f.session.evidence(seen, finding.Verdict)
			finding.Attachments = f.session.attachments(seen, finding.Verdict)
		}
		f.byID[row.ID] = append(f.byID[row.ID], finding)
		if f.awaited != nil {
			f.complete(row, level, finding.Variant)
		}
	}
}

// masked is a text about what a server sent, which may be a secret.
func (s *session) masked(text string) string { return s.driver.Redactor().Text(text) }

// results are the findings by requirement, in the catalogue's order.
func (f *findings) results() []reports.Result {
	var out []reports.Result
	for _, row := range catalogue.All() {
		level, applies := row.In(f.profile, f.edition)
		found := f.byID[row.ID]
		if !applies || len(found) == 0 {
			continue
		}
		out = append(out, resultOf(row, level, found))
	}
	return out
}

func resultOf(row catalogue.Requirement, level catalogue.Level, found []reports.Finding) reports.Result {
	verdicts := make([]reports.Verdict, len(found))
	for i, one := range found {
		verdicts[i] = one.Verdict
	}
	return reports.Result{
		Requirement: row.ID, Section: row.Section + ". " + row.SectionTitle, Sentence: row.Sentence, Source: row.Source,
		Level: string(level), Verdict: reports.Worst(verdicts...), Findings: found,
	}
}

// verdictOf maps what Ginkgo says and what the spec noted to one verdict.
func verdictOf(r ginkgo.SpecReport, seen *observation, level catalogue.Level) reports.Verdict {
	switch {
	case seen.missing != "":
		return reports.NotApplicable
	case seen.unproven != "":
		return reports.Inconclusive
	case r.State == types.SpecStatePassed:
		if seen.lowered == "" {
			return reports.Pass
		}
		return milder(seen.lowered, reports.OfLevel(level))
	case r.State == types.SpecStateFailed && seen.forced != "":
		return seen.forced
	case r.State == types.SpecStateFailed:
		return reports.OfLevel(level)
	default: // panicked, interrupted, timed out, aborted, never reached
		return reports.Inconclusive
	}
}

// milder is the less bad of two verdicts.
func milder(a, b reports.Verdict) reports.Verdict {
	if reports.Worst(a, b) == a {
		return b
	}
	return a
}

// messageOf says what was seen, or what is missing.
func messageOf(r ginkgo.SpecReport, seen *observation) string {
	switch {
	case seen.missing != "":
		return seen.missing
	case seen.unproven != "":
		return seen.unproven
	case r.State == types.SpecStatePassed:
		return seen.message
	case r.State == types.SpecStateFailed:
		return r.Failure.Message
	case r.State == types.SpecStatePanicked:
		return "flowproof itself broke down here: " + r.Failure.ForwardedPanic
	case r.State == types.SpecStateSkipped:
		return "the run ended before this spec was reached"
	default:
		return "the spec did not end: " + r.State.String()
	}
}

// flowOf is the flow that the spec is about, or any.
func flowOf(r ginkgo.SpecReport) string {
	for _, g := range target.Grants() {
		if slices.Contains(r.Labels(), string(g)) {
			return string(g)
		}
	}
	return "any"
}
