package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestTokenEndpointIsStrict(t *testing.T) {
	everyPosture(t, func(t *testing.T, b *bench) {
		basic := b.basic("service")
		for name, body := range map[string]string{
			"percent": "a=%ZZ", "nul": ccBody + "&x=%00", "utf8": ccBody + "&x=%ff", "empty": "",
			"twice": ccBody + "&" + ccBody, "many": strings.Repeat("a=b&", 500), "large": "x=" + strings.Repeat("a", 3<<20),
		} {
			r := b.raw("POST", "", body, basic)
			if !is(r, 400, "invalid_request") || r.header.Get("Cache-Control") != "no-store" || r.header.Get("Pragma") != "no-cache" {
				t.Errorf("%s: %d %s", name, r.status, r.body)
			}
		}
		req := b.request("POST", "/oauth/token", `{"grant_type":"client_credentials"}`)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", basic)
		b.do(req).mustBe(t, 400, "invalid_request")
		if r := b.raw("GET", "?"+ccBody, "", basic); r.status != 405 || r.header.Get("Allow") != "POST" {
			t.Errorf("GET: %d %v", r.status, r.header)
		}
	})
}

func TestRawBasicCredentials(t *testing.T) {
	b := newBench(t, Options{})
	if r := b.token("special", "grant_type", "client_credentials"); r.status != 200 {
		t.Errorf("raw: %d %s", r.status, r.body)
	}
}

func TestTwoMethods(t *testing.T) {
	c := func(b *bench, secret string) reply {
		s := b.client("service")
		return b.raw("POST", "", ccBody+"&client_id="+s.id+"&client_secret="+secret, b.basic("service"))
	}
	b := newBench(t, Options{})
	if r := c(b, b.client("service").secret); r.status != 200 {
		t.Errorf("equal: %d %s", r.status, r.body)
	}
	c(b, "other").mustBe(t, 401, "invalid_client")
	b = newBench(t, Options{Posture: postureRFC})
	c(b, b.client("service").secret).mustBe(t, 400, "invalid_request")
}

func TestThrottleRecovers(t *testing.T) {
	b := newBench(t, Options{Tokens: tokensOpaque})
	wrong := func(name string) reply {
		return b.raw("POST", "", ccBody+"&client_id="+b.client(name).id+"&client_secret=wrong", "")
	}
	for range failuresAllowed {
		wrong("spare").mustBe(t, 401, "invalid_client")
	}
	r := wrong("spare")
	r.mustBe(t, 429, "slow_down")
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	b.token("spare", "grant_type", "client_credentials").mustBe(t, 429, "slow_down")
	if r := b.token("service", "grant_type", "client_credentials"); r.status != 200 {
		t.Errorf("another client was throttled: %s", r.body)
	}
	b.clock.advance(2 * time.Second)
	if r := b.token("spare", "grant_type", "client_credentials"); r.status != 200 {
		t.Errorf("it does not recover: %s", r.body)
	}
}

func TestForgeryOfForms(t *testing.T) {
	b := newBench(t, Options{})
	query := b.authorization("web", typeCode).Encode()
	b.show(b.authorization("web", typeCode))
	v := values("username", "alice", "password", b.s.Secrets()["alice"], "request", query, "csrf", "wrong")
	if r := b.do(b.request("POST", pathSignIn, v.Encode())); r.status != http.StatusForbidden {
		t.Errorf("sign-in: %d", r.status)
	}
	page := b.signIn("alice", query)
	stolen := pageForm(page.body)
	stolen.Set("decision", "accept")
	changed := url.Values{"csrf": stolen["csrf"], "decision": {"accept"}, "request": {strings.Replace(query, "web", "x", 1) + "&x=y"}}
	if r := b.do(b.request("POST", pathConsent, changed.Encode())); r.status != http.StatusForbidden {
		t.Errorf("consent to another request: %d", r.status)
	}
	b.freshAgent()
	b.signIn("bob", query)
	if r := b.do(b.request("POST", pathConsent, stolen.Encode())); r.status != http.StatusForbidden {
		t.Errorf("consent with another session's form: %d", r.status)
	}
}

func TestSignInPage(t *testing.T) {
	b := newBench(t, Options{})
	v := b.authorization("web", typeCode, "state", `"><script>alert(1)</script>`)
	page := b.show(v)
	if strings.Contains(page.body, "<script") || !strings.Contains(page.body, "Acme Web") {
		t.Error(page.body)
	}
	h := page.header
	if !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || h.Get("X-Frame-Options") != "DENY" ||
		h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%v", h)
	}
	f := pageForm(page.body)
	f.Set("username", "alice")
	f.Set("password", "wrong")
	r := b.do(b.request("POST", pathSignIn, f.Encode()))
	if r.status != 400 || !strings.Contains(r.body, `role="alert"`) || !strings.Contains(r.body, "Acme Web") {
		t.Errorf("%d %s", r.status, r.body)
	}
	f.Set("request", "https://evil.test/")
	f.Set("password", b.s.Secrets()["alice"])
	r = b.do(b.request("POST", pathSignIn, f.Encode()))
	if !strings.HasPrefix(r.header.Get("Location"), "/oauth/auth?") {
		t.Errorf("goes on at %s", r.header.Get("Location"))
	}
	for _, c := range r.header["Set-Cookie"] {
		if !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") {
			t.Errorf("cookie %s", c)
		}
	}
}

func TestConsentIsRemembered(t *testing.T) {
	b := newBench(t, Options{})
	asked := func(name string, kv ...string) bool {
		r := b.show(b.authorization(name, typeCode, kv...))
		return strings.Contains(r.body, `value="accept"`)
	}
	page := b.signIn("alice", b.authorization("web", typeCode, "scope", "global:Profile.View").Encode())
	if !strings.Contains(page.body, "Profile › View") || strings.Contains(page.body, "offline") {
		t.Error(page.body)
	}
	b.consent(page, "accept")
	if asked("web", "scope", "global:Profile.View") {
		t.Error("asked again")
	}
	if !asked("web", "scope", "global:Team.View") || !asked("web", "scope", "global:Profile.View", "access_type", "offline") || !asked("partner") {
		t.Error("not asked for more, for offline, or for another application")
	}
	mobile := append(s256(), "scope", "global:Profile.View")
	b.landing("alice", b.authorization("mobile", typeCode, mobile...))
	if !asked("mobile", mobile...) {
		t.Error("a public client on the same machine is let through in silence")
	}
	all := b.show(b.authorization("web", typeCode, "access_type", "offline"))
	if !strings.Contains(all.body, "All actions") || !strings.Contains(all.body, "while you are offline") {
		t.Error(all.body)
	}
}

func TestRequestCredentials(t *testing.T) {
	signInShown := func(r reply) bool { return strings.Contains(r.body, `type="password"`) }
	b := newBench(t, Options{})
	b.landing("alice", b.authorization("spa", typeToken))
	required := b.authorization("spa", typeToken, "request_credentials", "required")
	if !signInShown(b.show(required)) {
		t.Fatal("required shows no sign-in page")
	}
	if !signInShown(b.show(b.authorization("spa", typeToken))) {
		t.Error("required did not sign out")
	}
	if u := b.landing("alice", required); !strings.Contains(u.Fragment, "access_token") {
		t.Errorf("after the sign-in: %s", u)
	}
	b.freshAgent()
	silent := b.authorization("spa", typeToken, "request_credentials", "silent")
	if u := b.landing("", silent); !strings.Contains(u.Fragment, "error=access_denied") {
		t.Errorf("silent: %s", u)
	}
	if !signInShown(b.show(b.authorization("spa", typeToken, "request_credentials", "skip"))) {
		t.Error("skip without guest shows no sign-in page")
	}
	if !signInShown(b.show(b.authorization("web", typeCode, "request_credentials", "silent"))) {
		t.Error("silent is honoured for code")
	}
	b = newBench(t, Options{Guest: true, Edition: edition2021})
	u := b.landing("", b.authorization("spa", typeToken, "request_credentials", "skip"))
	token := mustQuery(t, u.Fragment).Get("access_token")
	if b.api(token, pathProfiles).status != 200 || b.api(token, pathMe).status != 403 {
		t.Errorf("guest: %s", u)
	}
}

func TestConsentsAPI(t *testing.T) {
	b := newBench(t, Options{})
	access, rt := b.refresh("web")
	var list []struct {
		ClientApplication struct{ ID, Name string }
		ApprovedScopes    []struct {
			ID, Scope      string
			OfflineAllowed bool
		}
	}
	if err := json.Unmarshal([]byte(b.api(access, pathConsents+"/me").body), &list); err != nil || len(list) != 1 || !list[0].ApprovedScopes[0].OfflineAllowed {
		t.Fatalf("%v %+v", err, list)
	}
	remove := func(token, path string) int {
		req := b.request("DELETE", pathConsents+path, "")
		req.Header.Set("Authorization", "Bearer "+token)
		return b.do(req).status
	}
	b.freshAgent()
	foreign := mustQuery(t, b.landing("bob", b.authorization("spa", typeToken)).Fragment).Get("access_token")
	if got := remove(foreign, "/id:"+b.s.byName["alice"].id+"/applications/"+list[0].ClientApplication.ID); got != 403 {
		t.Errorf("somebody else: %d", got)
	}
	if got := remove(access, "/me/applications/"+list[0].ClientApplication.ID); got != 204 {
		t.Errorf("own: %d", got)
	}
	if r := b.api(access, pathMe); r.text("error_description") != whyRevoked {
		t.Errorf("%d %s", r.status, r.body)
	}
	b.token("web", "grant_type", "refresh_token", "refresh_token", rt).mustBe(t, 400, "invalid_grant")
}

func TestCrossOrigin(t *testing.T) {
	b := newBench(t, Options{})
	for _, path := range []string{"/oauth/token", pathMe, pathKeys} {
		req := b.request("OPTIONS", path, "")
		req.Header.Set("Origin", "https://page.test")
		req.Header.Set("Access-Control-Request-Method", "POST")
		r := b.do(req)
		if r.status != 204 || r.header.Get("Access-Control-Allow-Origin") != "*" || r.header.Get("Access-Control-Allow-Credentials") != "" ||
			!strings.Contains(r.header.Get("Access-Control-Allow-Headers"), "Authorization") {
			t.Errorf("%s: %d %v", path, r.status, r.header)
		}
	}
}

func TestFields(t *testing.T) {
	b := newBench(t, Options{})
	_, _ = b.refresh("web")
	access, _ := b.refresh("web")
	r := b.api(access, pathMe+"?$fields=username,name(lastName)")
	if r.body != `{"name":{"lastName":"Liddell"},"username":"alice"}` {
		t.Error(r.body)
	}
	if r := b.api(access, pathProjects+"?$fields=data(id),totalCount"); r.body != `{"data":[{"id":"prj-1"},{"id":"prj-2"}],"totalCount":2}` {
		t.Error(r.body)
	}
}

func TestExtras(t *testing.T) {
	b := newBench(t, Options{Posture: postureRFC, Extras: true})
	c := b.client("web")
	call := func(path, token string) reply {
		req := b.request("POST", path, "token="+url.QueryEscape(token))
		req.SetBasicAuth(c.id, c.secret)
		return b.do(req)
	}
	access, rt := b.refresh("web")
	if r := call(pathIntrospect, access); r.json["active"] != true || r.text("username") != "alice" {
		t.Error(r.body)
	}
	foreign := b.token("service", "grant_type", "client_credentials").text("access_token")
	if r := call(pathIntrospect, foreign); r.body != `{"active":false}` {
		t.Error(r.body)
	}
	for _, tok := range []string{"unknown", rt, rt} {
		if r := call(pathRevoke, tok); r.status != 200 {
			t.Errorf("revoke: %d %s", r.status, r.body)
		}
	}
	if r := call(pathRevoke, foreign); !is(r, 400, "invalid_grant") {
		t.Errorf("revoke another client's token: %d %s", r.status, r.body)
	}
	if b.api(foreign, pathProfiles).status != 200 || b.api(access, pathProfiles).status != 401 {
		t.Error("the wrong token was revoked")
	}
	r := b.do(b.request("GET", pathMetadata, ""))
	if r.text("issuer") != b.url || r.text("token_endpoint") != b.url+"/oauth/token" {
		t.Error(r.body)
	}
	b = newBench(t, Options{})
	if r := b.do(b.request("GET", pathMetadata, "")); r.status != 404 {
		t.Errorf("metadata without extras: %d", r.status)
	}
}

func TestIssuerIsFixed(t *testing.T) {
	b := newBench(t, Options{URL: "https://space.test/"})
	req := b.request("POST", "/oauth/token", ccBody)
	req.Host = "evil.test"
	req.Header.Set("Authorization", b.basic("service"))
	if c := readClaims(b.do(req).text("access_token")); c.Issuer != "https://space.test" || c.OrgDomain != "space.test" {
		t.Errorf("%+v", c)
	}
}

func TestLoadBehaviour(t *testing.T) {
	b := newBench(t, Options{Load: LoadBehaviour{ErrorRate: 1}})
	if r := b.token("service", "grant_type", "client_credentials"); r.status != 503 || r.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", r.status, r.body)
	}
	b = newBench(t, Options{Load: LoadBehaviour{Delay: 30 * time.Millisecond}})
	began := time.Now()
	if r := b.token("service", "grant_type", "client_credentials"); r.status != 200 || time.Since(began) < 30*time.Millisecond {
		t.Errorf("%d after %v", r.status, time.Since(began))
	}
	b = newBench(t, Options{Load: LoadBehaviour{Latency: 30 * time.Millisecond}})
	began = time.Now()
	if r := b.do(b.request(http.MethodGet, pathKeys, "")); r.status != 200 || time.Since(began) < 30*time.Millisecond {
		t.Errorf("%d after %v", r.status, time.Since(began))
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{
		{Posture: "spaces"}, {Edition: "2023"}, {Posture: postureRFC, Edition: edition2023}, {Tokens: "jwt"},
		{Secrets: map[string]string{"webb": "x"}}, {AccessTokenLifetime: -1},
	} {
		o.Key = testKey(t)
		if _, err := New(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
	b := newBench(t, Options{Secrets: map[string]string{"web": "given", "alice": "pw"}})
	if s := b.s.Secrets(); s["web"] != "given" || s["alice"] != "pw" || len(s["service"]) < 40 || s[guestName] != "" {
		t.Errorf("%v", s)
	}
}

func TestOpaqueTokensAreForgotten(t *testing.T) {
	b := newBench(t, Options{Tokens: tokensOpaque})
	for range 4 {
		b.token("service", "grant_type", "client_credentials")
		b.clock.advance(1300 * time.Second)
	}
	left := 0
	for i := range b.s.opaque.shards {
		left += len(b.s.opaque.shards[i].young) + len(b.s.opaque.shards[i].old)
	}
	if left > 4 {
		t.Errorf("%d tokens are kept", left)
	}
}

func BenchmarkClientCredentials(bb *testing.B) {
	for _, kind := range []string{tokensOpaque, tokensRS512} {
		bb.Run(kind, func(bb *testing.B) {
			b := newBench(bb, Options{Tokens: kind, Clock: time.Now})
			load(bb, b.url+"/oauth/token", b.basic("service"))
		})
	}
	bb.Run("bare", func(bb *testing.B) {
		load(bb, bareServer(bb), "Basic eDp5")
	})
}
