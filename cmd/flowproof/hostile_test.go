//go:build !race

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"flowproof/reports"
)

const (
	hostileBound  = 60 * time.Second // of any verb before any server
	hostileMemory = 256 << 20
)

// TestHostileServers runs the verbs that talk to a target before servers that misbehave: each run ends within its
// bound, keeps its memory, and claims nothing that it did not see.
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
	for _, one := range troubles() {
		next <- one
	}
	close(next)
	all.Wait()
	t.Logf("hostile servers: %d cases tried, hung %d, crashed %d, wrong verdict %d, over 256 MiB %d", count.tried.Load(), count.hung.Load(), count.crashed.Load(), count.amiss.Load(), count.large.Load())
}

// A hostileCount is what came of the cases.
type hostileCount struct{ tried, hung, crashed, amiss, large atomic.Int64 }

// play runs the verbs before one server.
func (count *hostileCount) play(t *testing.T, tr trouble) {
	folder := t.TempDir()
	at := tr.start(t)
	file := hostileTarget(t, folder, at)
	first := []string{"init", "--from-issuer", at.url}
	if at.ca != "" {
		first = append(first, "--ca", filepath.Join(folder, "ca.pem"))
	}
	for _, args := range [][]string{
		{"check", "-t", file, "--no-browser", "--json", "--out", ""},
		{"load", "-t", file, "--json", "--rate", "50/s", "--duration", "1s", "--out", "", "--progress", "none"},
		{"doctor", "-t", file, "--no-browser"},
		first,
	} {
		count.tried.Add(1)
		ctx, stop := context.WithTimeout(t.Context(), hostileBound)
		cmd := exec.CommandContext(ctx, "flowproof", args...)
		var out, said strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &said
		began := time.Now()
		err := cmd.Run()
		took := time.Since(began)
		late := ctx.Err() != nil
		stop()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		code := cmd.ProcessState.ExitCode()
		rss := int64(0)
		if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			rss = u.Maxrss << 10
		}
		t.Logf("%s: exit %d after %v with %d MiB: %s", args[0], code, took.Round(time.Millisecond), rss>>20, lastLine(said.String()))
		switch {
		case late:
			count.hung.Add(1)
			t.Errorf("%s did not end", args[0])
			continue
		case strings.Contains(said.String(), "panic:") || strings.Contains(said.String(), "goroutine "):
			count.crashed.Add(1)
			t.Errorf("%s crashed:\n%s", args[0], said.String())
			continue
		}
		if rss > hostileMemory {
			count.large.Add(1)
			t.Errorf("%s took %d MiB", args[0], rss>>20)
		}
		if strings.Contains(out.String()+said.String(), hostileToken[:20]) {
			t.Errorf("%s shows the token:\n%s", args[0], said.String())
		}
		if why := hostileVerdict(args[0], code, out.String(), said.String(), tr.kind); why != "" {
			count.amiss.Add(1)
			t.Errorf("%s: %s\n%s", args[0], why, said.String())
		}
	}
}

// hostileVerdict says what is wrong with what a verb said of a server from which nothing right can come.
func hostileVerdict(verb string, code int, out, said string, k kind) string {
	allowed := map[kind][]int{mute: {3}, wrong: {1, 3}, odd: {0, 1, 3}}[k]
	switch verb { // they say what is to be mended, of a server or of what was typed
	case "doctor":
		allowed = []int{1, 3}
	case "init":
		allowed = []int{1, 2, 3}
	}
	if !slices.Contains(allowed, code) {
		return fmt.Sprintf("exit code %d, not one of %v", code, allowed)
	}
	if verb == "doctor" || verb == "init" {
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
	if len(passed) > 0 && k == mute {
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
