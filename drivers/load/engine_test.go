package load

import (
	"context"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"flowproof/reports"
)

func answersAfter(d time.Duration) *server {
	return &server{handle: func(s *server, _ url.Values, _ int64) reply {
		r := s.good()
		r.after = d
		return r
	}}
}

func TestOpenModelKeepsItsSchedule(t *testing.T) {
	for _, rate := range []float64{3, 100, 1000, 5000} {
		synctest.Test(t, func(t *testing.T) {
			s := answersAfter(3 * time.Millisecond)
			l, e := play(t, t.Context(), Plan{Rate: rate, Duration: 3 * time.Second}, s)
			balanced(t, l)
			step := onlyStep(t, l)
			if want := int64(3 * rate); step.Sent != want || step.Verified != want || step.NotSent != 0 {
				t.Errorf("rate %v: sent %d, verified %d, not sent %d, want %d", rate, step.Sent, step.Verified, step.NotSent, want)
			}
			for i, at := range s.arrived {
				if want := e.base.Add(e.schedule.due(int64(i))); !at.Equal(want) {
					t.Fatalf("rate %v: request %d was sent %v late", rate, i, at.Sub(want))
				}
			}
			if step.Latency.MinUS != 3000 || step.Latency.MaxUS > 3001 || step.Service.MaxUS > 3001 {
				t.Errorf("latency %d to %d µs, service to %d", step.Latency.MinUS, step.Latency.MaxUS, step.Service.MaxUS)
			}
			if !near(l.Rate.Achieved, rate, 0.002) || l.Rate.Intended != rate {
				t.Errorf("rate %v of %v", l.Rate.Achieved, l.Rate.Intended)
			}
			if l.Verdict != reports.Pass || l.Generator.LatenessMaxUS != 0 {
				t.Errorf("verdict %s, lateness %d", l.Verdict, l.Generator.LatenessMaxUS)
			}
			for _, second := range l.Series[:3] {
				if second.Planned != int64(rate) || second.Sent != int64(rate) || second.P50US == 0 {
					t.Errorf("second %+v", second)
				}
			}
		})
	}
}

// A tenth of the requests are due during a stall and wait for its end, evenly spread from 0 to 500 ms.
func TestLatencyOfAStallIsThatOfTheTheory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var start time.Time
		s := &server{}
		s.handle = func(s *server, _ url.Values, n int64) reply {
			if n == 0 {
				start = time.Now()
			}
			const every, long = 5 * time.Second, 500 * time.Millisecond
			r := s.good()
			r.after = 100 * time.Microsecond
			if into := (time.Since(start) + every/2) % every; into < long {
				r.after += long - into
			}
			return r
		}
		l, _ := play(t, t.Context(), Plan{Rate: 2000, Duration: 20 * time.Second, Connections: 128}, s)
		balanced(t, l)
		step := onlyStep(t, l)
		if step.Sent != 40000 || step.NotSent != 0 {
			t.Errorf("sent %d, not sent %d", step.Sent, step.NotSent)
		}
		for name, want := range map[string]float64{"95": 250e3, "99": 450e3, "99.9": 495e3} {
			if got := step.Latency.Percentiles[name]; !near(got, want, 0.03) {
				t.Errorf("p%s is %v µs, and the theory says %v", name, got, want)
			}
		}
		if got := float64(step.Latency.MaxUS); !near(got, 500e3, 0.01) {
			t.Errorf("max is %v µs", got)
		}
		// 128 connections are all that a stall can hold, so the service time sees 512 of 4,000.
		if got := step.Service.Percentiles["95"]; got > 1000 {
			t.Errorf("the service time's p95 is %v µs", got)
		}
		if l.Generator.Bottleneck != "" {
			t.Error(l.Generator.Bottleneck)
		}
	})
}

func TestOverloadIsCountedAndNotDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := play(t, t.Context(), Plan{Rate: 100, Duration: 10 * time.Second, Connections: 1}, answersAfter(20*time.Millisecond))
		balanced(t, l)
		step := onlyStep(t, l)
		// 50 a second, and 2 or 3 more start within the slack.
		if step.Sent < 500 || step.Sent > 503 || step.Planned != 1000 || step.NotSent != 1000-step.Sent {
			t.Errorf("sent %d, planned %d, not sent %d", step.Sent, step.Planned, step.NotSent)
		}
		if step.Service.MaxUS > 20_100 || step.Latency.MaxUS < 5_000_000 {
			t.Errorf("service up to %d, latency up to %d", step.Service.MaxUS, step.Latency.MaxUS)
		}
		if !shows(l.Notices, "could not be sent") || l.Generator.Bottleneck != "" {
			t.Errorf("notices %q, bottleneck %q", l.Notices, l.Generator.Bottleneck)
		}
	})
}

func TestClosedModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := play(t, t.Context(), Plan{Model: Closed, Duration: 2 * time.Second, Connections: 4}, answersAfter(10*time.Millisecond))
		balanced(t, l)
		if step := onlyStep(t, l); step.Sent != 800 || step.Latency.MaxUS > 10_010 {
			t.Errorf("sent %d, latency up to %d", step.Sent, step.Latency.MaxUS)
		}
		if !near(l.Rate.Achieved, 400, 0.001) {
			t.Error(l.Rate.Achieved)
		}
		l, _ = play(t, t.Context(), Plan{Model: Closed, Count: 101, Connections: 4}, answersAfter(10*time.Millisecond))
		if step := onlyStep(t, l); step.Sent != 101 || step.Planned != 101 {
			t.Errorf("sent %d of %d", step.Sent, step.Planned)
		}
	})
}

func TestCountEndsAnOpenRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := play(t, t.Context(), Plan{Rate: 100, Count: 250}, answersAfter(time.Millisecond))
		if step := onlyStep(t, l); step.Sent != 250 || step.Planned != 250 || l.DurationMS != 2500 {
			t.Errorf("sent %d of %d in %d ms", step.Sent, step.Planned, l.DurationMS)
		}
	})
}

func TestWarmUpIsRecordedApart(t *testing.T) {
	for _, model := range []string{Open, Closed} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{handle: func(s *server, _ url.Values, n int64) reply {
				r := s.good()
				r.after = 10 * time.Millisecond
				if n < 50 {
					r.after = 500 * time.Millisecond // cold
				}
				return r
			}}
			p := Plan{Model: model, Duration: time.Second, WarmUp: 2 * time.Second, Connections: 50}
			if model == Open {
				p.Rate = 100
			}
			l, e := play(t, t.Context(), p, s)
			balanced(t, l)
			step := onlyStep(t, l)
			if step.Latency.MaxUS > 10_010 || len(l.WarmUp) != 1 || l.WarmUp[0].Latency.MaxUS < 500_000 {
				t.Errorf("%s: measured up to %d µs, warm-up %+v", model, step.Latency.MaxUS, l.WarmUp)
			}
			if model == Open && (step.Sent != 100 || l.WarmUp[0].Sent != 200) {
				t.Errorf("sent %d, and %d to warm up", step.Sent, l.WarmUp[0].Sent)
			}
			if got := e.base.Sub(s.arrived[0]); got < 1990*time.Millisecond || got > 2*time.Second {
				t.Errorf("%s: the warm-up began %v before", model, got)
			}
		})
	}
}

// The record must say exactly what the server did wrong.
func TestCountsAreTheTruth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{handle: func(s *server, _ url.Values, n int64) reply {
			r := s.good()
			r.after = time.Millisecond
			switch n % 100 {
			case 10, 20:
				r = reply{status: 500, body: `<html>`, typ: "text/html"}
			case 30:
				r = reply{status: 400, body: `{"error":"invalid_grant"}`}
			case 40:
				r = reply{status: 429, body: `{"error":"slow_down"}`, retry: "1"}
			case 41:
				r = reply{status: 503, body: `busy`, typ: "text/plain"}
			case 50, 60, 70:
				r.body = `{"access_token":"the-same-token","token_type":"Bearer","expires_in":600}`
			case 80:
				r.cache = "public, max-age=60"
			case 90:
				r = reply{err: syscall.ECONNRESET}
			}
			return r
		}}
		l, _ := play(t, t.Context(), Plan{Rate: 1000, Duration: 2 * time.Second, Scenarios: []Scenario{{Flow: ClientCredentials, Clients: []string{"service"}}}}, s)
		balanced(t, l)
		step := onlyStep(t, l)
		want := map[string]int64{"status 500": 40, "status 400 invalid_grant": 20, "reset": 20, unverified: 59 + 20}
		for class, n := range want {
			if step.Errors[class] != n {
				t.Errorf("%s: %d, want %d", class, step.Errors[class], n)
			}
		}
		if len(step.Errors) != len(want) || step.Throttled != 40 || step.Answered != 1980 {
			t.Errorf("errors %v, throttled %d, answered %d", step.Errors, step.Throttled, step.Answered)
		}
		violated := map[string]int64{}
		for _, v := range l.Violations {
			violated[v.Requirement] = v.Count
			if v.First.Method != http.MethodPost || v.First.Status == 0 || !v.First.Deciding {
				t.Errorf("%s: evidence %+v", v.Requirement, v.First)
			}
		}
		wantViolated := map[string]int64{"RFC6749-10.10-tokens-unique": 59, "RFC6749-5.1-cache-control": 20, "RFC6585-4-throttling-well-formed": 20}
		if len(violated) != len(wantViolated) {
			t.Errorf("violations %v", violated)
		}
		for id, n := range wantViolated {
			if violated[id] != n {
				t.Errorf("%s: %d, want %d", id, violated[id], n)
			}
		}
		if l.Verdict != reports.Fail {
			t.Error(l.Verdict)
		}
	})
}

func TestMixKeepsItsWeights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[string]int{}
		s := &server{}
		s.handle = func(s *server, form url.Values, _ int64) reply {
			s.mu.Lock()
			seen[form.Get("grant_type")+" "+form.Get("username")+" "+form.Get("client_id")]++
			s.mu.Unlock()
			return s.good()
		}
		l, _ := play(t, t.Context(), Plan{Rate: 100, Duration: 4 * time.Second, Scenarios: []Scenario{{Flow: ClientCredentials, Weight: 3}, {Flow: Password, Weight: 1}}}, s)
		balanced(t, l)
		if l.Steps[0].Sent != 300 || l.Steps[1].Sent != 100 || l.Steps[1].Planned != 100 {
			t.Errorf("%+v", l.Steps)
		}
		// Two users times two clients, of which web sends its credentials in the body.
		for _, key := range []string{"password alice ", "password alice id-2", "password bob ", "password bob id-2"} {
			if seen[key] != 25 {
				t.Errorf("%q: %d times of 25", key, seen[key])
			}
		}
	})
}

func TestCancelDrainsAndIsPartial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(1500*time.Millisecond, cancel)
		l, _ := play(t, ctx, Plan{Rate: 100, Duration: time.Minute}, answersAfter(30*time.Millisecond))
		balanced(t, l)
		step := onlyStep(t, l)
		if l.Partial == "" || l.Verdict != reports.Inconclusive {
			t.Errorf("partial %q, verdict %s", l.Partial, l.Verdict)
		}
		if step.Sent < 147 || step.Sent > 150 || step.Verified != step.Sent || step.NotSent > 1 {
			t.Errorf("sent %d, verified %d, not sent %d", step.Sent, step.Verified, step.NotSent)
		}
	})
}

func TestDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		l, _ := play(t, ctx, Plan{Rate: 10, Duration: time.Hour, Timeout: 30 * time.Minute}, answersAfter(20*time.Minute))
		balanced(t, l)
		if took := time.Since(start); took > 7*time.Second {
			t.Errorf("it took %v", took)
		}
		if step := onlyStep(t, l); step.Errors[cutOff] != step.Sent || step.Sent == 0 {
			t.Errorf("%+v", step.Errors)
		}
	})
}

func TestAbortWhenOnlyErrorsCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{handle: func(s *server, _ url.Values, n int64) reply {
			if n < 1000 {
				return s.good()
			}
			return reply{err: syscall.ECONNREFUSED}
		}}
		l, _ := play(t, t.Context(), Plan{Rate: 200, Duration: time.Hour, Abort: aborts(t, "errors>50% for 5s")}, s)
		balanced(t, l)
		step := onlyStep(t, l)
		if l.Partial == "" || l.Verdict != reports.Fail {
			t.Errorf("partial %q, verdict %s", l.Partial, l.Verdict)
		}
		if n := step.Errors["refused"]; n < 300 || n > 1200 {
			t.Errorf("aborted after %d errors", n)
		}
	})
}

func TestAPlanWithoutARuleIsAbortedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{handle: func(s *server, _ url.Values, n int64) reply {
			if n < 1000 {
				return s.good()
			}
			return reply{err: syscall.ECONNREFUSED}
		}}
		if l, _ := play(t, t.Context(), Plan{Rate: 200, Duration: time.Minute}, s); l.Partial == "" || l.Verdict != reports.Fail {
			t.Errorf("partial %q, verdict %s", l.Partial, l.Verdict)
		}
	})
}
