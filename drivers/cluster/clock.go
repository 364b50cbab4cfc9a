package cluster

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// trips is how many round trips an agent's clock is measured with.
const trips = 8

// measure compares an agent's clock with this one. Of several round trips the fastest counts: the agent's clock was
// read at some moment of it, so that half of it is how much may be wrong.
func (c *Crew) measure(ctx context.Context, m *member, times int) error {
	best := time.Duration(0)
	for n := range times {
		patience, stop := context.WithTimeout(ctx, 2*time.Second)
		sent := time.Now()
		answer, err := c.bus.conn.RequestWithContext(patience, agents+"."+m.id+"."+clockWord, nil)
		trip := time.Since(sent)
		stop()
		if err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("cluster: ask agent %s for the time: %w", m.name, context.Cause(ctx))
			}
			return fmt.Errorf("cluster: %w: %s does not tell the time (%w)", ErrCrew, m.name, err)
		}
		theirs, err := strconv.ParseInt(string(answer.Data), 10, 64)
		if err != nil {
			return fmt.Errorf("cluster: %w: %s tells no time", ErrCrew, m.name)
		}
		if n == 0 || trip < best {
			best = trip
			m.trip, m.unsure, m.offset = trip, trip/2, time.Unix(0, theirs).Sub(sent.Add(trip/2))
		}
	}
	return nil
}

// theirs is a moment by the agent's clock.
func (m *member) theirs(t time.Time) int64 { return t.Add(m.offset).UnixNano() }

// ours is a moment of the agent's clock by this one.
func (m *member) ours(t time.Time) time.Time { return t.Add(-m.offset) }
