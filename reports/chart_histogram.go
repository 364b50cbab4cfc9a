package reports

import (
	"math"
	"strings"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
)

// bins is how many bars the histogram has from its least to its greatest latency.
const bins = 48

// histogramChart shows how many answers took how long; the bars are equally wide on the log scale.
func histogramChart(latency, service *hdrhistogram.Histogram) chart {
	c := chart{ID: "histogram", Title: "Latency histogram", Caption: "Which share of the answers took how long. Log scale; each bar is as many times as long as the one before."}
	if latency == nil || service == nil {
		c.Empty = "The record carries no histogram."
		return c
	}
	low := math.Max(math.Min(float64(latency.Min()), float64(service.Min())), 1)
	high := math.Max(float64(latency.Max()), float64(service.Max())) + 1
	x, xticks := logScaleOver(plotLeft, plotRight, low, high, tickMicros)
	l, s := binned(latency, x), binned(service, x)
	_, most, _ := extent(l, s)
	y, yticks := linearScale(most, func(v float64) string { return three(v) + " %" })
	c.X, c.Y = xticks, yticks
	c.Lines = []line{
		{Name: "latency", Kind: "p99", Path: steps(l, x, y), Area: steps(l, x, y) + "Z"},
		{Name: "service", Kind: "service", Path: steps(s, x, y)},
	}
	c.Table.Head = []string{"up to", "latency", "service"}
	for i := range bins {
		if l[i] > 0 || s[i] > 0 {
			c.Table.Rows = append(c.Table.Rows, tableRow{px(x.at(edge(x, i))), []string{micros(edge(x, i+1)), three(l[i]) + " %", three(s[i]) + " %"}})
		}
	}
	return c
}

// edge is where a bar begins, in microseconds.
func edge(x scale, bin int) float64 {
	return x.low * math.Pow(x.high/x.low, float64(bin)/bins)
}

// binned is the share of the answers in each bar, in percent.
func binned(h *hdrhistogram.Histogram, x scale) []float64 {
	out := make([]float64, bins)
	for _, bar := range h.Distribution() {
		if bar.Count == 0 {
			continue
		}
		at := bins * math.Log(math.Max(float64(bar.To), x.low)/x.low) / math.Log(x.high/x.low)
		out[min(max(int(at), 0), bins-1)] += 100 * float64(bar.Count) / float64(h.TotalCount())
	}
	return out
}

// steps outlines the bars.
func steps(shares []float64, x, y scale) string {
	var b strings.Builder
	b.WriteString("M" + px(plotLeft) + " " + px(plotBottom))
	for i, share := range shares {
		b.WriteString("V" + px(y.at(share)) + "H" + px(x.at(edge(x, i+1))))
	}
	b.WriteString("V" + px(plotBottom))
	return b.String()
}
