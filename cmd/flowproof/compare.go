package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"flowproof/reports"
)

func compareCommand(c console) *cobra.Command {
	var formats []string
	var out, tolerance string
	cmd := &cobra.Command{
		Use:   "compare A.json B.json",
		Short: "Say whether B is better or worse than A",
		Long: `compare reads two records of a check, or two of a load run, and says what changed from A to
B: better, same, worse, or that it cannot be told. Of load runs it compares the median and
the 99th percentile over blocks of 10 s, with the interval of the ratio, and refuses what
so few answers, or so short runs, cannot show.

Exit codes: 0 better or same; 1 worse; 2 the files are wrong; 3 it cannot be told.`,
		Example: `  flowproof compare main/check.json flowproof-out/check.json
  flowproof compare main/load.json flowproof-out/load.json --tolerance 5% --format html,markdown --out flowproof-out`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return misused("compare takes two records: give the paths of A and B")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if err := writable(formats, "comparison"); err != nil {
				return err
			}
			share, err := tolerated(tolerance)
			if err != nil {
				return err
			}
			compared, err := compare(args[0], args[1], share)
			if err != nil {
				return misused("%w", err)
			}
			if out == "" && len(formats) > 1 {
				return misused("several formats cannot share stdout; give --out FOLDER")
			}
			if err := mayWrite(out); err != nil {
				return err
			}
			if err := tell(c, reports.Record{Comparison: &compared}, formats, out); err != nil {
				return err
			}
			if code := compared.ExitCode(); code != conforms {
				return outcome{code: code}
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&formats, "format", []string{"text"}, "the `formats`: text, html, markdown, json; several with commas")
	cmd.Flags().StringVar(&out, "out", "", "the `folder` that compare.html and the like go to; stdout without it")
	cmd.Flags().StringVar(&tolerance, "tolerance", "10%", "the `difference` of a latency or a throughput that does not matter")
	return cmd
}

func compare(pathA, pathB string, tolerance float64) (reports.Comparison, error) {
	a, err := reports.Read(pathA)
	if err != nil {
		return reports.Comparison{}, err
	}
	b, err := reports.Read(pathB)
	if err != nil {
		return reports.Comparison{}, err
	}
	return reports.Compare(a, b, pathA, pathB, tolerance)
}

// tell writes the comparison to stdout in its one format, or into the folder, with the summary on stdout.
func tell(c console, r reports.Record, formats []string, out string) error {
	if out == "" {
		if formats[0] == "text" {
			r.Summary(c.summary(), c.color)
			return nil
		}
		if err := reports.Render(formats[0], c.out, r); err != nil {
			return unable("%w", err)
		}
		return nil
	}
	if err := os.MkdirAll(out, 0o750); err != nil {
		return unable("make the folder of the reports: %w", err)
	}
	r.Summary(c.summary(), c.color)
	fmt.Fprintln(c.summary())
	for _, format := range formats {
		path, err := render(r, format, out, "compare")
		if err != nil {
			return unable("%w", err)
		}
		fmt.Fprintln(c.summary(), path)
	}
	return nil
}
