package load

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"sync/atomic"
)

// arrivals are a Poisson process of one arrival a unit: the gaps are exponential, independent of one
// another, and always the same for a seed. Any of them can be looked up without the others: they lie in
// blocks of equally many; how much a block spans is drawn from the gamma distribution, and where in it the
// arrivals lie from what exponential gaps with that sum would do, which is the same process.
type arrivals struct {
	seed   uint64
	starts []float64 // where each block begins
	block  atomic.Pointer[block]
}

type block struct {
	number int
	at     [blockSize]float64
}

const blockSize = 2048

// newArrivals draws the blocks that it takes to get past end or, if that comes first, to count arrivals.
func newArrivals(seed uint64, end float64, count int64) *arrivals {
	a := &arrivals{seed: seed, starts: []float64{0}}
	blocks := int64(math.MaxInt64)
	if count > 0 {
		blocks = count/blockSize + 1
	}
	for k := 0; int64(k) < blocks && a.starts[k] <= end; k++ {
		a.starts = append(a.starts, a.starts[k]+gamma(rand.New(rand.NewPCG(seed, uint64(2*k))), blockSize)) //nolint:gosec // a schedule is no secret
	}
	return a
}

// gamma draws the sum of n exponential variables, by the method of Marsaglia and Tsang.
func gamma(random *rand.Rand, n float64) float64 {
	d := n - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := random.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(random.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// before is how much is in front of arrival i.
func (a *arrivals) before(i int64) float64 {
	number := min(int(i/blockSize), len(a.starts)-2)
	return a.in(number).at[min(i-int64(number)*blockSize, blockSize-1)]
}

// in is a block; the last one that was used is kept.
func (a *arrivals) in(number int) *block {
	if b := a.block.Load(); b != nil && b.number == number {
		return b
	}
	b := &block{number: number}
	random := rand.New(rand.NewPCG(a.seed, uint64(2*number+1))) //nolint:gosec // a schedule is no secret
	sum := 0.0
	for i := range b.at {
		sum += random.ExpFloat64()
		b.at[i] = sum
	}
	// The block's last arrival is where the next block begins.
	start, span := a.starts[number], a.starts[number+1]-a.starts[number]
	for i := range b.at {
		b.at[i] = start + b.at[i]/sum*span
	}
	a.block.Store(b)
	return b
}

// rank is how many arrivals have less than x in front of them.
func (a *arrivals) rank(x float64) int64 {
	number := sort.Search(len(a.starts)-1, func(k int) bool { return a.starts[k+1] >= x })
	if number == len(a.starts)-1 {
		number--
	}
	n, _ := slices.BinarySearch(a.in(number).at[:], x)
	return int64(number)*blockSize + int64(n)
}
