package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"flowproof/drivers/cluster"
)

// A child is an agent on this machine.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	gone  chan struct{}
}

// child starts the n-th agent on this machine, which leaves when this process does.
func (f loadFlags) child(ctx context.Context, c console, s subject, dial cluster.Dial, n int) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, unable("start an agent: %w", err)
	}
	args := []string{"agent", "--quiet", "--until-eof", "--nats", dial.URL, "--nkey", dial.NKey, "--name", fmt.Sprintf("local-%d", n)}
	if s.stand == nil {
		args = append(args, "--dir", filepath.Dir(s.file))
	}
	for _, host := range f.mayLoad {
		args = append(args, "--i-may-load", host)
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), self, args...)
	cmd.Args[0] = os.Args[0]
	cmd.Env, cmd.Stderr, cmd.SysProcAttr = os.Environ(), c.err, apart()
	if s.stand != nil {
		for name, secret := range s.stand.secrets {
			cmd.Env = append(cmd.Env, name+"="+secret)
		}
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, unable("start an agent: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, unable("start an agent: %w", err)
	}
	one := &child{cmd, stdin, make(chan struct{})}
	go func() {
		_ = cmd.Wait() // what went wrong it said itself
		close(one.gone)
	}()
	return one, nil
}

// leave sends the agent home.
func (o *child) leave() {
	_ = o.stdin.Close()
	late := time.NewTimer(10 * time.Second)
	defer late.Stop()
	select {
	case <-o.gone:
	case <-late.C:
		_ = o.cmd.Process.Kill()
		<-o.gone
	}
}
