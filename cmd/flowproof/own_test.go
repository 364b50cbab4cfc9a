package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
)

func TestErrorsAreHarmless(t *testing.T) {
	var said bytes.Buffer
	report(&said, errors.New("it says \x1b[2J\u202e\r\nand more\n"))
	if want := "flowproof: it says \ufffd[2J\ufffd\ufffd\nand more\n"; said.String() != want {
		t.Errorf("%q, want %q", said.String(), want)
	}
}

func TestTheSandboxKeepsItsSecrets(t *testing.T) {
	sb, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if _, _, err := writeTarget(sb, "http://127.0.0.1:1", filepath.Join(folder, "out")); err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(filepath.Join(folder, "out", "secrets"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			files++
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others can read %s: %v", path, info.Mode())
		}
		return err
	})
	if err != nil || files < 5 {
		t.Errorf("%d secrets, %v", files, err)
	}
}

func TestASandboxOfOurOwnIsOnLoopback(t *testing.T) {
	s, err := choose(t.Context(), console{}, "", sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, at := range []string{s.stand.url, s.stand.secure} {
		if of := (target.Target{URL: at}); !of.Loopback() {
			t.Errorf("it is on %s", at)
		}
	}
}

func TestNodesNeedLeaveToo(t *testing.T) {
	here := target.Target{URL: "http://127.0.0.1:1", Endpoints: target.Endpoints{Token: "http://127.0.0.1:1/token"}}
	nodes := []string{"http://127.0.0.1:2", "https://node.acme.test"}
	if err := allowed(here, nodes, nil); err == nil || !strings.Contains(err.Error(), "--i-may-load node.acme.test") {
		t.Errorf("error %v", err)
	}
	if err := allowed(here, nodes, []string{"node.acme.test"}); err != nil {
		t.Error(err)
	}
}

// TestAChildThatHangsIsKilled: one that does not leave when it is to is not waited for.
func TestAChildThatHangsIsKilled(t *testing.T) {
	t.Parallel() // it is given ten seconds
	cmd := exec.CommandContext(t.Context(), "sleep", "120")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	one := &child{cmd, stdin, make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(one.gone)
	}()
	one.leave()
	if cmd.ProcessState.Success() {
		t.Error("it left by itself")
	}
}
