package main

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"flowproof/peers/probe"
)

// These tests hold on to facts about fosite itself that a conformance run reports. When one of them fails after
// an update, fosite has changed, and so must the findings that are expected of it.

// RFC 7636 section 4.6: fosite forgets the challenge before it compares the probe.Verifier, and keeps the code.
func TestFactWrongVerifierForgetsTheChallenge(t *testing.T) {
	b := start(t, options{pkceForPublic: true})
	code := b.Code("web", challenge("S256"))
	b.Token("web", b.Redemption("web", code, strings.Repeat("wrong", 10))).Refused(t, 400, "invalid_grant")
	b.Token("web", b.Redemption("web", code, "")).Want(t, http.StatusOK)

	code = b.Code("web", challenge("S256"))
	b.Token("web", b.Redemption("web", code, "")).Refused(t, 400, "invalid_grant")
	b.Token("web", b.Redemption("web", code, "")).Want(t, http.StatusOK)

	code = b.Code("native", challenge("S256"))
	b.Token("native", b.Redemption("native", code, strings.Repeat("wrong", 10))).Refused(t, 400, "invalid_grant")
	b.Token("native", b.Redemption("native", code, "")).Refused(t, 400, "invalid_request")

	b = start(t, options{})
	code = b.Code("native", challenge("S256"))
	b.Token("native", b.Redemption("native", code, "")).Refused(t, 400, "invalid_grant")
	b.Token("native", b.Redemption("native", code, "")).Want(t, http.StatusOK)
}

// RFC 6749 section 5.2: 401 to a client that used Basic needs a challenge.
func TestFactNoChallengeForClients(t *testing.T) {
	b := start(t, options{})
	for _, path := range []string{tokenPath, introspectPath, revokePath} {
		r := b.Request("POST", path, "grant_type=client_credentials&token=x")
		r.SetBasicAuth(b.Client("service").ID, "wrong")
		got := b.Do(r).Want(t, http.StatusUnauthorized)
		if got.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %v", path, got.Header)
		}
	}
}

func TestFactErrorCodes(t *testing.T) {
	b := start(t, options{pkceForPublic: true})
	service := b.Client("service")
	b.Token("service", url.Values{"grant_type": {"urn:x"}}).Refused(t, 400, "invalid_request")              // not unsupported_grant_type
	b.Token("service", url.Values{"grant_type": {"Client_Credentials"}}).Refused(t, 400, "invalid_request") // nor here
	b.Token("spa", probe.ClientCredentials()).Refused(t, 400, "invalid_grant")                              // not unauthorized_client
	b.Submit(tokenPath, probe.ClientCredentials()).Refused(t, 400, "invalid_request")                       // not invalid_client
	b.Get(tokenPath).Refused(t, 400, "invalid_request")                                                     // not 405

	r := b.Request("POST", introspectPath, "token=x")
	r.SetBasicAuth(service.ID, "wrong")
	b.Do(r).Refused(t, 401, "request_unauthorized") // not a registered code
	body := url.Values{"token": {"x"}, "client_id": {service.ID}, "client_secret": {service.Secret}}
	b.Submit(introspectPath, body).Refused(t, 401, "request_unauthorized") // Basic or Bearer only
	if got := b.Post(introspectPath, "service", url.Values{"x": {"y"}}).Want(t, 200).JSON(t); got["active"] != false {
		t.Errorf("introspection without a token: %v", got)
	}
}

// RFC 6749 sections 3.1 and 3.2: no parameter twice. Fosite takes the first.
func TestFactDuplicateParameters(t *testing.T) {
	b := start(t, options{})
	form := probe.ClientCredentials()
	form["grant_type"] = []string{"client_credentials", "password"}
	form["scope"] = []string{"profile", "photos"}
	if got := b.Token("service", form).Want(t, 200).Text(t, "scope"); got != "profile" {
		t.Errorf("scope %q", got)
	}
	q := b.Ask("web", "code", url.Values{"state": {probe.State, "another-state"}, "scope": {"profile", "photos"}})
	if got := b.Decide(b.Consent("alice", q), "accept").Query()["state"]; len(got) != 1 || got[0] != probe.State {
		t.Errorf("state %q", got)
	}
	web := b.Client("web")
	q = b.Ask("web", "code", url.Values{"redirect_uri": {web.RedirectURIs[0], "https://evil.test/"}, "client_id": {web.ID, b.Client("partner").ID}})
	if got := b.Decide(b.Consent("alice", q), "accept"); got.Host != "app.acme.test" || got.Query().Get("code") == "" {
		t.Errorf("landing %s", got)
	}
}

// RFC 6749 section 2.3: no two authentication methods. Basic wins, the body is not looked at.
func TestFactTwoAuthenticationMethods(t *testing.T) {
	b := start(t, options{})
	for _, secret := range []string{b.Client("partner").Secret, "wrong"} {
		form := probe.ClientCredentials()
		form.Set("client_id", b.Client("partner").ID)
		form.Set("client_secret", secret)
		access := b.Token("web", form).Want(t, 200).Text(t, "access_token")
		about := b.Post(introspectPath, "service", url.Values{"token": {access}}).Text(t, "client_id")
		if about != b.Client("web").ID {
			t.Errorf("a token for %s", about)
		}
	}
}

// RFC 6749 section 3.2: a form only. Fosite reads multipart bodies too, and what it could decode of a broken one.
func TestFactBodies(t *testing.T) {
	b := start(t, options{})
	send := func(kind, body string) probe.Answer {
		r := b.Request("POST", tokenPath, body)
		r.Header.Set("Content-Type", kind)
		r.SetBasicAuth(b.Client("service").ID, b.Client("service").Secret)
		return b.Do(r)
	}
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	if err := parts.WriteField("grant_type", "client_credentials"); err != nil {
		t.Fatal(err)
	}
	if err := parts.Close(); err != nil {
		t.Fatal(err)
	}
	send(parts.FormDataContentType(), body.String()).Want(t, 200)
	send("application/x-www-form-urlencoded", "grant_type=client_credentials&x=%ZZ").Want(t, 200)
	send("application/x-www-form-urlencoded", "grant_type=client_credentials&x=%00%ff").Want(t, 200)
	send("application/json", `{"grant_type":"client_credentials"}`).Refused(t, 400, "invalid_request")
}

// RFC 6749 section 3.3: a default scope or invalid_scope. Fosite grants none at all and says so with "".
func TestFactNoScope(t *testing.T) {
	b := start(t, options{})
	got := b.Token("service", probe.ClientCredentials()).Want(t, 200).JSON(t)
	if scope, present := got["scope"]; !present || scope != "" {
		t.Errorf("scope %v", got["scope"])
	}
	landing := b.Decide(b.Consent("alice", b.Ask("web", "code", url.Values{"scope": {""}})), "accept")
	if scope, present := landing.Query()["scope"]; !present || scope[0] != "" {
		t.Errorf("landing %s", landing)
	}
}

// RFC 6749 section 6: a narrower scope may be asked for. Fosite grants the old one and says so.
func TestFactRefreshIgnoresScope(t *testing.T) {
	b := start(t, options{})
	refresh := b.Token("web", b.Password("photos profile offline")).Text(t, "refresh_token")
	for _, scope := range []string{"photos", "photos notes", "admin"} {
		got := b.Token("web", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "scope": {scope}}).Want(t, 200)
		if got.Text(t, "scope") != "photos profile offline" {
			t.Errorf("scope %q", got.Text(t, "scope"))
		}
		refresh = got.Text(t, "refresh_token")
	}
}

// RFC 6749 section 5.2: an invalid refresh token is invalid_grant. With its first half changed it is invalid_request.
func TestFactChangedRefreshToken(t *testing.T) {
	b := start(t, options{})
	refresh := b.Token("web", b.Password("photos offline")).Text(t, "refresh_token")
	changed := []byte(refresh)
	changed[12] = 'A' + (changed[12]-'A'+1)%26
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {string(changed)}}
	b.Token("web", form).Refused(t, 400, "invalid_request")
	form.Set("refresh_token", refresh[:len(refresh)-10])
	b.Token("web", form).Refused(t, 400, "invalid_grant")
	form.Set("refresh_token", strings.TrimPrefix(refresh, "ory_rt_")) // the prefix may be left out
	b.Token("web", form).Want(t, 200)
}

// RFC 6749 sections 4.1.2.1 and 4.2.2.1: most errors come before fosite knows that an answer belongs in the fragment,
// a state is compulsory, and its error code is fosite's own.
func TestFactErrorsOfTheAuthorizationEndpoint(t *testing.T) {
	b := start(t, options{pkceForPublic: true})
	for _, c := range []struct {
		name, client, kind string
		more               url.Values
		code               string
		fragment           bool
	}{
		{"an unknown scope, implicit", "spa", "token", url.Values{"scope": {"admin"}}, "invalid_scope", false},
		{"code asked of an implicit client", "spa", "token", url.Values{"response_type": {"code"}}, "unsupported_response_type", false},
		{"token asked of a code client", "web", "code", url.Values{"response_type": {"token"}}, "unsupported_response_type", false},
		{"no response type", "web", "code", url.Values{"response_type": {""}}, "unsupported_response_type", false},
		{"no state, implicit", "spa", "token", url.Values{"state": {""}}, "invalid_state", true},
		{"no state", "web", "code", url.Values{"state": {""}}, "invalid_state", false},
		{"a short state", "web", "code", url.Values{"state": {"seven77"}}, "invalid_state", false},
	} {
		landing := b.Get(authorizePath + "?" + b.Ask(c.client, c.kind, c.more).Encode()).Location(t)
		members := landing.Query()
		if c.fragment {
			members, _ = url.ParseQuery(landing.Fragment)
		}
		if members.Get("error") != c.code || !members.Has("state") {
			t.Errorf("%s: %s", c.name, landing)
		}
	}

	// The error quotes what it was sent.
	landing := b.Get(authorizePath + "?" + b.Ask("web", "code", url.Values{"scope": {"é\\"}}).Encode()).Location(t)
	if !strings.Contains(landing.Query().Get("error_description"), `é\`) {
		t.Errorf("landing %s", landing)
	}

	unknown := b.Get(authorizePath + "?client_id=nobody")
	unknown.Refused(t, 401, "invalid_client")
	if unknown.Header.Get("WWW-Authenticate") != "" || !strings.HasPrefix(unknown.Header.Get("Content-Type"), "application/json") {
		t.Errorf("header %v", unknown.Header)
	}
	foreign := b.Ask("web", "code", url.Values{"redirect_uri": {"https://evil.test/"}})
	b.Get(authorizePath+"?"+foreign.Encode()).Refused(t, 400, "invalid_request")
}

// These errors come only after the person has accepted.
func TestFactErrorsAfterConsent(t *testing.T) {
	b := start(t, options{pkceForPublic: true})
	for _, c := range []struct {
		client string
		more   url.Values
		code   string
	}{
		{"mobile", nil, "invalid_request"},
		{"web", url.Values{"code_challenge": {probe.S256(probe.Verifier)}, "code_challenge_method": {"s256"}}, "invalid_request"},
		{"web", url.Values{"response_type": {"Code"}}, "unsupported_response_type"},
		{"web", url.Values{"response_type": {"Code"}, "code_challenge": {probe.S256(probe.Verifier)}, "code_challenge_method": {"S256"}}, "server_error"},
	} {
		landing := b.Decide(b.Consent("alice", b.Ask(c.client, "code", c.more)), "accept")
		members := landing.Query()
		if landing.Fragment != "" { // whatever is not exactly "code" counts as implicit
			members, _ = url.ParseQuery(landing.Fragment)
		}
		if members.Get("error") != c.code || members.Has("code") {
			t.Errorf("%v: %s", c.more, landing)
		}
	}
}

// RFC 8252 section 7.3, and a little more than it.
func TestFactLoopback(t *testing.T) {
	b := start(t, options{pkceForPublic: true})
	for uri, accepted := range map[string]bool{
		"http://127.0.0.1:9999/callback":      true,
		"http://127.0.0.1/callback":           true,
		"http://x@127.0.0.1:7777/callback":    true,
		"http://127.0.0.1:7777/c%61llback":    true,
		"http://127.0.0.1:7777/callback#":     true,
		"http://127.0.0.1:7777/callback/":     false,
		"http://127.0.0.1:7777/callback?x=1":  false,
		"http://127.0.0.1:7777/callback#x":    false,
		"https://127.0.0.1:7777/callback":     false,
		"http://localhost:7777/callback":      false,
		"http://127.0.0.2:7777/callback":      false,
		"http://[::1]:7777/callback":          false,
		"http://127.0.0.1:7777/x/../callback": false,
	} {
		got := b.Get(authorizePath + "?" + b.Ask("mobile", "code", url.Values{"redirect_uri": {uri}}).Encode())
		if (got.Status == http.StatusSeeOther) != accepted {
			t.Errorf("%s: %d", uri, got.Status)
		}
	}
}

// RFC 7009: the token of another client is refused with an error, and a missing token is invalid_request.
func TestFactRevocation(t *testing.T) {
	b := start(t, options{})
	access := url.Values{"token": {b.Token("web", b.Password("photos")).Text(t, "access_token")}}
	b.Post(revokePath, "partner", access).Want(t, 200) // but nothing is revoked
	b.Resource("/api/any", access.Get("token")).Want(t, 200)
	b.Post(revokePath, "web", url.Values{"x": {"y"}}).Want(t, 200)
}

// OAuth 2.1 section 7.5.2: a replay that could not have succeeded should harm nobody. Here it ends the tokens.
func TestFactForeignReplayRevokes(t *testing.T) {
	b := start(t, options{})
	code := b.Code("web", challenge("S256"))
	granted := b.Token("web", b.Redemption("web", code, probe.Verifier))
	b.Token("partner", b.Redemption("partner", code, "")).Refused(t, 400, "invalid_grant")
	b.Resource("/api/any", granted.Text(t, "access_token")).Refused(t, 401, "invalid_token")
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {granted.Text(t, "refresh_token")}}
	b.Token("web", form).Refused(t, 400, "invalid_grant")
}

// RFC 7662 section 2.2: exp is when the token expires. For a refresh token fosite says when the access token does.
func TestFactIntrospectedRefreshToken(t *testing.T) {
	b := start(t, options{})
	refresh := b.Token("web", b.Password("photos offline")).Text(t, "refresh_token")
	about := b.Post(introspectPath, "partner", url.Values{"token": {refresh}}).Want(t, 200).JSON(t)
	lifetime := about["exp"].(float64) - about["iat"].(float64)
	if about["active"] != true || lifetime > 2*60*60 { // it lives for thirty days
		t.Errorf("introspection: %v", about)
	}
}

// RFC 6749 section 10.5, RFC 9700 section 2.1.1: one code, one redemption. Fosite checks and spends it in two
// steps, and without transactions of the store two redemptions at once may both win, or end as a server error.
func TestFactConcurrentRedemption(t *testing.T) {
	b := start(t, options{})
	seen := map[int]int{}
	for range 20 {
		code := b.Code("web", nil)
		var wg sync.WaitGroup
		answers := make([]probe.Answer, 8)
		for i := range answers {
			wg.Go(func() { answers[i] = b.Token("web", b.Redemption("web", code, "")) })
		}
		wg.Wait()
		for _, a := range answers {
			seen[a.Status]++
			if a.Status != 200 && a.Status != 400 && a.Status != 500 {
				t.Errorf("%d: %s", a.Status, a.Body)
			}
		}
	}
	t.Logf("160 redemptions of 20 codes, by status: %v", seen)
}

func BenchmarkClientCredentials(bm *testing.B) {
	b := start(bm, options{})
	b.Browser.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	bm.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if got := b.Token("service", probe.ClientCredentials()); got.Status != http.StatusOK {
				bm.Errorf("%d: %s", got.Status, got.Body)
			}
		}
	})
	bm.ReportMetric(float64(bm.N)/bm.Elapsed().Seconds(), "tokens/s")
}
