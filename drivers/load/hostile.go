package load

import (
	"crypto/rand"
	"fmt"

	"flowproof/drivers/target"
)

// mostHostile bounds the pairs of clients and users for which something has to be obtained first.
const mostHostile = 16

// hostile makes the variant of a job that has to be refused: everything in it is right but one thing.
func (at *site) hostile(ordinary *job, kind Hostility) (*job, error) {
	v := &job{scenario: ordinary.scenario, hostile: kind, spent: ordinary.spent}
	switch kind {
	case UsedCode:
		v.title, v.issues = "redeem a code that was redeemed before", ordinary.issues
		return v, nil
	case ForeignRefreshToken:
		v.title = "redeem another client's refresh token"
	case WrongSecret:
		v.title = "ask with a wrong secret"
	case UnknownClient:
		v.title = "ask as a client that does not exist"
	}
	for i, from := range ordinary.issues {
		is := *from
		switch kind {
		case WrongSecret:
			if is.client.Public {
				continue
			}
			if scapegoats := at.scapegoats(ordinary.scenario); len(scapegoats) > 0 {
				is.client = scapegoats[i%len(scapegoats)]
			}
			is.client.Secret = target.NewSecret(rand.Text())
		case UnknownClient:
			if is.client.Public {
				continue
			}
			is.client.ID, is.client.Secret = rand.Text(), target.NewSecret(rand.Text())
		case ForeignRefreshToken:
			if is.client = otherClient(ordinary.issues, i); is.client.Name == from.client.Name {
				continue
			}
		}
		j := &job{scenario: ordinary.scenario}
		if err := at.write(j, &is); err != nil {
			return nil, err
		}
		is.request.Title = v.title
		if ordinary.held == refreshHeld {
			is.request, is.bytes = from.request, nil // its refresh token is obtained as it should be, and presented wrongly
		}
		if v.issues = append(v.issues, &is); len(v.issues) == mostHostile {
			break
		}
	}
	if len(v.issues) == 0 {
		return nil, fmt.Errorf("load: no client of %s can be used for %s; name more of them", ordinary.scenario.Name, kind)
	}
	return v, nil
}

// scapegoats are clients that may be locked: guessing secrets has servers put off the right client, too.
func (at *site) scapegoats(s *Scenario) []target.Client {
	var out []target.Client
	for _, c := range at.target.Clients {
		if c.Sacrificial && confidential(c) && s.served(c) {
			out = append(out, c)
		}
	}
	return out
}

// otherClient is the client of the next issue that has another one.
func otherClient(all []*issue, i int) target.Client {
	for n := range all {
		if c := all[(i+n)%len(all)].client; c.Name != all[i].client.Name {
			return c
		}
	}
	return all[i].client
}
