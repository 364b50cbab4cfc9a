package sandbox

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// together does all of it at once and counts what succeeded.
func together(n int, do func(i int) bool) int {
	var start, done sync.WaitGroup
	start.Add(1)
	won := make([]bool, n)
	for i := range n {
		done.Go(func() {
			start.Wait()
			won[i] = do(i)
		})
	}
	start.Done()
	done.Wait()
	count := 0
	for _, w := range won {
		if w {
			count++
		}
	}
	return count
}

func TestACodeHasOneWinner(t *testing.T) {
	b := newBench(t, Options{Tokens: tokensOpaque})
	for range 10 {
		code := b.webCode()
		if won := together(20, func(int) bool { return b.redeem("web", code).status == 200 }); won != 1 {
			t.Fatalf("%d redemptions of one code succeeded", won)
		}
	}
}

func TestARefreshTokenHasOneSuccessorAndThenNone(t *testing.T) {
	b := newBench(t, Options{Tokens: tokensOpaque, Rotation: true})
	_, old := b.refresh("web", s256()...)
	var mu sync.Mutex
	var next string
	won := together(20, func(int) bool {
		r := b.token("web", "grant_type", "refresh_token", "refresh_token", old)
		if r.status != 200 {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		next = r.text("refresh_token")
		return true
	})
	if won != 1 {
		t.Fatalf("%d refreshes with one token succeeded", won)
	}
	if r := b.token("web", "grant_type", "refresh_token", "refresh_token", next); r.status != 400 {
		t.Errorf("the successor lives on after the reuse: %d", r.status)
	}
}

func TestARequestThatCameFirstAndIsLateGetsNoSecondSuccessor(t *testing.T) {
	b := newBench(t, Options{Tokens: tokensOpaque, Rotation: true})
	_, old := b.refresh("web", s256()...)
	if r := b.token("web", "grant_type", "refresh_token", "refresh_token", old); r.status != 200 {
		t.Fatalf("the first refresh got %d", r.status)
	}
	b.clock.advance(-time.Microsecond)
	if r := b.token("web", "grant_type", "refresh_token", "refresh_token", old); r.status != 400 {
		t.Errorf("a request that came a microsecond before the one that won got %d", r.status)
	}
}

func TestRaceFaultsOpenAWindow(t *testing.T) {
	for fault, wins := range map[string]int{
		"race-code-check-then-delete": 5, "race-orphan-family": 5, "race-loser-500": 1, "race-verifier-shared": 1, "": 1,
	} {
		o := Options{Tokens: tokensOpaque}
		if fault != "" {
			o.Faults = []string{fault}
		}
		b := newBench(t, o)
		code := b.webCode()
		if won := together(5, func(int) bool { return b.redeem("web", code).status == 200 }); won != wins {
			t.Errorf("%s: %d of 5 redemptions succeeded, want %d", fault, won, wins)
		}
		if r := b.redeem("web", code); r.status != 400 {
			t.Errorf("%s: a later redemption got %d", fault, r.status)
		}
	}
}

func TestOlderTabsFinishTheirOwnRequest(t *testing.T) {
	for _, fault := range []string{"", "session-holds-one-request"} {
		o := Options{Tokens: tokensOpaque}
		if fault != "" {
			o.Faults = []string{fault}
		}
		b := newBench(t, o)
		first := b.do(b.request("GET", b.s.paths().authorization+"?"+b.authorization("web", typeCode, "state", "first-0123456789").Encode(), ""))
		b.do(b.request("GET", b.s.paths().authorization+"?"+b.authorization("web", typeCode, "state", "second-0123456789").Encode(), ""))
		form := pageForm(first.body)
		form.Set("username", "alice")
		form.Set("password", b.s.Secrets()["alice"])
		r := b.do(b.request("POST", pathSignIn, form.Encode()))
		want := "first-0123456789"
		if fault != "" {
			want = "second-0123456789"
		}
		if where := r.header.Get("Location"); r.status != 303 || !strings.Contains(where, "state="+want) {
			t.Errorf("%q: %d to %s, want state %s", fault, r.status, where, want)
		}
	}
}
