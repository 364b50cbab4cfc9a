package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"flowproof/drivers/target"
	"flowproof/reports"
)

// A Capacity asks for the highest rate that a target holds.
type Capacity struct {
	Objective []Threshold   // what holding means, upper bounds all of them; ParseObjective adds what goes without saying
	Start     float64       // the rate to begin with; 0: the lowest of the plan
	Most      float64       // no higher rate is tried; 0: no bound but the plan's
	Step      time.Duration // how long a rate is held at least; 0: 5 s
	Say       func(reports.CapacityStep)
	Begin     func(rate float64, length time.Duration) // a step begins
}

const (
	defaultStep = 5 * time.Second
	longestStep = 30 * time.Second // unless steps are that long anyway
	shortest    = 500 * time.Millisecond
	rest        = 200 * time.Millisecond // between two steps
	longestRest = 5 * time.Second
)

// ParseObjective reads bounds with commas between them, such as p99<250ms,errors<0.1%. Where they say nothing
// of errors, of throttled requests or of those that could not be sent, a thousandth of each is allowed.
func ParseObjective(s string) ([]Threshold, error) {
	var out []Threshold
	seen := map[string]bool{}
	for _, part := range strings.Split(s, ",") {
		h, err := ParseThreshold(part)
		if err != nil {
			return nil, err
		}
		if h.op != "<" && h.op != "<=" || h.metric == "rate" {
			return nil, fmt.Errorf("objective %q: a search takes upper bounds, such as p99<250ms or errors<0.1%%", h)
		}
		seen[h.metric] = true
		out = append(out, h)
	}
	for _, metric := range []string{"errors", "throttled", "unsent"} {
		if !seen[metric] {
			out = append(out, Threshold{expression: metric + "<0.1%", metric: metric, op: "<", bound: 0.001})
		}
	}
	return out, nil
}

// completed fills in the defaults of a search over the plan, or tells what is wrong with it.
func (c Capacity) completed(p Plan) (Capacity, error) {
	p = p.completed(0)
	if p.Model != Open {
		return c, errors.New("load: a search for the capacity needs the open model")
	}
	if p.Shard.Of > 1 {
		return c, errors.New("load: a search for the capacity cannot be shared out; leave the shard out")
	}
	if c.Step == 0 {
		c.Step = defaultStep
	}
	if c.Step < shortest || c.Step > time.Hour {
		return c, fmt.Errorf("load: a step of the search takes from %v to 1h, not %v", shortest, c.Step)
	}
	if c.Start == 0 {
		for _, s := range p.Stages {
			if s.Rate > 0 && (c.Start == 0 || s.Rate < c.Start) {
				c.Start = s.Rate
			}
		}
	}
	if c.Most == 0 {
		c.Most = mostRate
	}
	if p.MaxRate > 0 {
		c.Most = min(c.Most, p.MaxRate)
	}
	if !(c.Start > 0) || c.Start > c.Most {
		return c, fmt.Errorf("load: a search from %s/s to %s/s has no rate to try", significant(c.Start), significant(c.Most))
	}
	c.Objective = append(c.Objective, p.Thresholds...)
	for _, h := range c.Objective {
		if need := c.need(p, h, c.Start); need > max(c.Step, longestStep) {
			return c, fmt.Errorf("load: %s takes %d answers to tell, which are %v at %s/s; begin with a higher rate, or make the steps as long", h, h.samples(), need.Round(time.Second), significant(c.Start))
		}
	}
	return c, nil
}

// need is how long a rate has to be held so that a bound can be told, with something to spare.
func (c Capacity) need(p Plan, h Threshold, rate float64) time.Duration {
	if h.metric != "p" {
		return 0
	}
	share := 1.0
	if h.step != "" {
		mine, all := 0, 0
		for _, s := range p.Scenarios {
			all += s.Weight
			if s.Name == h.step || strings.HasPrefix(h.step, s.Name+".") {
				mine += s.Weight
			}
		}
		share = float64(max(mine, 1)) / float64(max(all, 1))
	}
	return time.Duration(math.Ceil(1.1 * float64(h.samples()) / (rate * share) * float64(time.Second)))
}

// length is how long a rate is held.
func (c Capacity) length(p Plan, rate float64) time.Duration {
	d := c.Step
	for _, h := range c.Objective {
		d = max(d, c.need(p, h, rate))
	}
	return d
}

// warmUp lets a step begin before it counts, so that what the step before left behind is over.
func (c Capacity) warmUp(p Plan) time.Duration {
	if p.WarmUp > 0 {
		return p.WarmUp
	}
	return min(c.Step/5, 2*time.Second)
}

// limit bounds the whole search.
func (c Capacity) limit(p Plan) time.Duration {
	return 40*(c.Step+c.warmUp(p)+rest) + 4*c.length(p, c.Start)
}

// Check tells what is wrong with the search, as far as that can be told without a target, and how long it
// takes at the very most.
func (c Capacity) Check(p Plan) (longest time.Duration, err error) {
	c, err = c.completed(p)
	if err != nil {
		return 0, err
	}
	p = p.completed(0)
	return c.limit(p) + c.warmUp(p) + longestRest + p.Timeout, nil // the last step begins within the limit
}

// Find searches for the highest rate at which the target keeps the objective under the plan's scenarios. The
// plan's stages, its count and its duration give way to the search's. An error means that nothing was observed.
func (c Capacity) Find(ctx context.Context, t target.Target, p Plan, o Options) (reports.Load, error) {
	ready, err := c.Plan(p)
	if err != nil {
		return reports.Load{}, err
	}
	r, err := Prepare(ctx, t, ready, o)
	if err != nil {
		return reports.Load{}, err
	}
	defer r.Close()
	return c.FindWith(ctx, p, r)
}

// ErrNoMore is the error of a Runner that can send nothing any more, whatever the rate.
var ErrNoMore = errors.New("no more can be sent")

// A Runner runs a plan's stages again and again: a Rig does, and so do many of them on other machines.
type Runner interface {
	Run(ctx context.Context, stages ...Stage) (reports.Load, error)
}

// Plan is the plan that a Runner has to be ready for when the search is over this one.
func (c Capacity) Plan(p Plan) (Plan, error) {
	c, err := c.completed(p)
	if err != nil {
		return p, err
	}
	p.Thresholds, p.Count = c.Objective, 0
	p.WarmUp = c.warmUp(p)
	p.Rate, p.Duration, p.Stages = 0, 0, []Stage{{Rate: c.Start, Duration: c.Step}}
	return p, nil
}

// FindWith is Find with the requests sent by the runner, which is ready for what Plan made of p.
func (c Capacity) FindWith(ctx context.Context, p Plan, r Runner) (reports.Load, error) {
	c, err := c.completed(p)
	if err != nil {
		return reports.Load{}, err
	}
	ready, err := c.Plan(p)
	if err != nil {
		return reports.Load{}, err
	}
	return c.find(ctx, ready.completed(0), r.Run)
}

// find is Find over whatever runs stages.
func (c Capacity) find(ctx context.Context, p Plan, run func(context.Context, ...Stage) (reports.Load, error)) (reports.Load, error) {
	h := &holder{run: run, begin: c.Begin, say: c.Say, warmUp: p.WarmUp}
	s := &search{start: c.Start, most: c.Most, length: func(rate float64) time.Duration { return c.length(p, rate) }, limit: c.limit(p)}
	if err := s.run(ctx, h); err != nil {
		return reports.Load{}, err
	}
	if len(s.trials) == 0 {
		return reports.Load{}, errors.New("load: the search has no time for a single step")
	}
	return s.record(h, c.Objective), nil
}

// record is that of the last run at the rate that held, with the search in it.
func (s *search) record(h *holder, objective []Threshold) reports.Load {
	found := s.result()
	at := len(s.trials) - 1
	for i, t := range s.trials {
		if found.Held > 0 && t.Held && t.Rate == found.Held {
			at = i
		}
	}
	l := h.records[at]
	for _, o := range objective {
		found.Objective = append(found.Objective, o.String())
	}
	l.Capacity = &found
	switch {
	case found.Held > 0 && found.Confirmed:
		l.Verdict = reports.Pass
	case found.Held == 0 && s.failed > 0 && !s.wall:
		l.Verdict = reports.Fail
	default:
		l.Verdict = reports.Inconclusive
	}
	l.Partial = ""
	if s.stopped {
		l.Partial = "interrupted"
	}
	if h.broke != "" {
		l.Partial, l.Capacity.Limit, l.Verdict = h.broke, h.broke, reports.Inconclusive
	}
	l.Notices = append(l.Notices, "Uniqueness was checked over all steps of the search together.")
	return l
}

// A holder holds rates on a rig.
type holder struct {
	run     func(context.Context, ...Stage) (reports.Load, error)
	begin   func(rate float64, length time.Duration)
	say     func(reports.CapacityStep)
	warmUp  time.Duration
	pause   time.Duration // before the next step, for a backlog to drain
	records []reports.Load
	broke   string // why no more can be sent
}

func (h *holder) probe(ctx context.Context, rate float64, length time.Duration) (trial, error) {
	began := time.Now()
	if len(h.records) > 0 && !idle(ctx, h.pause) {
		return h.interrupted(), nil
	}
	if h.begin != nil {
		h.begin(rate, h.warmUp+length)
	}
	l, err := h.run(ctx, Stage{Rate: rate, Duration: length})
	if err != nil && ctx.Err() != nil && len(h.records) > 0 {
		return h.interrupted(), nil
	}
	if errors.Is(err, ErrNoMore) && len(h.records) > 0 {
		h.broke = strings.TrimPrefix(err.Error(), "load: ")
		return h.interrupted(), nil
	}
	if err != nil && len(h.records) > 0 { // it was there before
		h.records = append(h.records, h.records[len(h.records)-1])
		return trial{CapacityStep: reports.CapacityStep{Why: strings.TrimPrefix(err.Error(), "load: ")}, took: time.Since(began), finished: true}, nil
	}
	if err != nil {
		return trial{}, err
	}
	h.records = append(h.records, l)
	t := tried(l)
	t.Rate, t.took, t.finished = rate, time.Since(began), ctx.Err() == nil
	if !t.finished {
		t.Held, t.ours, t.Why = false, false, "interrupted"
	}
	h.pause = rest
	if !t.Held { // requests that were given up may still be with the server
		h.pause = min(max(h.pause, 2*time.Duration(t.P99US)*time.Microsecond), longestRest)
	}
	if h.say != nil {
		h.say(t.CapacityStep)
	}
	return t, nil
}

// interrupted is a trial that was not made.
func (h *holder) interrupted() trial {
	h.records = append(h.records, h.records[len(h.records)-1])
	return trial{CapacityStep: reports.CapacityStep{Why: "interrupted before it began"}}
}

// tried reads a record as a step of a search.
func tried(l reports.Load) trial {
	var sent, failed int64
	for _, s := range l.Steps {
		sent, failed = sent+s.Sent, failed+s.Failed()
	}
	t := trial{CapacityStep: reports.CapacityStep{Intended: l.Rate.Intended, Achieved: l.Rate.Achieved, DurationMS: l.DurationMS, Sent: sent, Bottleneck: l.Generator.Bottleneck}}
	if sent > 0 {
		t.Errors = float64(failed) / float64(sent)
	}
	t.P50US, t.P99US = l.Percentile(50), l.Percentile(99)
	var wrong bool
	t.Why, wrong = broken(l)
	t.Held = t.Why == ""
	if wrong {
		t.Bottleneck = ""
	}
	t.ours = !t.Held && t.Bottleneck != ""
	return t
}

// broken tells why a run did not hold, and whether that was a wrong answer, which no generator can be blamed for.
func broken(l reports.Load) (why string, wrong bool) {
	for _, v := range l.Violations {
		if v.Verdict == reports.Fail {
			return fmt.Sprintf("%s broke %s", reports.Plural(v.Count, "answer", "answers"), v.Requirement), true
		}
	}
	var out []string
	for _, h := range l.Thresholds {
		switch {
		case h.Held:
		case h.Shown != "" && strings.HasPrefix(h.Expression, "unsent") && l.Generator.Bottleneck == "":
			out = append(out, fmt.Sprintf("%s was broken with %s, every connection being busy", h.Expression, h.Shown))
		case h.Shown != "":
			out = append(out, fmt.Sprintf("%s was broken with %s", h.Expression, h.Shown))
		default:
			out = append(out, fmt.Sprintf("%s could not be told (%s)", h.Expression, h.Reason))
		}
	}
	if len(out) == 0 && l.Partial != "" {
		out = append(out, l.Partial)
	}
	return strings.Join(out, ", "), false
}
