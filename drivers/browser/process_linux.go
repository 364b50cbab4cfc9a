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

// A family is the browser's process and its children: those of the group that the browser was started in.
type family struct {
	head *os.Process
	seen map[int]bool // processes of this machine, and whether they are of the family
}

func newFamily(head *os.Process) *family { return &family{head: head, seen: map[int]bool{}} }

// members lists the family. Only what is new on the machine is looked at, so that it costs little.
func (f *family) members() []int {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil
	}
	var out []int
	now := make(map[int]bool, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		ours, known := f.seen[pid]
		if !known {
			ours = groupOf(pid) == f.head.Pid
		}
		now[pid] = ours
		if ours {
			out = append(out, pid)
		}
	}
	f.seen = now
	return out
}

// groupOf is the process group, or 0.
func groupOf(pid int) int {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(line[bytes.LastIndexByte(line, ')')+1:]) // the name before it may hold anything
	if len(fields) < 3 {
		return 0
	}
	group, err := strconv.Atoi(string(fields[2]))
	if err != nil {
		return 0
	}
	return group
}

// private is the memory that the process has for itself, or 0.
func (f *family) private(pid int) int64 {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(line)
	if len(fields) < 3 {
		return 0
	}
	resident, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	shared, err := strconv.ParseInt(string(fields[2]), 10, 64)
	if err != nil {
		return 0
	}
	return (resident - shared) * int64(os.Getpagesize())
}

// end kills a member. It holds the process before it looks whose it is, so that the number cannot come to mean another;
// and the group's number is the browser's as long as that one lives.
func (f *family) end(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer func() { _ = p.Release() }()
	if groupOf(pid) != f.head.Pid || f.head.Signal(syscall.Signal(0)) != nil {
		return false
	}
	return p.Kill() == nil
}
