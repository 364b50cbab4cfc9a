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
	ports  []string
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
	service   = regexp.MustCompile(`(?m)^url: (http://\S+)`)
	endpoint  = regexp.MustCompile(`(?m)^  token: (\S+)`)
	place     = regexp.MustCompile(`(?m)^(?:url:|  [a-z]+:|sign_in_hosts:) *\[?"?(?:http://)?(?:127\.0\.0\.1|localhost)(:[0-9]+)\b`)
)

// prepare copies the target file, with ports that are free, and makes up every secret that it names.
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
	text, err := b.move(string(raw))
	if err != nil {
		return b, err
	}
	at, token := service.FindStringSubmatch(text), endpoint.FindStringSubmatch(text)
	if at == nil || token == nil || len(b.ports) == 0 {
		return b, fmt.Errorf("all: the target of %s has no url: http://127.0.0.1:PORT or no token endpoint", name)
	}
	b.url = strings.TrimSuffix(at[1], "/")
	b.token = b.url + token[1]
	for _, found := range reference.FindAllStringSubmatch(text, -1) {
		b.values[found[1]] = madeUp(found[1])
	}
	b.values["PORT"], b.values["URL"] = b.ports[0], b.url
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

// move puts a free port in the place of each that the target names for its url, an endpoint or a host to sign in at.
// The first is the url's; the one in the place of 4445 is PORT_4445.
func (b *bench) move(text string) (string, error) {
	for _, found := range place.FindAllStringSubmatch(text, -1) {
		name := "PORT_" + found[1][1:]
		if b.values[name] != "" {
			continue
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", fmt.Errorf("all: finding a free port: %w", err)
		}
		defer listener.Close() // not before the others are found
		_, free, _ := net.SplitHostPort(listener.Addr().String())
		b.ports, b.values[name] = append(b.ports, free), free
		text = regexp.MustCompile(found[1]+`\b`).ReplaceAllString(text, ":"+free)
	}
	return text, nil
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

// start runs the start script, and waits until every port is listened at and the token endpoint refuses an empty
// request as one does.
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
	for _, port := range b.ports {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
		if err != nil {
			return false
		}
		_ = conn.Close()
	}
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

// check runs flowproof on the server, started anew: the consents that one run gave are another's no more.
func (b bench) check(ctx context.Context, flowproof, profile string) (explained.Record, error) {
	stop, err := b.start(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
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
