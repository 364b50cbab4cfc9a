package load

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// ErrUnreachable says that the target gave no answer at all before the run.
var ErrUnreachable = errors.New("no answer from the token endpoint")

// ErrRefused says that the target refused the plan's own credentials before the run.
var ErrRefused = errors.New("the token endpoint refused the request")

// ErrTooLate says that the moment at which the run was to start had passed when everything was ready.
var ErrTooLate = errors.New("the start has passed")

// Options adjust a run; the zero value is a good one.
type Options struct {
	Version  string         // of the tool, for the record
	Progress func(Snapshot) // called about five times a second, never twice at a time
	Together bool           // the target runs in this very process, and shares its processors
	Monitor  *Monitor       // looks into the run while it goes on; nil: nobody does
	StartAt  time.Time      // when the first request is due; zero: as soon as everything is ready
	Await    Await          // tells when, once everything is ready; nil: StartAt does
	Each     func(Interval) // called about twice a second and at the end, never twice at a time
	Key      []byte         // the Marks of rigs that have the same one can be compared; nil: with no other

	// Agent makes what people sign in with; nil: a reader of plain HTML forms.
	Agent func(target.Target, *oauth.Driver) (oauth.UserAgent, error)
}

// Run sends the plan's load to the target and nowhere else. When ctx ends, it waits for the answers that are
// under way, for a while, and returns the record with Partial set. An error means that nothing was observed.
func Run(ctx context.Context, t target.Target, p Plan, o Options) (reports.Load, error) {
	r, err := Prepare(ctx, t, p, o)
	if err != nil {
		return reports.Load{}, err
	}
	defer r.Close()
	return r.Run(ctx)
}

// A Rig is a plan that is ready to run, once or again and again: the target was asked whether it knows the
// plan's clients and users, and people are signed in.
type Rig struct {
	target  target.Target
	plan    Plan
	options Options
	sites   []*site
	before  flight
	seen    *seen // by all runs
}

// Prepare makes a plan ready. What it asks of the target is in no record.
func Prepare(ctx context.Context, t target.Target, p Plan, o Options) (*Rig, error) {
	p, err := p.resolved(t)
	if err != nil {
		return nil, err
	}
	r := &Rig{target: t, plan: p, options: o}
	if err := r.open(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Rig) open(ctx context.Context) error {
	redactor := oauth.NewRedactor(r.target)
	for _, s := range r.plan.Scenarios {
		for _, u := range s.People {
			redactor.Learn("password", u.Password.Reveal())
		}
	}
	nodes := r.plan.Nodes
	if len(nodes) == 0 {
		nodes = []string{""}
	}
	r.before = flight{knows: newIdentities(r.target)}
	for _, node := range nodes {
		t, err := rebased(r.target, node)
		if err != nil {
			return err
		}
		driver, err := oauth.New(t, oauth.Options{Redactor: redactor})
		if err != nil {
			return err
		}
		at := &site{target: t, driver: driver, origin: originOf(t.Endpoints.Token)}
		r.sites = append(r.sites, at)
		if at.dial, err = dialer(t, r.plan.Protocol); err != nil {
			return err
		}
		if err := at.prepare(r.plan); err != nil {
			return err
		}
		if err := at.signIn(ctx, r.options.Agent); err != nil {
			return err
		}
		if err := at.preflight(ctx, &r.before); err != nil {
			return err
		}
	}
	return nil
}

// originOf is a URL's scheme and host.
func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Close drops what is still open.
func (r *Rig) Close() {
	for _, s := range r.sites {
		s.driver.Close()
	}
	if r.seen != nil {
		r.seen.free()
	}
}

// Run runs the plan once; with stages, those instead of its own and without its count. Uniqueness is checked
// over all runs of the rig.
func (r *Rig) Run(ctx context.Context, stages ...Stage) (reports.Load, error) {
	p := r.plan
	if len(stages) > 0 {
		p.Stages, p.Rate, p.Duration, p.Count = stages, 0, 0, 0
		var err error
		if p, err = p.resolved(r.target); err != nil {
			return reports.Load{}, err
		}
	}
	wires := make([][]wire, len(r.sites))
	var all []wire
	for n, s := range r.sites {
		wires[n] = p.wires(s, part(p.Connections, n, len(r.sites)))
		all = append(all, wires[n]...)
	}
	nap := newNapper()
	defer nap.close()
	e := newEngine(p, r.sites, wires, r.before, nap.nap)
	e.startAt, e.meter = r.options.StartAt, startMeter
	if r.seen == nil {
		e.seen.share(r.options.Key)
		r.seen = &e.seen
	}
	e.seen = *r.seen
	if err := e.connect(ctx); err != nil {
		closeAll(all)
		return reports.Load{}, err
	}
	if r.options.Await != nil {
		var err error
		if e.startAt, err = r.options.Await(ctx, e.head(r.target, r.options)); err != nil {
			closeAll(all)
			return reports.Load{}, err
		}
	}
	if at := e.startAt; !at.IsZero() && time.Until(at) < 0 {
		closeAll(all)
		return reports.Load{}, fmt.Errorf("load: %w: it was to be at %s, and everything was ready %v later; give a later moment", ErrTooLate, at.UTC().Format(time.RFC3339), (-time.Until(at)).Round(time.Millisecond))
	}
	return e.watch(ctx, r.sites[0].driver.Redactor(), r.target, r.options), nil
}

// wires are the connections to a site, or the streams of that many.
func (p Plan) wires(s *site, connections int) []wire {
	var out []wire
	for range connections {
		if p.Protocol == HTTP2 {
			out = append(out, newHTTP2(s.dial, p.Timeout, p.Streams)...)
			continue
		}
		out = append(out, newHTTP1(s.dial, p.Timeout, !p.NoKeepAlive))
	}
	return out
}

// watch runs the engine, and makes the record of what it did.
func (e *engine) watch(ctx context.Context, redactor *oauth.Redactor, t target.Target, o Options) reports.Load {
	e.redactor = redactor
	spent := e.meter()
	e.ready()
	if o.Monitor != nil {
		o.Monitor.Watch(e.status)
	}
	each := newIntervals(e, redactor)
	over := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() { e.collect(over, o.Progress) })
	if o.Each != nil {
		others.Go(func() { each.tell(over, o.Each) })
	}
	if t.Endpoints.Introspection != "" {
		others.Go(func() { e.sample(ctx, over) })
	}
	if e.plan.Reference != "" {
		others.Go(func() { e.refer(ctx, over) })
	}
	others.Go(func() {
		select {
		case <-over:
			return
		case <-ctx.Done():
			e.stop("interrupted", false)
		case <-e.halt:
		}
		e.drain(over)
	})
	e.run()
	wall := e.now() + e.warmUp()
	close(over)
	others.Wait()
	if o.Each != nil {
		o.Each(each.next())
	}
	return e.summary(redactor, t, o, spent(wall))
}

const longestDrain = 5 * time.Second

// drain leaves the requests that are under way some time, and then gives them up.
func (e *engine) drain(over <-chan struct{}) {
	late := time.NewTimer(min(e.plan.Timeout, longestDrain))
	defer late.Stop()
	select {
	case <-over:
	case <-late.C:
		e.cut()
	}
}

const atOnce = 16

// connect opens the connections that there are to be at first, and begins every chain of them, before anything
// is measured. Those that join later begin on their own.
func (e *engine) connect(ctx context.Context) error {
	var first []*worker
	for _, w := range e.workers {
		if !w.reserve {
			first = append(first, w)
		}
	}
	errs := make([]error, len(first))
	chained := false
	queue := make(chan int)
	var all sync.WaitGroup
	for range min(atOnce, len(first)) {
		all.Go(func() {
			for i := range queue {
				errs[i] = first[i].connect()
			}
		})
	}
	for i, w := range first {
		if ctx.Err() != nil {
			break
		}
		for _, c := range w.chains {
			chained = chained || c != nil
		}
		queue <- i
	}
	close(queue)
	all.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("load: open the connections: %w", context.Cause(ctx))
	}
	if err := exhausted(errs); err != nil {
		return err
	}
	for _, err := range errs {
		if err == nil {
			return nil // what is missing shows in the run
		}
	}
	if chained {
		return errs[0]
	}
	return fmt.Errorf("load: %w: no connection could be opened (%s)", ErrUnreachable, class(errs[0]))
}

func (w *worker) connect() error {
	if err := w.wire.connect(); err != nil {
		return err
	}
	for _, c := range w.chains {
		if c == nil {
			continue
		}
		if err := c.begin(w.wire); err != nil {
			return err
		}
	}
	return nil
}

func closeAll(wires []wire) {
	for _, w := range wires {
		w.close()
	}
}
