package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"flowproof/drivers/load"
	"flowproof/reports"
)

func mergeCommand(c console) *cobra.Command {
	var out string
	var partial, asJSON bool
	cmd := &cobra.Command{
		Use:   "merge SHARD.json SHARD.json ...",
		Short: "Add the records of a plan's shards up",
		Long: `merge adds the records that load --shard 1/3 to 3/3 wrote up, as if one process had sent the whole plan:
counts and histograms exactly (percentiles are those of all answers together, never averaged), and the
seconds by the clock. The thresholds of the plan are held to the sum. Records of different plans, the same shard
twice and missing shards are refused. Nothing is sent.`,
		Example: `  flowproof merge one/load.json two/load.json three/load.json --out merged
  flowproof merge one/load.json three/load.json --allow-partial`,
		RunE: func(_ *cobra.Command, paths []string) error {
			if len(paths) == 0 {
				return misused("merge adds the records of shards: give the paths of their JSON files")
			}
			var records []reports.Load
			for _, path := range paths {
				r, err := reports.Read(path)
				if err != nil {
					return misused("%w", err)
				}
				if r.Load == nil {
					return misused("%s is the record of a check; merge adds those of load --shard", path)
				}
				records = append(records, *r.Load)
			}
			sum, err := load.Merge(records, partial)
			if err != nil {
				return misused("%w%s", err, numbered(paths))
			}
			if err := mayWrite(out); err != nil {
				return err
			}
			return deliver(c, reports.Record{Load: &sum}, delivery{out: out, name: "load", json: asJSON})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "the `folder` that the reports go to; without it only the summary is printed")
	cmd.Flags().BoolVar(&partial, "allow-partial", false, "merge although shards are missing; the record is then marked partial")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the record to stdout instead of the summary")
	return cmd
}

// numbered says which record is which.
func numbered(paths []string) string {
	out := ""
	for i, path := range paths {
		out += fmt.Sprintf("\n  record %d: %s", i+1, path)
	}
	return out
}
