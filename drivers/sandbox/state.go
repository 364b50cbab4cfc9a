package sandbox

import (
	"slices"
	"time"
)

// state is everything that sessions, codes and refresh tokens need to remember; s.mu guards it.
type state struct {
	sessions       map[string]*session
	codes          map[string]*code
	refresh        map[string]*refreshToken
	authorizations map[authorizationID]*authorization
	consents       map[consentKey]*consent
	denied         map[string]time.Time // revoked access tokens by jti, until they expire anyway
	kept           map[string]string    // living access tokens of clients, where they are handed out again
	lastCode       *user                // who got a code last
	swept          time.Time
}

func newState() state {
	return state{
		sessions:       map[string]*session{},
		codes:          map[string]*code{},
		refresh:        map[string]*refreshToken{},
		authorizations: map[authorizationID]*authorization{},
		consents:       map[consentKey]*consent{},
		denied:         map[string]time.Time{},
		kept:           map[string]string{},
	}
}

// A session is one signed-in user agent.
type session struct {
	user      *user
	expires   time.Time
	challenge *challenge // of the last authorization request
}

type authorizationID [16]byte

// An authorization is what one person once allowed one application: all tokens that came of it
// live and die together.
type authorization struct {
	id         authorizationID
	client     *client
	user       *user
	scope      scope
	revoked    bool
	expires    time.Time
	lastAccess string // the access token issued last
}

// A refreshToken is one of an authorization's; a superseded one was rotated away.
type refreshToken struct {
	id            string
	authorization *authorization
	scope         scope
	superseded    bool
	expires       time.Time
	used          time.Time
}

// A code is an authorization code; used ones are kept for a while to know a replay.
type code struct {
	client        *client
	user          *user
	redirectURI   string
	redirectSent  bool
	scope         scope
	offline       bool
	challenge     challenge
	expires       time.Time
	session       *session
	used          bool
	authorization *authorization
	owners        int // redemptions under way that are the client's own
	provers       int // and that have the right verifier
}

// A challenge is what PKCE proves the possession of; the zero value is none.
type challenge struct{ value, method string }

type consentKey struct {
	user   *user
	client *client
}

// A consent is what a person allowed an application, remembered.
type consent struct{ approved []approval }

type approval struct {
	id      string
	scope   scope
	offline bool
}

// covers reports whether the consent makes asking again needless.
func (c *consent) covers(want scope, offline bool) bool {
	if c == nil {
		return false
	}
	sum := scope{}
	for _, a := range c.approved {
		if a.offline || !offline {
			sum = union(sum, a.scope)
		}
	}
	return want.within(sum) && (len(sum.items) > 0 || sum.all)
}

const sweepEvery = 30 * time.Second

// sweep forgets what has expired; it is called with s.mu held, before something is added.
func (s *Sandbox) sweep(now time.Time) {
	st := &s.state
	if now.Sub(st.swept) < sweepEvery {
		return
	}
	st.swept = now
	for k, v := range st.sessions {
		if now.After(v.expires) {
			delete(st.sessions, k)
		}
	}
	for k, v := range st.codes {
		if now.After(v.expires.Add(s.policy.grants.accessLifetime)) {
			delete(st.codes, k)
		}
	}
	for k, v := range st.refresh {
		if now.After(v.expires) {
			delete(st.refresh, k)
		}
	}
	for k, v := range st.authorizations {
		if now.After(v.expires) {
			delete(st.authorizations, k)
		}
	}
	for k, v := range st.denied {
		if now.After(v) {
			delete(st.denied, k)
		}
	}
}

// newAuthorization files an authorization; s.mu is held.
func (s *Sandbox) newAuthorization(c *client, u *user, granted scope, now time.Time) *authorization {
	s.sweep(now)
	a := &authorization{id: authorizationID(randomBytes(16)), client: c, user: u, scope: granted,
		expires: now.Add(2 * s.policy.grants.accessLifetime)}
	s.state.authorizations[a.id] = a
	return a
}

// newRefresh files a refresh token of the authorization; s.mu is held.
func (s *Sandbox) newRefresh(a *authorization, granted scope, now time.Time) string {
	value := token(32)
	r := &refreshToken{id: token(9), authorization: a, scope: granted, expires: now.Add(s.policy.grants.refreshLifetime), used: now}
	s.state.refresh[value] = r
	a.expires = r.expires
	return value
}

// revoke ends an authorization with everything that came of it; s.mu is held.
func (s *Sandbox) revoke(a *authorization) {
	a.revoked = true
	for k, r := range s.state.refresh {
		if r.authorization == a {
			delete(s.state.refresh, k)
		}
	}
}

// refreshTokensOf lists the living refresh tokens of a person at an application; s.mu is held.
func (s *Sandbox) refreshTokensOf(key consentKey) []*refreshToken {
	var out []*refreshToken
	for _, r := range s.state.refresh {
		if r.authorization.client == key.client && r.authorization.user == key.user && !r.superseded {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *refreshToken) int { return a.used.Compare(b.used) })
	return out
}
