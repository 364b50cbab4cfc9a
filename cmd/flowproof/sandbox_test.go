package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A stopper ends what is run once it has said something.
type stopper struct {
	bytes.Buffer
	stop context.CancelFunc
}

func (s *stopper) Write(text []byte) (int, error) {
	if strings.Contains(string(text), "interrupt to end") {
		s.stop()
	}
	return s.Buffer.Write(text)
}

// servedSecrets are the secrets of a sandbox that was served for a moment, by name.
func servedSecrets(t *testing.T, args ...string) map[string]string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	said, out := &stopper{stop: stop}, t.TempDir()
	if code := run(ctx, append([]string{"sandbox", "--tokens", "opaque", "--out", out}, args...), console{out: said, err: said, env: os.LookupEnv}); code != conforms {
		t.Fatalf("exit code %d: %s", code, said.String())
	}
	secrets, err := givenSecrets(filepath.Join(out, "secrets"))
	if err != nil || len(secrets) < 5 {
		t.Fatalf("%d secrets, %v", len(secrets), err)
	}
	for name := range secrets {
		if info, err := os.Stat(filepath.Join(out, "secrets", name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the secret of %s can be read by others: %v, %v", name, info.Mode(), err)
		}
	}
	return secrets
}

func TestSecretsOfTheSandboxAreRandomUnlessGiven(t *testing.T) {
	one, two := servedSecrets(t), servedSecrets(t)
	for name, secret := range one {
		if len(secret) < 20 || secret == two[name] {
			t.Errorf("%s has %q, and the next time %q", name, secret, two[name])
		}
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "service"), []byte("a-secret-of-ours\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	three := servedSecrets(t, "--secrets", folder)
	if three["service"] != "a-secret-of-ours" || three["alice"] == one["alice"] {
		t.Errorf("service has %q, alice what she had before: %v", three["service"], three["alice"] == one["alice"])
	}
}

func TestSecretsForTheSandboxAreRefused(t *testing.T) {
	folder := t.TempDir()
	nobody := filepath.Join(folder, "nobody")
	for want, text := range map[string]string{"nobody is empty; write": "", `a secret was given for "nobody"`: "x"} {
		if err := os.WriteFile(nobody, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, said := runs(t, "sandbox", "--out", t.TempDir(), "--secrets", folder); code != wrongUse || !strings.Contains(said, want) {
			t.Errorf("exit code %d: %s", code, said)
		}
	}
	if code, _, said := runs(t, "sandbox", "--out", t.TempDir(), "--secrets", nobody+"/where"); code != wrongUse || !strings.Contains(said, "--secrets: ") {
		t.Errorf("exit code %d: %s", code, said)
	}
}
