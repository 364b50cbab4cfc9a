package sandbox

import (
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// LoadBehaviour makes the token endpoint slow or unreliable in a known way, for those who measure.
type LoadBehaviour struct {
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
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			return true
		}
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
