// Command flowproof tells whether an OAuth 2.0 deployment does what it promises, and how many tokens a
// second it issues while it does so.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func main() {
	log.SetOutput(io.Discard) // net/http writes what a server sent out of turn there, were it a token
	surviveWrites()
	os.Exit(run(context.Background(), os.Args[1:], system()))
}

// The exit codes.
const (
	conforms   = 0   // conforms, holds
	fallsShort = 1   // failures, thresholds
	wrongUse   = 2   // the command or a file is wrong
	unproven   = 3   // the run could not be completed: nothing is claimed
	interrupt  = 130 // interrupted; the partial report is written and marked
)

// An outcome ends a verb with an exit code; without an error there is nothing left to say.
type outcome struct {
	code int
	err  error
}

func (o outcome) Error() string {
	if o.err == nil {
		return fmt.Sprintf("exit code %d", o.code)
	}
	return o.err.Error()
}

func (o outcome) Unwrap() error { return o.err }

// misused is an error of the command line or of a file.
func misused(format string, args ...any) error { return outcome{wrongUse, fmt.Errorf(format, args...)} }

// unable is an error that kept the run from being completed.
func unable(format string, args ...any) error { return outcome{unproven, fmt.Errorf(format, args...)} }

// run is the command without the process around it.
func run(ctx context.Context, args []string, c console) int {
	c.manner = new(mood)
	root := command(c)
	root.SetArgs(args)
	root.SetOut(c.out)
	root.SetErr(c.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return conforms
	}
	var end outcome
	if !errors.As(err, &end) { // cobra's own: an unknown verb or flag
		end = outcome{wrongUse, err}
	}
	if end.err != nil {
		report(c.err, end.err)
	}
	return end.code
}

// report writes an error as readable lines.
func report(w io.Writer, err error) {
	for i, line := range strings.Split(strings.TrimSpace(err.Error()), "\n") {
		if i == 0 {
			line = "flowproof: " + line
		}
		fmt.Fprintln(w, harmless(line))
	}
}

// command is the whole command line.
func command(c console) *cobra.Command {
	root := &cobra.Command{
		Use:   "flowproof",
		Short: "Conformance and load tests for OAuth 2.0 deployments, JetBrains Space first",
		Long: `flowproof tells whether an OAuth 2.0 deployment does what it promises, and how many
tokens a second it issues while it does so. Without a target file everything runs
against a stand-in Space that it brings along.

Exit codes: 0 conforms or holds; 1 falls short; 2 the command or a file is wrong;
3 the run could not be completed, nothing is claimed; 130 interrupted.`,
		Example: `  flowproof check                              # the stand-in
  flowproof init --from-issuer https://login.acme.test --out acme.yaml
  flowproof doctor -t acme.yaml
  flowproof check -t acme.yaml`,
		SilenceErrors: true, SilenceUsage: true,
		Version: version(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("flowproof {{.Version}}\n")
	if c.manner != nil {
		root.PersistentFlags().BoolVarP(&c.manner.quiet, "quiet", "q", false, "say nothing but what went wrong; the exit code and the files tell the rest")
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return misused("%w (see: %s --help)", err, cmd.CommandPath())
	})
	root.AddCommand(checkCommand(c), loadCommand(c), agentCommand(c), sandboxCommand(c), mutateCommand(c), listCommand(c), reportCommand(c), compareCommand(c), mergeCommand(c), schemaCommand(c), loginCommand(c), doctorCommand(c), initCommand(c), manCommand(c))
	complete(root)
	return root
}
