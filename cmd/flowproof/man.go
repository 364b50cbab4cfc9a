package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func manCommand(c console) *cobra.Command {
	return &cobra.Command{
		Use:   "man FOLDER",
		Short: "Write the man pages",
		Long: `man writes a man page for each verb into a folder, which is made if it is not there. Where man looks for pages is
told by manpath; ~/.local/share/man/man1 is a place for one's own.`,
		Example: `  flowproof man ~/.local/share/man/man1
  man flowproof-check`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misused("man writes into one folder: name it")
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // man pages are for everybody
				return misused("make the folder of the man pages: %w", err)
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // the same pages from the same sources
			header := &doc.GenManHeader{Title: "FLOWPROOF", Section: "1", Source: "flowproof " + version(), Manual: "flowproof"}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return unable("write the man pages: %w", err)
			}
			fmt.Fprintln(c.out, args[0])
			return nil
		},
	}
}
