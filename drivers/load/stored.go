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
