package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"flowproof/peers/probe"
	"flowproof/peers/stand"
)

// These tests hold on to facts about the library itself that a conformance run reports. When one of them fails after
// an update, the library has changed, and so must the findings that are expected of it.

func start(t testing.TB, signed bool) *probe.Bench {
	t.Helper()
	return probe.Start(t, func(base string) (stand.Peer, error) { return newPeer(base, signed) })
}

// offline is a scope with which a refresh token comes.
func offline() url.Values { return url.Values{"scope": {"photos profile offline_access"}} }

// RFC 6749 sections 2.3.1 and 3.2: a POST, and everything in its body, once.
func TestFactWhatIsRead(t *testing.T) {
	b := start(t, false)
	service := b.Client("service")
	query := url.Values{"grant_type": {"client_credentials"}, "client_id": {service.ID}, "client_secret": {service.Secret}}
	b.Get(tokenPath+"?"+query.Encode()).Want(t, 200)
	b.Submit(tokenPath+"?"+query.Encode(), nil).Want(t, 200)

	form := probe.ClientCredentials()
	form["scope"] = []string{"profile", "photos"}
	if got := b.Token("service", form).Want(t, 200).Text(t, "scope"); got != "photos" {
		t.Errorf("scope %q", got)
	}
	r := b.Request("POST", tokenPath, probe.ClientCredentials().Encode()+"&x=%ZZ")
	r.SetBasicAuth(service.ID, service.Secret)
	b.Do(r).Want(t, 200)
}

// RFC 6749 section 2.3: one method. Client credentials are not held to it, codes are.
func TestFactTwoAuthenticationMethods(t *testing.T) {
	b := start(t, false)
	form := probe.ClientCredentials()
	form.Set("client_id", b.Client("partner").ID)
	form.Set("client_secret", "wrong")
	b.Token("web", form).Want(t, 200)
	form = b.Redemption("web", b.Code("web", nil), "")
	form.Set("client_id", b.Client("partner").ID)
	form.Set("client_secret", "wrong")
	b.Token("web", form).Refused(t, 400, "invalid_request")
}

// RFC 6749 sections 5.1 and 5.2.
func TestFactAnswers(t *testing.T) {
	b := start(t, false)
	if got := b.Token("service", probe.ClientCredentials()).Want(t, 200).Header; got.Get("Cache-Control")+got.Get("Pragma") != "" {
		t.Errorf("header %v", got)
	}
	b.Token("service", url.Values{"grant_type": {"urn:x"}}).Refused(t, 400, "unsupported_grant_type")
	b.Token("service", url.Values{"x": {"y"}}).Refused(t, 400, "invalid_request")
	b.Token("web", probe.Renewal("nonsense")).Refused(t, 400, "invalid_grant")
	r := b.Request("POST", tokenPath, probe.ClientCredentials().Encode())
	r.SetBasicAuth(b.Client("service").ID, "wrong")
	got := b.Do(r)
	got.Refused(t, 401, "invalid_client")
	if got.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("header %v", got.Header)
	}
	// An unknown client is invalid_client, but not with a refresh token.
	form := probe.Renewal("nonsense")
	b.Submit(tokenPath, form).Refused(t, 500, "server_error")
	form.Set("client_id", "nobody")
	b.Submit(tokenPath, form).Refused(t, 500, "server_error")
	b.Submit(tokenPath, url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"nobody"}, "code": {b.Code("web", nil)}, "redirect_uri": {"https://app.acme.test/authorized"},
	}).Refused(t, 401, "invalid_client")
}

// RFC 6749 sections 3.1 and 3.2: an empty parameter is one that was left out.
func TestFactEmptyScope(t *testing.T) {
	b := start(t, false)
	refresh := b.Token("web", b.Redemption("web", b.Code("web", offline()), "")).Text(t, "refresh_token")
	form := probe.Renewal(refresh)
	form.Set("scope", "")
	b.Token("web", form).Refused(t, 400, "invalid_scope")
	b.Token("web", probe.Renewal(refresh)).Want(t, 200)

	q := b.Ask("web", "code", url.Values{"scope": {""}})
	if _, away := b.Authorize(q); away == nil || !away.Query().Has("code") {
		t.Errorf("an empty scope: sent to %v", away)
	}
	q.Del("scope")
	if _, away := b.Authorize(q); away == nil || away.Query().Get("error") != "invalid_request" {
		t.Errorf("no scope: sent to %v", away)
	}
}

// RFC 6749 section 3.3: what is granted is told when it is not what was asked for; nothing is nothing to tell, here.
func TestFactScopesDropped(t *testing.T) {
	b := start(t, false)
	for asked, told := range map[string]any{"admin photos": "photos", "admin": nil} {
		code := b.Code("web", url.Values{"scope": {asked}})
		if got := b.Token("web", b.Redemption("web", code, "")).Want(t, 200).JSON(t)["scope"]; got != told {
			t.Errorf("%s: %v", asked, got)
		}
	}
}

// RFC 8252 section 7.3: the port may differ. Here everything may but the path and the query.
func TestFactLoopback(t *testing.T) {
	b := start(t, false)
	for uri, accepted := range map[string]bool{
		"http://127.0.0.1:9999/callback":         true,
		"https://127.0.0.1:9999/callback":        true,
		"http://localhost:7777/callback":         true,
		"http://127.0.0.2:7777/callback":         true,
		"http://[::1]:7777/callback":             true,
		"http://x@127.0.0.1:7777/callback":       true,
		"http://127.0.0.1:7777/callback#x":       true,
		"http://127.0.0.1:7777/callback/":        false,
		"http://127.0.0.1:7777/callback?x=1":     false,
		"http://127.0.0.1.elsewhere.test/":       false,
		"http://elsewhere.test:7777/callback":    false,
		"com.example:/127.0.0.1:7777/callback":   false,
		"http://127.0.0.1@elsewhere.test/x":      false,
		"https://127.0.0.1:7777/../callback/../": false,
	} {
		got := b.Get(authorizePath + "?" + b.Ask("mobile", "code", url.Values{"redirect_uri": {uri}}).Encode())
		if (got.Status == http.StatusFound) != accepted {
			t.Errorf("%s: %d", uri, got.Status)
		}
	}
}

// RFC 7636 section 4.4.1: told at the authorization endpoint. Here a code comes, and cannot be redeemed.
func TestFactChallengeDemandedLate(t *testing.T) {
	b := start(t, false)
	b.Token("mobile", b.Redemption("mobile", b.Code("mobile", nil), "")).Refused(t, 400, "invalid_request")
}

// RFC 7636 sections 4.1 and 4.2: neither the verifier nor the challenge is looked at.
func TestFactSyntaxOfPKCE(t *testing.T) {
	b := start(t, false)
	const short = "ten-or-so!"
	code := b.Code("native", url.Values{"code_challenge": {probe.S256(short)}, "code_challenge_method": {"S256"}})
	b.Token("native", b.Redemption("native", code, short)).Want(t, 200)
	b.Code("native", url.Values{"code_challenge": {"x"}, "code_challenge_method": {"S256"}})
	code = b.Code("native", url.Values{"code_challenge": {probe.Verifier}, "code_challenge_method": {"plain"}})
	b.Token("native", b.Redemption("native", code, probe.Verifier)).Want(t, 200)
	methods, _ := b.Get(b.Target.Endpoints.Metadata).JSON(t)["code_challenge_methods_supported"].([]any)
	if len(methods) != 1 || methods[0] != "S256" {
		t.Errorf("methods %v", methods)
	}
}

// OAuth 2.1 section 7.5.2: a replay that could not have succeeded should harm nobody. Here nobody knows whose it was.
func TestFactForeignReplayRevokes(t *testing.T) {
	b := start(t, false)
	code := b.Code("web", offline())
	access := b.Token("web", b.Redemption("web", code, "")).Text(t, "access_token")
	b.Submit(tokenPath, url.Values{"grant_type": {"authorization_code"}, "code": {code}}).Refused(t, 400, "invalid_grant")
	b.Resource(stand.AnyPath, access).Refused(t, 401, "invalid_token")
}

// RFC 9700 section 2.6: no CORS at the authorization endpoint.
func TestFactCORSEverywhere(t *testing.T) {
	b := start(t, false)
	for _, path := range []string{authorizePath, authorizePath + "/callback", tokenPath, revokePath, introspectPath, jwksPath} {
		r := b.Request("GET", path, "")
		r.Header.Set("Origin", "https://elsewhere.test")
		got := b.Do(r).Header
		if got.Get("Access-Control-Allow-Origin") != "https://elsewhere.test" || got.Get("Access-Control-Allow-Credentials") != "true" {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// RFC 6750 section 3: 401 has a challenge, and a token that is no longer valid gets 401.
func TestFactUserinfo(t *testing.T) {
	b := start(t, false)
	for _, got := range []probe.Answer{b.Get(stand.UserPath), b.Resource(stand.UserPath, "nonsense")} {
		if got.Want(t, 401).Header.Get("WWW-Authenticate") != "" {
			t.Errorf("header %v", got.Header)
		}
	}
	access := b.Token("web", b.Redemption("web", b.Code("web", nil), "")).Text(t, "access_token")
	b.Post(revokePath, "web", url.Values{"token": {access}}).Want(t, 200)
	b.Resource(stand.UserPath, access).Refused(t, 403, "invalid_token")
}

// RFC 7009 section 2.1: a hint may be wrong. A refresh token that is hinted as an access token is deciphered as one,
// without anything that tells a right key from a wrong one: when what comes out has one colon, which is so for one in
// a dozen of these tokens, its halves are revoked instead.
func TestFactHintTrustedByChance(t *testing.T) {
	b := start(t, false)
	ended, lived := 0, 0
	for range 300 {
		refresh := b.Token("web", b.Redemption("web", b.Code("web", offline()), "")).Text(t, "refresh_token")
		b.Post(revokePath, "web", url.Values{"token": {refresh}, "token_type_hint": {"access_token"}}).Want(t, 200)
		if b.Token("web", probe.Renewal(refresh)).Status == 200 {
			lived++
		} else {
			ended++
		}
	}
	if lived == 0 || ended < lived {
		t.Errorf("%d ended, %d lived", ended, lived)
	}
	t.Logf("%d ended, %d lived", ended, lived)
}

// RFC 7662 section 2.1: a POST; and a refresh token is not known here, alive as it is.
func TestFactIntrospection(t *testing.T) {
	b := start(t, false)
	granted := b.Token("web", b.Redemption("web", b.Code("web", offline()), ""))
	service := b.Client("service")
	r := b.Request("GET", introspectPath+"?"+url.Values{"token": {granted.Text(t, "access_token")}}.Encode(), "")
	r.SetBasicAuth(service.ID, service.Secret)
	if got := b.Do(r).Want(t, 200).JSON(t); got["active"] != true || got["sub"] != b.User("alice").Subject {
		t.Errorf("by GET: %v", got)
	}
	if got := b.Post(introspectPath, "web", url.Values{"token": {granted.Text(t, "refresh_token")}}).JSON(t); got["active"] != false {
		t.Errorf("a refresh token: %v", got)
	}
	if got := b.Submit(introspectPath, url.Values{"token": {"x"}}).Want(t, 401).Header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
		t.Errorf("content type %q", got)
	}
}
