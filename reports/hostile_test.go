package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// commands are what GitHub, Azure and TeamCity obey when they see it in a log.
const commands = "::stop-commands::x ::error::gone ##[add-mask]e ##vso[task.complete] ##teamcity[buildStop] [[ATTACHMENT|/etc/passwd]]"

// commanding are records in which commands stand wherever a server, or a file, could have put them.
func commanding() []Record {
	c, l := sampleConformance(), sampleLoad()
	c.Partial, c.Notices, l.Notices = commands, []string{commands}, []string{commands}
	l.Target.Name, l.Plan.Name, l.Generator.Bottleneck = commands, commands, commands
	l.Steps[0].Name = commands
	// Words in front of it, one more each time, so that some line breaks right before the command.
	for i := range c.Results {
		for j := range c.Results[i].Findings {
			f := &c.Results[i].Findings[j]
			f.Verdict, f.Expected, f.Message = Fail, strings.Repeat("a ", i*5+j)+commands, strings.Repeat("word ", i)+commands
			f.Variant = commands + strings.Repeat("!", j)
			f.Evidence = append(f.Evidence, Exchange{AnswerBody: commands, Head: commands, Status: 200, Deciding: true})
		}
		c.Results[i].Verdict, c.Results[i].Sentence = Fail, commands
	}
	for i := range 60 {
		l.Notices = append(l.Notices, strings.Repeat("a ", i)+commands)
	}
	compared := compared(slowerLoad(120, 1), slowerLoad(130, 1.4))
	compared.A.File, compared.Cautions = commands, l.Notices
	return []Record{{Conformance: &c}, {Load: &l}, {Comparison: &compared}}
}

// hostileSamples are the samples, and records full of commands and of what ends a value.
func hostileSamples() map[string]Record {
	all := samples()
	for i, record := range commanding() {
		if l := record.Load; l != nil {
			l.Steps[1].Name = hostile + "\"\\\n"
		}
		all[fmt.Sprint("commands ", i)] = record
	}
	return all
}

func TestNothingOnStdoutIsACommandToCIServers(t *testing.T) {
	obeyed := regexp.MustCompile(`(?m)^\s*::|##[A-Za-z]*\[`)
	for _, record := range commanding() {
		for _, format := range []string{"text", "json", "markdown"} {
			text := render(t, format, record)
			if at := obeyed.FindIndex(text); at != nil {
				t.Errorf("%s of a %s: %q", format, record.Kind(), text[max(0, at[0]-40):min(len(text), at[1]+20)])
			}
			if !bytes.Contains(text, []byte("add-mask")) {
				t.Errorf("%s of a %s does not show what came", format, record.Kind())
			}
		}
		var back map[string]any
		if err := json.Unmarshal(render(t, "json", record), &back); err != nil || !strings.Contains(strings.Join(texts(back), "\n"), commands) {
			t.Errorf("the record of a %s changed what came: %v", record.Kind(), err)
		}
	}
}

// texts are all strings of a JSON value.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, one := range v {
			out = append(out, texts(one)...)
		}
		return out
	case map[string]any:
		var out []string
		for _, one := range v {
			out = append(out, texts(one)...)
		}
		return out
	}
	return nil
}

func TestJUnitNamesNoFileToAttach(t *testing.T) {
	for _, record := range commanding()[:2] {
		text := string(render(t, "junit", record))
		for line := range strings.Lines(text) {
			if strings.Contains(line, "[[ATTACHMENT|") && !strings.Contains(line, "=\"") {
				t.Errorf("a %s: %s", record.Kind(), line)
			}
		}
		if !strings.Contains(text, "[ [ATTACHMENT|") {
			t.Errorf("a %s does not show what came", record.Kind())
		}
	}
}

func TestSARIFMessagesHoldNeitherLinksNorPlaceholders(t *testing.T) {
	const links = "[look](https://evil.test) {0}"
	c := sampleConformance()
	c.Partial = links
	for i := range c.Results {
		c.Results[i].Sentence = links
		for j := range c.Results[i].Findings {
			f := &c.Results[i].Findings[j]
			f.Message, f.Variant, f.Expected = links, links, links
		}
	}
	run := sarifOf(t, c)
	var messages []string
	for _, r := range run.Results {
		messages = append(messages, r.Message.Text)
	}
	for _, n := range run.Invocations[0].Notifications {
		messages = append(messages, n.Message.Text)
	}
	for _, r := range run.Tool.Driver.Rules {
		messages = append(messages, r.Short.Text, r.Full.Text)
	}
	for _, m := range messages {
		if strings.Contains(strings.ReplaceAll(m, `\[`, ""), "[") || strings.Contains(strings.ReplaceAll(m, "{{", ""), "{") {
			t.Errorf("%q", m)
		}
	}
}
