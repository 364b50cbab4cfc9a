package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flowproof/drivers/sandbox"
)

func TestDoctorFindsNothingOnTheSandbox(t *testing.T) {
	code, out, complaints := runs(t, "doctor")
	if code != conforms || strings.Contains(out, "✗") || !strings.Contains(out, "✓ nothing is in the way; next: flowproof check") {
		t.Fatalf("exit code %d:\n%s%s", code, out, complaints)
	}
	for _, part := range []string{"✓ target file:", "✓ connection to 127.0.0.1:", "– TLS of", "✓ clock:", "✓ token endpoint:", "✓ client service: gets a token",
		"✓ client mobile: is known", "– client spa:", "✓ redirect URI https://app.acme.test/second of web:", "✓ browser: Chromium", "✓ sign-in: alice gets through"} {
		if !strings.Contains(out, part) {
			t.Errorf("it does not tell %q:\n%s", part, out)
		}
	}
	code, out, complaints = runs(t, "doctor", "--quiet")
	if code != conforms || out+complaints != "" {
		t.Errorf("quiet: exit code %d, %q%q", code, out, complaints)
	}
	code, out, _ = runs(t, "doctor", "--json", "--no-browser", "--no-sign-in")
	var told struct {
		Schema    string
		Diagnoses []diagnosis
		ExitCode  int `json:"exit_code"`
	}
	if err := json.Unmarshal([]byte(out), &told); err != nil || code != conforms || told.Schema != "flowproof/doctor/v1" || len(told.Diagnoses) < 30 || told.ExitCode != 0 {
		t.Errorf("as JSON: exit code %d, %v: %s", code, err, out)
	}
}

// TestDoctorIsContentWithEachSandbox: what a profile forbids is no illness.
func TestDoctorIsContentWithEachSandbox(t *testing.T) {
	for _, profile := range profiles() {
		sb, err := sandbox.New(sandbox.Options{Posture: profile, Extras: true})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(sb)
		t.Cleanup(server.Close)
		path, _, err := writeTarget(sb, server.URL, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if code, out, _ := runs(t, "doctor", "-t", path, "--no-browser"); code != conforms || !strings.Contains(out, "✓ revocation endpoint") || !strings.Contains(out, "✓ metadata") {
			t.Errorf("%s: exit code %d:\n%s", profile, code, out)
		}
	}
}

func TestDoctorFindsWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		code     int
		want     []string
	}{
		"a secret": {"secrets/web", "secrets/partner", fallsShort, []string{"✗ client web: the server does not take its credentials (401 invalid_client); compare clients.web.id and its secret with the registration"}},
		"a redirect URI": {"https://app.acme.test/second", "https://app.acme.test/third", fallsShort,
			[]string{"✗ redirect URI https://app.acme.test/third of web: an authorization request for authorization_code is refused with a page (400)", "letter for letter", "✓ redirect URI https://app.acme.test/authorized of web"}},
		"a path":       {"token: /oauth/token", "token: /oauth/tokens", fallsShort, []string{"✗ token endpoint: nothing is there (404", "check endpoints.token in the target file"}},
		"another page": {"token: /oauth/token", "token: /oauth/auth", fallsShort, []string{"✗ token endpoint: "}},
		"a key set":    {"jwks: /oauth/jwks.json", "jwks: /api/http/team-directory/profiles", fallsShort, []string{"✗ key set: no JSON with keys"}},
		"a password":   {"secrets/alice", "secrets/bob", fallsShort, []string{`✗ sign-in: alice: sign in as "alice": the server refused the sign-in`, "it was not tried again", "flowproof login -t "}},
		"a port":       {"token: /oauth/token", `token: "http://127.0.0.1:2/token"`, unproven, []string{"✗ connection to 127.0.0.1:2: ", "– token endpoint: not looked at, since 127.0.0.1:2 is not reached", "– client web: not looked at", "✓ sign-in: "}},
		"a name":       {"token: /oauth/token", `token: "http://nowhere.invalid/token"`, unproven, []string{"✗ name nowhere.invalid: ", "check the spelling"}},
		"what is left": {`id: "`, `id: "FILL-IN`, fallsShort, []string{"✗ target file: still FILL-IN: clients.service.id"}},
		"a grant": {`[authorization_code, password], redirect_uris: ["https://only`, `[client_credentials], redirect_uris: ["https://only`, fallsShort,
			[]string{"✗ client codeonly: may not use client_credentials (400 unauthorized_client); switch the flow on in its registration"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, complaints := runs(t, "doctor", "-t", spoiltTarget(t, c.old, c.new))
			if code != c.code {
				t.Errorf("exit code %d: %s", code, complaints)
			}
			for _, part := range c.want {
				if !strings.Contains(out, part) {
					t.Errorf("it does not tell %q:\n%s", part, out)
				}
			}
		})
	}
}

// TestDoctorTriesAPasswordOnce, and no more requests than a person would send by hand.
func TestDoctorTriesAPasswordOnce(t *testing.T) {
	sb, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var attempts, all atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all.Add(1)
		if strings.HasSuffix(r.URL.Path, "/sign-in") {
			attempts.Add(1)
		}
		sb.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	folder := t.TempDir()
	path, _, err := writeTarget(sb, server.URL, folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "secrets", "alice"), []byte("not-the-password"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, more := range [][]string{nil, {"--no-browser"}} {
		attempts.Store(0)
		all.Store(0)
		if code, out, _ := runs(t, append([]string{"doctor", "-t", path}, more...)...); code != fallsShort || attempts.Load() != 1 || all.Load() > 60 {
			t.Errorf("%v: exit code %d, %d attempts, %d requests:\n%s", more, code, attempts.Load(), all.Load(), out)
		}
	}
}

// TestDoctorReadsCertificates: each way in which one can be wrong has its own mend.
func TestDoctorReadsCertificates(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		host     string
		from, to time.Time
		rooted   bool
		want     []string
		code     int
	}{
		"good":         {"127.0.0.1", now.Add(-time.Hour), now.Add(90 * 24 * time.Hour), true, []string{"✓ TLS of 127.0.0.1:", "for another 89 days"}, conforms},
		"about to end": {"127.0.0.1", now.Add(-time.Hour), now.Add(30 * time.Hour), true, []string{"✓ TLS of", "✗ certificate of 127.0.0.1:", "renew it"}, fallsShort},
		"ended":        {"127.0.0.1", now.Add(-48 * time.Hour), now.Add(-24 * time.Hour), true, []string{"✗ TLS of", "renew the certificate, unless it is this machine's clock"}, fallsShort},
		"of nobody":    {"127.0.0.1", now.Add(-time.Hour), now.Add(90 * 24 * time.Hour), false, []string{"✗ TLS of", "no root that is known here vouches", "tls: {ca: …}"}, fallsShort},
		"of another":   {"localhost", now.Add(-time.Hour), now.Add(90 * 24 * time.Hour), true, []string{"✗ TLS of localhost:", "the certificate is not for localhost", "– token endpoint: not looked at"}, fallsShort},
	} {
		t.Run(name, func(t *testing.T) {
			server, root := overTLS(t, c.from, c.to)
			folder := t.TempDir()
			_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
			file := "name: secure\nurl: https://" + net.JoinHostPort(c.host, port) + `
profile: rfc6749
endpoints: {token: /token}
clients:
  service: {id: service, secret: file:secret, grants: [client_credentials]}
`
			if c.rooted {
				file += "tls: {ca: root.pem}\n"
			}
			for name, text := range map[string]string{"target.yaml": file, "secret": "the-secret-of-service", "root.pem": root} {
				if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			code, out, _ := runs(t, "doctor", "-t", filepath.Join(folder, "target.yaml"), "--no-browser")
			if code != c.code {
				t.Errorf("exit code %d", code)
			}
			for _, part := range c.want {
				if !strings.Contains(out, part) {
					t.Errorf("it does not tell %q:\n%s", part, out)
				}
			}
		})
	}
}

// overTLS is a token endpoint over TLS for 127.0.0.1, and the root of its certificate.
func overTLS(t *testing.T, from, to time.Time) (*httptest.Server, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	described := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	raw, err := x509.CreateCertificate(rand.Reader, described, described, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.FormValue("grant_type") == "" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":"invalid_request"}`)
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"a-token-of-service","token_type":"Bearer"}`)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
}

// TestDoctorIsNotFooled: a clock that is wrong is told, and what a server writes does not act on the terminal.
func TestDoctorIsNotFooled(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-3*time.Minute).UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "{\"error\":\"\\u001b[2Jthe-secret-of-service\"}")
	}))
	t.Cleanup(server.Close)
	folder := t.TempDir()
	for name, text := range map[string]string{"secret": "the-secret-of-service", "target.yaml": "name: odd\nurl: " + server.URL + `
profile: rfc6749
endpoints: {token: /token}
clients:
  service: {id: service, secret: file:secret, grants: [client_credentials]}
`} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, _ := runs(t, "doctor", "-t", filepath.Join(folder, "target.yaml"), "--no-browser")
	if code != fallsShort || !strings.Contains(out, "✗ clock: the server's is 3m0s behind") || strings.Contains(out, "\x1b") || strings.Contains(out, "the-secret-of-service") {
		t.Errorf("exit code %d: %q", code, out)
	}
}
