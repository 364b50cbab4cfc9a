package load

import (
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"

	"flowproof/reports"
)

// stored is the histogram that a record carries; nil when nothing was recorded.
func stored(h reports.Histogram) (*hdrhistogram.Histogram, error) {
	if h.Count == 0 {
		return nil, nil
	}
	out, err := hdrhistogram.Decode([]byte(h.Encoded))
	if err != nil {
		return nil, fmt.Errorf("its histogram cannot be read: %w", err)
	}
	if out.TotalCount() != h.Count {
		return nil, fmt.Errorf("its histogram holds %d values and not %d", out.TotalCount(), h.Count)
	}
	return out, nil
}

// reportedLatency is the latency of all steps together; nil when there is none.
func reportedLatency(steps []reports.Step) *hdrhistogram.Histogram {
	var sum *hdrhistogram.Histogram
	for _, s := range steps {
		h, err := stored(s.Latency)
		switch {
		case err != nil || h == nil:
		case sum == nil:
			sum = h
		default:
			sum.Merge(h)
		}
	}
	return sum
}
