package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/micro"

	"flowproof/drivers/load"
	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// An Agent says how an agent does what it is told.
type Agent struct {
	Name    string // in reports
	Version string // of the tool; a coordinator of another one is refused
	Folder  string // where files that the target and the plan name are looked up
	Lookup  target.Lookup
	Allow   func(t target.Target, nodes []string) error // may this target be loaded; nil: any may
	SignIn  func(target.Target, *oauth.Driver) (oauth.UserAgent, error)
	Say     func(format string, args ...any) // nil: nothing is said
	Clock   func() time.Time                 // nil: that of the machine
}

// Serve waits for work on the bus, and does it, until the context ends.
func (a Agent) Serve(ctx context.Context, b *Bus) error {
	if a.Say == nil {
		a.Say = func(string, ...any) {}
	}
	if a.Clock == nil {
		a.Clock = time.Now
	}
	h := &host{Agent: a, bus: b, ctx: ctx}
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	svc, err := micro.AddService(b.conn, micro.Config{
		Name: service, Version: serviceVersion, Description: "sends a part of a load", QueueGroupDisabled: true,
		Metadata: map[string]string{
			"name": a.Name, "host": host, "version": a.Version, "os": runtime.GOOS, "arch": runtime.GOARCH, "cpus": strconv.Itoa(runtime.NumCPU()), "pid": strconv.Itoa(os.Getpid()),
		},
	})
	if err != nil {
		return fmt.Errorf("cluster: wait for work: %w", err)
	}
	h.id = svc.Info().ID
	group := svc.AddGroup(agents + "." + h.id)
	for word, handle := range map[string]micro.HandlerFunc{
		clockWord: h.clock, armWord: told(h.arm), runWord: told(h.play), startWord: told(h.start), stopWord: told(h.stop), releaseWord: told(h.release), marksWord: h.marks,
	} {
		if err := group.AddEndpoint(word, handle); err != nil {
			_ = svc.Stop()
			return fmt.Errorf("cluster: wait for work: %w", err)
		}
	}
	a.Say("agent %s waits for work on %s", a.Name, b.shown)
	<-ctx.Done()
	h.leave()
	_ = svc.Stop() // the connection may be gone
	return nil
}

// A host is an agent at work.
type host struct {
	Agent
	bus *Bus
	ctx context.Context
	id  string

	mu   sync.Mutex
	job  *job
	jobs sync.WaitGroup
}

// told is a handler of a word that is followed or refused.
func told[T any](follow func(T) error) micro.HandlerFunc {
	return func(r micro.Request) {
		var word T
		err := json.Unmarshal(r.Data(), &word)
		if err == nil {
			err = follow(word)
		}
		answer := refusal{}
		if err != nil {
			answer.Why = err.Error()
		}
		_ = r.RespondJSON(answer) // who asked asks again, or gives up
	}
}

func (h *host) clock(r micro.Request) {
	_ = r.Respond([]byte(strconv.FormatInt(h.Clock().UnixNano(), 10)))
}

// arm begins to make a plan ready.
func (h *host) arm(o order) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.ctx.Err() != nil:
		return fmt.Errorf("it is leaving")
	case h.job != nil && h.job.Run == o.Run: // asked again
		return nil
	case h.job != nil:
		return fmt.Errorf("it is busy with run %s of %s", h.job.Run, h.job.Leader)
	case o.Version != h.Version:
		return fmt.Errorf("it is flowproof %s, and the coordinator is %s; run the same on all machines", h.Version, o.Version)
	}
	j, err := newJob(h, o)
	if err != nil {
		return err
	}
	h.job = j
	h.jobs.Go(func() {
		j.live()
		h.mu.Lock()
		defer h.mu.Unlock()
		h.job = nil
	})
	return nil
}

// current is the job of that run.
func (h *host) current(run string) (*job, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.job == nil || h.job.Run != run {
		return nil, fmt.Errorf("it knows no run %s", run)
	}
	return h.job, nil
}

func (h *host) play(r round) error {
	j, err := h.current(r.Run)
	if err != nil {
		return err
	}
	return j.play(r)
}

func (h *host) start(s start) error {
	j, err := h.current(s.Run)
	if err != nil {
		return err
	}
	return j.begin(s)
}

func (h *host) stop(e end) error {
	j, err := h.current(e.Run)
	if err != nil {
		return err
	}
	j.halt(e.Why)
	return nil
}

func (h *host) release(e end) error {
	j, err := h.current(e.Run)
	if err != nil {
		return nil //nolint:nilerr // it is over already
	}
	j.finish(e.Why)
	return nil
}

func (h *host) marks(r micro.Request) {
	var p page
	var out marks
	err := json.Unmarshal(r.Data(), &p)
	if err == nil {
		var j *job
		if j, err = h.current(p.Run); err == nil {
			out, err = j.marks(p)
		}
	}
	if err != nil {
		_ = r.Error("409", err.Error(), nil)
		return
	}
	_ = r.RespondJSON(out)
}

// leave ends what is under way, and waits until it is told.
func (h *host) leave() {
	h.mu.Lock()
	j := h.job
	h.mu.Unlock()
	if j != nil {
		j.finish("left, since it was interrupted")
	}
	h.jobs.Wait()
}

// local is a moment of the agent's clock as this process counts time.
func (h *host) local(nanoseconds int64) time.Time {
	return time.Now().Add(time.Duration(nanoseconds - h.Clock().UnixNano()))
}

// told is a moment of this process by the agent's clock.
func (h *host) shown(t time.Time) time.Time { return h.Clock().Add(time.Until(t)).Round(0) }

var _ load.Await = (*job)(nil).await
