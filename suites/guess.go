package suites

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A weight is how hard the values of one kind are to guess, as far as they tell themselves. It can only
// be too high: what looks random need not be.
type weight struct {
	values int
	bits   float64 // of a value, that look random
	doubt  float64 // how far off the estimate may be by chance
	why    []string
}

// weigh estimates how many bits of the values are random: what differs at each position, less what follows
// from the time, from the last value, or from other parts. The values are in the order of their issue.
func weigh(values []string) weight {
	w := weight{values: len(values)}
	if len(values) == 0 {
		return w
	}
	length := len(values[0])
	for _, v := range values {
		length = min(length, len(v))
	}
	entropies := make([]float64, length)
	constant := 0
	for at := range entropies {
		h, alphabet := entropy(column(values, at))
		entropies[at] = h
		if alphabet == 1 {
			constant++
		}
		w.doubt += float64(alphabet-1) / 2
	}
	w.doubt = 1 + 5*math.Sqrt(w.doubt)/float64(len(values))/math.Ln2
	if constant > 0 {
		w.why = append(w.why, fmt.Sprintf("%d of %d characters are the same in all", constant, length))
	}
	if clock := ascending(values, entropies); clock > 0 {
		w.why = append(w.why, fmt.Sprintf("they ascend: %d characters follow a clock or a counter", clock))
	}
	for _, h := range entropies {
		w.bits += h
	}
	if counted := counting(values); counted > 0 {
		w.why = append(w.why, fmt.Sprintf("the difference from one to the next repeats in %d bits: they are counted", counted))
		w.bits = max(0, w.bits-float64(counted))
	}
	if packed := compressed(values); packed < 0.9*w.bits {
		w.why = append(w.why, fmt.Sprintf("they compress to %.0f bits each: parts repeat", packed))
		w.bits = packed
	}
	return w
}

// column is the character at one position of each value.
func column(values []string, at int) []byte {
	out := make([]byte, len(values))
	for i, v := range values {
		out[i] = v[at]
	}
	return out
}

// entropy estimates the bits of a character from a sample of it, after Grassberger (2003), which few
// samples do not bias; and counts the characters that were seen.
func entropy(sample []byte) (bits float64, alphabet int) {
	var counts [256]int
	for _, c := range sample {
		counts[c]++
	}
	n, sum := float64(len(sample)), 0.0
	for _, k := range counts {
		if k > 0 {
			alphabet++
			sum += float64(k) * grassberger(k)
		}
	}
	if alphabet == 1 {
		return 0, 1
	}
	return min(8, max(0, (math.Log(n)-sum/n)/math.Ln2)), alphabet
}

// grassberger is G(n): nearly ln n, with the bias of small counts taken off.
func grassberger(n int) float64 {
	const gamma = 0.57721566490153286
	if n == 1 {
		return -gamma - math.Ln2
	}
	g := 2 - gamma - math.Ln2
	for k := 2; k+2 <= n; k += 2 {
		g += 2 / float64(k+1)
	}
	return g
}

// ascending finds the leading characters that follow the order of issue, takes their bits away, and says
// how many they are.
func ascending(values []string, entropies []float64) int {
	clock := 0
	for at, h := range entropies {
		if h == 0 {
			continue
		}
		if clock == 16 || math.Abs(order(values, at)) < 0.5 {
			break
		}
		entropies[at] = 0
		clock++
	}
	return clock
}

// order is how far the values from that position on are sorted: 1 ascending, -1 descending, about 0 neither.
func order(values []string, from int) float64 {
	n := len(values)
	if n < 30 {
		return 0
	}
	ranked := make([]int, n)
	for i := range ranked {
		ranked[i] = i
	}
	slices.SortStableFunc(ranked, func(a, b int) int { return strings.Compare(values[a][from:], values[b][from:]) })
	sum := 0.0
	for rank, i := range ranked {
		d := float64(rank - i)
		sum += d * d
	}
	return 1 - 6*sum/(float64(n)*(float64(n)*float64(n)-1)) // Spearman's
}

// counting finds windows of eight bytes whose difference from one value to the next keeps coming back,
// as that of a counter does whatever it counts by, and says how many bits they hold.
func counting(values []string) int {
	decoded := decode(values)
	if len(decoded) < 30 {
		return 0
	}
	counted := 0
	for from := 0; from+8 <= len(decoded[0]); from++ {
		varied := 0.0
		for at := from; at < from+8; at++ {
			column := make([]byte, len(decoded))
			for i, v := range decoded {
				column[i] = v[at]
			}
			h, _ := entropy(column)
			varied += h
		}
		if varied < 40 { // too few to tell: differences repeat by chance
			continue
		}
		seen := map[uint64]bool{}
		repeated := 0
		for i := 1; i < len(decoded); i++ {
			d := binary.BigEndian.Uint64(decoded[i][from:]) - binary.BigEndian.Uint64(decoded[i-1][from:])
			if seen[d] {
				repeated++
			}
			seen[d] = true
		}
		if repeated > len(decoded)/10 {
			counted += int(varied)
			from += 7
		}
	}
	return counted
}

// decode reads the values as hexadecimal or base64, all of the same length, or as the bytes that they are.
func decode(values []string) [][]byte {
	for _, read := range []func(string) ([]byte, error){
		hex.DecodeString,
		func(v string) ([]byte, error) { return hex.DecodeString(strings.ReplaceAll(v, "-", "")) },
		base64.RawURLEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
		base64.URLEncoding.DecodeString, base64.StdEncoding.DecodeString,
		func(v string) ([]byte, error) { return []byte(v), nil },
	} {
		var out [][]byte
		for _, v := range values {
			b, err := read(v)
			if err != nil || len(out) > 0 && len(b) != len(out[0]) {
				break
			}
			out = append(out, b)
		}
		if len(out) == len(values) {
			return out
		}
	}
	return nil
}

// compressed is how many bits a value needs when all are packed together: less than they seem to hold
// where one part repeats another, or that of another value.
func compressed(values []string) float64 {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return math.Inf(1)
	}
	for _, v := range values {
		_, _ = w.Write([]byte(v)) // a buffer takes everything
	}
	_ = w.Close()
	return float64(packed.Len()) * 8 / float64(len(values))
}
