package load

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flowproof/drivers/target"
	"flowproof/reports"
)

// secureIssuer is a token endpoint over TLS that counts its connections.
func secureIssuer(t testing.TB, h2 bool) (target.Target, *sync.Map) {
	t.Helper()
	var n atomic.Int64
	var from sync.Map
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from.Store(r.RemoteAddr, r.Proto)
		i := n.Add(1)
		if r.FormValue("grant_type") == "password" && (r.FormValue("username") == "" || r.FormValue("password") == "") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if i%50 == 0 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"error":"slow_down"}`)
			return
		}
		fmt.Fprintf(w, `{"access_token":"access-token-%d","token_type":"Bearer","expires_in":600}`, i)
	}))
	s.EnableHTTP2 = h2
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail here on purpose
	s.StartTLS()
	t.Cleanup(s.Close)
	tgt := testTarget()
	tgt.URL, tgt.Endpoints.Token = s.URL, s.URL+"/oauth/token"
	tgt.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	return tgt, &from
}

func TestHTTP2(t *testing.T) {
	tgt, from := secureIssuer(t, true)
	l, err := Run(t.Context(), tgt, Plan{Rate: 1000, Count: 500, Protocol: HTTP2, Connections: 3, Streams: 5,
		Scenarios: []Scenario{{Flow: ClientCredentials}, {Flow: Password}}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, l)
	var verified, throttled int64
	for _, s := range l.Steps {
		verified += s.Verified
		throttled += s.Throttled
	}
	if verified+throttled != 500 || throttled < 9 || throttled > 11 || len(l.Violations) != 0 || l.Plan.Protocol != HTTP2 {
		t.Errorf("%d verified, %d throttled, %+v", verified, throttled, l.Violations)
	}
	connections := 0
	from.Range(func(_, proto any) bool {
		connections++
		if proto != "HTTP/2.0" {
			t.Error(proto)
		}
		return true
	})
	if connections != 3+1 { // and the one of the flight before
		t.Errorf("%d connections", connections)
	}
}

func TestHTTP2IsNotThereForEverybody(t *testing.T) {
	tgt, _ := secureIssuer(t, false)
	_, err := Run(t.Context(), tgt, Plan{Rate: 10, Count: 10, Protocol: HTTP2}, Options{})
	if !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
	deaf := httptest.NewUnstartedServer(http.NotFoundHandler()) // it does not say which protocol it speaks
	deaf.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: deaf.TLS.Certificates, MinVersion: tls.VersionTLS12}, nil
	}}
	deaf.StartTLS()
	t.Cleanup(deaf.Close)
	tgt.Endpoints.Token = deaf.URL + "/oauth/token"
	if _, err := Run(t.Context(), tgt, Plan{Rate: 10, Count: 10, Protocol: HTTP2}, Options{}); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "no HTTP/2 there") {
		t.Error(err)
	}
	plain, _ := issuer(t, nil)
	if _, err := Run(t.Context(), plain, Plan{Rate: 10, Count: 10, Protocol: HTTP2}, Options{}); err == nil || errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
}

func TestHTTP2TimesOutAndIsCut(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	defer close(release)
	tgt := testTarget()
	tgt.Endpoints.Token = s.URL + "/oauth/token"
	tgt.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	dial, err := dialer(tgt, HTTP2)
	if err != nil {
		t.Fatal(err)
	}
	wires := newHTTP2(dial, 50*time.Millisecond, 2)
	var a answer
	if err := wires[0].do([]byte(request), &a); class(err) != timedOut {
		t.Error(err)
	}
	wires[1].cut()
	if err := wires[1].do([]byte(request), &a); class(err) != cutOff {
		t.Error(err)
	}
	for _, w := range wires {
		w.close()
	}
}

// A rig runs again and again, as a search for the capacity does.
func TestARigRunsAgain(t *testing.T) {
	tgt, served := issuer(t, nil)
	r, err := Prepare(t.Context(), tgt, Plan{Rate: 1000, Duration: 100 * time.Millisecond}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	before := served.Load()
	for _, want := range []struct {
		stages []Stage
		n      int64
	}{{nil, 100}, {[]Stage{{Rate: 500, Duration: 100 * time.Millisecond}}, 50}, {[]Stage{{Rate: 2000, Duration: 50 * time.Millisecond}, {Rate: 100, Duration: 50 * time.Millisecond}}, 105}} {
		l, err := r.Run(t.Context(), want.stages...)
		if err != nil {
			t.Fatal(err)
		}
		if s := onlyStep(t, l); s.Verified != want.n || l.Verdict == reports.Fail {
			t.Errorf("%s: %+v, want %d", l.Verdict, s, want.n)
		}
	}
	if n := served.Load() - before; n != 255 {
		t.Errorf("the target was asked %d times for 255", n)
	}
}

func TestATokenOfAnEarlierRunIsNoticed(t *testing.T) {
	tgt, served := issuer(t, nil)
	r, err := Prepare(t.Context(), tgt, Plan{Rate: 1000, Count: 50}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	before := served.Load()
	for run, want := range []reports.Verdict{reports.Pass, reports.Fail} {
		served.Store(before) // it begins again with the tokens that it issued
		l, err := r.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if l.Verdict != want {
			t.Errorf("run %d: %s, %+v", run+1, l.Verdict, l.Violations)
		}
	}
}

func TestTurnsOverTheWire(t *testing.T) {
	var asked [2]*atomic.Int64
	var targets [2]target.Target
	for i := range targets {
		targets[i], asked[i] = issuer(t, nil)
	}
	turns := Turns{Pairs: 2}
	as, bs, err := turns.Play(t.Context(), targets[0], targets[1], Plan{Rate: 1000, Count: 60}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, of := range []reports.Turns{as, bs} {
		if s := onlyStep(t, of.Whole); len(of.Runs) != 2 || s.Verified != 120 || of.Whole.Target.URL != targets[i].URL || of.Whole.Verdict == reports.Fail {
			t.Errorf("%c: %d runs, %+v, %s", "AB"[i], len(of.Runs), s, of.Whole.Verdict)
		}
		if n := asked[i].Load(); n < 120 || n > 140 {
			t.Errorf("%c was asked %d times for 120", "AB"[i], n)
		}
	}
}

func TestStartingTooLateIsAnError(t *testing.T) {
	tgt, _ := issuer(t, nil)
	_, err := Run(t.Context(), tgt, Plan{Rate: 10, Count: 1}, Options{StartAt: time.Now().Add(-time.Second)})
	if !errors.Is(err, ErrTooLate) {
		t.Error(err)
	}
	start := time.Now().Add(300 * time.Millisecond)
	l, err := Run(t.Context(), tgt, Plan{Rate: 10, Count: 1}, Options{StartAt: start})
	if err != nil {
		t.Fatal(err)
	}
	if began, err := time.Parse(time.RFC3339Nano, l.Started); err != nil || began.Sub(start).Abs() > time.Millisecond {
		t.Errorf("it was to start at %v, and did at %v", start, l.Started)
	}
}

func TestPlanHash(t *testing.T) {
	tgt, _ := issuer(t, nil)
	hash := func(p Plan) string {
		l, err := Run(t.Context(), tgt, p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Plan.Hash) != 64 || p.Shard.Of > 1 != (l.Plan.Shard != nil) {
			t.Errorf("%+v", l.Plan)
		}
		return l.Plan.Hash
	}
	one := Plan{Rate: 100, Count: 4}
	spelt := Plan{Model: Open, Stages: []Stage{{Rate: 100}}, Count: 4, Connections: 64, Timeout: 10 * time.Second, Scenarios: []Scenario{{Flow: ClientCredentials, Weight: 1}}}
	part, other, seeded := one, one, one
	part.Shard = Shard{2, 2}
	other.Rate = 101
	seeded.Seed = 1
	if h := hash(one); h != hash(spelt) || h != hash(part) || h == hash(other) || h == hash(seeded) {
		t.Error("the hash does not tell plans, and only plans, apart")
	}
}

// TestHTTP2BodiesAreBounded: no more is read than is kept, and nothing is unpacked.
func TestHTTP2BodiesAreBounded(t *testing.T) {
	const chunks = 64 // MiB
	written := make(chan int)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if packed := r.Header.Get("Accept-Encoding"); packed != "" {
			t.Errorf("it takes %s", packed)
		}
		n := 0
		for n < chunks {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				break
			}
			n++
		}
		written <- n
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	tgt := testTarget()
	tgt.Endpoints.Token = s.URL + "/oauth/token"
	tgt.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	dial, err := dialer(tgt, HTTP2)
	if err != nil {
		t.Fatal(err)
	}
	wires := newHTTP2(dial, 10*time.Second, 1)
	defer wires[0].close()
	var a answer
	if err := wires[0].do([]byte(request), &a); class(err) != "answer too large" {
		t.Errorf("%v is %q", err, class(err))
	}
	if n := <-written; n > chunks/2 {
		t.Errorf("%d MiB were taken", n)
	}
}
