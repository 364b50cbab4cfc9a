package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowproof/reports"
)

// A watched is an output that ends the run when a text shows up in it.
type watched struct {
	bytes.Buffer
	text string
	seen func()
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if strings.Contains(w.String(), w.text) {
		w.seen()
	}
	return n, err
}

// TestServiceMessagesComeWhileTheCheckRuns interrupts the run by the first test that is told: were it told when all
// is over, there would be nothing to interrupt.
func TestServiceMessagesComeWhileTheCheckRuns(t *testing.T) {
	ctx, interrupted := context.WithCancel(t.Context())
	defer interrupted()
	out := &watched{text: "##teamcity[testFinished ", seen: interrupted}
	folder := t.TempDir()
	var said bytes.Buffer
	if code := run(ctx, []string{"check", "--no-browser", "--progress", "teamcity", "--out", folder}, console{out: out, err: &said, env: os.LookupEnv}); code != interrupt {
		t.Fatalf("exit code %d, want %d\n%s", code, interrupt, said.String())
	}
	record, err := reports.Read(filepath.Join(folder, "check.json"))
	if err != nil {
		t.Fatal(err)
	}
	if record.Partial() != "interrupted" {
		t.Errorf("the record is marked %q, want interrupted", record.Partial())
	}
}

// TestServiceMessagesAreThoseOfTheReport holds what was told while the check ran, gates and all, to what the record
// says in the end.
func TestServiceMessagesAreThoseOfTheReport(t *testing.T) {
	folder := t.TempDir()
	play := func(out string, args ...string) string {
		var said, trouble bytes.Buffer
		args = append([]string{"check", "--no-browser", "--only", "client_credentials || /state/ || /TLS/", "--out", filepath.Join(folder, out)}, args...)
		if code := run(t.Context(), args, console{out: &said, err: &trouble, env: os.LookupEnv}); code == wrongUse || code == interrupt {
			t.Fatalf("exit code %d: %s", code, trouble.String())
		}
		return said.String()
	}
	waivers := filepath.Join(folder, "waivers.yaml")
	if err := os.WriteFile(waivers, []byte("waivers: [{requirement: RFC6749-4.4-confidential-only, reason: old, owner: Ada, until: 2999-01-01}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	play("before", "--fault", "omit-expires-in")
	live := play("now", "--fault", "omit-expires-in", "--fault", "cc-for-public", "--waivers", waivers, "--baseline", filepath.Join(folder, "before", "check.json"), "--progress", "teamcity")
	record, err := reports.Read(filepath.Join(folder, "now", "check.json"))
	if err != nil {
		t.Fatal(err)
	}
	var report bytes.Buffer
	if err := reports.Render("teamcity", &report, record); err != nil {
		t.Fatal(err)
	}
	got, want := tests(live), tests(report.String())
	for i := range max(len(got), len(want)) {
		if i >= min(len(got), len(want)) || got[i] != want[i] {
			t.Fatalf("%d messages live, %d in the report; they differ from here on:\n%q\n%q", len(got), len(want), got[i:min(i+1, len(got))], want[i:min(i+1, len(want))])
		}
	}
	if ignored := strings.Count(live, "##teamcity[testIgnored "); ignored < 2 || len(got) < 100 {
		t.Errorf("%d messages, %d tests set aside", len(got), ignored)
	}
	first, last := strings.Index(live, "##teamcity[testStarted "), strings.LastIndex(live, "##teamcity[progressMessage ")
	if first < 0 || first > last {
		t.Error("all tests are told when all is over")
	}
}

// tests are the messages about tests, in alphabetical order: the order of the run is that of the specs.
func tests(messages string) []string {
	var out []string
	for line := range strings.Lines(messages) {
		if strings.HasPrefix(line, "##teamcity[test") && !strings.HasPrefix(line, "##teamcity[testSuite") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	slices.Sort(out)
	return out
}
