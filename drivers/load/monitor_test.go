package load

import (
	"net/url"
	"testing"
	"testing/synctest"
	"time"
)

// TestSnapshotAndMonitorSeeTheRunAsItIs looks into a run of 100 requests a second that take 150 ms each, of
// which every tenth fails.
func TestSnapshotAndMonitorSeeTheRunAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tgt := testTarget()
		p, err := Plan{Rate: 100, Duration: 10 * time.Second, Connections: 32, Scenarios: []Scenario{{Flow: ClientCredentials}}}.resolved(tgt)
		if err != nil {
			t.Fatal(err)
		}
		s := &server{handle: func(s *server, _ url.Values, n int64) reply {
			r := s.good()
			if n%10 == 9 {
				r = reply{status: 500, body: `{"error":"server_error"}`}
			}
			r.after = 150 * time.Millisecond
			return r
		}}
		e := rig(t, tgt, p, s)
		var m Monitor
		if _, begun := m.Look(); begun {
			t.Error("there is no run yet")
		}
		var at5 Snapshot
		var live Status
		l := e.watch(t.Context(), e.sites[0].driver.Redactor(), tgt, Options{Monitor: &m, Progress: func(now Snapshot) {
			if now.Elapsed >= 5*time.Second && at5.Elapsed == 0 {
				at5 = now
				live, _ = m.Look()
			}
		}})
		if at5.Intended < 99 || at5.Intended > 101 || at5.Rate < 99 || at5.Rate > 101 || at5.InFlight < 14 || at5.InFlight > 16 {
			t.Errorf("%.1f/s of %.1f/s, %d in flight", at5.Rate, at5.Intended, at5.InFlight)
		}
		if !near(at5.P50.Seconds(), 0.15, 0.04) || !near(at5.P99.Seconds(), 0.15, 0.04) {
			t.Errorf("p50 %v, p99 %v", at5.P50, at5.P99)
		}
		if len(at5.Failing) != 1 || at5.Failing[0] != (Count{"status 500 server_error", at5.Errors}) || at5.Errors < 45 {
			t.Errorf("%+v", at5.Failing)
		}
		step := live.Steps[0]
		if step.Sent != live.Sent || step.Latency.Count != step.Answered || !near(step.Latency.Sum.Seconds(), 0.15*float64(step.Answered), 0.01) {
			t.Errorf("%+v of %+v", step, live.Snapshot)
		}
		for i, bound := range Bounds() { // nothing below 150 ms, everything below 250 ms
			if want := map[bool]int64{true: step.Latency.Count}[bound > 150*time.Millisecond]; step.Latency.Within[i] != want {
				t.Errorf("%d within %v, want %d", step.Latency.Within[i], bound, want)
			}
		}
		after, _ := m.Look()
		if done := onlyStep(t, l); after.Steps[0].Sent != done.Sent || after.Steps[0].Latency.Count != done.Latency.Count || after.InFlight != 0 {
			t.Errorf("after the run %+v, in the record %+v", after.Steps[0], done)
		}
	})
}

// TestFindingsCountByRequirement adds the flaws of one requirement up, the worst verdict at first.
func TestFindingsCountByRequirement(t *testing.T) {
	var a, b tally
	a.flaws[noExpiry], a.flaws[wrongStatus], b.flaws[wrongStatus], b.flaws[wrongType] = 50, 1, 2, 3
	got := findings([]tally{a, b})
	if len(got) != 2 || got[0].Requirement != "RFC6749-5.1-status-200-json" || got[0].N != 6 || got[1].N != 50 {
		t.Errorf("%+v", got)
	}
}
