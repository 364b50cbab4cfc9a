package main

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"flowproof/drivers/load"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// A loadBaseline is what a load run is held to: an earlier record, or a deployment that takes turns with the target.
type loadBaseline struct {
	file      string
	tolerance float64
	record    *reports.Record
	beside    *target.Target
	turns     load.Turns
}

// readBaseline reads the file before anything is sent; an empty path is no baseline.
func (f loadFlags) readBaseline(c console, given func(flag string) bool) (*loadBaseline, error) {
	if f.baseline == "" {
		for _, name := range []string{"tolerance", "pairs"} {
			if given(name) {
				return nil, misused("--%s is for --baseline, which is not there", name)
			}
		}
		return nil, nil
	}
	share, err := tolerated(f.tolerance)
	if err != nil {
		return nil, err
	}
	b := &loadBaseline{file: f.baseline, tolerance: share, turns: load.Turns{Pairs: f.pairs}}
	if f.capacity != "" {
		return nil, misused("--baseline does not go with --capacity: hold a rate that the capacity allows, and compare that")
	}
	switch filepath.Ext(f.baseline) {
	case ".yaml", ".yml":
		for _, name := range []string{"shard", "start-at"} {
			if given(name) {
				return nil, misused("--%s does not go with a --baseline that takes turns; leave one of them out", name)
			}
		}
		if f.pairs < 1 || f.pairs > reports.MostPairs() {
			return nil, misused("--pairs %d: give 1 to %d; a claim takes 6", f.pairs, reports.MostPairs())
		}
		t, err := target.Load(f.baseline, target.Lookup{Env: c.env, File: readFile})
		if err != nil {
			return nil, misused("--baseline: %w", err)
		}
		b.beside = &t
	default:
		if given("pairs") {
			return nil, misused("--pairs is for a --baseline that is the target file of a deployment; a record is one run")
		}
		record, err := reports.Read(f.baseline)
		if err != nil {
			return nil, misused("--baseline: %w", err)
		}
		if record.Load == nil {
			return nil, misused("--baseline %s: this is the record of a %s; give the load.json of an earlier run, or the target file of a deployment to take turns with", f.baseline, record.Kind())
		}
		b.record = &record
	}
	return b, nil
}

// tolerated reads a share such as 10%.
func tolerated(text string) (float64, error) {
	share, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(text), "%"), 64)
	if err != nil || !(share > 0 && share < 100) {
		return 0, misused("--tolerance %s: give a share such as 10%%", text)
	}
	return share / 100, nil
}

// hold keeps with the record what it is against the baseline.
func (b *loadBaseline) hold(l *reports.Load, file string) error {
	compared, err := reports.Compare(*b.record, reports.Record{Load: l}, b.file, file, b.tolerance)
	if err != nil {
		return misused("--baseline: %w", err)
	}
	l.HoldTo(compared)
	return nil
}

// takeTurns plays the plan before both deployments, and returns the record of the target.
func (b *loadBaseline) takeTurns(ctx context.Context, c console, t target.Target, p load.Plan, o load.Options) (reports.Load, error) {
	turns := b.turns
	c.say("%d pairs of turns with %s (%s): A B B A and so on, each %s", turns.Pairs, b.beside.Name, b.beside.URL, p)
	turns.Done = func(n, of int, second bool, l reports.Load) {
		who := "A, " + b.beside.Name
		if second {
			who = "B, " + t.Name
		}
		c.say("turn %d of %d: %s: p50 %s, p99 %s", n, of, who, short(time.Duration(l.Percentile(50))*time.Microsecond), short(time.Duration(l.Percentile(99))*time.Microsecond))
	}
	as, bs, err := turns.Play(ctx, *b.beside, t, p, o)
	if err != nil {
		return reports.Load{}, err
	}
	compared, err := reports.CompareTurns(as, bs, b.file, t.Name, b.tolerance)
	if err != nil {
		return reports.Load{}, errors.Join(err, ctx.Err())
	}
	bs.Whole.HoldTo(compared)
	return bs.Whole, nil
}
