package load

import (
	"fmt"
	"net/url"
	"sync/atomic"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// A job is one kind of arrival of the plan: what a scenario does, or one of its hostile requests.
type job struct {
	scenario *Scenario
	hostile  Hostility // empty: an ordinary one
	title    string    // of its request, for evidence
	steps    []int     // what its requests are recorded as
	issues   []*issue  // one for each pair of client and user, in turn
	held     held      // what its requests present is obtained first and held
	refusal  string    // the error code with which the hostile request was refused when it came alone
	spent    *atomic.Pointer[redemption]
}

// held is a token that a worker obtains outside of what is measured, and presents.
type held int

const (
	nothingHeld held = iota
	refreshHeld
	accessHeld
)

// An issue is a client, and a person if one takes part, with the requests that go out for them.
type issue struct {
	client    target.Client
	user      target.User // without a name if nobody takes part
	owner     int         // tells clients and users apart
	request   oauth.Request
	bytes     []byte    // of the request, if it never changes
	then      *envelope // what is sent with what the answer brought
	authorize *envelope
	cookie    string // of the session that is signed in
}

// A redemption is a code that was redeemed.
type redemption struct {
	issue          *issue
	code, verifier string
}

// A step is what requests are recorded as.
type step struct {
	name     string
	scenario int
	kind     kind
}

// A site is where a part of the requests goes: the target, or one node of it.
type site struct {
	target target.Target
	driver *oauth.Driver
	dial   dialFunc
	origin string // of the token endpoint, for evidence
	jobs   []*job
}

// mostPairs bounds the pairs of clients and users; of more each user goes with one client.
const mostPairs = 10_000

const mostSignedIn = 64

// steps are those of all scenarios, in the order of the plan.
func (p Plan) steps() []step {
	var out []step
	for i, s := range p.Scenarios {
		hostile := len(s.steps()) - len(s.Hostile)
		for n, name := range s.steps() {
			k := tokenKind
			switch {
			case n >= hostile:
				k = refusalKind
			case s.Flow == AuthorizationCode && n == 0:
				k = authorizeKind
			case s.Flow == Resource:
				k = resourceKind
			case s.Flow == Revocation && n == 1:
				k = revokeKind
			}
			out = append(out, step{name, i, k})
		}
	}
	return out
}

// A cast tells clients and users apart by numbers, over all scenarios.
type cast map[[2]string]int

func (c cast) owner(client target.Client, user target.User) int {
	key := [2]string{client.Name, user.Username}
	if _, known := c[key]; !known {
		c[key] = len(c)
	}
	return c[key]
}

// prepare makes every request of the plan, in the order of its mix.
func (at *site) prepare(p Plan) error {
	owners := cast{}
	n := 0
	for i := range p.Scenarios {
		s := &p.Scenarios[i]
		first := n
		n += len(s.steps()) - len(s.Hostile)
		var steps []int
		for k := first; k < n; k++ {
			steps = append(steps, k)
		}
		j := &job{scenario: s, steps: steps, spent: &atomic.Pointer[redemption]{}}
		pairs, err := at.pairs(s, owners)
		if err != nil {
			return err
		}
		for _, is := range pairs {
			if err := at.write(j, is); err != nil {
				return err
			}
		}
		j.issues = pairs
		at.jobs = append(at.jobs, j)
		for _, h := range s.Hostile {
			v, err := at.hostile(j, h.Kind)
			if err != nil {
				return err
			}
			v.steps = []int{n}
			n++
			at.jobs = append(at.jobs, v)
		}
	}
	return nil
}

// pairs are the clients with the users of a scenario, in an order in which both change with each.
func (at *site) pairs(s *Scenario, owners cast) ([]*issue, error) {
	var w problems
	clients := s.clients("", at.target, &w)
	var users []target.User
	if s.personal() {
		users = s.users("", at.target, &w)
	}
	if err := w.err(); err != nil {
		return nil, err
	}
	var out []*issue
	if !s.personal() {
		for _, c := range clients {
			out = append(out, &issue{client: c, owner: owners.owner(c, target.User{})})
		}
		return out, nil
	}
	most := mostPairs
	if s.Flow == AuthorizationCode {
		most = mostSignedIn
	}
	whole := len(clients)*len(users) <= most
	for n, u := range users {
		for k, c := range clients {
			if whole || k == n%len(clients) {
				out = append(out, &issue{client: c, user: u, owner: owners.owner(c, u)})
			}
		}
	}
	return out, nil
}

// write makes the requests of an ordinary job.
func (at *site) write(j *job, is *issue) error {
	d, s, t := at.driver, j.scenario, at.target
	personal := t.Scopes.Default
	own, refreshed := "", ""
	if s.Scope != nil {
		personal, own, refreshed = *s.Scope, *s.Scope, *s.Scope
	}
	var then oauth.Request
	switch s.Flow {
	case ClientCredentials, Revocation:
		is.request = d.ClientCredentials(is.client, own)
		then = d.Revoke(is.client, gap(0), "access_token")
	case Password:
		is.request = d.Password(is.client, is.user, personal)
	case RefreshToken:
		is.request = d.Password(is.client, is.user, personal).Changed(d.ForRefresh())
		then, j.held = d.Refresh(is.client, gap(0), refreshed), refreshHeld
	case Resource:
		if is.request = d.ClientCredentials(is.client, own); s.personal() {
			is.request = d.Password(is.client, is.user, personal)
		}
		then, j.held = d.Resource(*s.resource(t), gap(0)), accessHeld
	case AuthorizationCode:
		is.request = at.authorization(is, personal)
		then = d.Redeem(is.client, gap(0), is.client.RedirectURI(target.AuthorizationCode), at.verifier(is))
	}
	j.title = is.request.Title
	if then.URL != "" {
		j.title = then.Title
		var err error
		if is.then, err = encode(then); err != nil {
			return err
		}
	}
	if s.Flow == AuthorizationCode {
		return nil // it is encoded when the session is there
	}
	e, err := encode(is.request)
	if err != nil {
		return err
	}
	is.bytes = e.fill(nil)
	return nil
}

// proves reports whether the client proves by PKCE that the code is its own.
func proves(c target.Client) bool { return c.PKCE != "none" }

func (at *site) verifier(is *issue) string {
	if !proves(is.client) {
		return ""
	}
	return gap(1)
}

// authorization is the request for a code, with gaps for state and challenge.
func (at *site) authorization(is *issue, scope string) oauth.Request {
	r := at.driver.Authorize(is.client, target.AuthorizationCode, is.client.RedirectURI(target.AuthorizationCode), scope, gap(0))
	if proves(is.client) {
		r = r.Changed(oauth.SetQuery("code_challenge", gap(1)), oauth.SetQuery("code_challenge_method", "S256"))
	}
	return r
}

// redemption is the request that redeems a code.
func (is *issue) redemption(b []byte, code, verifier string) []byte {
	return is.then.fill(b, url.QueryEscape(code), verifier)
}

// rebased is the target at another base URL.
func rebased(t target.Target, node string) (target.Target, error) {
	if node == "" {
		return t, nil
	}
	move := func(raw string) string {
		if rest, ok := cutBase(raw, t.URL); ok {
			return node + rest
		}
		return raw
	}
	token, ok := cutBase(t.Endpoints.Token, t.URL)
	if !ok {
		return t, fmt.Errorf("load: the token endpoint does not lie below the target's url, so it cannot be reached on a node; leave nodes out")
	}
	e := &t.Endpoints
	e.Token = node + token
	for _, where := range []*string{&e.Authorization, &e.Revocation, &e.Introspection, &e.Metadata, &e.JWKS, &e.Consents} {
		*where = move(*where)
	}
	for _, where := range []**target.Resource{&t.Resources.Any, &t.Resources.User, &t.Resources.Application, &t.Resources.Scoped} {
		if *where != nil {
			r := **where
			r.Get = move(r.Get)
			*where = &r
		}
	}
	t.URL = node
	return t, nil
}

// cutBase takes the base off a URL that lies below it.
func cutBase(raw, base string) (string, bool) {
	if len(raw) >= len(base) && raw[:len(base)] == base && (len(raw) == len(base) || raw[len(base)] == '/' || raw[len(base)] == '?') {
		return raw[len(base):], true
	}
	return "", false
}
