package reports

import (
	"math"
	"slices"
)

// hodgesLehmann estimates by how much b lies above a: the median of all differences of pairs, and the interval of
// 95 % that belongs to the Mann–Whitney test.
func hodgesLehmann(a, b []float64) (shift, low, high float64) {
	differences := make([]float64, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			differences = append(differences, y-x)
		}
	}
	slices.Sort(differences)
	n := len(differences)
	shift = (differences[(n-1)/2] + differences[n/2]) / 2
	k := min(max(criticalRank(len(a), len(b)), 1), (n+1)/2)
	return shift, differences[k-1], differences[n-k]
}

// criticalRank is the rank of the lower bound among the sorted differences: one more than the greatest U of which
// at most 2.5 % lie at or below it.
func criticalRank(n, m int) int {
	const tail = 0.025
	if n > 25 || m > 25 { // the distribution is normal by then
		mean, deviation := float64(n*m)/2, math.Sqrt(float64(n*m*(n+m+1))/12)
		return int(math.Floor(mean-1.959964*deviation-0.5)) + 1
	}
	counts := ranksums(n, m)
	total := 0.0
	for _, c := range counts {
		total += c
	}
	below := 0.0
	for u, c := range counts {
		if below += c; below/total > tail {
			return u
		}
	}
	return len(counts)
}

// ranksums counts, for each value of the Mann–Whitney U, the orders of n and m values that have it.
func ranksums(n, m int) []float64 {
	// rows[j] has the counts for i values of the first and j of the second; i grows.
	rows := make([][]float64, m+1)
	for j := range rows {
		rows[j] = []float64{1}
	}
	for i := 1; i <= n; i++ {
		next := make([][]float64, m+1)
		next[0] = []float64{1}
		for j := 1; j <= m; j++ {
			row := make([]float64, i*j+1)
			for u, c := range next[j-1] { // the greatest of all is of the second
				row[u+i] += c
			}
			for u, c := range rows[j] { // or of the first
				row[u] += c
			}
			next[j] = row
		}
		rows = next
	}
	return rows[m]
}
