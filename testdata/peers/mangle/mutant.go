package mangle

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// A Mutant bends the requests or the answers of one place, each in the same way. What bends reports whether there
// was anything to bend.
type Mutant struct {
	Place, Name string
	asks        func(*request) bool
	answers     func(*answer) bool
}

// ID names the mutant.
func (m Mutant) ID() string { return m.Place + ": " + m.Name }

// Mutants are all that can be made of what was seen.
func Mutants(seen Sightings) []Mutant {
	var out []Mutant
	for _, place := range slices.Sorted(maps.Keys(seen)) {
		s := seen[place]
		kinds := [][]Mutant{asking(s), statuses(s), headers(s), redirects(s), pages(s)}
		if !strings.HasPrefix(place, "resource ") { // what a resource is made of is no matter of OAuth's
			kinds = append(kinds, members(s), documents(s))
		}
		for _, m := range slices.Concat(kinds...) {
			m.Place = place
			out = append(out, m)
		}
	}
	return out
}

// Sample takes n of the mutants, the same ones for the same seed; 0 takes all.
func Sample(all []Mutant, n int, seed uint64) []Mutant {
	if n <= 0 || n >= len(all) {
		return all
	}
	out := slices.Clone(all)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // which mutants are tried is no secret
	random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:n]
}
