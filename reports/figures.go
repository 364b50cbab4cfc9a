package reports

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A figure is one number that a load run ends with.
type figure struct {
	name   string // as OpenMetrics writes it, with its unit
	help   string
	labels [][2]string
	value  float64
	total  bool // a counter
}

// key is the figure's name in charts: what it is, and of what.
func (f figure) key() string {
	parts := []string{f.name}
	for _, l := range f.labels {
		parts = append(parts, slugDots(l[1]))
	}
	return strings.Join(parts, ".")
}

// slugDots keeps letters, digits and dots of a name.
func slugDots(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '_'
	}, s)
}

// figures are those of the whole run, then those of each step, name by name.
func (l Load) figures() []figure {
	var out []figure
	gauge := func(name, help string, value float64, labels ...[2]string) {
		out = append(out, figure{name, help, labels, value, false})
	}
	gauge("rate_achieved_per_second", "Verified answers a second.", l.Rate.Achieved)
	if l.Rate.Intended > 0 {
		gauge("rate_intended_per_second", "Requests that were due a second.", l.Rate.Intended)
	}
	if c := l.Capacity; c != nil && c.Confirmed {
		gauge("capacity_per_second", "The highest rate that was seen to hold.", c.Held)
	}
	gauge("duration_seconds", "How long the run took.", float64(l.DurationMS)/1000)
	gauge("verdict", "1: holds; 0: falls short; 0.5: cannot be told.", map[Verdict]float64{Pass: 1, Fail: 0, Inconclusive: 0.5}[l.headline().Verdict])
	count := func(name, help string, of func(Step) int64) {
		for _, s := range l.Steps {
			out = append(out, figure{name, help, [][2]string{{"step", s.Name}}, float64(of(s)), true})
		}
	}
	count("requests_planned", "Requests that were due.", func(s Step) int64 { return s.Planned })
	count("requests_sent", "Requests that were sent.", func(s Step) int64 { return s.Sent })
	count("answers", "Answers that came.", func(s Step) int64 { return s.Answered })
	count("answers_verified", "Answers that hold all that was checked.", func(s Step) int64 { return s.Verified })
	for _, s := range l.Steps {
		for _, e := range sortedCounts(s.Errors) {
			out = append(out, figure{"errors", "Requests that went wrong, by class.", [][2]string{{"step", s.Name}, {"class", e.Class}}, float64(e.Count), true})
		}
	}
	for _, kind := range []struct {
		name, help string
		of         func(Step) Histogram
	}{
		{"latency_seconds", "From the intended start.", func(s Step) Histogram { return s.Latency }},
		{"service_seconds", "From the send.", func(s Step) Histogram { return s.Service }},
	} {
		for _, s := range l.Steps {
			h := kind.of(s)
			for _, p := range sortedPercentiles(h.Percentiles) {
				share, err := strconv.ParseFloat(p, 64)
				if h.Count == 0 || err != nil {
					continue
				}
				gauge(kind.name, kind.help, h.Percentiles[p]/1e6, [2]string{"step", s.Name}, [2]string{"quantile", number(math.Round(share*1e4) / 1e6)})
			}
		}
	}
	for _, t := range l.Thresholds {
		if t.Reason == "" {
			gauge("threshold_held", "1 when the bound was kept.", map[bool]float64{true: 1}[t.Held], [2]string{"threshold", t.Expression})
		}
	}
	return out
}

// sortedPercentiles are the names of percentiles in the order of what they say; what is no number is left out.
func sortedPercentiles(of map[string]float64) []string {
	var out []string
	for p := range of {
		if x, err := strconv.ParseFloat(p, 64); err == nil && x >= 0 && x <= 100 {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		x, _ := strconv.ParseFloat(a, 64)
		y, _ := strconv.ParseFloat(b, 64)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return strings.Compare(a, b)
	})
	return out
}

// number writes a number as machines read it.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// OpenMetrics writes the final figures in OpenMetrics text, as CI servers and collectors read it.
func OpenMetrics(w io.Writer, r Record) error {
	var all []figure
	switch r.Kind() {
	case "load":
		for _, f := range shown(*r.Load).figures() {
			f.name = "load_" + f.name
			all = append(all, f)
		}
	case "conformance":
		all = shown(*r.Conformance).figures()
	default:
		return errNotOf("openmetrics", r, "a check or of a load run")
	}
	var b strings.Builder
	last := ""
	for _, f := range all {
		name := "flowproof_" + f.name
		if name != last {
			last = name
			kind := map[bool]string{true: "counter", false: "gauge"}[f.total]
			fmt.Fprintf(&b, "# TYPE %s %s\n", name, kind)
			if strings.HasSuffix(name, "_seconds") {
				fmt.Fprintf(&b, "# UNIT %s seconds\n", name)
			}
			fmt.Fprintf(&b, "# HELP %s %s\n", name, f.help)
		}
		b.WriteString(name)
		if f.total {
			b.WriteString("_total")
		}
		for i, l := range f.labels {
			b.WriteString(map[bool]string{true: "{", false: ","}[i == 0] + l[0] + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(oneLine(l[1])) + `"`)
		}
		if len(f.labels) > 0 {
			b.WriteByte('}')
		}
		b.WriteString(" " + number(f.value) + "\n")
	}
	b.WriteString("# EOF\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// figures are how many requirements have each verdict, and what the run was.
func (c Conformance) figures() []figure {
	var out []figure
	for _, v := range Verdicts() {
		out = append(out, figure{"check_requirements", "Requirements by verdict.", [][2]string{{"verdict", string(v)}}, float64(c.Counts()[v]), false})
	}
	if b := c.Baseline; b != nil {
		out = append(out, figure{"check_worse", "Requirements that got worse than in the baseline.", nil, float64(requirements(b.Worse)), false},
			figure{"check_better", "Requirements that improved since the baseline.", nil, float64(requirements(b.Better)), false})
	}
	return append(out, figure{"check_duration_seconds", "How long the run took.", nil, float64(c.DurationMS) / 1000, false},
		figure{"check_conforms", "1: conforms; 0: falls short; 0.5: cannot be told.", nil, map[int]float64{exitHolds: 1, exitCannotClaim: 0.5}[c.ExitCode(c.Strict)], false})
}
