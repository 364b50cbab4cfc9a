package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"flowproof/drivers/load"
	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
	"flowproof/reports"
)

type loadFlags struct {
	target, out, rate string
	grants            []string
	clients, users    []string
	thresholds        []string
	scope             string
	mayLoad           []string
	duration, warmUp  time.Duration
	timeout           time.Duration
	count             int64
	connections       int
	closed, newConns  bool
	abortErrors       string
	json              bool
	sandbox           sandbox.Options
}

func loadCommand(c console) *cobra.Command {
	var f loadFlags
	cmd := &cobra.Command{
		Use:   "load",
		Short: "Send token requests at a rate and report the latency",
		Long: `load sends token requests when the schedule says, whether or not earlier ones were answered,
holds every answer to the requirements, and counts latency from the moment at which a request
was due. It writes a record (load.json), JUnit (load.xml) and a page to look at (load.html).
Without --target it loads the sandbox. A target that is not on this machine needs
--i-may-load with its host.`,
		Example: `  flowproof load --rate 2000/s --duration 10s
  flowproof load -t space.yaml --i-may-load acme.jetbrains.space --grant client_credentials --rate 50/s --threshold 'p99<250ms'
  flowproof load --grant client_credentials=8,refresh_token=2 --rate 500/s
  flowproof load --closed --connections 32 --duration 10s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runLoad(cmd.Context(), c, f, cmd.Flags().Changed("scope"), cmd.Flags().Changed("rate"))
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.target, "target", "t", "", "the target `file`; without one the sandbox is loaded")
	flags.StringSliceVarP(&f.grants, "grant", "g", []string{"client_credentials"}, "the `grants` to send: client_credentials, password, refresh_token; weights as in password=3")
	flags.StringVarP(&f.rate, "rate", "r", "100/s", "how many `requests` to start, such as 500/s or 3000/m")
	flags.DurationVarP(&f.duration, "duration", "d", 10*time.Second, "how long to send")
	flags.Int64Var(&f.count, "count", 0, "stop after this many requests")
	flags.DurationVar(&f.warmUp, "warm-up", 0, "how long to send before anything is counted")
	flags.IntVar(&f.connections, "connections", 0, "how many connections at most; with --closed how many workers (64)")
	flags.BoolVar(&f.closed, "closed", false, "start a request when the one before was answered, as fast as that goes (for comparison)")
	flags.BoolVar(&f.newConns, "new-connections", false, "a new connection for each request")
	flags.DurationVar(&f.timeout, "timeout", 0, "of one request; the target's without it")
	flags.StringSliceVar(&f.clients, "client", nil, "the target's `clients` to send for; all that fit without it")
	flags.StringSliceVar(&f.users, "user", nil, "the target's `users` to send for; all that fit without it")
	flags.StringVar(&f.scope, "scope", "", "the `scope` to ask for, instead of the target's")
	flags.StringArrayVar(&f.thresholds, "threshold", nil, "a `bound` to hold, such as 'p99<250ms' or 'errors<0.1%'; may be repeated")
	flags.StringVar(&f.abortErrors, "abort-errors", "", "stop when this `share` of the answers of the last seconds are errors, such as 50%")
	flags.StringSliceVar(&f.mayLoad, "i-may-load", nil, "the `host` that you are allowed to load, for a target that is not on this machine")
	flags.StringVar(&f.out, "out", defaultOut, "the `folder` that the reports go to; '' writes none")
	flags.BoolVar(&f.json, "json", false, "write the record to stdout instead of the summary")
	flags.StringVar(&f.sandbox.Tokens, "tokens", "opaque", "of the sandbox: opaque, or rs512 (signed, as Space's; a signature costs a millisecond)")
	flags.DurationVar(&f.sandbox.Load.Delay, "sandbox-delay", 0, "of the sandbox: how long each token answer takes")
	flags.DurationVar(&f.sandbox.Load.StallEvery, "sandbox-stall-every", 0, "of the sandbox: how often the token endpoint stalls")
	flags.DurationVar(&f.sandbox.Load.StallFor, "sandbox-stall-for", 0, "of the sandbox: how long it stalls then")
	flags.StringSliceVar(&f.sandbox.Faults, "fault", nil, "a `fault` of the sandbox to switch on (see: flowproof list faults)")
	return cmd
}

func runLoad(ctx context.Context, c console, f loadFlags, scoped, rated bool) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	plan, err := f.plan(scoped, rated)
	if err != nil {
		return err
	}
	if err := mayWrite(f.out); err != nil {
		return err
	}
	s, err := choose(ctx, c, f.target, f.sandbox)
	if err != nil {
		return err
	}
	defer s.close()
	if err := allowed(s.target, f.mayLoad); err != nil {
		return err
	}
	c.say("loading %s: %s", s.about(), f.words())
	var last load.Snapshot
	bar := newProgress(c, "load", func() string {
		return fmt.Sprintf("  %.0f/s  %d answered  %d errors  p99 %v", last.Rate, last.Answered, last.Errors, last.P99.Round(10*time.Microsecond))
	})
	record, err := load.Run(ctx, s.target, plan, load.Options{Version: version(), Together: s.stand != nil, Progress: func(now load.Snapshot) {
		last = now
		bar.to(int64(now.Elapsed+f.warmUp), int64(f.duration+f.warmUp))
	}})
	bar.end()
	switch {
	case errors.Is(err, load.ErrUnreachable):
		return unable("%w", err)
	case err != nil:
		return misused("%w", err)
	}
	if s.stand != nil {
		record.Target.Tokens = f.sandbox.Tokens
		record.Notices = append(record.Notices, "The target was the sandbox, with "+f.sandbox.Tokens+" tokens: these are figures about this machine.")
	}
	return deliver(c, reports.Record{Load: &record}, delivery{out: f.out, name: "load", json: f.json})
}

// plan is what the flags ask for.
func (f loadFlags) plan(scoped, rated bool) (load.Plan, error) {
	p := load.Plan{
		Model: load.Open, Duration: f.duration, Count: f.count, WarmUp: f.warmUp, Connections: f.connections,
		Clients: f.clients, Users: f.users, Timeout: f.timeout, NoKeepAlive: f.newConns,
	}
	if scoped {
		p.Scope = &f.scope
	}
	var err error
	if f.closed {
		p.Model = load.Closed
		if rated {
			return p, misused("--closed has no rate: a request starts when the one before was answered; leave out --rate or --closed")
		}
	} else if p.Rate, err = load.ParseRate(f.rate); err != nil {
		return p, misused("--rate: %w", err)
	}
	for _, g := range f.grants {
		name, weight, weighted := strings.Cut(g, "=")
		share := load.Share{Grant: target.Grant(name)}
		if weighted {
			if share.Weight, err = strconv.Atoi(weight); err != nil || share.Weight < 1 {
				return p, misused("--grant %s: a weight is a whole number above 0, as in %s=3", g, name)
			}
		}
		p.Mix = append(p.Mix, share)
	}
	for _, text := range f.thresholds {
		t, err := load.ParseThreshold(text)
		if err != nil {
			return p, misused("--threshold: %w", err)
		}
		p.Thresholds = append(p.Thresholds, t)
	}
	if f.abortErrors != "" {
		percent, err := strconv.ParseFloat(strings.TrimSuffix(f.abortErrors, "%"), 64)
		if err != nil || percent <= 0 || percent > 100 {
			return p, misused("--abort-errors %s: give a share such as 50%%", f.abortErrors)
		}
		p.AbortErrors = percent / 100
	}
	return p, nil
}

// words says the plan in one line.
func (f loadFlags) words() string {
	how := "at " + f.rate
	if f.closed {
		how = "as fast as it answers"
	}
	return fmt.Sprintf("%s %s for %v", strings.Join(f.grants, ", "), how, f.duration)
}

// allowed keeps load from hosts that nobody said may be loaded.
func allowed(t target.Target, hosts []string) error {
	if t.Loopback() {
		return nil
	}
	u, err := url.Parse(t.Endpoints.Token)
	if err != nil {
		return misused("the token endpoint %q: %w", t.Endpoints.Token, err)
	}
	if slices.Contains(hosts, u.Hostname()) || slices.Contains(hosts, u.Host) {
		return nil
	}
	return misused("%s is not on this machine; if you are allowed to load it, say so: --i-may-load %s", u.Host, u.Hostname())
}
