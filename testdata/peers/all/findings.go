package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// An explained finding says what flowproof finds on a server, and why its maintainers would agree.
type explained struct {
	Requirement string
	Verdicts    map[string]string // by profile; several with | where chance decides
	Reason      string
}

// A record is what flowproof says of each requirement.
type record struct {
	Results []struct {
		Requirement, Verdict string
		Findings             []struct{ Verdict, Variant, Message string }
	}
}

func (r record) count(verdict string) int {
	n := 0
	for _, one := range r.Results {
		if one.Verdict == verdict {
			n++
		}
	}
	return n
}

func readRecord(path string) (record, error) {
	var r record
	text, err := os.ReadFile(path)
	if err != nil {
		return r, fmt.Errorf("all: reading the record: %w", err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("all: reading the record %s: %w", path, err)
	}
	return r, nil
}

func readFindings(path string) (map[string]explained, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("all: reading what is explained: %w", err)
	}
	var list []explained
	if err := yaml.UnmarshalWithOptions(text, &list, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("all: reading %s: %w", path, err)
	}
	out := map[string]explained{}
	for _, e := range list {
		if len(e.Reason) < 20 || len(e.Verdicts) == 0 || out[e.Requirement].Reason != "" {
			return nil, fmt.Errorf("all: %s: %s has no reason or no verdict, or is explained twice", path, e.Requirement)
		}
		out[e.Requirement] = e
	}
	return out, nil
}

// compare counts the findings that are explained, and tells of each that is not, and of each explanation that
// explains nothing.
func compare(profile string, found record, wanted map[string]explained) (fine int, odd []string) {
	seen := map[string]bool{}
	for _, r := range found.Results {
		want := wanted[r.Requirement].Verdicts[profile]
		clean := r.Verdict == "pass" || r.Verdict == "not-applicable"
		seen[r.Requirement] = !clean
		switch {
		case clean:
		case slices.Contains(strings.Split(want, "|"), r.Verdict):
			fine++
		default:
			for _, f := range r.Findings {
				if f.Verdict == r.Verdict {
					odd = append(odd, fmt.Sprintf("%s %s: %s, explained as %q: %s %s", profile, r.Requirement, r.Verdict, want, f.Variant, f.Message))
				}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(wanted)) {
		want := wanted[id].Verdicts[profile]
		if want != "" && !seen[id] && !slices.Contains(strings.Split(want, "|"), "pass") {
			odd = append(odd, fmt.Sprintf("%s %s: explained as %s, and not found", profile, id, want))
		}
	}
	return fine, odd
}
