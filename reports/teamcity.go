package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// TeamCity writes service messages: a suite for each section, a test for each requirement and variant under a
// name that is the same in every run, statistics for charts, and a build problem when a gate does not hold.
func TeamCity(w io.Writer, r Record) error {
	t := new(teamcity)
	switch r.Kind() {
	case "conformance":
		t.conformance(shown(*r.Conformance))
	case "load":
		t.load(shown(*r.Load))
	default:
		return errNotOf("teamcity", r, "a check or of a load run")
	}
	_, err := w.Write(t.Bytes())
	return err
}

// A teamcity gathers service messages, one a line.
type teamcity struct {
	bytes.Buffer
	root, section string // the suites that are open
	taken         map[string]int
	told          map[[2]string]bool // requirement and variant
}

// TeamCityMessage is one service message; what is no plain character is escaped, so that a value can neither
// end its message nor begin another.
func TeamCityMessage(name string, pairs ...string) string {
	var b strings.Builder
	b.WriteString("##teamcity[" + name)
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString(" " + pairs[i] + "='" + teamcityEscaped(visible(pairs[i+1])) + "'")
	}
	return b.String() + "]"
}

func teamcityEscaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case strings.ContainsRune("'|[]", r):
			b.WriteString("|" + string(r))
		case r == '\n':
			b.WriteString("|n")
		case r == '\r':
			b.WriteString("|r")
		case r == '\t' || r >= ' ' && r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, "|0x%04X|0x%04X", high, low)
		default:
			fmt.Fprintf(&b, "|0x%04X", r)
		}
	}
	return b.String()
}

func (t *teamcity) say(name string, pairs ...string) {
	t.WriteString(TeamCityMessage(name, pairs...) + "\n")
}

// teamcityName is a name without dots, since TeamCity reads what stands before the last one as a class.
func teamcityName(s string) string { return strings.ReplaceAll(oneLine(s), ".", "_") }

// teamcityDescription is as long as TeamCity takes the description of a problem.
const teamcityDescription = 3900

func (t *teamcity) conformance(c Conformance) {
	t.begin("flowproof check " + c.Target.Name)
	t.end(c)
}

func (t *teamcity) begin(root string) {
	t.root, t.taken, t.told = teamcityName(root), map[string]int{}, map[[2]string]bool{}
	t.say("testSuiteStarted", "name", t.root)
}

// result tells the tests of a result that were not told before.
func (t *teamcity) result(r Result, strict bool) {
	for _, v := range byVariant(r) {
		if key := [2]string{r.Requirement, v.name}; t.told[key] {
			continue
		} else {
			t.told[key] = true
		}
		t.enter(r.Section)
		name := teamcityName(v.title())
		if t.taken[name]++; t.taken[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, t.taken[name])
		}
		t.variant(name, v, strict)
	}
}

// enter opens the suite of a section, and closes that of another one.
func (t *teamcity) enter(section string) {
	if t.section == section {
		return
	}
	if t.section != "" {
		t.say("testSuiteFinished", "name", teamcityName(t.section))
	}
	if t.section = section; section != "" {
		t.say("testSuiteStarted", "name", teamcityName(section))
	}
}

// end tells what is left, and what the whole run came to.
func (t *teamcity) end(c Conformance) {
	for _, r := range c.Results {
		t.result(r, c.Strict)
	}
	t.enter("")
	t.say("testSuiteFinished", "name", t.root)
	for _, v := range Verdicts() {
		t.say("buildStatisticValue", "key", "flowproof.check."+string(v), "value", fmt.Sprint(c.Counts()[v]))
	}
	t.say("buildStatisticValue", "key", "flowproof.check.duration.ms", "value", fmt.Sprint(c.DurationMS))
	for _, remark := range c.remarks() {
		t.say("message", "text", "flowproof: "+remark, "status", "WARNING")
	}
	t.ending("check", c.headline(), c.ExitCode(c.Strict))
}

func (t *teamcity) variant(name string, v variant, strict bool) {
	verdict := v.verdict()
	t.say("testStarted", "name", name)
	t.say("testMetadata", "testName", name, "name", "requirement", "value", v.result.Requirement)
	t.say("testMetadata", "testName", name, "name", "source", "value", v.result.Level+", "+v.result.Source)
	message := v.message(verdict)
	switch why := v.aside(); {
	case why != "":
		t.say("testIgnored", "name", name, "message", oneLine(verdict.Word()+", "+why))
	case verdict == NotApplicable:
		t.say("testIgnored", "name", name, "message", message)
	case verdict == Fail, verdict == Warn && strict:
		pairs := []string{"name", name, "message", message, "details", v.body(verdict)}
		for _, f := range v.findings {
			if f.Verdict == verdict && f.Expected != "" && f.Message != "" {
				pairs = append(pairs, "type", "comparisonFailure", "expected", f.Expected, "actual", f.Message)
				break
			}
		}
		t.say("testFailed", pairs...)
	case verdict == Inconclusive:
		t.say("testFailed", "name", name, "message", "inconclusive: "+message, "details", v.body(verdict))
	case verdict == Warn, verdict == Note:
		t.say("testStdOut", "name", name, "out", v.body(verdict))
	}
	t.say("testFinished", "name", name, "duration", fmt.Sprint(v.spent()))
}

func (t *teamcity) load(l Load) {
	root := teamcityName("flowproof load " + l.Target.Name)
	t.say("testSuiteStarted", "name", root)
	for _, s := range junitLoad(l).Suites {
		t.say("testSuiteStarted", "name", teamcityName(s.Name))
		for _, c := range s.Cases {
			name := teamcityName(c.Name)
			t.say("testStarted", "name", name)
			for _, bad := range []*junitOutcome{c.Failure, c.Error} {
				if bad != nil {
					t.say("testFailed", "name", name, "message", bad.Message)
				}
			}
			t.say("testFinished", "name", name)
		}
		t.say("testSuiteFinished", "name", teamcityName(s.Name))
	}
	t.say("testSuiteFinished", "name", root)
	for _, f := range l.figures() {
		t.say("buildStatisticValue", "key", "flowproof.load."+f.key(), "value", number(f.value))
	}
	for _, n := range l.Notices {
		t.say("message", "text", "flowproof: "+n, "status", "WARNING")
	}
	t.ending("load", l.headline(), l.ExitCode())
}

// ending puts the verdict where people look: a problem that fails the build, or its status line.
func (t *teamcity) ending(verb string, h headline, code int) {
	words := cut(oneLine(fmt.Sprintf("flowproof %s: %s. %s", verb, strings.ToLower(h.Word[:1])+h.Word[1:], h.Sentence)), teamcityDescription)
	if code != exitHolds {
		t.say("buildProblem", "description", words, "identity", "flowproof-"+verb)
		return
	}
	t.say("buildStatus", "text", "{build.status.text}; "+words)
}
