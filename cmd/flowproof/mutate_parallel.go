package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"flowproof/drivers/sandbox"
)

// mutateInParallel shares the faults among processes of this program: Ginkgo runs one suite a process.
func mutateInParallel(ctx context.Context, c console, f mutateFlags, faults []sandbox.Fault) error {
	self, err := os.Executable()
	if err != nil {
		return unable("find this program to start it again: %w", err)
	}
	jobs := min(f.jobs, len(faults))
	shares := make([][]string, jobs)
	for i, fault := range faults { // neighbours need the same sandbox, so they stay together
		shares[i*jobs/len(faults)] = append(shares[i*jobs/len(faults)], fault.ID)
	}
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		sum   tally
		lines []string
		fatal []error
	)
	for _, share := range shares {
		group.Go(func() {
			args := []string{"mutate", "--only", strings.Join(share, ",")}
			if f.verbose {
				args = append(args, "--verbose")
			}
			if f.noBrowser {
				args = append(args, "--no-browser")
			}
			if f.browser != "" {
				args = append(args, "--browser", f.browser)
			}
			var out, complaint bytes.Buffer
			cmd := exec.CommandContext(ctx, self, args...) //nolint:gosec // this very program
			cmd.Stdout, cmd.Stderr = &out, &complaint
			err := cmd.Run()
			mu.Lock()
			defer mu.Unlock()
			part, told := readTally(&out)
			if part.of != len(share) {
				fatal = append(fatal, unable("a share of the work was not completed: %w: %s", err, strings.TrimSpace(complaint.String())))
				return
			}
			lines = append(lines, told...)
			sum.caught, sum.of, sum.stowaways = sum.caught+part.caught, sum.of+part.of, sum.stowaways+part.stowaways
		})
	}
	group.Wait()
	if len(fatal) > 0 {
		return fatal[0]
	}
	slices.Sort(lines)
	lines = slices.Compact(lines) // each process tells of its own faultless sandbox
	for _, line := range lines {
		if strings.HasPrefix(line, "no fault ") {
			sum.findings++
		}
		fmt.Fprintln(c.out, line)
	}
	fmt.Fprintln(c.out, sum)
	if !sum.proved() {
		return outcome{code: fallsShort}
	}
	return nil
}

// readTally reads what a process of the share printed: its lines, and its count at the end.
func readTally(out *bytes.Buffer) (tally, []string) {
	var (
		t     tally
		lines []string
	)
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		n, _ := fmt.Sscanf(scanner.Text(), "caught %d of %d; stowaways %d; findings without a fault %d", &t.caught, &t.of, &t.stowaways, &t.findings)
		if n < 4 {
			lines = append(lines, scanner.Text())
		}
	}
	return t, lines
}
