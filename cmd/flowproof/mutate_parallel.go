package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"flowproof/drivers/sandbox"
	"flowproof/reports"
)

// proveInParallel shares the faults among processes of this program: Ginkgo runs one suite a process.
func proveInParallel(ctx context.Context, c console, f mutateFlags, faults []sandbox.Fault) (reports.Proofs, error) {
	self, err := os.Executable()
	if err != nil {
		return reports.Proofs{}, unable("find this program to start it again: %w", err)
	}
	ctx, stop := interruptible(ctx) // the processes end with this one
	defer stop()
	shares := shared(faults, min(f.jobs, len(faults)))
	var (
		group sync.WaitGroup
		parts = make([]reports.Proofs, len(shares))
		fails = make([]error, len(shares))
	)
	for i, share := range shares {
		group.Go(func() { parts[i], fails[i] = proveShare(ctx, c, self, f, share) })
	}
	group.Wait()
	var out reports.Proofs
	for i, part := range parts {
		if fails[i] != nil && ctx.Err() == nil {
			return out, fails[i]
		}
		out.Browser = part.Browser
		out.Proofs = append(out.Proofs, part.Proofs...)
		out.Clean = merged(out.Clean, part.Clean)
	}
	place := map[string]int{}
	for i, fault := range faults {
		place[fault.ID] = i
	}
	if ctx.Err() != nil {
		out.Partial = "interrupted"
	}
	slices.SortFunc(out.Proofs, func(a, b reports.Proof) int { return place[a.Fault] - place[b.Fault] })
	return out, nil
}

// proveShare proves a share of the faults in a process of its own.
func proveShare(ctx context.Context, c console, self string, f mutateFlags, share []string) (reports.Proofs, error) {
	args := []string{"mutate", "--json", "--only", strings.Join(share, ",")}
	if f.thorough {
		args = append(args, "--thorough")
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
	ended := cmd.Run()
	part, err := reports.ReadProofs(&out)
	if err != nil || len(part.Proofs) != len(share) {
		return part, unable("a share of the proofs was not completed (%v): %s", ended, strings.TrimSpace(complaint.String()))
	}
	c.say("%d faults proved or not", len(part.Proofs))
	return part, nil
}

// shared deals the faults out. Those that need a sandbox of their own kind stay together, since each process
// plays every kind that it needs once without a fault.
func shared(faults []sandbox.Fault, jobs int) [][]string {
	kinds := map[string][]string{}
	var order []string
	for _, fault := range faults {
		o := fault.Options(sandbox.Options{})
		o.Faults = nil
		kind := fmt.Sprintf("%+v", o)
		if kinds[kind] == nil {
			order = append(order, kind)
		}
		kinds[kind] = append(kinds[kind], fault.ID)
	}
	slices.SortStableFunc(order, func(a, b string) int { return len(kinds[b]) - len(kinds[a]) })
	shares := make([][]string, jobs)
	least := func() int {
		at := 0
		for i := range shares {
			if len(shares[i]) < len(shares[at]) {
				at = i
			}
		}
		return at
	}
	for _, kind := range order {
		const few = 8 // not worth a run without a fault in several processes
		if len(kinds[kind]) <= few*jobs && len(order) > 1 {
			at := least()
			shares[at] = append(shares[at], kinds[kind]...)
			continue
		}
		for _, id := range kinds[kind] { // dealt one by one, since neighbours cost alike
			at := least()
			shares[at] = append(shares[at], id)
		}
	}
	return slices.DeleteFunc(shares, func(s []string) bool { return len(s) == 0 })
}
