package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
)

// A Fault is one named defect: a row that changes the policy in one place.
type Fault struct {
	ID           string   // token-accept-get
	Sentence     string   // what is wrong, in words
	Requirement  string   // the requirement that must catch it
	Consequences []string // other requirements that may get worse with it
	Needs        Needs
	change       func(*policy)
}

// Needs are what a sandbox must be for a fault to show; the zero value is content with any.
type Needs struct {
	Postures   []string // one of these
	Editions   []string // one of these, in posture space
	Tokens     string
	Extras     bool
	TLS        bool // it is served over TLS, with plain http beside
	Rotation   bool
	Guest      bool
	ShortLived bool // tokens and codes that expire within a test
}

// Faults lists all faults in the order of the catalogue.
func Faults() []Fault {
	return slices.Concat(tokenFaults(), grantFaults(), frontFaults(), pageFaults(), refreshFaults(), resourceFaults(), raceFaults(), transportFaults(), extrasFaults(), spaceFaults())
}

// Options are those of the sandbox on which the fault shows, as near to base as can be.
func (f Fault) Options(base Options) Options {
	o := base
	o.Faults = []string{f.ID}
	current := o.Posture
	if current == "" {
		current = postureSpace
	}
	if len(f.Needs.Postures) > 0 && !slices.Contains(f.Needs.Postures, current) {
		o.Posture = f.Needs.Postures[0]
	}
	if o.Posture != "" && o.Posture != postureSpace {
		o.Edition = ""
	} else if len(f.Needs.Editions) > 0 && !slices.Contains(f.Needs.Editions, o.Edition) {
		o.Edition = f.Needs.Editions[0]
	}
	if f.Needs.Tokens != "" {
		o.Tokens = f.Needs.Tokens
	}
	o.Extras = o.Extras || f.Needs.Extras
	o.TLS = o.TLS || f.Needs.TLS
	o.Rotation = o.Rotation || f.Needs.Rotation
	o.Guest = o.Guest || f.Needs.Guest
	if f.Needs.ShortLived {
		o.AccessTokenLifetime, o.CodeLifetime = shortAccess, shortCode
	}
	return o
}

func findFault(id string) (Fault, error) {
	all := Faults()
	for _, f := range all {
		if f.ID == id {
			return f, nil
		}
	}
	slices.SortStableFunc(all, func(a, b Fault) int {
		return levenshtein.ComputeDistance(id, a.ID) - levenshtein.ComputeDistance(id, b.ID)
	})
	var near []string
	for _, f := range all[:min(3, len(all))] {
		near = append(near, f.ID)
	}
	return Fault{}, fmt.Errorf("sandbox: there is no fault %q; the nearest are %s", id, strings.Join(near, ", "))
}

// The lifetimes under which expiry can be waited for.
const (
	shortAccess = 3 * time.Second
	shortCode   = 2 * time.Second
)
