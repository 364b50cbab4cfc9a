package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"flowproof/drivers/sandbox"
)

// A wiretap stands before a sandbox and keeps every secret that goes over the wire, by kind.
type wiretap struct {
	next http.Handler
	mu   sync.Mutex
	seen map[string]string // secret -> kind
}

func (w *wiretap) keep(kind, value string) {
	if len(value) < 10 {
		return // too short to be told from ordinary text
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[value] = kind
	if parts := strings.Split(value, "."); len(parts) == 3 && len(parts[1]) > 10 && len(parts[2]) > 10 {
		w.seen[parts[1]], w.seen[parts[2]] = kind+" (payload)", kind+" (signature)"
	}
}

func (w *wiretap) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	for _, name := range []string{"client_secret", "password", "code", "code_verifier", "refresh_token", "access_token"} {
		w.keep(name, form.Get(name))
	}
	if _, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		w.keep("Authorization", token)
	}
	for _, c := range r.Cookies() {
		w.keep("cookie", c.Value)
	}
	answer := httptest.NewRecorder()
	w.next.ServeHTTP(answer, r)
	var members map[string]any
	if json.Unmarshal(answer.Body.Bytes(), &members) == nil {
		for _, name := range []string{"access_token", "refresh_token", "id_token"} {
			if text, is := members[name].(string); is {
				w.keep(name, text)
			}
		}
	}
	for _, c := range answer.Result().Cookies() {
		w.keep("cookie", c.Value)
	}
	if to, err := url.Parse(answer.Header().Get("Location")); err == nil {
		w.keep("code", to.Query().Get("code"))
		if fragment, err := url.ParseQuery(to.Fragment); err == nil {
			w.keep("access_token", fragment.Get("access_token"))
		}
	}
	for name, values := range answer.Header() {
		rw.Header()[name] = values
	}
	rw.WriteHeader(answer.Code)
	_, _ = rw.Write(answer.Body.Bytes())
}

// tapped serves the sandbox behind a wiretap, and writes its target file into the folder.
func tapped(t *testing.T, sb *sandbox.Sandbox, folder string) (tap *wiretap, path string) {
	t.Helper()
	tap = &wiretap{next: sb, seen: map[string]string{}}
	server := httptest.NewServer(tap)
	t.Cleanup(server.Close)
	path, _, err := writeTarget(sb, server.URL, filepath.Join(folder, "in"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range sb.Secrets() {
		tap.keep("configured", secret)
	}
	return tap, path
}

// soughtIn looks for every secret of the wire, in all its spellings, in what was written.
func (w *wiretap) soughtIn(t *testing.T, artefacts map[string][]byte) {
	t.Helper()
	for name, text := range artefacts {
		begins := beginnings(text)
		for secret, kind := range w.seen {
			for how, spelling := range spellings(secret) {
				if begins[spelling[:beginning]] && bytes.Contains(text, []byte(spelling)) {
					t.Errorf("%s holds a %s, %s", name, kind, how)
				}
			}
		}
	}
}

// TestNoArtefactHoldsASecret runs a check in a real browser and a load, both with every secret of the
// wire marked, and looks for each of them, in all its spellings, in whatever was written.
func TestNoArtefactHoldsASecret(t *testing.T) {
	for _, faults := range [][]string{nil, {"echo-secret", "token-in-query"}} {
		t.Run(strings.Join(append([]string{"faults"}, faults...), " "), func(t *testing.T) {
			sb, err := sandbox.New(sandbox.Options{Faults: faults})
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			tap, path := tapped(t, sb, folder)
			out := filepath.Join(folder, "out")
			var said bytes.Buffer
			c := console{out: &said, err: &said, env: os.LookupEnv}
			for _, args := range [][]string{
				{"check", "-t", path, "--out", out, "--progress", "teamcity", "--format", "json,junit,html,sarif,markdown,teamcity,openmetrics,text"},
				{"check", "-t", path, "--json", "--no-browser", "--out", ""},
				{"load", "-t", path, "--grant", "client_credentials,password,refresh_token", "--rate", "100/s", "--duration", "500ms", "--out", out},
				{"login", "-t", path, "--out", out},
				{"doctor", "-t", path},
				{"doctor", "-t", path, "--json"},
				{"check", "-t", path, "-v", "--out", "", "--only", "/^RFC7636/ || RFC6749-3.1.2.4-error-is-shown"},
				{"report", filepath.Join(out, "check.json")},
				{"report", filepath.Join(out, "load.json"), "--format", "csv,hgrm,markdown,openmetrics,teamcity,text", "--out", out},
				{"report", "--history", out},
			} {
				if code := run(t.Context(), args, c); code == wrongUse || len(faults) == 0 && code == fallsShort {
					t.Fatalf("%v exited with %d:\n%s", args, code, said.String())
				}
			}
			artefacts := map[string][]byte{"the terminal": said.Bytes()}
			err = filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					artefacts[filepath.Base(path)], err = os.ReadFile(path)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(artefacts) < 18 || len(tap.seen) < 100 {
				t.Fatalf("%d artefacts, %d secrets: too few to prove anything", len(artefacts), len(tap.seen))
			}
			tap.soughtIn(t, artefacts)
		})
	}
}

// beginning is how much of a spelling is looked up before the whole text is searched for it.
const beginning = 10

// beginnings are all the places where something could begin: thousands of secrets are sought in megabytes.
func beginnings(text []byte) map[string]bool {
	out := make(map[string]bool, len(text))
	for i := range len(text) - beginning {
		out[string(text[i:i+beginning])] = true
	}
	return out
}

// spellings are the ways in which a secret could stand in a text.
func spellings(secret string) map[string]string {
	quoted, _ := json.Marshal(secret)
	return map[string]string{
		"as it is":       secret,
		"URL-encoded":    url.QueryEscape(secret),
		"path-encoded":   url.PathEscape(secret),
		"in base64":      strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
		"in base64url":   base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"in hexadecimal": hex.EncodeToString([]byte(secret)),
		"in JSON":        string(quoted[1 : len(quoted)-1]),
	}
}
