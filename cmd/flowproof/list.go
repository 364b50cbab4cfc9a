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
	var profile string
	var long bool
	cmd := &cobra.Command{
		Use:       "list requirements|faults|profiles|formats",
		Short:     "Show the catalogue",
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
				if long {
					listLong(c.out, catalogue.Profile(profile))
					return nil
				}
				return listRequirements(c.out, catalogue.Profile(profile))
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
	cmd.Flags().BoolVar(&long, "long", false, "with what is observed, what is needed and what is tolerated")
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

// inProfile are the requirements of a profile with their level there; of the catalogue when it is empty.
func inProfile(p catalogue.Profile) ([]catalogue.Requirement, map[string]catalogue.Level) {
	var out []catalogue.Requirement
	levels := map[string]catalogue.Level{}
	for _, r := range catalogue.All() {
		level, applies := r.Level, true
		if p != "" {
			level, applies = r.Levels[p], r.Levels[p] != ""
		}
		if applies {
			out = append(out, r)
			levels[r.ID] = level
		}
	}
	return out, levels
}

func listRequirements(w io.Writer, p catalogue.Profile) error {
	rows, levels := inProfile(p)
	return columns(w, func(row func(...string)) {
		for _, r := range rows {
			row(r.ID, string(levels[r.ID]), r.Sentence)
		}
	})
}

func listLong(w io.Writer, p catalogue.Profile) {
	rows, levels := inProfile(p)
	for _, r := range rows {
		fmt.Fprintf(w, "%s  %s\n  %s\n", r.ID, levels[r.ID], r.Sentence)
		for _, part := range [][2]string{{"source", r.Source}, {"observe", r.Observe}, {"needs", r.Needs}, {"caution", r.Caution}, {"fault", r.Fault.ID + ": " + r.Fault.Sentence}} {
			if part[1] != "" {
				fmt.Fprintf(w, "  %-8s %s\n", part[0], strings.Join(strings.Fields(part[1]), " "))
			}
		}
		fmt.Fprintln(w)
	}
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
