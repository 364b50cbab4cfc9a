package load

import (
	"sync"
	"sync/atomic"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// firsts keeps the first exchange that shows each flaw.
type firsts struct {
	have      atomic.Uint32
	mu        sync.Mutex
	exchanges [flawCount]oauth.Exchange
}

func (f *firsts) known() flaws { return flaws(f.have.Load()) }

func (f *firsts) keep(news flaws, e oauth.Exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range flawCount {
		if news.has(i) && !f.known().has(i) {
			f.exchanges[i] = e
			f.have.Store(uint32(f.known() | i.bit()))
		}
	}
}

// exchange copies the last request and its answer, for evidence.
func (w *worker) exchange(o *outcome, g target.Grant, from *issue) oauth.Exchange {
	r := from.request
	if g == target.RefreshToken {
		r = w.chain.request(r)
	}
	return oauth.Exchange{
		Request: r, Started: w.engine.base.Add(o.sent), Duration: o.done - o.sent, Waited: o.done - o.sent,
		Proto: "HTTP/1.1", Status: w.answer.status, Header: w.wire.head(), Body: append([]byte(nil), w.answer.body...),
	}
}

// request is the refresh request that the chain just sent.
func (c *chain) request(origin oauth.Request) oauth.Request {
	r := origin.Changed()
	r.Title = "redeem the refresh token"
	form := oauth.Params{{Name: "grant_type", Value: string(target.RefreshToken)}, {Name: "refresh_token", Value: c.token}}
	if c.scope != "" {
		form = append(form, oauth.Param{Name: "scope", Value: c.scope})
	}
	for _, own := range []string{"client_id", "client_secret"} {
		if r.Form.Has(own) {
			form = append(form, oauth.Param{Name: own, Value: r.Form.Get(own)})
		}
	}
	r.Form = form
	return r
}
