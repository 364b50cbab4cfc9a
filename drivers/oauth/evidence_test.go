package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"flowproof/drivers/target"
)

const (
	aToken   = "eyJhbGciOiJSUzUxMiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl"
	aRefresh = "rt/with+odd=chars&in it 0123456789"
	aCode    = "Splx-lOBeZQQYbYS6WxSbIA"
	aSecret  = "s3cret-of-%web+: &="
	aCookie  = "sess10n-c00kie-value"
	aVerfier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

// everything is an exchange with a secret at each place where one can stand.
func everything(t *testing.T) (Exchange, *Redactor) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "session="+aCookie+"; Path=/; HttpOnly; SameSite=Lax")
		w.Header().Set("Location", "https://app.acme.test/authorized?code="+aCode+"&state=xyz#access_token="+aToken)
		w.Header().Set("X-Debug", "client_secret="+aSecret)
		w.WriteHeader(http.StatusFound)
		body, _ := json.Marshal(map[string]any{
			"access_token": aToken, "refresh_token": aRefresh, "nested": map[string]any{"id_token": "abc"}, "code": "invalid-request",
			"hint": "you sent " + r.Header.Get("Authorization") + " and " + aSecret,
		})
		_, _ = w.Write(body)
	}))
	t.Cleanup(s.Close)
	tt := testTarget(s.URL)
	d := newDriver(t, tt, Options{})
	r := d.Redeem(tt.Clients[0], aCode, "https://app.acme.test/authorized", aVerfier,
		Set("username", "alice"), Set("password", "abc"), Twice("code", "another-code-0123456789"), Set("client_secret", aSecret), Set("scope", aSecret),
		Header("Cookie", "session="+aCookie+"; lang=en"), SetQuery("access_token", aToken), To(tt.Endpoints.Token+"?refresh_token=abcde"))
	e := d.Send(t.Context(), r)
	if e.Err != nil {
		t.Fatal(e.Err)
	}
	return e, d.Redactor()
}

func TestEvidenceHoldsNoSecret(t *testing.T) {
	e, r := everything(t)
	e.Err = errors.New("GET https://x.test/?code=" + aCode + ": reset")
	raw, err := json.Marshal(e.Evidence(r))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{aToken, aRefresh, aCode, aSecret, aCookie, aVerfier, "abcde", `\"abc\"`, "=abc", "c2lnbmF0dXJl", "another-code",
		"s3cret-of", strings.TrimPrefix(basic("web-id", aSecret), "Basic "), "rt/with", "rt%2Fwith"} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("%q is shown in\n%s", secret, raw)
		}
	}
}

func TestEvidenceReads(t *testing.T) {
	e, r := everything(t)
	got := e.Evidence(r)
	for _, c := range []struct{ name, text, want string }{
		{"url", got.URL, "/oauth/token?refresh_token=[refresh_token]&access_token=[access_token eyJh… sha256:"},
		{"head", got.Head, "Authorization: Basic base64(web-id:[client_secret])\nCookie: session=[cookie]; lang=[cookie]\nContent-Type: application/x-www-form-urlencoded"},
		{"body", got.Body, "grant_type=authorization_code\ncode=[code Splx… sha256:"},
		{"body", got.Body, "\nusername=alice\npassword=[password]\n"},
		{"body", got.Body, "\nclient_secret=[client_secret]\nscope=[client_secret]"},
		{"answer head", got.AnswerHead, "Set-Cookie: session=[cookie]; Path=/; HttpOnly; SameSite=Lax"},
		{"answer head", got.AnswerHead, "Location: https://app.acme.test/authorized?code=[code Splx… sha256:"},
		{"answer head", got.AnswerHead, "&state=xyz#access_token=[access_token eyJh… sha256:"},
		{"answer body", got.AnswerBody, `"access_token":"[access_token eyJh… sha256:`},
		{"answer body", got.AnswerBody, `"code":"invalid-request"`},
		{"answer body", got.AnswerBody, `"id_token":"[id_token]"`},
	} {
		if !strings.Contains(c.text, c.want) {
			t.Errorf("%s: %q is not in\n%s", c.name, c.want, c.text)
		}
	}
	if got.Status != http.StatusFound || got.Method != http.MethodPost || got.Client != "web" || !strings.HasSuffix(got.Started, "Z") || got.DurationUS <= 0 {
		t.Errorf("got %+v", got)
	}
}

func TestEvidenceOfOddBytes(t *testing.T) {
	for _, c := range []struct {
		name, body, want string
	}{
		{"escapes", "a\x1b[31mb\x00c", `a\x1b[31mb\x00c`},
		{"bad UTF-8", "ol\xe9", `ol\xe9`},
		{"turned writing", "a\u202eb", `a\u202eb`},
		{"line ends", "a\r\nb\tc\rd", "a\nb\tc\\rd"},
		{"binary", strings.Repeat("\x00\x01\xff", 100), "[300 bytes that are not text]"},
		{"half a member", `{"access_token":"` + aToken, `{"access_token":"[access_token eyJh… sha256:`},
		{"a number", `{"access_token": 1234567}`, `{"access_token": "[access_token]"}`},
		{"a posted answer", `<form action=x><input type=hidden name=code value="` + aCode + `">`, `<form action=x><input type=hidden name=code value="[code Splx…`},
	} {
		r := NewRedactor(target.Target{})
		e := Exchange{Status: 200, Body: []byte(c.body)}
		r.learnAnswer(e)
		if got := e.Evidence(r).AnswerBody; !strings.HasPrefix(got, c.want) || strings.Contains(got, aCode) || strings.Contains(got, aToken) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	r := NewRedactor(target.Target{})
	long := strings.Repeat("é", 100_000)
	e := Exchange{Request: Request{Method: "POST", URL: "https://x.test/" + long, Header: Params{{"X", long}}, Form: Params{{"a", long}}}, Status: 200, Body: []byte(long)}
	got := e.Evidence(r)
	for name, text := range map[string]string{"url": got.URL, "head": got.Head, "body": got.Body, "answer": got.AnswerBody, "curl": got.Curl} {
		if len(text) > maxEvidence {
			t.Errorf("%s has %d bytes", name, len(text))
		}
	}
	if !got.Cut || !strings.HasSuffix(got.AnswerBody, " more bytes") {
		t.Errorf("cut %v, ends %q", got.Cut, got.AnswerBody[len(got.AnswerBody)-30:])
	}
}

// The command is given to a real shell, with a function in curl's place that shows its arguments.
func TestCurlIsQuotedForTheShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal("the test needs sh: ", err)
	}
	tt := testTarget("https://x.test")
	tt.Users[0].Username = `o'brien "$HOME" \n`
	d := newDriver(t, tt, Options{})
	web := tt.Clients[0]
	for _, c := range []struct {
		name string
		r    Request
		want string
	}{
		{"form", d.Password(web, tt.Users[0], "a 'b'", Header("X-Note", "it's $5; `id`")),
			"--include|--request|POST|https://x.test/oauth/token|--header|Accept: application/json|--user|web-id:S3|--header|X-Note: it's $5; `id`|--header|Content-Type: application/x-www-form-urlencoded|" +
				"--data|grant_type=password|--data|username=o%27brien+%22%24HOME%22+%5Cn|--data-urlencode|password=P w'1|--data|scope=a+%27b%27|"},
		{"query", d.Resource(target.Resource{Get: "https://x.test/a[1]?b=c d'e"}, "tok", SetQuery("access_token", "t2"), SetQuery("x", "y")),
			"--include|--globoff|https://x.test/a[1]?b=c d'e&access_token=T2&x=y|--header|Accept: application/json|--header|Authorization: Bearer T1|"},
		{"body", d.Redeem(web, "", "", "", WithBody("", "@x 'y'\nz"), Method("PUT"), Header("Authorization", "Foo abc"), TwiceHeader("X-Empty", "")),
			"--include|--request|PUT|https://x.test/oauth/token|--header|Accept: application/json|--header|Authorization: Foo C|--header|X-Empty;|--header|Content-Type:|--data-raw|@x 'y'\nz|"},
		{"nothing", d.ClientCredentials(web, "", InQuery(), NoAuth()),
			"--include|--request|POST|https://x.test/oauth/token?grant_type=client_credentials|--header|Accept: application/json|--header|Content-Type: application/x-www-form-urlencoded|--data||"},
		{"two codes", d.Redeem(web, "code-one", "", "", Twice("code", "code-two"), NoAuth()),
			"--include|--request|POST|https://x.test/oauth/token|--header|Accept: application/json|--header|Content-Type: application/x-www-form-urlencoded|--data|grant_type=authorization_code|--data-urlencode|code=C1|--data-urlencode|code=C2|"},
	} {
		cmd := Exchange{Request: c.r}.Evidence(d.Redactor()).Curl
		script := `curl() { for a in "$@"; do printf '%s|' "$a"; done; }
CLIENT_SECRET=S3; PASSWORD="P w'1"; TOKEN=T2; TOKEN_2=T1; CREDENTIALS=C; CODE=C1; CODE_2=C2
` + cmd
		out, err := exec.CommandContext(t.Context(), sh, "-c", script).CombinedOutput()
		if err != nil || string(out) != c.want {
			t.Errorf("%s: %v\n%s\ngot  %s\nwant %s", c.name, err, cmd, out, c.want)
		}
	}
	if got := (Exchange{Request: d.Redeem(web, "", "", "", WithBody("text/plain", "a\x00b"))}).Evidence(d.Redactor()).Curl; got != "" {
		t.Errorf("a NUL byte got into %q", got)
	}
}

func FuzzEvidence(f *testing.F) {
	f.Add([]byte(`{"access_token":"`+aToken+`"}`), "code="+aCode, "text/html")
	f.Add([]byte("<input name=code value='\xff"), "https://x/?access_token=%zz#&=", "application/json")
	f.Fuzz(func(t *testing.T, body []byte, location, kind string) {
		r := NewRedactor(target.Target{})
		e := Exchange{
			Request: Request{Method: "POST", URL: location, Header: Params{{"Authorization", kind}, {"Cookie", location}}, Body: string(body)},
			Status:  302, Header: http.Header{"Location": {location}, "Content-Type": {kind}, "Set-Cookie": {location}}, Body: body,
		}
		r.learnRequest(e.Request)
		r.learnAnswer(e)
		got := e.Evidence(r)
		if a, err := e.Token(); err == nil && len(a.AccessToken) >= 16 && !vocabulary(a.AccessToken) && strings.Contains(got.AnswerBody, a.AccessToken) {
			t.Errorf("%q is shown in %q", a.AccessToken, got.AnswerBody)
		}
	})
}
