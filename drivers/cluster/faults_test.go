package cluster

import (
	"context"
	"errors"
	"math"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flowproof/drivers/load"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// way is a way to the scene's bus.
func (s *scene) way(delay time.Duration) *way {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with the test
	if err != nil {
		s.t.Fatal(err)
	}
	bus, err := url.Parse(s.server.Dial().URL)
	if err != nil {
		s.t.Fatal(err)
	}
	w := lead(l, bus.Host, delay)
	s.t.Cleanup(w.close)
	return w
}

// over is a connection to the bus by that way.
func (s *scene) over(w *way) *Bus {
	s.t.Helper()
	d := s.server.Dial()
	d.URL = "nats://" + w.at
	b, err := Connect(d)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(b.Close)
	return b
}

// at calls f once, when so much of the run is over.
func at(elapsed time.Duration, f func()) func(*Options) {
	var once sync.Once
	return func(o *Options) {
		o.Progress = func(s load.Snapshot) {
			if s.Elapsed >= elapsed {
				once.Do(f)
			}
		}
	}
}

func TestAnAgentThatIsCutOffIsLostAndStops(t *testing.T) {
	for name, lenient := range map[string]bool{"": false, "and the rest is judged": true} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			w := s.way(0)
			s.agent("a")
			s.agentOn(s.over(w), "b")
			var cut time.Time
			c := s.crew(load.Plan{Rate: 200, Duration: 6 * time.Second, Connections: 2}, expect(2), at(time.Second, func() {
				cut = time.Now()
				w.cut.Store(true)
			}), func(o *Options) { o.Lenient = lenient })
			l, err := c.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			a, b := l.Agents[0], l.Agents[1]
			if a.Lost != "" || a.Planned != 600 || a.Sent < 300 || accounted(l) != 1200 || !strings.HasPrefix(b.Lost, "was lost 1.") || b.Planned != 600 || b.Sent < 50 || b.Sent > 200 {
				t.Errorf("%+v\n%+v", a, b)
			}
			if want := float64(600-b.Sent) / 1200; math.Abs(b.Missing-want) > 1e-9 || !strings.Contains(l.Partial, "agent b (2/2) was lost") || !strings.Contains(l.Partial, "% of the schedule is missing") {
				t.Errorf("%v is missing, want %v: %s", b.Missing, want, l.Partial)
			}
			if sent(l) != a.Sent+b.Sent || l.Steps[0].Planned != 1200 {
				t.Errorf("%+v", l.Steps)
			}
			if code := l.ExitCode(); lenient && code == 3 && l.Generator.Bottleneck == "" || !lenient && code != 3 {
				t.Errorf("exit code %d, %s", code, l.Verdict)
			}
			if late := s.quiet("b", cut); late > 3*time.Second {
				t.Errorf("it sent for %v more", late)
			}
		})
	}
}

func TestAgentsStopWithTheirCoordinator(t *testing.T) {
	s := newScene(t)
	s.agent("a")
	s.agent("b")
	b := s.bus()
	c, err := Muster(t.Context(), b, Options{Version: version, Expect: 2})
	if err != nil {
		t.Fatal(err)
	}
	var dead atomic.Pointer[time.Time]
	at(time.Second, func() {
		now := time.Now()
		dead.Store(&now)
		b.Close()
	})(&c.Options)
	if err := c.Arm(t.Context(), s.order(load.Plan{Rate: 100, Duration: time.Hour, Connections: 2})); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	_, _ = c.Run(ctx) // what a coordinator without a bus makes of it is nobody's concern
	c.end()
	for _, name := range []string{"a", "b"} {
		if late := s.quiet(name, *dead.Load()); late > 3*time.Second {
			t.Errorf("%s sent for %v more", name, late)
		}
	}
	// They are free for the next one.
	if l, err := s.crew(load.Plan{Rate: 100, Count: 10}, expect(2)).Run(t.Context()); err != nil || sent(l) != 10 {
		t.Errorf("%v, %d", err, sent(l))
	}
}

func TestAnInterruptStopsEveryAgent(t *testing.T) {
	s := newScene(t)
	s.agent("a")
	s.agent("b")
	ctx, cancel := context.WithCancel(t.Context())
	var then time.Time
	c := s.crew(load.Plan{Rate: 100, Duration: time.Hour, Connections: 2}, expect(2), at(time.Second, func() { then = time.Now(); cancel() }))
	l, err := c.Run(ctx)
	if err != nil || l.Partial != "interrupted" || l.ExitCode() != 3 {
		t.Fatalf("%v, %q", err, l.Partial)
	}
	for i, name := range []string{"a", "b"} {
		if late := s.quiet(name, then); late > 2*time.Second || l.Agents[i].Lost != "" {
			t.Errorf("%s sent for %v more, %+v", name, late, l.Agents[i])
		}
	}
}

func TestTheBusIsRestarted(t *testing.T) {
	s := newScene(t)
	s.agent("a")
	s.agent("b")
	u, err := url.Parse(s.server.Dial().URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	c := s.crew(load.Plan{Rate: 200, Duration: 4 * time.Second, Connections: 2}, expect(2), at(time.Second, func() {
		s.server.Close()
		<-time.After(700 * time.Millisecond) // as long as a server takes to come back
		if s.server, err = embed(s.folder, port); err != nil {
			t.Error(err)
		}
	}))
	l, err := c.Run(t.Context())
	if err != nil || l.Partial != "" || accounted(l) != 800 || sent(l) < 300 {
		t.Fatalf("%v, %q, %d of %d", err, l.Partial, sent(l), accounted(l))
	}
	for _, m := range c.members {
		if m.gaps != 0 {
			t.Errorf("%d results of %s never came", m.gaps, m.name)
		}
	}
}

func TestAnAgentThatLeavesTellsWhatItDid(t *testing.T) {
	s := newScene(t)
	s.agent("a")
	leave := s.agent("b")
	var left sync.WaitGroup
	c := s.crew(load.Plan{Rate: 200, Duration: 3 * time.Second, Connections: 2}, expect(2), at(time.Second, func() { left.Go(leave) }))
	l, err := c.Run(t.Context())
	left.Wait()
	if err != nil || !strings.Contains(l.Partial, "agent b (2/2) left, since it was interrupted") || l.Agents[1].Sent < 80 || l.Agents[1].Missing < 0.2 {
		t.Errorf("%v, %q, %+v", err, l.Partial, l.Agents)
	}
}

func TestARuleOfThePlanStopsAllAgents(t *testing.T) {
	s := newScene(t)
	s.agent("a")
	s.agent("b")
	var n atomic.Int64
	s.token = func(secret string, _ int64) string {
		if n.Add(1) > 20 && strings.HasSuffix(secret, "b") {
			return `"` // no JSON any more
		}
		return "token-" + strconv.FormatInt(n.Load(), 10)
	}
	rule, err := load.ParseAbort("errors>50% for 1s")
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.crew(load.Plan{Rate: 200, Duration: time.Minute, Connections: 2, Abort: []load.Abort{rule}}, expect(2)).Run(t.Context())
	if err != nil || l.Verdict != reports.Fail || !strings.HasPrefix(l.Partial, "agent b: stopped, since ") {
		t.Errorf("%v, %s, %q", err, l.Verdict, l.Partial)
	}
}

// TestWhatIsRefused has the words for crews that cannot be.
func TestWhatIsRefused(t *testing.T) {
	s := newScene(t)
	try := func(p load.Plan, o Options) error {
		c, err := Muster(t.Context(), s.bus(), o)
		if err != nil {
			return err
		}
		defer c.Close()
		return c.Arm(t.Context(), s.order(p))
	}
	refused := func(err error, want string) {
		t.Helper()
		if !errors.Is(err, ErrCrew) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	plan := load.Plan{Rate: 100, Duration: time.Second, Connections: 2}
	refused(try(plan, Options{Version: version, Wait: 100 * time.Millisecond}), "none answers")
	s.agent("a")
	refused(try(plan, Options{Version: version, Expect: 2, Wait: 100 * time.Millisecond}), "only 1 of 2 answer")
	refused(try(plan, Options{Version: "9.9.9"}), "a is flowproof 1.2.3, and this is 9.9.9; run the same on all machines")
	leave := s.agent("b", func(a *Agent) {
		a.Allow = func(target.Target, []string) error { return errors.New("give --i-may-load acme.test") }
	})
	var err error
	for range 20 { // one that answers late is not waited for
		if err = try(plan, Options{Version: version, Expect: 1}); err != nil && strings.Contains(err.Error(), "2 answer") {
			break
		}
	}
	refused(err, "2 answer")
	refused(try(plan, Options{Version: version, Expect: 2}), "b: give --i-may-load acme.test")
	leave()
	leave = s.agentOn(s.over(s.way(150*time.Millisecond)), "far")
	refused(try(plan, Options{Version: version, Expect: 2}), "the clock of far cannot be told from here")
	leave()
	first := s.crew(plan, expect(1))
	refused(try(plan, Options{Version: version, Expect: 1}), "a: it is busy with run "+first.run+" of the test")
}

func TestWrongClocksAreCorrected(t *testing.T) {
	s := newScene(t)
	off := map[string]time.Duration{"a": -1700 * time.Millisecond, "b": 0, "c": 3700 * time.Millisecond}
	for name, by := range off {
		s.agent(name, func(a *Agent) { a.Clock = func() time.Time { return time.Now().Add(by) } })
	}
	l, err := s.crew(load.Plan{Rate: 300, Duration: time.Second, Connections: 16}, expect(3)).Run(t.Context())
	if err != nil || sent(l) < 100 || l.Steps[0].Planned != 300 { // a busy machine sends fewer than are planned
		t.Fatal(err, sent(l))
	}
	for _, a := range l.Agents {
		if wrong := time.Duration(a.ClockOffsetUS)*time.Microsecond - off[a.Name]; wrong.Abs() > 20*time.Millisecond || time.Duration(a.StartSkewUS)*time.Microsecond > 100*time.Millisecond {
			t.Errorf("%+v is wrong by %v", a, wrong)
		}
	}
	if said := strings.Join(l.Notices, "\n"); !strings.Contains(said, "The clock of agent c was 3.7s ahead; its start was corrected") || !strings.Contains(said, "The clock of agent a was 1.7s behind") {
		t.Error(said)
	}
	if l.DurationMS > 1500 {
		t.Errorf("it took %d ms", l.DurationMS)
	}
}

// TestAnAgentThatIsNotCountedOnStops: one that the coordinator gave up, and that hears so.
func TestAnAgentThatIsNotCountedOnStops(t *testing.T) {
	s := newScene(t)
	s.agent("a")
	s.agent("b")
	var c *Crew
	var then time.Time
	ctx, end := context.WithTimeout(t.Context(), 5*time.Second)
	defer end()
	c = s.crew(load.Plan{Rate: 100, Duration: time.Hour, Connections: 2}, expect(2), at(time.Second, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.members[1].lost, then = "was given up", time.Now()
	}), func(o *Options) { o.Lenient = true })
	_, _ = c.Run(ctx)
	if late := s.quiet("b", then); late > 2*time.Second {
		t.Errorf("it sent for %v more", late)
	}
}
