package sandbox

import (
	"encoding/binary"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// races is what the race faults need to remember. A clean sandbox does not look at it.
type races struct {
	asked  atomic.Int64 // how often a client was asked for
	flying atomic.Int64 // answers under way
	mu     sync.Mutex
	issued int
	again  string // a token that is to be issued again
	buffer []byte
	held   map[string]string // the last authorization request, by cookie
}

// A race window is as wide as it takes for requests that were sent together to have come.
const window = 10 * time.Millisecond

func pause(d time.Duration) { <-time.After(d) }

// meanwhile lets others go on for a while; s.mu is held, before and after.
func (s *Sandbox) meanwhile(d time.Duration) {
	s.mu.Unlock()
	defer s.mu.Lock()
	pause(d)
}

// useCode marks a code as used and returns what its tokens belong to; s.mu is held.
func (s *Sandbox) useCode(c *code, now time.Time) *authorization {
	if p := &s.policy.race; p.codeLate {
		s.meanwhile(2 * window)
		switch {
		case c.used && p.codeForks:
			c.authorization = nil
		case c.used:
			s.revoke(c.authorization)
		}
	}
	c.used = true
	if c.authorization == nil {
		c.authorization = s.newAuthorization(c.client, c.user, c.scope, now)
	}
	return c.authorization
}

// overtaken reports whether another redemption of the code was quicker; s.mu is held.
func (s *Sandbox) overtaken(c *code) bool {
	if !s.policy.race.losersCrash || c.used {
		return false
	}
	s.meanwhile(window)
	return c.used
}

// owns says whether a code is the asker's; s.mu is held.
func (s *Sandbox) owns(asker *client, c *code) bool {
	own := asker == c.client || s.policy.front.codeAnyClient
	if !s.policy.race.clientShared || c.used {
		return own
	}
	return s.anyOf(&c.owners, own)
}

// proves says whether a verifier is the code's; s.mu is held.
func (s *Sandbox) proves(verifier string, wanted challenge, c *code) bool {
	right := s.verifies(verifier, wanted) || s.policy.front.pkceIgnored
	if !s.policy.race.verifierShared || c.used {
		return right
	}
	return s.anyOf(&c.provers, right)
}

// anyOf is what comes of a check whose result is shared among the requests that are under way: it holds for
// all if it holds for one, which is the last to be done. s.mu is held.
func (s *Sandbox) anyOf(right *int, holds bool) bool {
	if holds {
		*right++
		s.meanwhile(4 * window)
		*right--
		return true
	}
	for waited := time.Duration(0); *right == 0 && waited < 10*window; waited += window / 5 {
		s.meanwhile(window / 5)
	}
	return *right > 0
}

// family is what the tokens of a refresh belong to, or nil when another refresh was quicker; s.mu is held.
func (s *Sandbox) family(rt *refreshToken, now time.Time) *authorization {
	p, a := &s.policy.race, rt.authorization
	if p.refreshForks {
		s.meanwhile(window)
		if rt.superseded {
			return s.newAuthorization(a.client, a.user, a.scope, now)
		}
	}
	if p.refreshDeaf {
		s.meanwhile(4 * window)
		switch {
		case rt.superseded:
			return nil
		case a.revoked:
			return s.newAuthorization(a.client, a.user, a.scope, now)
		}
	}
	return a
}

// buffered is the body of an answer by the time that it is written.
func (s *Sandbox) buffered(out issuance, body []byte) []byte {
	if !s.policy.race.sharesBuffer || out.user == nil {
		return body
	}
	s.race.mu.Lock()
	s.race.buffer = body
	s.race.mu.Unlock()
	pause(window)
	s.race.mu.Lock()
	defer s.race.mu.Unlock()
	return s.race.buffer
}

// cacheIsFull reports whether many other clients came within a moment.
func (s *Sandbox) cacheIsFull() bool {
	if !s.policy.race.cacheAllows {
		return false
	}
	full := s.race.asked.Load() + 4
	for waited := time.Duration(0); s.race.asked.Load() < full && waited < 10*window; waited += window / 5 {
		pause(window / 5)
	}
	return s.race.asked.Load() >= full
}

// onceMore is the token to issue: the new one, unless many are asked for at once.
func (s *Sandbox) onceMore(out issuance, access string) string {
	if !s.policy.race.collides || out.user != nil {
		return access
	}
	s.race.flying.Add(1)
	defer s.race.flying.Add(-1)
	pause(window / 5)
	if s.race.flying.Load() < 4 {
		return access
	}
	s.race.mu.Lock()
	defer s.race.mu.Unlock()
	s.race.issued++
	switch again := s.race.again; {
	case s.race.issued%25 == 0:
		s.race.again = access
	case again != "":
		s.race.again = ""
		return again
	}
	return access
}

// hold remembers the authorization request that a page is about; the page holds it too.
func (s *Sandbox) hold(cookie, raw string) {
	s.race.mu.Lock()
	defer s.race.mu.Unlock()
	if len(s.race.held) >= budgetsKept {
		clear(s.race.held)
	}
	if s.race.held == nil {
		s.race.held = map[string]string{}
	}
	s.race.held[cookie] = raw
}

// requested is the authorization request that a form goes on with.
func (s *Sandbox) requested(cookie, raw string) string {
	if !s.policy.race.oneRequest {
		return raw
	}
	s.race.mu.Lock()
	defer s.race.mu.Unlock()
	return s.race.held[cookie]
}

// count makes a token of a constant and a counter.
func (o *opaqueTokens) count(raw *[32]byte) {
	copy(raw[:], "sandbox sandbox sandbox sandbox!")
	binary.BigEndian.PutUint64(raw[8:], o.issued.Add(1))
}

// late is a handler that takes a while before it begins.
func (s *Sandbox) late(h http.HandlerFunc) http.HandlerFunc {
	if !s.policy.race.revokesLate {
		return h
	}
	return func(w http.ResponseWriter, r *http.Request) {
		pause(window)
		h(w, r)
	}
}
