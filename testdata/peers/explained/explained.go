// Package explained holds what flowproof says of a server against findings.yaml, where each finding stands with the
// reason why the server's maintainers would agree.
package explained

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// A Finding says what flowproof finds on a server, and why that is right.
type Finding struct {
	Requirement string
	Verdicts    map[string]string // by profile; several with | where chance decides
	Reason      string
}

// Findings are those of one server, by requirement.
type Findings map[string]Finding

// Read reads a findings.yaml. Each finding has a reason and a verdict, and stands there once.
func Read(path string) (Findings, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("explained: reading the findings: %w", err)
	}
	var list []Finding
	if err := yaml.UnmarshalWithOptions(text, &list, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("explained: reading %s: %w", path, err)
	}
	out := Findings{}
	for _, f := range list {
		if len(f.Reason) < 20 || len(f.Verdicts) == 0 || out[f.Requirement].Reason != "" {
			return nil, fmt.Errorf("explained: %s: %s has no reason or no verdict, or is explained twice", path, f.Requirement)
		}
		out[f.Requirement] = f
	}
	return out, nil
}

// A Result is what flowproof says of a requirement.
type Result struct {
	Requirement, Verdict string
	Findings             []struct{ Verdict, Variant, Message string }
}

func (r Result) clean() bool {
	return r.Verdict == "" || r.Verdict == "pass" || r.Verdict == "not-applicable"
}

// A Record is what flowproof says of each requirement, by its id.
type Record map[string]Result

// ReadRecord reads a check.json.
func ReadRecord(path string) (Record, error) {
	var file struct{ Results []Result }
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("explained: reading the record: %w", err)
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("explained: reading the record %s: %w", path, err)
	}
	r := Record{}
	for _, one := range file.Results {
		r[one.Requirement] = one
	}
	return r, nil
}

// Count returns how many requirements have the verdict.
func (r Record) Count(verdict string) int {
	n := 0
	for _, one := range r {
		if one.Verdict == verdict {
			n++
		}
	}
	return n
}

// Compare counts the findings that are explained, and tells of each that is not, and of each explanation that
// explains nothing.
func (f Findings) Compare(profile string, record Record) (fine int, odd []string) {
	for _, id := range slices.Sorted(maps.Keys(record)) {
		r, want := record[id], f[id].Verdicts[profile]
		switch {
		case r.clean():
		case allows(want, r.Verdict):
			fine++
		default:
			for _, found := range r.Findings {
				if found.Verdict == r.Verdict {
					odd = append(odd, fmt.Sprintf("%s %s: %s, explained as %q: %s %s", profile, id, r.Verdict, want, found.Variant, found.Message))
				}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f)) {
		want := f[id].Verdicts[profile]
		if want != "" && record[id].clean() && !allows(want, "pass") {
			odd = append(odd, fmt.Sprintf("%s %s: explained as %s, and not found", profile, id, want))
		}
	}
	return fine, odd
}

func allows(want, verdict string) bool { return slices.Contains(strings.Split(want, "|"), verdict) }
