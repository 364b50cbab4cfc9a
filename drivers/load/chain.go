package load

import (
	"errors"
	"fmt"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// A chain is a refresh token and what it turned into: it is obtained with a password, and then
// refreshed again and again. One worker owns it, since a rotating token can be used by one only.
type chain struct {
	origin  issue // the password request that begins it
	client  target.Client
	token   string // empty: the chain is broken
	refresh envelope
	bytes   []byte
	scope   string
}

// chains makes one unbegun chain for each worker, clients and users in turn.
func chains(d *oauth.Driver, t target.Target, p Plan, j job) ([]*chain, error) {
	scope := ""
	if p.Scope != nil {
		scope = *p.Scope
	}
	out := make([]*chain, p.Connections)
	for i := range out {
		origin := j.issues[i%len(j.issues)]
		client, _ := t.Client(origin.request.Client)
		e, err := encode(d.Refresh(client, gap, scope))
		if err != nil {
			return nil, err
		}
		out[i] = &chain{origin: origin, client: client, refresh: e, scope: scope}
	}
	return out, nil
}

// follow goes on with the refresh token of an answer, if it has another one.
func (c *chain) follow(token []byte) {
	if len(token) == 0 || string(token) == c.token {
		return
	}
	c.token = string(token)
	c.bytes = c.refresh.whole(c.bytes[:0], c.token)
}

// begin obtains a refresh token with the password, outside of what is measured.
func (c *chain) begin(w wire) error {
	c.token = ""
	var a answer
	if err := w.do(c.origin.bytes, &a); err != nil {
		return fmt.Errorf("load: obtain a refresh token for client %s: %s", c.client.Name, class(err))
	}
	var m members
	if a.status != 200 {
		return fmt.Errorf("load: obtain a refresh token for client %s: %w: %s", c.client.Name, ErrRefused, statusClass(a.status, failureCode(&a, &m)))
	}
	if found := verify(&a, target.Password, &m); found.has(notJSON) || found.has(notObject) {
		return fmt.Errorf("load: obtain a refresh token for client %s: the answer to the password grant is no JSON object", c.client.Name)
	}
	if m.refresh.kind != '"' || len(m.refresh.raw) == 0 {
		return fmt.Errorf("load: obtain a refresh token for client %s: the password grant was answered without one: %w", c.client.Name, errNoRefresh)
	}
	c.follow(m.refresh.raw)
	return nil
}

var errNoRefresh = errors.New("the target gives none; say under refresh: parameters (or scope) how it is asked for one, or leave refresh_token out of the mix")
