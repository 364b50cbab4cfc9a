package browser

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// Each, as its argument, makes the test binary a run that is going to be killed.
const (
	holdABrowser     = "hold-a-browser"
	holdAHungBrowser = "hold-a-browser-that-notices-nothing"
)

func TestMain(m *testing.M) {
	for what, start := range map[string]func() (*profile, error){holdABrowser: startBrowser, holdAHungBrowser: startHungBrowser} {
		if slices.Contains(os.Args, what) {
			held(start())
			return
		}
	}
	goleak.VerifyTestMain(m) // no test leaves a goroutine behind
}

// held tells of a browser, and keeps it until stdin ends.
func held(p *profile, err error) {
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	fmt.Println(p.dir)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func startBrowser() (*profile, error) {
	b, err := Start(context.Background(), target.Target{URL: "http://127.0.0.1:1"}, Options{})
	if err != nil {
		return nil, err
	}
	_, err = b.Session(context.Background())
	return b.profile, err
}

// startHungBrowser starts, as a browser is started, what does not end of itself.
func startHungBrowser() (*profile, error) {
	runtime.LockOSThread() // with which the process is tied
	p, err := newProfile()
	if err != nil {
		return nil, err
	}
	hung := exec.CommandContext(context.Background(), "sh", "-c", "while :; do sleep 1; done", "sh", "--user-data-dir="+p.dir)
	tie(hung)
	return p, hung.Start()
}

// gone waits until no process is left that uses the profile.
func gone(t *testing.T, profile string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for len(running(profile)) > 0 {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("processes %v still use %s", running(profile), profile)
		}
	}
}

func profiles(t *testing.T, temp string) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(temp, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func TestCloseLeavesNothing(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	s := newSite(t)
	b, err := Start(t.Context(), s.target(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	land(t, open(t, b), oauth.Visit{URL: s.request("to", client), RedirectURIs: []string{client}, User: alice()})
	if len(running(b.profile.dir)) == 0 {
		t.Error("no process of the browser was found while it ran")
	}
	for range 2 {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	if pids := running(b.profile.dir); len(pids) > 0 {
		t.Errorf("processes %v are left", pids)
	}
	if left := profiles(t, temp); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	if _, err := b.Session(t.Context()); err == nil {
		t.Error("a closed browser opens a session")
	}
}

func TestBrokenOffStartLeavesNothing(t *testing.T) {
	temp, bin := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	// A browser that never answers: it waits for the end of its pipe.
	mute := filepath.Join(bin, "mute")
	if err := os.WriteFile(mute, []byte("#!/bin/sh\nread line <&3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Start(ctx, target.Target{}, Options{Path: mute}); err == nil || !strings.Contains(err.Error(), "deadline exceeded") {
		t.Errorf("error %v", err)
	}
	if _, err := Start(ctx, target.Target{}, Options{}); err == nil {
		t.Error("started with a context that was over")
	}
	if _, err := Start(t.Context(), target.Target{}, Options{Path: "/bin/false"}); err == nil {
		t.Error("started /bin/false")
	}
	if left := profiles(t, temp); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestContextOfTheStartIsNotTheBrowsersLife(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	b, err := Start(ctx, s.target(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	x, err := b.Session(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if l := land(t, x, oauth.Visit{URL: s.request("to", client), RedirectURIs: []string{client}, User: alice()}); l.Kind != oauth.Redirected {
		t.Errorf("landed %s", l.Kind)
	}
}

// holding is a run in a process of its own that holds a browser, and the profile of that, below the folder.
func holding(t *testing.T, temp, what string) (run *exec.Cmd, profile string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run = exec.CommandContext(t.Context(), self, what)
	run.Env = append(os.Environ(), "TMPDIR="+temp)
	in, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	profile = strings.TrimSpace(line)
	if err != nil || !strings.HasPrefix(profile, temp) || len(running(profile)) == 0 {
		t.Fatalf("the run said %q, %v", line, err)
	}
	return run, profile
}

func TestKilledRunTakesItsBrowserAlong(t *testing.T) {
	temp := t.TempDir()
	run, profile := holding(t, temp, holdABrowser)
	sweep(temp)
	if len(profiles(t, temp)) != 1 || len(running(profile)) == 0 {
		t.Error("the profile of a run that lives was swept")
	}
	if err := run.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
	gone(t, profile)
	sweep(temp)
	if left := profiles(t, temp); len(left) > 0 {
		t.Errorf("%v was not swept", left)
	}
}

func TestVisitEndsWithItsBrowser(t *testing.T) {
	s := newSite(t)
	b := start(t, s.target(), Options{})
	x, err := b.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.onNever = func() { _ = chromedp.FromContext(b.root).Browser.Process().Kill() }
	if _, err := x.Visit(t.Context(), oauth.Visit{URL: s.URL + "/never"}); err == nil || !strings.HasPrefix(err.Error(), "browser: ") {
		t.Errorf("error %v", err)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}
