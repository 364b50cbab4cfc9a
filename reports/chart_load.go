package reports

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
)

// mostPoints is how many points a line over time has; more seconds are put together.
const mostPoints = 1200

// overTime puts seconds together until few enough are left: what is counted is averaged (errors are added),
// and of latencies the worst second stands.
func overTime(series []Second) (points []Second, each int) {
	each = (len(series) + mostPoints - 1) / mostPoints
	if each <= 1 {
		return series, 1
	}
	for chunk := range slices.Chunk(series, each) {
		p := Second{Second: chunk[0].Second}
		for _, s := range chunk {
			p.Planned, p.Sent, p.Answered, p.Errors = p.Planned+s.Planned, p.Sent+s.Sent, p.Answered+s.Answered, p.Errors+s.Errors
			p.P50US, p.P99US, p.MaxUS, p.ServiceP99US = max(p.P50US, s.P50US), max(p.P99US, s.P99US), max(p.MaxUS, s.MaxUS), max(p.ServiceP99US, s.ServiceP99US)
		}
		n := int64(len(chunk))
		p.Planned, p.Sent, p.Answered = (p.Planned+n/2)/n, (p.Sent+n/2)/n, (p.Answered+n/2)/n
		points = append(points, p)
	}
	return points, each
}

// together says how the points of a long run were made.
func together(each int) string {
	if each == 1 {
		return ""
	}
	return fmt.Sprintf(" Each point stands for %d seconds: the worst of them for latency, their mean for rates, their sum for errors.", each)
}

// secondScale is the x axis of a chart over time; it ends with the run.
func secondScale(points []Second) (scale, []tick) {
	first := float64(points[0].Second)
	s := scale{first, math.Max(float64(points[len(points)-1].Second), first+1), plotLeft, plotRight, false}
	step := 86400.0
	for _, nice := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800} {
		if (s.high-s.low)/nice <= 7 {
			step = nice
			break
		}
	}
	var ticks []tick
	for x := math.Ceil(s.low/step) * step; x <= s.high; x += step {
		label := three(x) + " s"
		switch {
		case step >= 3600:
			label = three(x/3600) + " h"
		case step >= 60:
			label = three(x/60) + " min"
		}
		ticks = append(ticks, tick{px(s.at(x)), label, s.at(x) > plotRight-6})
	}
	return s, ticks
}

// column takes one figure of each point; what must not be zero is not drawn where it is.
func column(points []Second, of func(Second) int64, positive bool) []float64 {
	out := make([]float64, len(points))
	for i, p := range points {
		out[i] = float64(of(p))
		if positive && out[i] <= 0 {
			out[i] = math.NaN()
		}
	}
	return out
}

// extent is the least and the greatest of the numbers.
func extent(columns ...[]float64) (low, high float64, ok bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, c := range columns {
		for _, v := range c {
			if !math.IsNaN(v) {
				low, high, ok = math.Min(low, v), math.Max(high, v), true
			}
		}
	}
	return low, high, ok
}

func latencyChart(points []Second, each int) chart {
	c := chart{ID: "latency", Title: "Latency over time", Caption: "From the intended start to the whole answer; p99 service time counts from the send. Log scale." + together(each)}
	p50 := column(points, func(s Second) int64 { return s.P50US }, true)
	p99 := column(points, func(s Second) int64 { return s.P99US }, true)
	top := column(points, func(s Second) int64 { return s.MaxUS }, true)
	service := column(points, func(s Second) int64 { return s.ServiceP99US }, true)
	low, high, ok := extent(p50, p99, top, service)
	if !ok {
		c.Empty = "No answer came."
		return c
	}
	x, xticks := secondScale(points)
	y, yticks := logScale(low, high, tickMicros)
	xs := column(points, func(s Second) int64 { return int64(s.Second) }, false)
	c.X, c.Y = xticks, yticks
	c.Lines = []line{
		{Name: "max", Kind: "max", Path: path(xs, top, x, y)},
		{Name: "p99", Kind: "p99", Path: path(xs, p99, x, y)},
		{Name: "p99 service", Kind: "service", Path: path(xs, service, x, y)},
		{Name: "p50", Kind: "p50", Path: path(xs, p50, x, y)},
	}
	c.Table.Head = []string{"second", "p50", "p99", "max", "p99 service"}
	for _, p := range points {
		c.Table.Rows = append(c.Table.Rows, tableRow{px(x.at(float64(p.Second))), []string{
			strconv.Itoa(p.Second), microsOrNone(p.P50US), microsOrNone(p.P99US), microsOrNone(p.MaxUS), microsOrNone(p.ServiceP99US)}})
	}
	return c
}

func microsOrNone(us int64) string {
	if us <= 0 {
		return "–"
	}
	return micros(float64(us))
}

// tickMicros is a round duration.
func tickMicros(us float64) string {
	switch {
	case us < 1000:
		return three(us) + " µs"
	case us < 1e6:
		return three(us/1e3) + " ms"
	}
	return three(us/1e6) + " s"
}

func throughputChart(points []Second, each int, open bool) chart {
	c := chart{ID: "throughput", Title: "Throughput over time", Caption: "Answers a second beside what was due." + together(each)}
	if !open {
		c.Caption = "Answers a second." + together(each)
	}
	planned := column(points, func(s Second) int64 { return s.Planned }, false)
	answered := column(points, func(s Second) int64 { return s.Answered }, false)
	if _, high, ok := extent(answered); !ok || high == 0 {
		c.Empty = "No answer came."
		return c
	}
	_, high, _ := extent(planned, answered)
	x, xticks := secondScale(points)
	y, yticks := linearScale(1.04*high, func(v float64) string { return Grouped(int64(v)) + "/s" })
	xs := column(points, func(s Second) int64 { return int64(s.Second) }, false)
	c.X, c.Y = xticks, yticks
	c.Lines = []line{{Name: "answered", Kind: "answered", Path: path(xs, answered, x, y), Area: area(xs, answered, x, y)}}
	if open {
		c.Lines = append(c.Lines, line{Name: "intended", Kind: "intended", Path: path(xs, planned, x, y)})
	}
	c.Table.Head = []string{"second", "intended", "sent", "answered"}
	for _, p := range points {
		c.Table.Rows = append(c.Table.Rows, tableRow{px(x.at(float64(p.Second))), []string{strconv.Itoa(p.Second), Grouped(p.Planned), Grouped(p.Sent), Grouped(p.Answered)}})
	}
	return c
}

func errorChart(points []Second, each int) chart {
	c := chart{ID: "errors-chart", Title: "Errors over time", Caption: "Requests without a right answer." + together(each)}
	errors := column(points, func(s Second) int64 { return s.Errors }, false)
	_, high, ok := extent(errors)
	if !ok || high == 0 {
		c.Empty = "No errors in any second." // such a chart is left out
		return c
	}
	x, xticks := secondScale(points)
	y, yticks := linearScale(math.Max(high, 4), func(v float64) string { return Grouped(int64(v)) })
	c.X, c.Y = xticks, yticks
	var bars string
	for i, n := range errors {
		if n > 0 {
			at := px(x.at(float64(points[i].Second)))
			bars += "M" + at + " " + px(plotBottom) + "V" + px(y.at(n))
		}
	}
	c.Lines = []line{{Name: "errors", Kind: "errors", Path: bars}}
	c.Table.Head = []string{"second", "errors"}
	for _, p := range points {
		if p.Errors > 0 {
			c.Table.Rows = append(c.Table.Rows, tableRow{px(x.at(float64(p.Second))), []string{strconv.Itoa(p.Second), Grouped(p.Errors)}})
		}
	}
	return c
}

// shares are the percentiles of the table beside the percentile curve.
func shares() []float64 { return []float64{50, 75, 90, 95, 99, 99.9, 99.99, 99.999} }

// decoded is the histogram that a record carries, or nil when it carries none that can be read.
func (h Histogram) decoded() *hdrhistogram.Histogram {
	if h.Encoded == "" {
		return nil
	}
	out, err := hdrhistogram.Decode([]byte(h.Encoded))
	if err != nil || out.TotalCount() == 0 {
		return nil
	}
	return out
}

// merged adds up the histograms of all steps, exactly; nil when one of them cannot be read.
func merged(steps []Step, of func(Step) Histogram) *hdrhistogram.Histogram {
	var sum *hdrhistogram.Histogram
	for _, s := range steps {
		h := of(s)
		if h.Count == 0 {
			continue
		}
		d := h.decoded()
		switch {
		case d == nil:
			return nil
		case sum == nil:
			sum = d
		case sum.Merge(d) > 0:
			return nil
		}
	}
	return sum
}

// nines is the place of a share on the axis 1/(1-q).
func nines(percent float64) float64 { return -math.Log10(1 - percent/100) }

func percentileChart(latency, service *hdrhistogram.Histogram, thresholds []Threshold) chart {
	c := chart{ID: "percentiles", Title: "Latency by percentile", Caption: "How many were at least this fast. Each further nine has the same width; log scale. Latency counts from the intended start, service from the send."}
	if latency == nil || service == nil {
		c.Empty = "The record carries no histogram."
		return c
	}
	last := math.Max(math.Log10(float64(latency.TotalCount())), 1)
	var asked, xs []float64
	for i := range 121 {
		n := last * float64(i) / 120
		xs = append(xs, n)
		asked = append(asked, 100*(1-math.Pow(10, -n)))
	}
	l, s := latency.ValueAtPercentilesSlice(asked), service.ValueAtPercentilesSlice(asked)
	x := scale{0, last, plotLeft, plotRight, false}
	y, yticks := logScale(math.Min(float64(s[0]), float64(l[0])), math.Max(float64(latency.Max()), float64(service.Max())), tickMicros)
	c.Y = yticks
	for _, p := range []float64{50, 90, 99, 99.9, 99.99, 99.999, 99.9999} {
		if n := nines(p); n <= last {
			c.X = append(c.X, tick{px(x.at(n)), strconv.FormatFloat(p, 'f', -1, 64) + " %", x.at(n) > plotRight-6})
		}
	}
	c.Lines = []line{
		{Name: "latency", Kind: "p99", Path: path(xs, floats(l), x, y)},
		{Name: "service", Kind: "service", Path: path(xs, floats(s), x, y)},
	}
	for _, t := range thresholds {
		if percent, us, ok := bound(t.Expression); ok && nines(percent) <= last && us >= y.low && us <= y.high {
			at := x.at(nines(percent))
			c.Marks = append(c.Marks, mark{px(at), px(y.at(us)), t.Expression, t.verdict(), at > (plotLeft+plotRight)/2})
		}
	}
	c.Table.Head = []string{"percentile", "latency", "service"}
	for _, p := range shares() {
		if n := nines(p); n <= last {
			c.Table.Rows = append(c.Table.Rows, tableRow{px(x.at(n)), []string{"p" + strconv.FormatFloat(p, 'f', -1, 64),
				micros(float64(latency.ValueAtPercentile(p))), micros(float64(service.ValueAtPercentile(p)))}})
		}
	}
	c.Table.Rows = append(c.Table.Rows, tableRow{px(x.at(last)), []string{"max", micros(float64(latency.Max())), micros(float64(service.Max()))}})
	return c
}

func floats(in []int64) []float64 {
	out := make([]float64, len(in))
	for i, v := range in {
		out[i] = float64(v)
	}
	return out
}

// bound reads a threshold on a percentile, so that it can be drawn; others are only listed.
func bound(expression string) (percent, us float64, ok bool) {
	m := regexp.MustCompile(`^\s*p(\d{1,2}(?:\.\d+)?)\s*<=?\s*(\d+(?:\.\d+)?)\s*(us|µs|ms|s)\s*$`).FindStringSubmatch(expression)
	if m == nil {
		return 0, 0, false
	}
	percent, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, 0, false
	}
	us, err = strconv.ParseFloat(m[2], 64)
	if err != nil {
		return 0, 0, false
	}
	return percent, us * map[string]float64{"us": 1, "µs": 1, "ms": 1e3, "s": 1e6}[m[3]], true
}
