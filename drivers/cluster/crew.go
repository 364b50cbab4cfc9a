package cluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"

	"flowproof/drivers/load"
)

// ErrCrew says that the agents that a run needs are not there, or not ready.
var ErrCrew = errors.New("the agents")

// ErrIncomplete says that a part of the load was not sent.
var ErrIncomplete = errors.New("an agent was lost")

// Options adjust a crew.
type Options struct {
	Version string        // of the tool; agents of another one are refused
	Leader  string        // who runs it, for agents that are asked by somebody else meanwhile
	Expect  int           // how many agents there have to be; 0: as many as answer
	Wait    time.Duration // how long to wait for them; 0: 10 s
	Ready   time.Duration // how long they may take to get ready; 0: 1 min
	Unsure  time.Duration // how much of an agent's clock may be unknown; 0: 100 ms
	Lenient bool          // judge what there is when a part is missing
	Say     func(format string, args ...any)

	Progress func(load.Snapshot) // about five times a second, never twice at a time
	Monitor  *load.Monitor
}

// A Crew is the agents that send one plan together, as they are seen from the coordinator.
type Crew struct {
	Options
	bus     *Bus
	run     string
	members []*member
	target  string // the token endpoint, for evidence
	key     []byte

	life   sync.WaitGroup
	end    context.CancelFunc
	mu     sync.Mutex
	change chan struct{} // something is new
	round  int
	follow jetstream.ConsumeContext
}

// A member is an agent.
type member struct {
	id, name, host string
	cpus           int
	version        string
	offset, unsure time.Duration // of its clock
	trip           time.Duration

	state    state // of the last beat
	round    int
	why      string
	heard    time.Time // when it was heard of
	counted  time.Time // when its last result came
	lost     string    // why it is not counted on any more
	next     int       // the number of its next result
	gaps     int       // results that never came
	part     *load.Part
	pieces   []piece
	closing  *closing
	failure  string
	extents  []load.Extent
	reissues [2]bool
}

// Muster looks for agents, and holds their versions and clocks to what a run needs.
func Muster(ctx context.Context, b *Bus, o Options) (*Crew, error) {
	if o.Say == nil {
		o.Say = func(string, ...any) {}
	}
	o.Wait, o.Ready, o.Unsure = orElse(o.Wait, 10*time.Second), orElse(o.Ready, time.Minute), orElse(o.Unsure, load.Ahead)
	c := &Crew{Options: o, bus: b, run: newRun(), key: make([]byte, 32), change: make(chan struct{}, 1), end: func() {}}
	_, _ = rand.Read(c.key) // it never fails
	found, err := discover(ctx, b, o.Expect, o.Wait)
	if err != nil {
		return nil, err
	}
	c.members = found
	for _, m := range c.members {
		if m.version != o.Version {
			return nil, fmt.Errorf("cluster: %w: %s is flowproof %s, and this is %s; run the same on all machines", ErrCrew, m.name, m.version, o.Version)
		}
	}
	for _, m := range c.members {
		if err := c.measure(ctx, m, trips); err != nil {
			return nil, err
		}
		if m.unsure > o.Unsure {
			return nil, fmt.Errorf("cluster: %w: the clock of %s cannot be told from here: the fastest of %d round trips took %v, so that it may be off by %v, and %v is allowed", ErrCrew, m.name, trips, m.trip.Round(time.Millisecond), m.unsure.Round(time.Millisecond), o.Unsure)
		}
	}
	return c, nil
}

func orElse(d, other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return d
}

func newRun() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// asking is how often agents are asked who they are.
const asking = 500 * time.Millisecond

// discover asks who is there until so many answered, or, if nobody said how many, until no more do.
func discover(ctx context.Context, b *Bus, expect int, wait time.Duration) ([]*member, error) {
	inbox := b.conn.NewRespInbox()
	sub, err := b.conn.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("cluster: look for agents: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	subject, err := micro.ControlSubject(micro.InfoVerb, service, "")
	if err != nil {
		return nil, fmt.Errorf("cluster: look for agents: %w", err)
	}
	found := map[string]*member{}
	deadline := time.Now().Add(wait)
	for settled := 0; ; settled++ {
		if err := b.conn.PublishRequest(subject, inbox, nil); err != nil {
			return nil, fmt.Errorf("cluster: look for agents: %w", err)
		}
		for until := time.Now().Add(asking); ; {
			window, stop := context.WithDeadline(ctx, until)
			m, err := sub.NextMsgWithContext(window)
			stop()
			if ctx.Err() != nil {
				return nil, fmt.Errorf("cluster: look for agents: %w", context.Cause(ctx))
			}
			if err != nil {
				break
			}
			var info micro.Info
			if json.Unmarshal(m.Data, &info) != nil || info.Name != service || found[info.ID] != nil {
				continue
			}
			settled = 0
			cpus, _ := strconv.Atoi(info.Metadata["cpus"])
			found[info.ID] = &member{id: info.ID, name: info.Metadata["name"], host: info.Metadata["host"], version: info.Metadata["version"], cpus: cpus}
			if expect > 0 && len(found) >= expect {
				until = time.Now().Add(asking / 5) // for those who are too many
			}
		}
		switch {
		case expect > 0 && len(found) > expect:
			return nil, fmt.Errorf("cluster: %w: %d answer on %s, and %d are expected: %s", ErrCrew, len(found), b.shown, expect, named(found))
		case expect > 0 && len(found) == expect, expect == 0 && len(found) > 0 && settled > 0:
			return ordered(found), nil
		case time.Now().After(deadline) && len(found) == 0:
			return nil, fmt.Errorf("cluster: %w: none answers on %s; start some there: flowproof agent --nats %s", ErrCrew, b.shown, b.shown)
		case time.Now().After(deadline):
			return nil, fmt.Errorf("cluster: %w: only %d of %d answer on %s after %v: %s", ErrCrew, len(found), expect, b.shown, wait, named(found))
		}
	}
}

// ordered are the members by name, each with a name of its own.
func ordered(found map[string]*member) []*member {
	var out []*member
	for _, m := range found {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b *member) int { return strings.Compare(a.name+" "+a.id, b.name+" "+b.id) })
	seen := map[string]int{}
	for _, m := range out {
		if m.name == "" {
			m.name = m.id
		}
		if seen[m.name]++; seen[m.name] > 1 {
			m.name = fmt.Sprintf("%s#%d", m.name, seen[m.name])
		}
	}
	return out
}

func named(found map[string]*member) string {
	var out []string
	for _, m := range ordered(found) {
		out = append(out, m.name)
	}
	return strings.Join(out, ", ")
}

// Names are those of the agents, in the order of their parts.
func (c *Crew) Names() []string {
	var out []string
	for _, m := range c.members {
		out = append(out, m.name)
	}
	return out
}

// attempts is how long a member is told again what it did not answer to: its connection may just be lost and found.
const attempts = 3 * time.Second

// ask tells a member a word, and wants it followed.
func (c *Crew) ask(ctx context.Context, m *member, word string, what any) error {
	text, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("cluster: tell agent %s: %w", m.name, err)
	}
	for deadline := time.Now().Add(attempts); ; {
		patience, stop := context.WithTimeout(ctx, time.Second)
		answer, err := c.bus.conn.RequestWithContext(patience, agents+"."+m.id+"."+word, text)
		stop()
		if err == nil {
			var r refusal
			if err := json.Unmarshal(answer.Data, &r); err != nil {
				return fmt.Errorf("cluster: the answer of agent %s: %w", m.name, err)
			}
			if r.Why != "" {
				return fmt.Errorf("cluster: %w: %s: %s", ErrCrew, m.name, r.Why)
			}
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("cluster: tell agent %s: %w", m.name, context.Cause(ctx))
		}
		if time.Now().After(deadline) { // the words are such that being told twice does no harm
			return fmt.Errorf("cluster: %w: %s does not answer (%w)", ErrCrew, m.name, err)
		}
		if !pause(ctx, again) {
			return fmt.Errorf("cluster: tell agent %s: %w", m.name, context.Cause(ctx))
		}
	}
}

// everybody tells all members, at the same time, what each is to be told.
func (c *Crew) everybody(ctx context.Context, word string, what func(n int, m *member) any) error {
	errs := make([]error, len(c.members))
	var all sync.WaitGroup
	for n, m := range c.members {
		if c.isLost(m) {
			continue
		}
		all.Go(func() { errs[n] = c.ask(ctx, m, word, what(n, m)) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func (c *Crew) isLost(m *member) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return m.lost != ""
}
