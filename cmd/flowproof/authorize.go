package main

import (
	"strings"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// An entrance is how a person is sent to sign in: a client's ordinary authorization request.
type entrance struct {
	client  target.Client
	grant   target.Grant
	request oauth.Request
}

// enter makes the request of the client of that name, or of the first that people sign in for.
func enter(d *oauth.Driver, t target.Target, name string) (entrance, error) {
	if name != "" {
		c, ok := t.Client(name)
		if !ok {
			return entrance{}, misused("--client %s: the target file has no client of this name; it has %s", name, clientNames(t))
		}
		g := frontGrant(c)
		if g == "" {
			return entrance{}, misused("--client %s: nobody signs in for this client, since it has neither the grant authorization_code nor implicit", name)
		}
		return entrance{c, g, authorization(d, t, c, g, c.RedirectURI(g))}, nil
	}
	for _, g := range []target.Grant{target.AuthorizationCode, target.Implicit} {
		for _, c := range t.Clients {
			if c.Has(g) && !c.Sacrificial {
				return entrance{c, g, authorization(d, t, c, g, c.RedirectURI(g))}, nil
			}
		}
	}
	return entrance{}, misused("no client of the target file has the grant authorization_code or implicit, so there is nothing that people sign in for")
}

// frontGrant is the grant by which people sign in for the client, or empty.
func frontGrant(c target.Client) target.Grant {
	for _, g := range []target.Grant{target.AuthorizationCode, target.Implicit} {
		if c.Has(g) {
			return g
		}
	}
	return ""
}

// authorization is an ordinary authorization request, with a challenge unless the client cannot have one.
func authorization(d *oauth.Driver, t target.Target, c target.Client, g target.Grant, redirectURI string) oauth.Request {
	r := d.Authorize(c, g, redirectURI, t.Scopes.Default, oauth.NewState())
	if g == target.AuthorizationCode && (c.PKCE == "required" || c.PKCE == "optional" && t.Profile != "space") {
		r = r.Changed(oauth.SetQuery("code_challenge", oauth.S256(oauth.NewVerifier())), oauth.SetQuery("code_challenge_method", "S256"))
	}
	return r
}

// person is the user of that name, or the first whose account is not to be locked.
func person(t target.Target, name string) (target.User, error) {
	if name != "" {
		u, ok := t.User(name)
		if !ok {
			return u, misused("--user %s: the target file has no user of this name; it has %s", name, userNames(t))
		}
		return u, nil
	}
	for _, u := range t.Users {
		if !u.Sacrificial {
			return u, nil
		}
	}
	return target.User{}, misused("the target file has no user who could sign in; describe a test account under users:, with username and password")
}

func clientNames(t target.Target) string {
	var out []string
	for _, c := range t.Clients {
		out = append(out, c.Name)
	}
	return strings.Join(out, ", ")
}

func userNames(t target.Target) string {
	var out []string
	for _, u := range t.Users {
		out = append(out, u.Name)
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}
