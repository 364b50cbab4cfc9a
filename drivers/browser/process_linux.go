package browser

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// tie makes the browser end with us, also when we are killed: the kernel then kills it. (chromedp starts
// it from a thread that lives as long as the browser, which that needs.) In a group of its own it does
// not get the terminal's Ctrl-C, which is for us to answer, and can be killed as a whole.
func tie(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// leftovers kills what still runs on the profile, and counts it.
func leftovers(profile string) int {
	pids := running(profile)
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return len(pids)
}

// running lists the processes of the browser that has the profile.
func running(profile string) []int {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil
	}
	var pids []int
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil || !uses(line, profile) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// uses reads a command line; the browser's children write theirs with blanks between the words.
func uses(line []byte, profile string) bool {
	_, rest, ok := bytes.Cut(line, []byte("--user-data-dir="+profile))
	return ok && (len(rest) == 0 || rest[0] == 0 || rest[0] == ' ')
}
