package load

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"flowproof/reports"
)

// apart is how far the starts of shards may lie from one another without a word about it.
const apart = 100 * time.Millisecond

// A shardRecord is the record of one shard.
type shardRecord struct {
	reports.Load
	agent        string // that sent it; empty: nobody knows
	began, ended time.Time
}

func (s shardRecord) part() string { return fmt.Sprintf("%d/%d", s.Plan.Shard.Index, s.Plan.Shard.Of) }

func (s shardRecord) name() string {
	if s.agent != "" {
		return "agent " + s.agent
	}
	return shardsNamed([]string{s.part()})
}

// Merge adds the records of a plan's shards up, as if one process had sent it all: counts and histograms
// exactly, seconds by the clock on the wall. Where shards are missing it refuses, or, if it may, marks the
// record as partial. Thresholds and the verdict are those of the whole.
func Merge(records []reports.Load, partial bool) (reports.Load, error) {
	return merge(records, partial, nil)
}

// merge adds up what single machines sent, or what agents did.
func merge(records []reports.Load, partial bool, u *Union) (reports.Load, error) {
	least := 2
	if u != nil {
		least = 1
	}
	shards, err := sorted(records, least)
	if err != nil {
		return reports.Load{}, err
	}
	missing := missingShards(shards)
	if len(missing) > 0 && !partial {
		return reports.Load{}, fmt.Errorf("load: %s missing; add the records, or allow a partial one", missing)
	}
	if u != nil {
		for i := range shards {
			shards[i].agent = u.Agents[i].Name
		}
	}
	first := shards[0].Load
	out := reports.Load{Schema: reports.LoadSchema, Tool: first.Tool, Target: first.Target, Plan: first.Plan, Machine: first.Machine}
	out.Plan.Shard = nil
	start, end := shards[0].began, shards[0].ended
	for _, s := range shards[1:] {
		if s.began.Before(start) {
			start = s.began
		}
		if s.ended.After(end) {
			end = s.ended
		}
	}
	out.Started, out.DurationMS = start.UTC().Format(time.RFC3339Nano), end.Sub(start).Milliseconds()
	var m merger
	for _, s := range shards {
		if err := m.add(s.Load, s.name(), int(math.Round(s.began.Sub(start).Seconds()))); err != nil {
			return reports.Load{}, fmt.Errorf("load: %s: %w", s.name(), err)
		}
	}
	out.Machine.CPUs, out.Rate.Intended = m.cpus, m.intended
	m.partial = append(missingWords(missing), m.partial...)
	if u != nil {
		out.Agents = u.fill(shards)
		out.Machine.CPUs = cpus(out.Agents)
		m.partial, m.lenient = slices.DeleteFunc([]string{u.partial(out.Agents)}, func(s string) bool { return s == "" }), u.Lenient && u.Early == ""
		for _, v := range u.Repeats {
			m.addViolation(v)
		}
	}
	if err := m.sum(&out, end.Sub(start)); err != nil {
		return reports.Load{}, err
	}
	out.Notices = notices(shards, start, u, out.Agents)
	return out, nil
}

// sum makes what was added the figures of a record, and judges it.
func (m *merger) sum(out *reports.Load, span time.Duration) error {
	out.Series, out.Violations, out.Generator = m.series, m.violations, m.generator
	for _, s := range m.steps {
		out.Steps = append(out.Steps, s.record(s.name, s.planned, s.hostile))
	}
	for _, s := range m.warm {
		out.WarmUp = append(out.WarmUp, s.record(s.name, s.planned, s.hostile))
	}
	out.Reference = m.reference
	if !m.lenient {
		out.Partial = strings.Join(m.partial, "; ")
	}
	if err := m.judge(out, span); err != nil {
		return err
	}
	out.Partial = strings.Join(m.partial, "; ")
	if m.aborted && out.Generator.Bottleneck == "" {
		out.Verdict = reports.Fail
	}
	return nil
}

// sorted are the records by shard, if they belong together and are of so many shards at least.
func sorted(records []reports.Load, least int) ([]shardRecord, error) {
	if len(records) == 0 {
		return nil, errors.New("load: there is nothing to merge")
	}
	var out []shardRecord
	for i, l := range records {
		first := records[0]
		switch {
		case l.Capacity != nil:
			return nil, fmt.Errorf("load: record %d is that of a search for the capacity, which has no shards", i+1)
		case l.Plan.Shard == nil:
			return nil, fmt.Errorf("load: record %d is that of a whole plan and not of a shard (load --shard 1/3 makes those)", i+1)
		case l.Plan.Hash == "" || l.Plan.Hash != first.Plan.Hash:
			return nil, fmt.Errorf("load: records 1 and %d are of different plans (%s and %s)", i+1, short(first.Plan.Hash), short(l.Plan.Hash))
		case l.Plan.Shard.Of != first.Plan.Shard.Of:
			return nil, fmt.Errorf("load: records 1 and %d are of plans that were shared out differently, among %d and among %d", i+1, first.Plan.Shard.Of, l.Plan.Shard.Of)
		case l.Plan.Shard.Of < least || l.Plan.Shard.Of > mostShards || l.Plan.Shard.Index < 1 || l.Plan.Shard.Index > l.Plan.Shard.Of:
			return nil, fmt.Errorf("load: record %d says that it is shard %d/%d, which there is not", i+1, l.Plan.Shard.Index, l.Plan.Shard.Of)
		case l.Target.Name != first.Target.Name:
			return nil, fmt.Errorf("load: records 1 and %d are of different targets, %s and %s", i+1, first.Target.Name, l.Target.Name)
		}
		began, err := time.Parse(time.RFC3339Nano, l.Started)
		if err != nil {
			return nil, fmt.Errorf("load: record %d does not say when it started: %w", i+1, err)
		}
		s := shardRecord{l, "", began, began.Add(time.Duration(l.DurationMS) * time.Millisecond)}
		if slices.ContainsFunc(out, func(o shardRecord) bool { return o.Plan.Shard.Index == s.Plan.Shard.Index }) {
			return nil, fmt.Errorf("load: %s is there twice", s.name())
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b shardRecord) int { return a.Plan.Shard.Index - b.Plan.Shard.Index })
	return out, nil
}

func short(hash string) string {
	if hash == "" {
		return "no hash"
	}
	return hash[:min(len(hash), 12)]
}

// missingShards names the shards that are not there, and is empty when they all are.
func missingShards(shards []shardRecord) string {
	of := shards[0].Plan.Shard.Of
	var out []string
	for i := 1; i <= of; i++ {
		if !slices.ContainsFunc(shards, func(s shardRecord) bool { return s.Plan.Shard.Index == i }) {
			out = append(out, fmt.Sprintf("%d/%d", i, of))
		}
	}
	switch len(out) {
	case 0:
		return ""
	case 1:
		return shardsNamed(out) + " is"
	}
	return shardsNamed(out) + " are"
}

func missingWords(missing string) []string {
	if missing == "" {
		return nil
	}
	return []string{missing + " missing"}
}

// A merger adds records up.
type merger struct {
	steps, warm []mergedStep
	series      []reports.Second
	violations  []reports.Violation
	generator   reports.Generator
	cpus        int
	intended    float64
	partial     []string
	aborted     bool
	lenient     bool // it is judged as if nothing was missing
	reference   *reports.Reference
	referred    mergedStep // its answers
}

// A mergedStep is a step of all shards.
type mergedStep struct {
	tally
	name    string
	planned int64
	hostile bool
}

// add adds a record that goes by a name, and whose first second is the sum's so-manieth.
func (m *merger) add(s reports.Load, name string, from int) error {
	var err error
	if m.steps, err = addSteps(m.steps, s.Steps); err != nil {
		return err
	}
	if m.warm, err = addSteps(m.warm, s.WarmUp); err != nil {
		return err
	}
	if err := m.addSeries(s.Series, from); err != nil {
		return err
	}
	for _, v := range s.Violations {
		m.addViolation(v)
	}
	g, one := &m.generator, s.Generator
	g.CPUSeconds += one.CPUSeconds
	g.MaxRSSBytes += one.MaxRSSBytes
	g.LatenessP99US, g.LatenessMaxUS = max(g.LatenessP99US, one.LatenessP99US), max(g.LatenessMaxUS, one.LatenessMaxUS)
	g.Late += one.Late
	g.GCPauseUS += one.GCPauseUS
	g.StoodStillMS += one.StoodStillMS
	g.GCPauseMaxUS = max(g.GCPauseMaxUS, one.GCPauseMaxUS)
	if one.Bottleneck != "" && g.Bottleneck == "" {
		g.Bottleneck = name + ": " + one.Bottleneck
	}
	m.cpus += s.Machine.CPUs
	m.intended += s.Rate.Intended
	if s.Reference != nil {
		if err := m.addReference(*s.Reference); err != nil {
			return err
		}
	}
	if s.Partial != "" {
		m.partial = append(m.partial, name+": "+s.Partial)
		m.aborted = m.aborted || s.Verdict == reports.Fail && strings.HasPrefix(s.Partial, "stopped")
	}
	return nil
}

func (m *merger) addReference(r reports.Reference) error {
	of, err := addSteps(nil, []reports.Step{{Name: "reference", Latency: r.Latency, Service: r.Latency}})
	if err != nil {
		return err
	}
	m.referred.merge(&of[0].tally)
	if m.reference == nil {
		m.reference = &reports.Reference{Path: r.Path}
	}
	m.reference.Asked += r.Asked
	m.reference.Failed += r.Failed
	m.reference.Latency = histogram(m.referred.latency)
	return nil
}

func addSteps(to []mergedStep, steps []reports.Step) ([]mergedStep, error) {
	for _, s := range steps {
		i := slices.IndexFunc(to, func(m mergedStep) bool { return m.name == s.Name })
		if i < 0 {
			i, to = len(to), append(to, mergedStep{name: s.Name, hostile: s.Hostile})
		}
		t := tally{sent: s.Sent, answered: s.Answered, verified: s.Verified, throttled: s.Throttled, late: s.Late, errors: s.Errors}
		var err error
		if t.latency, err = stored(s.Latency); err == nil {
			t.service, err = stored(s.Service)
		}
		if err != nil {
			return nil, fmt.Errorf("step %s: %w", s.Name, err)
		}
		if (t.latency == nil) != (t.service == nil) {
			return nil, fmt.Errorf("step %s: it has only one of its two histograms", s.Name)
		}
		if t.latency != nil { // whatever its range was, it is added to one of ours
			own := tally{latency: hdrhistogram.New(1, longest, digits), service: hdrhistogram.New(1, longest, digits)}
			if own.latency.Merge(t.latency)+own.service.Merge(t.service) > 0 {
				return nil, fmt.Errorf("step %s: its histogram holds values that are beyond %v", s.Name, time.Hour)
			}
			t.latency, t.service = own.latency, own.service
		}
		to[i].merge(&t)
		to[i].planned += s.Planned
	}
	return to, nil
}

// mostSeconds bounds what a made-up record can ask for.
const mostSeconds = 30 * 24 * 3600

// addSeries adds the seconds of a shard that started so many seconds after the first one. Percentiles of a
// second cannot be added, so that the worst of them stands.
func (m *merger) addSeries(series []reports.Second, offset int) error {
	for _, s := range series {
		at := s.Second + offset
		if at < 0 || at > mostSeconds {
			return fmt.Errorf("second %d lies outside any run", at)
		}
		for len(m.series) <= at {
			m.series = append(m.series, reports.Second{Second: len(m.series)})
		}
		to := &m.series[at]
		to.Planned += s.Planned
		to.Sent += s.Sent
		to.Answered += s.Answered
		to.Errors += s.Errors
		to.P50US, to.P99US = max(to.P50US, s.P50US), max(to.P99US, s.P99US)
		to.ReferenceUS = max(to.ReferenceUS, s.ReferenceUS)
		to.MaxUS, to.ServiceP99US = max(to.MaxUS, s.MaxUS), max(to.ServiceP99US, s.ServiceP99US)
	}
	return nil
}

// addViolation adds the counts, and keeps the first and the slowest exchange.
func (m *merger) addViolation(v reports.Violation) {
	i := slices.IndexFunc(m.violations, func(o reports.Violation) bool {
		return o.Requirement == v.Requirement && o.Message == v.Message
	})
	if i < 0 {
		m.violations = append(m.violations, v)
		return
	}
	to := &m.violations[i]
	to.Count += v.Count
	to.Verdict = reports.Worst(to.Verdict, v.Verdict)
	slowest := to.First
	for _, x := range []*reports.Exchange{to.Worst, &v.First, v.Worst} {
		if x != nil && x.DurationUS > slowest.DurationUS {
			slowest = *x
		}
	}
	if v.First.Method != "" && (to.First.Method == "" || v.First.Started < to.First.Started) {
		to.First = v.First
	}
	to.Worst = nil
	if slowest.DurationUS > to.First.DurationUS {
		to.Worst = &slowest
	}
}

// judge holds the plan's thresholds to the sum.
func (m *merger) judge(l *reports.Load, span time.Duration) error {
	j := newJudgement(span, l.Generator)
	for i := range m.steps {
		s := &m.steps[i]
		scenario := s.name
		for _, of := range l.Plan.Scenarios {
			if strings.HasPrefix(s.name, of.Name+".") {
				scenario = of.Name
			}
		}
		j.add(s.name, scenario, &s.tally, s.planned)
	}
	whole := j.tallies[""]
	l.Rate.Achieved = perSecond(whole.verified, span)
	var bounds []Threshold
	for _, text := range l.Plan.Thresholds {
		h, err := ParseThreshold(text)
		if err != nil {
			return fmt.Errorf("load: the plan of the records: %w", err)
		}
		bounds = append(bounds, h)
		l.Thresholds = append(l.Thresholds, j.judge(h))
	}
	l.Verdict = verdict(l, bounds, whole, j.ours(whole))
	return nil
}
