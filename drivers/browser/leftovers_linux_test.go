package browser

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"flowproof/drivers/target"
)

func TestTheBrowserHasNoneOfOurSecrets(t *testing.T) {
	t.Setenv("FLOWPROOF_TEST_SECRET", "a-secret-of-ours")
	b := start(t, target.Target{URL: "http://127.0.0.1:1"}, Options{})
	seen := 0
	for _, pid := range running(b.profile.dir) {
		environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil || len(environ) == 0 {
			continue // it has ended, or hides
		}
		seen++
		if bytes.Contains(environ, []byte("a-secret-of-ours")) {
			t.Errorf("process %d has it", pid)
		}
	}
	if seen == 0 {
		t.Error("no process of the browser was looked at")
	}
}

// What still has the profile when its browser is gone does not get to write into it.
func TestLeftoversAreKilled(t *testing.T) {
	folder := t.TempDir()
	left := exec.CommandContext(t.Context(), "sh", "-c", "read line", "sh", "--user-data-dir="+folder)
	stdin, err := left.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if err := left.Start(); err != nil {
		t.Fatal(err)
	}
	if n := leftovers(folder); n != 1 {
		t.Errorf("%d processes were found", n)
	}
	_ = left.Wait()
}

// A browser that hangs does not see that its run was killed.
func TestKilledRunTakesAHungBrowserAlong(t *testing.T) {
	run, profile := holding(t, t.TempDir(), holdAHungBrowser)
	t.Cleanup(func() { leftovers(profile) })
	if err := run.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
	gone(t, profile)
}

func TestAProfileIsHeldByOneRun(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	p, err := newProfile()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := hold(filepath.Join(p.dir, lockName), 0); err == nil {
		_ = again.Close()
		t.Error("it is held by two")
	}
	if err := p.remove(); err != nil {
		t.Error(err)
	}
}
