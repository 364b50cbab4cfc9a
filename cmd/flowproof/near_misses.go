package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"flowproof/drivers/sandbox"
	"flowproof/reports"
	"flowproof/suites"
	"flowproof/suites/catalogue"
)

// tolerate runs the suites once for each near miss: nothing may be judged worse than the cautions allow.
func tolerate(ctx context.Context, c console, f mutateFlags) error {
	misses, err := chosenNearMisses(f.only)
	if err != nil {
		return err
	}
	started := time.Now()
	var tolerated int
	if f.jobs > 1 && len(misses) > 1 {
		tolerated, err = tolerateInParallel(ctx, c, f, misses)
	} else {
		tolerated, err = tolerateInTurn(ctx, c, f, misses)
	}
	if err != nil {
		return err
	}
	c.say("%d near misses in %v", len(misses), time.Since(started).Round(100*time.Millisecond))
	fmt.Fprintf(c.summary(), toleratedLine, tolerated, len(misses))
	if tolerated < len(misses) {
		return outcome{code: fallsShort}
	}
	return nil
}

const toleratedLine = "tolerated %d of %d\n"

// tolerateInTurn counts the tolerated ones in this process, and prints the others.
func tolerateInTurn(ctx context.Context, c console, f mutateFlags, misses []sandbox.NearMiss) (int, error) {
	b, err := newBench(ctx, c, f)
	if err != nil {
		return 0, err
	}
	defer b.close()
	b.compare = f.verbose
	var done, tolerated int
	bar := newProgress(c, "near misses", func() string { return fmt.Sprintf("  %d of %d near misses", done, len(misses)) })
	defer bar.end()
	for _, miss := range misses {
		found, err := b.tolerates(ctx, miss)
		if ctx.Err() != nil {
			return tolerated, outcome{code: interrupt}
		}
		if err != nil {
			return tolerated, err
		}
		if found.Tolerated() {
			tolerated++
		}
		for _, line := range toleranceLines(miss, found, f.verbose) {
			fmt.Fprintln(c.out, line)
		}
		done++
		bar.to(int64(done), int64(len(misses)))
	}
	return tolerated, nil
}

// tolerateInParallel shares the near misses among processes of this program, as the faults are.
func tolerateInParallel(ctx context.Context, c console, f mutateFlags, misses []sandbox.NearMiss) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, unable("find this program to start it again: %w", err)
	}
	shares := make([][]string, min(f.jobs, len(misses)))
	for i, miss := range misses {
		shares[i%len(shares)] = append(shares[i%len(shares)], miss.ID)
	}
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		sum   int
		fatal error
	)
	for _, share := range shares {
		group.Go(func() {
			n, told, err := tolerateShare(ctx, self, f, share)
			mu.Lock()
			defer mu.Unlock()
			sum += n
			if err != nil {
				fatal = err
			}
			fmt.Fprint(c.out, told)
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return sum, outcome{code: interrupt}
	}
	return sum, fatal
}

// tolerateShare runs a share in a process of its own, and returns its count and what else it printed.
func tolerateShare(ctx context.Context, self string, f mutateFlags, share []string) (int, string, error) {
	args := []string{"mutate", "--near-misses", fmt.Sprintf("--thorough=%t", f.thorough), "--only", strings.Join(share, ",")}
	if f.noBrowser {
		args = append(args, "--no-browser")
	}
	if f.verbose {
		args = append(args, "--verbose")
	}
	if f.browser != "" {
		args = append(args, "--browser", f.browser)
	}
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, self, args...) //nolint:gosec // this very program
	cmd.Stdout, cmd.Stderr = &out, &complaint
	ended := cmd.Run()
	told, last := out.String(), ""
	if at := strings.LastIndexByte(strings.TrimSuffix(told, "\n"), '\n') + 1; at <= len(told) {
		told, last = told[:at], told[at:]
	}
	var n, of int
	if _, err := fmt.Sscanf(last, toleratedLine, &n, &of); err != nil || of != len(share) {
		return 0, told, unable("a share of the near misses was not completed (%v): %s", ended, strings.TrimSpace(complaint.String()))
	}
	return n, told, nil
}

// toleranceLines tell of one near miss: of what was judged too badly always, of the rest when it is asked for.
func toleranceLines(miss sandbox.NearMiss, found suites.Tolerance, verbose bool) []string {
	var out []string
	if !found.Tolerated() {
		out = append(out, fmt.Sprintf("alarm       %s, allowed by %s: %s", miss.ID, miss.Requirement, strings.Join(found.Alarms, "; ")))
	} else if verbose {
		out = append(out, fmt.Sprintf("tolerated   %s by %s: %s", miss.ID, miss.Requirement, found.Verdict))
	}
	if verbose && len(found.Blinded) > 0 {
		out = append(out, fmt.Sprintf("blinded     %s: %s", miss.ID, strings.Join(found.Blinded, "; ")))
	}
	return out
}

// tolerates runs the suites against the sandbox with the near miss, and, to tell what it hides, once without it.
func (b *bench) tolerates(ctx context.Context, miss sandbox.NearMiss) (suites.Tolerance, error) {
	row, known := catalogue.ByID(miss.Requirement)
	if !known {
		return suites.Tolerance{}, unable("the near miss %s names the requirement %s, which the catalogue does not know", miss.ID, miss.Requirement)
	}
	wanted := miss.Options(sandbox.Options{})
	wanted.NearMisses = nil
	dear := bears(sandbox.Fault{Consequences: slices.Collect(maps.Keys(miss.Others))}, row)
	dear.browser, dear.races = dear.browser || miss.Browser || b.thorough, dear.races || b.thorough
	dear.slow = dear.slow || miss.Slow
	var clean reports.Conformance
	if b.compare {
		var err error
		if clean, err = b.cleanRun(ctx, wanted, dear.slow || dear.destructive); err != nil {
			return suites.Tolerance{}, err
		}
	}
	wanted.NearMisses = []string{miss.ID}
	b.scripts = miss.Browser
	near, err := b.run(ctx, wanted, dear)
	b.scripts = false
	if err != nil {
		return suites.Tolerance{}, err
	}
	out := suites.Tolerate(suites.Allowance{
		Requirement: row.ID, Worst: reports.Verdict(miss.Worst), Skipped: miss.Skipped, Others: miss.Others,
	}, clean, near)
	if !dear.browser { // what was left out was not blinded
		out.Blinded = slices.DeleteFunc(out.Blinded, func(told string) bool { return strings.Contains(told, leftOut) })
	}
	return out, nil
}

// chosenNearMisses are the near misses by id or by the requirement whose caution tells of them.
func chosenNearMisses(only []string) ([]sandbox.NearMiss, error) {
	all := sandbox.NearMisses()
	if len(only) == 0 {
		return all, nil
	}
	var out []sandbox.NearMiss
	for _, name := range only {
		chosen := slices.DeleteFunc(slices.Clone(all), func(n sandbox.NearMiss) bool { return n.ID != name && n.Requirement != name })
		if len(chosen) == 0 {
			return nil, misused("there is no near miss %q and none of a requirement of that name", name)
		}
		out = append(out, chosen...)
	}
	return out, nil
}
