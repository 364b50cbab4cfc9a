package main

import (
	"fmt"
	"strings"
	"time"

	"flowproof/drivers/load"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// search is the search for the capacity that the flags ask for, with how long it takes at the very most.
func (f loadFlags) search(p load.Plan, given func(flag string) bool) (load.Capacity, time.Duration, error) {
	var c load.Capacity
	for _, name := range []string{"duration", "count", "threshold", "shard", "start-at", "closed"} {
		if given(name) {
			return c, 0, misused("--%s does not go with --capacity, which runs many steps of its own; leave one of them out", name)
		}
	}
	objective, err := load.ParseObjective(f.capacity)
	if err != nil {
		return c, 0, misused("--capacity: %w", err)
	}
	c.Objective, c.Step = objective, f.capacityStep
	if given("rate") {
		if c.Start, err = load.ParseRate(f.rate); err != nil {
			return c, 0, misused("--rate: %w", err)
		}
	}
	if f.maxRate != "" {
		if c.Most, err = load.ParseRate(f.maxRate); err != nil {
			return c, 0, misused("--max-rate: %w", err)
		}
	}
	longest, err := c.Check(p)
	if err != nil {
		return c, 0, misused("--capacity: %s (--rate is where it begins, --capacity-step how long a step takes, --max-rate where it ends)", strings.TrimPrefix(err.Error(), "load: "))
	}
	return c, longest, nil
}

// searched runs the search for the capacity.
func (f loadFlags) searched(c console, t target.Target, p load.Plan, find func(load.Capacity) (reports.Load, error)) (reports.Load, error) {
	if f.find.Most == 0 && p.MaxRate == 0 && !t.Loopback() {
		return reports.Load{}, fmt.Errorf("a search goes on until %s gives way, which is not on this machine; say how far it may go: --max-rate 2000/s", t.Name)
	}
	s, longest := *f.find, f.longest.Round(time.Second)
	c.say("capacity: doubles the rate until %s no longer hold, then closes in; steps of %v, and twice that to confirm; %v at the very most", bounds(s.Objective), s.Step, longest)
	n := 0
	s.Say = func(step reports.CapacityStep) {
		n++
		c.say("step %d: %.0f/s for %v: %s", n, step.Rate, (time.Duration(step.DurationMS) * time.Millisecond).Round(100*time.Millisecond), said(step))
	}
	return find(s)
}

func said(s reports.CapacityStep) string {
	p99 := time.Duration(s.P99US) * time.Microsecond
	switch {
	case s.Held:
		return fmt.Sprintf("held, p99 %v, %.2g%% errors", p99.Round(10*time.Microsecond), 100*s.Errors)
	case s.Bottleneck != "":
		return "did not hold, and the load generator was busy: " + s.Bottleneck
	}
	return s.Why
}

func bounds(hs []load.Threshold) string {
	var out []string
	for _, h := range hs {
		out = append(out, h.String())
	}
	return strings.Join(out, ", ")
}
