package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A spent is what a process took.
type spent struct {
	cpu, wall time.Duration
	rss       int64 // at most, in bytes
	out       []byte
}

const mostTime = 3 * time.Minute // of one command

// take runs a command to its end. An exit code other than 0 is an error only where ok does not hold it.
func take(ctx context.Context, ok []int, name string, args ...string) (spent, error) {
	ctx, stop := context.WithTimeout(ctx, mostTime)
	defer stop()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	began := time.Now()
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return spent{}, err
	}
	s := spentBy(cmd.ProcessState)
	s.wall, s.out = time.Since(began), out.Bytes()
	if code := cmd.ProcessState.ExitCode(); err != nil && !slices.Contains(ok, code) {
		return s, fmt.Errorf("%s: %w: %s", filepath.Base(name), err, last(complaints.String()+out.String()))
	}
	return s, nil
}

func spentBy(p *os.ProcessState) spent {
	s := spent{cpu: p.UserTime() + p.SystemTime()}
	if u, ok := p.SysUsage().(*syscall.Rusage); ok {
		s.rss = u.Maxrss << 10 // Linux counts in KiB
	}
	return s
}

// last is the last line of a text.
func last(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// A service is a server that runs beside.
type service struct {
	cmd *exec.Cmd
	url string
}

// start runs a server and waits for the line in which it says its URL.
func start(ctx context.Context, name string, args ...string) (*service, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	said, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = writer, writer
	err = cmd.Start()
	_ = writer.Close()
	if err != nil {
		_ = said.Close()
		return nil, err
	}
	s := &service{cmd: cmd}
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if at := strings.Index(lines.Text(), "http"); at >= 0 && strings.Contains(lines.Text()[at:], "://") {
			s.url = strings.FieldsFunc(lines.Text()[at:], func(r rune) bool { return r == ' ' || r == ',' })[0]
			break
		}
	}
	go func() { // what else it says is nobody's concern
		_, _ = io.Copy(io.Discard, said)
		_ = said.Close()
	}()
	if s.url == "" {
		s.end()
		return nil, fmt.Errorf("%s did not say where it listens", filepath.Base(name))
	}
	return s, nil
}

// cpu is what the server has taken so far, to a hundredth of a second; 0 where the system does not tell.
func (s *service) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11]) // the kernel's own numbers
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// end stops the server, and tells what it took.
func (s *service) end() spent {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait() // it was told to end
	return spentBy(s.cmd.ProcessState)
}

// control is a client that trusts our own server, whose certificate it made itself.
func control() *http.Client {
	return &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true, DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // loopback
	}}
}

// ask is what the token server answers to one of its own paths.
func (s *service) ask(ctx context.Context, path string) (int64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return 0, err
	}
	answer, err := control().Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || len(text) == 0 {
		return 0, err
	}
	return strconv.ParseInt(string(text), 10, 64)
}
