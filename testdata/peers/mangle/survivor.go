package mangle

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
)

// A Survivor explains why no requirement need notice some mutants.
type Survivor struct {
	Mutant string // its ID; * stands for anything
	Why    string
	form   *regexp.Regexp
}

// Survivors reads the explanations.
func Survivors(path string) ([]Survivor, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("mangle: %w", err)
	}
	var list []Survivor
	if err := yaml.UnmarshalWithOptions(text, &list, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("mangle: reading %s: %w", path, err)
	}
	for i, s := range list {
		if len(s.Why) < 20 {
			return nil, fmt.Errorf("mangle: %s: %q is not explained", path, s.Mutant)
		}
		list[i].form, err = regexp.Compile("^" + strings.ReplaceAll(regexp.QuoteMeta(s.Mutant), `\*`, ".*") + "$")
		if err != nil {
			return nil, fmt.Errorf("mangle: %s: %q: %w", path, s.Mutant, err)
		}
	}
	return list, nil
}

// Explains reports whether the mutant is one of those.
func (s Survivor) Explains(m Mutant) bool { return s.form.MatchString(m.ID()) }
