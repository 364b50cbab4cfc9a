//go:build cluster && linux

package cluster

import (
	"math"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// TestWhole plays a load from three machines, and everything that may befall it.
func TestWhole(t *testing.T) {
	f := newField(t)
	all := make([]*exec.Cmd, 3)
	for i := range all {
		all[i] = f.agent(i)
	}
	t.Run("three at 1,000/s each", func(t *testing.T) {
		f.t = t
		l, code := f.load(nil, "--rate", "3000/s", "--duration", "10s", "--connections", "16")
		if len(l.Agents) != 3 {
			t.Fatal("there is no record")
		}
		n, _ := answers(t, l)
		var sum, messages, bytes int64
		for _, a := range l.Agents {
			sum, messages, bytes = sum+a.Sent, messages+a.BusMessages, bytes+a.BusBytes
		}
		f.tells(code == 0 || l.Generator.Bottleneck != "", "exit code %d%s", code, map[bool]string{true: "; two cores for three agents, the bus and the target: " + l.Generator.Bottleneck}[l.Generator.Bottleneck != ""])
		f.tells(math.Abs(l.Rate.Achieved-3000) <= 15, "%.1f/s of 3,000/s (%.2f %%)", l.Rate.Achieved, l.Rate.Achieved/30)
		f.tells(n == 30000 && sum == n, "merged %d requests, sum of the agents %d, planned %d", n, sum, l.Steps[0].Planned)
		f.tells(skews(l) < 50*time.Millisecond, "start skew %v at the most", skews(l))
		t.Logf("measured  the bus carried %.1f messages and %.0f bytes an agent and second", float64(messages)/30, float64(bytes)/30)
	})

	if f.spaces {
		t.Run("one of them 20 ms away", func(t *testing.T) {
			f.t = t
			how, near := f.distant(2)
			defer near()
			t.Logf("made by   %s", how)
			l, _ := f.load(nil, "--rate", "600/s", "--duration", "8s", "--connections", "48")
			if len(l.Agents) != 3 {
				t.Fatal("there is no record")
			}
			_, h := answers(t, l)
			mean := 0.0
			for _, a := range l.Agents {
				mean += float64(a.P99US) / 3
			}
			p99 := h.ValueAtPercentile(99)
			f.tells(int64(l.Percentile(99)) == p99 && p99 >= 20_000 && float64(p99) > 1.3*mean, "p99 of all answers %.1f ms; the mean of the agents' p99 would be %.1f ms", float64(p99)/1e3, mean/1e3)
			f.tells(skews(l) < 50*time.Millisecond, "start skew %v at the most, clock of the far one known to ± %d µs", skews(l), l.Agents[2].ClockUnsureUS)
		})
		cut := func() error { return f.run("ip", "link", "set", "fpv1", "down") }
		joined := func() error { return f.run("ip", "link", "set", "fpv1", "up") }
		t.Run("one is partitioned", func(t *testing.T) { f.t = t; f.loses(1, cut, joined) })
	}

	t.Run("one hangs", func(t *testing.T) {
		f.t = t
		p := all[0].Process
		f.loses(0, func() error { return p.Signal(syscall.SIGSTOP) }, func() error { return p.Signal(syscall.SIGCONT) })
	})

	t.Run("one is killed", func(t *testing.T) {
		f.t = t
		f.loses(2, all[2].Process.Kill, func() error {
			_ = all[2].Wait() // it was killed
			all[2] = f.agent(2)
			return nil
		})
	})

	t.Run("the bus is restarted", func(t *testing.T) {
		f.t = t
		l, code := f.load(func(*exec.Cmd) {
			f.sending(2 * time.Second)
			_ = f.bus.Process.Kill()
			_ = f.bus.Wait()
			<-time.After(700 * time.Millisecond)
			f.startBus()
		}, steady()...)
		n, _ := answers(t, l)
		f.tells(code == 0 || l.Generator.Bottleneck != "", "exit code %d %s", code, l.Partial)
		f.tells(n == 4800, "merged %d of 4800 requests", n)
	})

	t.Run("the coordinator is killed", func(t *testing.T) {
		f.t = t
		var quiet time.Duration
		_, _ = f.load(func(cmd *exec.Cmd) {
			f.sending(time.Second)
			_ = cmd.Process.Kill()
			killed := time.Now()
			f.flow(func(n int64) bool { return n < 60 }) // the bus alone makes fewer
			quiet = time.Since(killed)
		}, "--rate", "600/s", "--duration", "1m", "--connections", "8")
		f.tells(quiet < 3*time.Second, "the load was over %v after the kill", quiet.Round(time.Millisecond))
	})

	t.Run("interrupted", func(t *testing.T) {
		f.t = t
		var quiet time.Duration
		l, code := f.load(func(cmd *exec.Cmd) {
			f.sending(time.Second)
			_ = cmd.Process.Signal(os.Interrupt)
			then := time.Now()
			f.flow(func(n int64) bool { return n < 60 })
			quiet = time.Since(then)
		}, "--rate", "600/s", "--duration", "1m", "--connections", "8")
		f.tells(quiet < 2*time.Second && code == 130 && l.Partial == "interrupted", "the load was over %v after the interrupt, exit code %d", quiet.Round(time.Millisecond), code)
	})
}

// steady is a load that takes a while.
func steady() []string { return []string{"--rate", "600/s", "--duration", "8s", "--connections", "8"} }

// loses plays a load during which something befalls an agent that keeps it from the others; mend takes it back.
func (f *field) loses(of int, befall, mend func() error) {
	f.t.Helper()
	var then time.Time
	l, code := f.load(func(*exec.Cmd) {
		f.sending(2 * time.Second)
		then = time.Now()
		if err := befall(); err != nil {
			f.t.Error(err)
		}
	}, steady()...)
	if err := mend(); err != nil {
		f.t.Fatal(err)
	}
	if len(l.Agents) != 3 {
		f.t.Fatal("there is no record")
	}
	var planned int64
	for i, a := range l.Agents {
		planned += a.Planned
		if i != of {
			f.tells(a.Lost == "" && a.Sent == a.Planned, "%s sent %d of %d", a.Name, a.Sent, a.Planned)
		}
	}
	a := l.Agents[of]
	missing := float64(a.Planned-a.Sent) / float64(planned)
	f.tells(code == 3 && a.Lost != "", "exit code %d, %s", code, l.Partial)
	f.tells(math.Abs(a.Missing-missing) < 1e-9 && missing > 0.1, "%.2f %% of the schedule is missing, by its counts %.2f %%", 100*a.Missing, 100*missing)
	f.tells(f.lost.Sub(then) < 3*time.Second, "it was missed after %v", f.lost.Sub(then).Round(time.Millisecond))
}
