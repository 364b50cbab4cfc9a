package reports

import (
	"fmt"
	"strings"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"

	"flowproof/suites/catalogue"
)

type loadPage struct {
	frame
	Tiles      []tile
	Capacity   *capacityView
	Thresholds []thresholdView
	Baseline   *comparisonPage
	Charts     []chart
	Steps      []stepView
	Columns    []string
	WarmUp     []string
	Errors     []classCount
	Violations []violationView
	Generator  []fact
	Health     headline
	Plan       []fact
	Agents     []agentView
	AgentHeads []string
}

// A tile is a figure that everybody asks for first.
type tile struct{ Name, Value, About string }

type thresholdView struct {
	Threshold
	Verdict Verdict
}

type violationView struct {
	Violation
	Verdict  Verdict
	Sentence string // of the requirement, where the catalogue knows it
	Source   string
	Slowest  any // an Exchange, or nothing
	Deciders deciders
}

type stepView struct {
	Step
	Name     string
	Latency  []string
	Service  []string
	Mistakes []classCount
}

func newLoadPage(l Load) loadPage {
	h := l.headline()
	latency := merged(l.Steps, func(s Step) Histogram { return s.Latency })
	service := merged(l.Steps, func(s Step) Histogram { return s.Service })
	p := loadPage{
		frame: frame{
			Kind: "load", Headline: h, Partial: l.Partial, Notices: l.Notices, Target: l.Target, Tool: l.Tool,
			Title: h.Word + " · " + l.Target.Name + " · flowproof load",
			Facts: facts("Started", moment(l.Started), "Took", span(l.DurationMS), "Profile", l.Target.judged(), "Tokens", tokenFact(l.Target.Tokens), "Made by", l.Tool.Name+" "+l.Tool.Version),
		},
		Tiles: l.tiles(latency), Columns: durationColumns(), Errors: l.errorCounts(),
		Plan: l.planFacts(), Generator: l.generatorFacts(), Health: l.health(),
	}
	p.AgentHeads, p.Agents = l.agentViews()
	p.Capacity = l.Capacity.view(l.Thresholds)
	for _, t := range l.Thresholds {
		p.Thresholds = append(p.Thresholds, thresholdView{t, t.verdict()})
	}
	if l.Baseline != nil {
		against := newComparisonPage(*l.Baseline)
		p.Baseline = &against
	}
	for _, v := range l.Violations {
		p.Violations = append(p.Violations, v.view())
	}
	for _, s := range l.Steps {
		p.Steps = append(p.Steps, stepView{s, flowWords(s.Name), s.Latency.columns(), s.Service.columns(), sortedCounts(s.Errors)})
	}
	for _, s := range l.WarmUp {
		p.WarmUp = append(p.WarmUp, fmt.Sprintf("%s: %s sent, %s verified", flowWords(s.Name), Grouped(s.Sent), Grouped(s.Verified)))
	}
	if points, each := overTime(l.Series); len(points) > 0 {
		p.Charts = []chart{latencyChart(points, each), percentileChart(latency, service, l.Thresholds), throughputChart(undrained(points, l), each, l.Plan.Model != "closed"), histogramChart(latency, service)}
		if c := errorChart(points, each); c.Empty == "" {
			p.Charts = append(p.Charts, c)
		}
	}
	return p
}

func (v Violation) view() violationView {
	row, _ := catalogue.ByID(v.Requirement)
	out := violationView{Violation: v, Verdict: v.verdict(), Sentence: row.Sentence, Source: row.Source}
	out.Deciders = decidersOf(Finding{Message: v.Message, Evidence: []Exchange{v.First}}, row.Sentence)
	if v.Worst != nil {
		out.Slowest = *v.Worst
	}
	return out
}

// undrained leaves out the seconds after the last request was due, in which only answers came.
func undrained(points []Second, l Load) []Second {
	if l.Plan.Model == "closed" {
		return points
	}
	for len(points) > 1 && points[len(points)-1].Planned == 0 {
		points = points[:len(points)-1]
	}
	return points
}

func (l Load) tiles(all *hdrhistogram.Histogram) []tile {
	tiles := l.Capacity.tiles()
	verified := tile{"Verified", perSecond(l.Rate.Achieved), "as many as the connections carried"}
	if l.Rate.Intended > 0 {
		verified.About = "of " + perSecond(l.Rate.Intended) + " intended, " + percent(l.Rate.Achieved, l.Rate.Intended)
	}
	tiles = append(tiles, verified)
	if all != nil {
		for _, p := range []struct {
			name  string
			share float64
			about string
		}{{"p50", 50, "half were faster"}, {"p99", 99, "99 of 100 were faster"}, {"p99.9", 99.9, "999 of 1,000 were faster"}} {
			tiles = append(tiles, tile{p.name, micros(float64(all.ValueAtPercentile(p.share))), p.about})
		}
		tiles = append(tiles, tile{"Slowest", micros(float64(all.Max())), "of " + Plural(all.TotalCount(), "answer", "answers")})
	}
	sent, wrong := l.sum(func(s Step) int64 { return s.Sent }), l.sum(Step.Failed)
	tiles = append(tiles, tile{"Errors", Grouped(wrong), percent(float64(wrong), float64(sent)) + " of " + Grouped(sent) + " sent"})
	for i := range tiles {
		tiles[i].About = strings.ReplaceAll(tiles[i].About, " %", "\u00a0%") // a line must not break there
	}
	return tiles
}

func (l Load) planFacts() []fact {
	p := l.Plan
	grants := make([]string, len(p.Grants))
	for i, g := range p.Grants {
		grants[i] = p.grant(i, g)
	}
	rate, warm, timeout := "", "", ""
	if p.Rate > 0 {
		rate = perSecond(p.Rate)
	}
	if p.WarmUpMS > 0 {
		warm = span(p.WarmUpMS)
	}
	if p.TimeoutMS > 0 {
		timeout = span(p.TimeoutMS)
	}
	connections := Grouped(p.Connections)
	if p.From > 0 {
		connections = Grouped(p.From) + " at first, up to " + connections
	}
	if p.Streams > 1 {
		connections += ", each with " + Plural(p.Streams, "stream", "streams")
	}
	if p.KeepAlive != nil && !*p.KeepAlive {
		connections += ", a new one for each request"
	}
	return facts("Name", p.Name, "Model", p.Model, "Rate", rate, "Stages", p.stageWords(), "Arrivals", p.Arrivals, "Duration", p.extent(), "Warm-up", warm, "Grants", strings.Join(grants, ", "),
		"Protocol", p.Protocol, "Nodes", strings.Join(p.Nodes, ", "), "Reference", l.Reference.words(), "Shard", p.Shard.words(), "Abort", strings.Join(p.Abort, ", "), "Hash", p.Hash,
		"Connections", connections, "Clients", strings.Join(p.Clients, ", "), "Users", strings.Join(p.Users, ", "), "Time-out", timeout)
}

// health says whether the figures are the server's or the generator's.
func (l Load) health() headline {
	if l.sum(func(s Step) int64 { return s.Sent }) == 0 {
		return headline{Inconclusive, "Idle", "Nothing was sent, so nothing is known of the server's speed."}
	}
	if l.Generator.Bottleneck != "" {
		return headline{Inconclusive, "Bottleneck", "The figures are the generator's, not the server's: " + l.Generator.Bottleneck}
	}
	return headline{Pass, "Kept up", "Requests left when they were due; the figures are the server's."}
}

func (l Load) generatorFacts() []fact {
	g, m := l.Generator, l.Machine
	cpu := three(g.CPUSeconds) + " s"
	if l.DurationMS > 0 && m.CPUs > 0 {
		cpu += ", " + percent(g.CPUSeconds, float64(l.DurationMS)/1000*float64(m.CPUs)) + " of " + Plural(m.CPUs, "core", "cores")
	}
	return facts("Sent late, p99", micros(float64(g.LatenessP99US)), "Sent late, at most", micros(float64(g.LatenessMaxUS)), "Processor", cpu, "Memory", bytesize(g.MaxRSSBytes),
		"GC pauses", micros(float64(g.GCPauseUS)), "Machine", joined(", ", machineFact(&m), m.Go))
}
