//go:build !race

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flowproof/reports"
)

const (
	hostileBound  = 60 * time.Second // of any verb before any server
	hostileMemory = 256 << 20
	// A tab may take 1 GiB, and all of them together twice as much, and a little more before that is seen.
	hostileBrowser = 3000 << 20
)

// allHostile plays every verb before every server and page, those too that hold a browser for as long as it waits.
var allHostile = flag.Bool("all", false, "the hostile servers: also what takes minutes")

// TestHostileServers runs the verbs that talk to a target before servers that misbehave, and those that use a browser
// before sign-in pages that do: each run ends within its bound, keeps its memory, leaves nothing, and claims nothing that
// it did not see.
func TestHostileServers(t *testing.T) {
	var count hostileCount
	next := make(chan trouble)
	var all sync.WaitGroup
	for range 6 { // they wait more than they compute
		all.Go(func() {
			for tr := range next {
				t.Run(tr.name, func(t *testing.T) { count.play(t, tr) })
			}
		})
	}
	for _, one := range slices.Concat(pageTroubles(), troubles()) {
		next <- one
	}
	close(next)
	all.Wait()
	t.Logf("hostile servers: %d cases tried, %d of them in a browser, hung %d, crashed %d, wrong verdict %d, over 256 MiB %d, left something %d; the browser took %d MiB at the most",
		count.tried.Load(), count.browsers.Load(), count.hung.Load(), count.crashed.Load(), count.amiss.Load(), count.large.Load(), count.left.Load(), count.browser.Load()>>20)
}

// A hostileCount is what came of the cases, and the most that a browser took.
type hostileCount struct {
	tried, browsers, hung, crashed, amiss, large, left, browser atomic.Int64
}

// play runs the verbs before one server.
func (count *hostileCount) play(t *testing.T, tr trouble) {
	folder := t.TempDir()
	at := tr.start(t)
	file := hostileTarget(t, folder, at)
	first := []string{"init", "--from-issuer", at.url}
	if at.ca != "" {
		first = append(first, "--ca", filepath.Join(folder, "ca.pem"))
	}
	var runs [][]string
	if tr.kind != page {
		runs = [][]string{
			{"check", "-t", file, "--no-browser", "--json", "--out", ""},
			{"load", "-t", file, "--json", "--rate", "50/s", "--duration", "1s", "--out", "", "--progress", "none"},
			{"doctor", "-t", file, "--no-browser"},
			first,
		}
	}
	for _, verb := range tr.browsed() {
		count.browsers.Add(1)
		runs = append(runs, map[string][]string{
			"login":  {"login", "-t", file, "--out", ""},
			"doctor": {"doctor", "-t", file},
			"check":  {"check", "-t", file, "--json", "--out", "", "--only", "RFC6749-4.1-issues-token"},
			"load":   {"load", "-t", file, "--json", "--grant", "authorization_code", "--browser", "auto", "--rate", "20/s", "--duration", "1s", "--out", "", "--progress", "none"},
		}[verb])
	}
	for _, args := range runs {
		count.run(t, tr, at, args)
	}
}

// run runs one of them, and counts what came of it.
func (count *hostileCount) run(t *testing.T, tr trouble, at address, args []string) {
	count.tried.Add(1)
	ctx, stop := context.WithTimeout(t.Context(), hostileBound)
	defer stop()
	temp := t.TempDir()
	cmd := exec.CommandContext(ctx, "flowproof", args...)
	cmd.Env = append(append(os.Environ(), at.env...), "TMPDIR="+temp)
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watched := watch(cmd.Process.Pid)
	err := cmd.Wait()
	took, seen := time.Since(began), watched()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	code := cmd.ProcessState.ExitCode()
	keepMost(&count.browser, seen.browser)
	t.Logf("%s: exit %d after %v with %d MiB, the browser %d MiB: %s", args[0], code, took.Round(time.Millisecond), seen.own>>20, seen.browser>>20, lastLine(out.String()+said.String()))
	switch {
	case ctx.Err() != nil:
		count.hung.Add(1)
		t.Errorf("%s did not end:\n%s", args[0], said.String())
		return
	case strings.Contains(said.String(), "panic:") || strings.Contains(said.String(), "goroutine "):
		count.crashed.Add(1)
		t.Errorf("%s crashed:\n%s", args[0], said.String())
		return
	}
	if seen.own > hostileMemory {
		count.large.Add(1)
		t.Errorf("%s took %d MiB", args[0], seen.own>>20)
	}
	if seen.browser > hostileBrowser {
		count.large.Add(1)
		t.Errorf("the browser of %s took %d MiB", args[0], seen.browser>>20)
	}
	if left := seen.remains(temp); left != "" {
		count.left.Add(1)
		t.Errorf("%s left %s", args[0], left)
	}
	if strings.Contains(out.String()+said.String(), hostileToken[:20]) {
		t.Errorf("%s shows the token:\n%s", args[0], said.String())
	}
	if why := hostileVerdict(args[0], code, out.String(), said.String(), tr.kind); why != "" {
		count.amiss.Add(1)
		t.Errorf("%s: %s\n%s%s", args[0], why, out.String(), said.String())
	}
}

// hostileVerdict says what is wrong with what a verb said of a server from which nothing right can come.
func hostileVerdict(verb string, code int, out, said string, k kind) string {
	allowed := map[kind][]int{mute: {3}, wrong: {1, 3}, odd: {0, 1, 3}, page: {3}}[k]
	switch verb { // they say what is to be mended, of a server or of what was typed
	case "doctor", "login":
		allowed = []int{1, 3}
	case "init":
		allowed = []int{1, 2, 3}
	case "load": // before it loads anything it says that nobody can be signed in as the file has it
		if k == page {
			allowed = []int{2, 3}
		}
	}
	if !slices.Contains(allowed, code) {
		return fmt.Sprintf("exit code %d, not one of %v", code, allowed)
	}
	if verb == "doctor" || verb == "init" || verb == "login" {
		if out+said == "" {
			return "nothing is said"
		}
		return ""
	}
	if out == "" {
		if strings.Count(strings.TrimSpace(said), "\n") > 3 || said == "" {
			return "no readable line says why"
		}
		return ""
	}
	if verb == "load" {
		var l reports.Load
		if err := json.Unmarshal([]byte(out), &l); err != nil {
			return err.Error()
		}
		if l.Verdict == reports.Pass && k != odd {
			return "it holds"
		}
		return ""
	}
	var c reports.Conformance
	if err := json.Unmarshal([]byte(out), &c); err != nil {
		return err.Error()
	}
	var passed []string
	for _, r := range c.Results {
		if r.Verdict == reports.Pass {
			passed = append(passed, r.Requirement)
		}
	}
	if len(passed) > 0 && (k == mute || k == page) {
		return fmt.Sprintf("nothing was answered, and yet these pass: %s", strings.Join(passed, ", "))
	}
	return ""
}

func hostileTarget(t *testing.T, folder string, at address) string {
	t.Helper()
	text := fmt.Sprintf(`name: hostile
url: %s
profile: rfc6749
endpoints: {authorization: /oauth/auth, token: /oauth/token, metadata: /.well-known/oauth-authorization-server, jwks: /keys, revocation: /revoke, introspection: /introspect}
timeout: 500ms
clients:
  service: {id: one, secret: file:secret, grants: [client_credentials, password, refresh_token]}
  web: {id: two, secret: file:secret, grants: [authorization_code, refresh_token], redirect_uris: [https://app.acme.test/cb]}
  spa: {id: three, public: true, grants: [implicit], implicit_redirect_uris: [https://app.acme.test/spa]}
users:
  alice: {username: alice, password: file:secret}
scopes: {default: read, narrow: read}
resources:
  any: {get: /api}
`, at.url)
	if at.ca != "" {
		text += "tls: {ca: ca.pem}\n"
	}
	if at.file != "" {
		text = at.file
	}
	path := filepath.Join(folder, "target.yaml")
	for name, content := range map[string]string{path: text, filepath.Join(folder, "secret"): "0123456789abcdef0123456789abcdef", filepath.Join(folder, "ca.pem"): at.ca} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
