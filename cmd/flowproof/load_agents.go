package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flowproof/drivers/cluster"
	"flowproof/drivers/load"
	"flowproof/reports"
)

// A crewFlags says who sends the load, if it is not this process.
type crewFlags struct {
	agents  string
	expect  int
	wait    time.Duration
	unsure  time.Duration
	lenient bool
	bus     busFlags
}

func (f *crewFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.agents, "agents", "", "have agents send it: those on the bus at this `URL` (or env:NAME or file:PATH of it; see: flowproof agent), or embedded:3 for three on this machine")
	flags.IntVar(&f.expect, "expect", 0, "of --agents: how many there have to be; as many as answer without it")
	flags.DurationVar(&f.wait, "agents-wait", 10*time.Second, "of --agents: how long to wait for them")
	flags.DurationVar(&f.unsure, "clock-bound", 100*time.Millisecond, "of --agents: refuse agents of whose clock more than this cannot be told, since the way to them is too long")
	flags.BoolVar(&f.lenient, "allow-partial", false, "of --agents: judge what there is when an agent was lost, instead of claiming nothing")
	f.bus.add(cmd)
}

const embeddedAgents = "embedded"

// fits refuses what does not go with agents.
func (f crewFlags) fits(given func(flag string) bool) error {
	if f.agents == "" {
		for _, name := range []string{"expect", "agents-wait", "clock-bound", "allow-partial", "creds", "nkey", "nats-ca", "nats-cert", "nats-key"} {
			if given(name) {
				return misused("--%s is of --agents; give that, too, or leave it out", name)
			}
		}
		return nil
	}
	for name, mend := range map[string]string{
		"shard": "the agents share the plan out", "start-at": "they start together", "browser": "give it to the agents", "closed": "the closed model has no schedule to share out",
	} {
		if given(name) {
			return misused("--%s does not go with --agents: %s; leave it out", name, mend)
		}
	}
	if _, embedded, err := f.embedded(); err != nil || embedded && given("expect") {
		if err == nil {
			err = misused("--expect is for agents on a bus; embedded:3 says how many")
		}
		return err
	}
	return nil
}

// embedded is how many agents are to run on this machine.
func (f crewFlags) embedded() (n int, is bool, err error) {
	word, number, counted := strings.Cut(f.agents, ":")
	if word != embeddedAgents {
		return 0, false, nil
	}
	if n = 2; counted {
		if n, err = strconv.Atoi(number); err != nil || n < 1 || n > 64 {
			return 0, true, misused("--agents %s: write embedded:3, with a number from 1 to 64", f.agents)
		}
	}
	return n, true, nil
}

// shared has agents send the plan, or the search over it.
func (f loadFlags) shared(ctx context.Context, c console, s subject, p load.Plan, o load.Options) (reports.Load, error) {
	dial, expect, end, err := f.gather(ctx, c, s)
	if err != nil {
		return reports.Load{}, err
	}
	defer end()
	b, err := cluster.Connect(dial)
	if err != nil {
		return reports.Load{}, err
	}
	defer b.Close()
	host, _ := os.Hostname()
	crew, err := cluster.Muster(ctx, b, cluster.Options{
		Version: o.Version, Leader: fmt.Sprintf("process %d on %s", os.Getpid(), host), Expect: expect, Wait: f.crew.wait, Unsure: f.crew.unsure, Lenient: f.crew.lenient,
		Say: c.say, Progress: o.Progress, Monitor: o.Monitor,
	})
	if err != nil {
		return reports.Load{}, err
	}
	defer crew.Close()
	c.say("%s: %s", reports.Plural(len(crew.Names()), "agent", "agents"), strings.Join(crew.Names(), ", "))
	order := cluster.Order{Plan: p, Name: filepath.Base(s.file), Target: s.text, CA: s.ca(), Token: s.target.Endpoints.Token}
	if f.find == nil {
		if err := crew.Arm(ctx, order); err != nil {
			return reports.Load{}, err
		}
		return crew.Run(ctx)
	}
	return f.searched(c, s.target, p, func(search load.Capacity) (reports.Load, error) {
		if order.Plan, err = search.Plan(p); err != nil {
			return reports.Load{}, err
		}
		if err := crew.Arm(ctx, order); err != nil {
			return reports.Load{}, err
		}
		record, err := search.FindWith(ctx, p, crew.Whole())
		if err == nil {
			crew.Conclude(ctx, &record)
		}
		return record, err
	})
}

// gather says where the agents are, how many there have to be, and how to send those of this machine home.
func (f loadFlags) gather(ctx context.Context, c console, s subject) (cluster.Dial, int, func(), error) {
	n, embedded, err := f.crew.embedded()
	if err != nil {
		return cluster.Dial{}, 0, nil, err
	}
	if !embedded {
		if s.stand != nil {
			return cluster.Dial{}, 0, nil, misused("agents on other machines do not reach the sandbox in this process; give --target, or --agents embedded:3")
		}
		dial, err := f.crew.bus.dial(c, f.crew.agents, "load")
		return dial, f.crew.expect, func() {}, err
	}
	folder, err := os.MkdirTemp("", "flowproof-bus-*")
	if err != nil {
		return cluster.Dial{}, 0, nil, unable("make a folder for the bus: %w", err)
	}
	server, err := cluster.Embed(folder)
	if err != nil {
		_ = os.RemoveAll(folder)
		return cluster.Dial{}, 0, nil, unable("%w", err)
	}
	dial := server.Dial()
	var all []*child
	end := func() {
		for _, one := range all {
			one.leave()
		}
		server.Close()
		_ = os.RemoveAll(folder)
	}
	for i := range n {
		one, err := f.child(ctx, c, s, dial, i+1)
		if err != nil {
			end()
			return cluster.Dial{}, 0, nil, err
		}
		all = append(all, one)
	}
	return dial, n, end, nil
}
