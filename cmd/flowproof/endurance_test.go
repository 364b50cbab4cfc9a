//go:build !race

package main

import (
	"flag"
	"io"
	"os"
	"runtime"
	"testing"
	"time"
)

// Run it long by hand: make soak.
var checks = flag.Int("checks", 2, "how many checks TestChecksLeaveNothing makes in a row")

// TestChecksLeaveNothing checks the sandbox again and again in one process: files and memory stay, and so do
// goroutines, but for one a check.
func TestChecksLeaveNothing(t *testing.T) {
	once := func() {
		if code := run(t.Context(), []string{"check", "--no-browser", "--out", ""},
			console{out: io.Discard, err: io.Discard, env: os.LookupEnv}); code != conforms && code != unproven { // some rows want a browser
			t.Fatalf("exit code %d", code)
		}
	}
	once() // what is made once
	goroutines, files, memory := held(t)
	for range *checks {
		once()
	}
	// Connections and timers end a moment later than what they were for.
	deadline := time.Now().Add(20 * time.Second)
	for {
		g, f, m := held(t)
		if g <= goroutines+2+*checks && // RunSpecs of Ginkgo never stops the one that listens for interrupts
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
