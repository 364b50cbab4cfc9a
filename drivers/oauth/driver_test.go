package oauth

import (
	"bufio"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"flowproof/drivers/target"
)

func newDriver(t *testing.T, tt target.Target, o Options) *Driver {
	t.Helper()
	d, err := New(tt, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// echo answers with what it got.
func echo(t *testing.T) (*httptest.Server, func() *http.Request, func() string) {
	t.Helper()
	var got *http.Request
	var body string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r, string(b)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"a-token-of-some-length","token_type":"Bearer","expires_in":600}`)
	}))
	t.Cleanup(s.Close)
	return s, func() *http.Request { return got }, func() string { return body }
}

func testTarget(base string) target.Target {
	return target.Target{
		URL: base, Profile: "space",
		Endpoints: target.Endpoints{
			Authorization: base + "/oauth/auth", Token: base + "/oauth/token",
			Revocation: base + "/oauth/revoke", Introspection: base + "/oauth/introspect",
		},
		Clients: []target.Client{
			{Name: "web", ID: "web-id", Secret: target.NewSecret("s3cret-of-%web+: &="), RedirectURIs: []string{"https://app.acme.test/authorized"}},
			{Name: "body", ID: "body-id", Secret: target.NewSecret("body-s3cret-value"), Authentication: "body"},
			{Name: "mobile", ID: "mobile-id", Public: true},
		},
		Users:   []target.User{{Name: "alice", Username: "alice", Password: target.NewSecret("pass word %+&=é!"), TOTP: target.NewSecret("JBSWY3DPEHPK3PXP")}},
		Refresh: target.Refresh{Parameters: map[string]string{"access_type": "offline"}, Scope: "offline_access"},
	}
}

func TestBasicIsEncodedExceptForSpace(t *testing.T) {
	tt := testTarget("http://127.0.0.1")
	web := tt.Clients[0]
	secret := web.Secret.Reveal()
	for profile, want := range map[string]string{"space": basic(web.ID, secret), "rfc6749": basicEncoded(web.ID, secret)} {
		tt.Profile = profile
		if got := newDriver(t, tt, Options{}).ClientCredentials(web, "").Header.Get("Authorization"); got != want {
			t.Errorf("profile %s: Authorization %q, want %q", profile, got, want)
		}
	}
}

func TestBuildersAuthenticateAsRegistered(t *testing.T) {
	s, got, body := echo(t)
	tt := testTarget(s.URL)
	d := newDriver(t, tt, Options{})
	basicWeb := "Basic " + base64.StdEncoding.EncodeToString([]byte("web-id:s3cret-of-%web+: &="))
	encoded := "Basic " + base64.StdEncoding.EncodeToString([]byte("web-id:s3cret-of-%25web%2B%3A+%26%3D"))
	web, inBody, mobile, alice := tt.Clients[0], tt.Clients[1], tt.Clients[2], tt.Users[0]
	secret := web.Secret.Reveal()
	for _, c := range []struct {
		name           string
		r              Request
		authorization  string
		body           string
		method, target string
	}{
		{"client credentials", d.ClientCredentials(web, "a b"), basicWeb, "grant_type=client_credentials&scope=a+b", "POST", "/oauth/token"},
		{"no scope", d.ClientCredentials(web, ""), basicWeb, "grant_type=client_credentials", "POST", "/oauth/token"},
		{"body client", d.ClientCredentials(inBody, ""), "", "grant_type=client_credentials&client_id=body-id&client_secret=body-s3cret-value", "POST", "/oauth/token"},
		{"public client", d.Redeem(mobile, "c", "u", "v"), "", "grant_type=authorization_code&code=c&redirect_uri=u&code_verifier=v&client_id=mobile-id", "POST", "/oauth/token"},
		{"left out", d.Redeem(web, "c", "", ""), basicWeb, "grant_type=authorization_code&code=c", "POST", "/oauth/token"},
		{"password", d.Password(web, alice, "s"), basicWeb, "grant_type=password&username=alice&password=pass+word+%25%2B%26%3D%C3%A9%21&scope=s", "POST", "/oauth/token"},
		{"refresh", d.Refresh(web, "r", ""), basicWeb, "grant_type=refresh_token&refresh_token=r", "POST", "/oauth/token"},
		{"revoke", d.Revoke(web, "t", "refresh_token"), basicWeb, "token=t&token_type_hint=refresh_token", "POST", "/oauth/revoke"},
		{"introspect", d.Introspect(web, "t"), basicWeb, "token=t", "POST", "/oauth/introspect"},
		{"encoded basic", d.ClientCredentials(inBody, "", BasicAuthEncoded("web-id", secret)), encoded, "grant_type=client_credentials", "POST", "/oauth/token"},
		{"body instead of basic", d.ClientCredentials(web, "", BodyAuth("i", "s")), "", "grant_type=client_credentials&client_id=i&client_secret=s", "POST", "/oauth/token"},
		{"basic and body", d.ClientCredentials(web, "", Set("client_id", "other")), basicWeb, "grant_type=client_credentials&client_id=other", "POST", "/oauth/token"},
		{"nobody", d.ClientCredentials(inBody, "", NoAuth()), "", "grant_type=client_credentials", "POST", "/oauth/token"},
		{"set, without, twice", d.Redeem(web, "c", "u", "v", Set("code", "d"), Without("redirect_uri", "code_verifier"), Twice("code", "e")), basicWeb, "grant_type=authorization_code&code=d&code=e", "POST", "/oauth/token"},
		{"in the query", d.ClientCredentials(web, "", InQuery()), basicWeb, "", "POST", "/oauth/token?grant_type=client_credentials"},
		{"as GET", d.ClientCredentials(web, "", AsGET()), basicWeb, "", "GET", "/oauth/token?grant_type=client_credentials"},
		{"another method", d.ClientCredentials(web, "", Method("PUT")), basicWeb, "grant_type=client_credentials", "PUT", "/oauth/token"},
		{"a broken body", d.ClientCredentials(web, "", WithBody("text/plain", "a=%ZZ\x00")), basicWeb, "a=%ZZ\x00", "POST", "/oauth/token"},
		{"authorize", d.Authorize(web, target.AuthorizationCode, "https://a/b?c=d", "x y", "st", SetQuery("prompt", "none"), TwiceQuery("state", "2"), WithoutQuery("scope")), "", "", "GET",
			"/oauth/auth?response_type=code&client_id=web-id&redirect_uri=https%3A%2F%2Fa%2Fb%3Fc%3Dd&state=st&prompt=none&state=2"},
		{"authorize implicit", d.Authorize(mobile, target.Implicit, "", "", "", d.ForRefresh()), "", "", "GET", "/oauth/auth?response_type=token&client_id=mobile-id&access_type=offline&scope=offline_access"},
		{"refresh wanted", d.Password(mobile, alice, "s", d.ForRefresh(), Without("password")), "", "grant_type=password&username=alice&scope=s+offline_access&client_id=mobile-id&access_type=offline", "POST", "/oauth/token"},
		{"resource", d.Resource(target.Resource{Get: s.URL + "/api?x=1"}, "tok"), "Bearer tok", "", "GET", "/api?x=1"},
		{"resource with nothing", d.Resource(target.Resource{Get: s.URL + "/api?x=1"}, "", SetQuery("access_token", "q")), "", "", "GET", "/api?x=1&access_token=q"},
	} {
		e := d.Send(t.Context(), c.r)
		if e.Err != nil || e.Status != 200 {
			t.Errorf("%s: status %d, err %v", c.name, e.Status, e.Err)
			continue
		}
		if got := got().Header.Get("Authorization"); got != c.authorization {
			t.Errorf("%s: Authorization %q, want %q", c.name, got, c.authorization)
		}
		if body() != c.body {
			t.Errorf("%s: body %q, want %q", c.name, body(), c.body)
		}
		if got().Method != c.method || got().RequestURI != c.target {
			t.Errorf("%s: %s %s, want %s %s", c.name, got().Method, got().RequestURI, c.method, c.target)
		}
	}
}

func TestHeadersAreThoseOfTheRequest(t *testing.T) {
	s, got, _ := echo(t)
	d := newDriver(t, testTarget(s.URL), Options{UserAgent: "proof/1"})
	send := func(changes ...Change) http.Header {
		e := d.Send(t.Context(), d.ClientCredentials(target.Client{ID: "x"}, "", changes...))
		if e.Err != nil {
			t.Fatal(e.Err)
		}
		return got().Header
	}
	h := send()
	if h.Get("User-Agent") != "proof/1" || h.Get("Content-Type") != formType || h.Get("Accept") != jsonType || h.Get("Accept-Encoding") != "" {
		t.Errorf("plain request has header %v", h)
	}
	h = send(Header("content-type", ""), Header("User-Agent", ""), TwiceHeader("Authorization", "Bearer a"), WithoutHeader("accept"))
	if _, ok := h["Content-Type"]; ok {
		t.Errorf("Content-Type %q, want none", h["Content-Type"])
	}
	if _, ok := h["User-Agent"]; ok {
		t.Errorf("User-Agent %q, want none", h["User-Agent"])
	}
	if len(h["Authorization"]) != 2 || h["Authorization"][1] != "Bearer a" {
		t.Errorf("Authorization lines %q", h["Authorization"])
	}
	if _, ok := h["Accept"]; ok {
		t.Error("Accept was sent")
	}
	if h := send(Header("Content-Type", formType+"; charset=UTF-8")); h.Get("Content-Type") != formType+"; charset=UTF-8" {
		t.Errorf("Content-Type %q", h.Get("Content-Type"))
	}
	send(Header("Host", "other.test"))
	if got().Host != "other.test" {
		t.Errorf("Host %q", got().Host)
	}
}

func TestWhatCannotBeSentIsAnErrorInTheExchange(t *testing.T) {
	s, _, _ := echo(t)
	d := newDriver(t, testTarget(s.URL), Options{})
	base := d.ClientCredentials(target.Client{ID: "x"}, "")
	for name, c := range map[string]Change{
		"header value with control characters": Header("X-A", "a\x01b"),
		"header name with blanks":              Header("X A", "b"),
		"chosen length":                        Header("Content-Length", "3"),
		"bad method":                           Method("GE T"),
		"relative URL":                         To("/oauth/token"),
		"other scheme":                         To("ftp://127.0.0.1/"),
		"control character in the URL":         To(s.URL + "/\x7f"),
		"nobody listens":                       To("http://127.0.0.1:1/"),
	} {
		e := d.Send(t.Context(), base.Changed(c))
		if e.Err == nil || e.Status != 0 || e.Answered() || !strings.HasPrefix(e.Err.Error(), "oauth: ") {
			t.Errorf("%s: status %d, err %v", name, e.Status, e.Err)
		}
	}
}

func TestRedirectsAreNotFollowedAndBodiesNotUnpacked(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusFound)
		_, _ = io.WriteString(w, "not gzip at all")
	}))
	defer s.Close()
	d := newDriver(t, testTarget(s.URL), Options{})
	e := d.Send(t.Context(), Request{Method: "GET", URL: s.URL})
	if e.Status != 302 || e.Location() != "/elsewhere" || string(e.Body) != "not gzip at all" || e.Err != nil || e.Proto != "HTTP/1.1" {
		t.Errorf("got %d %q %q %v", e.Status, e.Location(), e.Body, e.Err)
	}
	if e.Waited <= 0 || e.Waited > e.Duration {
		t.Errorf("waited %v of %v", e.Waited, e.Duration)
	}
}

func TestBodiesAndTimeAreBounded(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/big" {
			_, _ = io.WriteString(w, strings.Repeat("x", MaxBody+10))
			return
		}
		<-release
	}))
	defer s.Close()
	defer close(release)
	tt := testTarget(s.URL)
	tt.Timeout = 200 * time.Millisecond
	d := newDriver(t, tt, Options{})
	if e := d.Send(t.Context(), Request{Method: "GET", URL: s.URL + "/slow"}); e.Err == nil || !strings.Contains(e.Err.Error(), "no whole answer within 200ms") {
		t.Errorf("slow: %v", e.Err)
	}
	tt.Timeout = 0
	d = newDriver(t, tt, Options{})
	if e := d.Send(t.Context(), Request{Method: "GET", URL: s.URL + "/big"}); len(e.Body) != MaxBody || !e.Cut || e.Err != nil {
		t.Errorf("big: %d bytes, cut %v, err %v", len(e.Body), e.Cut, e.Err)
	}
}

func TestABrokenOffAnswerIsNotWhole(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = http.ReadRequest(bufio.NewReader(c))
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		c.Close()
	}()
	d := newDriver(t, target.Target{}, Options{})
	e := d.Send(t.Context(), Request{Method: "POST", URL: "http://" + l.Addr().String()})
	if e.Status != 200 || string(e.Body) != "half" || e.Err == nil || e.Answered() {
		t.Errorf("got %d %q %v", e.Status, e.Body, e.Err)
	}
}

func TestTLSFactsAndTrust(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	tt := testTarget(s.URL)
	if e := newDriver(t, tt, Options{}).Send(t.Context(), Request{Method: "GET", URL: s.URL}); e.Err == nil {
		t.Error("a certificate of nobody's was trusted")
	}
	tt.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	e := newDriver(t, tt, Options{}).Send(t.Context(), Request{Method: "GET", URL: s.URL})
	if e.Err != nil || e.TLS == nil || e.TLS.Version != "TLS 1.3" || e.TLS.Suite == "" || e.TLS.Issuer == "" || e.Proto != "HTTP/2.0" {
		t.Errorf("got %v, %+v, %s", e.Err, e.TLS, e.Proto)
	}
	tt.CA = "no certificate"
	if _, err := New(tt, Options{}); err == nil {
		t.Error("trust roots that are none were taken")
	}
}

func TestObserveSeesEachExchangeOnceWithItsSecretsLearnt(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"access_token":"a-token-of-some-length"}`)
	}))
	defer s.Close()
	var d *Driver
	var seen []string
	d = newDriver(t, testTarget(s.URL), Options{Observe: func(e Exchange) {
		seen = append(seen, e.Request.Title+" "+d.Redactor().Text(string(e.Body)))
	}})
	done := make(chan struct{})
	for range 8 {
		go func() {
			d.Send(t.Context(), d.ClientCredentials(target.Client{ID: "x"}, "", Titled("t")))
			done <- struct{}{}
		}()
	}
	for range 8 {
		<-done
	}
	if len(seen) != 8 || slices.ContainsFunc(seen, func(s string) bool { return strings.Contains(s, "a-token-of-some-length") }) {
		t.Errorf("observed %q", seen)
	}
}

func TestVerifiers(t *testing.T) {
	a, b := NewVerifier(), NewVerifier()
	if len(a) != 43 || a == b || len(NewState()) != 22 {
		t.Errorf("verifiers %q, %q", a, b)
	}
	// The example of RFC 7636 appendix B.
	if got := S256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"); got != "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" {
		t.Errorf("challenge %q", got)
	}
}

func TestErrorsRepeatNoBytesOfTheServer(t *testing.T) {
	for text, want := range map[string]string{
		`malformed HTTP response "oken\":\"0123456789abcdef\"}"`:            `malformed HTTP response "oken\":\…`,
		`transport broken: malformed HTTP status code "99999999999999"`:     `transport broken: malformed HTTP status code "99999999…`,
		"malformed MIME header: missing colon: \"0123456789abcdefghijklm\"": "malformed MIME header: missing…",
		`malformed HTTP response "SSH-2"`:                                   `malformed HTTP response "SSH-2"`,
		"connection refused":                                                "connection refused",
	} {
		if got := (hushed{errors.New(text)}).Error(); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}
