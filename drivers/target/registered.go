package target

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"flowproof/drivers/strict"
)

func (r *reader) clients(written map[string]clientFile) []Client {
	var clients []Client
	password := "" // where the first password grant stands
	for _, name := range r.Keys("clients") {
		path := "clients." + name
		r.named(path, name)
		w, ok := written[name]
		if !ok {
			continue
		}
		c := Client{
			Name: name, ID: w.ID, Secret: r.secret(path+".secret", w.Secret), Public: w.Public, Authentication: cmp.Or(w.Authentication, "basic"),
			RedirectURIs: w.RedirectURIs, ImplicitRedirectURIs: w.ImplicitRedirectURIs, Scopes: w.Scopes, PKCE: cmp.Or(w.PKCE, "optional"),
			SecretIssued: w.SecretIssued, Sacrificial: w.Sacrificial,
		}
		c.Line, _ = r.Place(path)
		r.redirects(path+".redirect_uris", w.RedirectURIs)
		r.redirects(path+".implicit_redirect_uris", w.ImplicitRedirectURIs)
		if len(c.ImplicitRedirectURIs) == 0 {
			c.ImplicitRedirectURIs = c.RedirectURIs
		}
		c.Grants = r.grants(path, c, w.Grants)
		if i := slices.Index(w.Grants, Password); i >= 0 && password == "" {
			password = strict.Item(path+".grants", i)
		}
		r.authenticated(path, c)
		clients = append(clients, c)
	}
	if password != "" && len(r.Keys("users")) == 0 && !r.Spoiled("users") {
		r.AtKey(password, "add one under users:", "the password grant needs a user, and the file has none")
	}
	return clients
}

func (r *reader) grants(path string, c Client, written []Grant) (grants []Grant) {
	uris := len(c.RedirectURIs) > 0 || r.Spoiled(path+".redirect_uris")
	implicit := uris || len(c.ImplicitRedirectURIs) > 0 || r.Spoiled(path+".implicit_redirect_uris")
	for i, grant := range written {
		at := strict.Item(path+".grants", i)
		switch {
		case grant == "": // no grant, which was said
			continue
		case slices.Contains(grants, grant):
			r.AtKey(at, "keep one of them", "%s.grants has %s twice", path, grant)
			continue
		case grant == AuthorizationCode && !uris:
			r.AtKey(at, "write redirect_uris: [https://…] as registered", "%s has authorization_code but no redirect URI", path)
		case grant == Implicit && !implicit:
			r.AtKey(at, "write implicit_redirect_uris: [https://…] as registered", "%s has implicit but no redirect URI", path)
		case grant == ClientCredentials && c.Public:
			r.AtKey(at, "leave client_credentials out, or give the client its secret", "%s is public, and a public client has no credentials of its own", path)
		case grant == RefreshToken && !slices.Contains(written, AuthorizationCode) && !slices.Contains(written, Password) && !slices.Contains(written, ""):
			r.AtKey(at, "add authorization_code or password", "%s has refresh_token, but no grant that gives one", path)
		}
		grants = append(grants, grant)
	}
	return grants
}

func (r *reader) authenticated(path string, c Client) {
	switch given := r.Has(path + ".secret"); {
	case c.Public && given:
		r.AtKey(path+".secret", "leave out secret, or public", "%s is public and has a secret", path)
	case c.Public && r.Has(path+".authentication"):
		r.AtKey(path+".authentication", "leave it out", "%s is public and has nothing to authenticate with", path)
	case !c.Public && !given:
		r.AtKey(path, "write secret: env:NAME or file:PATH, or public: true", "%s has no secret", path)
	}
}

func (r *reader) redirects(path string, uris []string) {
	for i, uri := range uris {
		at := strict.Item(path, i)
		u, err := url.Parse(uri)
		switch {
		case r.Spoiled(at):
		case err != nil || !u.IsAbs() || (u.Scheme == "http" || u.Scheme == "https") && u.Host == "":
			r.AtValue(at, "write it as registered, as in https://app.acme.test/authorized", "%s: %q is not an absolute URI", path, uri)
		case strings.Contains(uri, "#"):
			r.AtValue(at, "cut it at the #", "%s: %q has a fragment, which no redirect URI may have", path, uri)
		}
	}
}

func (r *reader) users(written map[string]userFile) []User {
	var users []User
	for _, name := range r.Keys("users") {
		w, path := written[name], "users."+name
		r.named(path, name)
		users = append(users, User{
			Name: name, Username: w.Username, Password: r.secret(path+".password", w.Password), TOTP: r.seed(path+".totp", w.TOTP),
			Subject: w.Subject, Sacrificial: w.Sacrificial,
		})
	}
	return users
}

func (r *reader) named(path, name string) {
	if strings.TrimSpace(name) == "" || strings.ContainsAny(name, " \t\r\n.:,/") {
		r.AtKey(path, "use letters, digits, - and _", "%s: %q is no name", strings.TrimSuffix(path, "."+name), name)
	}
}
