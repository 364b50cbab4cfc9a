package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"flowproof/drivers/load"
)

// tend keeps the crew together until it is closed: the agents hear that the coordinator is there, and it hears them.
func (c *Crew) tend(ctx context.Context) error {
	made, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	if _, err := c.bus.js.CreateOrUpdateStream(made, streamConfig()); err != nil {
		return fmt.Errorf("cluster: %w at %s: make the stream for the results (does the server have JetStream? start it with -js): %w", ErrBus, c.bus.shown, err)
	}
	sub, err := c.bus.conn.Subscribe(beats+"."+c.run+".*", c.hear)
	if err != nil {
		return fmt.Errorf("cluster: hear the agents: %w", err)
	}
	alive, end := context.WithCancel(context.WithoutCancel(ctx))
	if err := c.listen(alive); err != nil {
		end()
		_ = sub.Unsubscribe()
		return err
	}
	c.bus.whenFound(func() { c.rejoin(alive) })
	c.life.Go(func() {
		ticks := time.NewTicker(pulseEvery)
		defer ticks.Stop()
		for {
			c.pulse()
			select {
			case <-alive.Done():
				return
			case <-ticks.C:
			}
		}
	})
	c.end = func() {
		end()
		_ = sub.Unsubscribe()
		c.mu.Lock()
		follow := c.follow
		c.mu.Unlock()
		follow.Stop()
		<-follow.Closed()
		c.life.Wait()
	}
	return nil
}

func (c *Crew) pulse() {
	c.mu.Lock()
	var p pulse
	for _, m := range c.members {
		if m.lost == "" {
			p.Members = append(p.Members, m.id)
		}
	}
	c.mu.Unlock()
	if text, err := json.Marshal(p); err == nil {
		_ = c.bus.conn.Publish(pulses+"."+c.run, text)
	}
}

// listen follows the results from the first one: a server that was restarted knows its consumers no more, and what
// comes twice is told by its number.
func (c *Crew) listen(ctx context.Context) error {
	made, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	consumer, err := c.bus.js.OrderedConsumer(made, stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{results + "." + c.run + ".*"}, DeliverPolicy: jetstream.DeliverAllPolicy, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return fmt.Errorf("cluster: %w at %s: follow the results: %w", ErrBus, c.bus.shown, err)
	}
	follow, err := consumer.Consume(c.take, jetstream.PullExpiry(2*time.Second), jetstream.PullHeartbeat(time.Second))
	if err != nil {
		return fmt.Errorf("cluster: %w at %s: follow the results: %w", ErrBus, c.bus.shown, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.follow = follow
	return nil
}

// rejoin follows the results anew after the bus was away.
func (c *Crew) rejoin(ctx context.Context) {
	for ctx.Err() == nil {
		made, stop := context.WithTimeout(ctx, confirmation)
		_, err := c.bus.js.CreateOrUpdateStream(made, streamConfig()) // one that kept nothing begins again
		stop()
		if err == nil {
			c.mu.Lock()
			old := c.follow
			c.mu.Unlock()
			if err = c.listen(ctx); err == nil {
				old.Stop()
				c.poke()
				return
			}
		}
		if !pause(ctx, again) {
			return
		}
	}
}

func (c *Crew) hear(m *nats.Msg) {
	var b beat
	if json.Unmarshal(m.Data, &b) != nil {
		return
	}
	id := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
	c.mu.Lock()
	defer c.mu.Unlock()
	if of := c.member(id); of != nil {
		of.state, of.round, of.why, of.heard = b.State, b.Round, b.Why, time.Now()
	}
	c.poke()
}

func (c *Crew) member(id string) *member {
	for _, m := range c.members {
		if m.id == id {
			return m
		}
	}
	return nil
}

// poke wakes who waits for news.
func (c *Crew) poke() {
	select {
	case c.change <- struct{}{}:
	default:
	}
}

// take takes a result.
func (c *Crew) take(msg jetstream.Msg) {
	subject := msg.Subject()
	var r result
	if json.Unmarshal(msg.Data(), &r) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.member(subject[strings.LastIndexByte(subject, '.')+1:])
	if m == nil || r.Number < m.next {
		return
	}
	m.gaps += r.Number - m.next
	m.next = r.Number + 1
	m.heard, m.counted = time.Now(), time.Now()
	if r.Round != c.round { // of a round that is over
		return
	}
	switch {
	case r.Head != nil:
		m.part = load.NewPart(*r.Head)
	case r.Interval != nil && m.part != nil:
		if err := m.part.Add(*r.Interval); err != nil {
			m.failure = err.Error()
		}
	case r.Piece != nil:
		m.pieces = append(m.pieces, *r.Piece)
		if len(m.pieces) != r.Piece.Of {
			break
		}
		whole, err := joined(m.pieces)
		if err != nil {
			m.failure = err.Error()
			break
		}
		m.closing, m.extents, m.reissues = &whole, whole.Extents, whole.Reissues
	case r.Failure != "":
		m.failure = r.Failure
	}
	c.poke()
}

// miss marks members as lost of whom nothing was heard for too long, while there was a bus to hear them by.
func (c *Crew) miss(began time.Time) {
	back, up := c.bus.upSince()
	if !up {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.members {
		since := m.heard
		if back.After(since) {
			since = back
		}
		if m.lost != "" || m.closing != nil || time.Since(since) <= silence {
			continue
		}
		m.lost = "was lost"
		if !began.IsZero() {
			m.lost = fmt.Sprintf("was lost %.1f s after the start", m.heard.Sub(began).Seconds())
		}
		c.Say("agent %s was lost: nothing was heard of it for %v", m.name, silence)
		c.poke()
	}
}
