package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
)

// accepted reads a target file with the strict reader, every variable being set.
func accepted(t *testing.T, text string) target.Target {
	t.Helper()
	got, err := target.Parse("init.yaml", []byte(text), target.Lookup{
		Env:  func(string) (string, bool) { return "a-secret-of-the-test", true },
		File: os.ReadFile,
	})
	if err != nil {
		t.Fatalf("the strict reader refuses it: %v\n%s", err, text)
	}
	return got
}

// issuer serves documents by path; ISSUER in them is its own URL.
func issuer(t *testing.T, documents map[string]string) *httptest.Server {
	t.Helper()
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := documents[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.ReplaceAll(text, "ISSUER", s.URL))
	}))
	t.Cleanup(s.Close)
	return s
}

const discovery = `{"issuer":"ISSUER/realms/acme","authorization_endpoint":"ISSUER/realms/acme/auth","token_endpoint":"ISSUER/realms/acme/token",
"jwks_uri":"ISSUER/realms/acme/certs","userinfo_endpoint":"https://api.acme.test/userinfo?x=1&y","revocation_endpoint":"ISSUER/revoke","introspection_endpoint":"ISSUER/realms/acme/introspect",
"grant_types_supported":["authorization_code","client_credentials","password","refresh_token","urn:ietf:params:oauth:grant-type:device_code"],
"response_types_supported":["code","id_token"],"scopes_supported":["openid","profile","offline_access"],
"token_endpoint_auth_methods_supported":["client_secret_post","private_key_jwt"],"code_challenge_methods_supported":["plain","S256"]}`

func TestInitFillsATargetFromMetadata(t *testing.T) {
	for name, path := range map[string]string{
		"RFC 8414": "/.well-known/oauth-authorization-server/realms/acme", "OpenID": "/realms/acme/.well-known/openid-configuration",
	} {
		t.Run(name, func(t *testing.T) {
			s := issuer(t, map[string]string{path: discovery})
			for _, asked := range []string{s.URL + "/realms/acme", s.URL + "/realms/acme/", s.URL + path} {
				code, out, complaints := runs(t, "init", "--from-issuer", asked) // an address has no name: the realm is taken
				if code != conforms || complaints != "" {
					t.Fatalf("exit code %d: %s", code, complaints)
				}
				got := accepted(t, out)
				want := target.Endpoints{
					Authorization: s.URL + "/realms/acme/auth", Token: s.URL + "/realms/acme/token", JWKS: s.URL + "/realms/acme/certs",
					Revocation: s.URL + "/revoke", Introspection: s.URL + "/realms/acme/introspect", Metadata: s.URL + path,
				}
				if got.Endpoints != want || got.URL != s.URL+"/realms/acme" || got.Profile != "bcp-9700" || got.Scopes.Default != "openid" || got.Refresh.Scope != "offline_access" {
					t.Errorf("read %s", got.Masked())
				}
				if got.Resources.User == nil || got.Resources.User.Get != "https://api.acme.test/userinfo?x=1&y" || got.Resources.User.Subject != "sub" {
					t.Errorf("resources %+v", got.Resources.User)
				}
				if len(got.Clients) != 3 || got.Name != "acme" || !got.Clients[2].Public || got.Clients[0].Authentication != "body" || got.Clients[0].Has(target.Implicit) || !got.Clients[1].Has(target.RefreshToken) {
					t.Errorf("clients %+v", got.Clients)
				}
			}
		})
	}
}

// TestInitMarksWhatIsToBeFilledIn: no placeholder, variable or made-up URI without its mark, and doctor finds what is left.
func TestInitMarksWhatIsToBeFilledIn(t *testing.T) {
	s := issuer(t, map[string]string{"/.well-known/oauth-authorization-server": `{"issuer":"ISSUER","authorization_endpoint":"ISSUER/a","token_endpoint":"ISSUER/t"}`})
	path := filepath.Join(t.TempDir(), "acme.yaml")
	code, out, complaints := runs(t, "init", "--from-issuer", s.URL, "--out", path, "--grant", "authorization_code,implicit,client_credentials,password,refresh_token")
	if code != conforms || out != "" || !strings.Contains(complaints, "flowproof doctor -t "+path) || !strings.Contains(complaints, "SERVER_WEB_SECRET") {
		t.Fatalf("exit code %d: %s%s", code, out, complaints)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	open := regexp.MustCompile(`FILL-IN|env:|acme\.test`)
	marked := 0
	for line := range strings.Lines(string(text)) {
		written, comment, _ := strings.Cut(line, "#")
		if open.MatchString(written) {
			marked++
			if !strings.Contains(comment, "FILL IN") {
				t.Errorf("not marked: %s", line)
			}
		}
	}
	if marked < 11 {
		t.Errorf("%d places to fill in:\n%s", marked, text)
	}
	for _, c := range accepted(t, string(text)).Clients {
		for _, name := range []string{"SERVER_SERVICE_SECRET", "SERVER_WEB_SECRET", "SERVER_ALICE_PASSWORD", "SERVER_BOB_PASSWORD"} {
			t.Setenv(name, "a-secret-of-"+c.Name)
		}
	}
	if code, out, _ := runs(t, "doctor", "-t", path, "--no-browser", "--no-sign-in"); code != fallsShort || !strings.Contains(out, "✗ target file: still FILL-IN: clients.service.id, clients.web.id, clients.spa.id, users.alice.username, users.bob.username") {
		t.Errorf("doctor: exit code %d: %s", code, out)
	}
	if code, _, complaints := runs(t, "init", "--from-issuer", s.URL, "--out", path); code != wrongUse || !strings.Contains(complaints, "is there already, and is not overwritten") {
		t.Errorf("again: exit code %d: %s", code, complaints)
	}
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, text) {
		t.Error("the file was touched")
	}
}

// TestInitReadsTheSandbox, which has metadata on demand; what comes is a target that needs no more than names.
func TestInitReadsTheSandbox(t *testing.T) {
	sb, err := sandbox.New(sandbox.Options{Extras: true, Posture: "oauth-2.1"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sb)
	t.Cleanup(server.Close)
	sb.TargetFile(server.URL, func(string) string { return "env:X" })
	code, out, complaints := runs(t, "init", "--from-issuer", server.URL)
	if code != conforms {
		t.Fatalf("exit code %d: %s", code, complaints)
	}
	if got := accepted(t, out); got.Endpoints.Token != server.URL+"/oauth/token" || got.Endpoints.Authorization != server.URL+"/oauth/auth" || got.Endpoints.Revocation == "" || got.Endpoints.Introspection == "" {
		t.Errorf("endpoints %+v", got.Endpoints)
	}
}

// TestInitIsNotFooledByMetadata: whatever a server writes, what comes is a target file or a refusal.
func TestInitIsNotFooledByMetadata(t *testing.T) {
	evil := "x\"\n  evil: {id: x}\n# \x1b[2J\u202e\u0085\u2028'"
	quoted, _ := json.Marshal(evil)
	for name, document := range map[string]string{
		"text that breaks out":    `{"issuer":` + string(quoted) + `,"token_endpoint":"ISSUER/t","authorization_endpoint":` + string(quoted) + `,"scopes_supported":[` + string(quoted) + `,"openid"]}`,
		"URLs that break out":     `{"issuer":"ISSUER","token_endpoint":"ISSUER/t?a=\" b: {c}","authorization_endpoint":"ISSUER/a\u0027#x","jwks_uri":"javascript:alert(1)","revocation_endpoint":"https://user:pass@evil.test/"}`,
		"members of other kinds":  `{"issuer":7,"token_endpoint":"ISSUER/t","authorization_endpoint":["ISSUER/a"],"scopes_supported":"openid","grant_types_supported":[1,null,"client_credentials"]}`,
		"no grant that we know":   `{"issuer":"ISSUER","token_endpoint":"ISSUER/t","grant_types_supported":["urn:x"]}`,
		"only a refresh":          `{"issuer":"ISSUER","token_endpoint":"ISSUER/t","authorization_endpoint":"ISSUER/a","grant_types_supported":["refresh_token"]}`,
		"only implicit":           `{"issuer":"ISSUER","token_endpoint":"ISSUER/t","authorization_endpoint":"ISSUER/a","grant_types_supported":["implicit"]}`,
		"an issuer of other kind": `{"issuer":"https://u:p@evil.test/?q#f","token_endpoint":"ISSUER/t"}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := issuer(t, map[string]string{"/.well-known/openid-configuration": document})
			code, out, complaints := runs(t, "init", "--from-issuer", s.URL)
			if code != conforms {
				t.Fatalf("exit code %d: %s", code, complaints)
			}
			if strings.ContainsAny(out+complaints, "\x1b\u202e\u2028\u0085") {
				t.Errorf("it acts on the terminal: %q", out+complaints)
			}
			got := accepted(t, out)
			if _, is := got.Client("evil"); is || got.URL == "" || got.Endpoints.Token == "" || strings.Contains(out, "evil.test") {
				t.Errorf("read %s", got.Masked())
			}
		})
	}
}

func TestInitSaysWhereThereIsNothing(t *testing.T) {
	empty := issuer(t, nil)
	code, _, complaints := runs(t, "init", "--from-issuer", empty.URL+"/a")
	for _, part := range []string{"/.well-known/oauth-authorization-server/a answers 404", "/a/.well-known/openid-configuration answers 404", "give the endpoints"} {
		if code != unproven || !strings.Contains(complaints, part) {
			t.Errorf("exit code %d, it does not tell %q: %s", code, part, complaints)
		}
	}
	other := issuer(t, map[string]string{"/.well-known/oauth-authorization-server": `{"issuer":"https://other.test","token_endpoint":"ISSUER/t"}`})
	if code, out, complaints := runs(t, "init", "--from-issuer", other.URL); code != conforms || !strings.Contains(complaints, `the issuer is "https://other.test", not the one asked for`) || !strings.Contains(out, "other.test") {
		t.Errorf("exit code %d: %s", code, complaints)
	}
}

func TestInitAsks(t *testing.T) {
	silent := issuer(t, nil)
	asked := func(answers string) (int, string, string) {
		var out, complaints bytes.Buffer
		code := run(t.Context(), []string{"init"}, console{out: &out, err: &complaints, in: strings.NewReader(answers), env: os.LookupEnv})
		return code, out.String(), complaints.String()
	}
	code, out, complaints := asked(silent.URL + "\n/as/token\n\nclient_credentials, authorization_code\n")
	if code != conforms || !strings.Contains(complaints, "The token endpoint's path or URL [/oauth/token]: ") {
		t.Fatalf("exit code %d: %s", code, complaints)
	}
	got := accepted(t, out)
	if got.Endpoints.Token != silent.URL+"/as/token" || got.Endpoints.Authorization != silent.URL+"/oauth/authorize" || len(got.Clients) != 2 {
		t.Errorf("read %s", got.Masked())
	}
	full := issuer(t, map[string]string{"/realms/acme/.well-known/openid-configuration": discovery})
	if code, out, complaints := asked(full.URL + "/realms/acme\n"); code != conforms || strings.Contains(complaints, "token endpoint's") || accepted(t, out).Endpoints.JWKS == "" {
		t.Errorf("exit code %d: %s", code, complaints)
	}
	for answers, want := range map[string]string{"": "nothing to write", "acme\n": "is no address", silent.URL + "\n\n\ntelepathy\n": `there is no grant "telepathy"`} {
		if code, out, complaints := asked(answers); code != wrongUse || out != "" || !strings.Contains(complaints, want) {
			t.Errorf("%q: exit code %d: %s", answers, code, complaints)
		}
	}
}

func TestInitFromFlags(t *testing.T) {
	code, out, _ := runs(t, "init", "--url", "https://acme.test/", "--token", "/t", "--authorization", "https://login.acme.test/a", "--profile", "oauth-2.1", "--name", "mine")
	if got := accepted(t, out); code != conforms || got.Name != "mine" || got.Profile != "oauth-2.1" || got.Endpoints.Token != "https://acme.test/t" || got.Endpoints.Authorization != "https://login.acme.test/a" {
		t.Errorf("exit code %d, read %s", code, got.Masked())
	}
	code, out, _ = runs(t, "init", "--url", "https://acme.jetbrains.space", "--profile", "space")
	got := accepted(t, out)
	for _, g := range target.Grants() {
		if code != conforms || !slices.ContainsFunc(got.Clients, func(c target.Client) bool { return c.Has(g) }) {
			t.Errorf("exit code %d, no client has %s", code, g)
		}
	}
}
