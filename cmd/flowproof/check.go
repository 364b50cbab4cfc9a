package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"flowproof/drivers/browser"
	"flowproof/drivers/oauth"
	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
	"flowproof/reports"
	"flowproof/suites"
	"flowproof/suites/catalogue"
)

// defaultOut is where reports go when no folder is named.
const defaultOut = "flowproof-out"

type checkFlags struct {
	target, profile, edition, only, out  string
	browser, waivers, baseline, progress string
	formats                              []string
	strict, slow, destructive, noBrowser bool
	json, verbose                        bool
	rounds                               int
	faults                               []string
}

func checkCommand(c console) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Hold a deployment to the requirements of its profile",
		Long: `check plays all five flows against a deployment, holds every answer to the requirements
of the profile, and writes a record (check.json), JUnit (check.xml) and a page to look at
(check.html); --format chooses others. Without --target it checks the sandbox.`,
		Example: `  flowproof check
  flowproof check -t space.yaml --out reports
  flowproof check -t space.yaml --only 'RFC6749-4.1.2-code-single-use'
  flowproof check -t space.yaml --only 'refresh_token || /^RFC7636/'
  flowproof check -t space.yaml --waivers waivers.yaml --baseline main/check.json
  flowproof check -t space.yaml --format json,junit,sarif,markdown --out reports
  flowproof check --fault code-reusable`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return check(cmd.Context(), c, f) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.target, "target", "t", "", "the target `file`; without one the sandbox is checked")
	flags.StringVar(&f.profile, "profile", "", "the `profile` to judge by, instead of the target's: "+strings.Join(profiles(), ", "))
	flags.StringVar(&f.edition, "edition", "", "the `edition` of the sandbox: "+strings.Join(catalogue.Editions(), ", "))
	flags.StringVar(&f.only, "only", "", "a label `filter` over requirement ids and grants, such as 'password && !/^SPACE/'")
	flags.StringVar(&f.out, "out", defaultOut, "the `folder` that the reports go to; '' writes none")
	flags.StringVar(&f.browser, "browser", "", "the browser's `path`; without one it is looked for")
	flags.BoolVar(&f.noBrowser, "no-browser", false, "sign in through plain HTML forms; what only a browser can prove is inconclusive")
	flags.BoolVar(&f.strict, "strict", false, "warnings count as failures, and so do waivers that are expired or unused")
	flags.StringVar(&f.waivers, "waivers", "", "a `file` of findings that are accepted until a day (see: flowproof schema waivers)")
	flags.StringVar(&f.baseline, "baseline", "", "an earlier `record`: only what got worse since fails")
	flags.StringSliceVar(&f.formats, "format", usualFormats(), "the `formats` that are written, with commas (see: flowproof list formats)")
	flags.StringVar(&f.progress, "progress", "auto", "how progress is shown: auto, or teamcity for service messages on stdout")
	flags.BoolVar(&f.slow, "slow", false, "also what waits for minutes, such as expiry")
	flags.BoolVar(&f.destructive, "destructive", false, "also what may lock an account; only sacrificial clients and users are used for it")
	flags.IntVar(&f.rounds, "rounds", 0, "the `number` of rounds of each race, 4 by default; from 20 on thousands of tokens are collected too")
	flags.BoolVar(&f.json, "json", false, "write the record to stdout instead of the summary")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "show each exchange on stderr as it happens, its secrets masked")
	flags.StringSliceVar(&f.faults, "fault", nil, "a `fault` of the sandbox to switch on (see: flowproof list faults); may be repeated")
	return cmd
}

func check(ctx context.Context, c console, f checkFlags) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	if f.profile != "" && !slices.Contains(profiles(), f.profile) {
		return misused("there is no profile %q; choose one of %s", f.profile, strings.Join(profiles(), ", "))
	}
	if f.rounds < 0 || f.rounds > 1000 {
		return misused("--rounds %d: give a number from 1 to 1000", f.rounds)
	}
	if f.noBrowser && f.browser != "" {
		return misused("--browser and --no-browser contradict each other; give one of them")
	}
	if f.progress != "auto" && f.progress != "teamcity" {
		return misused("--progress %s: choose auto or teamcity", f.progress)
	}
	if f.progress == "teamcity" && f.json {
		return misused("--json and --progress teamcity both want stdout; give one of them")
	}
	if err := writable(f.formats, "conformance"); err != nil {
		return err
	}
	if err := mayWrite(f.out); err != nil {
		return err
	}
	gates, err := readGates(f.waivers, f.baseline)
	if err != nil {
		return err
	}
	s, err := choose(ctx, c, f.target, sandbox.Options{Posture: f.profile, Edition: f.edition, Faults: f.faults})
	if err != nil {
		return err
	}
	defer s.close()
	if err := gates.fit(s.target); err != nil {
		return err
	}
	driver, err := oauth.New(s.target, oauth.Options{UserAgent: "flowproof/" + version()})
	if err != nil {
		return misused("%w", err)
	}
	defer driver.Close()
	agent, why, err := userAgent(ctx, c, s.target, driver, f.browser, f.noBrowser)
	if err != nil {
		return err
	}
	o := suites.Options{
		Target: s.target, Driver: driver, Front: oauth.NewForms(s.target, driver), Only: f.only,
		Slow: f.slow, Destructive: f.destructive, Rounds: f.rounds, NoBrowser: why, Tool: tool(),
	}
	if agent != nil {
		defer func() { _ = agent.Close() }()
		o.Front, o.Browser = agent, agent
		c.say("checking %s with %s", s.about(), agent.Product())
	} else {
		c.say("checking %s without a browser: %s", s.about(), why)
	}
	if f.verbose {
		defer follow(c, driver)()
		c.terminal = false // the lines would run into the bar
	}
	var done, of int
	bar := newProgress(c, "check", func() string { return fmt.Sprintf("  %d of %d specs", done, of) })
	told := newTeamcityProgress(c, f, s.target.Name)
	if told != nil {
		o.Found = func(r reports.Result) { told.live.Tell(gates.held(r, s.target)) }
	}
	o.Progress = func(d, t int) {
		done, of = d, t
		bar.to(int64(d), int64(t))
		if told != nil {
			told.to(d, t)
		}
	}
	record, err := suites.Run(ctx, o)
	_, finish := interruptible(context.WithoutCancel(ctx)) // Ginkgo takes the handler away; what is left takes a moment
	defer finish()
	bar.end()
	switch {
	case errors.Is(err, suites.ErrFilter), errors.Is(err, suites.ErrNothing):
		return misused("%w", err)
	case err != nil && ctx.Err() != nil:
		return outcome{interrupt, errors.New("interrupted before anything was observed")}
	case err != nil:
		return unable("%w", err)
	}
	stamp(&record, s.target, f.target)
	record.Strict = f.strict
	if err := gates.apply(&record); err != nil {
		return err
	}
	var unheard error
	if told != nil {
		unheard = told.live.End(record)
	}
	end := deliver(c, reports.Record{Conformance: &record}, delivery{out: f.out, name: "check", formats: f.formats, strict: f.strict, json: f.json})
	if unheard != nil {
		return unable("write the service messages: %w", unheard)
	}
	return end
}

// userAgent starts the browser; without one it says why, which is an error only when one was asked for by name.
func userAgent(ctx context.Context, c console, t target.Target, d *oauth.Driver, path string, without bool) (oauth.UserAgent, string, error) {
	if without {
		return nil, "left out by --no-browser", nil
	}
	if path == "" {
		path, _ = c.env("FLOWPROOF_BROWSER")
	}
	b, err := browser.Start(ctx, t, browser.Options{Path: path, Tried: d.Tried(), Redact: d.Redactor().Text, Learn: d.Redactor().Learn, Observe: d.Report})
	switch {
	case err == nil:
		return b, "", nil
	case path != "":
		return nil, "", unable("%w", err)
	default:
		return nil, err.Error(), nil
	}
}

func profiles() []string {
	var out []string
	for _, p := range catalogue.Profiles() {
		out = append(out, string(p.Name))
	}
	return out
}
