package load

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Threshold is a bound that the run is to keep, such as p99<250ms. The zero value is none;
// ParseThreshold makes them.
type Threshold struct {
	expression string
	step       string // a scenario or a step; empty: all of them
	clock      string // latency or service
	metric     string // p, mean, max, min, errors, throttled, unsent or rate
	percentile float64
	op         string
	bound      float64 // microseconds, a share, or requests a second
}

// String is the expression as it was parsed, without blanks.
func (h Threshold) String() string { return h.expression }

const (
	latencyClock = "latency"
	serviceClock = "service"
)

var thresholdShape = regexp.MustCompile(`^(?:([a-z0-9][a-z0-9_.-]*):)?(?:(latency|service)\.)?(p[0-9.]+|[a-z_]+)(<=|>=|<|>)([^<>=]+)$`)

const thresholdShapes = "write p99<250ms, p99.9<1s, mean<50ms, max<2s, service.p99<100ms, errors<0.1%, rate>1900/s, or with a scenario or one of its steps in front: password:p99<400ms, login.redeem:p99<400ms"

// ParseThreshold reads a bound: [SCENARIO[.STEP]:][service.]METRIC<VALUE, where the metric is a percentile (p99,
// p99.9), mean, max, min, errors, throttled, unsent or rate, and the sign <, <=, > or >=.
func ParseThreshold(s string) (Threshold, error) {
	compact := strings.Join(strings.Fields(s), "")
	m := thresholdShape.FindStringSubmatch(compact)
	if m == nil {
		return Threshold{}, fmt.Errorf("threshold %q cannot be read; %s", s, thresholdShapes)
	}
	h := Threshold{expression: compact, step: m[1], clock: m[2], metric: m[3], op: m[4]}
	var err error
	switch {
	case h.metric[0] == 'p' && len(h.metric) > 1 && h.metric[1] <= '9':
		h.percentile, err = strconv.ParseFloat(h.metric[1:], 64)
		if err != nil || h.percentile <= 0 || h.percentile >= 100 {
			return Threshold{}, fmt.Errorf("threshold %q: a percentile is above 0 and below 100; write p50, p99 or p99.9", s)
		}
		h.metric = "p"
		h.bound, err = microseconds(m[5])
	case h.metric == "mean" || h.metric == "max" || h.metric == "min":
		h.bound, err = microseconds(m[5])
	case h.clock != "":
		err = fmt.Errorf("only a percentile, mean, max and min have a %s clock", h.clock)
	case h.metric == "errors" || h.metric == "throttled" || h.metric == "unsent":
		h.bound, err = share(m[5])
	case h.metric == "rate":
		h.bound, err = ParseRate(m[5])
	default:
		err = fmt.Errorf("there is no metric %q; %s", h.metric, thresholdShapes)
	}
	if err != nil {
		return Threshold{}, fmt.Errorf("threshold %q: %w", s, err)
	}
	if h.clock == "" && h.timed() {
		h.clock = latencyClock
	}
	return h, nil
}

// timed reports whether the bound is a duration.
func (h Threshold) timed() bool {
	return h.metric == "p" || h.metric == "mean" || h.metric == "max" || h.metric == "min"
}

func microseconds(s string) (float64, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no duration; write 250ms, 1.5s or 800us", s)
	}
	return float64(d) / 1e3, nil
}

func share(s string) (float64, error) {
	number, percent := strings.CutSuffix(s, "%")
	x, err := strconv.ParseFloat(number, 64)
	if percent {
		x /= 100
	}
	if err != nil || !(x >= 0) || x > 1 {
		return 0, fmt.Errorf("%q is no share; write 0.1%% or 0.001", s)
	}
	return x, nil
}

// held compares a value with the bound.
func (h Threshold) held(x float64) bool {
	switch h.op {
	case "<":
		return x < h.bound
	case "<=":
		return x <= h.bound
	case ">":
		return x > h.bound
	}
	return x >= h.bound
}

// samples is how many answers it takes to tell the percentile: ten beyond it.
func (h Threshold) samples() int64 {
	if h.metric != "p" {
		return 1
	}
	return int64(math.Ceil(math.Max(10/(1-h.percentile/100), 10/(h.percentile/100)) - 1e-6))
}

// shown is a value of the threshold's kind as people read it.
func (h Threshold) shown(x float64) string {
	switch {
	case h.timed():
		return showMicroseconds(x)
	case h.metric == "rate":
		return significant(x) + "/s"
	}
	return significant(100*x) + "%"
}

func showMicroseconds(us float64) string {
	switch {
	case us < 1e3:
		return significant(us) + " µs"
	case us < 1e6:
		return significant(us/1e3) + " ms"
	}
	return significant(us/1e6) + " s"
}

// significant writes a number with four digits at most, and no idle zeros.
func significant(x float64) string {
	if math.Abs(x) >= 1000 {
		return strconv.FormatFloat(math.Round(x), 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}
