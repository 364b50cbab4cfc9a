package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// micros is a duration in microseconds as people read it, with three digits that matter.
func micros(us float64) string {
	switch {
	case us < 0 || math.IsNaN(us):
		return "–"
	case us < 1000:
		return strconv.FormatFloat(math.Round(us), 'f', -1, 64) + " µs"
	case us < 999_500:
		return digits(us/1e3) + " ms"
	case us < 60e6:
		return digits(us/1e6) + " s"
	}
	return span(int64(us / 1e3))
}

// span is how long something took, in milliseconds.
func span(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", ms)
	case d < time.Minute:
		return three(d.Seconds()) + " s"
	}
	d = d.Round(time.Second)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h > 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case s == 0:
		return fmt.Sprintf("%d min", m)
	}
	return fmt.Sprintf("%d min %d s", m, s)
}

// digits writes a number with three digits that matter.
func digits(x float64) string {
	decimals := 2
	for limit := 10.0; decimals > 0 && math.Abs(x) >= limit; limit *= 10 {
		decimals--
	}
	return strconv.FormatFloat(x, 'f', decimals, 64)
}

// three is digits without idle zeros.
func three(x float64) string {
	s := digits(x)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// Grouped writes a whole number with commas: 1,234.
func Grouped[N int | int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// perSecond is a rate.
func perSecond(x float64) string {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return "–"
	case math.Abs(x) >= 100:
		return Grouped(int64(math.Round(x))) + "/s"
	}
	return three(x) + "/s"
}

// percent is a share of a whole; a whole of nothing has none.
func percent(part, whole float64) string {
	if whole == 0 || math.IsNaN(part/whole) {
		return "–"
	}
	share := 100 * part / whole
	switch {
	case share == 0:
		return "0 %"
	case math.Abs(share) < 0.01:
		return "<0.01 %"
	case math.Abs(share) < 1, math.Abs(share-100) < 1 && share != 100:
		return strconv.FormatFloat(share, 'f', 2, 64) + " %"
	}
	return three(share) + " %"
}

// bytesize is an amount of memory.
func bytesize(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return three(float64(n)/(1<<10)) + " KiB"
	case n < 1<<30:
		return three(float64(n)/(1<<20)) + " MiB"
	}
	return three(float64(n)/(1<<30)) + " GiB"
}

// Plural is a number and its noun: 1 answer, 1,234 answers.
func Plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Grouped(n) + " " + many
}

// moment is an RFC 3339 time as people read it; what is no time stays as it is.
func moment(s string) string {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return s
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
