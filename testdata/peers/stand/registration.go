// Package stand is what every peer shares: who is registered, the pages on which people sign in and consent,
// the resources that need a token, the target file, and the life of the process.
//
// A peer is an authorization server that others wrote. Nothing in here decides a protocol question of the
// authorization or token endpoint: that is the peer's own business.
package stand

import (
	"crypto/rand"
	"fmt"
	"slices"
)

// The scopes that clients may be registered for; nobody may have Forbidden.
const (
	Photos    = "photos" // what the scoped resource needs
	Profile   = "profile"
	Notes     = "notes"
	Offline   = "offline"
	Forbidden = "admin"
)

// A Client is one registration. Secret is empty for a public client.
type Client struct {
	Name                 string
	ID                   string
	Secret               string
	Public               bool
	Grants               []string // by the names that RFC 6749 gives, and "implicit"
	RedirectURIs         []string
	ImplicitRedirectURIs []string
	Scopes               []string
	PKCE                 string // optional, required or none
}

// A User is a person's account.
type User struct {
	Name, Password, Subject string
}

// A Registration is everything that is registered on a peer.
type Registration struct {
	Clients []Client
	Users   []User
}

// Register makes up identifiers, secrets and passwords for the clients and users that every peer has.
// Public clients are marked with publicPKCE, the others with an optional challenge.
func Register(publicPKCE string) Registration {
	const second = "https://app.acme.test/second"
	const authorized = "https://app.acme.test/authorized"
	all := []string{Photos, Profile, Notes, Offline}
	everything := []string{"authorization_code", "refresh_token", "password", "client_credentials"}
	code := []string{"authorization_code", "refresh_token"}

	clients := []Client{
		{Name: "service", Grants: []string{"client_credentials", "password", "refresh_token"}},
		{Name: "web", Grants: everything, RedirectURIs: []string{authorized, second}},
		{Name: "partner", Grants: everything, RedirectURIs: []string{authorized}},
		{Name: "spa", Public: true, Grants: []string{"implicit"}, ImplicitRedirectURIs: []string{"https://app.acme.test/spa"}},
		{Name: "mobile", Public: true, Grants: code, RedirectURIs: []string{"http://127.0.0.1:7777/callback"}},
		{Name: "native", Public: true, Grants: code, RedirectURIs: []string{"https://app.acme.test/native"}},
		{Name: "query", Grants: code[:1], RedirectURIs: []string{"https://app.acme.test/cb?t=1"}},
		{Name: "limited", Grants: []string{"client_credentials"}, Scopes: []string{Profile}},
		{Name: "codeonly", Grants: code[:1], RedirectURIs: []string{"https://only.acme.test/cb"}},
		{Name: "special", Grants: []string{"client_credentials"}, Secret: "50% of a+b: é & = " + rand.Text()},
	}
	for i := range clients {
		c := &clients[i]
		c.ID = c.Name + "-" + rand.Text()[:12]
		if c.Scopes == nil {
			c.Scopes = all
		}
		switch {
		case c.Public:
			c.PKCE = publicPKCE
		case c.Secret == "":
			c.Secret = rand.Text()
		}
		if c.PKCE == "" {
			c.PKCE = "optional"
		}
		if len(c.RedirectURIs) == 0 {
			c.PKCE = ""
		}
	}

	users := []User{{Name: "alice"}, {Name: "bob"}}
	for i := range users {
		users[i].Password = rand.Text()
		users[i].Subject = fmt.Sprintf("user-%d-%s", i+1, rand.Text()[:12])
	}
	return Registration{Clients: clients, Users: users}
}

// Client returns the client of that name, or an empty one.
func (r Registration) Client(name string) Client {
	for _, c := range r.Clients {
		if c.Name == name {
			return c
		}
	}
	return Client{}
}

// User returns the user of that name, or an empty one.
func (r Registration) User(name string) User {
	for _, u := range r.Users {
		if u.Name == name {
			return u
		}
	}
	return User{}
}

// Offering is what a peer that has these grants only can register of r.
func (r Registration) Offering(grants ...string) Registration {
	kept := Registration{Users: r.Users}
	for _, c := range r.Clients {
		c.Grants = slices.DeleteFunc(slices.Clone(c.Grants), func(g string) bool { return !slices.Contains(grants, g) })
		person := slices.Contains(c.Grants, "authorization_code") || slices.Contains(c.Grants, "password")
		if !person { // nobody's tokens are refreshed
			c.Grants = slices.DeleteFunc(c.Grants, func(g string) bool { return g == "refresh_token" })
		}
		if len(c.Grants) > 0 {
			kept.Clients = append(kept.Clients, c)
		}
	}
	return kept
}
