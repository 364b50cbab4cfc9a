package main

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
	"flowproof/reports"
	"flowproof/suites/catalogue"
)

// complete tells the shells which values the flags of all verbs take.
func complete(root *cobra.Command) {
	for _, verb := range root.Commands() {
		for flag := range flagValues(verb.Name()) {
			if verb.Flags().Lookup(flag) == nil {
				continue
			}
			// It fails for a flag that is not there, or that has its values already. What is registered is kept for as
			// long as the process lives, so it makes the values when it is asked.
			_ = verb.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
				return flagValues(verb.Name())[flag](cmd, args, typed)
			})
		}
		for flag, kinds := range map[string][]string{"target": {"yaml", "yml"}, "plan": {"yaml", "yml"}, "waivers": {"yaml", "yml"}, "baseline": {"json"}, "ca": {"pem", "crt"}} {
			if verb.Flags().Lookup(flag) != nil {
				_ = verb.MarkFlagFilename(flag, kinds...)
			}
		}
		for _, flag := range []string{"out", "history"} {
			if verb.Flags().Lookup(flag) != nil && verb.Name() != "init" {
				_ = verb.MarkFlagDirname(flag)
			}
		}
	}
}

// flagValues are the values of a verb's flags, by the flag's name.
func flagValues(verb string) map[string]cobra.CompletionFunc {
	grants := []string{}
	for _, g := range target.Grants() {
		grants = append(grants, string(g))
	}
	progress := []string{"auto", "teamcity"}
	if verb == "load" {
		grants = append(grants, "resource", "revocation")
		progress = liveModes()
	}
	var formats []string
	for _, f := range reports.Formats() {
		formats = append(formats, f.Name+"\t"+f.About)
	}
	if verb == "list" {
		formats = []string{"table", "json", "markdown"}
	}
	var faults []string
	for _, f := range sandbox.Faults() {
		faults = append(faults, f.ID+"\t"+f.Sentence)
	}
	labels := requirementLabels()
	only := expression(append(labels, grants...))
	if verb == "mutate" {
		only = amongst(append(slices.Clone(faults), labels...))
	}
	return map[string]cobra.CompletionFunc{
		"profile": amongst(profiles()), "edition": amongst(catalogue.Editions()), "format": amongst(formats), "grant": amongst(grants),
		"progress": amongst(progress), "fault": amongst(faults), "only": only, "tokens": amongst([]string{"rs512", "opaque"}),
		"protocol": amongst([]string{"http/1.1", "h2"}), "print": amongst(slices.Sorted(maps.Keys(placements()))),
		"client": ofTarget(func(t target.Target) string { return clientNames(t) }),
		"user":   ofTarget(func(t target.Target) string { return userNames(t) }),
	}
}

func requirementLabels() []string {
	var out []string
	for _, r := range catalogue.All() {
		out = append(out, r.ID+"\t"+r.Sentence)
	}
	return out
}

// amongst offers the words for the part behind the last comma.
func amongst(words []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return offered(words, typed, ","), cobra.ShellCompDirectiveNoFileComp
	}
}

// expression offers the words for the last operand of a filter.
func expression(words []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return offered(words, typed, "&|!() "), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

func offered(words []string, typed, separators string) []string {
	begun := strings.LastIndexAny(typed, separators) + 1
	var out []string
	for _, w := range words {
		if strings.HasPrefix(w, typed[begun:]) {
			out = append(out, typed[:begun]+w)
		}
	}
	return out
}

// ofTarget offers the names that the target file of the command line has. Its secrets are not looked up.
func ofTarget(names func(target.Target) string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		file, err := cmd.Flags().GetString("target")
		if err != nil || file == "" {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		const standIn = "AAAAAAAA"
		t, err := target.Parse(file, raw, target.Lookup{
			Env: func(string) (string, bool) { return standIn, true },
			File: func(path string) ([]byte, error) {
				if strings.HasSuffix(path, ".pem") || strings.HasSuffix(path, ".crt") {
					return os.ReadFile(path)
				}
				return []byte(standIn), nil
			},
		})
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offered(strings.Split(names(t), ", "), typed, ","), cobra.ShellCompDirectiveNoFileComp
	}
}
