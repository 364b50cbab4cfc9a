//go:build linux && !race

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"flowproof/drivers/sandbox"
	"flowproof/reports"
)

// An interruption is something that befalls a run in a process of its own.
type interruption struct {
	name   string
	verb   []string
	limit  string // on the size of files, in KiB
	at     int64  // the request at which it happens
	happen func(t *testing.T, v *victim)
	silent bool     // the server answers nothing from then on
	deaf   []string // stdout, stderr: nobody reads it
	full   bool     // stdout is a device that is full
	window bool     // stdout and stderr are a terminal
	code   int
	record string // whole, interrupted, or old: the one of an earlier run is untouched
	says   string // in stderr
	notice string // in the record
}

// A victim is the run.
type victim struct {
	process *os.Process
	temp    string // where its browsers have their profiles
	out     string // where it writes to, or what became of it
	window  *os.File
}

// browsers are the processes of the run's browsers.
func (v *victim) browsers() (pids []int) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(line, []byte("--user-data-dir="+v.temp)) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func signalled(s os.Signal) func(*testing.T, *victim) {
	return func(t *testing.T, v *victim) {
		if err := v.process.Signal(s); err != nil {
			t.Error(err)
		}
	}
}

// browsersGet sends a signal to every browser of the run: SIGKILL as the kernel does when memory is short, SIGSTOP as on
// a machine that swaps.
func browsersGet(signal syscall.Signal) func(*testing.T, *victim) {
	return func(t *testing.T, v *victim) {
		pids := v.browsers()
		if len(pids) == 0 {
			t.Error("there is no browser yet")
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, signal)
		}
	}
}

// suspend stops the run for a while, as Ctrl-Z does.
func suspend(t *testing.T, v *victim) {
	signalled(syscall.SIGSTOP)(t, v)
	time.AfterFunc(2500*time.Millisecond, func() { signalled(syscall.SIGCONT)(t, v) })
}

// replaceFolder puts a file where the run is to write to; what was there is elsewhere. It cannot be written to then,
// not even by root, whom no permissions bind.
func replaceFolder(t *testing.T, v *victim) {
	there := v.out
	v.out += ".moved"
	if err := errors.Join(os.Rename(there, v.out), os.WriteFile(there, nil, 0o600)); err != nil {
		t.Error(err)
	}
}

// resize makes the terminal's window small, and smaller.
func resize(t *testing.T, v *victim) {
	for _, width := range []uint16{20, 1, 0, 300} {
		if err := unix.IoctlSetWinsize(int(v.window.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 2, Col: width}); err != nil {
			t.Error(err)
		}
	}
}

// openTerminal is a new terminal: the side that shows it, and the side that a process has.
func openTerminal(t *testing.T) (window, terminal *os.File) {
	t.Helper()
	window, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = window.Close() })
	fd := int(window.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err = errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0), unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 100})); err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return window, terminal
}

func interruptions() []interruption {
	check, load := []string{"check", "--no-browser"}, []string{"load", "--rate", "200/s", "--duration", "4s", "--progress", "none"}
	quick := []string{"check", "--no-browser", "--only", "client_credentials"}
	browser := []string{"check", "--only", "authorization_code"}
	brief := append(slices.Clone(load), "--count", "100")
	return []interruption{
		{name: "check: SIGINT", verb: check, at: 50, happen: signalled(syscall.SIGINT), code: 130, record: "interrupted"},
		{name: "check: SIGTERM", verb: check, at: 50, happen: signalled(syscall.SIGTERM), code: 130, record: "interrupted"},
		{name: "check: SIGINT at the first request", verb: browser, at: 1, happen: signalled(syscall.SIGINT), silent: true, code: 130, record: "old", says: "interrupted"},
		{name: "check in a browser: SIGINT", verb: browser, at: 60, happen: signalled(syscall.SIGINT), code: 130, record: "interrupted"},
		{name: "check in a browser: SIGKILL", verb: browser, at: 60, happen: signalled(syscall.SIGKILL), code: -1, record: "old"},
		{name: "check in a browser: the browser is killed", verb: browser, at: 60, happen: browsersGet(syscall.SIGKILL), code: 3, record: "whole"},
		{name: "check: files may not grow", verb: check, limit: "64", code: 3, record: "old", says: "file too large"},
		{name: "check: nobody reads stdout", verb: append(slices.Clone(quick), "--progress", "teamcity"), deaf: []string{"stdout"}, code: 3, record: "whole", says: "broken pipe"},
		{name: "check: nobody reads stdout or stderr", verb: quick, deaf: []string{"stdout", "stderr"}, code: 0, record: "whole"},
		{name: "check: nobody reads the record", verb: append(slices.Clone(quick), "--json"), deaf: []string{"stdout"}, code: 3, record: "whole", says: "broken pipe"},
		{name: "check: stdout is full", verb: append(slices.Clone(quick), "--json"), full: true, code: 3, record: "whole", says: "no space left on device"},
		{name: "check: the folder goes away", verb: quick, at: 20, happen: replaceFolder, code: 3, record: "old", says: "not a directory"},
		{name: "check: the window changes its size", verb: check, at: 50, happen: resize, window: true, code: -2, record: "whole"},
		{name: "check in a browser: the browser is suspended", verb: []string{"check", "--only", "RFC9700-4.12-no-307"}, at: 2, happen: browsersGet(syscall.SIGSTOP), code: 3, record: "whole"},
		{name: "load: the folder goes away", verb: load, at: 200, happen: replaceFolder, code: 3, record: "old", says: "not a directory"},
		{name: "load: the window changes its size", verb: load[:len(load)-2], at: 200, happen: resize, window: true, code: -2, record: "whole"},
		{name: "load: SIGINT", verb: load, at: 200, happen: signalled(syscall.SIGINT), code: 130, record: "interrupted"},
		{name: "load: SIGTERM", verb: load, at: 200, happen: signalled(syscall.SIGTERM), code: 130, record: "interrupted"},
		{name: "load: SIGKILL", verb: load, at: 200, happen: signalled(syscall.SIGKILL), code: -1, record: "old"},
		{name: "load: suspended", verb: load, at: 200, happen: suspend, code: 0, record: "whole", notice: "The schedule was not kept: this process stood still for"},
		{name: "load: files may not grow", verb: brief, limit: "1", code: 3, record: "old", says: "file too large"},
		{name: "load: the page may not grow", verb: brief, limit: "6", code: 3, record: "whole", says: "file too large"},
		{name: "load: nobody reads stdout or stderr", verb: append(slices.Clone(load), "--progress", "plain"), deaf: []string{"stdout", "stderr"}, code: -2, record: "whole"},
	}
}

// TestInterruptions lets things befall runs, and looks what they leave: a record that is whole, marked as partial or
// the old one, no browser, no profile, and the right exit code.
func TestInterruptions(t *testing.T) {
	for _, i := range interruptions() {
		t.Run(i.name, func(t *testing.T) { befall(t, i) })
	}
}

const oldRecord = "the record of an earlier run"

func befall(t *testing.T, i interruption) {
	sb, err := sandbox.New(sandbox.Options{Tokens: "opaque"})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	v := &victim{temp: filepath.Join(folder, "temp"), out: filepath.Join(folder, "out")}
	began := make(chan struct{}) // v.process is known
	happened := make(chan struct{})
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == i.at {
			<-began
			i.happen(t, v)
			close(happened)
		}
		if i.silent && requests.Load() >= i.at {
			<-r.Context().Done()
			return
		}
		sb.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	path, _, err := writeTarget(sb, server.URL, filepath.Join(folder, "in"))
	if err != nil {
		t.Fatal(err)
	}
	out, record := v.out, i.verb[0]+".json"
	name := filepath.Join(out, record)
	for _, err := range []error{os.Mkdir(v.temp, 0o700), os.Mkdir(out, 0o700), os.WriteFile(name, []byte(oldRecord), 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	args := append(slices.Clone(i.verb), "-t", path, "--out", out)
	cmd := exec.CommandContext(ctx, "flowproof", args...)
	if i.limit != "" {
		cmd = exec.CommandContext(ctx, "bash", append([]string{"-c", "ulimit -f " + i.limit + `; exec flowproof "$@"`, "bash"}, args...)...)
	}
	cmd.Env = append(os.Environ(), "TMPDIR="+v.temp)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	for _, stream := range i.deaf {
		from, to, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		_ = from.Close()
		defer to.Close()
		if stream == "stdout" {
			cmd.Stdout = to
		} else {
			cmd.Stderr = to
		}
	}
	if i.full {
		device, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer device.Close()
		cmd.Stdout = device
	}
	read := make(chan struct{}) // what the terminal shows
	close(read)
	if i.window {
		window, terminal := openTerminal(t)
		v.window, cmd.Stdin, cmd.Stdout, cmd.Stderr = window, terminal, terminal, terminal
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		read = make(chan struct{})
		go func() {
			defer close(read)
			_, _ = io.Copy(&said, window) // ends when the last process has left the terminal
		}()
		defer terminal.Close()
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if terminal, is := cmd.Stdout.(*os.File); is && i.window {
		_ = terminal.Close()
	}
	v.process = cmd.Process
	close(began)
	err = cmd.Wait()
	<-read
	if ctx.Err() != nil {
		t.Fatalf("it did not end\n%s", said.String())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if i.at > 0 {
		<-happened
	}
	if code := cmd.ProcessState.ExitCode(); code != i.code && i.code != -2 || i.code == -2 && code != conforms && code != unproven {
		t.Errorf("exit code %d, want %d", code, i.code)
	}
	if i.window && !strings.Contains(said.String(), "\x1b[") {
		t.Error("nothing was drawn on the terminal")
	}
	if !strings.Contains(said.String(), i.says) || strings.Contains(said.String(), "panic:") || strings.Contains(said.String(), "goroutine ") {
		t.Errorf("want %q", i.says)
	}
	i.judgeRecord(t, filepath.Join(v.out, record))
	i.judgeRemains(t, v, path)
	if t.Failed() {
		t.Logf("it said\n%s", said.String())
	}
}

// judgeRecord looks at the record.
func (i interruption) judgeRecord(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if old := string(text) == oldRecord; old || i.record == "old" {
		if !old || i.record != "old" {
			t.Errorf("the record of the earlier run is untouched: %v, want %s", old, i.record)
		}
		return
	}
	r, err := reports.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"interrupted": "interrupted"}[i.record]; r.Partial() != want {
		t.Errorf("it is partial %q, want %q", r.Partial(), want)
	}
	if i.record == "interrupted" && r.ExitCode(false) == conforms {
		t.Error("the partial record would pass")
	}
	if r.Conformance != nil {
		for _, one := range r.Conformance.Results {
			if one.Verdict == reports.Fail {
				t.Errorf("%s fails, and the target did nothing wrong", one.Requirement)
			}
		}
	}
	if r.Load != nil {
		if r.Load.Verdict == reports.Fail {
			t.Error("the load fails, and the target did nothing wrong")
		}
		if !slices.ContainsFunc(r.Load.Notices, func(n string) bool { return strings.Contains(n, i.notice) }) {
			t.Errorf("notices %q, want %s", r.Load.Notices, i.notice)
		}
	}
}

// judgeRemains looks for what must not be left. A run that was killed cannot clean up: the next one does.
func (i interruption) judgeRemains(t *testing.T, v *victim, target string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); len(v.browsers()) > 0; <-tick.C {
		if time.Now().After(deadline) {
			t.Errorf("browsers %v are left", v.browsers())
			break
		}
	}
	if i.code == -1 && i.verb[0] == "check" {
		next := exec.CommandContext(t.Context(), "flowproof", "check", "--only", "RFC6749-4.1-issues-token", "-t", target, "--out", "")
		next.Env = append(os.Environ(), "TMPDIR="+v.temp)
		if text, err := next.CombinedOutput(); err != nil {
			t.Errorf("the next run: %v\n%s", err, text)
		}
	}
	left, err := os.ReadDir(v.temp)
	if err != nil || len(left) > 0 {
		t.Errorf("%v is left (%v)", left, err)
	}
	files, err := os.ReadDir(v.out)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), ".") && i.code != -1 {
			t.Errorf("%s is left", f.Name())
		}
	}
}
