package suites

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"time"

	"flowproof/drivers/oauth"
)

// A tournament is the rounds of a race. What it proves hangs on how well the rounds overlapped.
type tournament struct {
	s          *session
	rounds     int
	overlapped int // rounds in which at least two requests were under way at once
	attempts   int
	wins       int
	most       int // wins in one round
	worst      oauth.Race
	multiplex  int // rounds over one HTTP/2 connection
}

// defaultRounds is how often a race is run unless the options say otherwise. One round shows little,
// twenty take long where the server is far away.
const defaultRounds = 4

func (s *session) rounds() int {
	if s.Rounds > 0 {
		return s.Rounds
	}
	return defaultRounds
}

// each counts the rounds, and goes on for a while where in none of them two requests were under way at once, as on a busy
// machine.
func (t *tournament) each() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; i < t.s.rounds() || t.overlapped == 0 && i < 5*t.s.rounds(); i++ {
			if !yield(i) {
				return
			}
		}
	}
}

// run releases the requests together, every other time over one HTTP/2 connection where the server speaks
// that. A round in which nothing could be released ends the spec as inconclusive.
func (t *tournament) run(ctx context.Context, requests ...oauth.Request) []oauth.Exchange {
	r, err := t.release(ctx, requests)
	if err != nil {
		t.s.inconclusive("the requests could not be released together: %v", err)
	}
	t.rounds++
	t.attempts += len(requests)
	wins := 0
	for _, x := range r.Exchanges {
		if x.IssuedToken() {
			wins++
		}
	}
	t.wins += wins
	t.most = max(t.most, wins)
	if r.Overlapped() {
		t.overlapped++
		if t.worst.Exchanges == nil || share(r) < share(t.worst) || share(r) == share(t.worst) && r.Spread > t.worst.Spread {
			t.worst = r
		}
	}
	return r.Exchanges
}

func share(r oauth.Race) float64 { return float64(r.Flying) / float64(len(r.Exchanges)) }

func (t *tournament) release(ctx context.Context, requests []oauth.Request) (oauth.Race, error) {
	if t.rounds%2 == 1 && !t.s.oneByOne && oneHost(requests) {
		r, err := t.s.driver.RaceHTTP2(ctx, requests...)
		if !errors.Is(err, oauth.ErrNoHTTP2) {
			t.multiplex++
			return r, err
		}
		t.s.oneByOne = true
	}
	return t.s.driver.Race(ctx, requests...)
}

// oneHost says whether the requests can go over one connection.
func oneHost(requests []oauth.Request) bool {
	for _, r := range requests[1:] {
		if a, b := serverOf(r.URL), serverOf(requests[0].URL); a == "" || a != b {
			return false
		}
	}
	return true
}

// serverOf is the scheme and host of a URL, or empty.
func serverOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// String says how often, how closely, and who won.
func (t *tournament) String() string {
	if t.rounds == 0 {
		return "no rounds"
	}
	text := fmt.Sprintf("%d rounds, %d requests, %d wins, at most %d in one round", t.rounds, t.attempts, t.wins, t.most)
	if t.multiplex > 0 {
		text += fmt.Sprintf(", %d rounds over one HTTP/2 connection", t.multiplex)
	}
	if t.overlapped == 0 {
		return text + "; no round overlapped"
	}
	return text + fmt.Sprintf("; %d overlapped, the least with %d of %d under way at once, released within %v",
		t.overlapped, t.worst.Flying, len(t.worst.Exchanges), t.worst.Spread.Round(time.Microsecond))
}

// settle ends a spec whose rounds all went well: they prove something only if they overlapped.
func (t *tournament) settle() {
	if t.overlapped == 0 {
		t.s.inconclusive("the requests were one after the other in each round, which proves nothing: %v", t)
	}
	t.s.remark("%v", t)
}

// remark says what a spec saw that passes.
func (s *session) remark(format string, args ...any) {
	if s.seen.lowered == "" {
		s.seen.message = fmt.Sprintf(format, args...)
	}
}

// alone makes once a run the control of a race: what is raced is refused when it comes alone. Where it is
// not, another row tells, and a race proves nothing more.
func (s *session) alone(name string, send func() oauth.Exchange) {
	c, made := s.controls[name]
	if !made {
		c.exchange = send()
		switch x := c.exchange; {
		case x.IssuedToken():
			c.failure = name + " gets a token even without a race: " + answered(x)
		case putOff(x) || x.Status >= 500:
			c.failure = name + " is not told whether it is right: " + answered(x)
		}
		s.controls[name] = c
	}
	if c.failure != "" {
		s.seen.decide(c.exchange)
		s.inconclusive("%s", c.failure)
	}
}

// collect sends n requests, as many at a time as there are workers. It never ends the spec.
func (s *session) collect(ctx context.Context, n, workers int, request func(i int) oauth.Request) []oauth.Exchange {
	out := make([]oauth.Exchange, n)
	next := make(chan int)
	done := make(chan struct{})
	for range workers {
		go func() {
			for i := range next {
				out[i] = s.driver.Send(ctx, request(i)).Brief() // no token takes more
			}
			done <- struct{}{}
		}()
	}
	for i := range n {
		next <- i
	}
	close(next)
	for range workers {
		<-done
	}
	return out
}
