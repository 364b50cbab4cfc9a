package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"

	"flowproof/drivers/load"
)

func snapshot() load.Snapshot {
	return load.Snapshot{
		Elapsed: 12*time.Second + 340*time.Millisecond, Duration: 30 * time.Second, Planned: 15000, Sent: 6180, Answered: 6170, Verified: 6150, Errors: 22,
		InFlight: 3, Intended: 500, Rate: 497.6, P50: 1234 * time.Microsecond, P99: 48765 * time.Microsecond,
		Failing: []load.Count{{Name: "status 500 server_error", N: 12}, {Name: "timeout", N: 10}},
		Broken:  []load.Count{{Name: "RFC6749-5.1-cache-control", N: 6150}},
	}
}

func TestDashboard(t *testing.T) {
	want := `      rate      498/s of 500/s   in flight 3   answered 6170
      latency   p50 1.23ms   p99 48.8ms   in the last seconds
      errors    22   (status 500 server_error 12, timeout 10)
      findings  1   (RFC6749-5.1-cache-control 6150)`
	if got := strings.Join(dashboard(snapshot(), 120), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	s := snapshot()
	s.Throttled = 7
	if got := dashboard(s, 30); len(got) != 5 || got[3] != "      throttled 7" || got[2] != "      errors    22   (status …" {
		t.Errorf("%q", got)
	}
	s.Failing = []load.Count{{Name: strings.Repeat("誤り", 40), N: 1}}
	for _, width := range []int{1, 2, 3, 20, 31, 80} {
		for _, line := range dashboard(s, width) {
			if runewidth.StringWidth(line) > width {
				t.Errorf("%d places in a window of %d: %q", runewidth.StringWidth(line), width, line)
			}
		}
	}
}

func TestPlainLine(t *testing.T) {
	want := "  12s  rate 498/s of 500/s  in flight 3  p50 1.23ms  p99 48.8ms  answered 6170  errors 22 (status 500 server_error 12, timeout 10)  findings 1 (RFC6749-5.1-cache-control 6150)"
	if got := plainLine(snapshot()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	quiet := load.Snapshot{Elapsed: 90 * time.Second, Rate: 12}
	if got, want := plainLine(quiet), "1m30s  rate 12/s  in flight 0  p50 0s  p99 0s  answered 0  errors 0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestLiveTextIsHarmless keeps what a server or a plan wrote from moving the cursor.
func TestLiveTextIsHarmless(t *testing.T) {
	s := snapshot()
	s.Failing = []load.Count{{Name: "a\x1b[2Jb\r\nc\u202ed", N: 1}}
	for _, line := range append(dashboard(s, 200), plainLine(s)) {
		if strings.ContainsAny(line, "\x1b\r\n\u202e") {
			t.Errorf("%q", line)
		}
	}
}

// TestLiveSaysALineASecond shows one line for each second that is over, and nothing unless asked.
func TestLiveSaysALineASecond(t *testing.T) {
	for mode, want := range map[string]int{"plain": 3, "auto": 0, "none": 0} {
		var said bytes.Buffer
		l := newLive(console{err: &said}, mode, time.Second)
		for at := -time.Second; at <= 3*time.Second; at += 200 * time.Millisecond {
			l.show(load.Snapshot{Elapsed: at + time.Millisecond, Duration: 3 * time.Second})
		}
		l.end()
		if got := strings.Count(said.String(), "\n"); got != want {
			t.Errorf("%s: %d lines, want %d:\n%s", mode, got, want, said.String())
		}
	}
}

// TestLiveEndsAnywhere takes the dashboard away before, in and after a run.
func TestLiveEndsAnywhere(t *testing.T) {
	for _, seen := range [][]load.Snapshot{nil, {{Elapsed: -time.Second}}, {snapshot()}, {{Elapsed: 2 * time.Second, Answered: 5, Planned: 5}}} {
		var drawn bytes.Buffer
		l := newLive(console{err: &drawn, terminal: true}, "auto", 0)
		for _, s := range seen {
			l.show(s)
		}
		l.end()
	}
}
