package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"flowproof/peers/explained"
)

// TestEachServerIsReady: it has a start script, a target file that can be moved to free ports, and explained findings.
func TestEachServerIsReady(t *testing.T) {
	t.Chdir("..")
	names, err := choose(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := setup{cache: t.TempDir(), out: t.TempDir()}
	for _, name := range names {
		b, err := s.prepare(name)
		if err != nil {
			t.Error(err)
			continue
		}
		text, err := os.ReadFile(b.target)
		if err != nil || b.values["PORT"] == "" || !strings.Contains(string(text), "\nurl: "+b.url) {
			t.Errorf("%s: %v, port %s, url %s in\n%s", name, err, b.values["PORT"], b.url, text)
		}
		found, err := explained.Read(filepath.Join("all", name, "findings.yaml"))
		if err != nil || len(found) == 0 {
			t.Errorf("%s: %d findings are explained: %v", name, len(found), err)
		}
		info, err := os.Stat(filepath.Join("all", name, "start"))
		if err != nil || info.Mode()&0o100 == 0 {
			t.Errorf("%s: start is no script that can be run: %v", name, err)
		}
	}
}

// TestWhatIsMissingIsSaid: in a line, and it is no failure.
func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Chdir("..")
	dirname, err := exec.LookPath("dirname")
	if err != nil {
		t.Fatal(err)
	}
	bare := t.TempDir()
	if err := os.Symlink(dirname, filepath.Join(bare, "dirname")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bare)
	var said strings.Builder
	if err := run(t.Context(), []string{"-cache", t.TempDir(), "-out", t.TempDir(), "hydra", "keycloak"}, &said); err != nil {
		t.Error(err)
	}
	for _, line := range []string{"hydra: not run: go is missing", "keycloak: not run: java is missing"} {
		if !strings.Contains(said.String(), line) {
			t.Errorf("%q is not in\n%s", line, &said)
		}
	}
}

func TestEachPortIsMovedOnce(t *testing.T) {
	b := bench{values: map[string]string{}}
	text, err := b.move(`
url: http://127.0.0.1:4444/realm
endpoints:
  token: /token
  introspection: http://127.0.0.1:4445/introspect
  redirect_uris: ["http://127.0.0.1:7777/callback"]
sign_in_hosts: ["127.0.0.1:3000"]
# http://127.0.0.1:4444 again, and 127.0.0.1:44445
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{":7777/callback", ":44445\n"} {
		if !strings.Contains(text, kept) {
			t.Errorf("%s was moved:\n%s", kept, text)
		}
	}
	for _, port := range []string{"4444", "4445", "3000"} {
		if free := b.values["PORT_"+port]; free == "" || strings.Contains(text, ":"+port+"/") || !strings.Contains(text, ":"+free) {
			t.Errorf("%s was not moved to %q:\n%s", port, free, text)
		}
	}
	if len(b.ports) != 3 || b.ports[0] != b.values["PORT_4444"] {
		t.Errorf("ports %q of %v", b.ports, b.values)
	}
}
