package main

import (
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"

	"flowproof/drivers/cluster"
	"flowproof/drivers/target"
)

type agentFlags struct {
	nats, name, dir string
	bus             busFlags
	browser         string
	mayLoad         []string
	untilEOF        bool

	print string // the kind of a manifest
	place placement
}

func agentCommand(c console) *cobra.Command {
	var f agentFlags
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Wait on a NATS bus for a part of somebody's load",
		Long: `agent waits for work on a NATS server (with JetStream: nats-server -js), and sends its part of
the load that flowproof load --agents asks for, as often as it is asked, until it is interrupted. The plan and the
target file come over the bus; secrets do not: what the target file refers to by env: and file: is looked up here,
files below --dir, and so are the users of a CSV file that the plan names. A target that is not on this machine needs
--i-may-load with its host, here as well. An agent that hears nothing of its coordinator for 2.5 s stops its load.`,
		Example: `  flowproof agent --nats nats://bus.acme.test:4222 --i-may-load acme.jetbrains.space
  flowproof agent --nats tls://bus.acme.test:4222 --creds agent.creds --name rack-3 --dir /etc/flowproof
  flowproof agent --print kubernetes --count 10 --image registry.acme.test/flowproof:1.0 --i-may-load acme.jetbrains.space`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.print != "" {
				f.place.Hosts = f.mayLoad
				text, err := f.place.manifest(f.print)
				if err == nil {
					_, err = io.WriteString(c.out, text)
				}
				return err
			}
			for _, name := range []string{"count", "image", "cpus"} {
				if cmd.Flags().Changed(name) {
					return misused("--%s is of --print; give that, too, or leave it out", name)
				}
			}
			return runAgent(cmd.Context(), c, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.nats, "nats", "", "the `URL` of the bus, such as nats://bus.acme.test:4222; several with commas; env:NAME or file:PATH if it holds a password")
	flags.StringVar(&f.name, "name", "", "what reports call this agent; the machine's name without it")
	flags.StringVar(&f.dir, "dir", ".", "the `folder` in which files that the target and the plan name are looked up")
	flags.StringVar(&f.browser, "browser", "", "sign people in with this browser (a `path`, or auto), instead of through plain HTML forms")
	flags.StringSliceVar(&f.mayLoad, "i-may-load", nil, "the `host` that you are allowed to load, for a target that is not on this machine")
	flags.BoolVar(&f.untilEOF, "until-eof", false, "leave when stdin ends")
	_ = flags.MarkHidden("until-eof")
	flags.StringVar(&f.print, "print", "", "print a manifest that places agents and their bus, and do no more: of the `kind` compose, kubernetes or systemd")
	flags.IntVar(&f.place.Count, "count", 3, "of --print: how many agents")
	flags.IntVar(&f.place.CPUs, "cpus", 2, "of --print: how many cores each agent gets")
	flags.StringVar(&f.place.Image, "image", "flowproof", "of --print: the `name` of the image (see: Dockerfile)")
	f.bus.add(cmd)
	return cmd
}

func runAgent(ctx context.Context, c console, f agentFlags) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	if f.nats == "" {
		return misused("--nats is missing; give the URL of the bus, such as nats://bus.acme.test:4222")
	}
	if info, err := os.Stat(f.dir); err != nil || !info.IsDir() {
		return misused("--dir %s: there is no such folder", f.dir)
	}
	if f.name == "" {
		f.name, _ = os.Hostname()
	}
	dial, err := f.bus.dial(c, f.nats, f.name)
	if err != nil {
		return err
	}
	dial.Patient = true
	b, err := cluster.Connect(dial)
	if err != nil {
		return unable("%w", err)
	}
	defer b.Close()
	files := below(f.dir)
	if f.untilEOF { // the coordinator's own child, which may read what that may
		files = readFile
		var gone context.CancelFunc
		ctx, gone = context.WithCancel(ctx)
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			gone()
		}()
	}
	err = cluster.Agent{
		Name: f.name, Version: version(), Folder: f.dir, Lookup: target.Lookup{Env: c.env, File: files}, Say: c.say,
		Allow:  func(t target.Target, nodes []string) error { return allowed(t, nodes, f.mayLoad) },
		SignIn: loadFlags{browser: f.browser}.agent(ctx, c),
	}.Serve(ctx, b)
	if err != nil {
		return unable("%w", err)
	}
	return nil
}
