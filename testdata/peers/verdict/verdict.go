// Package verdict runs flowproof on a peer, and holds what it says against what is explained and what was probed.
package verdict

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"flowproof/peers/explained"
	"flowproof/peers/probe"
	"flowproof/peers/stand"
)

// Test checks a peer with flowproof, with a real browser and in two profiles. It wants exactly the findings of
// findings.yaml beside the test (a finding too many may be a false alarm, one too few a missed defect), verdicts that
// agree with every fact that raw requests establish, and a short load that finds fault with nothing else.
func Test(t *testing.T, command stand.Command, load ...string) {
	wanted, err := explained.Read("findings.yaml")
	if err != nil {
		t.Fatal(err)
	}
	flowproof := build(t)
	path := serve(t, command)
	facts := probe.Facts(probe.Start(t, command.Declare(flag.NewFlagSet("", flag.ContinueOnError))))
	for _, profile := range []string{"rfc6749", "bcp-9700"} {
		t.Run(profile, func(t *testing.T) {
			found := check(t, flowproof, path, profile)
			_, odd := wanted.Compare(profile, found)
			for _, one := range odd {
				t.Error(one)
			}
			agree(t, found, facts)
		})
	}
	t.Run("load", func(t *testing.T) {
		var record struct {
			Verdict    string
			Violations []struct{ Requirement, Message string }
		}
		arguments := slices.Concat([]string{"load", "-t", path, "--rate", "300/s", "--duration", "2s"}, load)
		text, err := os.ReadFile(run(t, flowproof, "load.json", arguments...))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &record); err != nil {
			t.Fatal(err)
		}
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

// agree wants no verdict that contradicts a fact.
func agree(t *testing.T, found explained.Record, facts []probe.Fact) {
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
func check(t *testing.T, flowproof, path, profile string) explained.Record {
	t.Helper()
	record, err := explained.ReadRecord(run(t, flowproof, "check.json", "check", "-t", path, "--profile", profile))
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// run runs flowproof to its end, a pass or a failure, and returns the path of the record that it wrote.
func run(t *testing.T, flowproof, file string, arguments ...string) string {
	t.Helper()
	out := t.TempDir()
	cmd := exec.CommandContext(t.Context(), flowproof, append(arguments, "--out", out)...)
	said, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && (!errors.As(err, &ended) || ended.ExitCode() != 1) {
		t.Fatalf("flowproof ended with %v:\n%s", err, said)
	}
	return filepath.Join(out, file)
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
