package sandbox

import (
	"crypto/sha256"
	"slices"
)

// The five flows, by the standard's names.
const (
	grantClientCredentials = "client_credentials"
	grantImplicit          = "implicit"
	grantCode              = "authorization_code"
	grantPassword          = "password"
	grantRefresh           = "refresh_token"
)

// A client is one registered application.
type client struct {
	name, title  string
	number       uint16
	id, appID    string
	secret       string
	digest       [sha256.Size]byte
	public       bool
	issued       bool // the secret was made up by the sandbox
	grants       []string
	redirects    []string // of the code flow
	implicit     []string // redirect URIs of the implicit flow
	requiresPKCE bool
	rights       scope // granted by the administrator
	sacrificial  bool
}

func (c *client) has(grant string) bool { return slices.Contains(c.grants, grant) }

// A user is one account.
type user struct {
	name, first, last string
	number            uint16
	id                string
	password          string
	digest            [sha256.Size]byte
	guest             bool
	sacrificial       bool
}

const guestName = "guest"

// register makes the applications and accounts that every posture has.
func (s *Sandbox) register() {
	all := scope{all: true, text: "**"}
	narrow, _ := s.grammar.parse(s.scopes().narrow)
	code := []string{grantCode, grantRefresh}
	web := []string{grantCode, grantRefresh, grantPassword, grantClientCredentials}
	s.add(&client{name: "service", title: "Nightly Service", grants: []string{grantClientCredentials, grantPassword, grantRefresh}, rights: all})
	s.add(&client{name: "web", title: "Acme Web", grants: web, rights: all,
		redirects: []string{"https://app.acme.test/authorized", "https://app.acme.test/second"}})
	s.add(&client{name: "partner", title: "Partner Portal", grants: web, rights: all,
		redirects: []string{"https://app.acme.test/authorized"}})
	spa := &client{name: "spa", title: "Acme Page", public: true, rights: all}
	if s.clean.front.offersImplicit && s.options.Edition != edition2024 {
		spa.grants, spa.implicit = []string{grantImplicit}, []string{"https://app.acme.test/spa"}
	} else {
		// Where the implicit flow is not for new applications, the page uses codes.
		spa.grants, spa.redirects, spa.requiresPKCE = []string{grantCode}, []string{"https://app.acme.test/spa"}, true
	}
	s.add(spa)
	s.add(&client{name: "mobile", title: "Acme Mobile", public: true, grants: code, rights: all,
		redirects: []string{"http://127.0.0.1:7777/callback"}, requiresPKCE: true})
	s.add(&client{name: "native", title: "Acme Desktop", public: true, grants: code, rights: all,
		redirects: []string{"https://app.acme.test/native"}})
	s.add(&client{name: "strict", title: "Strict Vault", grants: []string{grantCode}, rights: all,
		redirects: []string{"https://strict.acme.test/cb"}, requiresPKCE: true})
	s.add(&client{name: "query", title: "Query Board", grants: []string{grantCode}, rights: all,
		redirects: []string{"https://app.acme.test/cb?t=1"}})
	s.add(&client{name: "limited", title: "Limited Reader", grants: []string{grantClientCredentials}, rights: narrow})
	s.add(&client{name: "codeonly", title: "Code Only", grants: []string{grantCode}, rights: all,
		redirects: []string{"https://only.acme.test/cb"}})
	if s.clean.pages.refusesPlain { // registered, and yet nothing is ever sent there
		s.add(&client{name: "plain", title: "Plain Old", grants: []string{grantCode}, rights: all,
			redirects: []string{"http://plain.acme.test/cb"}})
	}
	s.add(&client{name: "special", title: "Special Characters", grants: []string{grantClientCredentials}, rights: all})
	s.add(&client{name: "spare", title: "Spare Part", grants: []string{grantClientCredentials}, rights: all, sacrificial: true})

	s.join(&user{name: "alice", first: "Alice", last: "Liddell"})
	s.join(&user{name: "bob", first: "Bob", last: "Cratchit"})
	s.join(&user{name: "zoe", first: "Zoë", last: "Washburne"})
	s.join(&user{name: "victim", first: "Vera", last: "Victim", sacrificial: true})
	s.join(&user{name: guestName, first: "Guest", guest: true})
}

// add registers a client, with a fresh identifier and, unless it is public, a secret.
func (s *Sandbox) add(c *client) {
	c.number = uint16(len(s.clients)) //nolint:gosec // a dozen clients
	c.id, c.appID = uuid(), uuid()
	if !c.public {
		c.secret = s.options.Secrets[c.name]
		if c.secret == "" {
			c.issued, c.secret = true, s.newSecret(c.name)
		}
		if s.clean.grants.passwordForAll && !c.has(grantPassword) {
			c.grants = append(slices.Clone(c.grants), grantPassword)
		}
		c.digest = s.digest(c.secret)
	}
	if !s.clean.grants.offersPassword {
		c.grants = without(c.grants, grantPassword)
	}
	if !c.has(grantPassword) && !c.has(grantCode) { // nothing would give it one
		c.grants = without(c.grants, grantRefresh)
	}
	s.clients = append(s.clients, c)
	if s.byID == nil {
		s.byID, s.byName = map[string]*client{}, map[string]*user{}
	}
	s.byID[c.id] = c
}

func without(grants []string, unwanted string) []string {
	return slices.DeleteFunc(slices.Clone(grants), func(g string) bool { return g == unwanted })
}

// newSecret makes up a secret; those of special and zoe hold what careless decoders stumble over.
func (s *Sandbox) newSecret(name string) string {
	secret := token(32)
	switch name {
	case "special":
		secret = secret[:20] + "% +:&=é" + secret[20:]
	case "zoe":
		secret = secret[:20] + " %&=é" + secret[20:]
	}
	if n := s.policy.token.secretLength; n > 0 && s.byName[name] == nil {
		return secret[:n]
	}
	return secret
}

func (s *Sandbox) join(u *user) {
	u.number = uint16(len(s.users)) //nolint:gosec // a handful of users
	u.id = userID()
	u.password = s.options.Secrets[u.name]
	if u.password == "" || u.guest {
		u.password = s.newSecret(u.name)
	}
	u.digest = s.digest(u.password)
	s.users = append(s.users, u)
	if !u.guest {
		s.byName[u.name] = u
	}
}

// digest is what is compared of a secret. Secrets are random, so that a fast hash does.
func (s *Sandbox) digest(secret string) [sha256.Size]byte {
	if n := s.policy.token.secretPrefix; n > 0 && len(secret) > n {
		secret = secret[:n]
	}
	return sha256.Sum256([]byte(secret))
}

func (s *Sandbox) guest() *user { return s.users[len(s.users)-1] }

// userBySubject finds the account that a token names.
func (s *Sandbox) userBySubject(subject string) *user {
	for _, u := range s.users {
		if u.id == subject {
			return u
		}
	}
	return nil
}
