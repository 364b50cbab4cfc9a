package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"flowproof/peers/explained"
)

// A bench is a server with the target file that describes it, made ready for one run.
type bench struct {
	name   string
	folder string // of this run: the target, the log, what the server writes
	cache  string
	target string // the file that people copy, with the port of this run
	url    string
	token  string // the token endpoint
	values map[string]string
}

// A missingError says what a server needs that this machine does not have.
type missingError struct{ what string }

func (e missingError) Error() string { return e.what }

const (
	missingCode = 77 // what a start script ends with when something is missing
	patience    = 5 * time.Minute
)

var (
	reference = regexp.MustCompile(`\benv:([A-Z][A-Z0-9_]*)`)
	service   = regexp.MustCompile(`(?m)^url: (http://([^/\s]+)\S*)`)
	endpoint  = regexp.MustCompile(`(?m)^  token: (\S+)`)
)

// prepare copies the target file, with a port that is free, and makes up every secret that it names.
func (s setup) prepare(name string) (bench, error) {
	b := bench{name: name, cache: filepath.Join(s.cache, name), folder: filepath.Join(s.out, name), values: map[string]string{}}
	raw, err := os.ReadFile(filepath.Join("..", "targets", name+".yaml"))
	if err != nil {
		return b, fmt.Errorf("all: reading the target of %s: %w", name, err)
	}
	for _, folder := range []string{b.cache, b.folder} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return b, fmt.Errorf("all: making a folder for %s: %w", name, err)
		}
	}
	at, token := service.FindSubmatch(raw), endpoint.FindSubmatch(raw)
	if at == nil || token == nil {
		return b, fmt.Errorf("all: the target of %s has no url: http://… or no token endpoint", name)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return b, fmt.Errorf("all: finding a free port: %w", err)
	}
	free := listener.Addr().String()
	_ = listener.Close()

	text := strings.ReplaceAll(string(raw), string(at[2]), free)
	b.url = strings.TrimSuffix(strings.ReplaceAll(string(at[1]), string(at[2]), free), "/")
	b.token = b.url + string(token[1])
	_, port, _ := net.SplitHostPort(free)
	for _, found := range reference.FindAllStringSubmatch(text, -1) {
		b.values[found[1]] = madeUp(found[1])
	}
	b.values["PORT"], b.values["URL"] = port, b.url
	b.values["CACHE"], b.values["FOLDER"] = b.cache, b.folder

	b.target = filepath.Join(b.folder, "target.yaml")
	var variables strings.Builder
	for _, name := range slices.Sorted(maps.Keys(b.values)) {
		fmt.Fprintf(&variables, "export %s='%s'\n", name, b.values[name])
	}
	return b, errors.Join(
		os.WriteFile(b.target, []byte(text), 0o600),
		os.WriteFile(b.environmentFile(), []byte(variables.String()), 0o600))
}

func (b bench) environmentFile() string { return filepath.Join(b.folder, "environment") }

// madeUp is a secret; one whose name says so holds what careless decoders stumble over.
func madeUp(name string) string {
	text := rand.Text() + strings.ToLower(rand.Text())
	if strings.Contains(name, "ODD") {
		return text[:20] + "% +:&=é" + text[20:]
	}
	return text
}

func (b bench) environment() []string {
	out := os.Environ()
	for name, value := range b.values {
		out = append(out, name+"="+value)
	}
	return out
}

// start runs the start script, and waits until the token endpoint refuses an empty request as one does.
func (b bench) start(ctx context.Context) (stop func(), err error) {
	log, err := os.Create(filepath.Join(b.folder, "log"))
	if err != nil {
		return nil, fmt.Errorf("all: making a log: %w", err)
	}
	script, err := filepath.Abs(filepath.Join("all", b.name, "start"))
	if err != nil {
		return nil, fmt.Errorf("all: finding the script: %w", err)
	}
	cmd := exec.Command(script) //nolint:noctx // its whole group is ended below
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = b.folder, b.environment(), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what it starts ends with it
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("all: starting %s: %w", b.name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop = func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what is left of its group
		_ = log.Close()
	}

	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !b.answers(ctx) {
		select {
		case err := <-ended:
			ended <- err
			stop()
			var code *exec.ExitError
			if errors.As(err, &code) && code.ExitCode() == missingCode {
				return nil, missingError{b.lastLine()}
			}
			return nil, fmt.Errorf("ended before it served (%w): %s; see %s", err, b.lastLine(), log.Name())
		case <-deadline:
			stop()
			return nil, fmt.Errorf("did not serve within %v; see %s", patience, log.Name())
		case <-ctx.Done():
			stop()
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
	return stop, nil
}

func (b bench) answers(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.token, strings.NewReader("grant_type=none"))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode >= 400 && res.StatusCode < 500 && res.StatusCode != http.StatusNotFound
}

func (b bench) lastLine() string {
	text, _ := os.ReadFile(filepath.Join(b.folder, "log"))
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(lines[len(lines)-1])
}

// check runs flowproof.
func (b bench) check(ctx context.Context, flowproof, profile string) (explained.Record, error) {
	out := filepath.Join(b.folder, profile)
	cmd := exec.CommandContext(ctx, flowproof, "check", "-t", b.target, "--profile", profile, "--out", out)
	cmd.Env = b.environment()
	said, err := cmd.CombinedOutput()
	var code *exec.ExitError
	if err != nil && (!errors.As(err, &code) || code.ExitCode() != 1) {
		return nil, fmt.Errorf("flowproof ended with %w:\n%s", err, said)
	}
	return explained.ReadRecord(filepath.Join(out, "check.json"))
}
