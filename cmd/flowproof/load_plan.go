package main

import (
	"fmt"
	"strconv"
	"strings"

	"flowproof/drivers/load"
)

// ofPlan are the flags that say what a plan file says.
func ofPlan() []string {
	return []string{"grant", "rate", "duration", "count", "warm-up", "connections", "closed", "new-connections", "timeout", "client", "user", "scope", "protocol", "reference"}
}

// plan is what the flags ask for, or the plan file with what they add.
func (f loadFlags) plan(given func(flag string) bool) (load.Plan, error) {
	p, err := f.wanted(given)
	if err != nil {
		return p, err
	}
	if f.shard != "" {
		var rest string
		if n, err := fmt.Sscanf(f.shard+" ", "%d/%d%s", &p.Shard.Index, &p.Shard.Of, &rest); n != 2 || p.Shard.Of < 1 || err == nil {
			return p, misused("--shard %s: write 1/3, 2/3 and 3/3", f.shard)
		}
	}
	if f.maxRate != "" {
		most, err := load.ParseRate(f.maxRate)
		if err != nil {
			return p, misused("--max-rate: %w", err)
		}
		if p.Peak() > most {
			return p, misused("the plan goes up to %g/s, above --max-rate %s; lower the one, or raise the other", p.Peak(), f.maxRate)
		}
	}
	for _, text := range f.thresholds {
		t, err := load.ParseThreshold(text)
		if err != nil {
			return p, misused("--threshold: %w", err)
		}
		p.Thresholds = append(p.Thresholds, t)
	}
	aborts := f.aborts
	if f.abortErrors != "" {
		percent, err := strconv.ParseFloat(strings.TrimSuffix(f.abortErrors, "%"), 64)
		if err != nil || percent <= 0 || percent > 100 {
			return p, misused("--abort-errors %s: give a share such as 50%%", f.abortErrors)
		}
		aborts = append(aborts, fmt.Sprintf("errors>%g%% for 5s", percent))
	}
	for _, text := range aborts {
		a, err := load.ParseAbort(text)
		if err != nil {
			return p, misused("--abort: %w", err)
		}
		p.Abort = append(p.Abort, a)
	}
	if err := p.Check(); err != nil {
		return p, misused("%w", err)
	}
	return p, nil
}

// wanted is the load itself.
func (f loadFlags) wanted(given func(flag string) bool) (load.Plan, error) {
	if f.file != "" {
		for _, name := range ofPlan() {
			if given(name) && !(name == "rate" && f.capacity != "") {
				return load.Plan{}, misused("--%s is for the plan file to say; leave it out, or leave out --plan", name)
			}
		}
		p, err := load.ReadPlan(f.file, readFile)
		if err != nil {
			return p, misused("%w", err)
		}
		return p, nil
	}
	p := load.Plan{
		Model: load.Open, Duration: f.duration, Count: f.count, WarmUp: f.warmUp, Connections: f.connections,
		Timeout: f.timeout, NoKeepAlive: f.newConns, Protocol: f.protocol, Reference: f.reference,
	}
	var err error
	if f.closed {
		p.Model = load.Closed
		if given("rate") {
			return p, misused("--closed has no rate: a request starts when the one before was answered; leave out --rate or --closed")
		}
	} else if p.Rate, err = load.ParseRate(f.rate); err != nil {
		return p, misused("--rate: %w", err)
	}
	for _, g := range f.grants {
		name, weight, weighted := strings.Cut(g, "=")
		one := load.Scenario{Flow: load.Flow(name), Clients: f.clients}
		if weighted {
			if one.Weight, err = strconv.Atoi(weight); err != nil || one.Weight < 1 {
				return p, misused("--grant %s: a weight is a whole number above 0, as in %s=3", g, name)
			}
		}
		if one.Flow != load.ClientCredentials && one.Flow != load.Revocation && one.Flow != load.Resource {
			one.Users = f.users
		}
		if given("scope") {
			one.Scope = &f.scope
		}
		p.Scenarios = append(p.Scenarios, one)
	}
	return p, nil
}
