package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

var (
	calls    = regexp.MustCompile(`(?m)flowproof (check|load|report|compare) ((?:[^\n\\]|\\\n)*)`)
	switches = regexp.MustCompile(`--[a-z-]+`)
	asked    = regexp.MustCompile(`--format ["']?([a-z,]+)`)
)

// TestWrappersSpeakTheCommandLine holds every example for CI, and the README, to the verbs, flags and formats that
// there are.
func TestWrappersSpeakTheCommandLine(t *testing.T) {
	root := command(console{})
	for _, file := range []string{"../../README.md", "../../.ci/github/action.yml", "../../.ci/github/run.sh", "../../.ci/gitlab/flowproof.gitlab-ci.yml", "../../.ci/teamcity/settings.kts"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range calls.FindAllStringSubmatch(string(text), -1) {
			verb, _, err := root.Find([]string{call[1]})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range switches.FindAllString(call[2], -1) {
				if verb.Flags().Lookup(strings.TrimPrefix(name, "--")) == nil && verb.InheritedFlags().Lookup(strings.TrimPrefix(name, "--")) == nil {
					t.Errorf("%s: %s has no flag %s", file, call[1], name)
				}
			}
			kind := map[string]string{"check": "conformance", "load": "load", "compare": "comparison"}[call[1]]
			for _, formats := range asked.FindAllStringSubmatch(call[2], -1) {
				if kind == "" {
					kind = "conformance"
					if strings.Contains(call[2], "load") {
						kind = "load"
					}
				}
				if err := writable(strings.Split(formats[1], ","), kind); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
	}
}

// TestWrappersAreWhatTheirServersRead holds the files to the keys that GitHub and GitLab know.
func TestWrappersAreWhatTheirServersRead(t *testing.T) {
	var action struct {
		Name, Description string
		Inputs            map[string]struct{ Description, Default string }
		Outputs           map[string]struct{ Description, Value string }
		Runs              struct {
			Using string
			Steps []struct {
				ID, Uses, Shell, Run string
				With                 map[string]any
				Env                  map[string]string
			}
		}
	}
	strictly(t, "../../.ci/github/action.yml", &action)
	used := ""
	for _, s := range action.Runs.Steps {
		if s.Run != "" && s.Shell == "" {
			t.Errorf("a step of a composite action has to name its shell: %s", s.Run)
		}
		if strings.Contains(s.Run, "${{") {
			t.Errorf("an input would be read as shell: %s", s.Run)
		}
		for _, value := range s.Env {
			used += value
		}
	}
	for name := range action.Inputs {
		if !strings.Contains(used, "inputs."+name+" ") {
			t.Errorf("the input %s is not used", name)
		}
	}
	if action.Runs.Using != "composite" {
		t.Errorf("it runs %q", action.Runs.Using)
	}
	type job struct {
		Extends   string
		Image     map[string]any
		Variables map[string]string
		Script    []string
		Artifacts struct {
			When     string
			ExposeAs string `yaml:"expose_as"`
			Paths    []string
			Reports  map[string]string
		}
	}
	var gitlab map[string]job
	strictly(t, "../../.ci/gitlab/flowproof.gitlab-ci.yml", &gitlab)
	for name, j := range gitlab {
		if _, known := gitlab[j.Extends]; j.Extends != "" && !known {
			t.Errorf("%s extends %s, which is not there", name, j.Extends)
		}
		for kind := range j.Artifacts.Reports {
			if !slices.Contains([]string{"junit", "metrics"}, kind) {
				t.Errorf("%s makes a report %q", name, kind)
			}
		}
	}
	if info, err := os.Stat(filepath.Join("../../.ci/github", "run.sh")); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("run.sh cannot be run: %v", err)
	}
}

// TestREADMELinksToWhatIsThere holds the README to its files, and its pictures to a size that pages open with.
func TestREADMELinksToWhatIsThere(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, link := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(string(text), -1) {
		path, _, _ := strings.Cut(link[1], "#")
		info, err := os.Stat(filepath.Join("../..", path))
		if err != nil {
			t.Error(err)
			continue
		}
		if seen[filepath.Base(link[1])] = true; filepath.Ext(link[1]) == ".png" && info.Size() > 300_000 {
			t.Errorf("%s has %d bytes", link[1], info.Size())
		}
	}
	for _, picture := range []string{"check.png", "load.png", "compare.png", "capacity.png"} {
		if !seen[picture] {
			t.Errorf("the README does not show %s", picture)
		}
	}
}

func strictly(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(text, into, yaml.Strict()); err != nil {
		t.Errorf("%s: %v", file, err)
	}
}
