package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

	oneTime  bool            // it asks everybody who signs in for a one-time password, too
	codes    map[string]bool // those that were given
	requests int
	lines    map[string]bool // command lines of processes
}

// asksCode stands before the authorization endpoint with a page of its own, once in a session.
func (w *wiretap) asksCode(rw http.ResponseWriter, r *http.Request, code string) bool {
	if _, err := r.Cookie("second-factor"); !w.oneTime || r.URL.Path != "/oauth/auth" || err == nil {
		return false
	}
	if code != "" {
		w.mu.Lock()
		w.codes[code] = true
		w.mu.Unlock()
		http.SetCookie(rw, &http.Cookie{Name: "second-factor", Value: "given", Path: "/"})
		http.Redirect(rw, r, r.URL.RequestURI(), http.StatusSeeOther)
		return true
	}
	rw.Header().Set("Content-Type", "text/html")
	fmt.Fprint(rw, `<!doctype html><title>One more step</title><form method=post><label>Code <input name=otp autocomplete=one-time-code></label><button>Go on</button></form>`)
	return true
}

// watch keeps the command line of every process that there is, now and then.
func (w *wiretap) watch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.requests++; w.requests%20 != 1 || w.requests > 2000 {
		return
	}
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		if line, err := os.ReadFile(file); err == nil {
			w.lines[strings.ReplaceAll(string(line), "\x00", " ")] = true
		}
	}
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
	w.watch()
	if w.asksCode(rw, r, form.Get("otp")) {
		return
	}
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
		if members["access_token"] != nil && members["id_token"] == nil { // as of a server that knows OpenID Connect
			members["id_token"] = "eyJhbGciOiJub25lIn0." + rand.Text() + "." + rand.Text()
			text, _ := json.Marshal(members)
			answer.Body = bytes.NewBuffer(text)
			answer.Header().Del("Content-Length")
		}
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
	tap = &wiretap{next: sb, seen: map[string]string{}, codes: map[string]bool{}, lines: map[string]bool{}}
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
	marks := w.marks()
	for name, text := range w.unpacked(artefacts) {
		for code := range w.codes { // six digits alone are ordinary text
			for _, around := range []string{`"%s"`, "=%s", ">%s<", "'%s'"} {
				if bytes.Contains(text, fmt.Appendf(nil, around, code)) {
					t.Errorf("%s holds a one-time password", name)
				}
			}
		}
		found := map[string]bool{}
		var start uint64 // the last eight bytes
		for i, b := range text {
			start = start<<8 | uint64(b)
			for _, m := range marks[start] {
				if bytes.HasPrefix(text[max(i-7, 0):], []byte(m.spelling)) {
					found[m.says] = true
				}
			}
		}
		for says := range found {
			t.Errorf("%s holds a %s", name, says)
		}
	}
}

// A mark is a spelling of a secret.
type mark struct{ spelling, says string }

// marks are all that is sought, by their first eight bytes: there are many thousands, and megabytes to look through.
func (w *wiretap) marks() map[uint64][]mark {
	out := map[uint64][]mark{}
	for secret, kind := range w.seen {
		for how, spelling := range spellings(secret) {
			if len(spelling) >= 10 {
				start := binary.BigEndian.Uint64([]byte(spelling))
				out[start] = append(out[start], mark{spelling, kind + ", " + how})
			}
		}
	}
	return out
}

// unpacked are the artefacts with the pictures and downloads that they hold, and the command lines that were seen.
func (w *wiretap) unpacked(artefacts map[string][]byte) map[string][]byte {
	out := maps.Clone(artefacts)
	for name, text := range artefacts {
		for i, packed := range embedded.FindAll(text, -1) {
			if raw, err := base64.StdEncoding.DecodeString(string(packed)); err == nil {
				out[fmt.Sprintf("%s, embedded file %d", name, i)] = raw
			}
		}
	}
	if lines := slices.Sorted(maps.Keys(w.lines)); len(lines) > 0 {
		out["the process list"] = []byte(strings.Join(lines, "\n"))
	}
	return out
}

// embedded is what may be a file in base64.
var embedded = regexp.MustCompile(`[A-Za-z0-9+/]{200,}={0,2}`)

// TestNoArtefactHoldsASecret runs a check in a real browser and a load, both with every secret of the
// wire marked, and looks for each of them, in all its spellings, in whatever was written.
func TestNoArtefactHoldsASecret(t *testing.T) {
	for _, c := range []struct {
		faults  []string
		only    string // nothing: everything
		oneTime bool
	}{
		{},
		{faults: []string{"echo-secret", "token-in-query"}, only: "/^RFC6749-[345]/ && !implicit"},
		{faults: []string{"echo-secret"}, only: "/^RFC6749-4.1.[13]-(code|redirect|wrong)/", oneTime: true}, // few sign-ins: each waits for the next password
	} {
		t.Run(strings.Join(append([]string{"faults"}, c.faults...), " "), func(t *testing.T) {
			sb, err := sandbox.New(sandbox.Options{Faults: c.faults, Extras: c.oneTime})
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			tap, path := tapped(t, sb, folder)
			tap.oneTime = c.oneTime
			grants := "client_credentials,password,refresh_token"
			if c.oneTime { // which the password grant has no place for
				grants = "client_credentials"
				seed := "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
				tap.keep("TOTP seed", seed)
				giveSeed(t, path, seed)
			}
			out := filepath.Join(folder, "out")
			var said bytes.Buffer
			screen := console{out: &said, err: &said, env: os.LookupEnv}
			for _, args := range [][]string{
				{"check", "-t", path, "--only", c.only, "--out", out, "--progress", "teamcity", "--format", "json,junit,html,sarif,markdown,teamcity,openmetrics,text"},
				{"check", "-t", path, "--only", "client_credentials", "--json", "--no-browser", "--out", ""},
				{"load", "-t", path, "--grant", grants, "--rate", "100/s", "--duration", "500ms", "--out", out},
				{"load", "-t", path, "--grant", "authorization_code", "--browser", "auto", "--user", "alice", "--client", "web", "--rate", "20/s", "--duration", "500ms", "--out", filepath.Join(out, "codes")},
				{"compare", filepath.Join(out, "load.json"), filepath.Join(out, "load.json"), "--format", "json,html", "--out", out},
				{"login", "-t", path, "--out", out},
				{"doctor", "-t", path},
				{"doctor", "-t", path, "--json"},
				{"check", "-t", path, "-v", "--out", "", "--only", "/^RFC7636/ || RFC6749-3.1.2.4-error-is-shown"},
				{"report", filepath.Join(out, "check.json")},
				{"report", filepath.Join(out, "load.json"), "--format", "csv,hgrm,markdown,openmetrics,teamcity,text", "--out", out},
				{"report", "--history", out},
			} {
				if code := run(t.Context(), args, screen); code == wrongUse || len(c.faults) == 0 && code == fallsShort {
					t.Fatalf("%v exited with %d:\n%s", args, code, said.String())
				}
			}
			artefacts := map[string][]byte{"the terminal": said.Bytes()}
			err = filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					if info, _ := d.Info(); info == nil || info.Mode().Perm() != 0o600 {
						t.Errorf("others can read %s", path)
					}
					artefacts[strings.TrimPrefix(path, out)], err = os.ReadFile(path)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(artefacts) < 18 || len(tap.seen) < 100 || len(tap.lines) == 0 || c.oneTime && len(tap.codes) == 0 {
				t.Fatalf("%d artefacts, %d secrets, %d command lines, %d one-time passwords: too few to prove anything", len(artefacts), len(tap.seen), len(tap.lines), len(tap.codes))
			}
			for _, kind := range []string{"configured", "client_secret", "password", "code", "code_verifier", "access_token", "refresh_token", "id_token", "cookie", "Authorization"} {
				if c.only == "" && !slices.Contains(slices.Collect(maps.Values(tap.seen)), kind) {
					t.Errorf("no %s was ever seen", kind)
				}
			}
			tap.soughtIn(t, artefacts)
		})
	}
}

// giveSeed gives everybody in the target file a TOTP secret.
func giveSeed(t *testing.T, path, seed string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	person := regexp.MustCompile(`(?m)(password: "?file:secrets/[^,}\n]*)`)
	if !person.Match(text) {
		t.Fatalf("the target file has no users:\n%s", text)
	}
	for name, content := range map[string][]byte{path: person.ReplaceAll(text, []byte("$1, totp: file:secrets/seed")), filepath.Join(filepath.Dir(path), "secrets", "seed"): []byte(seed)} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// spellings are the ways in which a secret could stand in a text.
func spellings(secret string) map[string]string {
	quoted, _ := json.Marshal(secret)
	out := map[string]string{
		"as it is":               secret,
		"URL-encoded":            url.QueryEscape(secret),
		"path-encoded":           url.PathEscape(secret),
		"in base64":              strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
		"in base64url":           base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"in hexadecimal":         hex.EncodeToString([]byte(secret)),
		"in capital hexadecimal": strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"twice URL-encoded":      url.QueryEscape(url.QueryEscape(secret)),
		"in HTML":                html.EscapeString(secret),
		"in JSON":                string(quoted[1 : len(quoted)-1]),
	}
	for before := 1; before <= 2; before++ { // within something longer: what does not depend on what stands around
		whole := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret))
		inner := whole[4 : len(whole)/4*4-4]
		out[fmt.Sprintf("in base64 after %d bytes", before)] = inner
		out[fmt.Sprintf("in base64url after %d bytes", before)] = strings.NewReplacer("+", "-", "/", "_").Replace(inner)
	}
	return out
}
