package load

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"flowproof/reports"
)

// A Part is what is known of a shard that another process sends, while it does: its head and its intervals.
type Part struct {
	head   Head
	sum    merger
	recent []mergedSteps // of the last intervals
	now    Snapshot
	start  *Start
}

type mergedSteps []mergedStep

// intervalsRecent are those that make the percentiles of a Snapshot.
const intervalsRecent = int(recently * time.Second / intervalEvery)

// NewPart is a part of which nothing but the head is known.
func NewPart(h Head) *Part { return &Part{head: h} }

// Add adds an interval. Its error says that the interval cannot be read; what was added of it stays.
func (p *Part) Add(i Interval) error {
	var err error
	if p.sum.steps, err = addSteps(p.sum.steps, i.Steps); err != nil {
		return fmt.Errorf("load: an interval: %w", err)
	}
	if p.sum.warm, err = addSteps(p.sum.warm, i.WarmUp); err != nil {
		return fmt.Errorf("load: an interval: %w", err)
	}
	if err := p.sum.addSeries(i.Seconds, 0); err != nil {
		return fmt.Errorf("load: an interval: %w", err)
	}
	for _, v := range i.Violations {
		p.sum.addViolation(v)
	}
	fresh, err := addSteps(nil, i.Steps)
	if err != nil {
		return fmt.Errorf("load: an interval: %w", err)
	}
	p.recent = append(p.recent, fresh)
	p.recent = p.recent[max(len(p.recent)-intervalsRecent, 0):]
	p.now = i.Now
	if i.First != nil {
		p.start = i.First
	}
	return nil
}

// Start is when the first request was sent, as far as that is known.
func (p *Part) Start() *Start { return p.start }

// Planned is how many requests the whole part has, as far as the schedule tells.
func (p *Part) Planned() int64 {
	var n int64
	for _, s := range p.head.Steps {
		n += s.Planned
	}
	return n
}

// Sent is how many measured requests the intervals have.
func (p *Part) Sent() int64 {
	var n int64
	for _, s := range p.sum.steps {
		n += s.sent
	}
	return n
}

// Agrees tells what differs between the sum of the intervals and the record of the same part; nothing if they agree.
func (p *Part) Agrees(l reports.Load) error {
	whole, err := addSteps(nil, l.Steps)
	if err != nil {
		return fmt.Errorf("load: the record: %w", err)
	}
	for _, of := range whole {
		var sum mergedStep
		for _, s := range p.sum.steps {
			if s.name == of.name {
				sum = s
			}
		}
		if sum.sent != of.sent || sum.answered != of.answered || sum.verified != of.verified || sum.failed() != of.failed() || of.latency != nil && !of.latency.Equals(sum.latency) {
			return fmt.Errorf("load: %s: the intervals add up to %s, and the record has %s", of.name, requests(sum.sent), requests(of.sent))
		}
	}
	return nil
}

// Record is that of what was reported since the start, which was the moment began, when no more will come, and why not.
func (p *Part) Record(began time.Time, why string) reports.Load {
	l := p.head.Load
	began = began.Add(time.Duration(l.Plan.WarmUpMS) * time.Millisecond)
	l.Started, l.DurationMS, l.Partial = began.UTC().Format(time.RFC3339Nano), max(p.now.Elapsed, 0).Milliseconds(), why
	l.Verdict, l.Series, l.Violations = reports.Inconclusive, p.sum.series, p.sum.violations
	l.Steps, l.WarmUp = filled(l.Steps, p.sum.steps), filled(l.WarmUp, p.sum.warm)
	return l
}

// filled are the planned steps with what was counted of them.
func filled(planned []reports.Step, counted []mergedStep) []reports.Step {
	var out []reports.Step
	for _, s := range planned {
		t, n := tally{}, s.Planned
		for i := range counted {
			if counted[i].name == s.Name {
				t, n = counted[i].tally, max(s.Planned, counted[i].sent)
			}
		}
		out = append(out, t.record(s.Name, n, s.Hostile))
	}
	return out
}

// StatusOf is the parts together, as they stand: counts and histograms are added.
func StatusOf(parts []*Part) Status {
	var out Status
	var steps, recent []mergedStep
	failing, broken := map[string]int64{}, map[string]int64{}
	findings := map[string]FindingStatus{}
	for n, p := range parts {
		if n == 0 || p.now.Elapsed > out.Elapsed {
			out.Elapsed = p.now.Elapsed
		}
		out.Duration = max(out.Duration, p.now.Duration, time.Duration(p.head.Plan.DurationMS)*time.Millisecond)
		out.Planned += p.now.Planned
		out.Sent += p.now.Sent
		out.Answered += p.now.Answered
		out.Verified += p.now.Verified
		out.Throttled += p.now.Throttled
		out.Errors += p.now.Errors
		out.InFlight += p.now.InFlight
		out.Intended += p.now.Intended
		out.Rate += p.now.Rate
		for _, c := range p.now.Failing {
			failing[c.Name] += c.N
		}
		for _, v := range p.sum.violations {
			broken[v.Requirement] += v.Count
			key := v.Requirement + " " + string(v.Verdict)
			findings[key] = FindingStatus{v.Requirement, v.Verdict, findings[key].N + v.Count}
		}
		steps = together(steps, p.sum.steps)
		for _, r := range p.recent {
			recent = together(recent, r)
		}
	}
	out.Failing, out.Broken = counts(failing), counts(broken)
	for _, key := range slices.Sorted(maps.Keys(findings)) {
		out.Findings = append(out.Findings, findings[key])
	}
	for i := range steps {
		t := &steps[i]
		out.Steps = append(out.Steps, StepStatus{
			Name: t.name, Sent: t.sent, Answered: t.answered, Verified: t.verified, Throttled: t.throttled, Tardy: t.late,
			Errors: counts(t.errors), Latency: distribution(t.latency), Service: distribution(t.service),
		})
	}
	var last tally
	for i := range recent {
		last.merge(&recent[i].tally)
	}
	if last.latency != nil {
		out.P50 = time.Duration(last.latency.ValueAtPercentile(50)) * time.Microsecond
		out.P99 = time.Duration(last.latency.ValueAtPercentile(99)) * time.Microsecond
	}
	return out
}

// together adds steps to others by their names.
func together(to, steps []mergedStep) []mergedStep {
	for i := range steps {
		s := &steps[i]
		at := -1
		for n := range to {
			if to[n].name == s.name {
				at = n
			}
		}
		if at < 0 {
			at, to = len(to), append(to, mergedStep{name: s.name, hostile: s.hostile})
		}
		to[at].merge(&s.tally)
	}
	return to
}
