package catalogue

import (
	"cmp"
	"slices"
	"strings"
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
		d := distance(asked, known)
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

// distance counts the insertions, deletions and replacements of bytes that lead from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
