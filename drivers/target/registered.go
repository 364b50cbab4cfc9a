package target

import (
	"encoding/base32"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// clients reads the registrations and tells where the first password grant stands.
func (r *reader) clients(n ast.Node) (clients []Client, password place) {
	entries, ok := r.entries(n, "clients")
	if ok && len(entries) == 0 {
		r.mistake(position(n), "describe at least one", "clients is empty")
	}
	for _, e := range entries {
		c, at := r.client(e)
		clients = append(clients, c)
		if c.Has(Password) && password.line == 0 {
			password = at
		}
	}
	return clients, password
}

func (r *reader) client(e entry) (Client, place) {
	c, path := Client{Name: e.name, Authentication: "basic", PKCE: "optional"}, "clients."+e.name
	r.named(e, path)
	var grants, uris, implicit []textAt
	found := r.object(e.value, path, fields{
		"id":                     func(e entry) { c.ID = r.filled(e.value, path+".id") },
		"secret":                 func(e entry) { c.Secret = r.secret(e.value, path+".secret") },
		"public":                 func(e entry) { c.Public = r.truth(e.value, path+".public") },
		"authentication":         func(e entry) { c.Authentication = r.choice(e.value, path+".authentication", "basic", "body") },
		"grants":                 func(e entry) { grants = r.texts(e.value, path+".grants") },
		"redirect_uris":          func(e entry) { uris = r.texts(e.value, path+".redirect_uris") },
		"implicit_redirect_uris": func(e entry) { implicit = r.texts(e.value, path+".implicit_redirect_uris") },
		"scopes":                 func(e entry) { c.Scopes = values(r.texts(e.value, path+".scopes")) },
		"pkce":                   func(e entry) { c.PKCE = r.choice(e.value, path+".pkce", "optional", "required", "none") },
		"secret_issued":          func(e entry) { c.SecretIssued = r.truth(e.value, path+".secret_issued") },
		"sacrificial":            func(e entry) { c.Sacrificial = r.truth(e.value, path+".sacrificial") },
	})
	if !mapping(r.plain(e.value)) {
		return c, place{}
	}
	r.missing(e.key, path, found, map[string]string{
		"id":     "write the identifier that the server gave the application",
		"grants": "write grants: with one or more of " + list(grantNames()),
	})
	c.RedirectURIs = r.redirects(uris, path+".redirect_uris")
	if c.ImplicitRedirectURIs = r.redirects(implicit, path+".implicit_redirect_uris"); len(implicit) == 0 {
		c.ImplicitRedirectURIs = c.RedirectURIs
	}
	password := r.grantsOf(&c, path, grants, found)
	r.authenticated(c, path, e.key, found)
	return c, password
}

func (r *reader) grantsOf(c *Client, path string, grants []textAt, found map[string]entry) (password place) {
	if e, ok := found["grants"]; ok && len(grants) == 0 && sequence(r.plain(e.value)) {
		r.mistake(e.key, "write one or more of "+list(grantNames()), "%s.grants is empty", path)
	}
	for _, g := range grants {
		if !slices.Contains(grantNames(), g.value) {
			r.unknown(g.at, path+".grants", g.value, grantNames())
			continue
		}
		grant := Grant(g.value)
		if c.Has(grant) {
			r.mistake(g.at, "keep one of them", "%s.grants has %s twice", path, g.value)
			continue
		}
		c.Grants = append(c.Grants, grant)
		uris, implicit := r.listed(found, "redirect_uris"), r.listed(found, "implicit_redirect_uris")
		switch {
		case grant == AuthorizationCode && !uris:
			r.mistake(g.at, "write redirect_uris: [https://…] as registered", "%s has authorization_code but no redirect URI", path)
		case grant == Implicit && !uris && !implicit:
			r.mistake(g.at, "write implicit_redirect_uris: [https://…] as registered", "%s has implicit but no redirect URI", path)
		case grant == ClientCredentials && c.Public:
			r.mistake(g.at, "leave client_credentials out, or give the client its secret", "%s is public, and a public client has no credentials of its own", path)
		case grant == Password:
			password = g.at
		}
	}
	if c.Has(RefreshToken) && !c.Has(AuthorizationCode) && !c.Has(Password) && len(c.Grants) == len(grants) {
		at := grants[slices.Index(c.Grants, RefreshToken)].at
		r.mistake(at, "add authorization_code or password", "%s has refresh_token, but no grant that gives one", path)
	}
	return password
}

// listed reports whether the key is there with anything in it, right or a mistake of its own.
func (r *reader) listed(found map[string]entry, key string) bool {
	e, ok := found[key]
	if !ok {
		return false
	}
	v, ok := r.plain(e.value).(*ast.SequenceNode)
	return !ok || len(v.Values) > 0
}

func (r *reader) authenticated(c Client, path string, at place, found map[string]entry) {
	secret, given := found["secret"]
	authentication, chosen := found["authentication"]
	switch {
	case c.Public && given:
		r.mistake(secret.key, "leave out secret, or public", "%s is public and has a secret", path)
	case c.Public && chosen:
		r.mistake(authentication.key, "leave it out", "%s is public and has nothing to authenticate with", path)
	case !c.Public && !given:
		r.mistake(at, "write secret: env:NAME or file:PATH, or public: true", "%s has no secret", path)
	}
}

func (r *reader) redirects(uris []textAt, path string) []string {
	for _, uri := range uris {
		u, err := url.Parse(uri.value)
		switch {
		case err != nil || !u.IsAbs() || (u.Scheme == "http" || u.Scheme == "https") && u.Host == "":
			r.mistake(uri.at, "write it as registered, as in https://app.acme.test/authorized", "%s: %q is not an absolute URI", path, uri.value)
		case strings.Contains(uri.value, "#"):
			r.mistake(uri.at, "cut it at the #", "%s: %q has a fragment, which no redirect URI may have", path, uri.value)
		}
	}
	return values(uris)
}

func (r *reader) users(n ast.Node) []User {
	var users []User
	entries, _ := r.entries(n, "users")
	for _, e := range entries {
		u, path := User{Name: e.name}, "users."+e.name
		r.named(e, path)
		found := r.object(e.value, path, fields{
			"username":    func(e entry) { u.Username = r.filled(e.value, path+".username") },
			"password":    func(e entry) { u.Password = r.secret(e.value, path+".password") },
			"totp":        func(e entry) { u.TOTP = r.seed(e.value, path+".totp") },
			"subject":     func(e entry) { u.Subject = r.filled(e.value, path+".subject") },
			"sacrificial": func(e entry) { u.Sacrificial = r.truth(e.value, path+".sacrificial") },
		})
		if mapping(r.plain(e.value)) {
			r.missing(e.key, path, found, map[string]string{
				"username": "write the name that the account signs in with",
				"password": "write password: env:NAME or file:PATH",
			})
		}
		users = append(users, u)
	}
	return users
}

func (r *reader) named(e entry, path string) {
	if strings.TrimSpace(e.name) == "" || strings.ContainsAny(e.name, " \t\r\n.:,/") {
		r.mistake(e.key, "use letters, digits, - and _", "%s: %q is no name", strings.TrimSuffix(path, "."+e.name), e.name)
	}
}

// seed is a secret that has to be base32, as authenticator applications show it.
func (r *reader) seed(n ast.Node, path string) Secret {
	s := r.secret(n, path)
	plain := strings.ToUpper(strings.TrimRight(strings.ReplaceAll(s.Reveal(), " ", ""), "="))
	if _, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(plain); err != nil {
		r.mistake(position(n), "take the text behind the QR code, letters A to Z and digits 2 to 7", "%s is no base32 seed", path)
		return Secret{}
	}
	return NewSecret(plain)
}

// secret follows a reference. The text of the file is never repeated: it may be the secret itself.
func (r *reader) secret(n ast.Node, path string) Secret {
	const mend = "write env:NAME or file:PATH"
	v, ok := r.plain(n).(*ast.StringNode)
	if !ok {
		r.mistake(position(n), mend, "%s has to be a reference to a secret", path)
		return Secret{}
	}
	where, name, ok := strings.Cut(v.Value, ":")
	var value, why string
	switch {
	case ok && where == "env" && name != "":
		value, why = r.variable(name)
	case ok && where == "file" && name != "":
		var raw []byte
		raw, why = r.readFile(name)
		value = strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
		if why == "" && value == "" {
			why = "file " + name + " is empty"
		}
	default:
		r.mistake(position(n), mend, "%s: a secret must not stand in the file", path)
		return Secret{}
	}
	if why != "" {
		r.mistake(position(n), "set it before the run, or refer to another", "%s: %s", path, why)
	}
	return NewSecret(value)
}

func (r *reader) variable(name string) (value, why string) {
	if r.lookup.Env == nil {
		return "", "environment variables cannot be read here"
	}
	value, ok := r.lookup.Env(name)
	switch {
	case !ok:
		return "", "environment variable " + name + " is not set"
	case value == "":
		return "", "environment variable " + name + " is empty"
	}
	return value, ""
}

func grantNames() []string {
	var names []string
	for _, g := range Grants() {
		names = append(names, string(g))
	}
	return names
}

func mapping(n ast.Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

func sequence(n ast.Node) bool {
	_, ok := n.(*ast.SequenceNode)
	return ok
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
