package catalogue

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the ids, at most three, that an unknown id was probably meant to be, best first;
// none when nothing comes near.
func Nearest(id string) []string {
	type candidate struct {
		id       string
		distance int
	}
	asked := strings.ToLower(id)
	if asked == "" {
		return nil
	}
	var near []candidate
	for _, r := range embedded().requirements {
		known := strings.ToLower(r.ID)
		d := levenshtein.ComputeDistance(asked, known)
		if d > len(known)/3 {
			if !strings.Contains(known, asked) {
				continue
			}
			d = len(known) / 3
		}
		near = append(near, candidate{r.ID, d})
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var ids []string
	for _, c := range near[:min(3, len(near))] {
		ids = append(ids, c.id)
	}
	return ids
}
