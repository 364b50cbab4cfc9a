package reports

import (
	"encoding/json"
	"strings"
)

// searchWords says in a line what a search for the capacity looked for, and with what.
func (l Load) searchWords() string {
	p := l.Plan
	p.Rate, p.DurationMS, p.Count, p.Stages = 0, 0, 0, nil
	return oneLine(joined(" · ", "with "+strings.Join(l.Capacity.Objective, ", "), p.words(), tokenWords(l.Target.Tokens)))
}

// searchPlan tells the plans of searches apart. A search makes up rates and times of its own, which are no part of it.
func (l Load) searchPlan() string {
	p := l.Plan
	p.Rate, p.DurationMS, p.WarmUpMS, p.Stages, p.Hash = 0, 0, 0, nil, ""
	text, err := json.Marshal(p)
	if err != nil {
		return l.Plan.Hash
	}
	return string(text)
}

// addSearch adds what a search found. A rate that was not confirmed stands in the table alone.
func (t *trend) addSearch(r run, l Load) {
	c := l.Capacity
	t.Head, r.Headline = []string{"capacity", "no longer at", "p50", "p99"}, shown(l.headline())
	above := "–"
	if c.Failed > 0 {
		above = perSecond(c.Failed)
	}
	if r.Headline.Verdict != Inconclusive {
		r.figures["held"], r.words["held"] = c.Held, "capacity "+c.words()
		if c.Failed > 0 {
			r.figures["no longer held"] = c.Failed
		}
	}
	r.Cells = append([]string{c.words(), above}, r.latency(l)...)
	t.Runs = append(t.Runs, r)
	t.draws = func(t *trend) []trendChart {
		return []trendChart{t.chart("Capacity", perSecond, false, [2]string{"held", "answered"}, [2]string{"no longer held", "max"}), t.latencyChart("Latency at that rate")}
	}
}
