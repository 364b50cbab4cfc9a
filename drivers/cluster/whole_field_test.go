//go:build cluster && linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"

	"flowproof/reports"
)

// A field is where the whole is tried: agents with addresses of their own, a bus and a target on a bridge between them.
type field struct {
	t      *testing.T // of now
	whole  *testing.T
	binary string
	nats   string // a NATS server
	folder string
	spaces bool   // network namespaces are permitted
	host   string // this side's address
	bus    *exec.Cmd
	target string
	lost   time.Time // when a coordinator said that an agent was lost
}

// A hearing passes on what is said, and notes when a word came.
type hearing struct {
	to   io.Writer
	word string
	at   *time.Time
}

func (h *hearing) Write(p []byte) (int, error) {
	if strings.Contains(string(p), h.word) {
		*h.at = time.Now()
	}
	return h.to.Write(p)
}

const (
	bridge  = "fpbr0"
	network = "10.219.77."
	busPort = "14222"
)

// newField needs flowproof and a NATS server, whose paths stand in the environment (make cluster-test builds them).
func newField(t *testing.T) *field {
	f := &field{t: t, whole: t, binary: os.Getenv("FLOWPROOF"), nats: os.Getenv("NATS_SERVER"), folder: t.TempDir(), host: "127.0.0.1"}
	if f.binary == "" || f.nats == "" {
		t.Fatal("run it as: make cluster-test")
	}
	f.spaces = f.lay() == nil
	if !f.spaces {
		t.Log("network namespaces are not permitted here: the agents are processes on this machine, and nothing is cut or made longer")
	}
	f.startBus()
	f.sandbox()
	return f
}

func (f *field) run(args ...string) error {
	out, err := exec.CommandContext(context.Background(), args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// lay lays a bridge and three namespaces with an address each.
func (f *field) lay() error {
	f.whole.Cleanup(func() {
		if f.spaces {
			for i := range 3 {
				_ = f.run("ip", "netns", "del", f.space(i))
			}
			_ = f.run("ip", "link", "del", bridge)
		}
	})
	steps := [][]string{{"ip", "link", "add", bridge, "type", "bridge"}, {"ip", "addr", "add", network + "1/24", "dev", bridge}, {"ip", "link", "set", bridge, "up"}}
	for i := range 3 {
		n := strconv.Itoa(i)
		in := []string{"ip", "netns", "exec", f.space(i)}
		steps = append(steps, []string{"ip", "netns", "add", f.space(i)}, []string{"ip", "link", "add", "fpv" + n, "type", "veth", "peer", "name", "fpe" + n},
			[]string{"ip", "link", "set", "fpe" + n, "netns", f.space(i)}, []string{"ip", "link", "set", "fpv" + n, "master", bridge}, []string{"ip", "link", "set", "fpv" + n, "up"},
			append(in, "ip", "addr", "add", network+strconv.Itoa(10+i)+"/24", "dev", "fpe"+n), append(in, "ip", "link", "set", "fpe"+n, "up"), append(in, "ip", "link", "set", "lo", "up"))
	}
	for i, s := range steps {
		if err := f.run(s...); err != nil {
			f.t.Log(err)
			f.spaces = i > 0
			return err
		}
	}
	f.host = network + "1"
	return nil
}

func (f *field) space(i int) string { return fmt.Sprintf("fpns%d", i) }

// start starts a process that ends with the test.
func (f *field) start(log string, args ...string) *exec.Cmd {
	f.t.Helper()
	cmd := exec.CommandContext(context.Background(), args[0], args[1:]...)
	out, err := os.Create(filepath.Join(f.folder, log))
	if err != nil {
		f.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.whole.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = out.Close()
		if text, err := os.ReadFile(out.Name()); err == nil && f.whole.Failed() {
			f.whole.Logf("%s:\n%s", log, text)
		}
	})
	return cmd
}

func (f *field) reachable(address string) {
	f.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatal(err)
		}
	}
}

func (f *field) startBus() {
	f.bus = f.start("bus.log", f.nats, "-js", "-a", f.listens(), "-p", busPort, "-sd", filepath.Join(f.folder, "store"))
	f.reachable(f.host + ":" + busPort)
}

// listens is where the bus and the target listen.
func (f *field) listens() string {
	if f.spaces {
		return "0.0.0.0"
	}
	return f.host
}

func (f *field) url() string { return "nats://" + f.host + ":" + busPort }

func (f *field) sandbox() {
	f.target = filepath.Join(f.folder, "sandbox", "target.yaml")
	f.start("sandbox.log", f.binary, "sandbox", "--anywhere", "--tokens", "opaque", "--listen", f.listens()+":18080", "--out", filepath.Dir(f.target))
	f.reachable(f.host + ":18080")
	text, err := os.ReadFile(f.target)
	for err != nil {
		text, err = os.ReadFile(f.target)
	}
	if err := os.WriteFile(f.target, []byte(strings.ReplaceAll(string(text), "[::]", f.host)), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// agent starts one in the i-th namespace.
func (f *field) agent(i int) *exec.Cmd {
	args := []string{f.binary, "agent", "--nats", f.url(), "--name", fmt.Sprintf("agent-%d", i+1), "--dir", filepath.Dir(f.target), "--i-may-load", f.host}
	if f.spaces {
		args = append([]string{"ip", "netns", "exec", f.space(i)}, args...) // it becomes the agent
	}
	return f.start(fmt.Sprintf("agent-%d.log", i+1), args...)
}

// load runs flowproof load, with something happening meanwhile, and returns its record and exit code.
func (f *field) load(meanwhile func(cmd *exec.Cmd), args ...string) (reports.Load, int) {
	f.t.Helper()
	out := f.t.TempDir()
	args = append([]string{"load", "-t", f.target, "--i-may-load", f.host, "--agents", f.url(), "--expect", "3", "--progress", "none", "--out", out, "--format", "json"}, args...)
	cmd := exec.CommandContext(context.Background(), f.binary, args...)
	text, err := os.Create(filepath.Join(out, "said"))
	if err != nil {
		f.t.Fatal(err)
	}
	defer text.Close()
	cmd.Stdout, cmd.Stderr = text, &hearing{to: text, word: "was lost: ", at: &f.lost}
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	if meanwhile != nil {
		meanwhile(cmd)
	}
	err = cmd.Wait()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		f.t.Fatal(err)
	}
	r, err := reports.Read(filepath.Join(out, "load.json"))
	if err != nil {
		said, _ := os.ReadFile(text.Name())
		f.t.Logf("%v\n%s", err, said)
		return reports.Load{}, cmd.ProcessState.ExitCode()
	}
	return *r.Load, cmd.ProcessState.ExitCode()
}

// sending waits until requests reach the target, and then for so long: the target's own counter is asked.
func (f *field) sending(d time.Duration) {
	f.t.Helper()
	f.flow(func(n int64) bool { return n > 100 })
	<-time.After(d)
}

// flow waits until what the target receives on its wire satisfies is, looking every 100 ms; n are packets since the last look.
func (f *field) flow(is func(n int64) bool) {
	f.t.Helper()
	last := f.packets()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		<-time.After(100 * time.Millisecond)
		now := f.packets()
		if is(now - last) {
			return
		}
		last = now
	}
	f.t.Fatal("it never came")
}

// packets are those that arrived at the target's interface.
func (f *field) packets() int64 {
	device := bridge
	if !f.spaces {
		device = "lo"
	}
	text, err := os.ReadFile("/sys/class/net/" + device + "/statistics/rx_packets")
	if err != nil {
		f.t.Fatal(err)
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n
}

// tells prints a figure, and whether it holds.
func (f *field) tells(ok bool, format string, args ...any) {
	f.t.Helper()
	mark := "holds   "
	if !ok {
		mark = "does not"
		f.t.Fail()
	}
	f.t.Logf("%s  %s", mark, fmt.Sprintf(format, args...))
}

func skews(l reports.Load) (most time.Duration) {
	for _, a := range l.Agents {
		most = max(most, (time.Duration(a.StartSkewUS) * time.Microsecond).Abs())
	}
	return most
}

func answers(t *testing.T, l reports.Load) (n int64, h *hdrhistogram.Histogram) {
	t.Helper()
	h = hdrhistogram.New(1, int64(time.Hour/time.Microsecond), 3)
	for _, s := range l.Steps {
		one, err := hdrhistogram.Decode([]byte(s.Latency.Encoded))
		if err != nil {
			t.Fatal(err)
		}
		h.Merge(one)
		n += s.Sent
	}
	return n, h
}

// listen listens in the i-th namespace.
func (f *field) listen(i int, address string) (l net.Listener, err error) {
	entered := make(chan struct{})
	go func() {
		defer close(entered)
		runtime.LockOSThread() // for good: the thread, which is elsewhere now, ends with this function
		var space *os.File
		if space, err = os.Open("/var/run/netns/" + f.space(i)); err != nil {
			return
		}
		defer space.Close()
		if err = unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err == nil {
			l, err = net.Listen("tcp", address)
		}
	}()
	<-entered
	return l, err
}

// distant makes the target 20 ms away from the i-th namespace, by netem or by a relay, until near is called.
func (f *field) distant(i int) (how string, near func()) {
	f.t.Helper()
	device := fmt.Sprintf("fpe%d", i)
	in := []string{"ip", "netns", "exec", f.space(i)}
	if f.run(append(in, "tc", "qdisc", "add", "dev", device, "root", "netem", "delay", "20ms")...) == nil {
		return "netem", func() { _ = f.run(append(in, "tc", "qdisc", "del", "dev", device, "root")...) }
	}
	must := func(args ...string) {
		f.t.Helper()
		if err := f.run(args...); err != nil {
			f.t.Fatal(err)
		}
	}
	// This side's address leads to the namespace itself, and from there to this side.
	must(append(in, "ip", "addr", "add", f.host+"/32", "dev", "lo")...)
	var ways []*way
	for _, port := range []string{"18080", busPort} {
		l, err := f.listen(i, f.host+":"+port)
		if err != nil {
			f.t.Fatal(err)
		}
		ways = append(ways, lead(l, f.host+":"+port, 20*time.Millisecond))
	}
	return "a relay, for want of netem in this kernel", func() {
		for _, w := range ways {
			w.close()
		}
		must(append(in, "ip", "addr", "del", f.host+"/32", "dev", "lo")...)
	}
}
