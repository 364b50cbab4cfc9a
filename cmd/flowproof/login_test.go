package main

import (
	"bytes"
	"context"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"flowproof/drivers/sandbox"
)

// runs runs the command as a user would, and returns its exit code and what it said.
func runs(t *testing.T, args ...string) (code int, out, complaints string) {
	t.Helper()
	var said, complained bytes.Buffer
	code = run(t.Context(), args, console{out: &said, err: &complained, env: os.LookupEnv})
	return code, said.String(), complained.String()
}

// spoiltTarget is a target file of a fresh sandbox, with one thing in it replaced.
func spoiltTarget(t *testing.T, old, new string) string {
	t.Helper()
	sb, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	_, path := tapped(t, sb, folder)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(file), old) {
		t.Fatalf("the target file has no %q", old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(file), old, new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoginTellsEachStep(t *testing.T) {
	path := spoiltTarget(t, "sign_in: auto", `sign_in:
  - fill: {selector: "#username", value: username}
  - fill: {selector: "#password", value: password}
  - click: {selector: "button[type=submit]"}`)
	code, out, complaints := runs(t, "login", "-t", path, "--out", t.TempDir(), "--user", "zoe", "--client", "partner")
	if code != conforms {
		t.Fatalf("exit code %d: %s%s", code, out, complaints)
	}
	for _, part := range []string{"open the authorization request", "step 1: filled #username", "step 2: filled #password", "step 3: pressed “Sign in”",
		"on the consent page", "✓ signed in: the client partner was sent code, state, in "} {
		if !strings.Contains(out, part) {
			t.Errorf("it does not tell %q:\n%s", part, out)
		}
	}
	if !strings.Contains(complaints, "signing zoe in to sandbox") {
		t.Errorf("stderr: %s", complaints)
	}
	if code, out, complaints := runs(t, "login", "-t", path, "--quiet", "--out", ""); code != conforms || out+complaints != "" {
		t.Errorf("quiet: exit code %d, %q, %q", code, out, complaints)
	}
}

func TestLoginTellsWhatFailed(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		code     int
		want     []string
		picture  bool
	}{
		"a wrong password": {
			"secrets/alice", "secrets/bob", fallsShort,
			[]string{`✗ sign in as "alice": the server refused the sign-in`, "it was not tried again", "#password              input   name=password  type=password  Password"}, true,
		},
		"a selector that is not there": {
			"sign_in: auto", "sign_in:\n  - fill: {selector: \"#username\", value: username}\n  - click: {selector: \"#next\"}", fallsShort,
			[]string{"step 1: filled #username", "✗ play step 2 of the sign-in recipe (click #next): the page has not shown it for 8s", "choose another selector", "the page had:", "#username"}, true,
		},
		"another client's redirect URI": {
			"https://app.acme.test/authorized", "https://app.acme.test/nowhere", fallsShort,
			[]string{"✗ the sign-in ends on a page of the server", "compare id and redirect_uris of the client web"}, true,
		},
		"nothing that listens": {
			"authorization: /oauth/auth", "authorization: \"http://127.0.0.1:2/auth\"", unproven,
			[]string{"ERR_CONNECTION_REFUSED", "check url and endpoints.authorization"}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "out")
			code, out, _ := runs(t, "login", "-t", spoiltTarget(t, c.old, c.new), "--out", folder)
			if code != c.code {
				t.Errorf("exit code %d", code)
			}
			for _, part := range c.want {
				if !strings.Contains(out, part) {
					t.Errorf("it does not tell %q:\n%s", part, out)
				}
			}
			file, err := os.Open(filepath.Join(folder, "login.png"))
			if (err == nil) != c.picture {
				t.Fatalf("picture: %v", err)
			}
			if err != nil {
				return
			}
			defer file.Close()
			if _, err := png.Decode(file); err != nil {
				t.Errorf("picture: %v", err)
			}
			if info, err := file.Stat(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("picture: mode %v, %v", info.Mode(), err)
			}
		})
	}
}

// TestLoginIsNotFooledByThePage: what a page says moves no cursor, and another host gets nothing.
func TestLoginIsNotFooledByThePage(t *testing.T) {
	var asked atomic.Int32
	idp := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(idp.Close)
	var away atomic.Bool
	as := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			http.Redirect(w, r, idp.URL+"/login", http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<p role=alert>\x1b[2J\u202eno</p><form method=post><input name='a\x1b[31m'><input type=password id='x\u202e'><button>Sign in\x07</button></form>")
	}))
	t.Cleanup(as.Close)
	folder := t.TempDir()
	path := filepath.Join(folder, "target.yaml")
	for name, text := range map[string]string{"secret": "the-secret-of-web", "password": "the-password-of-alice", "target.yaml": `name: odd
url: ` + as.URL + `
profile: rfc6749
endpoints: {authorization: /auth, token: /token}
clients:
  web: {id: web, secret: file:secret, grants: [authorization_code], redirect_uris: [https://app.acme.test/cb]}
users:
  alice: {username: alice, password: file:password}
`} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, complaints := runs(t, "login", "-t", path, "--out", "")
	if code != fallsShort || strings.ContainsAny(out+complaints, "\x1b\x07\u202e") || strings.Contains(out, "the-password-of-alice") {
		t.Errorf("exit code %d: %q", code, out)
	}
	away.Store(true)
	host := strings.TrimPrefix(idp.URL, "http://")
	code, out, _ = runs(t, "login", "-t", path, "--out", "")
	if code != fallsShort || !strings.Contains(out, "the server sends people to "+host) || !strings.Contains(out, `write sign_in_hosts: ["`+host+`"]`) || asked.Load() != 0 {
		t.Errorf("exit code %d, %d requests: %s", code, asked.Load(), out)
	}
}

func TestLoginEndsWithAnInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	as := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	t.Cleanup(as.Close)
	path := spoiltTarget(t, "authorization: /oauth/auth", `authorization: "`+as.URL+`"`)
	var said bytes.Buffer
	if code := run(ctx, []string{"login", "-t", path, "--out", ""}, console{out: &said, err: &said, env: os.LookupEnv}); code != interrupt {
		t.Errorf("exit code %d: %s", code, said.String())
	}
}
