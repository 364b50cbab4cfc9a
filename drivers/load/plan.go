// Package load sends token requests at a rate that the server does not choose, holds every answer to
// what a token answer owes, and tells how long each took from the moment at which it was due.
package load

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"flowproof/drivers/target"
)

// The models: in the open one requests start when the schedule says, in the closed one when the
// answer before came.
const (
	Open   = "open"
	Closed = "closed"
)

// A Plan says what load to send.
type Plan struct {
	Model       string        // Open (the default) or Closed
	Rate        float64       // requests a second in all; open model only
	Duration    time.Duration // of the measured part; 0: until Count
	Count       int64         // stop after so many measured requests; 0: until Duration
	WarmUp      time.Duration // sent first, recorded apart
	Connections int           // the bound of the open model, the workers of the closed one; 0: 64
	Mix         []Share       // empty: client credentials only
	Clients     []string      // names; empty: every confidential client with the grant that is not sacrificial
	Users       []string      // names; empty: every user that is not sacrificial and has no one-time password
	Scope       *string       // nil: the target's default for the password grant, none for client credentials
	Timeout     time.Duration // of one request; 0: the target's
	Thresholds  []Threshold
	AbortErrors float64 // stop when the share of errors in the last 5 s passes it; 0: 0.9, negative: never
	NoKeepAlive bool    // a new connection for each request
}

// A Share is one grant's part of the requests.
type Share struct {
	Grant  target.Grant
	Weight int // 0 counts as 1
}

const (
	defaultConnections = 64
	mostConnections    = 20_000
	defaultTimeout     = 10 * time.Second
	defaultAbort       = 0.9
	mostWeight         = 10_000
	mostRate           = 10e6
)

// resolved is the plan with its defaults filled in, or all that is wrong with it.
func (p Plan) resolved(t target.Target) (Plan, error) {
	var wrong []error
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf("load: "+format, args...)) }

	p.Mix, p.Thresholds = slices.Clone(p.Mix), slices.Clone(p.Thresholds)
	switch p.Model {
	case "", Open:
		p.Model = Open
		if !(p.Rate > 0) || p.Rate > mostRate {
			complain("the open model needs a rate between 0 and %.0f requests a second; give one, such as 500/s, or ask for the closed model", float64(mostRate))
		}
	case Closed:
		if p.Rate != 0 {
			complain("the closed model has no rate: requests start when answers come; leave the rate out, or ask for the open model")
		}
	default:
		complain("there is no model %q; it is %s or %s", p.Model, Open, Closed)
	}
	if p.Duration < 0 || p.Count < 0 || p.WarmUp < 0 || p.Timeout < 0 || p.Connections < 0 {
		complain("durations and counts cannot be negative")
	}
	if p.Duration == 0 && p.Count == 0 {
		complain("the run would have no end; give a duration or a count")
	}
	if p.Connections == 0 {
		p.Connections = defaultConnections
	}
	if p.Connections > mostConnections {
		complain("%d connections are too many; one process takes up to %d", p.Connections, mostConnections)
	}
	if p.Timeout == 0 {
		p.Timeout = t.Timeout
	}
	if p.Timeout == 0 {
		p.Timeout = defaultTimeout
	}
	switch {
	case p.AbortErrors == 0:
		p.AbortErrors = defaultAbort
	case p.AbortErrors > 1:
		complain("the run cannot be aborted at a share of errors above 1; 0.5 is half of them")
	}
	if len(p.Mix) == 0 {
		p.Mix = []Share{{Grant: target.ClientCredentials}}
	}
	p.checkMix(complain)
	p.checkThresholds(complain)
	if t.Endpoints.Token == "" {
		complain("the target has no token endpoint; name it under endpoints: token")
	}
	return p, errors.Join(wrong...)
}

func (p Plan) checkMix(complain func(string, ...any)) {
	seen := map[target.Grant]bool{}
	sum := 0
	for i, s := range p.Mix {
		switch s.Grant {
		case target.ClientCredentials, target.Password, target.RefreshToken:
		default:
			complain("grant %q cannot be sent as load; %s, %s and %s can", s.Grant, target.ClientCredentials, target.Password, target.RefreshToken)
		}
		if seen[s.Grant] {
			complain("grant %s is in the mix twice; give it one weight", s.Grant)
		}
		seen[s.Grant] = true
		if s.Weight < 0 {
			complain("the weight of %s is negative", s.Grant)
		}
		if s.Weight == 0 {
			p.Mix[i].Weight = 1
		}
		sum += p.Mix[i].Weight
	}
	if sum > mostWeight {
		complain("the weights of the mix add up to %d; smaller ones in the same proportion do, up to %d", sum, mostWeight)
	}
}

func (p Plan) checkThresholds(complain func(string, ...any)) {
	for _, h := range p.Thresholds {
		if h.step != "" && !slices.ContainsFunc(p.Mix, func(s Share) bool { return string(s.Grant) == h.step }) {
			complain("threshold %s is about %s, which is not in the mix", h, h.step)
		}
	}
}

// clients are those that the share's requests go out for.
func (p Plan) clients(t target.Target, g target.Grant) ([]target.Client, error) {
	fits := func(c target.Client) bool {
		return c.Has(g) && (g != target.RefreshToken || c.Has(target.Password))
	}
	var out []target.Client
	for _, name := range p.Clients {
		c, ok := t.Client(name)
		if !ok {
			return nil, fmt.Errorf("load: there is no client %q in the target; it has %s", name, names(t.Clients, func(c target.Client) string { return c.Name }))
		}
		if fits(c) {
			out = append(out, c)
		}
	}
	if len(p.Clients) == 0 {
		for _, c := range t.Clients {
			if fits(c) && !c.Public && !c.Sacrificial {
				out = append(out, c)
			}
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	need := string(g)
	if g == target.RefreshToken {
		need = "both password and refresh_token, since refresh tokens are obtained with a password"
	}
	if len(p.Clients) > 0 {
		return nil, fmt.Errorf("load: %s needs a client with %s among its grants, and %s has not; name another, or add the grant in the target file", g, need, strings.Join(p.Clients, ", "))
	}
	return nil, fmt.Errorf("load: %s needs a confidential client that is not sacrificial, with %s among its grants; add one to the target file", g, need)
}

// users are the people whose passwords are sent, none where the grant needs none.
func (p Plan) users(t target.Target, g target.Grant) ([]target.User, error) {
	if g == target.ClientCredentials {
		return nil, nil
	}
	var out []target.User
	for _, name := range p.Users {
		u, ok := t.User(name)
		if !ok {
			return nil, fmt.Errorf("load: there is no user %q in the target; it has %s", name, names(t.Users, func(u target.User) string { return u.Name }))
		}
		out = append(out, u)
	}
	if len(p.Users) == 0 {
		for _, u := range t.Users {
			if !u.Sacrificial && u.TOTP.Empty() {
				out = append(out, u)
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("load: %s needs a user who is not sacrificial and has no one-time password; add one to the target file, or name one", g)
	}
	return out, nil
}

func names[T any](all []T, name func(T) string) string {
	if len(all) == 0 {
		return "none"
	}
	out := make([]string, len(all))
	for i, x := range all {
		out[i] = name(x)
	}
	return strings.Join(out, ", ")
}
