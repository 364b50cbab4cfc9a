package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"flowproof/drivers/sandbox"
	"flowproof/reports"
	"flowproof/suites/catalogue"
)

func listCommand(c console) *cobra.Command {
	var profile, format string
	var long bool
	cmd := &cobra.Command{
		Use:   "list requirements|faults|profiles|formats",
		Short: "Show the catalogue",
		Example: `  flowproof list requirements --profile bcp-9700
  flowproof list requirements --long --format markdown
  flowproof list faults`,
		ValidArgs: []string{"requirements", "faults", "profiles", "formats"},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misused("list shows one thing: requirements, faults, profiles or formats")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if profile != "" && !known(profile) {
				return misused("there is no profile %q; choose one of %s", profile, strings.Join(profiles(), ", "))
			}
			switch args[0] {
			case "requirements":
				return listRequirements(c.out, catalogue.Profile(profile), format, long)
			case "faults":
				return listFaults(c.out)
			case "profiles":
				return columns(c.out, func(row func(...string)) {
					for _, p := range catalogue.Profiles() {
						row(string(p.Name), p.Meaning)
					}
				})
			case "formats":
				return columns(c.out, func(row func(...string)) {
					for _, f := range reports.Formats() {
						row(f.Name, f.About)
					}
				})
			default:
				return misused("there is nothing to list under %q; list requirements, faults, profiles or formats", args[0])
			}
		},
	}
	cmd.Flags().StringVar(&profile, "profile", "", "only what the `profile` judges")
	cmd.Flags().BoolVar(&long, "long", false, "with what is observed, what is needed, what is tolerated and which specs prove it")
	cmd.Flags().StringVar(&format, "format", "table", "of the requirements: table, json or markdown")
	return cmd
}

func known(profile string) bool {
	for _, p := range profiles() {
		if p == profile {
			return true
		}
	}
	return false
}

func listFaults(w io.Writer) error {
	return columns(w, func(row func(...string)) {
		for _, f := range sandbox.Faults() {
			row(f.ID, f.Requirement, f.Sentence)
		}
	})
}

// columns writes rows aligned.
func columns(w io.Writer, fill func(row func(...string))) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fill(func(cells ...string) { fmt.Fprintln(t, strings.Join(cells, "\t")) })
	return t.Flush()
}
