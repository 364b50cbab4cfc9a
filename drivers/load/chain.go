package load

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"flowproof/drivers/target"
)

// A chain is a token that a worker holds and presents: a refresh token and what it turned into, or an access
// token. It is obtained with another request, outside of what is measured, and used again and again. One
// worker owns it, since a rotating token can be used by one only.
type chain struct {
	issue *issue
	holds held
	token string // empty: the chain is broken
	bytes []byte
	scope string    // that was granted at first, as the answer had it; empty: it did not say
	until time.Time // when an access token is to be replaced; zero: when it is refused
}

// follow goes on with another token, if it is another one.
func (c *chain) follow(token []byte) {
	if len(token) == 0 || string(token) == c.token {
		return
	}
	c.token = string(token)
	shown := c.token
	if c.holds == refreshHeld {
		shown = url.QueryEscape(shown)
	}
	c.bytes = c.issue.then.fill(c.bytes[:0], shown)
}

// missing is the class of a request that could not be sent for want of the token.
func (c *chain) missing() string {
	if c.holds == refreshHeld {
		return noChain
	}
	return noAccess
}

// stale reports whether the token has to be obtained before it can be presented.
func (c *chain) stale() bool {
	return c.token == "" || !c.until.IsZero() && time.Now().After(c.until)
}

// begin obtains a token, outside of what is measured.
func (c *chain) begin(w wire) error {
	c.token = ""
	what, how := "an access token", "the request"
	if c.holds == refreshHeld {
		what, how = "a refresh token", "the password grant"
	}
	tried := fmt.Sprintf("load: obtain %s for client %s", what, c.issue.client.Name)
	var a answer
	if err := w.do(c.issue.bytes, &a); err != nil {
		return fmt.Errorf("%s: %s", tried, class(err))
	}
	var m members
	if a.status != 200 {
		return fmt.Errorf("%s: %w: %s", tried, ErrRefused, statusClass(a.status, failureCode(&a, &m)))
	}
	if found := verify(&a, target.Password, &m); found.has(notJSON) || found.has(notObject) {
		return fmt.Errorf("%s: the answer to %s is no JSON object", tried, how)
	}
	if c.holds == accessHeld {
		if m.token.kind != '"' || len(m.token.raw) == 0 {
			return fmt.Errorf("%s: the answer has none", tried)
		}
		c.until = time.Time{}
		if seconds, err := strconv.ParseInt(string(m.expires.raw), 10, 32); err == nil && m.expires.kind == numberKind && seconds > 0 {
			c.until = time.Now().Add(time.Duration(seconds) * time.Second * 9 / 10)
		}
		c.follow(m.token.raw)
		return nil
	}
	if m.refresh.kind != '"' || len(m.refresh.raw) == 0 {
		return fmt.Errorf("%s: %s was answered without one: %w", tried, how, errNoRefresh)
	}
	if c.scope = ""; m.scope.kind == '"' {
		c.scope = string(m.scope.raw)
	}
	c.follow(m.refresh.raw)
	return nil
}

// keeps reports whether a scope is the one that was granted at first, in whatever order.
func (c *chain) keeps(scope []byte) bool {
	if c.scope == "" || c.scope == string(scope) {
		return true
	}
	first, now := strings.Fields(c.scope), strings.Fields(string(scope))
	slices.Sort(first)
	slices.Sort(now)
	return slices.Equal(slices.Compact(first), slices.Compact(now))
}

var errNoRefresh = errors.New("the target gives none; say under refresh: parameters (or scope) how it is asked for one, or leave refresh_token out of the mix")
