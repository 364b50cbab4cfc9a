package sandbox

import (
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// LoadBehaviour makes the sandbox far away, and its token endpoint slow or unreliable, in a known way, for those
// who measure.
type LoadBehaviour struct {
	Latency    time.Duration // on top of every answer, as the way to a server far away adds it
	Delay      time.Duration // the service time on top of the work
	StallEvery time.Duration // every so often …
	StallFor   time.Duration // … nothing is answered for that long
	ErrorRate  float64       // the share of requests that get 503, 0 to 1
}

// play waits as told, and reports whether it has answered the request with an error.
func (l LoadBehaviour) play(w http.ResponseWriter, r *http.Request, started time.Time) bool {
	if l == (LoadBehaviour{}) {
		return false
	}
	wait := l.Delay
	if l.StallEvery > 0 && l.StallFor > 0 {
		// The stall ends each period, so that a run starts smoothly.
		into := time.Since(started) % l.StallEvery
		if into >= l.StallEvery-l.StallFor {
			wait += l.StallEvery - into
		}
	}
	if !linger(r, wait) {
		return true
	}
	if l.ErrorRate > 0 && rand.Float64() < l.ErrorRate { //nolint:gosec // which request fails is no secret
		h := w.Header()
		h.Set("Content-Type", "application/json;charset=UTF-8")
		h.Set("Cache-Control", "no-store")
		h.Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"error":"temporarily_unavailable","error_description":"The server is overloaded"}`)
		return true
	}
	return false
}

// linger waits, and reports whether whoever asked is still there.
func linger(r *http.Request, wait time.Duration) bool {
	if wait <= 0 {
		return true
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
