package load

import (
	"context"
	"sync/atomic"
	"time"

	"flowproof/drivers/oauth"
)

// A sampler asks the introspection endpoint, a few times a second, whose token it was that just came.
type sampler struct {
	wanted  atomic.Bool
	tokens  chan sample
	asked   int64 // read when the run is over
	strange int64
}

type sample struct {
	site  *site
	issue *issue
	token string
}

const sampleEvery = 250 * time.Millisecond

// offer hands a token over if one is wanted.
func (s *sampler) offer(at *site, is *issue, token []byte) {
	if s.wanted.Load() && s.wanted.CompareAndSwap(true, false) {
		select {
		case s.tokens <- sample{at, is, string(token)}:
		default:
		}
	}
}

// sample introspects tokens until the run is over.
func (e *engine) sample(ctx context.Context, over <-chan struct{}) {
	ticks := time.NewTicker(sampleEvery)
	defer ticks.Stop()
	for {
		select {
		case <-over:
			return
		case <-ticks.C:
			e.sampled.wanted.Store(true)
		case s := <-e.sampled.tokens:
			e.introspect(ctx, s)
		}
	}
}

// introspect holds what the server says of a token to whom it was issued. Only a client with a secret may ask.
func (e *engine) introspect(ctx context.Context, s sample) {
	if s.issue.client.Public {
		return
	}
	x := s.site.driver.Send(ctx, s.site.driver.Introspect(s.issue.client, s.token, oauth.Titled("introspect a token that was just issued")))
	said, err := x.JSON()
	if err != nil || x.Status != 200 || said["active"] != true {
		return // a token that another node does not know yet is no matter of identity
	}
	text := func(name string) []byte {
		v, _ := said[name].(string)
		return []byte(v)
	}
	e.sampled.asked++
	if e.knows.wrong(s.issue, [2][]byte{text("client_id"), text("azp")}, text("sub")) || e.knows.wrong(s.issue, [2][]byte{}, text("username")) {
		e.sampled.strange++
		e.firsts.keep(wrongOwner.bit(), x, x.Duration)
	}
}
