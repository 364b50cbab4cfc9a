package reports

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	htmlrenderer "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"
)

func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("testdata/schemas/sarif-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func checks() map[string]Record {
	all := hostileSamples()
	for name, r := range all {
		if r.Conformance == nil {
			delete(all, name)
		}
	}
	all["no results"] = Record{Conformance: &Conformance{}}
	return all
}

func TestSARIFKeepsTheOfficialSchema(t *testing.T) {
	schema := sarifSchema(t)
	for name, record := range checks() {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(render(t, "sarif", record)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if schema.Validate(map[string]any{"version": "2.1.0"}) == nil {
		t.Error("the schema takes a log without runs")
	}
}

func sarifOf(t *testing.T, c Conformance) sarifRun {
	t.Helper()
	var log sarifLog
	if err := json.Unmarshal(render(t, "sarif", Record{Conformance: &c}), &log); err != nil {
		t.Fatal(err)
	}
	return log.Runs[0]
}

func TestSARIFShowsWhatFailsAtTheFileAndNothingElse(t *testing.T) {
	c := sampleConformance()
	c.Target.File, c.Target.Lines = "deploy/acme target.yaml", map[string]int{"web": 7}
	run := sarifOf(t, c)
	if len(run.Tool.Driver.Rules) != len(c.Results) {
		t.Errorf("%d rules for %d requirements", len(run.Tool.Driver.Rules), len(c.Results))
	}
	if len(run.Results) != 4 {
		t.Fatalf("%d results", len(run.Results))
	}
	for _, r := range run.Results {
		if rule := run.Tool.Driver.Rules[r.RuleIndex]; rule.ID != r.RuleID || rule.Help.Text == "" || rule.HelpURI == "" && strings.HasPrefix(rule.ID, "RFC") {
			t.Errorf("%s points to rule %+v", r.RuleID, rule)
		}
		place := r.Locations[0].Physical
		if place.Artifact.URI != "deploy/acme%20target.yaml" || place.Region.StartLine < 1 {
			t.Errorf("%s lies at %+v", r.RuleID, place)
		}
		if r.RuleID == "RFC6749-4.1.2-code-single-use" && (place.Region.StartLine != 7 || r.Level != "error" || r.Request == nil || r.Response.Status != 200) {
			t.Errorf("%+v", r)
		}
	}
	if n := run.Invocations[0].Notifications; len(n) != 1 || n[0].Rule.ID != "RFC6749-4.2-issues-token" {
		t.Errorf("what is inconclusive: %+v", n)
	}
}

func TestSARIFFingerprintsAreTheSameInEveryRun(t *testing.T) {
	prints := func(c Conformance) map[string]string {
		out := map[string]string{}
		for _, r := range sarifOf(t, c).Results {
			key := r.RuleID + fmt.Sprint(r.Properties["variant"])
			if out[key] != "" {
				t.Errorf("%s has two results", key)
			}
			out[key] = r.Fingerprints["primaryLocationLineHash"]
		}
		return out
	}
	first, again := sampleConformance(), sampleConformance()
	again.Started, again.DurationMS, again.Target.URL, again.Tool.Version = "2027-01-01T00:00:00Z", 1, "https://other.test", "9"
	slices.Reverse(again.Results)
	for i := range again.Results {
		for j := range again.Results[i].Findings {
			again.Results[i].Findings[j].Message += " (again)"
			again.Results[i].Findings[j].DurationMS++
		}
	}
	a, b := prints(first), prints(again)
	seen := map[string]bool{}
	for key, print := range a {
		if b[key] != print || print == "" {
			t.Errorf("%s: %s, then %s", key, print, b[key])
		}
		if seen[print] {
			t.Errorf("two results share %s", print)
		}
		seen[print] = true
	}
}

func TestMarkdownIsInert(t *testing.T) {
	engine := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(htmlrenderer.WithUnsafe()))
	hostileLines := "| a | b |\n|---|---|\n# heading\n- list [x](https://evil.test) www.evil.test me@evil.test @team #12 :tada: ~~x~~ **b** _i_ `code` \\| $x$ &lt; <b>"
	for name, record := range samples() {
		if c := record.Conformance; c != nil {
			for i := range c.Results {
				for j := range c.Results[i].Findings {
					c.Results[i].Findings[j].Message += hostileLines
					c.Results[i].Findings[j].Expected += hostileLines
				}
				c.Results[i].Sentence += hostileLines
			}
			c.Notices = append(c.Notices, hostileLines)
			c.Target.Name = hostileLines
		}
		if l := record.Load; l != nil {
			l.Notices, l.Target.Name, l.Plan.Name = append(l.Notices, hostileLines), hostileLines, hostileLines
			l.Steps = append(l.Steps, Step{Name: hostileLines, Errors: map[string]int64{hostileLines: 1}})
			l.Thresholds = append(l.Thresholds, Threshold{Expression: hostileLines, Shown: hostileLines, Reason: hostileLines})
			l.Violations = append(l.Violations, Violation{Requirement: hostileLines, Message: hostileLines})
			if l.Capacity != nil {
				l.Capacity.Limit = hostileLines
			}
		}
		if c := record.Comparison; c != nil {
			c.A.File, c.B.Target.Name, c.Reason, c.Cautions = hostileLines, hostileLines, hostileLines, append(c.Cautions, hostileLines)
			for i := range c.Measures {
				c.Measures[i].Name, c.Measures[i].Reason = c.Measures[i].Name+hostileLines, hostileLines
			}
			for i := range c.Worse {
				c.Worse[i].Variant, c.Worse[i].Seen = hostileLines, hostileLines
			}
		}
		var page bytes.Buffer
		if err := engine.Convert(render(t, "markdown", record), &page); err != nil {
			t.Fatal(err)
		}
		elements(t, page.Bytes(), func(n *html.Node) {
			if !slices.Contains([]string{"html", "head", "body", "h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "br", "blockquote", "ul", "li", "details", "summary", "sub", "strong"}, n.Data) {
				t.Errorf("%s: <%s> in the summary", name, n.Data)
			}
		})
		rows, cells := 0, 0
		for line := range strings.SplitSeq(string(render(t, "markdown", record)), "\n") {
			if !strings.HasPrefix(line, "|") {
				cells = 0
				continue
			}
			rows++
			if cells == 0 {
				cells = strings.Count(line, "|")
			}
			if strings.Count(line, "|") != cells || !strings.HasSuffix(line, " |") {
				t.Errorf("%s: a table breaks at %s", name, line)
			}
		}
		if rows == 0 {
			t.Errorf("%s has no table", name)
		}
	}
}

func TestMarkdownStaysShort(t *testing.T) {
	c := manyFindings(5000)
	for i := range c.Results {
		c.Results[i].Verdict = Fail
		c.Results[i].Findings[0].Verdict, c.Results[i].Findings[0].Message = Fail, strings.Repeat("x|", 5000)
	}
	if n := len(render(t, "markdown", Record{Conformance: &c})); n > 200_000 {
		t.Errorf("a summary of %d bytes", n)
	}
}

var serviceMessage = regexp.MustCompile(`^##teamcity\[([a-zA-Z]+)((?: [a-zA-Z]+='(?:[^'|\[\]\r\n]|\|['|\[\]nr]|\|0x[0-9A-F]{4})*')*)\]$`)
var serviceValue = regexp.MustCompile(` ([a-zA-Z]+)='((?:[^'|]|\|.)*)'`)

func TestTeamCityMessagesAreWellFormedAndBalanced(t *testing.T) {
	for name, record := range hostileSamples() {
		if record.Comparison != nil {
			continue
		}
		suites, failed, problems := []string{}, 0, 0
		seen := map[string]bool{}
		open := ""
		for line := range strings.Lines(string(render(t, "teamcity", record))) {
			line = strings.TrimSuffix(line, "\n")
			m := serviceMessage.FindStringSubmatch(line)
			if m == nil {
				t.Fatalf("%s: %s", name, line)
			}
			values := map[string]string{}
			for _, v := range serviceValue.FindAllStringSubmatch(m[2], -1) {
				values[v[1]] = v[2]
			}
			switch m[1] {
			case "testSuiteStarted":
				suites = append(suites, values["name"])
			case "testSuiteFinished":
				if len(suites) == 0 || suites[len(suites)-1] != values["name"] || open != "" {
					t.Fatalf("%s: %s closes %v", name, line, suites)
				}
				suites = suites[:len(suites)-1]
			case "testStarted":
				id := strings.Join(suites, "/") + "/" + values["name"]
				if seen[id] || open != "" || strings.Contains(values["name"], ".") {
					t.Errorf("%s: test %q", name, id)
				}
				seen[id], open = true, values["name"]
			case "testFinished":
				if open != values["name"] {
					t.Errorf("%s: %q ends in %q", name, values["name"], open)
				}
				open = ""
			case "testFailed":
				failed++
			case "buildProblem":
				problems++
				if len(values["identity"]) > 60 || len(values["description"]) > 4000 {
					t.Errorf("%s: %s", name, line)
				}
			}
		}
		if len(suites) != 0 {
			t.Errorf("%s: %v stay open", name, suites)
		}
		if red := problems > 0; red != (record.ExitCode(false) != 0) || failed > 0 && !red {
			t.Errorf("%s: %d failed, %d problems, exit code %d", name, failed, problems, record.ExitCode(false))
		}
	}
}

func TestTeamCityValuesCannotEndTheirMessage(t *testing.T) {
	line := TeamCityMessage("message", "text", "x']\n##teamcity[buildStop comment='y' é 😀 |")
	if want := `##teamcity[message text='x|'|]|n##teamcity|[buildStop comment=|'y|' |0x00E9 |0xD83D|0xDE00 ||']`; line != want {
		t.Errorf("got %s", line)
	}
}

func TestCSVHoldsNoFormula(t *testing.T) {
	for _, name := range []string{"=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "＝1", "＋1", "－1", "＠A1", "%0", "\t=1", "\r\n=1", "a,b\"c\nd"} {
		l := sampleLoad()
		l.Target.Name, l.Started = name, name
		rows, err := csv.NewReader(bytes.NewReader(render(t, "csv", Record{Load: &l}))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != 61 {
			t.Errorf("%q: %d rows", name, len(rows))
		}
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.IndexAny(cell, "=+-@|%＝＋－＠\t\r") == 0 {
					t.Errorf("%q: cell %q", name, cell)
				}
			}
		}
	}
}

func TestSpectrumEndsAtTheSlowest(t *testing.T) {
	l := calmLoad()
	last := ""
	for line := range strings.Lines(string(render(t, "hgrm", Record{Load: &l}))) {
		if f := strings.Fields(line); len(f) == 4 && f[0] != "Value" {
			last = line
		}
	}
	f := strings.Fields(last)
	ms, err := strconv.ParseFloat(f[0], 64)
	if err != nil || f[1] != "1.000000" || f[2] != "96000" || f[3] != "inf" || ms != float64(l.Steps[0].Latency.MaxUS)/1000 {
		t.Errorf("the last line is %q, the slowest %d µs", last, l.Steps[0].Latency.MaxUS)
	}
}

var metricLine = regexp.MustCompile(`^(flowproof_[a-z0-9_]+)(\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z]+="(?:[^"\\\n]|\\["\\n])*")*\})? (-?[0-9.e+-]+)$`)

func TestOpenMetricsIsWellFormed(t *testing.T) {
	for name, record := range hostileSamples() {
		if record.Comparison != nil {
			continue
		}
		text := string(render(t, "openmetrics", record))
		if !strings.HasSuffix(text, "\n# EOF\n") {
			t.Errorf("%s: it ends in %q", name, text[max(0, len(text)-20):])
		}
		typed, seen := map[string]string{}, map[string]bool{}
		for line := range strings.Lines(strings.TrimSuffix(text, "# EOF\n")) {
			line = strings.TrimSuffix(line, "\n")
			if f := strings.Fields(line); f[0] == "#" {
				if f[1] == "TYPE" {
					if typed[f[2]] != "" {
						t.Errorf("%s: %s is there twice", name, f[2])
					}
					typed[f[2]] = f[3]
				}
				continue
			}
			m := metricLine.FindStringSubmatch(line)
			if m == nil {
				t.Errorf("%s: %s", name, line)
				continue
			}
			family := strings.TrimSuffix(m[1], "_total")
			if kind := typed[family]; kind == "" || (kind == "counter") != strings.HasSuffix(m[1], "_total") {
				t.Errorf("%s: %s is a %q", name, m[1], kind)
			}
			if seen[m[1]+m[2]] {
				t.Errorf("%s: %s%s is there twice", name, m[1], m[2])
			}
			seen[m[1]+m[2]] = true
		}
	}
}

func TestJUnitGivesEachRequirementItsProperty(t *testing.T) {
	var doc junitSuites
	if err := xml.Unmarshal(render(t, "junit", samples()["conformance"]), &doc); err != nil {
		t.Fatal(err)
	}
	for _, s := range doc.Suites {
		for _, c := range s.Cases {
			i := slices.IndexFunc(s.Properties.List, func(p junitProperty) bool { return p.Name == c.Name })
			if i < 0 || !strings.Contains(s.Properties.List[i].Value, "requirement="+strings.SplitN(c.Name, ":", 2)[0]) {
				t.Errorf("%s has no property", c.Name)
			}
		}
	}
}

func TestFormatsSayWhichRecordsTheyAreFor(t *testing.T) {
	for name, record := range samples() {
		for _, f := range Formats() {
			if f.For(record.Kind()) {
				continue
			}
			err := Render(f.Name, io.Discard, record)
			if err == nil || !strings.Contains(err.Error(), f.Name+" is a format for the record of") {
				t.Errorf("%s of %s: %v", f.Name, name, err)
			}
		}
	}
}

// A path of a target file is a reference in SARIF, whatever its name.
func TestSARIFNamesTheTargetFile(t *testing.T) {
	for file, want := range map[string]string{"": "sandbox.yaml", "./my targets/acme:1#x?.yaml": "my%20targets/acme%3A1%23x%3F.yaml", "/etc/acme.yaml": "etc/acme.yaml"} {
		if got := (Target{File: file}).artifact(); got != want {
			t.Errorf("%q is %q, want %q", file, got, want)
		}
	}
}
