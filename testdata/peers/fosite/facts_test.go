package main

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// These tests hold on to facts about fosite itself that a conformance run reports. When one of them fails after
// an update, fosite has changed, and so must the findings that are expected of it.

func clientCredentials() url.Values { return url.Values{"grant_type": {"client_credentials"}} }

// RFC 7636 section 4.6: fosite forgets the challenge before it compares the verifier, and keeps the code.
func TestFactWrongVerifierForgetsTheChallenge(t *testing.T) {
	b := start(t, options{pkceForPublic: true})
	code := b.code("web", challenge("S256"))
	b.token("web", b.redemption("web", code, strings.Repeat("wrong", 10))).refused(t, 400, "invalid_grant")
	b.token("web", b.redemption("web", code, "")).want(t, http.StatusOK)

	code = b.code("web", challenge("S256"))
	b.token("web", b.redemption("web", code, "")).refused(t, 400, "invalid_grant")
	b.token("web", b.redemption("web", code, "")).want(t, http.StatusOK)

	code = b.code("native", challenge("S256"))
	b.token("native", b.redemption("native", code, strings.Repeat("wrong", 10))).refused(t, 400, "invalid_grant")
	b.token("native", b.redemption("native", code, "")).refused(t, 400, "invalid_request")

	b = start(t, options{})
	code = b.code("native", challenge("S256"))
	b.token("native", b.redemption("native", code, "")).refused(t, 400, "invalid_grant")
	b.token("native", b.redemption("native", code, "")).want(t, http.StatusOK)
}

// RFC 6749 section 5.2: 401 to a client that used Basic needs a challenge.
func TestFactNoChallengeForClients(t *testing.T) {
	b := start(t, options{})
	for _, path := range []string{tokenPath, introspectPath, revokePath} {
		r := b.request("POST", path, "grant_type=client_credentials&token=x")
		r.SetBasicAuth(b.Client("service").ID, "wrong")
		got := b.do(r).want(t, http.StatusUnauthorized)
		if got.header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %v", path, got.header)
		}
	}
}

func TestFactErrorCodes(t *testing.T) {
	b := start(t, options{pkceForPublic: true})
	service := b.Client("service")
	b.token("service", url.Values{"grant_type": {"urn:x"}}).refused(t, 400, "invalid_request")              // not unsupported_grant_type
	b.token("service", url.Values{"grant_type": {"Client_Credentials"}}).refused(t, 400, "invalid_request") // nor here
	b.token("spa", clientCredentials()).refused(t, 400, "invalid_grant")                                    // not unauthorized_client
	b.submit(tokenPath, clientCredentials()).refused(t, 400, "invalid_request")                             // not invalid_client
	b.get(tokenPath).refused(t, 400, "invalid_request")                                                     // not 405

	r := b.request("POST", introspectPath, "token=x")
	r.SetBasicAuth(service.ID, "wrong")
	b.do(r).refused(t, 401, "request_unauthorized") // not a registered code
	body := url.Values{"token": {"x"}, "client_id": {service.ID}, "client_secret": {service.Secret}}
	b.submit(introspectPath, body).refused(t, 401, "request_unauthorized") // Basic or Bearer only
	if got := b.post(introspectPath, "service", url.Values{"x": {"y"}}).want(t, 200).json(t); got["active"] != false {
		t.Errorf("introspection without a token: %v", got)
	}
}

// RFC 6749 sections 3.1 and 3.2: no parameter twice. Fosite takes the first.
func TestFactDuplicateParameters(t *testing.T) {
	b := start(t, options{})
	form := clientCredentials()
	form["grant_type"] = []string{"client_credentials", "password"}
	form["scope"] = []string{"profile", "photos"}
	if got := b.token("service", form).want(t, 200).text(t, "scope"); got != "profile" {
		t.Errorf("scope %q", got)
	}
	q := b.ask("web", "code", url.Values{"state": {state, "another-state"}, "scope": {"profile", "photos"}})
	if got := b.decide(b.consent("alice", q), "accept").Query()["state"]; len(got) != 1 || got[0] != state {
		t.Errorf("state %q", got)
	}
	web := b.Client("web")
	q = b.ask("web", "code", url.Values{"redirect_uri": {web.RedirectURIs[0], "https://evil.test/"}, "client_id": {web.ID, b.Client("partner").ID}})
	if got := b.decide(b.consent("alice", q), "accept"); got.Host != "app.acme.test" || got.Query().Get("code") == "" {
		t.Errorf("landing %s", got)
	}
}

// RFC 6749 section 2.3: no two authentication methods. Basic wins, the body is not looked at.
func TestFactTwoAuthenticationMethods(t *testing.T) {
	b := start(t, options{})
	for _, secret := range []string{b.Client("partner").Secret, "wrong"} {
		form := clientCredentials()
		form.Set("client_id", b.Client("partner").ID)
		form.Set("client_secret", secret)
		access := b.token("web", form).want(t, 200).text(t, "access_token")
		about := b.post(introspectPath, "service", url.Values{"token": {access}}).text(t, "client_id")
		if about != b.Client("web").ID {
			t.Errorf("a token for %s", about)
		}
	}
}

// RFC 6749 section 3.2: a form only. Fosite reads multipart bodies too, and what it could decode of a broken one.
func TestFactBodies(t *testing.T) {
	b := start(t, options{})
	send := func(kind, body string) answer {
		r := b.request("POST", tokenPath, body)
		r.Header.Set("Content-Type", kind)
		r.SetBasicAuth(b.Client("service").ID, b.Client("service").Secret)
		return b.do(r)
	}
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	if err := parts.WriteField("grant_type", "client_credentials"); err != nil {
		t.Fatal(err)
	}
	if err := parts.Close(); err != nil {
		t.Fatal(err)
	}
	send(parts.FormDataContentType(), body.String()).want(t, 200)
	send("application/x-www-form-urlencoded", "grant_type=client_credentials&x=%ZZ").want(t, 200)
	send("application/x-www-form-urlencoded", "grant_type=client_credentials&x=%00%ff").want(t, 200)
	send("application/json", `{"grant_type":"client_credentials"}`).refused(t, 400, "invalid_request")
}

// RFC 6749 section 3.3: a default scope or invalid_scope. Fosite grants none at all and says so with "".
func TestFactNoScope(t *testing.T) {
	b := start(t, options{})
	got := b.token("service", clientCredentials()).want(t, 200).json(t)
	if scope, present := got["scope"]; !present || scope != "" {
		t.Errorf("scope %v", got["scope"])
	}
	landing := b.decide(b.consent("alice", b.ask("web", "code", url.Values{"scope": {""}})), "accept")
	if scope, present := landing.Query()["scope"]; !present || scope[0] != "" {
		t.Errorf("landing %s", landing)
	}
}

// RFC 6749 section 6: a narrower scope may be asked for. Fosite grants the old one and says so.
func TestFactRefreshIgnoresScope(t *testing.T) {
	b := start(t, options{})
	refresh := b.token("web", b.password("photos profile offline")).text(t, "refresh_token")
	for _, scope := range []string{"photos", "photos notes", "admin"} {
		got := b.token("web", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "scope": {scope}}).want(t, 200)
		if got.text(t, "scope") != "photos profile offline" {
			t.Errorf("scope %q", got.text(t, "scope"))
		}
		refresh = got.text(t, "refresh_token")
	}
}

// RFC 6749 section 5.2: an invalid refresh token is invalid_grant. With its first half changed it is invalid_request.
func TestFactChangedRefreshToken(t *testing.T) {
	b := start(t, options{})
	refresh := b.token("web", b.password("photos offline")).text(t, "refresh_token")
	changed := []byte(refresh)
	changed[12] = 'A' + (changed[12]-'A'+1)%26
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {string(changed)}}
	b.token("web", form).refused(t, 400, "invalid_request")
	form.Set("refresh_token", refresh[:len(refresh)-10])
	b.token("web", form).refused(t, 400, "invalid_grant")
	form.Set("refresh_token", strings.TrimPrefix(refresh, "ory_rt_")) // the prefix may be left out
	b.token("web", form).want(t, 200)
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
		landing := b.get(authorizePath + "?" + b.ask(c.client, c.kind, c.more).Encode()).location(t)
		members := landing.Query()
		if c.fragment {
			members, _ = url.ParseQuery(landing.Fragment)
		}
		if members.Get("error") != c.code || !members.Has("state") {
			t.Errorf("%s: %s", c.name, landing)
		}
	}

	// The error quotes what it was sent.
	landing := b.get(authorizePath + "?" + b.ask("web", "code", url.Values{"scope": {"é\\"}}).Encode()).location(t)
	if !strings.Contains(landing.Query().Get("error_description"), `é\`) {
		t.Errorf("landing %s", landing)
	}

	unknown := b.get(authorizePath + "?client_id=nobody")
	unknown.refused(t, 401, "invalid_client")
	if unknown.header.Get("WWW-Authenticate") != "" || !strings.HasPrefix(unknown.header.Get("Content-Type"), "application/json") {
		t.Errorf("header %v", unknown.header)
	}
	foreign := b.ask("web", "code", url.Values{"redirect_uri": {"https://evil.test/"}})
	b.get(authorizePath+"?"+foreign.Encode()).refused(t, 400, "invalid_request")
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
		{"web", url.Values{"code_challenge": {s256(verifier)}, "code_challenge_method": {"s256"}}, "invalid_request"},
		{"web", url.Values{"response_type": {"Code"}}, "unsupported_response_type"},
		{"web", url.Values{"response_type": {"Code"}, "code_challenge": {s256(verifier)}, "code_challenge_method": {"S256"}}, "server_error"},
	} {
		landing := b.decide(b.consent("alice", b.ask(c.client, "code", c.more)), "accept")
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
		got := b.get(authorizePath + "?" + b.ask("mobile", "code", url.Values{"redirect_uri": {uri}}).Encode())
		if (got.status == http.StatusSeeOther) != accepted {
			t.Errorf("%s: %d", uri, got.status)
		}
	}
}

// RFC 7009: the token of another client is refused with an error, and a missing token is invalid_request.
func TestFactRevocation(t *testing.T) {
	b := start(t, options{})
	access := url.Values{"token": {b.token("web", b.password("photos")).text(t, "access_token")}}
	b.post(revokePath, "partner", access).want(t, 200) // but nothing is revoked
	b.resource("/api/any", access.Get("token")).want(t, 200)
	b.post(revokePath, "web", url.Values{"x": {"y"}}).want(t, 200)
}

// OAuth 2.1 section 7.5.2: a replay that could not have succeeded should harm nobody. Here it ends the tokens.
func TestFactForeignReplayRevokes(t *testing.T) {
	b := start(t, options{})
	code := b.code("web", challenge("S256"))
	granted := b.token("web", b.redemption("web", code, verifier))
	b.token("partner", b.redemption("partner", code, "")).refused(t, 400, "invalid_grant")
	b.resource("/api/any", granted.text(t, "access_token")).refused(t, 401, "invalid_token")
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {granted.text(t, "refresh_token")}}
	b.token("web", form).refused(t, 400, "invalid_grant")
}

// RFC 7662 section 2.2: exp is when the token expires. For a refresh token fosite says when the access token does.
func TestFactIntrospectedRefreshToken(t *testing.T) {
	b := start(t, options{})
	refresh := b.token("web", b.password("photos offline")).text(t, "refresh_token")
	about := b.post(introspectPath, "partner", url.Values{"token": {refresh}}).want(t, 200).json(t)
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
		code := b.code("web", nil)
		var wg sync.WaitGroup
		answers := make([]answer, 8)
		for i := range answers {
			wg.Go(func() { answers[i] = b.token("web", b.redemption("web", code, "")) })
		}
		wg.Wait()
		for _, a := range answers {
			seen[a.status]++
			if a.status != 200 && a.status != 400 && a.status != 500 {
				t.Errorf("%d: %s", a.status, a.body)
			}
		}
	}
	t.Logf("160 redemptions of 20 codes, by status: %v", seen)
}

func BenchmarkClientCredentials(bm *testing.B) {
	b := start(bm, options{})
	b.browser.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	bm.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if got := b.token("service", clientCredentials()); got.status != http.StatusOK {
				bm.Errorf("%d: %s", got.status, got.body)
			}
		}
	})
	bm.ReportMetric(float64(bm.N)/bm.Elapsed().Seconds(), "tokens/s")
}
