package suites

import (
	"fmt"
	"net/http"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"flowproof/drivers/oauth"
)

// throttled reports whether the server put the request off because of how many came, and not because of what was in
// it: 429 (RFC 6585 section 4), slow_down (RFC 8628 section 3.5), or 503 that says when to come again.
func throttled(x oauth.Exchange) bool {
	switch {
	case x.IssuedToken():
		return false
	case x.Status == http.StatusTooManyRequests || x.ErrorCode() == "slow_down":
		return true
	}
	return x.Status == http.StatusServiceUnavailable && x.Header.Get("Retry-After") != ""
}

// putOff is throttled, and also 503 that says no more: where requests come in crowds, or RFC 7009 §2.2.1 has it mean that
// a token lives on, it is no breakdown.
func putOff(x oauth.Exchange) bool { return throttled(x) || x.Status == http.StatusServiceUnavailable }

// heard ends the spec where an answer puts its request off, which refuses nothing.
func (s *session) heard(x oauth.Exchange) {
	if throttled(x) {
		s.inconclusive("the server throttles (%s), which proves nothing: %q", answered(x), x.Request.Title)
	}
}

// putOffAt is why a spec proves nothing that failed at an answer which put its request off; empty where it is no such
// answer, or where it is what the spec is about.
func (o *observation) putOffAt(r ginkgo.SpecReport) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.State != types.SpecStateFailed || o.wording {
		return ""
	}
	for _, x := range o.deciding {
		if throttled(x) {
			return fmt.Sprintf("the server throttles (%s), which proves nothing: %q. Raise its limits for the check, or check again later", answered(x), x.Request.Title)
		}
	}
	return ""
}
