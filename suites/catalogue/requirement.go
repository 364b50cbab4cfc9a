package catalogue

import (
	"maps"
	"slices"
)

// A Level says how strongly a requirement binds.
type Level string

// The levels. A violated MUST, MUST NOT or DOC fails, a violated SHOULD or SHOULD NOT warns, MAY and NOTE note.
const (
	Must      Level = "MUST"
	MustNot   Level = "MUST NOT"
	Should    Level = "SHOULD"
	ShouldNot Level = "SHOULD NOT"
	May       Level = "MAY"
	Doc       Level = "DOC"  // a vendor's own documented behaviour
	Note      Level = "NOTE" // worth telling, binding nobody
)

// A Requirement is one row of the catalogue.
type Requirement struct {
	ID           string
	Section      string // the letter of the catalogue's section
	SectionTitle string
	Sentence     string // what is required, in one sentence
	Source       string // as it is shown; see Cited for its parts
	Level        Level  // the source's own keyword; the strictest where sources differ

	// Levels has the level in each profile in which the requirement applies.
	// Where a caution lowers every verdict on the row, the lowered level stands here.
	Levels   map[Profile]Level
	Editions []string // of Space, in which it applies under profile space; empty: in all

	Applies  string // the answers or flows that it is about
	Observe  string // what is sent, and what conforming and violating answers look like
	Front    string // whether the front channel is needed: no, front or browser
	Needs    string // what must be configured or announced; without it the requirement is not applicable
	Caution  string // deviations that must not be held against a server as hard as the level says
	Endpoint string // where it is observed first: authorization, token, resource, revocation, introspection, metadata or jwks

	Passive     bool // judged on every answer that other requirements provoke
	Slow        bool // waits for minutes
	Destructive bool // may lock an account or trip an alarm
	Browser     bool // only a real browser can tell

	Fault FaultName
}

// A FaultName names the defect that a check of its requirement must catch.
type FaultName struct {
	ID       string
	Sentence string // what the faulty server does

	// Level is set where the requirement's caution lowers the verdict for this very defect; empty: the requirement's level.
	Level Level
}

// In tells whether the requirement applies in a profile, and how strongly it binds there.
// The edition matters to profile space only; empty means DefaultEdition.
func (r Requirement) In(p Profile, edition string) (Level, bool) {
	level, ok := r.Levels[p]
	if !ok {
		return "", false
	}
	if p == Space && len(r.Editions) > 0 {
		if edition == "" {
			edition = DefaultEdition
		}
		if !slices.Contains(r.Editions, edition) {
			return "", false
		}
	}
	return level, true
}

func (r Requirement) clone() Requirement {
	r.Levels = maps.Clone(r.Levels)
	r.Editions = slices.Clone(r.Editions)
	return r
}
