package oauth

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"flowproof/drivers/target"
)

// meeting is a handler that answers nobody before n requests have been read to their end.
func meeting(n int) http.HandlerFunc {
	var mu sync.Mutex
	there, met := 0, make(chan struct{})
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		if there++; there == n {
			close(met)
		}
		mu.Unlock()
		select {
		case <-met:
		case <-r.Context().Done():
		}
		fmt.Fprintf(w, "%s %s", r.Proto, body)
	}
}

func racers(where string, n int) []Request {
	out := make([]Request, n)
	for i := range out {
		out[i] = Request{Title: "run", Method: "POST", URL: where, Form: Params{{"n", fmt.Sprint(i)}}}
	}
	return out
}

func TestRacersAreUnderWayTogether(t *testing.T) {
	const n = 5
	for name, c := range map[string]struct {
		secure bool
		race   func(*Driver, context.Context, ...Request) (Race, error)
		proto  string
	}{
		"in the clear":                  {false, (*Driver).Race, "HTTP/1.1"},
		"over TLS":                      {true, (*Driver).Race, "HTTP/1.1"},
		"over one connection of HTTP/2": {true, (*Driver).RaceHTTP2, "HTTP/2.0"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(meeting(n))
			server.EnableHTTP2 = true
			of := target.Target{}
			if c.secure {
				server.StartTLS()
				of.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
			} else {
				server.Start()
			}
			t.Cleanup(server.Close)
			observed := 0
			d, err := New(of, Options{Observe: func(Exchange) { observed++ }})
			if err != nil {
				t.Fatal(err)
			}
			r, err := c.race(d, t.Context(), racers(server.URL, n)...)
			if err != nil {
				t.Fatal(err)
			}
			if r.Flying != n || !r.Overlapped() || len(r.Exchanges) != n || observed != n {
				t.Errorf("%d of %d were under way, %d exchanges, %d observed", r.Flying, n, len(r.Exchanges), observed)
			}
			for i, e := range r.Exchanges {
				if want := fmt.Sprintf("%s n=%d", c.proto, i); e.Err != nil || string(e.Body) != want || e.Proto != c.proto {
					t.Errorf("%d: %s %q %v, want %q", i, e.Proto, e.Body, e.Err, want)
				}
				if e.Duration < e.Waited || e.Waited < 0 || (e.TLS == nil) == c.secure {
					t.Errorf("%d: waited %v of %v, TLS %v", i, e.Waited, e.Duration, e.TLS)
				}
			}
		})
	}
}

func TestAnAnswerThatComesTooEarlyIsNoOverlap(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		http.Error(w, "no", http.StatusUnauthorized)
		_ = http.NewResponseController(w).Flush()
	}))
	t.Cleanup(server.Close)
	d, err := New(target.Target{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Race(t.Context(), racers(server.URL, 1)...)
	if err != nil {
		t.Fatal(err)
	}
	if r.Overlapped() {
		t.Error("one request overlaps with itself")
	}
	if e := r.Exchanges[0]; e.Err == nil && e.Status != http.StatusUnauthorized {
		t.Errorf("%d %v", e.Status, e.Err)
	}
}

func TestARaceWithoutAServerReleasesNothing(t *testing.T) {
	d, err := New(target.Target{}, Options{Observe: func(Exchange) { t.Error("something was observed") }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Race(t.Context(), racers("http://127.0.0.1:9/token", 2)...); err == nil {
		t.Error("no error")
	}
	if _, err := d.RaceHTTP2(t.Context(), racers("http://127.0.0.1:9/token", 2)...); !errors.Is(err, ErrNoHTTP2) {
		t.Errorf("got %v", err)
	}
}
