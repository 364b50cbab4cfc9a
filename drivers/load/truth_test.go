package load

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"flowproof/drivers/target"
	"flowproof/reports"
)

// Independent people who come to one counter that takes 10 ms for each, eight of ten of its time: the theory of
// queues (M/D/1) says that they spend 10 ms + 10 ms * 0.8 / (2 * 0.2) = 30 ms on average, that a fifth of them
// do not wait at all, and how long the others do.
func TestLatencyOfAQueueIsThatOfTheTheory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Plan{Rate: 80, Duration: 10 * time.Minute, Arrivals: Poisson, Seed: 1, Connections: 1}
		l, _ := play(t, t.Context(), p, answersAfter(10*time.Millisecond))
		balanced(t, l)
		s := onlyStep(t, l)
		if !near(s.Latency.MeanUS, 30e3, 0.05) || s.Service.MaxUS > 10_010 || s.NotSent > 50 {
			t.Errorf("mean %v, service up to %v, %d not sent", s.Latency.MeanUS, s.Service.MaxUS, s.NotSent)
		}
		for _, percentile := range []float64{50, 75, 90, 95, 99} {
			got := s.Latency.Percentiles[fmt.Sprint(percentile)]
			if share := waitsLess(0.8, got/10e3-1); !near(1-share, 1-percentile/100, 0.2) {
				t.Errorf("p%v is %v, and in the theory that is p%.2f", percentile, got, 100*share)
			}
		}
		if want := 1 - waitsLess(0.8, 0.1); !near(float64(s.Late), want*float64(s.Sent), 0.01) {
			t.Errorf("%d of %d started late", s.Late, s.Sent)
		}
		if !shows(l.Notices, "because every connection was busy") || l.Generator.Late != 0 || l.Generator.Bottleneck != "" {
			t.Errorf("%v %+v", l.Notices, l.Generator)
		}
	})
}

// waitsLess is the share of those at an M/D/1 counter who wait less than t service times (Erlang 1909).
func waitsLess(load, t float64) float64 {
	sum, factorial := 0.0, 1.0
	for k := 0.0; k <= t; k++ {
		if k > 0 {
			factorial *= k
		}
		sum += math.Pow(load*(k-t), k) / factorial * math.Exp(-load*(k-t))
	}
	return (1 - load) * sum
}

// In the closed model a worker thinks after each answer.
func TestThinkingInTheClosedModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Plan{Model: Closed, Duration: 10 * time.Second, Connections: 4, Scenarios: []Scenario{{Flow: RefreshToken, ThinkTime: 90 * time.Millisecond}}}
		l, _ := play(t, t.Context(), p, &newAuthority().server)
		balanced(t, l)
		if s := onlyStep(t, l); !near(float64(s.Sent), 4*10/0.091, 0.01) || s.Latency.MaxUS > 1001 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRunsAreAborted(t *testing.T) {
	slow := func(from int64, d time.Duration) *server {
		return &server{handle: func(s *server, _ url.Values, n int64) reply {
			r := s.good()
			if r.after = time.Millisecond; n >= from {
				r.after = d
			}
			return r
		}}
	}
	for name, c := range map[string]struct {
		rule  string
		s     *server
		least time.Duration
		most  time.Duration
		why   string
	}{
		"p99":       {"p99>100ms for 3s", slow(500, 200*time.Millisecond), 8 * time.Second, 9500 * time.Millisecond, "p99 of the latency passed 100 ms in each of the last 3 s"},
		"service":   {"service.p50>=150ms for 2s", slow(500, 200*time.Millisecond), 7 * time.Second, 8500 * time.Millisecond, "p50"},
		"silence":   {"p99>1s for 3s", slow(500, time.Hour), 8 * time.Second, 9500 * time.Millisecond, "p99"},
		"never":     {"p99>300ms for 3s", slow(500, 200*time.Millisecond), 20 * time.Second, 21 * time.Second, ""},
		"too short": {"p99>100ms for 30s", slow(500, 200*time.Millisecond), 20 * time.Second, 21 * time.Second, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			l, e := play(t, t.Context(), Plan{Rate: 100, Duration: 20 * time.Second, Connections: 400, Timeout: time.Minute, Abort: aborts(t, c.rule)}, c.s)
			balanced(t, l)
			took := e.haltedAt
			if e.why == "" {
				took = 20 * time.Second
			}
			if took < c.least || took > c.most || !strings.Contains(l.Partial, c.why) || (c.why == "") != (l.Partial == "") {
				t.Errorf("%s: %v, %q", name, took, l.Partial)
			}
			if want := map[bool]reports.Verdict{true: reports.Pass, false: reports.Fail}[c.why == ""]; l.Verdict != want {
				t.Errorf("%s: %s, want %s", name, l.Verdict, want)
			}
		})
	}
}

func TestParseAbort(t *testing.T) {
	for _, s := range []string{"errors>50% for 5s", "p99>2s for 10s", "service.p99.9>=250ms for 1m0s"} {
		a, err := ParseAbort(s)
		if err != nil || a.String() != s {
			t.Errorf("%q: %v, %v", s, a, err)
		}
	}
	for s, hint := range map[string]string{
		"errors>50%": "for how long", "errors<50% for 5s": "too high", "rate>5/s for 5s": "neither", "x:p99>1s for 5s": "neither", "p99>1s for 100ms": "whole seconds",
		"p99>1s for 1h": "whole seconds", "p99>1s for 1.5s": "whole seconds", "p99 for 5s": "cannot be read", "": "for how long",
	} {
		if _, err := ParseAbort(s); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: %v, want a hint at %q", s, err, hint)
		}
	}
}

func TestGeneratorSaysWhenItWasTheBottleneck(t *testing.T) {
	e := &engine{}
	for want, c := range map[string]struct {
		u used
		l time.Duration
	}{
		"":                         {used{wall: 10 * time.Second, cpu: 5 * time.Second, cores: 2, pause: 50 * time.Millisecond, longestPause: 30 * time.Millisecond}, time.Millisecond},
		"of 2 processors busy":     {used{wall: 10 * time.Second, cpu: 19 * time.Second, cores: 2}, 0},
		"sent 5":                   {used{wall: 10 * time.Second, cpu: time.Second, cores: 2}, 5 * time.Millisecond},
		"to collect garbage":       {used{wall: 10 * time.Second, cpu: time.Second, cores: 2, pause: 200 * time.Millisecond}, 0},
		"which share a process":    {used{wall: 10 * time.Second, cpu: 20 * time.Second, cores: 2}, 0},
		"stood still for 2% of th": {used{wall: 10 * time.Second, cores: 2, pause: 200 * time.Millisecond}, 0},
	} {
		sum := &total{delayed: 3}
		for range 100 {
			sum.lateness.add(c.l.Microseconds())
		}
		g := e.generator(sum, c.u, Options{Together: strings.Contains(want, "share")})
		if (g.Bottleneck == "") != (want == "") || !strings.Contains(g.Bottleneck, want) || g.Late != 3 || g.GCPauseMaxUS != c.u.longestPause.Microseconds() {
			t.Errorf("%q: %+v", want, g)
		}
	}
}

// countingWire answers at once with a token that was never there, and allocates nothing.
type countingWire struct {
	fakeWire
	body []byte
	n    uint64
	a    answer
}

func (c *countingWire) do(_ []byte, a *answer) error {
	c.n++
	for i, n := 0, c.n; i < 16; i, n = i+1, n>>4 {
		c.body[17+i] = "0123456789abcdef"[n&15]
	}
	*a = c.a
	return nil
}

func TestHotPathAllocatesNothing(t *testing.T) {
	c := &countingWire{body: []byte(`{"access_token":"0000000000000000","token_type":"Bearer","expires_in":600}`)}
	c.a = fine()
	c.a.body = c.body
	p, err := Plan{Rate: 1e6, Count: 1e9, Scenarios: []Scenario{
		{Flow: ClientCredentials, Weight: 3, Hostile: []Hostile{{UnknownClient, 0.1}}}, {Flow: Password},
	}}.resolved(testTarget())
	if err != nil {
		t.Fatal(err)
	}
	e := rig(t, testTarget(), p, nil)
	e.ready()
	w := e.workers[0]
	w.wire = c
	var i int64
	send := func() {
		for range 100 {
			job, _ := e.mix.pick(i)
			if e.sites[0].jobs[job].hostile == "" { // an accepted one is shown
				w.send(claim{index: i, due: time.Duration(i) * time.Microsecond, now: time.Duration(i) * time.Microsecond, free: true})
			}
			i++
		}
	}
	for range 2000 {
		send()
	}
	if n := testing.AllocsPerRun(100, send); n > 0 {
		t.Errorf("100 requests allocate %v times", n)
	}
}

func TestTokensAreIntrospectedNowAndThen(t *testing.T) {
	var lies atomic.Bool
	var asked atomic.Int64
	tgt, _ := issuer(t, func(w http.ResponseWriter, r *http.Request, _ int64) bool {
		if r.URL.Path != "/oauth/introspect" {
			return false
		}
		asked.Add(1)
		who := "alice"
		if lies.Load() {
			who = "bob"
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"active":true,"username":%q,"client_id":"id-1"}`, who)
		return true
	})
	tgt.Endpoints.Introspection = tgt.URL + "/oauth/introspect"
	p := Plan{Rate: 500, Duration: 700 * time.Millisecond, Scenarios: []Scenario{{Flow: Password, Clients: []string{"service"}, Users: []string{"alice"}}}}
	l, err := Run(t.Context(), tgt, p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); n < 1 || n > 3 || len(l.Violations) != 0 || !shows(l.Notices, "introspected during the run") {
		t.Errorf("asked %d times, %v %v", n, l.Violations, l.Notices)
	}
	lies.Store(true)
	if l, err = Run(t.Context(), tgt, p, Options{}); err != nil {
		t.Fatal(err)
	}
	if len(l.Violations) != 1 || l.Violations[0].Requirement != "RFC6749-3.1-race-no-cross-identity" || l.Verdict != reports.Fail || l.Violations[0].First.Status != 200 {
		t.Errorf("%+v", l.Violations)
	}
}

func TestRefreshKeepsTheScope(t *testing.T) {
	for profile, want := range map[string]int{"rfc6749": 1, "space": 0} {
		synctest.Test(t, func(t *testing.T) {
			a := newAuthority()
			n := 0
			a.wrong = func(form url.Values, r *reply) {
				scope := "a b"
				if form.Get("grant_type") == "refresh_token" {
					if n++; n%10 == 0 {
						scope = "a b c"
					} else if n%10 == 1 {
						scope = "b a"
					}
				}
				r.body = strings.Replace(r.body, "{", `{"scope":"`+scope+`",`, 1)
			}
			tgt := testTarget()
			tgt.Profile = profile
			p, err := Plan{Rate: 100, Duration: time.Second, Connections: 3, Scenarios: []Scenario{{Flow: RefreshToken}}}.resolved(tgt)
			if err != nil {
				t.Fatal(err)
			}
			e := rig(t, tgt, p, &a.server)
			if err := e.connect(context.Background()); err != nil {
				t.Fatal(err)
			}
			l := e.watch(context.Background(), e.sites[0].driver.Redactor(), tgt, Options{})
			if len(l.Violations) != want || want > 0 && (l.Violations[0].Requirement != "RFC6749-6-scope-omitted-keeps" || l.Violations[0].Count != 10) {
				t.Errorf("%s: %+v", profile, l.Violations)
			}
		})
	}
}

// People from a file sign in, and nothing of the file but its name is in the record.
func TestPeopleAreNeverShown(t *testing.T) {
	tgt, _ := issuer(t, func(w http.ResponseWriter, r *http.Request, n int64) bool {
		if n%5 == 0 {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token":"echo-of-%d","token_type":"Bearer","expires_in":600,"echo":%q}`, n, r.FormValue("password"))
			return true
		}
		// The flight before the run asks for the first ones only. Nothing else is kept of such an answer than its code.
		if name := r.FormValue("username"); len(name) == len("person-30") && name >= "person-30" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":%q}`, r.FormValue("password"))
			return true
		}
		return false
	})
	var people []target.User
	for i := range 40 {
		people = append(people, target.User{Name: fmt.Sprintf("people.csv:%d", i+2), Username: fmt.Sprintf("person-%d", i), Password: target.NewSecret(fmt.Sprintf("the-phrase-%c%c", 'a'+i/26, 'a'+i%26))})
	}
	p := Plan{Rate: 1000, Count: 200, Abort: []Abort{}, Scenarios: []Scenario{{Flow: Password, People: people, PeopleAre: "people.csv (40 users)"}}}
	l, err := Run(t.Context(), tgt, p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Plan.Users) != 1 || l.Plan.Users[0] != "people.csv (40 users)" || len(l.Violations) == 0 {
		t.Errorf("%+v, %d violations", l.Plan.Users, len(l.Violations))
	}
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "phrase") {
		t.Error("a password is in the record")
	}
}

func TestOtherHostsAreNotLoaded(t *testing.T) {
	tgt := testTarget()
	tgt.Endpoints.Authorization = "http://login.test/auth"
	_, err := Run(t.Context(), tgt, Plan{Rate: 1, Count: 1, Scenarios: []Scenario{{Flow: AuthorizationCode}}}, Options{})
	if err == nil || !strings.Contains(err.Error(), "another host") {
		t.Error(err)
	}
}

// A generator that oversleeps says that it was late, how often, and that the figures are its own; it takes that
// for no reason to open connections.
func TestALateGeneratorSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := Plan{Rate: 50, Duration: 4 * time.Second, ConnectionsFrom: 4, Connections: 32}.resolved(testTarget())
		if err != nil {
			t.Fatal(err)
		}
		e := rig(t, testTarget(), p, answersAfter(time.Millisecond))
		e.nap = func(d time.Duration) { <-time.After(d + 4*time.Millisecond) }
		l := e.watch(context.Background(), e.sites[0].driver.Redactor(), testTarget(), Options{})
		balanced(t, l)
		s := onlyStep(t, l)
		if s.Sent != 200 || s.Late < 190 || l.Generator.Late != s.Late || l.Generator.LatenessMaxUS != 4000 || !strings.Contains(l.Generator.Bottleneck, "sent 4") {
			t.Errorf("%+v %+v", s, l.Generator)
		}
		if !near(s.Latency.Percentiles["50"], 5000, 0.01) || s.Service.MaxUS != 1000 {
			t.Errorf("the latency is %v, of which %d are the server's", s.Latency.Percentiles, s.Service.MaxUS)
		}
		if e.grown.Load() != 0 || !shows(l.Notices, "that much is the load generator's") {
			t.Errorf("%d connections joined; %q", e.grown.Load(), l.Notices)
		}
	})
}
