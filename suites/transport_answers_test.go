package suites

import (
	"net/http"
	"regexp"
	"testing"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// asRegistered is a target with one client.
func asRegistered() target.Target {
	return target.Target{
		URL: "https://as.test",
		Endpoints: target.Endpoints{
			Authorization: "https://as.test/auth", Token: "https://as.test/token", Revocation: "https://as.test/revoke",
			Introspection: "https://as.test/introspect", Metadata: "https://as.test/.well-known/oauth-authorization-server",
		},
		Clients:   []target.Client{{Name: "web", ID: "web", RedirectURIs: []string{"https://app.test/cb", "https://app.test/cb?t=1", "com.app:/cb"}}},
		Resources: target.Resources{Any: &target.Resource{Get: "https://api.test/any"}},
	}
}

// leading is an answer of the authorization endpoint to an ordinary request.
func leading(location string, query ...oauth.Param) oauth.Exchange {
	asked := oauth.Params{{Name: "client_id", Value: "web"}, {Name: "redirect_uri", Value: "https://app.test/cb"}, {Name: "state", Value: "abcdefgh"}}
	return oauth.Exchange{
		Request: oauth.Request{Method: http.MethodGet, URL: "https://as.test/auth", Query: append(asked, query...)},
		Status:  http.StatusFound, Header: http.Header{"Location": {location}, "Cache-Control": {"no-store"}},
	}
}

// saying is an answer of another endpoint.
func saying(method, url string, status int, body string, header ...string) oauth.Exchange {
	x := oauth.Exchange{Request: oauth.Request{Method: method, URL: url}, Status: status, Body: []byte(body), Header: http.Header{"Content-Type": {"application/json"}}}
	for i := 0; i+1 < len(header); i += 2 {
		x.Header.Set(header[i], header[i+1])
	}
	return x
}

// TestRowsOverEveryAnswer holds the rows that judge wherever answers come from to what they may accuse.
func TestRowsOverEveryAnswer(t *testing.T) {
	const (
		fail, warn, fine = reports.Fail, reports.Warn, reports.Verdict("")
		silent           = reports.NotApplicable // it is not about that answer

		once, foreign, askedFor = "RFC6749-3.1-response-params-once", "RFC6749-3.1.2.4-foreign-host-no-redirect", "RFC6749-3.1.2.3-registered-uri-accepted"
		syntax                  = "RFC6749-4.1.2.1-error-redirect-syntax"
		state, bearer, basic    = "RFC6749-4.1.2.1-state-echoed-on-error", "RFC6750-3-missing-token-challenge", "RFC6749-5.2-basic-failure-challenge"
		json, code, text, shape = "RFC8259-8.1-json-wellformed", "RFC6749-5.2-error-registered-code", "RFC6749-5.2-error-text-charset", "RFC6749-5.2-error-status-json"
	)
	ofCode := oauth.Param{Name: "response_type", Value: "code"}
	withBasic := func(x oauth.Exchange) oauth.Exchange {
		x.Request.Header = oauth.Params{{Name: "Authorization", Value: "Basic eDp5"}}
		return x
	}
	for _, c := range []struct {
		name string
		row  string
		x    oauth.Exchange
		want reports.Verdict
	}{
		{"a code", once, leading("https://app.test/cb?code=a&state=abcdefgh&iss=x"), fine},
		{"iss twice with an error", once, leading("https://app.test/cb?error=access_denied&iss=x&iss=x"), fail},
		{"a code in both components", once, leading("https://app.test/cb?code=a#code=a"), fail},
		{"a state that holds a parameter", once, leading("https://app.test/cb?code=a&state=x%26code%3Db"), fine},
		{"a page", once, leading("/login?state=a&state=b"), silent},

		{"a registered host", foreign, leading("https://app.test/other?code=a"), fine},
		{"the server itself", foreign, leading("https://as.test/error?error=invalid_request&state=abcdefgh"), fine},
		{"the port that is meant anyway", foreign, leading("https://app.test:443/cb?code=a"), fine},
		{"a host with a dot at its end", foreign, leading("https://app.test./cb?code=a"), fine},
		{"another port", foreign, leading("https://app.test:8443/cb?code=a"), fail},
		{"a code elsewhere", foreign, leading("https://evil.test/cb?code=a"), fail},
		{"a token elsewhere", foreign, leading("https://evil.test/cb#access_token=a"), fail},
		{"a code by another scheme", foreign, leading("http://app.test/cb?code=a"), fail},
		{"an error elsewhere", foreign, leading("https://evil.test/cb?error=invalid_scope&state=abcdefgh"), warn},
		{"a page for errors at another host", foreign, leading("https://help.test/?error=invalid_scope"), fine},
		{"an identity provider", foreign, leading("https://idp.test/auth?response_type=code&state=abcdefgh"), fine},
		{"a native app's port", foreign, leading("http://127.0.0.1:9999/cb?code=a"), fine},
		{"a native app's scheme", foreign, leading("com.app:/cb?code=a"), silent},

		{"the URI that was asked for", askedFor, leading("https://app.test/cb?code=a"), fine},
		{"another path", askedFor, leading("https://app.test/cb/more?code=a"), fail},
		{"another path, with an error", askedFor, leading("https://app.test/cb/more?error=invalid_scope&state=abcdefgh"), warn},
		{"a sign-in page", askedFor, leading("https://as.test/login"), silent},
		{"two redirect URIs", askedFor, leading("https://evil.test/?code=a", oauth.Param{Name: "redirect_uri", Value: "https://evil.test/"}), silent},

		{"the state", state, leading("https://app.test/cb?error=invalid_scope&state=abcdefgh"), fine},
		{"no state", state, leading("https://app.test/cb?error=invalid_scope"), fail},
		{"the state under another name", state, leading("https://app.test/cb?error=invalid_scope&State=abcdefgh"), fail},
		{"no state after a broken request", state, leading("https://app.test/cb?error=invalid_request", oauth.Param{Name: "scope", Value: "a"}, oauth.Param{Name: "scope", Value: "b"}), silent},

		{"an error in the query", syntax, leading("https://app.test/cb?error=invalid_scope", ofCode), fine},
		{"an error in the fragment", syntax, leading("https://app.test/cb#error=invalid_scope", ofCode), fail},
		{"an error in capitals", syntax, leading("https://app.test/cb?error=INVALID", ofCode), warn},
		{"an error in the fragment, of no known response type", syntax, leading("https://app.test/cb#error=invalid_scope"), silent},

		{"a Bearer challenge", bearer, saying(http.MethodGet, "https://api.test/any", 401, "", "WWW-Authenticate", `Bearer realm="api"`), fine},
		{"another challenge", bearer, saying(http.MethodGet, "https://api.test/any", 401, "", "WWW-Authenticate", `Digest realm="api"`), fail},
		{"another scheme was sent", bearer, withBasic(saying(http.MethodGet, "https://api.test/any", 401, "")), silent},
		{"a Basic challenge", basic, withBasic(saying(http.MethodPost, "https://as.test/revoke", 401, "", "WWW-Authenticate", `Basic realm="as"`)), fine},
		{"no Basic challenge", basic, withBasic(saying(http.MethodPost, "https://as.test/introspect", 401, "{}")), fail},
		{"401 for a wrong password", basic, withBasic(saying(http.MethodPost, "https://as.test/token", 401, `{"error":"invalid_grant"}`)), silent},
		{"nobody used Basic", basic, saying(http.MethodPost, "https://as.test/introspect", 401, "{}"), silent},

		{"an introspection answer", json, saying(http.MethodPost, "https://as.test/introspect", 200, `{"active":false}`), fine},
		{"an introspection answer with more after it", json, saying(http.MethodPost, "https://as.test/introspect", 200, `{"active":false}x`), fail},
		{"a document with a mark before it", json, saying(http.MethodGet, "https://as.test/.well-known/oauth-authorization-server", 200, "\ufeff{}"), fail},
		{"an empty answer to a revocation", json, saying(http.MethodPost, "https://as.test/revoke", 200, ""), silent},
		{"an error without error", shape, saying(http.MethodPost, "https://as.test/revoke", 400, `{"message":"no"}`), fail},
		{"an error that is no JSON", shape, saying(http.MethodPost, "https://as.test/revoke", 400, "no", "Content-Type", "text/plain"), silent},
		{"a break-down", shape, saying(http.MethodPost, "https://as.test/revoke", 500, "{}"), warn},
		{"being unavailable", shape, saying(http.MethodPost, "https://as.test/revoke", 503, "{}"), silent},
		{"an error of RFC 7009", code, saying(http.MethodPost, "https://as.test/revoke", 400, `{"error":"unsupported_token_type"}`), fine},
		{"an error of RFC 6750", code, saying(http.MethodPost, "https://as.test/introspect", 401, `{"error":"invalid_token"}`), fine},
		{"an error of its own", code, saying(http.MethodPost, "https://as.test/introspect", 401, `{"error":"go_away"}`), warn},
		{"a text that is a number", text, saying(http.MethodPost, "https://as.test/revoke", 400, `{"error":"invalid_request","error_description":7}`), fail},
		{"a text that is null", text, saying(http.MethodPost, "https://as.test/revoke", 400, `{"error":"invalid_request","error_description":null}`), fine},
	} {
		t.Run(c.row+" "+c.name, func(t *testing.T) {
			o := newObserver(asRegistered())
			o.see(c.x)
			tally := o.tally(c.row)
			got := tally.worst.worse
			if tally.seen == 0 {
				got = silent
			}
			if got != c.want {
				t.Errorf("%q %s, want %q", got, tally.worst.because, c.want)
			}
		})
	}
}

// TestResponsesAfterFormsAreJudged holds what comes after a sign-in or consent page to the same rows.
func TestResponsesAfterFormsAreJudged(t *testing.T) {
	const state = "RFC6749-4.1.2.1-state-echoed-on-error"
	asked := leading("").Request
	trail := []oauth.Exchange{saying(http.MethodPost, "https://as.test/consent", 303, "")}
	for url, want := range map[string]reports.Verdict{
		"https://app.test/cb?error=access_denied&state=abcdefgh": "",
		"https://app.test/cb?error=access_denied&state=ABCDEFGH": reports.Fail,
	} {
		o := newObserver(asRegistered())
		o.land(asked, oauth.Landing{Kind: oauth.Redirected, URL: url, Trail: trail})
		if got := o.tally(state); got.seen != 1 || got.worst.worse != want || got.at.Request.URL != "https://as.test/consent" {
			t.Errorf("%s: %+v, want %q", url, got, want)
		}
		o.land(asked, oauth.Landing{Kind: oauth.Shown, URL: url, Trail: trail})
		if got := o.tally(state); got.seen != 1 {
			t.Errorf("a page was judged as a response")
		}
	}
}

// TestAResponseIsJudgedOnce counts a response at once, without a page between, as the one exchange that it is.
func TestAResponseIsJudgedOnce(t *testing.T) {
	x := leading("https://app.test/cb?error=invalid_scope&state=abcdefgh")
	o := newObserver(asRegistered())
	o.see(x)
	o.land(x.Request, oauth.Landing{Kind: oauth.Redirected, URL: x.Location(), Trail: []oauth.Exchange{x}})
	if got := o.tally("RFC6749-4.1.2.1-state-echoed-on-error"); got.seen != 1 {
		t.Errorf("it was judged %d times", got.seen)
	}
}

// TestStrangeHostsMayBeHosts: a name that no host may have is refused for itself (RFC 1123 section 2.1).
func TestStrangeHostsMayBeHosts(t *testing.T) {
	label := regexp.MustCompile(`^[a-z][a-z0-9]{8}\.flowproof\.example$`)
	seen := map[string]bool{}
	for range 1000 {
		host := strangeHost()
		if !label.MatchString(host) || seen[host] {
			t.Fatal(host)
		}
		seen[host] = true
	}
}
