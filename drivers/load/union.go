package load

import (
	"fmt"
	"strings"
	"time"

	"flowproof/reports"
)

// A Union is what is known of the agents that send a plan together.
type Union struct {
	Agents  []reports.Agent     // by shard; a lost one has its reason
	Lenient bool                // what there is is judged, although a part of the schedule is missing
	Repeats []reports.Violation // that only show when the agents' tokens are compared
	Unique  string              // over what uniqueness was checked
	Early   string              // why the run ended early for all of them; empty: it did not
}

// Merge is the Merge of the agents' records, which are in the order of the agents.
func (u Union) Merge(records []reports.Load) (reports.Load, error) {
	if len(records) != len(u.Agents) {
		return reports.Load{}, fmt.Errorf("load: there are %d records of %d agents", len(records), len(u.Agents))
	}
	for i := range records {
		if records[i].Plan.Shard == nil { // the only agent has all
			records[i].Plan.Shard = &reports.Shard{Index: 1, Of: 1}
		}
	}
	return merge(records, false, &u)
}

// fill adds to what is known of an agent what its record says.
func (u *Union) fill(records []shardRecord) []reports.Agent {
	out := append([]reports.Agent(nil), u.Agents...)
	var planned int64
	for i, r := range records {
		a := &out[i]
		a.Share, a.CPUs = reports.Shard{Index: r.Plan.Shard.Index, Of: r.Plan.Shard.Of}, r.Machine.CPUs
		a.Sent, a.LatenessP99US, a.Bottleneck = 0, r.Generator.LatenessP99US, r.Generator.Bottleneck
		var all mergedStep
		steps, err := addSteps(nil, r.Steps)
		if err != nil {
			continue // the sum of all says so
		}
		for k := range steps {
			a.Sent += steps[k].sent
			all.merge(&steps[k].tally)
		}
		if all.latency != nil {
			a.P50US, a.P99US = all.latency.ValueAtPercentile(50), all.latency.ValueAtPercentile(99)
		}
		a.Planned = max(a.Planned, a.Sent)
		planned += a.Planned
	}
	for i := range out {
		if a := &out[i]; a.Lost != "" && planned > 0 {
			a.Missing = float64(a.Planned-a.Sent) / float64(planned)
		}
	}
	return out
}

// partial says which agents were lost, and how much of the schedule is missing for that.
func (u *Union) partial(agents []reports.Agent) string {
	if u.Early != "" {
		return u.Early
	}
	var out []string
	missing := 0.0
	for _, a := range agents {
		if a.Lost != "" {
			out = append(out, fmt.Sprintf("agent %s (%d/%d) %s", a.Name, a.Share.Index, a.Share.Of, a.Lost))
			missing += a.Missing
		}
	}
	if len(out) == 0 {
		return ""
	}
	return fmt.Sprintf("%s; %s%% of the schedule is missing", strings.Join(out, ", "), significant(100*missing))
}

// cpus are the processors of the machines, of which several agents may share one.
func cpus(agents []reports.Agent) int {
	hosts, sum := map[string]bool{}, 0
	for _, a := range agents {
		if !hosts[a.Host] || a.Host == "" {
			sum += a.CPUs
		}
		hosts[a.Host] = true
	}
	return sum
}

// Ahead is how far the clock of an agent may be off before it is told.
const Ahead = apart

// notices are what a reader must know of the agents.
func (u *Union) notices(agents []reports.Agent) []string {
	out := []string{fmt.Sprintf("%s sent the plan together: counts and histograms were added. In charts over time percentiles are those of the worst agent, second by second.", reports.Plural(len(agents), "agent", "agents"))}
	if u.Unique != "" {
		out = append(out, u.Unique)
	}
	var shared []string
	hosts := map[string]int{}
	for _, a := range agents {
		if hosts[a.Host]++; hosts[a.Host] == 2 && a.Host != "" {
			shared = append(shared, a.Host)
		}
	}
	if len(shared) > 0 {
		out = append(out, fmt.Sprintf("Several agents ran on %s, and shared its processors.", list(shared)))
	}
	for _, a := range agents {
		if off := time.Duration(a.ClockOffsetUS) * time.Microsecond; off.Abs() > apart {
			way := "ahead"
			if off < 0 {
				way = "behind"
			}
			out = append(out, fmt.Sprintf("The clock of agent %s was %v %s; its start was corrected for that.", a.Name, off.Abs().Round(time.Millisecond), way))
		}
		if skew := time.Duration(a.StartSkewUS) * time.Microsecond; skew.Abs() > apart {
			out = append(out, fmt.Sprintf("Agent %s started %v from the moment agreed on: the load was not the plan's at every moment.", a.Name, skew.Round(time.Millisecond)))
		}
	}
	return out
}
