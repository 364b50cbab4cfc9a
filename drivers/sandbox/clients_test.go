package sandbox

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A wire sends what Space's published clients send, byte for byte, with what one of them was registered with.
type wire struct {
	*bench
	with map[string]string
}

func newWire(b *bench, name string) wire {
	c := b.client(name)
	with := map[string]string{
		"host": strings.TrimPrefix(b.url, "http://"), "id": c.id, "secret": c.secret, "state": "st-0123456789abcdef",
		"basic":    base64.StdEncoding.EncodeToString([]byte(c.id + ":" + c.secret)), // as it is, not form-encoded
		"verifier": testVerifier, "challenge": testChallenge,
		"user": "alice", "password": url.QueryEscape(b.s.Secrets()["alice"]),
	}
	if len(c.redirects) > 0 {
		with["redirect"], with["redirect-raw"] = url.QueryEscape(c.redirects[0]), c.redirects[0]
	}
	return wire{b, with}
}

// text is a request with everything put in but its length.
func (w wire) text(file string) (head, body string) {
	w.t.Helper()
	raw, err := os.ReadFile("testdata/clients/" + file + ".http")
	if err != nil {
		w.t.Fatal(err)
	}
	text := string(raw)
	for name, value := range w.with {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	head, body, _ = strings.Cut(text, "\n\n")
	return head, body
}

// send sends the request of a file, and reads the answer.
func (w wire) send(file string) reply {
	w.t.Helper()
	head, body := w.text(file)
	head = strings.ReplaceAll(head, "{length}", strconv.Itoa(len(body)))
	if strings.Contains(head+body, "{") {
		w.t.Fatalf("%s: something is not put in: %s\n\n%s", file, head, body)
	}
	conn, err := new(net.Dialer).DialContext(w.t.Context(), "tcp", w.with["host"])
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n"+body); err != nil {
		w.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	r := reply{status: res.StatusCode, header: res.Header, body: string(text)}
	_ = json.Unmarshal(text, &r.json)
	return r
}

// authorize signs alice in and consents, as a person does, and keeps the code. A client with a secret then asks
// once more with her session, and is answered by the redirect at once; one without is none to be trusted unseen.
func (w wire) authorize(file string) {
	w.t.Helper()
	w.freshAgent()
	w.with["cookie"] = "none=yet"
	if r := w.send(file); r.status != http.StatusOK || !strings.Contains(r.body, `type="password"`) {
		w.t.Fatalf("%s brings no sign-in page but %d %s", file, r.status, r.body)
	}
	head, _ := w.text(file)
	_, query, _ := strings.Cut(strings.Fields(head)[1], "?")
	r := w.signIn("alice", query)
	if strings.Contains(r.body, `value="accept"`) {
		r = w.consent(r, "accept")
	}
	w.landed(file, r)
	if w.with["secret"] == "" {
		return
	}
	base, err := url.Parse(w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	var cookies []string
	for _, c := range w.agent.Jar.Cookies(base) {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	w.with["cookie"] = strings.Join(cookies, "; ")
	w.landed(file, w.send(file))
}

// landed wants the redirect to be one that brings the client a code.
func (w wire) landed(file string, r reply) {
	w.t.Helper()
	at, err := url.Parse(r.header.Get("Location"))
	if err != nil || at.Query().Get("code") == "" || at.Query().Get("state") != w.with["state"] || at.Fragment != "" ||
		!strings.HasPrefix(at.String(), w.with["redirect-raw"]+"?") {
		w.t.Fatalf("%s: landed at %s", file, at)
	}
	w.with["code"] = at.Query().Get("code")
}

// token is what every published client can read: a Bearer token that lives longer than the most impatient of them
// looks ahead, a whole number of seconds.
func (w wire) token(file string) reply {
	w.t.Helper()
	r := w.send(file)
	lifetime, whole := r.json["expires_in"].(float64)
	if r.status != http.StatusOK || r.text("access_token") == "" || r.text("token_type") != "Bearer" || !whole || lifetime <= 60 || lifetime != float64(int(lifetime)) {
		w.t.Fatalf("%s: %d %s", file, r.status, r.body)
	}
	w.with["token"] = r.text("access_token")
	return r
}

// opens wants the token to open alice's own resource.
func (w wire) opens(file string) {
	w.t.Helper()
	if r := w.send(file); r.status != http.StatusOK || r.text("username") != "alice" {
		w.t.Errorf("%s: %d %s", file, r.status, r.body)
	}
}

func TestKotlinClient(t *testing.T) {
	for _, client := range []struct{ name, code, refresh string }{
		{"web", "kotlin-code", "kotlin-refresh"},
		{"web", "kotlin-code", "kotlin-refresh-scope"},
		{"mobile", "kotlin-code-public", "kotlin-refresh-public"},
		{"native", "kotlin-code-public", "kotlin-refresh-public"},
	} {
		t.Run(client.name+" "+client.refresh, func(t *testing.T) {
			w := newWire(newBench(t, Options{}), client.name)
			w.authorize("kotlin-authorization")
			w.with["refresh"] = w.token(client.code).text("refresh_token")
			w.opens("kotlin-resource")
			w.send(client.code).mustBe(t, http.StatusBadRequest, "invalid_grant")

			// It keeps the first refresh token for ever.
			w.authorize("kotlin-authorization")
			w.with["refresh"] = w.token(client.code).text("refresh_token")
			for range 3 {
				if r := w.token(client.refresh); r.text("refresh_token") != "" || r.text("scope") != "global:Profile.View global:Project.View" {
					t.Errorf("refreshed: %s", r.body)
				}
				w.opens("kotlin-resource")
			}

			// It compares the text, and not only the status.
			w.clock.advance(11 * time.Minute)
			if r := w.send("kotlin-resource"); r.status != http.StatusUnauthorized || r.text("error") != "authentication-required" || r.text("error_description") != "Access token has expired" {
				t.Errorf("a token that expired: %d %s", r.status, r.body)
			}
			w.token(client.refresh)
			w.opens("kotlin-resource")
		})
	}
}

func TestDotnetClient(t *testing.T) {
	w := newWire(newBench(t, Options{}), "web")
	w.authorize("dotnet-authorization")
	w.with["refresh"] = w.token("dotnet-code").text("refresh_token")
	w.opens("dotnet-resource")
	for range 2 {
		// ** is what it asks for, whatever was granted; it never gets more.
		if r := w.token("dotnet-refresh"); r.text("scope") != "global:Profile.View global:Project.View" {
			t.Errorf("refreshed: %s", r.body)
		}
		w.opens("dotnet-resource")
	}
	if r := w.send("dotnet-resource-stale"); r.status != http.StatusUnauthorized || r.text("error") != "authentication-required" {
		t.Errorf("without a token: %d %s", r.status, r.body)
	}
	w.authorize("dotnet-authorization")
	w.with["secret"] += "x" // beside the right one in the header
	w.send("dotnet-code").mustBe(t, http.StatusUnauthorized, "invalid_client")
}

func TestClientsForThemselves(t *testing.T) {
	for _, file := range []string{"kotlin-client-credentials", "dotnet-client-credentials", "teamcity-client-credentials"} {
		for _, name := range []string{"service", "special"} {
			w := newWire(newBench(t, Options{}), name)
			if r := w.token(file); r.text("scope") != "**" || r.text("refresh_token") != "" {
				t.Errorf("%s %s: %s", name, file, r.body)
			}
			if r := w.send("kotlin-resource"); r.status != http.StatusForbidden || r.text("error") != "permission-denied" {
				t.Errorf("%s %s: a person's resource says %d %s", name, file, r.status, r.body)
			}
		}
	}
}

func TestOtherClients(t *testing.T) {
	b := newBench(t, Options{})
	jenkins := newWire(b, "web")
	jenkins.authorize("jenkins-authorization")
	if r := jenkins.token("jenkins-code"); r.text("refresh_token") != "" {
		t.Errorf("online: %s", r.body)
	}
	jenkins.opens("kotlin-resource")

	page := newWire(b, "web")
	if r := page.send("javascript-preflight"); r.status != http.StatusNoContent || !strings.Contains(r.header.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("preflight: %d %v", r.status, r.header)
	}
	page.with["code"] = b.code("alice", "web")
	page.token("javascript-code")
	page.opens("kotlin-resource")

	password := newWire(b, "service")
	password.with["refresh"] = password.token("password").text("refresh_token")
	password.opens("kotlin-resource")
	password.token("kotlin-refresh")
	password.token("dotnet-refresh")
	password.opens("dotnet-resource")
}
