package suites

import "testing"

// Rounds that did not overlap prove nothing, and a busy machine has many of them.
func TestRacesGoOnUntilTheyOverlap(t *testing.T) {
	for overlapsAt, want := range map[int]int{0: 2, 1: 2, 4: 5, 99: 10} {
		rounds := &tournament{s: &session{Options: Options{Rounds: 2}}}
		n := 0
		for i := range rounds.each() {
			if n++; i == overlapsAt {
				rounds.overlapped++
			}
		}
		if n != want {
			t.Errorf("overlapping in round %d, %d rounds were played, want %d", overlapsAt, n, want)
		}
	}
}
