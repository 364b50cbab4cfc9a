package load

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"flowproof/reports"
)

// notices are what a reader must know: of the sum first, and then what the shards said of themselves.
func notices(shards []shardRecord, start time.Time, u *Union, agents []reports.Agent) []string {
	var late time.Duration
	urls, versions, hosts := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, s := range shards {
		late = max(late, s.began.Sub(start))
		urls[s.Target.URL], versions[s.Tool.Version] = true, true
		hosts[fmt.Sprint(s.Machine)] = true
	}
	var out []string
	if u != nil {
		out = u.notices(agents)
	} else {
		out = []string{
			fmt.Sprintf("This is the sum of %d shards: counts and histograms were added. In charts over time percentiles are those of the worst shard, second by second.", len(shards)),
			"Uniqueness was checked within each shard only: a token that two shards were given would not be noticed.",
			"CPU seconds, memory and processors are sums over the shards, as if each had a machine of its own.",
		}
	}
	first := len(out)
	if late > apart && u == nil {
		out = append(out, fmt.Sprintf("The shards did not start together, but up to %v apart (by their own clocks): the load was not the plan's at every moment. Give all of them the same start (--start-at), and look at their clocks.", late.Round(time.Millisecond)))
	}
	for what, set := range map[string]map[string]bool{"sent to different addresses": urls, "made by different versions": versions, "made on different kinds of machines": hosts} {
		if len(set) > 1 {
			out = append(out, fmt.Sprintf("The records were %s: %s.", what, list(slices.Sorted(maps.Keys(set)))))
		}
	}
	slices.Sort(out[first:])
	var said []string
	who := map[string][]string{} // a notice that several shards have is said once
	for _, s := range shards {
		for _, n := range s.Notices {
			if !strings.HasPrefix(n, "This is shard ") && !(u != nil && strings.HasPrefix(n, uniquenessNotice)) {
				said = appendNew(said, n)
				who[n] = append(who[n], s.called())
			}
		}
	}
	for _, n := range said {
		if u != nil {
			out = append(out, fmt.Sprintf("A%s: %s", strings.TrimPrefix(agentsNamed(who[n]), "a"), n))
			continue
		}
		out = append(out, fmt.Sprintf("S%s: %s", shardsNamed(who[n])[1:], n))
	}
	return out
}

// called is the agent, or the part.
func (s shardRecord) called() string {
	if s.agent != "" {
		return s.agent
	}
	return s.part()
}

func agentsNamed(names []string) string {
	if len(names) == 1 {
		return "agent " + names[0]
	}
	return "agents " + list(names)
}

// shardsNamed names shards by their parts.
func shardsNamed(parts []string) string {
	if len(parts) == 1 {
		return "shard " + parts[0]
	}
	return "shards " + list(parts)
}
