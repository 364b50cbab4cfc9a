package load

import (
	"sync"
	"sync/atomic"
	"time"

	"flowproof/drivers/oauth"
)

// firsts keeps the first exchange that shows each flaw, and the slowest.
type firsts struct {
	slowest   [flawCount]atomic.Int64 // nanoseconds; 0 before the first
	mu        sync.Mutex
	exchanges [flawCount]oauth.Exchange
	worst     [flawCount]oauth.Exchange
}

// news are those of the flaws of which nothing is known yet, or nothing as slow.
func (f *firsts) news(of flaws, took time.Duration) flaws {
	var out flaws
	for i := flaw(0); of>>i != 0; i++ {
		if of.has(i) && f.slowest[i].Load() < max(int64(took), 1) {
			out |= i.bit()
		}
	}
	return out
}

func (f *firsts) keep(of flaws, x oauth.Exchange, took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range flawCount {
		if !of.has(i) {
			continue
		}
		known := f.slowest[i].Load()
		if known == 0 {
			f.exchanges[i] = x
		} else if known < int64(took) {
			f.worst[i] = x
		}
		f.slowest[i].Store(max(known, int64(took), 1))
	}
}

// show keeps the last request and its answer as evidence, if they are the first or the slowest of their kind.
func (w *worker) show(j *job, is *issue, message []byte) {
	o, took := &w.out, w.out.done-w.out.sent
	news := w.engine.firsts.news(o.flaws, took)
	if news == 0 {
		return
	}
	title := j.title
	switch w.engine.steps[o.step].kind {
	case authorizeKind, tokenKind:
		if o.step == j.steps[0] && j.held == nothingHeld {
			title = is.request.Title
		}
	}
	x := oauth.Exchange{
		Request: sent(title, is.client.Name, w.site.origin, message), Started: w.engine.base.Add(o.sent), Duration: took, Waited: took,
		Proto: w.wire.proto(), Status: w.answer.status, Header: w.wire.head(), Body: append([]byte(nil), w.answer.body...),
	}
	w.site.driver.Report(x) // its secrets become known
	w.engine.firsts.keep(news, x, took)
}
