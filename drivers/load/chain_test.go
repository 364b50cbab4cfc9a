package load

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// rotating is a server whose refresh tokens work once; every fiftieth refresh is refused.
func rotating(refuse bool) *server {
	live := map[string]bool{}
	refreshes := 0
	s := &server{}
	s.handle = func(s *server, form url.Values, _ int64) reply {
		s.mu.Lock()
		defer s.mu.Unlock()
		if form.Get("grant_type") == "refresh_token" {
			refreshes++
			old := form.Get("refresh_token")
			if !live[old] || refuse && refreshes%50 == 0 {
				return reply{status: 400, body: `{"error":"invalid_grant"}`}
			}
			delete(live, old)
		} else if form.Get("access_type") != "offline" {
			return s.good()
		}
		next := fmt.Sprintf("refresh+%d/=", len(live)+refreshes*1000)
		live[next] = true
		return reply{after: 2 * time.Millisecond, status: 200,
			body: `{"access_token":"` + s.token() + `","token_type":"bearer","expires_in":600,"refresh_token":"` + next + `"}`}
	}
	return s
}

func TestChainsFollowRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Plan{Rate: 500, Duration: 4 * time.Second, Connections: 8, Scenarios: []Scenario{{Flow: RefreshToken}}}
		l, e := play(t, t.Context(), p, rotating(false))
		balanced(t, l)
		step := onlyStep(t, l)
		if step.Sent != 2000 || step.Verified != 2000 || e.begun.Load() != 0 {
			t.Errorf("sent %d, verified %d, errors %v, begun again %d", step.Sent, step.Verified, step.Errors, e.begun.Load())
		}
		if step.Latency.MaxUS > 2001 {
			t.Errorf("latency up to %d µs: beginning a chain was measured", step.Latency.MaxUS)
		}
	})
}

func TestRefusedChainBeginsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Plan{Rate: 500, Duration: 4 * time.Second, Connections: 8, Scenarios: []Scenario{{Flow: RefreshToken}}}
		l, e := play(t, t.Context(), p, rotating(true))
		balanced(t, l)
		step := onlyStep(t, l)
		if step.Sent != 2000 || step.Errors["status 400 invalid_grant"] != 40 || e.begun.Load() != 40 || step.Verified != 1960 {
			t.Errorf("sent %d, errors %v, begun again %d", step.Sent, step.Errors, e.begun.Load())
		}
		if !shows(l.Notices, "begun again") {
			t.Error(l.Notices)
		}
	})
}

func TestTargetWithoutRefreshTokensIsAnError(t *testing.T) {
	tgt := testTarget()
	p, err := Plan{Rate: 1, Count: 1, Connections: 2, Scenarios: []Scenario{{Flow: RefreshToken}}}.resolved(tgt)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{handle: func(s *server, _ url.Values, _ int64) reply { return s.good() }}
	err = rig(t, tgt, p, s).connect(t.Context())
	if !errors.Is(err, errNoRefresh) || strings.Contains(err.Error(), "password") && strings.Contains(err.Error(), "alice password") {
		t.Error(err)
	}
}

func TestChainEvidenceIsTheRefreshRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := rotating(false)
		inner := s.handle
		s.handle = func(s *server, form url.Values, n int64) reply {
			r := inner(s, form, n)
			if form.Get("grant_type") == "refresh_token" {
				r.cache = "private"
			}
			return r
		}
		l, _ := play(t, t.Context(), Plan{Rate: 50, Count: 20, Connections: 2, Scenarios: []Scenario{{Flow: RefreshToken}}}, s)
		if len(l.Violations) != 1 || l.Violations[0].Count != 20 {
			t.Fatalf("%+v", l.Violations)
		}
		x := l.Violations[0].First
		if !strings.Contains(x.Body, "refresh_token") || strings.Contains(x.Body, "password") || strings.Contains(x.Body+x.AnswerBody+x.Curl, "refresh+") {
			t.Errorf("evidence:\n%s\n%s\n%s", x.Body, x.AnswerBody, x.Curl)
		}
	})
}
