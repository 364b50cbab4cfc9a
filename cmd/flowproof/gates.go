package main

import (
	"time"

	"flowproof/drivers/target"
	"flowproof/reports"
)

// gates are what a check is held to beside the requirements.
type gates struct {
	waivers  []reports.Waiver
	baseline *reports.Conformance
	file     string // of the baseline
}

// readGates reads the files before anything is sent; an empty path is no gate.
func readGates(waivers, baseline string) (gates, error) {
	g := gates{file: baseline}
	var err error
	if waivers != "" {
		if g.waivers, err = reports.ReadWaivers(waivers); err != nil {
			return g, misused("%w", err)
		}
	}
	if baseline != "" {
		record, err := reports.Read(baseline)
		if err != nil {
			return g, misused("--baseline: %w", err)
		}
		if g.baseline = record.Conformance; g.baseline == nil {
			return g, misused("--baseline %s: this is the record of a %s; give the check.json of an earlier check", baseline, record.Kind())
		}
	}
	return g, nil
}

// fit refuses a baseline that the run could not be held to.
func (g gates) fit(t target.Target) error {
	if g.baseline == nil {
		return nil
	}
	asked := reports.Conformance{Target: reports.Target{Profile: t.Profile, Edition: t.Edition}}
	if err := asked.HoldTo(*g.baseline, g.file); err != nil {
		return misused("--baseline: %w", err)
	}
	return nil
}

// apply sets aside what is waived, and what is as it was in the baseline.
func (g gates) apply(record *reports.Conformance) error {
	record.Waive(g.waivers, time.Now())
	if g.baseline == nil {
		return nil
	}
	if err := record.HoldTo(*g.baseline, g.file); err != nil {
		return misused("--baseline: %w", err)
	}
	return nil
}

// held is one result as the gates leave it, while the run is still under way.
func (g gates) held(r reports.Result, t target.Target) reports.Result {
	record := reports.Conformance{Target: reports.Target{Profile: t.Profile, Edition: t.Edition}, Results: []reports.Result{r}}
	if err := g.apply(&record); err != nil {
		return r // fit has refused such a baseline before anything was sent
	}
	return record.Results[0]
}
