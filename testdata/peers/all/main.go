// Command all checks authorization servers that others wrote in whatever language: it starts each in turn, runs
// flowproof on it with the target file that people copy, and compares what is found with what is explained.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"flowproof/peers/explained"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A setup says where everything is; the command is run in the folder of the peers' module.
type setup struct {
	flowproof string // the binary
	cache     string // keeps what was installed
	out       string // gets the reports
	serve     bool   // serve until interrupted, and check nothing
	profiles  []string
}

func run(ctx context.Context, arguments []string, stdout io.Writer) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	var s setup
	flags := flag.NewFlagSet("all", flag.ContinueOnError)
	flags.StringVar(&s.flowproof, "flowproof", "../../bin/flowproof", "the `binary`")
	flags.StringVar(&s.cache, "cache", filepath.Join(cache, "flowproof-peers"), "`folder` that keeps what was installed")
	flags.StringVar(&s.out, "out", "../../reports/out/peers", "`folder` for the reports and the logs")
	flags.BoolVar(&s.serve, "serve", false, "serve the one server until interrupted, to try it by hand")
	profiles := flags.String("profiles", "rfc6749,bcp-9700", "the profiles to check, with commas between")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	s.profiles = strings.Split(*profiles, ",")
	for _, path := range []*string{&s.flowproof, &s.cache, &s.out} {
		if *path, err = filepath.Abs(*path); err != nil {
			return fmt.Errorf("all: finding %s: %w", *path, err)
		}
	}
	names, err := choose(flags.Args())
	if err != nil {
		return err
	}
	if s.serve && len(names) != 1 {
		return errors.New("all: -serve takes the name of one server")
	}

	var odd []string
	for _, name := range names {
		began := time.Now()
		said, err := s.one(ctx, name, stdout)
		if ctx.Err() != nil {
			return nil
		}
		var missing missingError
		switch {
		case errors.As(err, &missing):
			said = "not run: " + missing.what
		case err != nil:
			odd = append(odd, name)
			said = err.Error()
		}
		fmt.Fprintf(stdout, "%s: %s (%.0f s)\n", name, said, time.Since(began).Seconds())
	}
	if len(odd) > 0 {
		return fmt.Errorf("all: not as explained: %s", strings.Join(odd, ", "))
	}
	return nil
}

// choose returns the servers of these names, or all.
func choose(wanted []string) ([]string, error) {
	starts, err := filepath.Glob("all/*/start")
	if err != nil || len(starts) == 0 {
		return nil, fmt.Errorf("all: there is no all/*/start here; run it in testdata/peers (%w)", err)
	}
	var known []string
	for _, start := range starts {
		known = append(known, filepath.Base(filepath.Dir(start)))
	}
	for _, name := range wanted {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("all: no server %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	if len(wanted) > 0 {
		return wanted, nil
	}
	return known, nil
}

// one starts a server, checks it, ends it, and says in a line what was found.
func (s setup) one(ctx context.Context, name string, stdout io.Writer) (string, error) {
	wanted, err := explained.Read(filepath.Join("all", name, "findings.yaml"))
	if err != nil && !s.serve {
		return "", err
	}
	b, err := s.prepare(name)
	if err != nil {
		return "", err
	}
	if s.serve {
		stop, err := b.start(ctx)
		if err != nil {
			return "", err
		}
		defer stop()
		fmt.Fprintf(stdout, "%s listens on %s; for the variables: . %s; target %s\n", name, b.url, b.environmentFile(), b.target)
		<-ctx.Done()
		return "", nil
	}

	var said, odd []string
	for _, profile := range s.profiles {
		found, err := b.check(ctx, s.flowproof, profile)
		if err != nil {
			return "", err
		}
		fine, unexplained := wanted.Compare(profile, found)
		said = append(said, fmt.Sprintf("%s: %d findings, %d rows pass", profile, fine, found.Count("pass")))
		odd = append(odd, unexplained...)
	}
	if len(odd) > 0 {
		return "", fmt.Errorf("not as explained:\n  %s\n ", strings.Join(odd, "\n  "))
	}
	return strings.Join(said, "; ") + "; all explained", nil
}
