package reports

import "fmt"

// A headline is the verdict on a whole run, in a word and in a sentence.
type headline struct {
	Verdict  Verdict // pass, fail, warn or inconclusive
	Word     string
	Sentence string
}

func (c Conformance) headline() headline {
	counts := c.Counts()
	judged := counts.Judged()
	switch {
	case counts[Fail] > 0:
		return headline{Fail, "Falls short", fmt.Sprintf("%s of %s %s.", grouped(counts[Fail]), plural(judged, "judged requirement", "judged requirements"), verb(counts[Fail], "fails", "fail"))}
	case c.Partial != "":
		return headline{Inconclusive, "Cannot be told", "The run ended early: " + c.Partial + "."}
	case judged == 0:
		return headline{Inconclusive, "Cannot be told", "Nothing was judged."}
	case counts[Inconclusive] > 0:
		return headline{Inconclusive, "Cannot be told", fmt.Sprintf("Nothing fails, but %s inconclusive.", plural(counts[Inconclusive], "requirement is", "requirements are"))}
	case counts[Warn] > 0:
		return headline{Warn, "Conforms, with warnings", fmt.Sprintf("None of %s fails; %s.", plural(judged, "judged requirement", "judged requirements"), plural(counts[Warn], "warning", "warnings"))}
	}
	return headline{Pass, "Conforms", fmt.Sprintf("None of %s fails.", plural(judged, "judged requirement", "judged requirements"))}
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
	if doubtful > 0 {
		aside = " " + plural(doubtful, "answer deserves a look.", "answers deserve a look.")
	}
	var sentence string
	switch {
	case broken > 0 && wrong > 0:
		sentence = fmt.Sprintf("%s broken, and %s what is required.", plural(broken, "threshold is", "thresholds are"), plural(wrong, "answer breaks", "answers break"))
	case broken > 0:
		sentence = fmt.Sprintf("%s broken.", plural(broken, "threshold is", "thresholds are"))
	case wrong > 0:
		sentence = fmt.Sprintf("%s what is required.", plural(wrong, "answer breaks", "answers break"))
	}
	switch {
	case l.Verdict == Fail:
		if sentence == "" {
			sentence = "The target did not keep what it owes under this load."
		}
		return headline{Fail, "Falls short", sentence}
	case l.Partial != "":
		return headline{Inconclusive, "Cannot be told", "The run ended early: " + l.Partial + "."}
	case l.Verdict != Pass && untold > 0:
		return headline{Inconclusive, "Cannot be told", fmt.Sprintf("%s be told from this run.", plural(untold, "threshold cannot", "thresholds cannot"))}
	case l.Verdict != Pass && l.Generator.Bottleneck != "":
		return headline{Inconclusive, "Cannot be told", "The load generator was the bottleneck: " + l.Generator.Bottleneck + "."}
	case l.Verdict != Pass:
		return headline{Inconclusive, "Cannot be told", "The run proves nothing either way."}
	case len(l.Thresholds) > 0:
		return headline{Pass, "Holds", fmt.Sprintf("%s kept at %s.%s", plural(len(l.Thresholds), "threshold is", "thresholds are"), perSecond(l.Rate.Achieved), aside)}
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
