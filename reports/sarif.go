package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"flowproof/suites/catalogue"
)

// SARIF writes the record of a check as SARIF 2.1.0: a rule for each requirement, a result for each variant
// that fails, warns or is worth a note, and a notification for what is inconclusive. Results lie in the target
// file, at the client that asked, since code hosts show no result without a file. Fingerprints depend on the
// requirement and the variant alone, so they are the same in every run.
func SARIF(w io.Writer, r Record) error {
	if r.Kind() != "conformance" {
		return errNotOf("sarif", r, "a check")
	}
	return writeJSON(w, newSARIF(shown(*r.Conformance)))
}

func newSARIF(c Conformance) sarifLog {
	run := sarifRun{Results: []sarifResult{}, ColumnKind: "utf16CodeUnits"}
	run.Tool.Driver = sarifDriver{Name: c.Tool.Name, Version: c.Tool.Version, InformationURI: "https://www.rfc-editor.org/rfc/rfc6749", Rules: []sarifRule{}}
	run.Automation = sarifAutomation{ID: joined("/", "flowproof", c.Target.Profile, slug(c.Target.Name)) + "/"}
	run.Properties = map[string]any{"target": c.Target.Name, "url": c.Target.URL, "profile": c.Target.Profile, "edition": c.Target.Edition, "remarks": append([]string{}, c.remarks()...)}
	invocation := sarifInvocation{Successful: c.Partial == "", Start: instant(c.Started), End: instant(c.Ended), Notifications: []sarifNotification{}}
	if c.Partial != "" {
		invocation.Notifications = append(invocation.Notifications, sarifNotification{Level: "error", Message: sarifText{bracketless("The run ended early: " + c.Partial + ".")}})
	}
	for i, r := range c.Results {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, r.rule())
		for _, v := range byVariant(r) {
			switch v.verdict() {
			case Fail, Warn, Note:
				run.Results = append(run.Results, c.sarifResult(i, v))
			case Inconclusive:
				invocation.Notifications = append(invocation.Notifications, sarifNotification{
					Level: "warning", Message: sarifText{bracketless(v.title() + " is inconclusive: " + v.message(Inconclusive))},
					Rule: &sarifRuleRef{ID: r.Requirement, Index: i},
				})
			}
		}
	}
	run.Invocations = []sarifInvocation{invocation}
	return sarifLog{Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}

// rule describes the requirement to those who see its alert and know nothing else.
func (r Result) rule() sarifRule {
	row, _ := catalogue.ByID(r.Requirement)
	text := r.Sentence + "\n\nSource: " + r.Source + " (" + r.Level + ")"
	markdown := md(r.Sentence) + "\n\n**Source:** " + md(r.Source) + " (" + md(r.Level) + ")"
	for _, part := range [][2]string{{"What is observed", row.Observe}, {"What is tolerated", row.Caution}} {
		if part[1] != "" {
			text += "\n\n" + part[0] + ": " + part[1]
			markdown += "\n\n**" + part[0] + ":** " + md(part[1])
		}
	}
	rule := sarifRule{
		ID: r.Requirement, Name: pascal(r.Requirement), HelpURI: r.link(), Short: sarifText{bracketless(oneLine(r.Sentence))}, Full: sarifText{bracketless(oneLine(r.Sentence + " " + r.Source))},
		Help: sarifHelp{text, markdown}, Default: sarifDefault{sarifLevel(OfLevel(catalogue.Level(r.Level)))},
		Properties: sarifRuleProperties{Tags: []string{"oauth", slug(r.Section), slug(r.Level)}, Precision: "high", Severity: map[Verdict]string{Fail: "error", Warn: "warning", Note: "recommendation"}[OfLevel(catalogue.Level(r.Level))]},
	}
	for _, d := range documents(r.Source) {
		rule.Properties.Tags = append(rule.Properties.Tags, slug(d))
	}
	return rule
}

func sarifLevel(v Verdict) string {
	return map[Verdict]string{Fail: "error", Warn: "warning", Note: "note"}[v]
}

func (c Conformance) sarifResult(rule int, v variant) sarifResult {
	verdict, f := v.verdict(), Finding{}
	for _, one := range v.findings {
		if one.Verdict == verdict {
			f = one
			break
		}
	}
	message := v.result.Sentence
	for _, part := range [][2]string{{"With", v.name}, {"Expected", f.Expected}, {"Seen", f.Message}} {
		if part[1] != "" {
			message += "\n" + part[0] + ": " + part[1]
		}
	}
	digest := fingerprint(v.result.Requirement, v.name)
	out := sarifResult{
		RuleID: v.result.Requirement, RuleIndex: rule, Kind: "fail", Level: sarifLevel(verdict), Message: sarifText{bracketless(message)},
		Fingerprints: map[string]string{"primaryLocationLineHash": digest[:16] + ":1", "requirementVariant/v1": digest},
		Properties:   map[string]any{"verdict": string(verdict), "level": v.result.Level, "source": v.result.Source, "flow": f.Flow, "endpoint": f.Endpoint, "variant": v.name},
	}
	place := sarifLocation{}
	place.Physical.Artifact.URI, place.Physical.Region.StartLine = c.Target.artifact(), 1
	for _, e := range f.Evidence {
		if e.Deciding {
			place.Physical.Region.StartLine = max(c.Target.Lines[e.Client], 1)
			out.Request, out.Response = e.sarif()
			out.Properties["curl"] = e.Curl
		}
	}
	place.Logical = []sarifLogical{{Name: endpointWords(f.Endpoint), Full: joined("/", f.Flow, f.Endpoint), Kind: "resource"}}
	out.Locations = []sarifLocation{place}
	if f.Waived != "" {
		out.Suppressions = []sarifSuppression{{Kind: "external", Status: "accepted", Justification: f.Waived}}
	}
	if c.Baseline != nil {
		out.Baseline = "new"
		if f.Known || f.Waived != "" || verdict == Note {
			out.Baseline = "unchanged"
		}
	}
	return out
}

// bracketless keeps text from being read as a link or as a placeholder of a SARIF message.
func bracketless(s string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "{", "{{", "}", "}}").Replace(s)
}

func fingerprint(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// artifact is the file that results lie in, as a relative reference.
func (t Target) artifact() string {
	if t.File == "" {
		return "sandbox.yaml" // there is no file; SARIF readers want one
	}
	var parts []string
	for part := range strings.SplitSeq(t.File, "/") {
		if part != "" && part != "." {
			parts = append(parts, url.PathEscape(part))
		}
	}
	return strings.ReplaceAll(strings.Join(parts, "/"), ":", "%3A")
}

func (e Exchange) sarif() (*sarifRequest, *sarifResponse) {
	protocol, version, _ := strings.Cut(e.Proto, "/")
	request := &sarifRequest{Protocol: protocol, Version: version, Target: e.URL, Method: e.Method, Headers: headers(e.Head)}
	if e.Body != "" {
		request.Body = &sarifText{e.Body}
	}
	if e.Status == 0 {
		return request, &sarifResponse{NoResponse: true, Reason: e.Error, Headers: map[string]string{}}
	}
	response := &sarifResponse{Status: e.Status, Protocol: protocol, Version: version, Headers: headers(e.AnswerHead)}
	if e.AnswerBody != "" {
		response.Body = &sarifText{e.AnswerBody}
	}
	return request, response
}

// headers splits header lines; of those that occur several times the values are joined.
func headers(head string) map[string]string {
	out := map[string]string{}
	for line := range strings.SplitSeq(head, "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			name, value = strings.TrimSpace(name), strings.TrimSpace(value)
			if before, twice := out[name]; twice {
				value = before + ", " + value
			}
			out[name] = value
		}
	}
	return out
}

// documents are the names of those that the source cites.
func documents(source string) []string {
	var out []string
	for _, c := range (catalogue.Requirement{Source: source}).Cited() {
		if !slices.Contains(out, c.Document) {
			out = append(out, c.Document)
		}
	}
	return out
}

// link leads to the first section of an RFC that the requirement cites.
func (r Result) link() string {
	for _, c := range (catalogue.Requirement{Source: r.Source}).Cited() {
		if number, ok := strings.CutPrefix(c.Document, "RFC "); ok && !strings.ContainsFunc(number, func(r rune) bool { return r < '0' || r > '9' }) {
			at := "https://www.rfc-editor.org/rfc/rfc" + number
			switch {
			case c.Section == "":
			case c.Section[0] >= 'A':
				at += "#appendix-" + c.Section
			default:
				at += "#section-" + c.Section
			}
			return at
		}
	}
	return ""
}

// pascal writes an id as SARIF wants the names of rules: RFC6749-4.1-issues-token is Rfc6749_4_1IssuesToken.
func pascal(id string) string {
	var b strings.Builder
	up := true
	for _, r := range id {
		switch {
		case r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z':
			if up {
				b.WriteString(strings.ToUpper(string(r)))
			} else {
				b.WriteRune(r)
			}
			up = false
		case r == '.':
			b.WriteByte('_')
		default:
			up = true
		}
	}
	return b.String()
}

// instant is a time as SARIF writes it, or nothing.
func instant(s string) string {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
