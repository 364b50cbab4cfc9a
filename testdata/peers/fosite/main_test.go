package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestRun(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "peer")
	stdin, closeIt := io.Pipe()
	output, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- command().Run(t.Context(), []string{"-out", folder, "-until-eof", "-tokens", "jwt"}, stdin, stdout, io.Discard)
		_ = stdout.Close()
	}()
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %v", err, <-ended)
	}
	base, path, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "listening on ")), ", target ")
	if !ok || path != filepath.Join(folder, "target.yaml") {
		t.Fatalf("said %q", line)
	}

	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var target struct {
		URL, Profile string
		Endpoints    map[string]string
		Clients      map[string]struct{ ID, Secret string }
		Users        map[string]struct{ Password string }
		Refresh      struct{ Scope string }
	}
	if err := yaml.Unmarshal(text, &target); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if target.URL != base || target.Profile != "rfc6749" || target.Refresh.Scope != "offline" || target.Endpoints["token"] != tokenPath {
		t.Errorf("target\n%s", text)
	}
	secret, err := os.ReadFile(filepath.Join(folder, strings.TrimPrefix(target.Clients["special"].Secret, "file:")))
	if err != nil || len(secret) == 0 || strings.Contains(string(text), string(secret)) {
		t.Errorf("secret: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "secrets", "*"))
	if err != nil || len(files) != 9 { // seven clients have a secret, two users a password
		t.Errorf("%d secrets, %v", len(files), err)
	}
	for _, file := range append(files, path) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", file, info.Mode())
		}
	}

	response, err := http.Get(base + jwksPath)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("got %s", response.Status)
	}
	_ = closeIt.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	end()
	if err := command().Run(ctx, []string{"-out", t.TempDir()}, strings.NewReader(""), io.Discard, io.Discard); err != nil && !strings.Contains(err.Error(), "cancel") {
		t.Error(err)
	}
}

func TestRunRefuses(t *testing.T) {
	for _, arguments := range [][]string{
		{}, {"-out", t.TempDir(), "-tokens", "paper"}, {"-out", t.TempDir(), "-public-pkce", "x"},
		{"-out", t.TempDir(), "more"}, {"-out", t.TempDir(), "-listen", "nowhere:x"}, {"-nonsense"},
	} {
		if err := command().Run(t.Context(), arguments, strings.NewReader(""), io.Discard, io.Discard); err == nil {
			t.Errorf("%v was accepted", arguments)
		}
	}
}
