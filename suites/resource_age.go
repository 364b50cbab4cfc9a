package suites

import (
	"context"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// expiry says what a resource owes a token before and after its end (RFC 6749 §7).
func expiry(s *session) {
	Describe("the end of an access token", func() {
		It("opens to a token until it expires and not after", proves("RFC6749-7-expired-token-refused"), func(ctx SpecContext) {
			a := s.aged(ctx)
			s.seen.decide(a.late)
			s.seen.expected = fmt.Sprintf("2xx until %v after issue, 401 afterwards", a.lifetime)
			if a.late.Status/100 == 2 {
				s.violated("the token opens the resource %v after it expired", a.after)
			}
			if a.late.Status >= 500 {
				s.violated("an expired token: %s", answered(a.late))
			}
			if a.early.Status/100 != 2 {
				s.warn("the token died before its time, %v after issue: %s", a.before, answered(a.early))
			}
			if a.late.Status != http.StatusUnauthorized {
				s.warn("an expired token is answered with %s instead of 401", answered(a.late))
			}
		})
	})
}

// An age is what became of one token shortly before and after it expired.
type age struct {
	lifetime, before, after time.Duration
	early, late             oauth.Exchange
	unproven                string
}

const (
	patience  = 15 * time.Minute // a token that lives longer is not waited for
	clockSkew = 5 * time.Minute  // a server may tolerate this much (of long-lived tokens)
)

// aged waits once a run for a token to expire, and uses it before and after.
func (s *session) aged(ctx SpecContext) age {
	if s.old == nil {
		a := s.grow(ctx)
		s.old = &a
	}
	if s.old.unproven != "" {
		s.inconclusive("%s", s.old.unproven)
	}
	return *s.old
}

func (s *session) grow(ctx SpecContext) age {
	var x oauth.Exchange
	r := s.applicationResource()
	if c, has := s.firstWith(target.ClientCredentials); has && r != nil {
		x = s.send(ctx, s.driver.ClientCredentials(c, "", oauth.Titled("ask for a token to grow old")))
	} else {
		named := s.protected("any", s.userResource())
		r, x = &named, s.userGrant(ctx, s.user(0))
	}
	t := s.granted(x)
	a := age{lifetime: time.Duration(t.ExpiresIn * float64(time.Second))}
	if a.lifetime <= 0 {
		a.unproven = "the answer does not say when the token expires"
		return a
	}
	if a.lifetime > patience {
		a.unproven = fmt.Sprintf("the token lives for %v, longer than is waited for", a.lifetime)
		return a
	}
	a.before = max(a.lifetime-5*time.Second, a.lifetime/2)
	s.pass(ctx, a.before)
	a.early = s.send(ctx, s.driver.Resource(*r, t.AccessToken, oauth.Titled("call shortly before the token expires")))
	// Clocks differ, and servers allow for it: a minute at first, five before a live token is held against them.
	waited := a.before
	for _, skew := range []time.Duration{time.Minute, clockSkew} {
		a.after = min(skew, a.lifetime)
		s.pass(ctx, a.lifetime+a.after-waited)
		waited = a.lifetime + a.after
		a.late = s.send(ctx, s.driver.Resource(*r, t.AccessToken, oauth.Titled("call after the token has expired")))
		if a.late.Status/100 != 2 || a.after < skew {
			break
		}
	}
	return a
}

// pass lets time pass; only rows that run behind Slow may. Controls are made anew afterwards, for the tokens
// that they left may have expired.
func (s *session) pass(ctx context.Context, d time.Duration) {
	clear(s.controls)
	if s.Pass != nil {
		s.Pass(d)
		s.ahead += d
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		s.inconclusive("the run was ended while waiting")
	}
}

// firstWith is the first confidential client with the grant, if there is one.
func (s *session) firstWith(g target.Grant) (target.Client, bool) {
	for _, c := range s.target.Clients {
		if !c.Public && !c.Sacrificial && c.Has(g) {
			return c, true
		}
	}
	return target.Client{}, false
}
