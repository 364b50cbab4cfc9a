// Package target describes the deployment under test and what was registered on it.
package target

import (
	"net/url"
	"slices"
	"time"
)

// A Target is a deployment under test as a value: checked, with defaults filled in and secrets resolved.
type Target struct {
	Name    string
	URL     string // the service URL, without a final slash
	Profile string // space, rfc6749, bcp-9700 or oauth-2.1
	Edition string // space-2021, space-2023 or space-2024; empty unless Profile is space

	Endpoints Endpoints
	Clients   []Client // in the order of the file
	Users     []User   // in the order of the file
	Scopes    Scopes
	Resources Resources
	Refresh   Refresh
	Guest     bool // a guest account is allowed (Space's request_credentials=skip)
	SignIn    []Step
	// SignInHosts are further hosts, with the port unless it is the scheme's own, on whose pages people sign in.
	SignInHosts []string
	CA          string        // PEM bytes of additional trust roots
	Plain       string        // where the deployment is reachable over plain http; empty: port 80 of each host
	Timeout     time.Duration // of one request
}

// Endpoints are absolute URLs; empty means not offered.
type Endpoints struct {
	Authorization, Token, Revocation, Introspection, Metadata, JWKS, Consents string
}

// A Grant is one of the five flows, by the standard's name.
type Grant string

// The five flows.
const (
	ClientCredentials Grant = "client_credentials"
	Implicit          Grant = "implicit"
	AuthorizationCode Grant = "authorization_code"
	Password          Grant = "password"
	RefreshToken      Grant = "refresh_token"
)

// Grants lists the five flows in the order in which reports show them.
func Grants() []Grant {
	return []Grant{ClientCredentials, Implicit, AuthorizationCode, Password, RefreshToken}
}

// A Client is one registration on the authorization server.
type Client struct {
	Name                 string
	ID                   string
	Secret               Secret
	Public               bool
	Authentication       string // basic (the default) or body
	Grants               []Grant
	RedirectURIs         []string
	ImplicitRedirectURIs []string // RedirectURIs when the file names none
	Scopes               []string // what the registration allows; empty when not known
	PKCE                 string   // optional (the default), required or none
	SecretIssued         bool     // the server made the secret up
	Sacrificial          bool     // may be locked by destructive rows
	Line                 int      // where it stands in the file
}

// RedirectURIs are those of all clients, for whichever grant.
func (t Target) RedirectURIs() []string {
	var out []string
	for _, c := range t.Clients {
		out = append(append(out, c.RedirectURIs...), c.ImplicitRedirectURIs...)
	}
	return out
}

// Has reports whether the client is registered for the grant.
func (c Client) Has(g Grant) bool { return slices.Contains(c.Grants, g) }

// RedirectURI is the first registered redirect URI for the grant, or empty.
func (c Client) RedirectURI(g Grant) string {
	uris := c.RedirectURIs
	if g == Implicit {
		uris = c.ImplicitRedirectURIs
	}
	if len(uris) == 0 {
		return ""
	}
	return uris[0]
}

// A User is a test account.
type User struct {
	Name        string
	Username    string
	Password    Secret
	TOTP        Secret // base32 seed of a one-time password, or empty
	Subject     string // the account's identifier as tokens name it, when known
	Sacrificial bool
}

// Scopes are the scope values that the rows about scope need.
type Scopes struct {
	Default   string   // what ordinary requests ask for
	Narrow    string   // a strict subset of it
	Pair      []string // two that the client may have and the user grants
	Third     string   // one that the client may have, and the user is never asked for
	Forbidden string   // one that no client may have
}

// Resources are protected URLs, each nil when not configured.
type Resources struct {
	Any         *Resource // any valid token opens it
	User        *Resource // a person's token only; names the person in Subject
	Application *Resource // an application's token only
	Scoped      *Resource // needs Scope on top
}

// A Resource is one protected URL.
type Resource struct {
	Get     string // absolute URL
	Scope   string // the scope that it needs, when known
	Subject string // the member of its JSON answer that names the current user
}

// Refresh says how refresh tokens are asked for and whether they rotate.
type Refresh struct {
	Parameters map[string]string // added to authorization and password requests
	Scope      string            // added to the scope of such requests
	Rotation   bool
	Grace      time.Duration // how long a rotated token still works
}

// A Step is one action of a sign-in recipe; an empty recipe means detection.
type Step struct {
	Do       string // fill, click, wait, expect or totp
	Selector string // CSS
	Value    string // for fill: username or password; for expect: text that the page shows
	Optional bool
	Patience time.Duration // with which its element is waited for; 0: the user agent's own
}

// Client returns the client of that name.
func (t Target) Client(name string) (Client, bool) {
	for _, c := range t.Clients {
		if c.Name == name {
			return c, true
		}
	}
	return Client{}, false
}

// User returns the user of that name.
func (t Target) User(name string) (User, bool) {
	for _, u := range t.Users {
		if u.Name == name {
			return u, true
		}
	}
	return User{}, false
}

// Loopback reports whether every endpoint is on a loopback address.
func (t Target) Loopback() bool {
	for _, raw := range []string{t.URL, t.Endpoints.Authorization, t.Endpoints.Token} {
		if raw == "" { // not every target has an authorization endpoint
			continue
		}
		u, err := url.Parse(raw)
		if err != nil {
			return false
		}
		if !loopback(u.Hostname()) {
			return false
		}
	}
	return t.URL != ""
}
