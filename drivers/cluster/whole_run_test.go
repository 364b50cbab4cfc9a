//go:build cluster && linux

package cluster

import (
	"math"
	"os"
	"os/exec"
	"testing"
	"time"

	"flowproof/reports"
)

// TestWhole plays a load from three machines, and everything that may befall it.
func TestWhole(t *testing.T) {
	f := newField(t)
	all := make([]*exec.Cmd, 3)
	for i := range all {
		all[i] = f.agent(i)
	}
	steady := []string{"--rate", "600/s", "--duration", "8s", "--connections", "8"}
	missing := func(l reports.Load, of int) (got, want float64) {
		var planned int64
		for _, a := range l.Agents {
			planned += a.Planned
		}
		a := l.Agents[of]
		return a.Missing, float64(a.Planned-a.Sent) / float64(planned)
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
		t.Run("one is partitioned", func(t *testing.T) {
			f.t = t
			var cut time.Time
			l, code := f.load(func(*exec.Cmd) {
				f.sending(2 * time.Second)
				cut = time.Now()
				if err := f.run("ip", "link", "set", "fpv1", "down"); err != nil {
					t.Error(err)
				}
			}, steady...)
			if err := f.run("ip", "link", "set", "fpv1", "up"); err != nil {
				t.Fatal(err)
			}
			if len(l.Agents) != 3 {
				t.Fatal("there is no record")
			}
			got, want := missing(l, 1)
			f.tells(code == 3 && l.Agents[1].Lost != "", "exit code %d, %s", code, l.Partial)
			f.tells(math.Abs(got-want) < 1e-9 && got > 0.1, "%.2f %% of the schedule is missing, by its counts %.2f %%", 100*got, 100*want)
			f.tells(f.lost.Sub(cut) < 3*time.Second, "it was missed %v after the cut", f.lost.Sub(cut).Round(time.Millisecond))
			f.tells(l.Agents[0].Sent == l.Agents[0].Planned && l.Agents[2].Sent == l.Agents[2].Planned, "the others sent all of theirs")
		})
	}

	t.Run("one is killed", func(t *testing.T) {
		f.t = t
		var killed time.Time
		l, code := f.load(func(*exec.Cmd) {
			f.sending(2 * time.Second)
			killed = time.Now()
			_ = all[2].Process.Kill()
		}, steady...)
		if len(l.Agents) != 3 {
			t.Fatal("there is no record")
		}
		got, want := missing(l, 2)
		f.tells(code == 3 && l.Agents[2].Lost != "", "exit code %d, %s", code, l.Partial)
		f.tells(math.Abs(got-want) < 1e-9 && got > 0.1, "%.2f %% of the schedule is missing, by its counts %.2f %%", 100*got, 100*want)
		f.tells(f.lost.Sub(killed) < 3*time.Second, "it was missed %v after the kill", f.lost.Sub(killed).Round(time.Millisecond))
		_ = all[2].Wait()
		all[2] = f.agent(2)
	})

	t.Run("the bus is restarted", func(t *testing.T) {
		f.t = t
		l, code := f.load(func(*exec.Cmd) {
			f.sending(2 * time.Second)
			_ = f.bus.Process.Kill()
			_ = f.bus.Wait()
			<-time.After(700 * time.Millisecond)
			f.startBus()
		}, steady...)
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
