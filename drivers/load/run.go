package load

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// ErrUnreachable says that the token endpoint gave no answer at all before the run.
var ErrUnreachable = errors.New("no answer from the token endpoint")

// ErrRefused says that the target refused the plan's own credentials before the run.
var ErrRefused = errors.New("the token endpoint refused the request")

// Options adjust a run; the zero value is a good one.
type Options struct {
	Version  string         // of the tool, for the record
	Progress func(Snapshot) // called about five times a second, never twice at a time
	Together bool           // the target runs in this very process, and shares its processors
}

// Run sends the plan's load to the target's token endpoint and nowhere else. When ctx ends, it waits for
// the answers that are under way, for a while, and returns the record with Partial set. An error means
// that nothing was observed.
func Run(ctx context.Context, t target.Target, p Plan, o Options) (reports.Load, error) {
	p, err := p.resolved(t)
	if err != nil {
		return reports.Load{}, err
	}
	driver, err := oauth.New(t, oauth.Options{})
	if err != nil {
		return reports.Load{}, err
	}
	defer driver.Close()
	work, err := jobs(driver, t, p)
	if err != nil {
		return reports.Load{}, err
	}
	dial, err := dialer(t)
	if err != nil {
		return reports.Load{}, err
	}
	before, err := preflight(ctx, driver, work)
	if err != nil {
		return reports.Load{}, err
	}
	wires := make([]wire, p.Connections)
	for i := range wires {
		wires[i] = newHTTP1(dial, p.Timeout, !p.NoKeepAlive)
	}
	links, err := connect(ctx, driver, t, p, work, wires)
	if err != nil {
		return reports.Load{}, err
	}
	nap := newNapper()
	defer nap.close()
	e := newEngine(p, work, wires, links, nap.nap)
	e.reissues = before.reissues
	return e.watch(ctx, driver.Redactor(), t, o, before), nil
}

// watch runs the engine, and makes the record of what it did.
func (e *engine) watch(ctx context.Context, redactor *oauth.Redactor, t target.Target, o Options, before flight) reports.Load {
	start := startUsage()
	e.ready()
	over := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() { e.collect(over, o.Progress) })
	others.Go(func() {
		select {
		case <-over:
			return
		case <-ctx.Done():
			e.stop("interrupted")
		case <-e.halt:
		}
		e.drain(over)
	})
	e.run()
	wall := e.now()
	close(over)
	others.Wait()
	return e.summary(redactor, t, o, before, start.until(wall))
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

// A flight is what was learnt before the run.
type flight struct {
	tokens   string // jwt or opaque
	reissues bool   // two requests in a row brought the same token
}

const preflights = 16 // of each grant

// preflight asks for a few tokens, so that a target that is not there, or does not know the plan's
// clients and users, is hammered by nobody.
func preflight(ctx context.Context, d *oauth.Driver, work []job) (flight, error) {
	var f flight
	for _, j := range work {
		last := ""
		// The first is asked for twice.
		for n := -1; n < min(len(j.issues), preflights); n++ {
			i := &j.issues[max(n, 0)]
			x := d.Send(ctx, i.request)
			if ctx.Err() != nil {
				return f, fmt.Errorf("load: ask for a first token: %w", context.Cause(ctx))
			}
			if !x.Answered() {
				return f, fmt.Errorf("load: %w: %s (%s)", ErrUnreachable, i.request.URL, class(x.Err))
			}
			if code := x.ErrorCode(); code != "" && (x.Status == 400 || x.Status == 401 || x.Status == 403) {
				return f, fmt.Errorf("load: %w: %s for client %s was answered with status %d %s; check the client's id, secret, grants and scope, and the user's password, in the target file",
					ErrRefused, j.grant, i.request.Client, x.Status, d.Redactor().Text(code))
			}
			a, err := x.Token()
			if err != nil {
				continue
			}
			if j.grant == target.RefreshToken && a.RefreshToken == "" {
				return f, fmt.Errorf("load: obtain a refresh token for client %s: the password grant was answered without one: %w", i.request.Client, errNoRefresh)
			}
			if n == 0 && last != "" && last == a.AccessToken {
				f.reissues = true
			}
			last = a.AccessToken
			f.tokens = "opaque"
			if strings.Count(last, ".") == 2 && strings.HasPrefix(last, "eyJ") {
				f.tokens = "jwt"
			}
		}
	}
	return f, nil
}

const atOnce = 16

// connect opens every connection, and begins every chain, before anything is measured.
func connect(ctx context.Context, d *oauth.Driver, t target.Target, p Plan, work []job, wires []wire) ([]*chain, error) {
	var links []*chain
	for _, j := range work {
		if j.grant == target.RefreshToken {
			var err error
			if links, err = chains(d, t, p, j); err != nil {
				return nil, err
			}
		}
	}
	errs := make([]error, len(wires))
	queue := make(chan int)
	var all sync.WaitGroup
	for range min(atOnce, len(wires)) {
		all.Go(func() {
			for i := range queue {
				if errs[i] = wires[i].connect(); errs[i] == nil && links != nil {
					errs[i] = links[i].begin(wires[i])
				}
			}
		})
	}
	for i := range wires {
		if ctx.Err() != nil {
			break
		}
		queue <- i
	}
	close(queue)
	all.Wait()
	if ctx.Err() != nil {
		closeAll(wires)
		return nil, fmt.Errorf("load: open the connections: %w", context.Cause(ctx))
	}
	for _, err := range errs {
		if err == nil {
			return links, nil // what is missing shows in the run
		}
	}
	closeAll(wires)
	if links != nil {
		return nil, errs[0]
	}
	return nil, fmt.Errorf("load: %w: no connection could be opened (%s)", ErrUnreachable, class(errs[0]))
}

func closeAll(wires []wire) {
	for _, w := range wires {
		w.close()
	}
}

// used is what the generator took for a run.
type used struct {
	wall, cpu time.Duration
	maxRSS    int64
	pause     time.Duration
	cores     int
}

type usageAtStart struct {
	cpu, pause time.Duration
}

func startUsage() usageAtStart {
	cpu, _ := usage()
	return usageAtStart{cpu, gcPause()}
}

func (s usageAtStart) until(wall time.Duration) used {
	cpu, rss := usage()
	return used{wall: wall, cpu: cpu - s.cpu, maxRSS: rss, pause: gcPause() - s.pause, cores: runtime.GOMAXPROCS(0)}
}

func gcPause() time.Duration {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return time.Duration(m.PauseTotalNs) // centuries
}
