package load

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"flowproof/reports"
)

// A Monitor looks into a run from outside, while it goes on. One Monitor may see several runs, one after the
// other. The zero value is ready.
type Monitor struct{ source atomic.Pointer[func() Status] }

// Watch makes the monitor look there from now on.
func (m *Monitor) Watch(source func() Status) { m.source.Store(&source) }

// A Count is how often something came that has a name. Names hold no secrets.
type Count struct {
	Name string
	N    int64
}

// A Status is what a run has counted so far, of its measured part.
type Status struct {
	Snapshot
	Steps    []StepStatus
	Findings []FindingStatus
}

// A StepStatus is what was counted of one kind of request.
type StepStatus struct {
	Name                                       string
	Sent, Answered, Verified, Throttled, Tardy int64 // tardy: started more than 1 ms after they were due
	Errors                                     []Count
	Latency, Service                           Distribution
}

// A FindingStatus is how often a requirement did not hold.
type FindingStatus struct {
	Requirement string
	Verdict     reports.Verdict
	N           int64
}

// A Distribution says how many durations were not above each of Bounds.
type Distribution struct {
	Count  int64
	Sum    time.Duration
	Within []int64
}

// Bounds are the durations at which a Distribution counts.
func Bounds() []time.Duration {
	var out []time.Duration
	for decade := 100 * time.Microsecond; decade <= 10*time.Second; decade *= 10 {
		out = append(out, decade, decade*5/2, decade*5)
	}
	return out
}

// Look is the run as it stands. It reports false before the first one.
func (m *Monitor) Look() (Status, bool) {
	source := m.source.Load()
	if source == nil {
		return Status{}, false
	}
	return (*source)(), true
}

// status is the run as it stands.
func (e *engine) status() Status {
	sums := make([]tally, len(e.steps))
	s := Status{Steps: make([]StepStatus, len(e.steps)), Snapshot: e.snapshot(func(r *recorder) {
		for i := range sums {
			sums[i].merge(&r.measured[i])
		}
	})}
	for i := range sums {
		t := &sums[i]
		s.Steps[i] = StepStatus{
			Name: e.steps[i].name, Sent: t.sent, Answered: t.answered, Verified: t.verified, Throttled: t.throttled, Tardy: t.late,
			Errors: e.failures(t.errors), Latency: distribution(t.latency), Service: distribution(t.service),
		}
	}
	s.Findings = findings(sums)
	return s
}

// failures are the classes of errors, those that came most at first.
func (e *engine) failures(errors map[string]int64) []Count {
	shown := map[string]int64{} // a server's error code may be a secret that it was sent
	for class, n := range errors {
		shown[e.redactor.Text(class)] += n
	}
	return counts(shown)
}

// counts are those that came most at first.
func counts(of map[string]int64) []Count {
	out := make([]Count, 0, len(of))
	for class, n := range of {
		out = append(out, Count{class, n})
	}
	slices.SortFunc(out, func(a, b Count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name)) })
	return out
}

// findings are the requirements that did not hold, the worst at first.
func findings(steps []tally) []FindingStatus {
	var out []FindingStatus
	for f := range flawCount {
		one := FindingStatus{Requirement: f.rule().requirement, Verdict: f.rule().verdict}
		for i := range steps {
			one.N += steps[i].flaws[f]
		}
		same := func(x FindingStatus) bool { return x.Requirement == one.Requirement && x.Verdict == one.Verdict }
		switch at := slices.IndexFunc(out, same); {
		case one.N == 0:
		case at < 0:
			out = append(out, one)
		default:
			out[at].N += one.N
		}
	}
	rank := map[reports.Verdict]int{reports.Fail: -2, reports.Warn: -1}
	slices.SortStableFunc(out, func(a, b FindingStatus) int {
		return cmp.Or(cmp.Compare(rank[a.Verdict], rank[b.Verdict]), cmp.Compare(b.N, a.N))
	})
	return out
}

func distribution(h *hdrhistogram.Histogram) Distribution {
	bounds := Bounds()
	d := Distribution{Within: make([]int64, len(bounds))}
	if h == nil {
		return d
	}
	d.Count = h.TotalCount()
	d.Sum = time.Duration(h.Mean() * float64(d.Count) * float64(time.Microsecond))
	for _, bar := range h.Distribution() {
		at, _ := slices.BinarySearch(bounds, time.Duration(bar.To)*time.Microsecond)
		if at < len(bounds) {
			d.Within[at] += bar.Count
		}
	}
	for i := 1; i < len(bounds); i++ {
		d.Within[i] += d.Within[i-1]
	}
	return d
}
