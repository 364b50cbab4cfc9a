package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Mistake is one thing in a file that cannot be, with its place and its mend.
type Mistake struct {
	File         string
	Line, Column int // from 1
	What         string
	Mend         string // what to write instead; may be empty
}

func (m Mistake) String() string {
	s := fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Column, m.What)
	if m.Mend != "" {
		s += "; " + m.Mend
	}
	return s
}

// Mistakes is the error of a file that was read but makes no sense: all of them at once, in the order of the file.
type Mistakes []Mistake

func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Err is nil without mistakes, and else all of them, sorted.
func (m Mistakes) Err() error {
	if len(m) == 0 {
		return nil
	}
	return Mistakes(slices.SortedStableFunc(slices.Values(m), func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	}))
}

// meant is a mend: the known word that was probably meant, or else all of them after the lead.
func meant(word string, known []string, lead string) string {
	if near := nearest(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	return lead + list(known)
}

// nearest is the known word that was probably meant, or empty when none or several come to mind.
func nearest(word string, known []string) string {
	if len(word) > maxKey {
		return ""
	}
	best, distance := "", max(1, len(word)/3)+1
	for _, k := range known {
		d := edits(strings.ToLower(word), k)
		if word != "" && (strings.HasSuffix(k, "_"+word) || strings.HasPrefix(k, word+"_") || strings.HasSuffix(word, "_"+k)) {
			d = min(d, 1) // "code" for authorization_code, "client_id" for id
		}
		switch {
		case d < distance:
			best, distance = k, d
		case d == distance:
			best = ""
		}
	}
	return best
}

// edits counts the letters to insert, drop, change or swap.
func edits(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		rows[0], rows[1], rows[2] = last, row, before
	}
	return rows[1][len(b)]
}

func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
