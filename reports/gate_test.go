package reports

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func day(t *testing.T, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d.Add(13 * time.Hour)
}

// two has a failure with one variant and a warning.
func two() Conformance {
	return Conformance{
		Target: Target{Name: "acme", URL: "https://acme.test", Profile: "rfc6749"}, Started: "2026-02-03T10:12:33Z",
		Results: []Result{
			{Requirement: "A", Section: "A. One", Sentence: "It holds.", Level: "MUST", Verdict: Fail, Findings: []Finding{
				{Verdict: Fail, Variant: "slash", Message: "200"}, {Verdict: Pass, Variant: "case", Message: "400"}}},
			{Requirement: "B", Section: "A. One", Sentence: "It holds too.", Level: "SHOULD", Verdict: Warn, Findings: []Finding{{Verdict: Warn, Message: "no"}}},
			{Requirement: "C", Section: "B. Two", Sentence: "It is there.", Level: "MUST", Verdict: Pass, Findings: []Finding{{Verdict: Pass}}},
		},
	}
}

func TestWaiversSetAsideUntilTheirDay(t *testing.T) {
	waiver := Waiver{Requirement: "A", Variant: "slash", Reason: "legacy", Owner: "Ada", Until: "2026-03-01"}
	for name, c := range map[string]struct {
		waiver Waiver
		on     string
		strict bool
		code   int
		state  WaiverState
		says   string
	}{
		"used":                        {waiver, "2026-02-03", false, 0, WaiverUsed, ""},
		"on its last day":             {waiver, "2026-03-01", false, 0, WaiverUsed, ""},
		"expired":                     {waiver, "2026-03-02", false, 1, WaiverExpired, "expired on 2026-03-01"},
		"of all variants":             {Waiver{Requirement: "A", Reason: "x", Owner: "y", Until: "2026-03-01"}, "2026-02-03", false, 0, WaiverUsed, ""},
		"of another one":              {Waiver{Requirement: "A", Variant: "case", Reason: "x", Owner: "y", Until: "2026-03-01"}, "2026-02-03", false, 1, WaiverUnused, "is unused"},
		"of no variant":               {Waiver{Requirement: "A", Variant: "slsh", Reason: "x", Owner: "y", Until: "2026-03-01"}, "2026-02-03", false, 1, WaiverUnused, "is unused"},
		"of what holds":               {Waiver{Requirement: "C", Reason: "x", Owner: "y", Until: "2026-03-01"}, "2026-02-03", false, 1, WaiverUnused, "is unused"},
		"of what is not there":        {Waiver{Requirement: "D", Reason: "x", Owner: "y", Until: "2026-03-01"}, "2026-02-03", false, 1, WaiverUntold, "did not judge it"},
		"strict, with a warning left": {waiver, "2026-02-03", true, 1, WaiverUsed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			record := two()
			record.Strict = c.strict
			record.Waive([]Waiver{c.waiver}, day(t, c.on))
			if code := record.ExitCode(false); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			if got := record.Waivers[0].State; got != c.state {
				t.Errorf("it is %s, want %s", got, c.state)
			}
			if record.Results[0].Verdict != Fail {
				t.Error("the verdict itself is changed")
			}
			if got := record.Waivers[0].remark(); (c.says == "") != (got == "") || !strings.Contains(got, c.says) {
				t.Errorf("it says %q", got)
			}
			for _, f := range formatsFor(Record{Conformance: &record}) {
				text := string(render(t, f.Name, Record{Conformance: &record}))
				if c.says != "" && !slices.Contains([]string{"openmetrics"}, f.Name) && !strings.Contains(strings.Join(strings.Fields(text), " "), c.waiver.Requirement) {
					t.Errorf("%s does not speak of the waiver", f.Name)
				}
				if c.state == WaiverUsed && f.Name != "openmetrics" && !strings.Contains(strings.Join(strings.Fields(text), " "), c.waiver.Reason) {
					t.Errorf("%s does not tell the reason", f.Name)
				}
			}
		})
	}
}

func TestStrictCountsStaleWaivers(t *testing.T) {
	record := two()
	record.Results = record.Results[2:]
	record.Waive([]Waiver{{Requirement: "C", Reason: "x", Owner: "y", Until: "2026-03-01"}}, day(t, "2026-02-03"))
	if record.ExitCode(false) != 0 || record.ExitCode(true) != 1 {
		t.Errorf("exit codes %d and %d", record.ExitCode(false), record.ExitCode(true))
	}
}

func TestBaselineFailsOnRegressionsOnly(t *testing.T) {
	change := func(r, f int, v Verdict) func(*Conformance) {
		return func(c *Conformance) {
			c.Results[r].Findings[f].Verdict = v
			var all []Verdict
			for _, one := range c.Results[r].Findings {
				all = append(all, one.Verdict)
			}
			c.Results[r].Verdict = Worst(all...)
		}
	}
	for name, c := range map[string]struct {
		change                      func(*Conformance)
		code                        int
		worse, better, untold, gone int
		word                        string
	}{
		"nothing":                         {func(*Conformance) {}, 0, 0, 0, 0, 0, "No worse than the baseline"},
		"a new failure":                   {change(2, 0, Fail), 1, 1, 0, 0, 0, "Worse than the baseline"},
		"a new warning":                   {change(2, 0, Warn), 1, 1, 0, 0, 0, "Worse than the baseline"},
		"a warning that fails":            {change(1, 0, Fail), 1, 1, 0, 0, 0, "Worse than the baseline"},
		"another variant that fails":      {change(0, 1, Fail), 1, 1, 0, 0, 0, "Worse than the baseline"},
		"a failure that is mended":        {change(0, 0, Pass), 0, 0, 1, 0, 0, "No worse than the baseline"},
		"a failure that only warns":       {change(0, 0, Warn), 0, 0, 1, 0, 0, "No worse than the baseline"},
		"what cannot be told any more":    {change(2, 0, Inconclusive), 3, 0, 0, 1, 0, "Cannot be told"},
		"what is not applicable any more": {change(2, 0, NotApplicable), 0, 0, 0, 0, 1, "No worse than the baseline"},
		"what is not there any more":      {func(c *Conformance) { c.Results = c.Results[:2] }, 0, 0, 0, 0, 1, "No worse than the baseline"},
		"a requirement that is new": {func(c *Conformance) {
			c.Results = append(c.Results, Result{Requirement: "D", Verdict: Fail, Findings: []Finding{{Verdict: Fail}}})
		}, 1, 1, 0, 0, 0, "Worse than the baseline"},
		"a run that ended early": {func(c *Conformance) { c.Partial = "interrupted" }, 3, 0, 0, 0, 0, "Cannot be told"},
	} {
		t.Run(name, func(t *testing.T) {
			record := two()
			c.change(&record)
			if err := record.HoldTo(two(), "main.json"); err != nil {
				t.Fatal(err)
			}
			b := record.Baseline
			if len(b.Worse) != c.worse || len(b.Better) != c.better || len(b.Untold) != c.untold || len(b.Gone) != c.gone {
				t.Errorf("worse %v, better %v, untold %v, gone %v", b.Worse, b.Better, b.Untold, b.Gone)
			}
			if code := record.ExitCode(false); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			if h := record.headline(); h.Word != c.word {
				t.Errorf("%+v", h)
			}
			var doc bytes.Buffer
			if err := JUnit(&doc, Record{Conformance: &record}); err != nil {
				t.Fatal(err)
			}
			if red := strings.Contains(doc.String(), "<failure") || strings.Contains(doc.String(), "<error"); red != (c.code != 0) {
				t.Errorf("JUnit is red: %v", red)
			}
		})
	}
}

func TestBaselineAndWaiversGoTogether(t *testing.T) {
	waived := two()
	waived.Waive([]Waiver{{Requirement: "A", Reason: "x", Owner: "y", Until: "2026-03-01"}}, day(t, "2026-02-03"))
	now := two()
	if err := now.HoldTo(waived, "main.json"); err != nil {
		t.Fatal(err)
	}
	if len(now.Baseline.Worse) != 1 || now.ExitCode(false) != 1 {
		t.Errorf("a failure that was only waived is taken for known: %+v", now.Baseline)
	}
	now = two()
	now.Results[2].Verdict, now.Results[2].Findings[0].Verdict = Fail, Fail
	now.Waive([]Waiver{{Requirement: "C", Reason: "x", Owner: "y", Until: "2026-03-01"}}, day(t, "2026-02-03"))
	if err := now.HoldTo(two(), "main.json"); err != nil {
		t.Fatal(err)
	}
	if now.ExitCode(false) != 0 {
		t.Errorf("a waived regression fails: %+v", now.Baseline.Worse)
	}
}

func TestBaselinesThatProveNothingAreRefused(t *testing.T) {
	for says, spoil := range map[string]func(*Conformance){
		"ended early":      func(c *Conformance) { c.Partial = "interrupted" },
		"profile bcp-9700": func(c *Conformance) { c.Target.Profile = "bcp-9700" },
	} {
		b, c := two(), two()
		spoil(&b)
		if err := c.HoldTo(b, "main.json"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func TestWaiversFileIsReadStrictly(t *testing.T) {
	const good = "waivers:\n  - requirement: RFC6749-4.1.2-code-single-use\n    variant: a second later\n    reason: |\n      the legacy client\n    owner: Ada\n    until: 2026-12-31\n"
	waivers, err := parseWaivers("w.yaml", []byte(good))
	if err != nil || len(waivers) != 1 || waivers[0] != (Waiver{Requirement: "RFC6749-4.1.2-code-single-use", Variant: "a second later", Reason: "the legacy client", Owner: "Ada", Until: "2026-12-31"}) {
		t.Fatalf("%+v, %v", waivers, err)
	}
	if w, err := parseWaivers("w.yaml", []byte("waivers: []\n")); err != nil || len(w) != 0 {
		t.Errorf("%v, %v", w, err)
	}
	for text, want := range map[string]string{
		"":                     "w.yaml:1:1: the file is empty; write waivers:",
		"- a\n":                "w.yaml:1:1: the waivers file has to be a mapping, not a list; write key: value pairs",
		"waiver:\n  - a\n":     `w.yaml:1:1: unknown key "waiver"; did you mean waivers?`,
		"waivers: all\n":       "w.yaml:1:10: waivers has to be a list, not text; write each with a dash",
		"waivers:\n  - all\n":  "w.yaml:2:5: waivers[0] has to be a mapping, not text",
		"waivers: [\n":         "the file is no YAML",
		good + "---\n" + good:  "w.yaml:9:1: the file holds a second document; keep one document in a file",
		good + "waivers: []\n": "w.yaml:8:1: waivers is there twice, first in line 1; keep one of the two",
		"waivers:\n  - requirement: RFC6749-4.1.2-code-single-use\n    reason: x\n    until: 2026-12-31\n":                           "w.yaml:2:5: waivers[0].owner is missing; say who answers for it",
		strings.Replace(good, "code-single-use", "code-singel-use", 1):                                                               "w.yaml:2:18: there is no requirement \"RFC6749-4.1.2-code-singel-use\"; did you mean RFC6749-4.1.2-code-single-use",
		strings.Replace(good, "2026-12-31", "31.12.2026", 1):                                                                         "w.yaml:7:12: until: \"31.12.2026\" is no date; write the last day as in 2026-12-31",
		strings.Replace(good, "2026-12-31", "2026-02-30", 1):                                                                         "is no date",
		strings.Replace(good, "owner: Ada", "owner: 7", 1):                                                                           "w.yaml:6:12: waivers[0].owner has to be text, not a number; put it in quotes",
		strings.Replace(good, "owner: Ada", "owner: ''", 1):                                                                          "w.yaml:6:12: waivers[0].owner is empty; say who answers for it",
		strings.Replace(good, "owner:", "ownr:", 1):                                                                                  `w.yaml:6:5: unknown key "ownr" in waivers[0]; did you mean owner?`,
		good + "  - {requirement: RFC6749-4.1.2-code-single-use, variant: a second later, reason: x, owner: y, until: 2026-01-01}\n": "w.yaml:8:5: RFC6749-4.1.2-code-single-use (a second later) is waived twice",
		"waivers:\n  - &a {requirement: *a}\n":                                                                                       "w.yaml:2:",
		"\xff":                                                                                                                       "w.yaml:1:1: the file is no text; write it in UTF-8",
	} {
		if _, err := parseWaivers("w.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
	if _, err := ReadWaivers(filepath.Join(t.TempDir(), "none.yaml")); err == nil || !strings.Contains(err.Error(), "flowproof schema waivers") {
		t.Errorf("%v", err)
	}
}

func FuzzWaivers(f *testing.F) {
	f.Add([]byte("waivers:\n  - requirement: RFC6749-4.1.2-code-single-use\n    reason: x\n    owner: y\n    until: 2026-12-31\n"))
	f.Add([]byte("waivers: [{}, [], null, &a *a, !!x y, <<: z]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		waivers, err := parseWaivers("w.yaml", text)
		if err != nil && waivers != nil {
			t.Error("waivers and an error")
		}
		for _, w := range waivers {
			if w.Requirement == "" || w.Reason == "" || w.Owner == "" || w.Until == "" {
				t.Errorf("%+v", w)
			}
		}
	})
}

func TestWaiversSchemaTakesWhatTheReaderTakes(t *testing.T) {
	c := jsonschema.NewCompiler()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema("waivers")))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource("waivers", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("waivers")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"waivers:\n  - requirement: RFC6749-4.1.2-code-single-use\n    reason: x\n    owner: y\n    until: \"2026-12-31\"\n",
		"waivers: []\n",
		"waivers:\n  - {reason: x}\n",
		"waivers:\n  - requirement: RFC6749-4.1.2-code-single-use\n    reason: x\n    owner: y\n    until: soon\n",
		"waifers: []\n",
	} {
		_, refused := parseWaivers("w.yaml", []byte(text))
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
		if err != nil {
			t.Fatal(err)
		}
		if wrong := schema.Validate(instance); (wrong == nil) != (refused == nil) {
			t.Errorf("%q: the schema says %v, the reader %v", text, wrong, refused)
		}
	}
}
