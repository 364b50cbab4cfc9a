package load

import (
	"fmt"
	"time"
)

// A standstill is what this process did not see, since it was suspended, or got no processor at all.
type standstill struct {
	times      int
	total      time.Duration
	first      time.Duration // when the first one began
	lastLooked time.Duration
}

// unheard is how much longer than it asked for a process sleeps only if it stands still.
const unheard = time.Second

// look is to be called before each wait for a tick.
func (s *standstill) look(now time.Duration) { s.lastLooked = now }

// heard is to be called after it.
func (s *standstill) heard(now time.Duration) {
	lost := now - s.lastLooked - tick
	if lost < unheard {
		return
	}
	if s.times == 0 {
		s.first = s.lastLooked
	}
	s.times++
	s.total += lost
}

// String says what happened, and is empty when nothing did.
func (s *standstill) String() string {
	if s.times == 0 {
		return ""
	}
	when := fmt.Sprintf("from second %d of the run on", max(int(s.first/time.Second), 0)+1)
	if s.times > 1 {
		when = fmt.Sprintf("%d times, for the first time in second %d of the run", s.times, max(int(s.first/time.Second), 0)+1)
	}
	return fmt.Sprintf("this process stood still for %v, %s, as one does that is suspended", s.total.Round(100*time.Millisecond), when)
}

// lost is how many requests may have failed only because nobody listened to their answers.
func (t *tally) lost() (n int64) {
	for _, class := range []string{timedOut, "reset", "eof"} {
		n += t.errors[class]
	}
	return n
}
