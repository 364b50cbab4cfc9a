package reports

import (
	"math/bits"
	"slices"
)

// pairedShift estimates by how much the second of each pair lies above the first, of their differences: the median
// of the Walsh averages (Hodges–Lehmann), and the interval of 95 % that belongs to Wilcoxon's signed ranks.
func pairedShift(differences []float64) (shift, low, high float64) {
	var averages []float64
	for i, x := range differences {
		for _, y := range differences[i:] {
			averages = append(averages, (x+y)/2)
		}
	}
	slices.Sort(averages)
	n := len(averages)
	shift = (averages[(n-1)/2] + averages[n/2]) / 2
	k := min(max(signedRank(len(differences)), 1), (n+1)/2)
	return shift, averages[k-1], averages[n-k]
}

// signedRank is the rank of the lower bound among the sorted averages: one more than the greatest sum of ranks of
// which at most 2.5 % lie at or below it.
func signedRank(n int) int {
	const tail = 0.025
	counts := []float64{1} // by sum, of the signs of the ranks so far
	for rank := 1; rank <= n; rank++ {
		next := make([]float64, len(counts)+rank)
		for sum, c := range counts {
			next[sum] += c
			next[sum+rank] += c
		}
		counts = next
	}
	all, below := float64(uint64(1)<<n), 0.0
	for sum, c := range counts {
		if below += c; below/all > tail {
			return sum
		}
	}
	return len(counts)
}

// signFlip is the exact one-sided test that the differences lie above zero: the share of all ways to choose their
// signs whose sum is at least the one that was seen. It takes at most mostPairs of them.
func signFlip(differences []float64) float64 {
	seen, least := 0.0, 0.0
	for _, d := range differences {
		seen += d
		least -= max(d, -d)
	}
	all := uint64(1) << len(differences)
	sum, extreme := least, uint64(0)
	signs := uint64(0) // which are positive
	for i := uint64(0); ; i++ {
		if sum >= seen-1e-12*-least {
			extreme++
		}
		if i+1 == all {
			return float64(extreme) / float64(all)
		}
		at := bits.TrailingZeros64(i + 1) // Gray's code: one sign changes at a time
		step := 2 * max(differences[at], -differences[at])
		if signs ^= 1 << at; signs&(1<<at) == 0 {
			step = -step
		}
		sum += step
	}
}
