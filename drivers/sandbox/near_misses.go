package sandbox

import (
	"fmt"
	"slices"
)

// A NearMiss is one deviation that a careful check tolerates: a row that changes the policy in one place, as a
// fault does, and after which the deployment is still as good as the standard asks, or nearly.
type NearMiss struct {
	ID          string            // token-type-lower-case
	Sentence    string            // what is different, in words
	Requirement string            // the one whose caution tells of it
	Worst       string            // how bad that requirement may be judged: pass, note or warn
	Skipped     bool              // it may be found not applicable
	Others      map[string]string // verdicts that other requirements may have, beyond a note
	Needs       Needs
	Slow        bool // it shows only in rows that wait
	Browser     bool // only a real browser gets through
	change      func(*policy)
}

// The verdicts that a near miss may have.
const (
	allowsPass = "pass"
	allowsNote = "note"
	allowsWarn = "warn"
)

// NearMisses lists all near misses in the order of the catalogue.
func NearMisses() []NearMiss {
	return slices.Concat(readingMisses(), answerMisses(), errorMisses(), clientMisses(), grantMisses(), requestMisses(),
		redirectMisses(), responseMisses(), pageMisses(), codeMisses(), refreshMisses(), resourceMisses(), raceMisses(), extrasMisses(), spaceMisses())
}

// Options are those of the sandbox on which the near miss shows, as near to base as can be.
func (n NearMiss) Options(base Options) Options {
	o := Fault{ID: n.ID, Needs: n.Needs}.Options(base)
	o.Faults, o.NearMisses = base.Faults, []string{n.ID}
	return o
}

func findNearMiss(id string) (NearMiss, error) {
	all := NearMisses()
	i := slices.IndexFunc(all, func(n NearMiss) bool { return n.ID == id })
	if i < 0 {
		return NearMiss{}, fmt.Errorf("sandbox: there is no near miss %q", id)
	}
	return all[i], nil
}
