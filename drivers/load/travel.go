package load

import (
	"fmt"
	"path/filepath"

	"flowproof/drivers/target"
)

// A Plan travels as JSON to the machines that share its load, and comes out as it went in, but for users who are not
// the target's: they have passwords. Of those the file is named, which each machine reads for itself.

// MarshalText is the expression; none is empty.
func (h Threshold) MarshalText() ([]byte, error) { return []byte(h.expression), nil }

// UnmarshalText is ParseThreshold.
func (h *Threshold) UnmarshalText(text []byte) (err error) {
	*h, err = ParseThreshold(string(text))
	return err
}

// MarshalText is the rule as it is written.
func (a Abort) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is ParseAbort.
func (a *Abort) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAbort(string(text))
	return err
}

// Peopled is the plan with the users of its CSV files, which are looked up in the folder.
func (p Plan) Peopled(folder string, file func(path string) ([]byte, error)) (Plan, error) {
	scenarios := make([]Scenario, len(p.Scenarios))
	for i, s := range p.Scenarios {
		if s.UsersCSV != "" {
			people, why := readPeople(s.UsersCSV, folder, file)
			if why != "" {
				return p, fmt.Errorf("load: scenario %s: users_csv: %s", s.Name, why)
			}
			s.people(people)
		}
		scenarios[i] = s
	}
	p.Scenarios = scenarios
	return p, nil
}

// people are users beside those of the target.
func (s *Scenario) people(all []target.User) {
	s.People, s.PeopleAre = all, fmt.Sprintf("%s (%d users)", filepath.Base(s.UsersCSV), len(all))
}
