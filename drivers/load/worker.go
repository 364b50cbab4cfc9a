package load

import (
	"net/url"
	"sync/atomic"
	"time"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// A worker is one connection, or one stream of it, and what goes over it.
type worker struct {
	engine   *engine
	lane     *lane
	site     *site
	wire     wire
	reserve  bool // it joins when the others are all busy
	recorder *recorder
	chains   []*chain      // by job; nil where nothing is held
	since    time.Duration // when it became free
	busy     atomic.Bool   // a request is under way
	buffer   []byte        // the message of a request that changes
	answer   answer
	members  members
	out      outcome
	claims   claimsReader
}

// A timing says when a request was due and when it is sent.
type timing struct {
	due, now time.Duration
	free     bool
}

func (w *worker) run() {
	for {
		var c claim
		var ok bool
		if w.engine.plan.Model == Open {
			c, ok = w.claim()
		} else {
			c, ok = w.proceed()
		}
		if !ok {
			return
		}
		if c.rest != nil {
			w.goOnWith(c)
			continue
		}
		w.send(c)
	}
}

// proceed takes the next request of the closed model.
func (w *worker) proceed() (c claim, ok bool) {
	e := w.engine
	now := e.now()
	if e.halted.Load() || now >= e.end {
		return claim{}, false
	}
	if e.plan.Count > 0 && now >= 0 && e.counted.Add(1) > e.plan.Count {
		return claim{}, false
	}
	if e.allLanes() == 1 {
		return claim{index: w.lane.next.Add(1) - 1, due: now, now: now}, true
	}
	for {
		if i, _ := w.lane.peek(); w.lane.next.CompareAndSwap(i, i+1) {
			return claim{index: i, due: now, now: now}, true
		}
	}
}

// send makes the request that was claimed, and what follows from it.
func (w *worker) send(c claim) {
	e := w.engine
	n, nth := e.mix.pick(c.index + e.schedule.warm)
	j := w.site.jobs[n]
	is := j.issues[nth%int64(len(j.issues))]
	t := timing{c.due, c.now, c.free}
	switch {
	case j.hostile == UsedCode:
		w.replay(j, t)
	case j.held != nothingHeld:
		w.present(j, w.chains[n], t)
	case j.scenario.Flow == AuthorizationCode:
		w.authorize(j, is, t)
	case j.scenario.Flow == Revocation && j.hostile == "":
		if w.fire(j, j.steps[0], is, is.bytes, t) && w.members.token.kind == '"' {
			w.rest(j, is, string(w.members.token.raw), "")
		}
	default:
		w.fire(j, j.steps[0], is, is.bytes, t)
	}
	if e.plan.Model == Closed && j.scenario.ThinkTime > 0 {
		e.pause(j.scenario.ThinkTime, nil)
	}
}

// present sends what a chain holds, and follows what comes back.
func (w *worker) present(j *job, c *chain, t timing) {
	if c.stale() {
		err := c.begin(w.wire)
		t.now, t.free = w.engine.now(), false
		if err != nil {
			w.out = outcome{step: j.steps[0], due: t.due, sent: t.now, done: t.now, class: c.missing()}
			w.recorder.add(&w.out)
			w.since = t.now
			return
		}
	}
	w.out.chain = c
	w.fire(j, j.steps[0], c.issue, c.bytes, t)
	w.out.chain = nil
	w.follow(c)
}

// follow goes on with the rotation of the chain, or begins it again when its token was refused.
func (w *worker) follow(c *chain) {
	o := &w.out
	switch {
	case !o.answered || o.throttled:
	case o.class == "" || o.class == unverified:
		if m := &w.members; c.holds == refreshHeld && m.refresh.kind == '"' {
			c.follow(m.refresh.raw)
		}
	case w.answer.status == 400 || w.answer.status == 401 || w.answer.status == 403:
		w.engine.begun.Add(1)
		_ = c.begin(w.wire) // a chain that stays broken shows at the next request
		w.since = w.engine.now()
	}
}

// authorize asks for a code with the session that is signed in, and redeems it.
func (w *worker) authorize(j *job, is *issue, t timing) {
	state, verifier, challenge := oauth.NewState(), "", ""
	if proves(is.client) {
		verifier = oauth.NewVerifier()
		challenge = oauth.S256(verifier)
	}
	w.buffer = is.authorize.fill(w.buffer[:0], state, challenge, is.cookie)
	w.out.state = state
	ok := w.fire(j, j.steps[0], is, w.buffer, t)
	w.out.state = ""
	if ok {
		w.rest(j, is, w.out.code, verifier)
	}
}

// rest sends what follows, at once or when the think time is over.
func (w *worker) rest(j *job, is *issue, value, verifier string) {
	e, think := w.engine, j.scenario.ThinkTime
	f := followUp{w.out.done + think, j, is, value, verifier}
	if e.plan.Model == Open && think >= precise {
		w.lane.later.owed.Add(1)
		w.lane.later.put(f)
		return
	}
	if think > 0 {
		if e.pause(think, nil); e.halted.Load() {
			return
		}
	}
	w.finish(&f, timing{f.due, e.now(), true})
}

// goOnWith sends what is left of an arrival.
func (w *worker) goOnWith(c claim) {
	w.finish(c.rest, timing{c.due, c.now, c.free})
	w.lane.later.owed.Add(-1)
}

func (w *worker) finish(f *followUp, t timing) {
	j, is := f.job, f.issue
	if j.scenario.Flow == Revocation {
		w.buffer = is.then.fill(w.buffer[:0], url.QueryEscape(f.value))
		w.fire(j, j.steps[1], is, w.buffer, t)
		return
	}
	w.buffer = is.redemption(w.buffer[:0], f.value, f.verifier)
	if w.fire(j, j.steps[1], is, w.buffer, t) {
		j.spent.Store(&redemption{is, f.value, f.verifier})
	}
}

// replay redeems once more a code that was redeemed.
func (w *worker) replay(j *job, t timing) {
	r := j.spent.Load()
	w.buffer = r.issue.redemption(w.buffer[:0], r.code, r.verifier)
	w.fire(j, j.steps[0], r.issue, w.buffer, t)
}

// fire sends one message and records what became of it. It reports whether the answer is right.
func (w *worker) fire(j *job, step int, is *issue, message []byte, t timing) bool {
	e, o := w.engine, &w.out
	*o = outcome{step: step, due: t.due, sent: t.now, free: t.free, rest: step != j.steps[0], chain: o.chain, state: o.state}
	w.busy.Store(true)
	err := w.wire.do(message, &w.answer)
	w.busy.Store(false)
	o.done = e.now()
	w.since = o.done
	if err != nil {
		o.class = class(err)
		w.recorder.add(o)
		return false
	}
	w.judge(j, is)
	w.recorder.add(o)
	if o.flaws != 0 && o.due >= 0 {
		w.show(j, is, message)
	}
	return o.class == "" && !o.throttled
}

// grantOf is the grant that the answers to a flow's token requests are held to.
func grantOf(f Flow) target.Grant {
	switch f {
	case Revocation, Resource:
		return target.ClientCredentials
	}
	return target.Grant(f)
}
