package reports

import (
	"fmt"
	"slices"
)

// A headline is the verdict on a whole run, in a word and in a sentence.
type headline struct {
	Verdict  Verdict // pass, fail, warn or inconclusive
	Word     string
	Sentence string
}

func (c Conformance) headline() headline {
	counts := c.Counting()
	judged := Plural(counts.Judged(), "judged requirement", "judged requirements")
	worse, aside := 0, c.asideWords()
	if c.Baseline != nil {
		worse = requirements(c.Baseline.Worse)
	}
	switch {
	case worse > 0:
		return headline{Fail, "Worse than the baseline", Plural(worse, "requirement got worse", "requirements got worse") + " since " + moment(c.Baseline.Started) + "." + aside}
	case counts[Fail] > 0:
		return headline{Fail, "Falls short", fmt.Sprintf("%s of %s %s.%s", Grouped(counts[Fail]), judged, verb(counts[Fail], "fails", "fail"), aside)}
	case c.Strict && counts[Warn] > 0:
		return headline{Fail, "Falls short", fmt.Sprintf("None of %s fails, but %s, and warnings count.%s", judged, Plural(counts[Warn], "of them warns", "of them warn"), aside)}
	case c.Strict && c.staleWaivers() > 0:
		return headline{Fail, "Falls short", fmt.Sprintf("None of %s fails, but %s to be looked after.%s", judged, Plural(c.staleWaivers(), "waiver has", "waivers have"), aside)}
	case c.Partial != "":
		return headline{Inconclusive, "Cannot be told", "The run ended early: " + c.Partial + "."}
	case counts.Judged() == 0:
		return headline{Inconclusive, "Cannot be told", "Nothing was judged."}
	case counts[Inconclusive] > 0:
		return headline{Inconclusive, "Cannot be told", fmt.Sprintf("Nothing fails, but %s inconclusive.%s", Plural(counts[Inconclusive], "requirement is", "requirements are"), aside)}
	case c.Baseline != nil:
		return headline{Pass, "No worse than the baseline", fmt.Sprintf("None of %s got worse since %s.%s", judged, moment(c.Baseline.Started), aside)}
	case counts[Warn] > 0:
		return headline{Warn, "Conforms, with warnings", fmt.Sprintf("None of %s fails; %s.%s", judged, Plural(counts[Warn], "warning", "warnings"), aside)}
	}
	return headline{Pass, "Conforms", fmt.Sprintf("None of %s fails.%s", judged, aside)}
}

// asideWords says how many requirements are worse than their verdict counts.
func (c Conformance) asideWords() string {
	waived, known := 0, 0
	for _, r := range c.Results {
		if !slices.Contains([]Verdict{Fail, Warn, Inconclusive}, Worst(r.Verdict)) || r.Counting() == Worst(r.Verdict) {
			continue
		}
		if slices.ContainsFunc(r.worst(), func(f Finding) bool { return f.Known }) {
			known++
		} else {
			waived++
		}
	}
	words := ""
	if waived > 0 {
		words += " " + Plural(waived, "is waived.", "are waived.")
	}
	if known > 0 {
		words += " " + Plural(known, "is as bad as it was.", "are as bad as they were.")
	}
	return words
}

func (l Load) headline() headline {
	if l.Capacity != nil {
		return l.Capacity.headline(l)
	}
	broken, untold := 0, 0
	for _, t := range l.Thresholds {
		switch {
		case t.Reason != "":
			untold++
		case !t.Held:
			broken++
		}
	}
	var wrong, doubtful int64
	for _, v := range l.Violations {
		if v.verdict() == Fail {
			wrong += v.Count
		} else {
			doubtful += v.Count
		}
	}
	aside := ""
	if l.Partial != "" {
		aside = " Of what there is: " + l.Partial + "."
	}
	if doubtful > 0 {
		aside += " " + Plural(doubtful, "answer deserves a look.", "answers deserve a look.")
	}
	var sentence string
	switch {
	case broken > 0 && wrong > 0:
		sentence = fmt.Sprintf("%s broken, and %s what is required.", Plural(broken, "threshold is", "thresholds are"), Plural(wrong, "answer breaks", "answers break"))
	case broken > 0:
		sentence = fmt.Sprintf("%s broken.", Plural(broken, "threshold is", "thresholds are"))
	case wrong > 0:
		sentence = fmt.Sprintf("%s what is required.", Plural(wrong, "answer breaks", "answers break"))
	}
	switch b := l.Baseline; {
	case b != nil && b.Outcome == Worse && sentence == "":
		return headline{Fail, "Worse than the baseline", b.Reason}
	case l.Verdict == Fail:
		if sentence == "" {
			sentence = "The target did not keep what it owes under this load."
		}
		return headline{Fail, "Falls short", sentence}
	case l.Partial != "" && !(l.Verdict == Pass && len(l.Agents) > 0): // of agents a part may be missing on purpose
		return headline{Inconclusive, "Cannot be told", "The run ended early: " + l.Partial + "."}
	case l.Verdict != Pass && untold > 0:
		return headline{Inconclusive, "Cannot be told", fmt.Sprintf("%s be told from this run.", Plural(untold, "threshold cannot", "thresholds cannot"))}
	case l.Verdict != Pass && l.Generator.Bottleneck != "":
		return headline{Inconclusive, "Cannot be told", "The load generator was the bottleneck: " + l.Generator.Bottleneck + "."}
	case l.Verdict != Pass && b != nil && b.Outcome == CannotTell:
		return headline{Inconclusive, "Cannot be told", "Against the baseline: " + b.Reason}
	case l.Verdict != Pass:
		return headline{Inconclusive, "Cannot be told", "The run proves nothing either way."}
	case b != nil:
		return headline{Pass, map[Outcome]string{Same: "No worse than the baseline", Better: "Better than the baseline"}[b.Outcome], b.Reason + aside}
	case len(l.Thresholds) > 0:
		return headline{Pass, "Holds", fmt.Sprintf("%s kept at %s.%s", Plural(len(l.Thresholds), "threshold is", "thresholds are"), perSecond(l.Rate.Achieved), aside)}
	}
	return headline{Pass, "Holds", fmt.Sprintf("%s verified answers, none wrong.%s", perSecond(l.Rate.Achieved), aside)}
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// verdict is what the violation means; a record that does not say means a failure.
func (v Violation) verdict() Verdict {
	if v.Verdict == "" {
		return Fail
	}
	return Worst(v.Verdict)
}
