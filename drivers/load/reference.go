package load

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"flowproof/drivers/oauth"
	"flowproof/reports"
)

// A reference asks, beside the load, for a page of the target that has nothing to do with it: should that one become
// slower too, it was not the token endpoint alone that changed.
type reference struct {
	asked, failed int64
	latency       *hdrhistogram.Histogram
	seconds       map[int][]int64 // what answers took, in microseconds, by the second in which they were asked for
}

const referenceEvery = 200 * time.Millisecond

// refer asks until the run is over.
func (e *engine) refer(ctx context.Context, over <-chan struct{}) {
	ticks := time.NewTicker(referenceEvery)
	defer ticks.Stop()
	at := e.sites[0]
	page := oauth.Request{Title: "the reference", Method: http.MethodGet, URL: at.target.URL + e.plan.Reference}
	for {
		select {
		case <-over:
			return
		case <-ticks.C:
		}
		began := e.now()
		x := at.driver.Send(ctx, page)
		if began < 0 || ctx.Err() != nil { // in the warm-up the connection is opened
			continue
		}
		e.reference.add(int(began/time.Second), x)
	}
}

func (r *reference) add(second int, x oauth.Exchange) {
	r.asked++
	if !x.Answered() || x.Status >= 500 {
		r.failed++
		return
	}
	if r.latency == nil {
		r.latency, r.seconds = hdrhistogram.New(1, longest, digits), map[int][]int64{}
	}
	took := max(x.Duration.Microseconds(), 1)
	_ = r.latency.RecordValue(min(took, longest))
	r.seconds[second] = append(r.seconds[second], took)
}

// record is what the reference came to, and puts the median of each second into the course of the run.
func (r *reference) record(page string, course []reports.Second) *reports.Reference {
	for i := range course {
		if of := r.seconds[course[i].Second]; len(of) > 0 {
			slices.Sort(of)
			course[i].ReferenceUS = of[len(of)/2]
		}
	}
	return &reports.Reference{Path: page, Asked: r.asked, Failed: r.failed, Latency: histogram(r.latency)}
}
