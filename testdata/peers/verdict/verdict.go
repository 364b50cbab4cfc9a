// Package verdict runs flowproof on a peer, and holds what it says against what is explained and what was probed.
package verdict

import (
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"flowproof/peers/probe"
	"flowproof/peers/stand"
)

// An explained finding says what flowproof finds on a peer, and why its maintainers would agree.
type explained struct {
	Requirement string
	Verdicts    map[string]string // by profile; several with | where a race decides
	Reason      string
}

// A result is what flowproof says of a requirement.
type result struct {
	Requirement, Verdict string
	Findings             []struct{ Verdict, Variant, Message string }
}

// Test checks a peer with flowproof, with a real browser and in two profiles. It wants exactly the findings of
// findings.yaml beside the test (a finding too many may be a false alarm, one too few a missed defect), verdicts that
// agree with every fact that raw requests establish, and a short load that finds fault with nothing else.
func Test(t *testing.T, command stand.Command, load ...string) {
	wanted := findings(t)
	flowproof := build(t)
	path := serve(t, command)
	facts := probe.Facts(probe.Start(t, command.Declare(flag.NewFlagSet("", flag.ContinueOnError))))
	for _, profile := range []string{"rfc6749", "bcp-9700"} {
		t.Run(profile, func(t *testing.T) {
			found := check(t, flowproof, path, profile)
			explain(t, profile, found, wanted)
			agree(t, found, facts)
		})
	}
	t.Run("load", func(t *testing.T) {
		var record struct {
			Verdict    string
			Violations []struct{ Requirement, Message string }
		}
		arguments := slices.Concat([]string{"load", "-t", path, "--rate", "300/s", "--duration", "2s"}, load)
		run(t, flowproof, arguments, "load.json", &record)
		for _, v := range record.Violations {
			if wanted[v.Requirement].Verdicts["rfc6749"] == "" {
				t.Errorf("%s: %s", v.Requirement, v.Message)
			}
		}
		if len(record.Violations) == 0 && record.Verdict != "pass" {
			t.Errorf("the load ended with %s", record.Verdict)
		}
	})
}

func explain(t *testing.T, profile string, found map[string]result, wanted map[string]explained) {
	t.Helper()
	for _, id := range slices.Sorted(maps.Keys(found)) {
		r := found[id]
		want := wanted[id].Verdicts[profile]
		if r.clean() || slices.Contains(strings.Split(want, "|"), r.Verdict) {
			continue
		}
		for _, f := range r.Findings {
			if f.Verdict == r.Verdict {
				t.Errorf("%s: %s, explained as %q: %s %s", id, r.Verdict, want, f.Variant, f.Message)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(wanted)) {
		want := wanted[id].Verdicts[profile]
		if want != "" && found[id].clean() && !slices.Contains(strings.Split(want, "|"), "pass") {
			t.Errorf("%s: explained as %s, and not found", id, want)
		}
	}
}

func (r result) clean() bool {
	return r.Verdict == "" || r.Verdict == "pass" || r.Verdict == "not-applicable"
}

// agree wants no verdict that contradicts a fact.
func agree(t *testing.T, found map[string]result, facts []probe.Fact) {
	t.Helper()
	agreed := 0
	for _, f := range facts {
		said, judged := found[f.Requirement]
		if !judged { // the profile does not ask for it
			continue
		}
		if !f.Truth.Agrees(said.Verdict) {
			t.Errorf("%s: flowproof says %s, raw requests say %s: %s", f.Requirement, said.Verdict, f.Truth, f.Seen)
			continue
		}
		agreed++
	}
	if agreed < 20 {
		t.Errorf("only %d facts agree", agreed)
	}
	t.Logf("%d facts agree", agreed)
}

// check runs the whole catalogue.
func check(t *testing.T, flowproof, path, profile string) map[string]result {
	t.Helper()
	var record struct{ Results []result }
	run(t, flowproof, []string{"check", "-t", path, "--profile", profile}, "check.json", &record)
	found := map[string]result{}
	for _, r := range record.Results {
		found[r.Requirement] = r
	}
	return found
}

// run runs flowproof to its end, a pass or a failure, and reads the record that it wrote.
func run(t *testing.T, flowproof string, arguments []string, file string, record any) {
	t.Helper()
	out := t.TempDir()
	cmd := exec.CommandContext(t.Context(), flowproof, append(arguments, "--out", out)...)
	said, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && (!errors.As(err, &ended) || ended.ExitCode() != 1) {
		t.Fatalf("flowproof ended with %v:\n%s", err, said)
	}
	text, err := os.ReadFile(filepath.Join(out, file))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, record); err != nil {
		t.Fatal(err)
	}
}

func findings(t *testing.T) map[string]explained {
	t.Helper()
	text, err := os.ReadFile("findings.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var list []explained
	if err := yaml.UnmarshalWithOptions(text, &list, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	out := map[string]explained{}
	for _, e := range list {
		if len(e.Reason) < 20 || len(e.Verdicts) == 0 || out[e.Requirement].Reason != "" {
			t.Errorf("%s has no reason or no verdict, or is explained twice", e.Requirement)
		}
		out[e.Requirement] = e
	}
	return out
}

// build makes flowproof from this repository.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flowproof")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./cmd/flowproof")
	cmd.Dir = filepath.Join("..", "..", "..")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build flowproof: %v\n%s", err, said)
	}
	return path
}
