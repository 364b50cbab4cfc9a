package cluster

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A post puts an agent's results into the stream, one after the other, and each as often as it takes: the server tells
// by its identifier whether it has it already.
type post struct {
	bus        *Bus
	run, agent string

	mu      sync.Mutex
	waiting []*nats.Msg
	number  int
	poke    chan struct{}
}

func newPost(b *Bus, run, agent string) *post {
	return &post{bus: b, run: run, agent: agent, poke: make(chan struct{}, 1)}
}

// send takes a result, and never waits.
func (p *post) send(r result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.number++
	r.Number = p.number
	data, err := json.Marshal(r)
	if err != nil { // a float that is no number: say at least that there was something
		data, _ = json.Marshal(result{Number: r.Number, Round: r.Round, Failure: "cannot say what it counted: " + err.Error()})
	}
	m := nats.NewMsg(results + "." + p.run + "." + p.agent)
	m.Data = data
	m.Header.Set(nats.MsgIdHdr, identifier(p.run, p.agent, r.Number))
	p.waiting = append(p.waiting, m)
	select {
	case p.poke <- struct{}{}:
	default:
	}
}

// left is how many results the stream did not confirm so far.
func (p *post) left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting)
}

const confirmation = 2 * time.Second

// deliver delivers until the context ends.
func (p *post) deliver(ctx context.Context) {
	for {
		p.mu.Lock()
		var next *nats.Msg
		if len(p.waiting) > 0 {
			next = p.waiting[0]
		}
		p.mu.Unlock()
		if next == nil {
			select {
			case <-ctx.Done():
				return
			case <-p.poke:
			}
			continue
		}
		attempt, stop := context.WithTimeout(ctx, confirmation)
		_, err := p.bus.js.PublishMsg(attempt, next, jetstream.WithRetryAttempts(0))
		stop()
		if err != nil {
			if !pause(ctx, again) {
				return
			}
			continue
		}
		p.mu.Lock()
		p.waiting = p.waiting[1:]
		p.mu.Unlock()
	}
}

// pause waits, and reports whether the context allowed it.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
