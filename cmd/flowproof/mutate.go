package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"flowproof/drivers/oauth"
	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
	"flowproof/reports"
	"flowproof/suites"
	"flowproof/suites/catalogue"
)

type mutateFlags struct {
	only      []string
	browser   string
	noBrowser bool
	jobs      int
	thorough  bool
	verbose   bool
	near      bool
	json      bool
	out       string
}

func mutateCommand(c console) *cobra.Command {
	var f mutateFlags
	cmd := &cobra.Command{
		Use:   "mutate",
		Short: "Prove the requirements against the sandbox's faults",
		Long: `mutate starts the sandbox once for each fault and runs the suites. Every fault must be caught by
the requirement that names it, and nothing else may get worse but the known consequences; the
sandbox without faults must be spotless. The dear rows, which need a browser or race many requests,
are played without faults, and with the faults that bear on them.`,
		Example: `  flowproof mutate
  flowproof mutate --only code-reusable,RFC6749-4.1.2-state-echoed`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.near {
				return tolerate(cmd.Context(), c, f)
			}
			return mutate(cmd.Context(), c, f)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.only, "only", nil, "the `faults` or requirements to prove; all without it")
	flags.StringVar(&f.browser, "browser", "", "the browser's `path`; without one it is looked for")
	flags.BoolVar(&f.noBrowser, "no-browser", false, "leave out what needs a browser")
	flags.IntVar(&f.jobs, "jobs", 1, "how many `processes` share the work")
	flags.BoolVar(&f.thorough, "thorough", false, "play the browser's and the races' rows with every fault, not only with those that bear on them")
	flags.BoolVar(&f.json, "json", false, "write the matrix to stdout instead of the summary")
	flags.StringVar(&f.out, "out", "", "the `folder` for the matrix as mutate.json and mutate.html")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "one line for each fault, not only for those that were not caught")
	flags.BoolVar(&f.near, "near-misses", false, "show instead that what the requirements' cautions tolerate is tolerated")
	return cmd
}

// A bench proves faults one after the other: one listener, one browser, many sandboxes.
type bench struct {
	stand    *stand
	browser  oauth.UserAgent
	without  string // why there is no browser
	driver   *oauth.Driver
	clean    map[string]reports.Conformance // by configuration of the sandbox
	thorough bool                           // every row with every fault
	scripts  bool                           // the browser signs people in, too
	compare  bool                           // near misses are compared with the run without them
}

func mutate(ctx context.Context, c console, f mutateFlags) error {
	faults, err := chosenFaults(f.only)
	if err != nil {
		return err
	}
	if err := mayWrite(f.out); err != nil {
		return err
	}
	var proofs reports.Proofs
	started := time.Now()
	if f.jobs > 1 {
		proofs, err = proveInParallel(ctx, c, f, faults)
	} else {
		proofs, err = proveInTurn(ctx, c, f, faults)
	}
	if err != nil {
		return err
	}
	proofs.Started, proofs.DurationMS, proofs.Tool = started.UTC().Format(time.RFC3339), time.Since(started).Milliseconds(), tool()
	if ctx.Err() != nil {
		proofs.Partial = "interrupted"
	}
	if err := deliverProofs(c, f, proofs); err != nil {
		return err
	}
	switch {
	case proofs.Partial != "":
		return outcome{code: interrupt}
	case !proofs.Proved():
		return outcome{code: fallsShort}
	}
	return nil
}

// deliverProofs writes the matrix, and prints the record or its summary.
func deliverProofs(c console, f mutateFlags, p reports.Proofs) error {
	for name, write := range map[string]func(io.Writer, reports.Proofs) error{"mutate.json": reports.WriteProofs, "mutate.html": reports.ProofsHTML} {
		if f.out == "" {
			break
		}
		if err := reports.WriteFile(filepath.Join(f.out, name), func(w io.Writer) error { return write(w, p) }); err != nil {
			return unable("%w", err)
		}
	}
	if f.json {
		if err := reports.WriteProofs(c.out, p); err != nil {
			return unable("write the record to stdout: %w", err)
		}
		return nil
	}
	c.say("%d faults in %v", len(p.Proofs), time.Duration(p.DurationMS)*time.Millisecond)
	p.Summary(c.summary(), f.verbose)
	return nil
}

// proveInTurn proves the faults in this process.
func proveInTurn(ctx context.Context, c console, f mutateFlags, faults []sandbox.Fault) (reports.Proofs, error) {
	var out reports.Proofs
	b, err := newBench(ctx, c, f)
	if err != nil {
		return out, err
	}
	defer b.close()
	if b.browser != nil {
		out.Browser = b.browser.Product()
	}
	bar := newProgress(c, "mutate", func() string { return fmt.Sprintf("  %d of %d faults", len(out.Proofs), len(faults)) })
	defer bar.end()
	for _, fault := range faults {
		proof, err := b.prove(ctx, fault)
		if err != nil {
			return out, err
		}
		if ctx.Err() != nil {
			break
		}
		out.Proofs = append(out.Proofs, proof)
		bar.to(int64(len(out.Proofs)), int64(len(faults)))
	}
	for _, name := range slices.Sorted(maps.Keys(b.clean)) {
		out.Clean = merged(out.Clean, suites.Spots(b.clean[name]))
	}
	return out, nil
}

// merged adds the spots that are not there yet: several sandboxes without a fault may show the same one.
func merged(spots, more []reports.Spot) []reports.Spot {
	for _, s := range more {
		if !slices.Contains(spots, s) {
			spots = append(spots, s)
		}
	}
	return spots
}

func newBench(ctx context.Context, c console, f mutateFlags) (*bench, error) {
	st, err := newStand(ctx, "127.0.0.1:0", sandbox.QuickKey)
	if err != nil {
		return nil, err
	}
	b := &bench{stand: st, clean: map[string]reports.Conformance{}, thorough: f.thorough}
	t, err := st.put(sandbox.Options{})
	if err != nil {
		return nil, err
	}
	if err := b.drive(t); err != nil {
		return nil, err
	}
	// One browser for both fronts of the stand: the URL is that over TLS, the endpoints are those over plain http.
	t.URL, t.CA = st.secure, st.ca
	b.browser, b.without, err = userAgent(ctx, c, t, b.driver, f.browser, f.noBrowser)
	if err == nil && b.browser == nil && !f.noBrowser {
		err = unable("the proofs need a browser: %s", b.without)
	}
	if err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bench) close() {
	if b.browser != nil {
		_ = b.browser.Close()
	}
	if b.driver != nil {
		b.driver.Close()
	}
	b.stand.close()
}

// drive makes the driver for the sandbox of the moment.
func (b *bench) drive(t target.Target) error {
	if b.driver != nil {
		b.driver.Close()
	}
	d, err := oauth.New(t, oauth.Options{UserAgent: "flowproof/" + version(), Forget: true})
	if err != nil {
		return unable("%w", err)
	}
	b.driver = d
	return nil
}

// prove runs the suites against the sandbox with the fault, and once without it.
func (b *bench) prove(ctx context.Context, fault sandbox.Fault) (reports.Proof, error) {
	row, known := catalogue.ByID(fault.Requirement)
	if !known {
		return reports.Proof{}, unable("the fault %s names the requirement %s, which the catalogue does not know", fault.ID, fault.Requirement)
	}
	wanted := fault.Options(sandbox.Options{})
	wanted.Faults = nil
	clean, err := b.cleanRun(ctx, wanted, row.Slow || row.Destructive)
	if err != nil {
		return reports.Proof{}, err
	}
	wanted.Faults = []string{fault.ID}
	dear := bears(fault, row)
	dear.browser, dear.races = dear.browser || b.thorough, dear.races || b.thorough
	faulty, err := b.run(ctx, wanted, dear)
	if err != nil {
		return reports.Proof{}, err
	}
	return suites.Prove(row, clean, faulty, fault.Consequences), nil
}

// A scope says which of the dear rows are played with a fault.
type scope struct{ browser, races, slow, destructive bool }

// bears says which dear rows a fault bears on: its own and those of its consequences; one of the authorization
// endpoint may show on any page.
func bears(fault sandbox.Fault, row catalogue.Requirement) scope {
	s := scope{browser: row.Endpoint == "authorization", slow: row.Slow, destructive: row.Destructive}
	for _, id := range append([]string{row.ID}, fault.Consequences...) {
		r, _ := catalogue.ByID(id)
		s.browser = s.browser || r.Browser
		s.races = s.races || r.Section == catalogue.Races
	}
	return s
}

// cleanRun is the run without a fault, made once for each configuration.
func (b *bench) cleanRun(ctx context.Context, o sandbox.Options, everything bool) (reports.Conformance, error) {
	name := fmt.Sprintf("%+v %v", o, everything)
	if clean, made := b.clean[name]; made {
		return clean, nil
	}
	clean, err := b.run(ctx, o, scope{browser: true, races: true, slow: everything, destructive: everything})
	if err == nil {
		b.clean[name] = clean
	}
	return clean, err
}

// run starts the sandbox as wanted and runs the suites.
func (b *bench) run(ctx context.Context, o sandbox.Options, dear scope) (reports.Conformance, error) {
	// What waits for minutes elsewhere only sets the clock here.
	var ahead atomic.Int64
	o.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	t, err := b.stand.put(o)
	if err != nil {
		return reports.Conformance{}, err
	}
	if err := b.drive(t); err != nil {
		return reports.Conformance{}, err
	}
	browser, without, only := b.browser, b.without, ""
	if !dear.browser {
		browser, without = nil, leftOut
	}
	if !dear.races {
		only = catalogue.Without(catalogue.Races)
	}
	front := oauth.NewForms(t, b.driver)
	if b.scripts && browser != nil {
		front = browser
	}
	record, err := suites.Run(ctx, suites.Options{
		Target: t, Driver: b.driver, Front: front, Browser: browser,
		NoBrowser: without, Only: only, Slow: dear.slow, Destructive: dear.destructive, Bare: true, Rounds: 2, Tool: tool(),
		Pass: func(d time.Duration) { ahead.Add(int64(d)) },
	})
	switch {
	case err != nil:
		return record, unable("%w", err)
	case record.Partial != "": // Ginkgo took the signal
		return record, outcome{code: interrupt}
	}
	return record, nil
}

// chosenFaults are the faults by id or by the requirement that names them.
func chosenFaults(only []string) ([]sandbox.Fault, error) {
	all := sandbox.Faults()
	if len(only) == 0 {
		return all, nil
	}
	var out []sandbox.Fault
	for _, name := range only {
		i := slices.IndexFunc(all, func(f sandbox.Fault) bool { return f.ID == name || f.Requirement == name })
		if i < 0 {
			return nil, misused("there is no fault %q and no requirement of that name with a fault (see: flowproof list faults)", name)
		}
		out = append(out, all[i])
	}
	return out, nil
}

// leftOut is why a browser's rows are not played.
const leftOut = "this fault does not bear on what a browser shows"
