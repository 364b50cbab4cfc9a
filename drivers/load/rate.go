package load

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseRate reads a rate as people write it: 2000/s, 500/m, 90000/h; the result is in requests a second.
func ParseRate(s string) (float64, error) {
	number, unit, cut := strings.Cut(strings.TrimSpace(s), "/")
	if !cut {
		return 0, fmt.Errorf("rate %q does not say per what; write 2000/s, 500/m or 90000/h", s)
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0, fmt.Errorf("rate %q does not begin with a number; write 2000/s, 500/m or 90000/h", s)
	}
	var per float64
	switch strings.ToLower(strings.TrimSpace(unit)) {
	case "s", "sec", "second":
		per = 1
	case "m", "min", "minute":
		per = 60
	case "h", "hour":
		per = 3600
	default:
		return 0, fmt.Errorf("rate %q is not per s, m or h; write 2000/s, 500/m or 90000/h", s)
	}
	x /= per
	if !(x > 0) {
		return 0, fmt.Errorf("rate %q must be above zero", s)
	}
	if x > mostRate {
		return 0, fmt.Errorf("rate %q is above %.0f/s, more than one process can send", s, float64(mostRate))
	}
	return x, nil
}
