package reports

import (
	"fmt"
	"strings"
)

// junitLoad makes tests of what a load run promises: that it ran to its end, that the generator kept up,
// that each step's answers were right, and that each threshold held. The last one is the verdict.
func junitLoad(l Load) junitSuites {
	about := properties("target", l.Target.Name, "url", l.Target.URL, "plan", l.Plan.words(), "tokens", l.Target.Tokens,
		"rate.intended", three(l.Rate.Intended), "rate.achieved", three(l.Rate.Achieved), "partial", l.Partial, l.Tool.Name+".version", l.Tool.Version)
	suite := func(name string) junitSuite {
		return junitSuite{Name: name, Timestamp: stamp(l.Started), Properties: about}
	}
	run, steps, held, right := suite("The run"), suite("Steps"), suite("Thresholds"), suite("Requirements under load")

	complete := loadCase("run", "is complete")
	if l.Partial != "" {
		complete.Error = &junitOutcome{Message: oneLine(l.Partial), Type: "partial"}
	}
	run.add(complete, 0)
	kept := loadCase("run", "generator keeps up")
	kept.Output = &junitText{escaped(l.generatorWords())}
	if l.Generator.Bottleneck != "" && l.Capacity == nil { // a search says itself what it means
		kept.Error = &junitOutcome{Message: oneLine(l.Generator.Bottleneck), Type: "bottleneck"}
	}
	run.add(kept, 0)

	found := suite("Capacity")
	if l.Capacity != nil {
		found.add(l.Capacity.junit(l), 0)
	}
	for _, s := range l.Steps {
		c := loadCase("steps", oneLine(s.Name))
		c.Output = &junitText{escaped(s.plain())}
		steps.add(c, 0)
	}
	for _, t := range l.Thresholds {
		c := loadCase("thresholds", oneLine(t.Expression))
		c.Properties = properties("seen", t.Shown, "verdict", string(t.verdict()))
		switch t.verdict() {
		case Fail:
			c.Failure = &junitOutcome{Message: oneLine(t.Expression + " is broken: " + t.Shown), Type: "threshold"}
		case Inconclusive:
			c.Error = &junitOutcome{Message: oneLine(t.Expression + " cannot be told: " + t.Reason), Type: "threshold"}
		}
		held.add(c, 0)
	}
	if b := l.Baseline; b != nil {
		c := loadCase("thresholds", "is no worse than the baseline")
		c.Properties = properties("baseline", b.A.File, "outcome", string(b.Outcome))
		switch b.Outcome {
		case Worse:
			c.Failure = &junitOutcome{Message: oneLine(b.Reason), Type: "baseline"}
		case CannotTell:
			c.Error = &junitOutcome{Message: oneLine(b.Reason), Type: "baseline"}
		}
		held.add(c, 0)
	}
	for _, v := range l.Violations {
		c := loadCase("requirements", oneLine(v.Requirement))
		c.Properties = properties("requirement", v.Requirement, "verdict", string(v.verdict()))
		message := cut(oneLine(fmt.Sprintf("%s: %s", Plural(v.Count, "answer", "answers"), v.Message)), 2*summaryLength)
		body := escaped(v.Message + "\n\nthe first:\n" + v.First.plain() + v.worst())
		switch v.verdict() {
		case Fail:
			c.Failure = &junitOutcome{message, "violation", body}
		case Inconclusive:
			c.Error = &junitOutcome{message, "violation", body}
		default:
			c.Output = &junitText{body}
		}
		right.add(c, 0)
	}

	verdict := suite("Verdict")
	h := l.headline()
	c := loadCase("verdict", "holds")
	switch h.Verdict {
	case Pass:
	case Fail:
		c.Failure = &junitOutcome{Message: oneLine(h.Sentence), Type: string(Fail)}
	default:
		c.Error = &junitOutcome{Message: oneLine(h.Sentence), Type: string(Inconclusive)}
	}
	verdict.add(c, l.DurationMS)

	var suites []junitSuite
	for _, s := range []junitSuite{run, found, steps, held, right, verdict} {
		if s.Tests > 0 {
			suites = append(suites, s)
		}
	}
	return junitAll("flowproof load "+l.Target.Name, l.DurationMS, suites)
}

// worst is the slowest exchange as text, if it is not the first.
func (v Violation) worst() string {
	if v.Worst == nil {
		return ""
	}
	return "\nthe slowest:\n" + v.Worst.plain()
}

func loadCase(group, name string) junitCase {
	return junitCase{ClassName: "flowproof.load-" + group, Name: name, Time: seconds(0)}
}

// plain is a step's figures as text.
func (s Step) plain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "planned %d, sent %d, answered %d, verified %d, throttled %d, not sent %d\n",
		s.Planned, s.Sent, s.Answered, s.Verified, s.Throttled, s.NotSent)
	for _, h := range []struct {
		name string
		Histogram
	}{{"latency", s.Latency}, {"service", s.Service}} {
		fmt.Fprintf(&b, "%s ", h.name)
		for i, name := range durationColumns() {
			fmt.Fprintf(&b, " %s %s", name, h.columns()[i])
		}
		b.WriteByte('\n')
	}
	for _, e := range sortedCounts(s.Errors) {
		fmt.Fprintf(&b, "%d %s\n", e.Count, e.Class)
	}
	return b.String()
}
