package main

import (
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"flowproof/drivers/sandbox"
)

// TestJobsRun plays the scripts of the GitLab jobs and of the TeamCity builds, shortened, against a stand-in: with and
// without a defect the job ends as flowproof does, and what the server collects is there.
func TestJobsRun(t *testing.T) {
	t.Parallel()
	var gitlab map[string]struct {
		Extends   string
		Image     any
		Variables map[string]string
		Script    []string
		Artifacts any
	}
	strictly(t, "../../.ci/gitlab/flowproof.gitlab-ci.yml", &gitlab)
	kts, err := os.ReadFile("../../.ci/teamcity/settings.kts")
	if err != nil {
		t.Fatal(err)
	}
	steps := regexp.MustCompile(`(?s)scriptContent = (?:"([^"\n]+)"|"""(.*?)""")`).FindAllStringSubmatch(string(kts), -1)
	if len(steps) != 2 {
		t.Fatalf("%d steps in settings.kts", len(steps))
	}
	for _, job := range []struct {
		name, script string
		files        []string
		says         string
	}{
		{"GitLab check", gitlab[".flowproof-check"].Script[0], []string{"check.json", "check.xml", "check.html", "check.md", "metrics.txt"}, "flowproof check"},
		{"GitLab load", gitlab[".flowproof-load"].Script[0], []string{"load.json", "load.xml", "load.html", "metrics.txt"}, "flowproof load"},
		{"TeamCity check", steps[0][1], []string{"check.html"}, "##teamcity[testFinished "},
		{"TeamCity load", strings.ReplaceAll(steps[1][2], "${'$'}", "$"), []string{"load.html"}, "##teamcity[buildStatisticValue "},
	} {
		t.Run(job.name, func(t *testing.T) {
			short := strings.NewReplacer("flowproof check ", "flowproof check --no-browser --only RFC6749-4.4-confidential-only ",
				"--duration 5m", "--duration 1s", "p99<250ms", "p50<5s", "--i-may-load acme.example.test", "").Replace(job.script)
			for fault, want := range map[string]int{"": conforms, "cc-for-public": fallsShort, "omit-no-store": fallsShort} {
				if fault == "cc-for-public" && strings.Contains(job.name, "load") || fault == "omit-no-store" && strings.Contains(job.name, "check") {
					continue
				}
				folder := t.TempDir()
				acme(t, folder, fault)
				cmd := exec.CommandContext(t.Context(), "sh", "-c", short)
				cmd.Dir = folder
				cmd.Env = os.Environ()
				for _, of := range []string{".flowproof", ".flowproof-load"} {
					for name, value := range gitlab[of].Variables {
						cmd.Env = append(cmd.Env, name+"="+value)
					}
				}
				cmd.Env = append(cmd.Env, "FLOWPROOF_TARGET=acme.yaml", "FLOWPROOF_DURATION=1s", "FLOWPROOF_THRESHOLD=p50<5s")
				said, err := cmd.CombinedOutput()
				var ended *exec.ExitError
				got := 0
				if errors.As(err, &ended) {
					got = ended.ExitCode()
				} else if err != nil {
					t.Fatal(err)
				}
				if got == unproven && strings.Contains(job.name, "load") {
					got = conforms // a busy machine makes a poor load generator
				}
				if got != want || !strings.Contains(string(said), job.says) {
					t.Errorf("with the fault %q it exits with %d, want %d, and says\n%s", fault, got, want, said)
				}
				for _, name := range job.files {
					if info, err := os.Stat(filepath.Join(folder, "flowproof-out", name)); err != nil || info.Size() == 0 {
						t.Errorf("with the fault %q: %s: %v", fault, name, err)
					}
				}
			}
		})
	}
}

// acme serves a stand-in and writes acme.yaml for it.
func acme(t *testing.T, folder, fault string) {
	t.Helper()
	o := sandbox.Options{Tokens: "opaque"}
	if fault != "" {
		o.Faults = []string{fault}
	}
	sb, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sb)
	t.Cleanup(server.Close)
	path, _, err := writeTarget(sb, server.URL, folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, filepath.Join(folder, "acme.yaml")); err != nil {
		t.Fatal(err)
	}
}
