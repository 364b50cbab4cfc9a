package oauth

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"flowproof/drivers/target"
)

// FullURL is the URL with Query appended, as a user agent takes it.
func (r Request) FullURL() string {
	if len(r.Query) == 0 {
		return r.URL
	}
	base, fragment, cut := strings.Cut(r.URL, "#")
	switch {
	case !strings.Contains(base, "?"):
		base += "?"
	case !strings.HasSuffix(base, "?") && !strings.HasSuffix(base, "&"):
		base += "&"
	}
	base += r.Query.Encode()
	if cut {
		base += "#" + fragment
	}
	return base
}

// ClientCredentials asks for a token for the client itself; an empty scope is left out.
func (d *Driver) ClientCredentials(c target.Client, scope string, changes ...Change) Request {
	form := Params{{"grant_type", string(target.ClientCredentials)}}.given("scope", d.scope(target.ClientCredentials, scope))
	return d.token("ask for a token with client credentials", c, form, changes)
}

// Password asks for a token with a person's user name and password.
func (d *Driver) Password(c target.Client, u target.User, scope string, changes ...Change) Request {
	form := Params{{"grant_type", string(target.Password)}, {"username", u.Username}, {"password", u.Password.Reveal()}}.given("scope", scope)
	return d.token("ask for a token with "+u.Name+"'s password", c, form, changes)
}

// Redeem exchanges an authorization code; what is empty is left out.
func (d *Driver) Redeem(c target.Client, code, redirectURI, verifier string, changes ...Change) Request {
	form := Params{{"grant_type", string(target.AuthorizationCode)}}.
		given("code", code).given("redirect_uri", redirectURI).given("code_verifier", verifier)
	return d.token("redeem the code", c, form, changes)
}

// Refresh exchanges a refresh token; an empty scope is left out.
func (d *Driver) Refresh(c target.Client, token, scope string, changes ...Change) Request {
	form := Params{{"grant_type", string(target.RefreshToken)}}.given("refresh_token", token).given("scope", d.scope(target.RefreshToken, scope))
	return d.token("redeem the refresh token", c, form, changes)
}

// Authorize is an authorization request as a person's browser sends it; what is empty is left out.
func (d *Driver) Authorize(c target.Client, g target.Grant, redirectURI, scope, state string, changes ...Change) Request {
	kind := "code"
	if g == target.Implicit {
		kind = "token"
	}
	r := Request{
		Title: "ask for authorization", Client: c.Name, Method: "GET", URL: d.target.Endpoints.Authorization,
		Header: Params{{"Accept", "text/html,application/xhtml+xml"}},
		Query: Params{{"response_type", kind}}.given("client_id", c.ID).given("redirect_uri", redirectURI).
			given("scope", scope).given("state", state),
	}
	return r.Changed(changes...)
}

// Resource asks for a protected resource with a bearer token, or without any when it is empty.
func (d *Driver) Resource(r target.Resource, token string, changes ...Change) Request {
	q := Request{Title: "call the resource", Method: "GET", URL: r.Get, Header: Params{{"Accept", jsonType}}}
	if token != "" {
		q.Header = append(q.Header, Param{"Authorization", "Bearer " + token})
	}
	return q.Changed(changes...)
}

// Revoke asks for a token's revocation (RFC 7009); an empty hint is left out.
func (d *Driver) Revoke(c target.Client, token, hint string, changes ...Change) Request {
	r := d.token("revoke the token", c, Params{{"token", token}}.given("token_type_hint", hint), nil)
	r.URL = d.target.Endpoints.Revocation
	return r.Changed(changes...)
}

// Introspect asks what a token is worth (RFC 7662).
func (d *Driver) Introspect(c target.Client, token string, changes ...Change) Request {
	r := d.token("introspect the token", c, Params{{"token", token}}, nil)
	r.URL = d.target.Endpoints.Introspection
	return r.Changed(changes...)
}

// ForRefresh makes a request ask for a refresh token in the target's way: with its parameters and its scope.
func (d *Driver) ForRefresh() Change {
	return func(r *Request) {
		place := &r.Form
		if r.Form == nil {
			place = &r.Query
		}
		for _, name := range sorted(d.target.Refresh.Parameters) {
			*place = place.With(name, d.target.Refresh.Parameters[name])
		}
		if more := d.target.Refresh.Scope; more != "" && !slices.Contains(strings.Fields(place.Get("scope")), more) {
			*place = place.With("scope", strings.TrimSpace(place.Get("scope")+" "+more))
		}
	}
}

const jsonType = "application/json"

// token is a request to the token endpoint, authenticated as the client's registration says.
func (d *Driver) token(title string, c target.Client, form Params, changes []Change) Request {
	r := Request{
		Title: title, Client: c.Name, Method: "POST", URL: d.target.Endpoints.Token,
		Header: Params{{"Accept", jsonType}}, Form: form,
	}
	switch {
	case c.Public:
		ClientIDOnly(c.ID)(&r)
	case c.Authentication == "body":
		BodyAuth(c.ID, c.Secret.Reveal())(&r)
	default:
		d.Basic(c.ID, c.Secret.Reveal())(&r)
	}
	return r.Changed(changes...)
}

// Basic authenticates by HTTP Basic alone, as the clients of the target's profile do: form-encoded first
// (RFC 6749 section 2.3.1), but as they stand where Space is the target, whose clients never encode them.
func (d *Driver) Basic(id, secret string) Change {
	if d.target.Profile == "space" {
		return BasicAuth(id, secret)
	}
	return BasicAuthEncoded(id, secret)
}

// Demand makes ordinary requests of the grant name the scope where they would name none: there are deployments
// that demand one, and leaving it out is for the requirement about that. It must be called before requests of
// the grant are built.
func (d *Driver) Demand(g target.Grant, scope string) {
	if d.demanded == nil {
		d.demanded = map[target.Grant]string{}
	}
	d.demanded[g] = scope
}

func (d *Driver) scope(g target.Grant, asked string) string {
	if asked == "" {
		return d.demanded[g]
	}
	return asked
}

func (p Params) given(name, value string) Params {
	if value == "" {
		return p
	}
	return append(p, Param{name, value})
}

// basic is the value of an Authorization header, of id and secret as they stand.
func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// basicEncoded is the same by the letter of RFC 6749 section 2.3.1: form-encoded first.
func basicEncoded(id, secret string) string {
	return basic(url.QueryEscape(id), url.QueryEscape(secret))
}
