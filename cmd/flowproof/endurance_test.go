//go:build !race

package main

import (
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Run it long by hand: make soak.
var (
	checks      = flag.Int("checks", 2, "how many checks TestChecksLeaveNothing makes in a row")
	withBrowser = flag.Bool("in-browser", false, "whether they are made in a browser, too")
)

// TestChecksLeaveNothing checks the sandbox again and again in one process: files and memory stay, and so do
// goroutines, but for one a check.
func TestChecksLeaveNothing(t *testing.T) {
	args := []string{"check", "--out", ""}
	if !*withBrowser {
		args = append(args, "--no-browser")
	}
	once := func() {
		if code := run(t.Context(), args,
			console{out: io.Discard, err: io.Discard, env: os.LookupEnv}); code != conforms && code != unproven { // some rows want a browser
			t.Fatalf("exit code %d", code)
		}
	}
	once() // what is made once
	goroutines, files, memory := held(t)
	for i := range *checks {
		once()
		if n := i + 1; n == 1 || n%50 == 0 {
			g, f, m := held(t)
			t.Logf("check %d: %d goroutines, %d files, %d processes of a browser, %d MiB in use, %d MiB resident", n, g, f, children(t), m>>20, resident(t)>>20)
		}
	}
	// Connections and timers end a moment later than what they were for.
	deadline := time.Now().Add(20 * time.Second)
	for {
		g, f, m := held(t)
		if children(t) == 0 && g <= goroutines+2+*checks && // RunSpecs of Ginkgo never stops the one that listens for interrupts
			f <= files+2 && m <= memory+16<<20 {
			t.Logf("after %d checks %d goroutines (%d at first), %d files (%d), %d MiB in use (%d)", *checks, g, goroutines, f, files, m>>20, memory>>20)
			return
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("after %d checks %d goroutines (%d at first), %d files (%d), %d MiB in use (%d)\n%s", *checks, g, goroutines, f, files, m>>20, memory>>20, stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
}

// held is what the process holds: goroutines, open files, and bytes of the heap.
func held(t *testing.T) (goroutines, files int, memory uint64) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), len(open), m.HeapAlloc
}

// children counts the processes that this one has started and that have not ended, which are those of browsers.
func children(t *testing.T) (n int) {
	t.Helper()
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		pids, err := os.ReadFile(list)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		n += len(strings.Fields(string(pids)))
	}
	return n
}

// resident is the memory that the process has of the machine.
func resident(t *testing.T) (bytes uint64) {
	t.Helper()
	figures, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(figures))
	pages, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * uint64(os.Getpagesize())
}
