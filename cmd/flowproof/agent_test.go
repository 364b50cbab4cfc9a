package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flowproof/drivers/cluster"
)

// TestAgentReadsItsFolderAlone: the plan of somebody on the bus names a file of the agent's folder, and one beside it.
func TestAgentReadsItsFolderAlone(t *testing.T) {
	folder := t.TempDir()
	outside := filepath.Join(folder, "outside")
	if err := os.WriteFile(outside, []byte("a-secret-of-somebody-else"), 0o600); err != nil {
		t.Fatal(err)
	}
	bus, err := cluster.Embed(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bus.Close)
	dial := bus.Dial()
	for secret, refused := range map[string]bool{"file:secrets/service": false, "file:" + outside: true} {
		path := spoiltTarget(t, "file:secrets/service", secret)
		var said bytes.Buffer
		c := console{out: &said, err: &said, env: os.LookupEnv}
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan int)
		go func() {
			left <- run(ctx, []string{"agent", "--quiet", "--nats", dial.URL, "--nkey", dial.NKey, "--dir", filepath.Dir(path)}, console{out: &bytes.Buffer{}, err: &bytes.Buffer{}, env: os.LookupEnv})
		}()
		code := run(t.Context(), []string{"load", "-t", path, "--agents", dial.URL, "--nkey", dial.NKey, "--expect", "1", "--client", "service", "--rate", "50/s", "--duration", "200ms", "--out", ""}, c)
		leave()
		<-left
		if told := strings.Contains(said.String(), "is not below the agent's --dir"); told != refused || refused != (code == unproven) {
			t.Errorf("refused %t: exit code %d:\n%s", refused, code, said.String())
		}
	}
}

func TestBelow(t *testing.T) {
	folder := t.TempDir()
	dir := filepath.Join(folder, "dir")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(folder, "outside"), filepath.Join(dir, "inside")} {
		if err := os.WriteFile(path, []byte(filepath.Base(path)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"away": filepath.Join(folder, "outside"), "near": "inside"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{"inside": "inside", "near": "inside", "away": "", "../outside": "", "absent": ""} {
		if got, err := below(dir)(filepath.Join(dir, path)); string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
}
