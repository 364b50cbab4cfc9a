package probe

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// Facts finds out what is true of a peer: two dozen requirements, each by a few raw requests.
func Facts(b *Bench) (facts []Fact) {
	for _, one := range []struct {
		requirement string
		probe       func(*probing)
	}{
		{"RFC6749-4.1.2-code-single-use", codeUsedTwice},
		{"RFC6749-4.1.2-replay-revokes-tokens", replayRevokes},
		{"RFC6749-4.1.3-code-bound-to-client", codeOfAnother},
		{"RFC6749-4.1.3-redirect-uri-identical", otherRedirectURI},
		{"RFC6749-4.1.2-state-exact", stateExact},
		{"RFC6749-4.1.2.1-access-denied", denied},
		{"RFC6749-3.1.2.4-foreign-host-no-redirect", foreignHost},
		{"RFC9700-2.1-path-exact", pathExact},
		{"RFC6749-4.1.2.1-bad-client-no-redirect", unknownClient},
		{"RFC7636-4.6-wrong-verifier", wrongVerifier},
		{"RFC7636-4.5-missing-verifier", missingVerifier},
		{"RFC9700-4.8.2-verifier-without-challenge", needlessVerifier},
		{"RFC6749-5.2-basic-failure-401", wrongSecret},
		{"RFC6749-5.2-basic-failure-challenge", challenged},
		{"RFC6749-2.3.1-secret-not-in-uri", secretInURL},
		{"RFC6749-3.2-get-refused", tokenByGet},
		{"RFC6749-3.2-duplicate-param", parameterTwice},
		{"RFC6749-5.2-unsupported-grant-type", unknownGrant},
		{"RFC6749-5.1-cache-control", notStored},
		{"RFC6749-7.1-token-type-bearer", bearer},
		{"RFC6749-4.4.3-no-refresh-token", noRefreshToken},
		{"RFC6749-3.3-scope-not-escalated", forbiddenScope},
		{"RFC6749-6-rotated-token-refused", rotated},
		{"RFC6749-6-bound-to-client", refreshOfAnother},
		{"RFC6749-6-client-auth-required", refreshWithoutSecret},
		{"RFC6749-6-scope-widening-refused", wideningRefused},
		{"RFC6749-4.2.2-fragment-not-query", tokenInFragment},
		{"RFC7009-2-refresh-token-revoked", revoked},
	} {
		p := &probing{Bench: b, fact: Fact{Requirement: one.requirement}}
		one.probe(p)
		facts = append(facts, p.fact)
	}
	return facts
}

// offline are parameters with which a refresh token is issued.
func (b *Bench) offline() url.Values {
	return url.Values{"scope": {strings.TrimSpace("photos profile " + b.Target.Refresh.Scope)}}
}

// tokens has alice authorize web, and redeems the code.
func (p *probing) tokens() (granted Answer, code string) {
	code = p.Code("web", p.offline())
	return p.Token("web", p.Redemption("web", code, "")), code
}

func (p *probing) alive(granted Answer) bool {
	return p.Resource("/api/any", granted.Text(p.T, "access_token")).Status == http.StatusOK
}

func codeUsedTwice(p *probing) {
	granted, code := p.tokens()
	p.holds(granted.issued(), "the first redemption: %s", granted.Body)
	p.refused("the second redemption", p.Token("web", p.Redemption("web", code, "")), 400, "invalid_grant")
}

func replayRevokes(p *probing) {
	granted, code := p.tokens()
	p.Token("web", p.Redemption("web", code, ""))
	p.holds(!p.alive(granted), "the access token of a code that was used twice works")
}

func codeOfAnother(p *probing) {
	p.refused("another confidential client", p.Token("partner", p.Redemption("web", p.Code("web", nil), "")), 0, "invalid_grant")
	for _, public := range []string{"native", "mobile"} {
		p.refused(public, p.Token(public, p.Redemption("web", p.Code("web", Challenged()), Verifier)), 0, "invalid_grant")
	}
}

func otherRedirectURI(p *probing) {
	for _, uri := range []string{"https://app.acme.test/other", p.Client("web").RedirectURIs[0] + "/"} {
		form := p.Redemption("web", p.Code("web", nil), "")
		form.Set("redirect_uri", uri)
		p.refused(uri, p.Token("web", form), 0, "invalid_grant")
	}
}

func stateExact(p *probing) {
	for _, state := range []string{"a+b&error=c", "100 %25 = é", `"quoted"/?#[]`} {
		_, away := p.Authorize(p.Ask("web", "code", url.Values{"state": {state}}))
		p.holds(away != nil && away.Query().Get("state") == state, "state %q, code: %s", state, away)
		if p.Client("spa").ID == "" {
			continue
		}
		_, away = p.Authorize(p.Ask("spa", "token", url.Values{"state": {state}}))
		members := url.Values{}
		if away != nil {
			members, _ = url.ParseQuery(away.EscapedFragment())
		}
		p.holds(members.Get("state") == state, "state %q, token: %s", state, away)
	}
}

func denied(p *probing) {
	away := p.Decide(p.Consent("alice", p.Ask("web", "code", nil)), "cancel")
	q := away.Query()
	p.holds(q.Get("error") == "access_denied" && q.Get("state") == State && !q.Has("code"), "after cancelling: %s", away)
}

func (p *probing) staysHere(what string, q url.Values) {
	if _, away := p.Authorize(q); away != nil {
		p.is(Broken, "%s: sent to %s", what, away)
	}
}

func foreignHost(p *probing) {
	p.staysHere("a foreign host", p.Ask("web", "code", url.Values{"redirect_uri": {"https://elsewhere.test/authorized"}}))
}

func pathExact(p *probing) {
	registered := p.Client("web").RedirectURIs[0]
	for _, uri := range []string{registered + "/more", registered + "/", registered + "d", strings.ToUpper(registered[:len(registered)-1]) + "D"} {
		p.staysHere(uri, p.Ask("web", "code", url.Values{"redirect_uri": {uri}}))
	}
}

func unknownClient(p *probing) {
	p.staysHere("an unknown client", p.Ask("web", "code", url.Values{"client_id": {"nobody"}}))
}

func wrongVerifier(p *probing) {
	for _, client := range []string{"web", "native"} {
		form := p.Redemption(client, p.Code(client, Challenged()), strings.Repeat("wrong", 10))
		p.refused(client, p.Token(client, form), 400, "invalid_grant")
	}
}

// missingVerifier tries twice: what is refused once may have been forgotten the second time.
func missingVerifier(p *probing) {
	for _, client := range []string{"web", "native"} {
		form := p.Redemption(client, p.Code(client, Challenged()), "")
		p.refused(client, p.Token(client, form), 0, "invalid_grant", "invalid_request")
		if again := p.Token(client, form); again.issued() {
			p.is(Broken, "%s, the second time: %s", client, again.Body)
		}
	}
}

func needlessVerifier(p *probing) {
	form := p.Redemption("web", p.Code("web", nil), Verifier)
	p.refused("a verifier without a challenge", p.Token("web", form), 0, "invalid_grant", "invalid_request")
}

// stranger asks for a token as service, with that secret.
func (p *probing) stranger(secret string) Answer {
	r := p.Request("POST", p.Target.Endpoints.Token, ClientCredentials().Encode())
	r.SetBasicAuth(p.Client("service").ID, secret)
	return p.Do(r)
}

func wrongSecret(p *probing) {
	p.refused("a wrong secret", p.stranger("wrong"), 401, "invalid_client")
}

func challenged(p *probing) {
	got := p.stranger("wrong").Header.Get("WWW-Authenticate")
	p.holds(strings.HasPrefix(strings.ToLower(got), "basic realm="), "WWW-Authenticate: %s", got)
}

func secretInURL(p *probing) {
	service := p.Client("service")
	query := url.Values{"client_id": {service.ID}, "client_secret": {service.Secret}}
	p.holds(!p.Submit(p.Target.Endpoints.Token+"?"+query.Encode(), ClientCredentials()).issued(), "a token for a secret in the URL")
}

func tokenByGet(p *probing) {
	service := p.Client("service")
	r := p.Request("GET", p.Target.Endpoints.Token+"?"+ClientCredentials().Encode(), "")
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(service.ID+":"+service.Secret)))
	p.holds(!p.Do(r).issued(), "a token for a GET")
}

func parameterTwice(p *probing) {
	form := ClientCredentials()
	form["scope"] = []string{"photos", "profile"}
	p.refused("two scopes", p.Token("service", form), 400, "invalid_request")
}

func unknownGrant(p *probing) {
	p.refused("an unknown grant", p.Token("service", url.Values{"grant_type": {"telepathy"}}), 400, "unsupported_grant_type")
}

// own is a token of service's own.
func (p *probing) own() Answer {
	form := ClientCredentials()
	form.Set("scope", "photos")
	return p.Token("service", form)
}

func notStored(p *probing) {
	got := p.own().Header.Get("Cache-Control")
	p.holds(strings.Contains(got, "no-store"), "Cache-Control: %s", got)
}

func bearer(p *probing) {
	got := p.own().Text(p.T, "token_type")
	p.holds(strings.EqualFold(got, "bearer"), "token_type %q", got)
}

func noRefreshToken(p *probing) {
	_, has := p.own().JSON(p.T)["refresh_token"]
	p.holds(!has, "a refresh token for a client on its own account")
}

func forbiddenScope(p *probing) {
	form := ClientCredentials()
	form.Set("scope", "admin")
	got := p.Token("service", form)
	p.holds(!strings.Contains(got.Text(p.T, "scope"), "admin"), "granted: %s", got.Body)
}

func rotated(p *probing) {
	granted, _ := p.tokens()
	form := Renewal(granted.Text(p.T, "refresh_token"))
	next := p.Token("web", form)
	p.holds(next.issued() && next.Text(p.T, "refresh_token") != form.Get("refresh_token"), "the refresh: %s", next.Body)
	p.holds(!p.Token("web", form).issued(), "a refresh token that was replaced works")
}

func refreshOfAnother(p *probing) {
	for _, client := range []string{"partner", "native"} {
		granted, _ := p.tokens()
		p.refused(client, p.Token(client, Renewal(granted.Text(p.T, "refresh_token"))), 0, "invalid_grant")
	}
}

func refreshWithoutSecret(p *probing) {
	web := p.Client("web")
	for what, more := range map[string]url.Values{
		"no credentials": {}, "the identifier alone": {"client_id": {web.ID}}, "a wrong secret": {"client_id": {web.ID}, "client_secret": {"wrong"}},
	} {
		granted, _ := p.tokens()
		form := Renewal(granted.Text(p.T, "refresh_token"))
		for name, values := range more {
			form[name] = values
		}
		p.refused(what, p.Submit(p.Target.Endpoints.Token, form), 0, "invalid_client")
	}
}

func wideningRefused(p *probing) {
	granted, _ := p.tokens()
	form := Renewal(granted.Text(p.T, "refresh_token"))
	form.Set("scope", "photos profile notes")
	got := p.Token("web", form)
	if scope, _ := got.Members()["scope"].(string); got.issued() && (scope == "" || strings.Contains(scope, "notes")) {
		p.is(Broken, "a wider scope: %s", got.Body)
	}
}

func tokenInFragment(p *probing) {
	if !p.offered("spa", "implicit") {
		return
	}
	_, away := p.Authorize(p.Ask("spa", "token", nil))
	p.holds(away != nil && away.RawQuery == "" && strings.Contains(away.Fragment, "access_token="), "sent to %s", away)
}

func revoked(p *probing) {
	if p.Target.Endpoints.Revocation == "" {
		p.is(NotOffered, "there is no revocation endpoint")
		return
	}
	granted, _ := p.tokens()
	refresh := granted.Text(p.T, "refresh_token")
	p.holds(p.Post(p.Target.Endpoints.Revocation, "web", url.Values{"token": {refresh}}).Status == http.StatusOK, "the revocation is refused")
	p.holds(!p.Token("web", Renewal(refresh)).issued(), "a refresh token that was revoked works")
}
