package catalogue

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed requirements.yaml
var source []byte

type catalogue struct {
	profiles     []ProfileInfo
	documents    []Document
	requirements []Requirement
	index        map[string]int
}

// embedded decodes the embedded file once. That file is part of the program and covered by its tests:
// if it does not decode, nothing can run.
var embedded = sync.OnceValue(func() *catalogue {
	c, err := decode(source)
	if err != nil {
		panic(err)
	}
	return c
})

// All returns the requirements in the catalogue's order. They are copies: changing them changes nothing here.
func All() []Requirement {
	rows := slices.Clone(embedded().requirements)
	for i, r := range rows {
		rows[i] = r.clone()
	}
	return rows
}

// Races is the section of the rows that send many requests at once.
const Races = "P"

// Without is the label filter that leaves a section out.
func Without(section string) string {
	var ids []string
	for _, r := range All() {
		if r.Section == section {
			ids = append(ids, r.ID)
		}
	}
	return "!(" + strings.Join(ids, " || ") + ")"
}

// ByID returns a copy of the requirement with that id.
func ByID(id string) (Requirement, bool) {
	c := embedded()
	i, ok := c.index[id]
	if !ok {
		return Requirement{}, false
	}
	return c.requirements[i].clone(), true
}

// The shape of requirements.yaml.
type (
	fileYAML struct {
		Profiles []struct {
			Name    Profile `yaml:"name"`
			Meaning string  `yaml:"meaning"`
		} `yaml:"profiles"`
		Documents []struct {
			Name  string `yaml:"name"`
			Title string `yaml:"title"`
		} `yaml:"documents"`
		Sections []struct {
			Letter       string    `yaml:"section"`
			Title        string    `yaml:"title"`
			Requirements []rowYAML `yaml:"requirements"`
		} `yaml:"sections"`
	}
	rowYAML struct {
		ID          string            `yaml:"id"`
		Sentence    string            `yaml:"sentence"`
		Source      string            `yaml:"source"`
		Level       Level             `yaml:"level"`
		Levels      map[Profile]Level `yaml:"levels"`
		Editions    []string          `yaml:"editions"`
		Endpoint    string            `yaml:"endpoint"`
		Applies     string            `yaml:"applies"`
		Observe     string            `yaml:"observe"`
		Front       string            `yaml:"front"`
		Needs       string            `yaml:"needs"`
		Caution     string            `yaml:"caution"`
		Passive     bool              `yaml:"passive"`
		Slow        bool              `yaml:"slow"`
		Destructive bool              `yaml:"destructive"`
		Fault       struct {
			ID       string `yaml:"id"`
			Sentence string `yaml:"sentence"`
			Level    Level  `yaml:"level"`
		} `yaml:"fault"`
	}
)

func decode(text []byte) (*catalogue, error) {
	var f fileYAML
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("catalogue: decode requirements.yaml: %w", err)
	}
	c := &catalogue{index: map[string]int{}}
	for _, p := range f.Profiles {
		c.profiles = append(c.profiles, ProfileInfo{Name: p.Name, Meaning: p.Meaning})
	}
	for _, d := range f.Documents {
		c.documents = append(c.documents, Document{Name: d.Name, Title: d.Title})
	}
	for _, s := range f.Sections {
		for _, row := range s.Requirements {
			if _, twice := c.index[row.ID]; twice {
				return nil, fmt.Errorf("catalogue: decode requirements.yaml: id %s stands there twice", row.ID)
			}
			c.index[row.ID] = len(c.requirements)
			c.requirements = append(c.requirements, row.requirement(s.Letter, s.Title))
		}
	}
	return c, nil
}

func (y rowYAML) requirement(letter, title string) Requirement {
	return Requirement{
		ID: y.ID, Section: letter, SectionTitle: title,
		Sentence: y.Sentence, Source: y.Source,
		Level: y.Level, Levels: y.Levels, Editions: y.Editions,
		Applies: folded(y.Applies), Observe: folded(y.Observe), Front: y.Front,
		Needs: folded(y.Needs), Caution: folded(y.Caution), Endpoint: y.Endpoint,
		Passive: y.Passive, Slow: y.Slow, Destructive: y.Destructive, Browser: y.Front == "browser",
		Fault: FaultName{ID: y.Fault.ID, Sentence: y.Fault.Sentence, Level: y.Fault.Level},
	}
}

// folded drops the line break that a folded scalar ends with.
func folded(s string) string { return strings.TrimSpace(s) }
