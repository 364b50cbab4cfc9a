package load

import "math/bits"

// coarse counts durations in microseconds in buckets that are 3 % wide: enough for a curve over the
// seconds, and small enough to have many. Values beyond 71 minutes fall into the last bucket.
type coarse struct {
	counts [coarseBuckets]uint32
	n, max int64
}

const (
	coarseBits    = 5
	coarseOctaves = 32 - coarseBits
	coarseBuckets = (coarseOctaves + 1) << coarseBits
)

func coarseBucket(us int64) int {
	v := uint64(min(max(us, 0), 1<<32-1)) // not negative
	if v < 1<<coarseBits {
		return int(v)
	}
	octave := bits.Len64(v) - coarseBits - 1
	return octave<<coarseBits + int(v>>octave)
}

// coarseMiddle is the middle of a bucket.
func coarseMiddle(i int) int64 {
	if i < 2<<coarseBits {
		return int64(i)
	}
	octave := i>>coarseBits - 1
	low := int64(i-octave<<coarseBits) << octave
	return low + int64(1)<<octave/2
}

func (c *coarse) add(us int64) {
	c.counts[coarseBucket(us)]++
	c.n++
	c.max = max(c.max, us)
}

func (c *coarse) merge(from *coarse) {
	if from.n == 0 {
		return
	}
	for i, n := range from.counts {
		c.counts[i] += n
	}
	c.n += from.n
	c.max = max(c.max, from.max)
}

// quantile is the value that a share q of all values does not pass, 0 when there are none.
func (c *coarse) quantile(q float64) int64 {
	rank := int64(q*float64(c.n-1)) + 1
	var seen int64
	for i, n := range c.counts {
		if seen += int64(n); n > 0 && seen >= rank {
			return min(coarseMiddle(i), c.max)
		}
	}
	return c.max
}
