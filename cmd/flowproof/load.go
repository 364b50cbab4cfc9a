package main

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flowproof/drivers/browser"
	"flowproof/drivers/load"
	"flowproof/drivers/oauth"
	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
	"flowproof/reports"
)

type loadFlags struct {
	target, out, rate string
	file              string
	shard, startAt    string
	browser           string
	aborts            []string
	maxRate, protocol string
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
	formats           []string
	json              bool
	reference         string
	baseline          string
	tolerance         string
	pairs             int
	held              *loadBaseline // made of those three
	capacity          string
	capacityStep      time.Duration
	find              *load.Capacity // made of those two
	longest           time.Duration  // that it takes
	progress, metrics string
	crew              crewFlags
	sandbox           sandbox.Options
}

func loadCommand(c console) *cobra.Command {
	var f loadFlags
	cmd := &cobra.Command{
		Use:   "load",
		Short: "Send token requests at a rate and report the latency",
		Long: `load sends token requests when the schedule says, whether or not earlier ones were answered,
holds every answer to the requirements, and counts latency from the moment at which a request
was due. What to send is said by flags or, for stages, arrivals, mixes and more, by a plan file
(--plan; its schema: flowproof schema plan). It writes a record (load.json), JUnit (load.xml) and a page to look at (load.html).
Without --target it loads the sandbox. A target that is not on this machine needs
--i-may-load with its host.`,
		Example: `  flowproof load --rate 2000/s --duration 10s
  flowproof load -t space.yaml --i-may-load acme.jetbrains.space --grant client_credentials --rate 50/s --threshold 'p99<250ms'
  flowproof load --grant client_credentials=8,refresh_token=2 --rate 500/s
  flowproof load --plan plan.yaml -t acme.yaml --i-may-load acme.test --shard 1/3 --start-at 2026-05-01T10:00:00Z
  flowproof load --agents embedded:3 --rate 3000/s
  flowproof load --plan plan.yaml -t acme.yaml --i-may-load acme.test --agents nats://bus.acme.test:4222 --expect 3
  flowproof load --capacity 'p99<250ms,errors<0.1%' --rate 500/s --max-rate 50000/s
  flowproof load -t new.yaml --baseline old.yaml --rate 300/s --duration 15s
  flowproof load -t acme.yaml --rate 300/s --duration 2m --baseline main/load.json --tolerance 15%
  flowproof load --closed --connections 32 --duration 10s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.crew.fits(cmd.Flags().Changed); err != nil {
				return err
			}
			plan, err := f.plan(cmd.Flags().Changed)
			if err != nil {
				return err
			}
			if f.capacity != "" {
				find, longest, err := f.search(plan, cmd.Flags().Changed)
				if err != nil {
					return err
				}
				f.find, f.longest = &find, longest
				plan.Duration = 0 // the steps have their own
			}
			if f.held, err = f.readBaseline(c, cmd.Flags().Changed); err != nil {
				return err
			}
			return runLoad(cmd.Context(), c, f, plan)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.target, "target", "t", "", "the target `file`; without one the sandbox is loaded")
	flags.StringVarP(&f.file, "plan", "p", "", "the plan `file`, instead of the flags that say what to send")
	flags.StringSliceVarP(&f.grants, "grant", "g", []string{"client_credentials"}, "the `flows` to send: client_credentials, password, refresh_token, authorization_code, resource, revocation; weights as in password=3")
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
	flags.StringVar(&f.baseline, "baseline", "", "fail if this run is worse than an earlier one (its load.json), or than a deployment that takes turns with the target (its target `file`), which tells more")
	flags.StringVar(&f.tolerance, "tolerance", "10%", "of --baseline: the `difference` that does not matter")
	flags.IntVar(&f.pairs, "pairs", 8, "of --baseline: how many turns each of the two deployments has; each is the whole plan")
	flags.StringVar(&f.reference, "reference", "", "a `path` of the target, such as /oauth/jwks.json, to ask for beside the load: --baseline then tells a slower token endpoint from a slower world")
	flags.StringVar(&f.capacity, "capacity", "", "find the highest rate at which these `bounds` hold, such as 'p99<250ms,errors<0.1%', from --rate up to --max-rate")
	flags.DurationVar(&f.capacityStep, "capacity-step", 5*time.Second, "how long each rate is held for --capacity")
	flags.StringArrayVar(&f.aborts, "abort", nil, "a `rule` that ends the run, such as 'errors>50% for 5s' or 'p99>2s for 10s'; may be repeated")
	flags.StringVar(&f.abortErrors, "abort-errors", "", "short for --abort 'errors>`SHARE` for 5s'")
	flags.StringVar(&f.maxRate, "max-rate", "", "refuse to send at more than this `rate`, whatever the plan says")
	flags.StringVar(&f.protocol, "protocol", "", "http/1.1, or `h2` over TLS")
	flags.StringVar(&f.shard, "shard", "", "send only a `part` of the plan, such as 1/3; all parts together are the plan")
	flags.StringVar(&f.startAt, "start-at", "", "when the first request is due, as a `time` such as 2026-05-01T10:00:00Z")
	f.crew.add(cmd)
	flags.StringVar(&f.browser, "browser", "", "sign people in with this browser (a `path`, or auto), instead of through plain HTML forms")
	flags.StringSliceVar(&f.mayLoad, "i-may-load", nil, "the `host` that you are allowed to load, for a target that is not on this machine")
	flags.StringVar(&f.out, "out", defaultOut, "the `folder` that the reports go to; '' writes none")
	flags.StringSliceVar(&f.formats, "format", usualFormats(), "the `formats` that are written, with commas (see: flowproof list formats)")
	flags.StringVar(&f.progress, "progress", "auto", "what to show while it runs: auto (a dashboard on a terminal), plain (a line a second) or none")
	flags.StringVar(&f.metrics, "metrics", "", "serve Prometheus metrics at this `address` under /metrics while it runs; :9464 is on this machine only")
	flags.BoolVar(&f.json, "json", false, "write the record to stdout instead of the summary")
	flags.StringVar(&f.sandbox.Tokens, "tokens", "opaque", "of the sandbox: opaque, or rs512 (signed, as Space's; a signature costs a millisecond)")
	flags.DurationVar(&f.sandbox.Load.Delay, "sandbox-delay", 0, "of the sandbox: how long each token answer takes")
	flags.DurationVar(&f.sandbox.Load.StallEvery, "sandbox-stall-every", 0, "of the sandbox: how often the token endpoint stalls")
	flags.DurationVar(&f.sandbox.Load.StallFor, "sandbox-stall-for", 0, "of the sandbox: how long it stalls then")
	flags.StringSliceVar(&f.sandbox.Faults, "fault", nil, "a `fault` of the sandbox to switch on (see: flowproof list faults)")
	return cmd
}

func runLoad(ctx context.Context, c console, f loadFlags, plan load.Plan) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	var startAt time.Time
	if f.startAt != "" {
		var err error
		if startAt, err = time.Parse(time.RFC3339Nano, f.startAt); err != nil {
			return misused("--start-at %s: write a time such as 2026-05-01T10:00:00Z", f.startAt)
		}
	}
	if err := writable(f.formats, "load"); err != nil {
		return err
	}
	if !slices.Contains(liveModes(), f.progress) {
		return misused("--progress %s: give %s", f.progress, strings.Join(liveModes(), ", "))
	}
	if err := mayWrite(f.out); err != nil {
		return err
	}
	f.sandbox.TLS = plan.Protocol == load.HTTP2
	f.sandbox.Extras = slices.ContainsFunc(plan.Scenarios, func(s load.Scenario) bool { return s.Flow == load.Revocation })
	look := c
	if _, here, _ := f.crew.embedded(); f.crew.agents != "" && !here {
		look.blind = true
	}
	s, err := choose(ctx, look, f.target, f.sandbox)
	if err != nil {
		return err
	}
	defer s.close()
	if err := allowed(s.target, plan.Nodes, f.mayLoad); err != nil {
		return err
	}
	if f.held != nil && f.held.beside != nil {
		if err := allowed(*f.held.beside, nil, f.mayLoad); err != nil {
			return err
		}
	}
	c.say("loading %s: %s", s.about(), plan)
	var monitor load.Monitor
	if f.metrics != "" {
		at, end, err := serveMetrics(ctx, f.metrics, &monitor)
		if err != nil {
			return err
		}
		defer end()
		c.say("metrics on http://%s/metrics", at)
		if elsewhere(at) {
			c.say("warning: others can read the metrics of this run on %s", at)
		}
	}
	show := newLive(c, f.progress, plan.WarmUp)
	record, err := f.sent(ctx, show.beside(c), s, plan, load.Options{
		Version: version(), Together: s.stand != nil, StartAt: startAt, Agent: f.agent(ctx, c),
		Progress: show.show, Monitor: &monitor,
	})
	show.end()
	switch {
	case errors.Is(err, context.Canceled):
		return outcome{interrupt, err}
	case errors.Is(err, load.ErrUnreachable), errors.Is(err, load.ErrExhausted), errors.Is(err, load.ErrTooLate):
		return unable("%w", err)
	case uncovered(err), errors.As(err, new(*browser.Failure)): // of a sign-in that came to no end nothing is known
		return unable("%w", err)
	case err != nil:
		return misused("%w", err)
	}
	if s.stand != nil {
		record.Target.Tokens = f.sandbox.Tokens
		record.Notices = append(record.Notices, "The target was the sandbox, with "+f.sandbox.Tokens+" tokens: these are figures about this machine.")
	}
	if f.held != nil && f.held.record != nil {
		if err := f.held.hold(&record, "this run"); err != nil {
			return err
		}
	}
	return deliver(c, reports.Record{Load: &record}, delivery{out: f.out, name: "load", formats: f.formats, json: f.json})
}

// sent runs the plan, the plan in turns, or the search over it.
func (f loadFlags) sent(ctx context.Context, c console, s subject, p load.Plan, o load.Options) (reports.Load, error) {
	t := s.target
	switch {
	case f.crew.agents != "":
		return f.shared(ctx, c, s, p, o)
	case f.held != nil && f.held.beside != nil:
		return f.held.takeTurns(ctx, c, t, p, o)
	case f.find != nil:
		return f.searched(c, t, p, func(search load.Capacity) (reports.Load, error) { return search.Find(ctx, t, p, o) })
	}
	return load.Run(ctx, t, p, o)
}

// agent is what people sign in with: plain HTML forms unless a browser was asked for.
func (f loadFlags) agent(ctx context.Context, c console) func(target.Target, *oauth.Driver) (oauth.UserAgent, error) {
	if f.browser == "" {
		return nil
	}
	path := f.browser
	if path == "auto" {
		path = ""
	}
	return func(t target.Target, d *oauth.Driver) (oauth.UserAgent, error) {
		agent, why, err := userAgent(ctx, c, t, d, path, false)
		if err == nil && why != "" {
			return nil, errors.New(why)
		}
		return agent, err
	}
}

// allowed keeps load from hosts that nobody said may be loaded.
func allowed(t target.Target, nodes, hosts []string) error {
	for _, raw := range append([]string{t.URL, t.Endpoints.Authorization, t.Endpoints.Token, t.Endpoints.Revocation, t.Endpoints.Introspection}, nodes...) {
		if at := (target.Target{URL: raw}); raw == "" || at.Loopback() {
			continue
		}
		u, err := url.Parse(raw)
		if err != nil {
			return misused("the endpoint %q: %w", raw, err)
		}
		if !slices.Contains(hosts, u.Hostname()) && !slices.Contains(hosts, u.Host) {
			return misused("%s is not on this machine; if you are allowed to load it, say so: --i-may-load %s", u.Host, u.Hostname())
		}
	}
	return nil
}
