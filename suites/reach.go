package suites

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"flowproof/drivers/oauth"
)

// How long a target that fell silent is waited for.
const (
	mostSilent = 10 // requests in a row without a whole answer
	returnsIn  = 10 * time.Second
	askAgain   = 250 * time.Millisecond
)

// reach asks the token endpoint for any answer at all, so that an absent server is told at once.
func (s *session) reach(ctx context.Context) error {
	x := s.driver.Send(ctx, oauth.Request{Title: "see whether the token endpoint answers", Method: http.MethodGet, URL: s.target.Endpoints.Token})
	if !x.Answered() {
		return fmt.Errorf("%w: %s: %s", ErrUnreachable, s.target.Endpoints.Token, s.driver.Redactor().Text(x.Err.Error()))
	}
	return nil
}

// await gives a target that fell silent, as when it is started again, some time to come back. When it does not,
// the specs that are left are inconclusive, and none of them waits for answers that do not come.
func (s *session) await() {
	if !s.lost && s.passive.silence() >= mostSilent {
		ctx, stop := context.WithTimeout(s.ctx, returnsIn)
		defer stop()
		for s.reach(ctx) != nil {
			select {
			case <-time.After(askAgain):
				continue
			case <-ctx.Done():
			}
			s.lost = true
			break
		}
	}
	if s.lost {
		s.inconclusive("the target fell silent: the last %d requests or more had no whole answer, and for %v it did not come back", mostSilent, returnsIn)
	}
}
