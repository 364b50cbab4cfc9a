package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"flowproof/peers/probe"
)

// These tests hold on to facts about the library itself that a conformance run reports. When one of them fails after
// an update, the library has changed, and so must the findings that are expected of it.

// RFC 6749 section 5.2: 400, except for a client that could not be authenticated.
func TestFactStatuses(t *testing.T) {
	b := probe.Start(t, newPeer)
	b.Token("service", url.Values{"grant_type": {"urn:x"}}).Refused(t, 401, "unsupported_grant_type")
	b.Token("service", url.Values{"scope": {"photos"}}).Refused(t, 401, "unsupported_grant_type") // not invalid_request
	b.Token("web", probe.Renewal("nonsense")).Refused(t, 401, "invalid_grant")
	b.Token("web", b.Redemption("web", "nonsense", "")).Refused(t, 401, "invalid_grant")
	wrong := b.Password("photos")
	wrong.Set("password", "wrong")
	b.Token("web", wrong).Refused(t, 401, "invalid_grant")

	r := b.Request("POST", tokenPath, probe.ClientCredentials().Encode())
	r.SetBasicAuth("nobody", "wrong")
	b.Do(r).Refused(t, 500, "server_error") // not invalid_client
	r = b.Request("POST", tokenPath, probe.ClientCredentials().Encode())
	r.SetBasicAuth(b.Client("service").ID, "wrong")
	got := b.Do(r)
	got.Refused(t, 401, "invalid_client")
	if got.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("header %v", got.Header)
	}
}

// Errors that the library does not translate: nothing is issued, and the answer is 500.
func TestFactServerErrors(t *testing.T) {
	b := probe.Start(t, newPeer)
	for what, form := range map[string]url.Values{
		"no verifier":              b.Redemption("web", b.Code("web", probe.Challenged()), ""),
		"a needless verifier":      b.Redemption("web", b.Code("web", nil), probe.Verifier),
		"a redirect URI elsewhere": {"grant_type": {"authorization_code"}, "code": {b.Code("web", nil)}, "redirect_uri": {"https://elsewhere.test/"}},
		"a refresh token for a code": b.Redemption("web",
			b.Token("web", b.Redemption("web", b.Code("web", nil), "")).Text(t, "refresh_token"), ""),
	} {
		t.Log(what)
		b.Token("web", form).Refused(t, 500, "server_error")
	}
}

// RFC 6749 section 6: whoever has a refresh token can use it.
func TestFactRefreshAsksForNobody(t *testing.T) {
	b := probe.Start(t, newPeer)
	refresh := b.Token("web", b.Password("photos profile")).Text(t, "refresh_token")
	for _, client := range []string{"web", "partner"} {
		r := b.Request("POST", tokenPath, probe.Renewal(refresh).Encode())
		r.SetBasicAuth(b.Client(client).ID, "wrong")
		refresh = b.Do(r).Want(t, 200).Text(t, "refresh_token")
	}

	// A narrower scope is that of the new refresh token, too.
	form := probe.Renewal(refresh)
	form.Set("scope", "photos")
	refresh = b.Token("web", form).Want(t, 200).Text(t, "refresh_token")
	if got := b.Token("web", probe.Renewal(refresh)).Want(t, 200).Text(t, "scope"); got != "photos" {
		t.Errorf("scope %q", got)
	}
}

// RFC 6749 sections 3.1.2.3 and 3.1.2.4: the end of the host is compared, and errors go wherever the request says.
func TestFactRedirectURIs(t *testing.T) {
	b := probe.Start(t, newPeer)
	for uri, issued := range map[string]bool{
		"https://app.acme.test/authorized/more":      true,
		"https://app.acme.test/":                     true,
		"http://app.acme.test/authorized":            true,
		"https://app.acme.test/authorized?more=1":    true,
		"https://anyapp.acme.test/authorized":        true,
		"https://any.app.acme.test/authorized":       true,
		"https://app.acme.test:8443/authorized":      false,
		"https://elsewhere.test/":                    false,
		"https://app.acme.test@elsewhere.test/":      false,
		"javascript:alert(1)":                        false,
		"https://app.acme.test.elsewhere.test/await": false,
	} {
		_, away := b.Authorize(b.Ask("web", "code", url.Values{"redirect_uri": {uri}}))
		if away == nil || !strings.HasPrefix(away.String(), strings.Split(uri, "?")[0]) {
			t.Errorf("%s: sent to %v", uri, away)
			continue
		}
		if got := away.Query(); got.Has("code") != issued || got.Has("error") == issued {
			t.Errorf("%s: %s", uri, away)
		}
	}
	_, away := b.Authorize(b.Ask("web", "code", url.Values{"client_id": {"nobody"}, "redirect_uri": {"https://elsewhere.test/"}}))
	if away == nil || away.Query().Get("error") != "server_error" {
		t.Errorf("an unknown client: %v", away)
	}
}

// RFC 6749 sections 4.1.2.1 and 4.2.2.1: these errors are for the client, and are left to a page.
func TestFactErrorsThatAreShown(t *testing.T) {
	b := probe.Start(t, newPeer)
	for _, more := range []url.Values{
		{"response_type": {"telepathy"}}, {"response_type": {"Code"}}, {"response_type": {""}},
		{"code_challenge": {probe.S256(probe.Verifier)}, "code_challenge_method": {"S512"}}, {"code_challenge": {"short"}},
	} {
		got := b.Get(authorizePath + "?" + b.Ask("web", "code", more).Encode())
		if got.Status != http.StatusBadRequest || got.Header.Get("Location") != "" {
			t.Errorf("%v: %d", more, got.Status)
		}
	}
}

// RFC 6749 section 4.2.2: the exact value of the state.
func TestFactStateInTheFragment(t *testing.T) {
	b := probe.Start(t, newPeer)
	_, away := b.Authorize(b.Ask("spa", "token", url.Values{"state": {"a&error=b"}}))
	members, err := url.ParseQuery(away.EscapedFragment())
	if err != nil || members.Get("state") != "a" || members.Get("error") != "b" {
		t.Errorf("members %v, %v", members, err)
	}
}

// RFC 6749 sections 2.3 and 3.2: the first of two values, the header before the body, the URL as good as the body.
func TestFactWhatIsRead(t *testing.T) {
	b := probe.Start(t, newPeer)
	form := probe.ClientCredentials()
	form["scope"] = []string{"profile", "photos"}
	form.Set("client_id", b.Client("partner").ID)
	form.Set("client_secret", "wrong")
	if got := b.Token("web", form).Want(t, 200).Text(t, "scope"); got != "profile" {
		t.Errorf("scope %q", got)
	}
	service := b.Client("service")
	query := url.Values{"grant_type": {"client_credentials"}, "client_id": {service.ID}, "client_secret": {service.Secret}}
	b.Submit(tokenPath+"?"+query.Encode(), nil).Want(t, 200)
	b.Get(tokenPath+"?"+query.Encode()).Refused(t, 400, "invalid_request")

	special := b.Client("special")
	r := b.Request("POST", tokenPath, probe.ClientCredentials().Encode())
	r.SetBasicAuth(special.ID, special.Secret) // not form-encoded, as RFC 6749 section 2.3.1 has it
	b.Do(r).Want(t, 200)
	b.Token("special", probe.ClientCredentials()).Refused(t, 401, "invalid_client")
}

// RFC 7636 section 4.1: the verifier is compared and not looked at.
func TestFactShortVerifier(t *testing.T) {
	b := probe.Start(t, newPeer)
	const short = "ten-or-so!"
	code := b.Code("native", url.Values{"code_challenge": {probe.S256(short)}, "code_challenge_method": {"S256"}})
	b.Token("native", b.Redemption("native", code, short)).Want(t, 200)
}

// RFC 6750 section 5.3: an hour at most.
func TestFactLifetimes(t *testing.T) {
	b := probe.Start(t, newPeer)
	if got := b.Token("service", probe.ClientCredentials()).JSON(t)["expires_in"]; got != 7200.0 {
		t.Errorf("%v seconds", got)
	}
	// RFC 6749 section 3.3: a default scope or invalid_scope; here nothing at all.
	if got := b.Token("service", probe.ClientCredentials()).JSON(t); got["scope"] != nil {
		t.Errorf("scope %v", got["scope"])
	}
}

func TestResources(t *testing.T) {
	b := probe.Start(t, newPeer)
	granted := b.Token("web", b.Password("profile"))
	access := granted.Text(t, "access_token")
	if got := b.Resource("/userinfo", access).Want(t, 200).Text(t, "sub"); got != b.User("alice").Subject {
		t.Errorf("user %q", got)
	}
	b.Resource("/api/scoped", access).Refused(t, 403, "insufficient_scope")
	b.Resource("/api/any", granted.Text(t, "refresh_token")).Refused(t, 401, "invalid_token")
	own := b.Token("service", probe.ClientCredentials()).Text(t, "access_token")
	b.Resource("/userinfo", own).Refused(t, 403, "insufficient_scope")
}

// What the library asks the application is answered from the registration.
func TestRegistrationIsKept(t *testing.T) {
	b := probe.Start(t, newPeer)
	form := probe.ClientCredentials()
	b.Token("codeonly", form).Refused(t, 401, "unauthorized_client")
	form.Set("scope", "photos")
	b.Token("limited", form).Refused(t, 400, "invalid_scope")
	form.Set("scope", "admin")
	b.Token("service", form).Refused(t, 400, "invalid_scope")
	_, away := b.Authorize(b.Ask("web", "code", url.Values{"scope": {"admin"}}))
	if away == nil || away.Query().Get("error") != "invalid_scope" {
		t.Errorf("sent to %v", away)
	}
	_, away = b.Authorize(b.Ask("web", "code", url.Values{"response_type": {"token"}}))
	if away == nil || !strings.Contains(away.Fragment, "unauthorized_client") {
		t.Errorf("sent to %v", away)
	}
}
