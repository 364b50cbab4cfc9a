package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// An explained finding says what flowproof finds on fosite, and why a maintainer of fosite would agree.
type explained struct {
	Requirement string
	Verdicts    map[string]string // by profile; several with | where a race decides
	Reason      string
}

// TestFindingsAreExplained checks the peer with flowproof, with a real browser and in two profiles, and wants
// exactly the findings of findings.yaml: a finding too many may be a false alarm, one too few a missed defect.
func TestFindingsAreExplained(t *testing.T) {
	wanted := readFindings(t)
	flowproof := build(t)
	path := serving(t)
	for _, profile := range []string{"rfc6749", "bcp-9700"} {
		t.Run(profile, func(t *testing.T) {
			out := t.TempDir()
			cmd := exec.CommandContext(t.Context(), flowproof, "check", "-t", path, "--profile", profile, "--out", out)
			said, err := cmd.CombinedOutput()
			var ended *exec.ExitError
			if !errors.As(err, &ended) || ended.ExitCode() != 1 {
				t.Fatalf("flowproof ended with %v, want exit code 1:\n%s", err, said)
			}
			var record struct {
				Results []struct {
					Requirement, Verdict string
					Findings             []struct{ Verdict, Variant, Message string }
				}
			}
			text, err := os.ReadFile(filepath.Join(out, "check.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &record); err != nil {
				t.Fatal(err)
			}
			found := map[string]string{}
			for _, r := range record.Results {
				if r.Verdict == "pass" || r.Verdict == "not-applicable" {
					continue
				}
				found[r.Requirement] = r.Verdict
				if want := wanted[r.Requirement].Verdicts[profile]; !slices.Contains(strings.Split(want, "|"), r.Verdict) {
					for _, f := range r.Findings {
						if f.Verdict == r.Verdict {
							t.Errorf("%s: %s, explained as %q: %s %s", r.Requirement, r.Verdict, want, f.Variant, f.Message)
						}
					}
				}
			}
			for _, id := range slices.Sorted(maps.Keys(wanted)) {
				if want := wanted[id].Verdicts[profile]; want != "" && found[id] == "" && !slices.Contains(strings.Split(want, "|"), "pass") {
					t.Errorf("%s: explained as %s, and not found", id, want)
				}
			}
		})
	}
}

// TestLoadHolds sends a short load of each grant and wants every answer verified.
func TestLoadHolds(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), build(t), "load", "-t", serving(t), "--grant", "client_credentials=3,password,refresh_token",
		"--rate", "300/s", "--duration", "2s", "--out", "")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
}

func readFindings(t *testing.T) map[string]explained {
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
		if len(e.Reason) < 20 || len(e.Verdicts) == 0 {
			t.Errorf("%s has no reason or no verdict", e.Requirement)
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

// serving runs the peer until the test ends and returns its target file.
func serving(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "peer")
	stdin, stop := io.Pipe()
	output, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(t.Context(), []string{"-out", folder, "-until-eof"}, stdin, stdout, io.Discard)
		_ = stdout.Close()
	}()
	t.Cleanup(func() {
		_ = stop.Close()
		if err := <-ended; err != nil {
			t.Error(fmt.Errorf("the peer: %w", err))
		}
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "listening on ") {
		t.Fatalf("the peer said %q, %v", line, err)
	}
	return filepath.Join(folder, "target.yaml")
}
