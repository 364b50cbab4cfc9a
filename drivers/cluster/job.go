package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"flowproof/drivers/load"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// A job is a plan that an agent has, from the order to the release.
type job struct {
	order
	host   *host
	post   *post
	ctx    context.Context
	finish func(why string)
	starts chan start
	work   sync.WaitGroup

	mu     sync.Mutex
	state  state
	why    string
	round  int
	ending func(why string) // of the round
	rig    *load.Rig
	heard  time.Time // the last pulse
}

// settling is how long an agent tries to tell what it counted when all is over.
const settling = 5 * time.Second

func newJob(h *host, o order) (*job, error) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(h.ctx))
	j := &job{
		order: o, host: h, post: newPost(h.bus, o.Run, h.id), ctx: ctx, state: arming, heard: time.Now(), starts: make(chan start, 1),
		finish: func(why string) { cancel(errors.New(why)) },
	}
	sub, err := h.bus.conn.Subscribe(pulses+"."+o.Run, j.hear)
	if err != nil {
		return nil, fmt.Errorf("it cannot hear the coordinator: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = sub.Unsubscribe() })
	h.Say("run %s of %s: gets ready for %s", o.Run, o.Leader, o.Plan)
	return j, nil
}

// live is the whole life of the job.
func (j *job) live() {
	deliver, stop := context.WithCancel(context.WithoutCancel(j.ctx))
	var posting sync.WaitGroup
	posting.Go(func() { j.post.deliver(deliver) })
	j.work.Go(j.arm)
	j.watch()
	j.work.Wait()
	for deadline := time.Now().Add(settling); j.post.left() > 0 && time.Now().Before(deadline); {
		if !pause(deliver, again/4) {
			break
		}
	}
	stop()
	posting.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.rig != nil {
		j.rig.Close()
	}
	j.host.Say("run %s: %v", j.Run, context.Cause(j.ctx))
}

// watch tells the coordinator that the agent is there, and ends the job when nobody is there to be told.
func (j *job) watch() {
	ticks := time.NewTicker(again)
	defer ticks.Stop()
	for n := 0; ; n++ {
		j.mu.Lock()
		b, alone := beat{j.state, j.round, j.why}, time.Since(j.heard)
		j.mu.Unlock()
		if n%3 == 0 {
			if text, err := json.Marshal(b); err == nil {
				_ = j.host.bus.conn.Publish(beats+"."+j.Run+"."+j.host.id, text)
			}
		}
		if alone > silence {
			j.finish(fmt.Sprintf("stopped, since nothing was heard of the coordinator for %v", silence))
		}
		select {
		case <-j.ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

func (j *job) hear(m *nats.Msg) {
	var p pulse
	if json.Unmarshal(m.Data, &p) != nil {
		return
	}
	j.mu.Lock()
	j.heard = time.Now()
	j.mu.Unlock()
	if !slices.Contains(p.Members, j.host.id) {
		j.finish("stopped, since the coordinator goes on without it")
	}
}

func (j *job) set(s state, why string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state, j.why = s, why
}

// arm makes the plan ready.
func (j *job) arm() {
	rig, err := j.prepare()
	if err != nil {
		j.set(failed, err.Error())
		j.host.Say("run %s: %v", j.Run, err)
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rig, j.state = rig, armed
}

func (j *job) prepare() (*load.Rig, error) {
	h := j.host
	t, err := target.Parse(filepath.Join(h.Folder, filepath.Base(j.Name)), j.Target, h.Lookup)
	if err != nil {
		return nil, fmt.Errorf("cluster: the target file: %w", err)
	}
	if j.CA != "" {
		t.CA = j.CA
	}
	plan, err := j.Plan.Peopled(h.Folder, h.Lookup.File)
	if err != nil {
		return nil, err
	}
	if h.Allow != nil {
		if err := h.Allow(t, plan.Nodes); err != nil {
			return nil, err
		}
	}
	return load.Prepare(j.ctx, t, plan, load.Options{Version: h.Version, Agent: h.SignIn, Await: j.await, Each: j.each, Key: j.Key})
}

// play runs a round.
func (j *job) play(r round) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.round == r.Number: // asked again
		return nil
	case j.state != armed:
		return fmt.Errorf("it is %s, and not ready for round %d", j.state, r.Number)
	}
	ctx, cancel := context.WithCancelCause(j.ctx)
	j.round, j.state, j.ending = r.Number, connecting, func(why string) { cancel(errors.New(why)) }
	select { // a start of a round that never was
	case <-j.starts:
	default:
	}
	j.work.Go(func() {
		defer cancel(nil)
		l, err := j.rig.Run(ctx, r.Stages...)
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			j.post.send(result{Round: r.Number, Failure: err.Error()})
			j.set(armed, "")
			return
		}
		j.close(ctx, r.Number, l)
		j.set(armed, "")
	})
	return nil
}

// close tells all of a round.
func (j *job) close(ctx context.Context, number int, l reports.Load) {
	if why := context.Cause(ctx); why != nil && l.Partial == "interrupted" {
		l.Partial = why.Error()
	}
	if began, err := time.Parse(time.RFC3339Nano, l.Started); err == nil {
		l.Started = j.host.shown(began).UTC().Format(time.RFC3339Nano)
	}
	c := closing{Record: l}
	c.Extents, c.Reissues = j.rig.Extents()
	c.Messages, c.Bytes = j.host.bus.Traffic()
	pieces, err := c.pieces()
	if err != nil {
		j.post.send(result{Round: number, Failure: err.Error()})
		return
	}
	for _, p := range pieces {
		j.post.send(result{Round: number, Piece: &p})
	}
}

// await says that everything is ready, and waits for the start.
func (j *job) await(ctx context.Context, h load.Head) (time.Time, error) {
	j.mu.Lock()
	number := j.round
	j.state = ready
	j.mu.Unlock()
	j.post.send(result{Round: number, Head: &h})
	for {
		select {
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		case s := <-j.starts:
			if s.Number == number {
				j.set(running, "")
				return j.host.local(s.At), nil
			}
		}
	}
}

// begin takes the start of a round.
func (j *job) begin(s start) error {
	j.mu.Lock()
	state, number := j.state, j.round
	j.mu.Unlock()
	if number != s.Number || state != ready && state != running {
		return fmt.Errorf("it is %s in round %d, and round %d cannot start", state, number, s.Number)
	}
	if late := -time.Until(j.host.local(s.At)); late > 0 && state == ready {
		return fmt.Errorf("the start came %v too late", late.Round(time.Millisecond))
	}
	select {
	case j.starts <- s:
	default: // asked again
	}
	return nil
}

// each tells an interval.
func (j *job) each(i load.Interval) {
	if i.First != nil {
		i.First.Sent = j.host.shown(i.First.Sent)
	}
	j.mu.Lock()
	number := j.round
	j.mu.Unlock()
	j.post.send(result{Round: number, Interval: &i})
}

// halt ends the round.
func (j *job) halt(why string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ending != nil {
		j.ending(why)
	}
}

func (j *job) marks(p page) (marks, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.rig == nil || j.state != armed {
		return marks{}, fmt.Errorf("it is %s", j.state)
	}
	words, next := j.rig.Marks(p.Kind, p.From, mostPiece)
	return marks{words, next}, nil
}
