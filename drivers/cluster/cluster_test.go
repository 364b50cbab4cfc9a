package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"flowproof/drivers/load"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// TestMain lets no test leave a goroutine behind; those of the server in this process are its own affair.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"))
}

const version = "1.2.3"

// A scene is a bus, agents and a token endpoint.
type scene struct {
	t       *testing.T
	server  *Server
	dial    Dial // how agents and crews reach their bus
	folder  string
	issuer  *httptest.Server
	served  atomic.Int64
	last    sync.Map // when the last request with each secret came
	token   func(secret string, n int64) string
	leaving []context.CancelFunc
	agents  sync.WaitGroup
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, folder: t.TempDir(), token: func(_ string, n int64) string { return fmt.Sprintf("secret-access-token-%d", n) }}
	var err error
	if s.server, err = Embed(s.folder); err != nil {
		t.Fatal(err)
	}
	s.dial = s.server.Dial()
	s.issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := s.served.Add(1)
		_, secret, _ := r.BasicAuth()
		s.last.Store(secret, time.Now())
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprintf(w, `{"access_token":"%s","token_type":"Bearer","expires_in":600}`, s.token(secret, n))
	}))
	t.Cleanup(func() {
		for _, leave := range s.leaving {
			leave()
		}
		s.agents.Wait()
		s.issuer.Close()
		s.server.Close()
	})
	return s
}

// bus is a connection to the scene's bus.
func (s *scene) bus() *Bus {
	s.t.Helper()
	b, err := Connect(s.dial)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(b.Close)
	return b
}

// agent starts an agent, each with a secret of its own, and returns how it is made to leave.
func (s *scene) agent(name string, change ...func(*Agent)) (leave func()) {
	s.t.Helper()
	return s.agentOn(s.bus(), name, change...)
}

func (s *scene) agentOn(b *Bus, name string, change ...func(*Agent)) (leave func()) {
	s.t.Helper()
	a := Agent{Name: name, Version: version, Folder: s.t.TempDir(), Lookup: target.Lookup{
		Env:  func(string) (string, bool) { return "the-secret-of-" + name, true },
		File: func(path string) ([]byte, error) { return nil, fmt.Errorf("no file %s", path) },
	}}
	for _, c := range change {
		c(&a)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	s.leaving = append(s.leaving, cancel)
	there := make(chan struct{})
	a.Say = func(string, ...any) {
		select {
		case <-there:
		default:
			close(there)
		}
	}
	var gone sync.WaitGroup
	for _, w := range []*sync.WaitGroup{&gone, &s.agents} {
		w.Add(1)
	}
	go func() {
		defer gone.Done()
		defer s.agents.Done()
		if err := a.Serve(ctx, b); err != nil {
			s.t.Error(err)
		}
	}()
	<-there
	return func() { cancel(); gone.Wait() }
}

func (s *scene) order(p load.Plan) Order {
	file := fmt.Sprintf("name: fake\nurl: %s\nprofile: rfc6749\nendpoints: {token: /token}\nclients:\n  service: {id: one, secret: env:SECRET, grants: [client_credentials]}\n", s.issuer.URL)
	return Order{Plan: p, Name: "target.yaml", Target: []byte(file), Token: s.issuer.URL + "/token"}
}

// crew is a crew that is armed.
func (s *scene) crew(p load.Plan, change ...func(*Options)) *Crew {
	s.t.Helper()
	o := Options{Version: version, Leader: "the test"}
	for _, c := range change {
		c(&o)
	}
	c, err := Muster(s.t.Context(), s.bus(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.Close)
	if err := c.Arm(s.t.Context(), s.order(p)); err != nil {
		s.t.Fatal(err)
	}
	return c
}

func expect(n int) func(*Options) { return func(o *Options) { o.Expect = n } }

func sent(l reports.Load) (n int64) {
	for _, s := range l.Steps {
		n += s.Sent
	}
	return n
}

// accounted is how many requests a record tells of: those that were sent, with an answer each, and those that a busy machine
// could not send before the end.
func accounted(l reports.Load) (n int64) {
	for _, s := range l.Steps {
		if s.Latency.Count != s.Sent {
			return -1
		}
		n += s.Sent + s.NotSent
	}
	return n
}

func TestAgentsSendOnePlan(t *testing.T) {
	s := newScene(t)
	for _, name := range []string{"b", "a", "c"} {
		s.agent(name)
	}
	var seen load.Snapshot
	c := s.crew(load.Plan{Rate: 300, Duration: 1500 * time.Millisecond, Connections: 4}, expect(3), func(o *Options) {
		o.Progress = func(s load.Snapshot) { seen = s }
	})
	before := s.served.Load()
	l, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := s.served.Load() - before; accounted(l) != 450 || got != sent(l) || l.Steps[0].Planned != 450 || l.Partial != "" {
		t.Errorf("the record has %d, of which %d were sent, the server had %d: %+v", accounted(l), sent(l), got, l)
	}
	if l.Verdict != reports.Pass && l.Generator.Bottleneck == "" || len(l.Agents) != 3 || l.Plan.Shard != nil || seen.Sent == 0 {
		t.Errorf("%s, agents %+v, snapshot %+v", l.Verdict, l.Agents, seen)
	}
	var ofAll int64
	for i, a := range l.Agents {
		ofAll += a.Sent
		if a.Name != string(rune('a'+i)) || a.Share != (reports.Shard{Index: i + 1, Of: 3}) || a.Planned != 150 || a.Sent == 0 || a.Lost != "" || a.Missing != 0 || a.CPUs == 0 || a.BusBytes == 0 {
			t.Errorf("%+v", a)
		}
		if off := time.Duration(a.ClockOffsetUS) * time.Microsecond; off.Abs() > 50*time.Millisecond {
			t.Errorf("the same clock is off by %v", off)
		}
	}
	if ofAll != sent(l) {
		t.Errorf("the agents sent %d, and all together %d", ofAll, sent(l))
	}
	said := strings.Join(l.Notices, "\n")
	for _, want := range []string{"3 agents sent the plan together", fmt.Sprintf("Uniqueness was checked over %d access tokens of all agents together", sent(l))} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q among\n%s", want, said)
		}
	}
	if strings.Contains(said, "within each shard") || strings.Contains(said, "kept as 64-bit") {
		t.Error(said)
	}
	if _, err := json.Marshal(l); err != nil {
		t.Error(err)
	}
	// Again, with other stages, as a search does.
	l, err = c.Run(t.Context(), load.Stage{Rate: 100, Duration: 500 * time.Millisecond})
	if err != nil || accounted(l) != 50 {
		t.Errorf("%v, %d", err, accounted(l))
	}
}

// TestATokenThatTwoAgentsWereGivenIsFound has a server that counts the tokens of each agent's secret on its own.
func TestATokenThatTwoAgentsWereGivenIsFound(t *testing.T) {
	s := newScene(t)
	var mu sync.Mutex
	each := map[string]int{}
	s.token = func(secret string, _ int64) string {
		mu.Lock()
		defer mu.Unlock()
		each[secret]++
		return fmt.Sprintf("secret-access-token-%d", each[secret])
	}
	s.agent("a")
	s.agent("b")
	c := s.crew(load.Plan{Rate: 200, Duration: 500 * time.Millisecond, Connections: 2}, expect(2))
	l, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if l.Verdict != reports.Fail || len(l.Violations) != 1 || l.Violations[0].Count != 50 || l.Violations[0].Requirement != "RFC6749-10.10-tokens-unique" {
		t.Errorf("%s %+v", l.Verdict, l.Violations)
	}
}

// quiet is how long after a moment the last request of an agent came.
func (s *scene) quiet(agent string, since time.Time) time.Duration {
	last, ok := s.last.Load("the-secret-of-" + agent)
	if !ok {
		s.t.Fatalf("agent %s sent nothing", agent)
	}
	return last.(time.Time).Sub(since) //nolint:forcetypeassert // it is one
}

// TestASearchAcrossAgents finds the rate that was allowed, and, when an agent is lost, claims nothing.
func TestASearchAcrossAgents(t *testing.T) {
	s := newScene(t)
	s.agent("a")
	leave := s.agent("b")
	bounds, err := load.ParseObjective("p90<1s")
	if err != nil {
		t.Fatal(err)
	}
	search := load.Capacity{Objective: bounds, Start: 200, Most: 400, Step: 500 * time.Millisecond}
	p := load.Plan{Rate: 200, Duration: time.Second, Connections: 4}
	ready, err := search.Plan(p)
	if err != nil {
		t.Fatal(err)
	}
	c := s.crew(ready, expect(2))
	l, err := search.FindWith(t.Context(), p, c.Whole())
	if err != nil || l.Capacity == nil || len(l.Agents) != 2 {
		t.Fatal(err, l.Capacity)
	}
	if c.Conclude(t.Context(), &l); l.Capacity.Held == 0 && l.Generator.Bottleneck == "" || !strings.Contains(strings.Join(l.Notices, "\n"), "of all agents together") {
		t.Errorf("%+v %q", l.Capacity, l.Notices)
	}
	search.Say = func(reports.CapacityStep) { leave() } // after the first step
	l, err = search.FindWith(t.Context(), p, c.Whole())
	if l.Verdict == reports.Pass || err == nil && !strings.Contains(l.Partial, "no more can be sent") {
		t.Errorf("%v, %s, %q", err, l.Verdict, l.Partial)
	}
}
