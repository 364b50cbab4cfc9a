package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"flowproof/drivers/target"
	"flowproof/reports"
)

// issuer is a token endpoint over the wire; wrong, if not nil, may answer instead.
func issuer(t *testing.T, wrong func(w http.ResponseWriter, r *http.Request, n int64) bool) (target.Target, *atomic.Int64) {
	t.Helper()
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := n.Add(1)
		if wrong != nil && wrong(w, r, i) {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		more := ""
		if r.FormValue("grant_type") != "client_credentials" {
			more = fmt.Sprintf(`,"refresh_token":"secret-refresh-token-%d"`, i)
		}
		fmt.Fprintf(w, `{"access_token":"secret-access-token-%d","token_type":"Bearer","expires_in":600%s}`, i, more)
	}))
	t.Cleanup(s.Close)
	tgt := testTarget()
	tgt.URL, tgt.Endpoints.Token = s.URL, s.URL+"/oauth/token"
	return tgt, &n
}

func TestRunOverTheWire(t *testing.T) {
	tgt, served := issuer(t, nil)
	bound, err := ParseThreshold("errors<=0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := Run(t.Context(), tgt, Plan{
		Rate: 2000, Count: 600, WarmUp: 50 * time.Millisecond, Connections: 8, Thresholds: []Threshold{bound},
		Scenarios: []Scenario{{Flow: ClientCredentials, Weight: 2}, {Flow: Password, Weight: 1}, {Flow: RefreshToken, Weight: 1}},
	}, Options{Version: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, l)
	var verified int64
	for _, s := range l.Steps {
		verified += s.Verified
		if h, err := hdrhistogram.Decode([]byte(s.Latency.Encoded)); err != nil || h.TotalCount() != s.Latency.Count || s.Latency.Count != s.Sent {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	if l.Verdict != reports.Pass || verified != 600 || l.Schema != reports.LoadSchema || l.Tool.Version != "v1" || !l.Thresholds[0].Held {
		t.Errorf("%s, %d verified, violations %+v, %+v", l.Verdict, verified, l.Violations, l.Thresholds)
	}
	if l.Target.Tokens != "opaque" || len(l.Plan.Clients) != 2 || len(l.Plan.Users) != 2 || l.Steps[0].Sent != 300 {
		t.Errorf("%+v %+v", l.Target, l.Plan)
	}
	// The preflight, the warm-up, the chains and the run.
	if n := served.Load(); n < 700 || n > 740 {
		t.Errorf("the server saw %d requests", n)
	}
}

func TestReference(t *testing.T) {
	var pages atomic.Int64
	tgt, served := issuer(t, func(w http.ResponseWriter, r *http.Request, _ int64) bool {
		if r.URL.Path != "/keys" {
			return false
		}
		if pages.Add(1)%3 == 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
		return true
	})
	l, err := Run(t.Context(), tgt, Plan{Rate: 100, Duration: 1500 * time.Millisecond, Reference: "/keys"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := l.Reference
	if r == nil || r.Path != "/keys" || r.Asked < 3 || r.Asked > pages.Load() || r.Failed != r.Asked/3 || r.Latency.Count != r.Asked-r.Failed || l.Series[0].ReferenceUS == 0 {
		t.Fatalf("%+v of %d, %+v", r, pages.Load(), l.Series)
	}
	if s := onlyStep(t, l); s.Sent+s.NotSent != 150 || served.Load()-pages.Load() > 155 {
		t.Errorf("it is among the requests: %+v of %d", s, served.Load())
	}
	var m merger
	for range 2 {
		if err := m.add(l, "a part", 0); err != nil {
			t.Fatal(err)
		}
	}
	if sum := m.reference; sum.Asked != 2*r.Asked || sum.Failed != 2*r.Failed || sum.Latency.Count != 2*r.Latency.Count {
		t.Errorf("twice %+v is %+v", r, sum)
	}
}

func TestNoSecretIsInTheRecord(t *testing.T) {
	const looksLikeACode = "alice-likes-hyphens"
	tgt, _ := issuer(t, func(w http.ResponseWriter, r *http.Request, n int64) bool {
		if n > 40 && n%3 == 0 {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Set-Cookie", "session=secret-cookie-value")
			fmt.Fprintf(w, `{"access_token":"secret-access-token-x","token_type":"mac","refresh_token":"secret-refresh-token-x","echo":%q,"hint":"secret-access-token-x"}`, r.FormValue("password"))
			return true
		}
		if n > 40 && n%7 == 0 {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":%q}`, r.FormValue("password")) // nobody would
			return true
		}
		return false
	})
	tgt.Users[0].Password = target.NewSecret(looksLikeACode)
	l, err := Run(t.Context(), tgt, Plan{Model: Closed, Count: 300, Connections: 4, Abort: []Abort{},
		Scenarios: []Scenario{{Flow: ClientCredentials, Weight: 1}, {Flow: Password, Weight: 1}, {Flow: RefreshToken, Weight: 1}}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, l)
	if l.Verdict != reports.Fail || len(l.Violations) < 4 {
		t.Errorf("%s, %d violations", l.Verdict, len(l.Violations))
	}
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"service-secret-1", "web-secret-number-2", looksLikeACode, "bob&password", "secret-access", "secret-refresh", "secret-cookie",
		"aWQtMTpzZXJ2aWNlLXNlY3JldC0x"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q is in the record", secret)
		}
	}
}

func TestNothingObservedIsAnError(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	tgt := testTarget()
	tgt.Endpoints.Token = dead.URL + "/oauth/token"
	dead.Close()
	_, err := Run(t.Context(), tgt, Plan{Rate: 10, Count: 10}, Options{})
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}

	tgt, n := issuer(t, func(http.ResponseWriter, *http.Request, int64) bool { panic(http.ErrAbortHandler) })
	if _, err := Run(t.Context(), tgt, Plan{Rate: 10, Count: 10}, Options{}); !errors.Is(err, ErrUnreachable) || n.Load() > 2 {
		t.Errorf("%v after %d requests", err, n.Load())
	}

	tgt, n = issuer(t, func(w http.ResponseWriter, _ *http.Request, _ int64) bool {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"invalid_client"}`)
		return true
	})
	_, err = Run(t.Context(), tgt, Plan{Rate: 10, Count: 10}, Options{})
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "invalid_client") || n.Load() != 1 {
		t.Errorf("%v after %d requests", err, n.Load())
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, tgt, Plan{Rate: 10, Count: 10}, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCancelOverTheWire(t *testing.T) {
	tgt, _ := issuer(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var seen Snapshot
	var mu sync.Mutex
	l, err := Run(ctx, tgt, Plan{Rate: 500, Duration: time.Hour}, Options{Progress: func(s Snapshot) {
		mu.Lock()
		defer mu.Unlock()
		if seen = s; s.Answered > 50 {
			cancel()
		}
	}})
	if err != nil || l.Partial == "" {
		t.Fatalf("%v, partial %q", err, l.Partial)
	}
	balanced(t, l)
	if seen.Sent < 50 || seen.P99 <= 0 || seen.Planned != 500*3600 {
		t.Errorf("%+v", seen)
	}
}

func TestReissuedTokensAreNoted(t *testing.T) {
	tgt, _ := issuer(t, func(w http.ResponseWriter, r *http.Request, _ int64) bool {
		id, _, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprintf(w, `{"access_token":"live-token-of-%s","token_type":"Bearer","expires_in":600}`, id)
		return true
	})
	l, err := Run(t.Context(), tgt, Plan{Model: Closed, Count: 100, Connections: 2}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, l)
	if l.Verdict != reports.Pass || len(l.Violations) != 1 || l.Violations[0].Verdict != reports.Note || l.Violations[0].Count != 98 {
		t.Errorf("%s, %+v", l.Verdict, l.Violations)
	}
}

func TestNewConnections(t *testing.T) {
	tgt, _ := issuer(t, nil)
	l, err := Run(t.Context(), tgt, Plan{Model: Closed, Count: 50, Connections: 2, NoKeepAlive: true}, Options{})
	if err != nil || l.Verdict != reports.Pass || !shows(l.Notices, "connection of its own") {
		t.Errorf("%v %s %q", err, l.Verdict, l.Notices)
	}
}
