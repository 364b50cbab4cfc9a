package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"flowproof/drivers/browser"
	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// endpoints asks each for next to nothing: what comes back shows whether one is there.
func (v *visitation) endpoints(ctx context.Context) {
	e := v.target.Endpoints
	form := func(url string) oauth.Request {
		return oauth.Request{Title: "look whether an endpoint is there", Method: http.MethodPost, URL: url, Form: oauth.Params{}, Header: oauth.Params{{Name: "Accept", Value: "application/json"}}}
	}
	v.endpoint(ctx, "token endpoint", "endpoints.token", form(e.Token), func(x oauth.Exchange) string {
		if x.ErrorCode() == "" {
			return "no error as OAuth writes it"
		}
		return ""
	})
	if e.Authorization != "" {
		v.endpoint(ctx, "authorization endpoint", "endpoints.authorization", oauth.Request{Title: "look whether an endpoint is there", Method: http.MethodGet, URL: e.Authorization}, nil)
	}
	document := func(of, key, url, member string) {
		if url == "" {
			return
		}
		v.endpoint(ctx, of, key, oauth.Request{Title: "read the " + of, Method: http.MethodGet, URL: url}, func(x oauth.Exchange) string {
			members, err := x.JSON()
			if err != nil || members[member] == nil || x.Status != http.StatusOK {
				return "no JSON with " + member
			}
			return ""
		})
	}
	document("key set", "endpoints.jwks", e.JWKS, "keys")
	document("metadata", "endpoints.metadata", e.Metadata, "issuer")
	if e.Revocation != "" {
		v.endpoint(ctx, "revocation endpoint", "endpoints.revocation", form(e.Revocation), nil)
	}
	if e.Introspection != "" {
		v.endpoint(ctx, "introspection endpoint", "endpoints.introspection", form(e.Introspection), nil)
	}
	r := v.target.Resources
	for _, one := range []struct {
		name string
		at   *target.Resource
	}{{"any", r.Any}, {"user", r.User}, {"application", r.Application}, {"scoped", r.Scoped}} {
		if one.at == nil {
			continue
		}
		v.endpoint(ctx, "resource "+one.name, "resources."+one.name+".get", v.driver.Resource(*one.at, ""), nil)
	}
}

// endpoint sends a request that any endpoint of the kind answers somehow; odd says what is strange about the answer.
func (v *visitation) endpoint(ctx context.Context, of, key string, r oauth.Request, odd func(oauth.Exchange) string) {
	if !v.reached(of, r.URL) {
		return
	}
	x := v.driver.Send(ctx, r)
	kind := strings.TrimSpace(strings.Split(x.Header.Get("Content-Type"), ";")[0])
	answer := strings.TrimSpace(fmt.Sprintf("%d %s %s", x.Status, x.ErrorCode(), kind))
	why := ""
	switch {
	case !x.Answered():
		v.away(of, "check "+key+" in the target file, and the server's log", "no answer: %v", x.Err)
		return
	case x.Status == http.StatusNotFound, x.Status == http.StatusGone:
		why = "nothing is there"
	case x.Status == http.StatusMethodNotAllowed && r.Method == http.MethodPost:
		why = "it takes no POST"
	case x.Status >= 500:
		why = "the server breaks down"
	case odd != nil:
		why = odd(x)
	}
	if why != "" {
		v.ill(of, "check "+key+" in the target file against the server's documentation", "%s (%s) at %s", why, answer, place(r.URL))
		return
	}
	v.well(of, "answers (%s)", answer)
}

func place(raw string) string {
	out, _, _ := strings.Cut(raw, "?")
	return out
}

// clients has each authenticate once, by a request that changes nothing.
func (v *visitation) clients(ctx context.Context) {
	for _, c := range v.target.Clients {
		of := "client " + c.Name
		if !v.reached(of, v.target.Endpoints.Token) || v.unwritten(of, c.ID) {
			continue
		}
		r, ok := v.introduction(c)
		if !ok {
			v.skip(of, "is public and never comes to the token endpoint: there are no credentials to try")
			continue
		}
		x := v.driver.Send(ctx, r)
		if scope := v.target.Scopes.Default; scope != "" && c.Has(target.ClientCredentials) && x.Status/100 == 4 && (x.ErrorCode() == "" || x.ErrorCode() == "invalid_scope") {
			x = v.driver.Send(ctx, v.driver.ClientCredentials(c, scope)) // some demand one
		}
		key := "clients." + c.Name
		code := x.ErrorCode()
		switch {
		case !x.Answered():
			v.away(of, "look into the server's log", "no answer: %v", x.Err)
		case code == "invalid_client" || code == "" && x.Status == http.StatusUnauthorized:
			mend := "compare " + key + ".id and its secret with the registration; if both are right, try authentication: body"
			switch {
			case c.Public:
				mend = "register it as public, or give it its secret"
			case c.Authentication == "body":
				mend = "compare " + key + ".id and its secret with the registration; if both are right, try authentication: basic"
			}
			v.ill(of, mend, "the server does not take its credentials (%d %s)", x.Status, code)
		case x.IssuedToken():
			v.well(of, "gets a token with its credentials")
		case code == "unauthorized_client" && x.Status == http.StatusUnauthorized: // some mean a wrong secret
			v.ill(of, "compare "+key+".id and its secret with the registration; if both are right, switch the flow on there",
				"gets nothing by %s (401 unauthorized_client)", r.Form.Get("grant_type"))
		case code == "unauthorized_client" || code == "unsupported_grant_type":
			v.ill(of, "switch the flow on in its registration, or leave it out of "+key+".grants", "may not use %s (%d %s)", r.Form.Get("grant_type"), x.Status, code)
		case code != "":
			v.well(of, "is known, and what was made up is refused (%d %s)", x.Status, code)
		default:
			v.ill(of, "check endpoints.token in the target file", "the answer is none of a token endpoint (%d)", x.Status)
		}
	}
}

// introduction is a request in which the client authenticates: for a token of its own, or with a code or refresh
// token that is made up.
func (v *visitation) introduction(c target.Client) (oauth.Request, bool) {
	madeUp := "flowproof-made-up-" + oauth.NewState()
	switch {
	case c.Has(target.ClientCredentials):
		return v.driver.ClientCredentials(c, ""), true
	case c.Has(target.AuthorizationCode):
		return v.driver.Redeem(c, madeUp, c.RedirectURI(target.AuthorizationCode), oauth.NewVerifier()), true
	case c.Public && !c.Has(target.RefreshToken):
		return oauth.Request{}, false
	}
	return v.driver.Refresh(c, madeUp, ""), true
}

// redirects asks for authorization with each registered redirect URI; it has to come to a sign-in, and not to a
// refusal. Nobody is signed in, so nothing is granted.
func (v *visitation) redirects(ctx context.Context) {
	for _, c := range v.target.Clients {
		for _, g := range []target.Grant{target.AuthorizationCode, target.Implicit} {
			uris := c.RedirectURIs
			if g == target.Implicit {
				uris = c.ImplicitRedirectURIs
			}
			if !c.Has(g) {
				continue
			}
			for _, uri := range uris {
				v.redirect(ctx, c, g, uri)
			}
		}
	}
}

func (v *visitation) redirect(ctx context.Context, c target.Client, g target.Grant, uri string) {
	of := fmt.Sprintf("redirect URI %s of %s", uri, c.Name)
	if !v.reached(of, v.target.Endpoints.Authorization) || v.unwritten(of, c.ID) {
		return
	}
	x := v.driver.Send(ctx, authorization(v.driver, v.target, c, g, uri))
	key := "clients." + c.Name
	where, _ := url.Parse(x.Location())
	l, back := x.Landing(uri)
	refusal := ""
	if back {
		refusal = l.Params().Get("error")
	} else if where != nil {
		refusal = where.Query().Get("error")
	}
	switch {
	case !x.Answered():
		v.away(of, "look into the server's log", "no answer: %v", x.Err)
	case refusal == "login_required" || refusal == "interaction_required" || refusal == "consent_required":
		v.well(of, "is taken; the server wants a sign-in (%s)", refusal)
	case (refusal != "" || x.Status >= 400) && v.barred(uri):
		v.skip(of, "is refused, as profile %s wants it of a redirect URI over plain http", v.target.Profile)
	case refusal != "":
		v.ill(of, "look at what the registration allows: the flow, the scopes, PKCE; and at scopes.default", "an authorization request for %s is refused: %s", g, refusal)
	case x.Status >= 400:
		page := oauth.Page{Status: x.Status, HTML: string(x.Body)}
		v.ill(of, "compare "+key+".id and the redirect URI with the registration, letter for letter", "an authorization request for %s is refused with a page (%d): %s", g, x.Status, page.Words())
	default:
		v.well(of, "is not refused before the sign-in (%s)", g)
	}
}

// barred reports whether the profile forbids the redirect URI: over plain http it may only lead to the machine itself.
func (v *visitation) barred(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" || v.target.Profile != "oauth-2.1" && v.target.Profile != "bcp-9700" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

// signIn starts the browser, and plays one sign-in of one user.
func (v *visitation) signIn(ctx context.Context) {
	agent := v.startBrowser(ctx)
	if agent == nil {
		agent = oauth.NewForms(v.target, v.driver)
	}
	defer func() { _ = agent.Close() }()
	const of = "sign-in"
	way, err := enter(v.driver, v.target, "")
	if err != nil {
		v.skip(of, "nobody signs in: no client has the grant authorization_code or implicit")
		return
	}
	user, err := person(v.target, "")
	switch {
	case v.flags.noSignIn:
		v.skip(of, "left out by --no-sign-in")
		return
	case err != nil:
		v.ill(of, "describe a test account under users:, with username and password", "the target file has no user who could sign in")
		return
	case !v.reached(of, v.target.Endpoints.Authorization) || v.unwritten(of, way.client.ID+user.Username):
		return
	}
	session, err := agent.Session(ctx)
	if err != nil {
		v.away(of, "start it again", "%v", err)
		return
	}
	defer func() { _ = session.Close() }()
	began := time.Now()
	l, err := session.Visit(ctx, oauth.Visit{URL: way.request.FullURL(), RedirectURIs: v.target.RedirectURIs(), User: &user, NoPicture: true})
	bad, mend := cameTo(v.target, way, l, err)
	if bad == "" {
		v.well(of, "%s gets through to the client %s by %s, in %s", user.Name, way.client.Name, agent.Product(), short(time.Since(began)))
		return
	}
	if unreached(l, err) {
		v.away(of, mend, "%s: %s", user.Name, bad)
		return
	}
	if !strings.Contains(mend, "sign_in_hosts") {
		mend = strings.TrimPrefix(mend+"; ", "; ") + "flowproof login" + v.named() + " shows each step"
	}
	v.ill(of, mend, "%s: %s", user.Name, bad)
}

// startBrowser says whether there is one; nil means that there is not.
func (v *visitation) startBrowser(ctx context.Context) oauth.UserAgent {
	const of = "browser"
	if v.flags.noBrowser {
		v.skip(of, "left out by --no-browser")
		return nil
	}
	path, named := v.flags.browser, true
	if path == "" {
		path, named = v.env("FLOWPROOF_BROWSER")
	}
	began := time.Now()
	b, err := browser.Start(ctx, v.target, browser.Options{
		Path: path, Tried: v.driver.Tried(), Redact: v.driver.Redactor().Text, Learn: v.driver.Redactor().Learn, Observe: v.driver.Report,
	})
	switch {
	case err == nil:
		note := ""
		if browser.Unconfined() {
			note = "; as root it runs without its own sandbox: check only servers that you trust, or run as another user"
		}
		v.well(of, "%s starts in %s%s", b.Product(), short(time.Since(began)), note)
		return b
	case named && path != "":
		v.away(of, "name one that starts, by --browser or FLOWPROOF_BROWSER", "%v", err)
	default:
		v.skip(of, "%v; without one what only a browser can prove is inconclusive", err)
	}
	return nil
}
