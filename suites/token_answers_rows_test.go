package suites

import (
	"net/http"
	"testing"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

const token200 = `{"access_token":"Zm9vYmFyYmF6","token_type":"Bearer","expires_in":600,"scope":"a b"}`

// answer is what a token endpoint answered to an ordinary request.
func answer(status int, body string, header ...string) oauth.Exchange {
	x := oauth.Exchange{
		Request: oauth.Request{Method: http.MethodPost, URL: "https://as.test/token", Form: oauth.Params{{Name: "grant_type", Value: "client_credentials"}}},
		Status:  status, Body: []byte(body),
		Header: http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}, "Pragma": {"no-cache"}},
	}
	for i := 0; i+1 < len(header); i += 2 {
		x.Header.Del(header[i])
		if header[i+1] != "" {
			x.Header.Set(header[i], header[i+1])
		}
	}
	return x
}

// TestPassiveRows holds the passive rows to their cautions: what is harmless must not be held against a
// server, and what is not must be seen.
func TestPassiveRows(t *testing.T) {
	const fail, warn, fine = reports.Fail, reports.Warn, reports.Verdict("")
	twoLines := answer(200, token200)
	twoLines.Header["Cache-Control"] = []string{"private, max-age=0", "No-Store"}
	for _, c := range []struct {
		name string
		row  string
		x    oauth.Exchange
		want reports.Verdict
	}{
		{"a charset on the media type", "RFC6749-5.1-status-200-json", answer(200, token200, "Content-Type", "application/json;charset=UTF-8"), fine},
		{"status 201", "RFC6749-5.1-status-200-json", answer(201, token200), fail},
		{"text/html", "RFC6749-5.1-status-200-json", answer(200, token200, "Content-Type", "text/html"), fail},
		{"a wrapper", "RFC6749-5.1-status-200-json", answer(200, `{"data":`+token200+`}`), fail},
		{"blanks around", "RFC8259-8.1-json-wellformed", answer(200, "\n "+token200+" \n"), fine},
		{"a byte-order mark", "RFC8259-8.1-json-wellformed", answer(200, "\xef\xbb\xbf"+token200), fail},
		{"Latin-1", "RFC8259-8.1-json-wellformed", answer(400, "{\"error\":\"invalid_grant\",\"error_description\":\"\xe9\"}"), fail},
		{"trailing bytes", "RFC8259-8.1-json-wellformed", answer(200, token200+"x"), fail},
		{"a foreign member twice", "RFC8259-8.1-json-wellformed", answer(200, `{"access_token":"Zm9v","x":1,"x":2}`), warn},
		{"access_token twice", "RFC8259-8.1-json-wellformed", answer(200, `{"access_token":"Zm9v","access_token":"YmFy"}`), fail},
		{"the same name in an inner object", "RFC8259-8.1-json-wellformed", answer(200, `{"access_token":"Zm9v","x":{"access_token":1,"y":["access_token","access_token"]}}`), fine},
		{"lower-case bearer", "RFC6749-7.1-token-type-bearer", answer(200, `{"access_token":"Zm9v","token_type":"bearer"}`), fine},
		{"another type", "RFC6749-7.1-token-type-bearer", answer(200, `{"access_token":"Zm9v","token_type":"jwt"}`), fail},
		{"an exponent that is whole", "RFC6749-5.1-expires-in-number", answer(200, `{"access_token":"Zm9v","expires_in":0}`), fine},
		{"a text", "RFC6749-5.1-expires-in-number", answer(200, `{"access_token":"Zm9v","expires_in":"600"}`), fail},
		{"a fraction", "RFC6749-5.1-expires-in-number", answer(200, `{"access_token":"Zm9v","expires_in":599.9}`), fail},
		{"a negative number", "RFC6749-5.1-expires-in-number", answer(200, `{"access_token":"Zm9v","expires_in":-1}`), fail},
		{"commas inside Space's words", "RFC6749-3.3-scope-syntax", answer(200, `{"access_token":"Zm9v","scope":"Team:Edit,View Profile:*"}`), fine},
		{"two blanks", "RFC6749-3.3-scope-syntax", answer(200, `{"access_token":"Zm9v","scope":"a  b"}`), fail},
		{"a list", "RFC6749-3.3-scope-syntax", answer(200, `{"access_token":"Zm9v","scope":["a"]}`), fail},
		{"directives over two lines", "RFC6749-5.1-cache-control", twoLines, fine},
		{"no directive on a token", "RFC6749-5.1-cache-control", answer(200, token200, "Cache-Control", "max-age=60"), fail},
		{"no directive on an error", "RFC6749-5.1-cache-control", answer(400, `{"error":"invalid_grant"}`, "Cache-Control", ""), warn},
		{"a prefixed token", "RFC6750-2.1-b64token-syntax", answer(200, `{"access_token":"ory_at_a-b.c~d+e/f=="}`), fine},
		{"a token with a blank", "RFC6750-2.1-b64token-syntax", answer(200, `{"access_token":"a b"}`), fail},
		{"401 for invalid_client", "RFC6749-5.2-error-status-json", answer(401, `{"error":"invalid_client"}`), fine},
		{"throttling", "RFC6749-5.2-error-status-json", answer(429, `slow down`, "Content-Type", "text/plain"), fine},
		{"being unavailable", "RFC6749-5.2-error-status-json", answer(503, ``), fine},
		{"403 with the right code", "RFC6749-5.2-error-status-json", answer(403, `{"error":"invalid_grant"}`), warn},
		{"200 with the right code", "RFC6749-5.2-error-status-json", answer(200, `{"error":"invalid_grant"}`), warn},
		{"500", "RFC6749-5.2-error-status-json", answer(500, `{"error":"server_error"}`), fail},
		{"HTML", "RFC6749-5.2-error-status-json", answer(400, `<h1>no</h1>`, "Content-Type", "text/html"), fail},
		{"slow_down", "RFC6749-5.2-error-registered-code", answer(400, `{"error":"slow_down"}`), fine},
		{"a word of Space's API", "RFC6749-5.2-error-registered-code", answer(400, `{"error":"permission-denied"}`), warn},
		{"a word of its own", "RFC6749-5.2-error-registered-code", answer(400, `{"error":"bad_password"}`), fail},
		{"quotes in a description", "RFC6749-5.2-error-text-charset", answer(400, `{"error":"invalid_grant","error_description":"the \"code\" is old"}`), warn},
		{"a line break in a description", "RFC6749-5.2-error-text-charset", answer(400, `{"error":"invalid_grant","error_description":"a\nb"}`), fail},
		{"an hour", "RFC6750-5.3-short-lifetime", answer(200, `{"access_token":"Zm9v","expires_in":3600}`), fine},
		{"a year", "RFC6750-5.3-short-lifetime", answer(200, `{"access_token":"Zm9v","expires_in":31536000}`), fail},
	} {
		o := newObserver(target.Target{Endpoints: target.Endpoints{Token: "https://as.test/token"}})
		o.see(c.x)
		got := o.tally(c.row)
		if got.seen != 1 {
			t.Errorf("%s: %s judged %d answers, want 1", c.name, c.row, got.seen)
		}
		if got.worst.worse != c.want {
			t.Errorf("%s: %s says %q (%s), want %q", c.name, c.row, got.worst.worse, got.worst.because, c.want)
		}
	}
}

// TestObserverOverlooksOddRequests keeps answers to malformed requests, which a proxy may give, out of the tallies.
func TestObserverOverlooksOddRequests(t *testing.T) {
	o := newObserver(target.Target{Endpoints: target.Endpoints{Token: "https://as.test/token"}})
	html := answer(413, "<h1>too large</h1>", "Content-Type", "text/html")
	html.Request.Form, html.Request.Body = nil, "a very long body"
	get := answer(405, "no", "Content-Type", "text/plain")
	get.Request.Method = http.MethodGet
	elsewhere := answer(404, "no", "Content-Type", "text/plain")
	elsewhere.Request.URL = "https://as.test/other"
	for _, x := range []oauth.Exchange{html, get, elsewhere} {
		o.see(x)
	}
	if got := o.tally("RFC6749-5.2-error-status-json"); got.seen != 0 {
		t.Errorf("%d odd answers were judged", got.seen)
	}
	if o.count() != 3 {
		t.Errorf("%d exchanges counted, want 3", o.count())
	}
}

func TestStrengthOfSecrets(t *testing.T) {
	for secret, strong := range map[string]bool{
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b": true, // 160 bits in hexadecimal
		"3q2-7wT_0aZbXyPq81LmNvKeRtYuIoPa":         true,
		"hunter2":                                  false,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": false,
		"12345678901234567890":                     false,
	} {
		if bits := strength(secret); (bits >= 128) != strong {
			t.Errorf("%q: %.0f bits, strong should be %v", secret, bits, strong)
		}
	}
}
