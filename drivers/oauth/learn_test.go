package oauth

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"flowproof/drivers/target"
)

// TestEachPlaceOfASecretIsLearnt: what was seen at a place of secrets is known wherever it comes up again.
func TestEachPlaceOfASecretIsLearnt(t *testing.T) {
	const secret = "s3cret.of-some~length"
	sent := func(r Request) func(*Redactor) { return func(known *Redactor) { known.learnRequest(r) } }
	came := func(name, value, body string) func(*Redactor) {
		return func(known *Redactor) {
			known.learnAnswer(Exchange{Header: http.Header{name: {value}}, Body: []byte(body)})
		}
	}
	for place, learn := range map[string]func(*Redactor){
		"the query of a URL":        sent(Request{URL: "https://x.test/?code=" + secret}),
		"the fragment of a URL":     sent(Request{URL: "https://x.test/#access_token=" + secret}),
		"the query":                 sent(Request{Query: Params{{"refresh_token", secret}}}),
		"the form":                  sent(Request{Form: Params{{"code_verifier", secret}}}),
		"the body":                  sent(Request{Body: "a=b&client_secret=" + secret}),
		"a bearer token":            sent(Request{Header: Params{{"Authorization", "Bearer " + secret}}}),
		"HTTP Basic":                sent(Request{Header: Params{{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("web:"+secret))}}}),
		"another scheme":            sent(Request{Header: Params{{"Proxy-Authorization", "Negotiate " + secret}}}),
		"a cookie":                  sent(Request{Header: Params{{"Cookie", "lang=en; session=" + secret}}}),
		"a cookie that was set":     came("Set-Cookie", "session="+secret+"; Path=/", ""),
		"the query of a redirect":   came("Location", "https://app.test/cb?code="+secret, ""),
		"the fragment of one":       came("Location", "https://app.test/cb#access_token="+secret, ""),
		"a member of JSON":          came("", "", `{"a":[{"id_token":"`+secret+`"}]}`),
		"one whose name is escaped": came("", "", `{"a":[{"id\u005ftoken":"`+secret+`"}]}`),
		"JSON that is broken off":   came("", "", `{"access_token":"`+secret),
		"a page that posts it on":   came("", "", `<form method=post><input type=hidden name=code value="`+secret+`">`),
		"a text":                    came("", "", "it failed: password="+secret+" is wrong"),
	} {
		known := NewRedactor(target.Target{})
		learn(known)
		if got := known.Text("it was " + secret + "!"); strings.Contains(got, secret) {
			t.Errorf("%s: %q", place, got)
		}
	}
}

func TestThePasswordOfAURLIsMasked(t *testing.T) {
	if got := NewRedactor(target.Target{}).URL("https://ada:short@x.test/a"); got != "https://ada:[password]@x.test/a" {
		t.Errorf("got %q", got)
	}
}

// A body that is kept in part ends before a secret of which only the beginning would be left.
func TestABodyIsCutBetweenWords(t *testing.T) {
	before := strings.Repeat("a ", maxEvidence-8)
	e := Exchange{Body: []byte(before + aToken + " and so on")}.Brief()
	if !e.Cut || string(e.Body) != before {
		t.Errorf("cut %v: %q", e.Cut, e.Body[len(e.Body)-30:])
	}
}

func TestEvidenceKeepsItsLines(t *testing.T) {
	e := Exchange{
		Request: Request{Method: "POST", URL: "https://x.test", Header: Params{{"X-A", "a\nX-B: b"}}, Form: Params{{"a", "b\nc=d"}}},
		Status:  200, Header: http.Header{"X-C": {"c\nX-D: d"}},
	}
	got := e.Evidence(NewRedactor(target.Target{}))
	for name, c := range map[string]struct{ text, want string }{
		"head":   {got.Head, `X-A: a\nX-B: b` + "\nContent-Type: application/x-www-form-urlencoded"},
		"body":   {got.Body, `a=b\nc=d`},
		"answer": {got.AnswerHead, `X-C: c\nX-D: d`},
	} {
		if c.text != c.want {
			t.Errorf("%s: %q", name, c.text)
		}
	}
}
