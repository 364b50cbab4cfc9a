package stand

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// A Build makes a peer for its base URL.
type Build func(base string) (Peer, error)

// A Command is a peer as a program. Declare adds the flags of its own; what it returns is called when they are parsed.
type Command struct {
	Name    string
	Declare func(*flag.FlagSet) Build
}

// Main runs the command as this process, until it is told to end, and returns its exit code.
func (c Command) Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := c.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Run serves as the arguments say, until the context ends.
func (c Command) Run(ctx context.Context, arguments []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var life Run
	flags := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	life.Flags(flags)
	build := c.Declare(flags)
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%s: unexpected argument %q", c.Name, flags.Arg(0))
	}
	return life.Serve(ctx, stdin, stdout, build)
}

// OneOf declares a flag with a few possible words, the first being the default.
func OneOf(flags *flag.FlagSet, name, usage string, words ...string) *Choice {
	c := &Choice{words: words, word: words[0]}
	flags.Var(c, name, usage)
	return c
}

// A Choice is the value of such a flag.
type Choice struct {
	words []string
	word  string
}

func (c *Choice) String() string { return c.word }

// Set refuses words that are not offered.
func (c *Choice) Set(word string) error {
	for _, w := range c.words {
		if w == word {
			c.word = word
			return nil
		}
	}
	return fmt.Errorf("it is one of %q", c.words)
}
