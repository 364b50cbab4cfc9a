package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"flowproof/drivers/load"
	"flowproof/reports"
)

// sum makes one record of what the agents told.
func (c *Crew) sum(ctx context.Context, began time.Time, early string, compare bool) (reports.Load, error) {
	settled := context.WithoutCancel(ctx)
	u := load.Union{Lenient: c.Lenient, Early: early}
	var records []reports.Load
	for _, m := range c.members {
		l, a, err := c.told(settled, m, began, early)
		if err != nil {
			return reports.Load{}, err
		}
		records, u.Agents = append(records, l), append(u.Agents, a)
	}
	if compare {
		var moment string
		if len(records) > 0 {
			moment = records[0].Started
		}
		u.Unique, u.Repeats = c.Compare(settled, moment)
	}
	return u.Merge(records)
}

// told is an agent's record, by this side's clock, with what is to be said of the agent.
func (c *Crew) told(ctx context.Context, m *member, began time.Time, early string) (reports.Load, reports.Agent, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := reports.Agent{Name: m.name, Host: m.host, CPUs: m.cpus, ClockOffsetUS: m.offset.Microseconds(), ClockUnsureUS: m.unsure.Microseconds(), Lost: m.lost}
	if m.part == nil {
		return reports.Load{}, a, fmt.Errorf("cluster: agent %s: %w", m.name, errNothing)
	}
	a.Planned = m.part.Planned()
	if s := m.part.Start(); s != nil {
		a.StartSkewUS = m.ours(s.Sent).Sub(began.Add(s.Due)).Microseconds()
	}
	if m.closing == nil {
		return m.part.Record(began, m.lost), a, nil
	}
	l := m.closing.Record
	a.BusMessages, a.BusBytes = m.closing.Messages, m.closing.Bytes
	if at, err := time.Parse(time.RFC3339Nano, l.Started); err == nil {
		l.Started = m.ours(at).UTC().Format(time.RFC3339Nano)
	}
	if m.gaps == 0 {
		if err := m.part.Agrees(l); err != nil {
			return l, a, fmt.Errorf("cluster: agent %s: %w", m.name, err)
		}
	} else {
		l.Notices = append(l.Notices, fmt.Sprintf("%s were lost on the bus; the record is whole.", reports.Plural(m.gaps, "message", "messages")))
	}
	if l.Partial != "" && early == "" {
		a.Lost = fmt.Sprintf("%s %.1f s after the start", l.Partial, float64(l.DurationMS)/1000)
		m.lost = a.Lost
	}
	return l, a, nil
}

// Compare looks for tokens that two agents were given, over all rounds so far, and says over what it looked.
func (c *Crew) Compare(ctx context.Context, moment string) (notice string, found []reports.Violation) {
	c.mu.Lock()
	var extents [][]load.Extent
	var reissues [][2]bool
	var there []*member
	var silent []string
	for _, m := range c.members {
		if m.extents == nil || m.lost != "" {
			silent = append(silent, m.name)
			continue
		}
		extents, reissues, there = append(extents, m.extents), append(reissues, m.reissues), append(there, m)
	}
	c.mu.Unlock()
	all := load.NewComparison(extents, reissues)
	defer all.Close()
	for _, name := range silent {
		all.Silent(name)
	}
	for i, m := range there {
		if err := c.collect(ctx, m, extents[i], all); err != nil {
			all.Silent(m.name)
			c.Say("agent %s: its tokens cannot be compared: %v", m.name, err)
		}
	}
	return all.Result(c.target, moment)
}

// collect asks an agent for its marks, page by page.
func (c *Crew) collect(ctx context.Context, m *member, extents []load.Extent, all *load.Comparison) error {
	for kind, x := range extents {
		if x.Given == 0 {
			continue
		}
		for at := (load.Place{}); at.Part < all.Parts(kind); {
			text, err := json.Marshal(page{c.run, kind, at})
			if err != nil {
				return fmt.Errorf("cluster: ask for marks: %w", err)
			}
			patience, stop := context.WithTimeout(ctx, 5*time.Second)
			answer, err := c.bus.conn.RequestWithContext(patience, agents+"."+m.id+"."+marksWord, text)
			stop()
			if err != nil {
				return fmt.Errorf("cluster: ask for marks: %w", err)
			}
			var got marks
			if err := json.Unmarshal(answer.Data, &got); err != nil {
				return fmt.Errorf("cluster: ask for marks: %s", answer.Header.Get("Nats-Service-Error"))
			}
			if got.Next.Part < at.Part || got.Next == at {
				return fmt.Errorf("cluster: ask for marks: the pages do not go on")
			}
			if err := all.Add(m.name, kind, got.Words); err != nil {
				return err
			}
			at = got.Next
		}
	}
	return nil
}

// purge takes what is left of the run out of the stream.
func (c *Crew) purge(ctx context.Context) error {
	s, err := c.bus.js.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("cluster: tidy up: %w", err)
	}
	if err := s.Purge(ctx, jetstream.WithPurgeSubject(results+"."+c.run+".>")); err != nil {
		return fmt.Errorf("cluster: tidy up: %w", err)
	}
	return nil
}

// Whole is the crew as a search runs it: a round in which an agent was lost tells nothing about the rate.
func (c *Crew) Whole() load.Runner { return wholeCrew{c} }

type wholeCrew struct{ *Crew }

func (c wholeCrew) Run(ctx context.Context, stages ...load.Stage) (reports.Load, error) {
	l, err := c.Crew.Run(ctx, stages...)
	if lost := c.Lost(); len(lost) > 0 {
		return l, fmt.Errorf("cluster: %w: %w: %s", load.ErrNoMore, ErrIncomplete, strings.Join(lost, ", "))
	}
	if err != nil && ctx.Err() == nil { // whatever the rate, it would be so
		return l, fmt.Errorf("cluster: %w: %w", load.ErrNoMore, err)
	}
	return l, err
}

// Conclude compares the tokens of all rounds of a search, and keeps in its record what that shows.
func (c *Crew) Conclude(ctx context.Context, l *reports.Load) {
	said, found := c.Compare(context.WithoutCancel(ctx), l.Started)
	if said != "" {
		l.Notices = append(l.Notices, said)
	}
	l.Violations = append(l.Violations, found...)
	for _, v := range found {
		if v.Verdict == reports.Fail {
			l.Verdict = reports.Fail
		}
	}
}
