package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// A reply is what the fake server makes of one request.
type reply struct {
	after  time.Duration
	status int
	body   string
	typ    string
	cache  string
	retry  string
	to     string // Location
	err    error
}

// server is a token endpoint on the clock of the test's bubble.
type server struct {
	serial  atomic.Int64
	handle  func(s *server, form url.Values, n int64) reply
	mu      sync.Mutex
	arrived []time.Time
}

func (s *server) token() string { return fmt.Sprintf("token-%08d", s.serial.Add(1)) }

func (s *server) good() reply {
	return reply{status: 200, body: `{"access_token":"` + s.token() + `","token_type":"Bearer","expires_in":600}`}
}

// fakeWire is one connection to a server.
type fakeWire struct {
	server *server
	node   int
	over   chan struct{}
	once   sync.Once
	last   http.Header
}

func (f *fakeWire) connect() error { return nil }

func (f *fakeWire) do(request []byte, a *answer) error {
	in, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil {
		return err
	}
	if err := in.ParseForm(); err != nil {
		return err
	}
	form := in.Form
	form.Set("path", in.URL.Path)
	form.Set("authorization", in.Header.Get("Authorization"))
	form.Set("cookie", in.Header.Get("Cookie"))
	form.Set("node", fmt.Sprint(f.node))
	s := f.server
	s.mu.Lock()
	n := int64(len(s.arrived))
	s.arrived = append(s.arrived, time.Now())
	s.mu.Unlock()
	r := s.handle(s, form, n)
	if r.after > 0 {
		select {
		case <-time.After(r.after):
		case <-f.over:
			return errCut
		}
	}
	if r.err != nil {
		return r.err
	}
	f.last = http.Header{"Content-Type": {orElse(r.typ, "application/json")}}
	*a = answer{status: r.status, contentType: []byte(orElse(r.typ, "application/json")),
		cacheControl: [][]byte{[]byte(orElse(r.cache, "no-store"))}, retryAfter: []byte(r.retry), location: []byte(r.to), body: []byte(r.body)}
	return nil
}

func (f *fakeWire) head() http.Header { return f.last }
func (f *fakeWire) cut()              { f.once.Do(func() { close(f.over) }) }
func (f *fakeWire) close()            {}
func (f *fakeWire) proto() string     { return "HTTP/1.1" }

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func testTarget() target.Target {
	all := []target.Grant{target.ClientCredentials, target.Password, target.RefreshToken}
	code := append(all[:3:3], target.AuthorizationCode)
	return target.Target{
		Name: "fake", URL: "http://127.0.0.1:1", Endpoints: target.Endpoints{
			Token: "http://127.0.0.1:1/oauth/token", Authorization: "http://127.0.0.1:1/oauth/auth", Revocation: "http://127.0.0.1:1/oauth/revoke",
		},
		Resources: target.Resources{Any: &target.Resource{Get: "http://127.0.0.1:1/api/any"}, User: &target.Resource{Get: "http://127.0.0.1:1/api/me"}},
		Clients: []target.Client{
			{Name: "service", ID: "id-1", Secret: target.NewSecret("service-secret-1"), Grants: all},
			{Name: "web", ID: "id-2", Secret: target.NewSecret("web-secret-number-2"), Grants: code, Authentication: "body", RedirectURIs: []string{"https://app.test/cb?t=1"}},
			{Name: "spare", ID: "id-3", Secret: target.NewSecret("spare-secret-3"), Grants: all, Sacrificial: true},
			{Name: "spa", ID: "id-4", Public: true, Grants: []target.Grant{target.Implicit}},
		},
		Users: []target.User{
			{Name: "alice", Username: "alice", Password: target.NewSecret("alice password")},
			{Name: "bob", Username: "bob", Password: target.NewSecret("bob&password")},
			{Name: "victim", Username: "victim", Password: target.NewSecret("victim-password"), Sacrificial: true},
		},
		Scopes: target.Scopes{Default: "**"}, Timeout: 10 * time.Second,
		Refresh: target.Refresh{Parameters: map[string]string{"access_type": "offline"}},
	}
}

// play runs the plan against the server, without a network; call it in a bubble.
func play(t *testing.T, ctx context.Context, p Plan, s *server) (reports.Load, *engine) {
	t.Helper()
	tgt := testTarget()
	p, err := p.resolved(tgt)
	if err != nil {
		t.Fatal(err)
	}
	e := rig(t, tgt, p, s)
	if err := e.connect(ctx); err != nil {
		t.Fatal(err)
	}
	s.arrived = nil
	return e.watch(ctx, e.sites[0].driver.Redactor(), tgt, Options{Version: "test"}), e
}

// rig makes an engine whose wires lead to the server.
func rig(t *testing.T, tgt target.Target, p Plan, s *server) *engine {
	t.Helper()
	var sites []*site
	var wires [][]wire
	for n := range max(len(p.Nodes), 1) {
		d, err := oauth.New(tgt, oauth.Options{})
		if err != nil {
			t.Fatal(err)
		}
		at := &site{target: tgt, driver: d, origin: originOf(tgt.Endpoints.Token)}
		if err := at.prepare(p); err != nil {
			t.Fatal(err)
		}
		for _, j := range at.jobs {
			if j.hostile != "" || j.scenario.Flow != AuthorizationCode {
				continue
			}
			for _, is := range j.issues {
				if is.authorize, err = encode(is.request.Changed(oauth.Header("Cookie", gap(2)))); err != nil {
					t.Fatal(err)
				}
				is.cookie = "session=" + is.user.Name
			}
			j.spent.Store(&redemption{j.issues[0], "spent", "verifier"})
		}
		sites = append(sites, at)
		wires = append(wires, nil)
		for range part(p.workers(), n, max(len(p.Nodes), 1)) {
			wires[n] = append(wires[n], &fakeWire{server: s, node: n, over: make(chan struct{})})
		}
	}
	return newEngine(p, sites, wires, flight{knows: newIdentities(tgt)}, time.Sleep)
}

func aborts(t *testing.T, rules ...string) []Abort {
	t.Helper()
	out := []Abort{}
	for _, r := range rules {
		a, err := ParseAbort(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a)
	}
	return out
}

// balanced checks what holds of every step: each request sent ends in one of the counts.
func balanced(t *testing.T, l reports.Load) {
	t.Helper()
	for _, s := range l.Steps {
		var failed int64
		for _, n := range s.Errors {
			failed += n
		}
		if s.Sent != s.Verified+s.Throttled+failed {
			t.Errorf("%s: sent %d, but verified %d, throttled %d, errors %v", s.Name, s.Sent, s.Verified, s.Throttled, s.Errors)
		}
		if s.Planned != s.Sent+s.NotSent {
			t.Errorf("%s: planned %d, but sent %d and not sent %d", s.Name, s.Planned, s.Sent, s.NotSent)
		}
	}
}

func onlyStep(t *testing.T, l reports.Load) reports.Step {
	t.Helper()
	if len(l.Steps) != 1 {
		t.Fatalf("steps: %d", len(l.Steps))
	}
	return l.Steps[0]
}

func near(got, want, share float64) bool {
	return got >= want*(1-share) && got <= want*(1+share)
}

func shows(list []string, part string) bool {
	for _, s := range list {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}
