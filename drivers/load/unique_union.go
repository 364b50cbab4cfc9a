package load

import (
	"fmt"

	"flowproof/reports"
)

// A Comparison looks for values that two agents were given, by the marks that the agents kept.
type Comparison struct {
	kinds  [markKinds]comparedKind
	silent []string // agents that said nothing
}

type comparedKind struct {
	set          *uniques
	given, here  int64
	parts        int
	reissues     bool
	same, others int64
	finder       string // the agent whose marks showed the first of the others
}

// NewComparison is over what the agents say that they have. Of more than fits the memory set aside only some parts
// are compared: the hash decides, so that the same values are among them everywhere.
func NewComparison(agents [][]Extent, reissues [][2]bool) *Comparison {
	c := &Comparison{}
	for kind := range c.kinds {
		k := &c.kinds[kind]
		k.parts = shardCount
		for i, all := range agents {
			if kind < len(all) {
				k.given += all[kind].Given
				k.parts = min(k.parts, max(all[kind].Kept, 1))
			}
			k.reissues = k.reissues || kind < len(reissues[i]) && reissues[i][kind]
		}
		for k.parts > 1 && k.given*int64(k.parts)/shardCount > mostTokens {
			k.parts /= 2
		}
		k.set = newUniques(k.given)
		k.set.most = 1 << 40 // what comes is bounded already
	}
	return c
}

// Close gives the memory back.
func (c *Comparison) Close() {
	for i := range c.kinds {
		c.kinds[i].set.free()
	}
}

// Parts is how many of the 256 parts of a kind are compared, from the first.
func (c *Comparison) Parts(kind int) int { return c.kinds[kind].parts }

// Silent says that an agent's marks cannot be had.
func (c *Comparison) Silent(agent string) { c.silent = append(c.silent, agent) }

// Add compares a page of an agent's marks with those of the agents before it.
func (c *Comparison) Add(agent string, kind int, page []byte) error {
	k := &c.kinds[kind]
	same, others, err := k.set.take(page, k.parts)
	k.same += same
	k.others += others
	if k.finder == "" && same+others > 0 {
		k.finder = agent
	}
	return err
}

// Result says over what uniqueness was checked, and what was found. The endpoint is where the values came from.
func (c *Comparison) Result(endpoint, moment string) (notice string, found []reports.Violation) {
	var counts []string
	sampled := ""
	for kind, name := range []string{"access token", "refresh token", "code"} {
		k := &c.kinds[kind]
		if k.here = k.set.extent().compared; k.given == 0 {
			continue
		}
		count := reports.Plural(k.given, name, name+"s")
		if k.parts < shardCount {
			count = fmt.Sprintf("a sample of %s (%d of %d parts by hash)", count, k.parts, shardCount)
			sampled = "; more do not fit the memory set aside for it, so that a repeat among the others was not noticed"
		}
		counts = append(counts, count)
		again, repeated := [...]flaw{reissuedToken, reissuedRefresh, repeatedCode}[kind], [...]flaw{repeatedToken, repeatedRefresh, repeatedCode}[kind]
		if !k.reissues {
			again = repeated
		}
		for _, of := range []struct {
			flaw flaw
			n    int64
		}{{again, k.same}, {repeated, k.others}} {
			if of.n == 0 {
				continue
			}
			r := of.flaw.rule()
			found = append(found, reports.Violation{Requirement: r.requirement, Verdict: r.verdict, Count: of.n, Message: r.message, First: reports.Exchange{
				Title: fmt.Sprintf("agent %s was given %s that another agent had been given", k.finder, article(name)), Method: "POST", URL: endpoint, Started: moment, Deciding: true,
				Error: "agents compare hashes, so that there is no exchange to show",
			}})
		}
	}
	switch {
	case len(c.silent) > 0:
		notice = fmt.Sprintf("Uniqueness was checked within each agent; the tokens of %s could not be compared with those of the others.", agentsNamed(c.silent))
	case len(counts) > 0:
		notice = fmt.Sprintf("%s %s of all agents together, whose 64-bit hashes were compared after the run%s.", uniquenessNotice, list(counts), sampled)
	}
	return notice, found
}

func article(name string) string {
	if name[0] == 'a' {
		return "an " + name
	}
	return "a " + name
}
