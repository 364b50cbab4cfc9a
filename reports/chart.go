package reports

import (
	"math"
	"strconv"
	"strings"
)

// The size of a chart in its own units; the page scales it.
const (
	chartWidth  = 560.0
	chartHeight = 280.0
	plotLeft    = 62.0
	plotRight   = 532.0
	plotTop     = 12.0
	plotBottom  = 244.0
)

// A chart is a figure with its axes, its lines and the table that holds the same figures.
type chart struct {
	ID, Title, Caption string
	X, Y               []tick
	Lines              []line
	Marks              []mark
	Table              table
	Empty              string // said instead of the chart when there is nothing to draw
}

// A tick is a place on an axis.
type tick struct {
	At, Label string
	Last      bool // its label ends with the plot
}

// A line is one series; Kind gives its colour and its dashes.
type line struct{ Name, Kind, Path, Area string }

// A mark is a bound, shown where it lies.
type mark struct {
	X, Y, Label string
	Verdict     Verdict
	Left        bool // the label stands to the left
}

// A table is the figures behind a chart.
type table struct {
	Head []string
	Rows []tableRow
}

// A tableRow knows where it lies on the x axis.
type tableRow struct {
	At    string
	Cells []string
}

// px writes a place in a chart.
func px(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }

// A scale maps values to places.
type scale struct {
	low, high float64 // values
	from, to  float64 // places
	log       bool
}

func (s scale) at(x float64) float64 {
	low, high := s.low, s.high
	if s.log {
		x, low, high = math.Log10(math.Max(x, s.low)), math.Log10(low), math.Log10(high)
	}
	if high <= low {
		return s.from
	}
	share := math.Min(math.Max((x-low)/(high-low), 0), 1)
	return s.from + share*(s.to-s.from)
}

// logScale spans the values from one round bound to another, and gives ticks of 1, 2 and 5 when there is
// room for them, else of 1.
func logScale(low, high float64, label func(float64) string) (scale, []tick) {
	return logScaleOver(plotBottom, plotTop, low, high, label)
}

// logScaleOver is logScale from one place of the chart to another.
func logScaleOver(from, to, low, high float64, label func(float64) string) (scale, []tick) {
	low, high = math.Max(low, 1), math.Max(high, 1)
	bound := func(steps []float64, x float64, up bool) float64 {
		decade := math.Pow(10, math.Floor(math.Log10(x)))
		best := decade
		for _, m := range append(steps, 10) {
			if up && m*decade >= x*0.9999 {
				return m * decade
			}
			if m*decade <= x*1.0001 {
				best = m * decade
			}
		}
		return best
	}
	fine := []float64{1, 2, 5}
	s := scale{bound(fine, low, false), bound(fine, high, true), from, to, true}
	if s.high <= s.low {
		s.high = s.low * 10
	}
	return s, s.logTicks(6, label)
}

// logTicks are the round values of a log scale; the labels of those so near to the plot's right end stay inside.
func (s scale) logTicks(near float64, label func(float64) string) []tick {
	steps := []float64{1, 2, 5}
	if s.high/s.low > 200 {
		steps = []float64{1}
	}
	var ticks []tick
	for decade := math.Pow(10, math.Floor(math.Log10(s.low))); decade <= s.high*1.0001; decade *= 10 {
		for _, m := range steps {
			if v := m * decade; v >= s.low*0.9999 && v <= s.high*1.0001 {
				ticks = append(ticks, tick{At: px(s.at(v)), Label: label(v), Last: s.at(v) > plotRight-near})
			}
		}
	}
	return ticks
}

// linearScale spans zero to the value and a little more, with about five round ticks.
func linearScale(high float64, label func(float64) string) (scale, []tick) {
	if high <= 0 || math.IsNaN(high) || math.IsInf(high, 0) {
		high = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(high/4)))
	for _, m := range []float64{1, 2, 5, 10} {
		if high/(step*m) <= 5.001 {
			step *= m
			break
		}
	}
	s := scale{0, math.Ceil(high/step-1e-9) * step, plotBottom, plotTop, false}
	var ticks []tick
	for i := 0; float64(i)*step <= s.high*1.0001; i++ {
		ticks = append(ticks, tick{At: px(s.at(float64(i) * step)), Label: label(float64(i) * step)})
	}
	return s, ticks
}

// path draws the points; one that is no number breaks the line.
func path(xs, ys []float64, x, y scale) string {
	var b strings.Builder
	pen := false
	for i := range xs {
		if math.IsNaN(ys[i]) || math.IsInf(ys[i], 0) {
			pen = false
			continue
		}
		b.WriteByte(map[bool]byte{true: 'L', false: 'M'}[pen])
		b.WriteString(px(x.at(xs[i])))
		b.WriteByte(' ')
		b.WriteString(px(y.at(ys[i])))
		pen = true
	}
	return b.String()
}

// area fills what lies under the points.
func area(xs, ys []float64, x, y scale) string {
	if len(xs) == 0 {
		return ""
	}
	return path(xs, ys, x, y) + "L" + px(x.at(xs[len(xs)-1])) + " " + px(plotBottom) + "L" + px(x.at(xs[0])) + " " + px(plotBottom) + "Z"
}
