package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"flowproof/drivers/load"
	"flowproof/reports"
)

// An Order is what the crew is to send.
type Order struct {
	Plan   load.Plan
	Name   string // of the target file
	Target []byte // its text, which refers to secrets and has none
	CA     string // trust roots beside those that it names, PEM
	Token  string // the token endpoint
}

// Arm makes every agent ready, or none.
func (c *Crew) Arm(ctx context.Context, o Order) error {
	if err := c.tend(ctx); err != nil {
		return err
	}
	c.target = o.Token
	c.mu.Lock()
	for _, m := range c.members {
		m.heard, m.next = time.Now(), 1
	}
	c.mu.Unlock()
	err := c.everybody(ctx, armWord, func(n int, _ *member) any {
		p := o.Plan
		p.Shard = load.Shard{Index: n + 1, Of: len(c.members)}
		return order{Run: c.run, Version: c.Version, Leader: c.Leader, Plan: p, Name: o.Name, Target: o.Target, CA: o.CA, Key: c.key}
	})
	if err != nil {
		return err
	}
	return c.until(ctx, time.Now().Add(c.Ready), "ready", time.Time{}, func(m *member) (bool, error) {
		if m.state == failed {
			return false, fmt.Errorf("cluster: %w: %s: %s", ErrCrew, m.name, m.why)
		}
		return m.state == armed, nil
	})
}

// until waits until every member is as it should be. Who is lost, or late, ends it with an error.
func (c *Crew) until(ctx context.Context, deadline time.Time, as string, began time.Time, is func(*member) (bool, error)) error {
	ticks := time.NewTicker(again)
	defer ticks.Stop()
	for {
		c.miss(began)
		var waiting []string
		c.mu.Lock()
		for _, m := range c.members {
			if m.lost != "" {
				c.mu.Unlock()
				return fmt.Errorf("cluster: %w: %s was lost before it was %s", ErrCrew, m.name, as)
			}
			ok, err := is(m)
			if err != nil {
				c.mu.Unlock()
				return err
			}
			if !ok {
				waiting = append(waiting, m.name+" ("+string(m.state)+")")
			}
		}
		c.mu.Unlock()
		if len(waiting) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("cluster: %w: not all are %s in time: %s", ErrCrew, as, strings.Join(waiting, ", "))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cluster: wait for the agents: %w", context.Cause(ctx))
		case <-c.change:
		case <-ticks.C:
		}
	}
}

const (
	connected = 30 * time.Second // to open the connections
	headStart = 300 * time.Millisecond
	// drained is how long agents may take to tell what they counted once they stopped.
	drained = 8 * time.Second
)

// Run runs the plan once, or its stages instead of its own, and returns the sum of what the agents sent. An error means
// that nothing was sent, or that nothing can be told of it.
func (c *Crew) Run(ctx context.Context, stages ...load.Stage) (reports.Load, error) {
	c.mu.Lock()
	c.round++
	number := c.round
	for _, m := range c.members {
		m.part, m.pieces, m.closing, m.failure = nil, nil, nil, ""
	}
	c.mu.Unlock()
	began, err := c.begin(ctx, number, stages)
	if err != nil {
		c.stop("the others cannot start")
		return reports.Load{}, err
	}
	early := c.attend(ctx, began)
	return c.sum(ctx, began, early, len(stages) == 0)
}

// begin starts a round at the same moment everywhere.
func (c *Crew) begin(ctx context.Context, number int, stages []load.Stage) (time.Time, error) {
	if err := c.everybody(ctx, runWord, func(int, *member) any { return round{c.run, number, stages} }); err != nil {
		return time.Time{}, err
	}
	err := c.until(ctx, time.Now().Add(connected), "connected", time.Time{}, func(m *member) (bool, error) {
		if m.failure != "" {
			return false, fmt.Errorf("cluster: %w: %s: %s", ErrCrew, m.name, m.failure)
		}
		return m.part != nil && m.state == ready && m.round == number, nil
	})
	if err != nil {
		return time.Time{}, err
	}
	lead := headStart
	for _, m := range c.members {
		lead = max(lead, headStart+4*m.trip)
	}
	at := time.Now().Add(lead)
	return at, c.everybody(ctx, startWord, func(_ int, m *member) any { return start{c.run, number, m.theirs(at)} })
}

// stop ends the round everywhere, as far as anybody hears it.
func (c *Crew) stop(why string) {
	hurry, done := context.WithTimeout(context.Background(), 2*time.Second)
	defer done()
	_ = c.everybody(hurry, stopWord, func(int, *member) any { return end{c.run, why} }) // those who do not hear it miss the pulse
}

// attend watches the round until every agent has told all, or is lost. It tells why all of them ended early, if they did.
func (c *Crew) attend(ctx context.Context, began time.Time) (early string) {
	if c.Monitor != nil {
		c.Monitor.Watch(c.status)
	}
	ticks := time.NewTicker(2 * again)
	defer ticks.Stop()
	var stopping sync.WaitGroup
	defer stopping.Wait()
	var last time.Time // when who has not told everything is given up
	halt := func(why string) {
		if early == "" {
			early, last = why, time.Now().Add(drained)
			stopping.Go(func() { c.stop(why) })
		}
	}
	interrupt := ctx.Done()
	for {
		c.miss(began)
		left, aborted := c.left(began)
		if left == 0 {
			return early
		}
		if aborted != "" {
			halt(aborted)
		}
		if !last.IsZero() && time.Now().After(last) {
			c.giveUp()
			return early
		}
		select {
		case <-interrupt:
			interrupt = nil
			halt("interrupted")
		case <-ticks.C:
			if c.Progress != nil {
				c.Progress(c.status().Snapshot)
			}
		case <-c.change:
		}
	}
}

// left is how many agents are to tell more; aborted is why one of them stopped by a rule of the plan.
func (c *Crew) left(began time.Time) (n int, aborted string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.members {
		switch {
		case m.closing != nil:
			if p := m.closing.Record.Partial; strings.HasPrefix(p, "stopped, since") && m.closing.Record.Verdict == reports.Fail {
				aborted = "agent " + m.name + ": " + p
			}
		case m.lost != "":
		case m.failure != "":
			m.lost = fmt.Sprintf("gave up %.1f s after the start: %s", time.Since(began).Seconds(), m.failure)
		default:
			n++
		}
	}
	return n, aborted
}

// giveUp marks those as lost who did not tell everything.
func (c *Crew) giveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.members {
		if m.closing == nil && m.lost == "" {
			m.lost = "did not tell what it counted"
		}
	}
}

// status is the round as it stands.
func (c *Crew) status() load.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	var parts []*load.Part
	for _, m := range c.members {
		if m.part != nil {
			parts = append(parts, m.part)
		}
	}
	return load.StatusOf(parts)
}

// Lost are the agents that are not counted on any more, each with the reason.
func (c *Crew) Lost() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, m := range c.members {
		if m.lost != "" {
			out = append(out, "agent "+m.name+" "+m.lost)
		}
	}
	return out
}

// Close lets the agents go.
func (c *Crew) Close() {
	hurry, done := context.WithTimeout(context.Background(), 2*time.Second)
	defer done()
	_ = c.everybody(hurry, releaseWord, func(int, *member) any { return end{c.run, "is over"} }) // those who do not hear it miss the pulse
	c.end()
	_ = c.purge(hurry) // what is left goes after an hour
}

var errNothing = errors.New("nothing was counted")
