package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
)

// The shape of JUnit XML as GitLab, Jenkins, TeamCity and GitHub's readers take it.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"-"` // no attribute of testsuites
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string           `xml:"name,attr"`
		Tests      int              `xml:"tests,attr"`
		Failures   int              `xml:"failures,attr"`
		Errors     int              `xml:"errors,attr"`
		Skipped    int              `xml:"skipped,attr"`
		Time       string           `xml:"time,attr"`
		Timestamp  string           `xml:"timestamp,attr,omitempty"`
		Properties *junitProperties `xml:"properties"`
		Cases      []junitCase      `xml:"testcase"`
		spent      int64
	}
	junitCase struct {
		ClassName  string           `xml:"classname,attr"`
		Name       string           `xml:"name,attr"`
		Time       string           `xml:"time,attr"`
		Properties *junitProperties `xml:"-"` // the suite has them: a testcase may not, by the schema
		Skipped    *junitOutcome    `xml:"skipped"`
		Error      *junitOutcome    `xml:"error"`
		Failure    *junitOutcome    `xml:"failure"`
		Output     *junitText       `xml:"system-out"`
	}
	junitOutcome struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",innerxml"`
	}
	junitProperties struct {
		List []junitProperty `xml:"property"`
	}
	junitText struct {
		Text string `xml:",innerxml"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
)

// JUnit writes the record as JUnit XML: a failure fails, what is inconclusive is an error, what is not
// applicable is skipped, and warnings and notes pass with their text as output. Names are unique and do
// not change from run to run. What was waived, or was so in the baseline, is skipped with the reason. Each
// suite has a property for each of its cases, named after it. Characters that XML forbids are spelled out.
func JUnit(w io.Writer, r Record) error {
	var doc junitSuites
	switch r.Kind() {
	case "conformance":
		doc = junitConformance(shown(*r.Conformance))
	case "load":
		doc = junitLoad(shown(*r.Load))
	default:
		return errNotOf("junit", r, "a check or of a load run")
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("reports: write JUnit XML: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("reports: write JUnit XML: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitConformance(c Conformance) junitSuites {
	about := properties("target", c.Target.Name, "url", c.Target.URL, "profile", c.Target.Profile, "edition", c.Target.Edition,
		"browser", c.Browser, "only", c.Only, "partial", c.Partial, c.Tool.Name+".version", c.Tool.Version)
	var suites []junitSuite
	place := map[string]int{}
	for _, r := range c.Results {
		i, ok := place[r.Section]
		if !ok {
			i = len(suites)
			place[r.Section] = i
			suites = append(suites, junitSuite{Name: r.Section, Timestamp: stamp(c.Started), Properties: about})
		}
		for _, test := range byVariant(r) {
			suites[i].add(test.junit("flowproof."+slug(r.Section), c.Strict), test.spent())
		}
	}
	if gates := c.gates(); len(gates) > 0 {
		suite := junitSuite{Name: "Gates", Timestamp: stamp(c.Started), Properties: about}
		for _, g := range gates {
			test := junitCase{ClassName: "flowproof.gates", Name: g.Name, Time: seconds(0), Output: &junitText{escaped(g.Words)}}
			if g.Verdict == Fail {
				line, _, _ := strings.Cut(g.Words, "\n")
				test.Failure, test.Output = &junitOutcome{oneLine(line), "gate", escaped(g.Words)}, nil
			}
			suite.add(test, 0)
		}
		suites = append(suites, suite)
	}
	if c.Partial != "" {
		run := junitSuite{Name: "The run", Timestamp: stamp(c.Started), Properties: about}
		run.add(junitCase{ClassName: "flowproof.the-run", Name: "is complete", Time: seconds(0),
			Error: &junitOutcome{Message: oneLine(c.Partial), Type: "partial"}}, 0)
		suites = append(suites, run)
	}
	return junitAll("flowproof check "+c.Target.Name, c.DurationMS, suites)
}

// A variant is the findings on one requirement with one variant: one test.
type variant struct {
	result   Result
	name     string
	findings []Finding
}

func byVariant(r Result) []variant {
	var out []variant
	place := map[string]int{}
	for _, f := range r.Findings {
		i, ok := place[f.Variant]
		if !ok {
			i = len(out)
			place[f.Variant] = i
			out = append(out, variant{result: r, name: f.Variant})
		}
		out[i].findings = append(out[i].findings, f)
	}
	if len(out) == 0 {
		out = []variant{{result: r}}
	}
	return out
}

func (v variant) verdict() Verdict {
	if len(v.findings) == 0 {
		return Worst(v.result.Verdict)
	}
	var all []Verdict
	for _, f := range v.findings {
		all = append(all, f.Verdict)
	}
	return Worst(all...)
}

func (v variant) spent() int64 {
	var ms int64
	for _, f := range v.findings {
		ms += f.DurationMS
	}
	return ms
}

// title names the variant in lists: the requirement's id, and the variant.
func (v variant) title() string {
	if v.name == "" {
		return oneLine(v.result.Requirement)
	}
	return cut(oneLine(v.result.Requirement+": "+v.name), summaryLength)
}

func (v variant) junit(class string, strict bool) junitCase {
	r, verdict := v.result, v.verdict()
	c := junitCase{ClassName: class, Name: v.title(), Time: seconds(v.spent()), Properties: properties(
		"requirement", r.Requirement, "level", r.Level, "source", r.Source, "verdict", string(verdict),
	)}
	message, body := v.message(verdict), v.body(verdict)
	if why := v.aside(); why != "" {
		c.Skipped = &junitOutcome{Message: oneLine(verdict.Word() + ", " + why)}
		return c
	}
	if verdict == Warn && strict {
		c.Failure = &junitOutcome{message, r.Level, escaped(body)}
		return c
	}
	switch verdict {
	case Fail:
		c.Failure = &junitOutcome{message, r.Level, escaped(body)}
	case Inconclusive:
		c.Error = &junitOutcome{message, string(Inconclusive), escaped(body)}
	case NotApplicable:
		c.Skipped = &junitOutcome{Message: message}
	case Warn, Note:
		c.Output = &junitText{escaped(body)}
	}
	return c
}

// message is the requirement and what was seen, on one line.
func (v variant) message(verdict Verdict) string {
	for _, f := range v.findings {
		if f.Verdict == verdict && f.Message != "" {
			if verdict == NotApplicable || verdict == Inconclusive {
				return cut(oneLine(f.Message), summaryLength)
			}
			return cut(oneLine(strings.TrimSuffix(v.result.Sentence, ".")+": "+f.Message), 2*summaryLength)
		}
	}
	return oneLine(v.result.Sentence)
}

// body tells the findings of the verdict with the exchange that decided each.
func (v variant) body(verdict Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n%s\n%s %s\n", verdict.Word(), v.result.Requirement, v.result.Sentence, v.result.Level, v.result.Source)
	for _, f := range v.findings {
		if f.Verdict != verdict {
			continue
		}
		fmt.Fprintf(&b, "\n%s, %s: %s\n", flowWords(f.Flow), endpointWords(f.Endpoint), f.Spec)
		for _, part := range [][2]string{{"with", f.Variant}, {"expected", f.Expected}, {"seen", f.Message}} {
			if part[1] != "" {
				fmt.Fprintf(&b, "%-10s%s\n", part[0], part[1])
			}
		}
		for _, e := range f.Evidence {
			if e.Deciding {
				b.WriteString("\n" + e.plain())
			}
		}
	}
	return b.String()
}

// plain is an exchange as text.
func (e Exchange) plain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "> %s %s\n", e.Method, e.URL)
	for _, part := range []string{e.Head, e.Body} {
		if part != "" {
			b.WriteString(quoted("> ", part))
		}
	}
	if e.Status == 0 {
		fmt.Fprintf(&b, "< no answer: %s\n", e.Error)
	} else {
		fmt.Fprintf(&b, "< %s %d, after %s\n", e.Proto, e.Status, micros(float64(e.DurationUS)))
	}
	for _, part := range []string{e.AnswerHead, e.AnswerBody} {
		if part != "" {
			b.WriteString(quoted("< ", part))
		}
	}
	if e.Cut {
		b.WriteString("< …\n")
	}
	return b.String()
}

func quoted(mark, s string) string {
	return mark + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+mark) + "\n"
}

func (s *junitSuite) add(c junitCase, ms int64) {
	s.Cases = append(s.Cases, c)
	s.spent += ms
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

// junitAll adds up the suites, makes names unique where two requirements and variants read alike, and hands
// the properties of the cases to their suites.
func junitAll(name string, ms int64, suites []junitSuite) junitSuites {
	doc := junitSuites{Name: oneLine(name), Time: seconds(ms), Suites: suites}
	taken := map[string]bool{}
	for i := range doc.Suites {
		s := &doc.Suites[i]
		s.Time = seconds(s.spent)
		doc.Tests += s.Tests
		doc.Failures += s.Failures
		doc.Errors += s.Errors
		doc.Skipped += s.Skipped
		for j := range s.Cases {
			c := &s.Cases[j]
			plain := c.Name
			for n := 2; taken[c.ClassName+"\n"+c.Name]; n++ {
				c.Name = fmt.Sprintf("%s (%d)", plain, n)
			}
			taken[c.ClassName+"\n"+c.Name] = true
		}
		s.Properties = s.withCases()
	}
	return doc
}

// withCases are the suite's properties and those of its cases, each under the name of its case.
func (s junitSuite) withCases() *junitProperties {
	out := new(junitProperties)
	if s.Properties != nil {
		out.List = slices.Clone(s.Properties.List)
	}
	for _, c := range s.Cases {
		if c.Properties == nil {
			continue
		}
		var parts []string
		for _, p := range c.Properties.List {
			parts = append(parts, p.Name+"="+p.Value)
		}
		out.List = append(out.List, junitProperty{c.Name, strings.Join(parts, "; ")})
	}
	return out
}

// properties pairs names with values, leaving out the empty ones.
func properties(pairs ...string) *junitProperties {
	out := new(junitProperties)
	for p := range slices.Chunk(pairs, 2) {
		if p[1] != "" {
			out.List = append(out.List, junitProperty{p[0], oneLine(p[1])})
		}
	}
	return out
}

// escaped is text between tags, with its lines as they are; GitLab and Jenkins would attach files that it names.
func escaped(s string) string {
	return strings.NewReplacer("[[ATTACHMENT|", "[ [ATTACHMENT|", "&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func seconds(ms int64) string { return fmt.Sprintf("%.3f", float64(ms)/1000) }

// stamp is a time as JUnit writes it: no zone, no fraction.
func stamp(s string) string {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05")
}

// slug is a name that is safe in class names and file names: no dot, no space.
func slug(s string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = false
			b.WriteRune(r)
		} else {
			dash = true
		}
	}
	return b.String()
}
