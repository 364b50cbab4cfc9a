package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
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
	verbose   bool
}

func mutateCommand(c console) *cobra.Command {
	var f mutateFlags
	cmd := &cobra.Command{
		Use:   "mutate",
		Short: "Prove the requirements against the sandbox's faults",
		Long: `mutate starts the sandbox once for each fault and runs the suites. Every fault must be caught by
the requirement that names it, and nothing else may get worse but the known consequences; the
sandbox without faults must be spotless.`,
		Example: `  flowproof mutate
  flowproof mutate --only code-reusable,RFC6749-4.1.2-state-echoed`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return mutate(cmd.Context(), c, f) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.only, "only", nil, "the `faults` or requirements to prove; all without it")
	flags.StringVar(&f.browser, "browser", "", "the browser's `path`; without one it is looked for")
	flags.BoolVar(&f.noBrowser, "no-browser", false, "leave out what needs a browser")
	flags.IntVar(&f.jobs, "jobs", 1, "how many `processes` share the work")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "one line for each fault, not only for those that were not caught")
	return cmd
}

// A bench proves faults one after the other: one listener, one browser, many sandboxes.
type bench struct {
	stand   *stand
	browser oauth.UserAgent
	without string // why there is no browser
	driver  *oauth.Driver
	clean   map[string]reports.Conformance // by configuration of the sandbox
}

func mutate(ctx context.Context, c console, f mutateFlags) error {
	faults, err := chosenFaults(f.only)
	if err != nil {
		return err
	}
	if f.jobs > 1 {
		return mutateInParallel(ctx, c, f, faults)
	}
	started := time.Now()
	b, err := newBench(ctx, c, f)
	if err != nil {
		return err
	}
	defer b.close()

	var done int
	bar := newProgress(c, "mutate", func() string { return fmt.Sprintf("  %d of %d faults", done, len(faults)) })
	defer bar.end()
	tally := tally{}
	for _, fault := range faults {
		proof, err := b.prove(ctx, fault)
		if err != nil {
			return err
		}
		if line := tally.count(fault, proof); line != "" || f.verbose {
			if line == "" {
				line = fmt.Sprintf("caught      %s by %s: %s", fault.ID, fault.Requirement, proof.Faulty)
			}
			fmt.Fprintln(c.out, line)
		}
		if done++; ctx.Err() != nil {
			return outcome{code: interrupt}
		}
		bar.to(int64(done), int64(len(faults)))
	}
	for _, clean := range b.clean {
		for _, line := range tally.spots(clean) {
			fmt.Fprintln(c.out, line)
		}
	}
	c.say("%d faults in %v", len(faults), time.Since(started).Round(100*time.Millisecond))
	fmt.Fprintln(c.out, tally)
	if !tally.proved() {
		return outcome{code: fallsShort}
	}
	return nil
}

// A tally counts what became of the faults.
type tally struct{ caught, of, stowaways, findings int }

func (t tally) String() string {
	return fmt.Sprintf("caught %d of %d; stowaways %d; findings without a fault %d", t.caught, t.of, t.stowaways, t.findings)
}

func (t tally) proved() bool {
	return t.caught == t.of && t.stowaways == 0 && t.findings == 0 && t.of > 0
}

// count adds one proof and returns the line that tells what is wrong with it, if anything is.
func (t *tally) count(fault sandbox.Fault, p suites.Proof) string {
	t.of++
	t.stowaways += len(p.Stowaways)
	if p.Caught {
		t.caught++
		if len(p.Stowaways) == 0 {
			return ""
		}
		return fmt.Sprintf("stowaways   %s, meant for %s, also made these worse: %s", fault.ID, fault.Requirement, strings.Join(p.Stowaways, ", "))
	}
	faulty := p.Faulty
	if faulty == "" {
		faulty = "not judged"
	}
	line := fmt.Sprintf("not caught  %s by %s: %s where %s was due", fault.ID, fault.Requirement, faulty, p.Wanted)
	if len(p.Stowaways) > 0 {
		line += "; worse instead: " + strings.Join(p.Stowaways, ", ")
	}
	return line
}

// spots are the findings of a sandbox without faults. A note is none: it says what a deployment may do.
func (t *tally) spots(clean reports.Conformance) []string {
	var out []string
	for _, r := range clean.Results {
		if r.Verdict != reports.Fail && r.Verdict != reports.Warn && r.Verdict != reports.Inconclusive {
			continue
		}
		t.findings++
		why := ""
		for _, found := range r.Findings {
			if found.Verdict == r.Verdict {
				why = joined(found.Variant, found.Message)
			}
		}
		out = append(out, fmt.Sprintf("no fault    %s %s, profile %s: %s", r.Verdict, r.Requirement, clean.Target.Profile, why))
	}
	return out
}

func joined(variant, message string) string {
	if variant == "" {
		return message
	}
	return variant + ": " + message
}

func newBench(ctx context.Context, c console, f mutateFlags) (*bench, error) {
	st, err := newStand(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &bench{stand: st, clean: map[string]reports.Conformance{}}
	t, err := st.put(sandbox.Options{})
	if err != nil {
		return nil, err
	}
	if err := b.drive(t); err != nil {
		return nil, err
	}
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
	d, err := oauth.New(t, oauth.Options{UserAgent: "flowproof/" + version()})
	if err != nil {
		return unable("%w", err)
	}
	b.driver = d
	return nil
}

// prove runs the suites against the sandbox with the fault, and once without it.
func (b *bench) prove(ctx context.Context, fault sandbox.Fault) (suites.Proof, error) {
	row, known := catalogue.ByID(fault.Requirement)
	if !known {
		return suites.Proof{}, unable("the fault %s names the requirement %s, which the catalogue does not know", fault.ID, fault.Requirement)
	}
	wanted := fault.Options(sandbox.Options{})
	wanted.Faults = nil
	slow := row.Slow
	clean, err := b.cleanRun(ctx, wanted, slow || row.Destructive)
	if err != nil {
		return suites.Proof{}, err
	}
	wanted.Faults = []string{fault.ID}
	faulty, err := b.run(ctx, wanted, slow, row.Destructive)
	if err != nil {
		return suites.Proof{}, err
	}
	return suites.Prove(row, clean, faulty, fault.Consequences), nil
}

// cleanRun is the run without a fault, made once for each configuration.
func (b *bench) cleanRun(ctx context.Context, o sandbox.Options, everything bool) (reports.Conformance, error) {
	name := fmt.Sprintf("%+v %v", o, everything)
	if clean, made := b.clean[name]; made {
		return clean, nil
	}
	clean, err := b.run(ctx, o, everything, everything)
	if err == nil {
		b.clean[name] = clean
	}
	return clean, err
}

// run starts the sandbox as wanted and runs the suites.
func (b *bench) run(ctx context.Context, o sandbox.Options, slow, destructive bool) (reports.Conformance, error) {
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
	record, err := suites.Run(ctx, suites.Options{
		Target: t, Driver: b.driver, Front: oauth.NewForms(t, b.driver), Browser: b.browser,
		NoBrowser: b.without, Slow: slow, Destructive: destructive, Bare: true, Tool: tool(),
		Pass: func(d time.Duration) { ahead.Add(int64(d)) },
	})
	if err != nil {
		return record, unable("%w", err)
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
