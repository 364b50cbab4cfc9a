package suites

import (
	"fmt"
	"time"

	"github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
)

// The target's clock need not be right, and neither need this machine's: what the target says of times is judged by
// its own clock, as its answers tell it (RFC 9110 §6.6.1).

// clockAt is what the target's clock showed at an exchange. Differences that servers tolerate are not worth a thought.
func (s *session) clockAt(x oauth.Exchange) time.Time {
	now := x.Started.Add(s.ahead)
	if skew, _ := x.ClockSkew(); skew.Abs() > clockSkew {
		return now.Add(skew)
	}
	return now
}

// untimely ends the spec at a time that cannot be. Where the target does not tell its own, this machine's clock may be
// the wrong one.
func (s *session) untimely(x oauth.Exchange, format string, args ...any) {
	ginkgo.GinkgoHelper()
	what := fmt.Sprintf(format, args...)
	if _, told := x.ClockSkew(); !told {
		s.inconclusive("%s, by the clock of this machine; the target does not tell its own (no Date header)", what)
	}
	s.violated("%s", what)
}

// otherClock is a notice of a clock that is not this machine's, or empty.
func (o *observer) otherClock() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.skew == 0 {
		return ""
	}
	return fmt.Sprintf("the target's clock is %v %s this machine's, by its Date header: what it says of times was judged by its own. One-time passwords need both to be right",
		o.skew.Abs().Round(time.Minute), map[bool]string{true: "ahead of", false: "behind"}[o.skew > 0])
}
