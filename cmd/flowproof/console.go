package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/term"

	"flowproof/reports"
)

// A console is what the process lends to a verb.
type console struct {
	out, err io.Writer
	in       io.Reader // nil: nobody can be asked
	env      func(string) (string, bool)
	color    bool  // stdout is a terminal that wants colours
	terminal bool  // stderr is a terminal
	blind    bool  // secrets are looked up elsewhere
	manner   *mood // what the flags for all verbs say; nil: nothing
}

// A mood is how much a run is to say, whatever its verb.
type mood struct{ quiet bool }

// system is the console of this process.
func system() console {
	color, draw := wishes(os.LookupEnv)
	c := console{
		out: os.Stdout, err: os.Stderr, env: os.LookupEnv,
		color:    color && term.IsTerminal(int(os.Stdout.Fd())),
		terminal: draw && term.IsTerminal(int(os.Stderr.Fd())),
	}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		c.in = os.Stdin
	}
	return c
}

// wishes reads whether a terminal is to have colours (no-color.org), and whether it can be drawn on.
func wishes(env func(string) (string, bool)) (color, draw bool) {
	plain, _ := env("NO_COLOR")
	kind, _ := env("TERM")
	return plain == "" && kind != "dumb", kind != "dumb"
}

// quiet reports whether nothing is to be said but what went wrong.
func (c console) quiet() bool { return c.manner != nil && c.manner.quiet }

// summary is where a run is summed up for people.
func (c console) summary() io.Writer {
	if c.quiet() {
		return io.Discard
	}
	return c.out
}

// draws reports whether progress may be drawn.
func (c console) draws() bool { return c.terminal && !c.quiet() }

// say writes one line of progress to stderr.
func (c console) say(format string, args ...any) {
	if !c.quiet() {
		c.warn(format, args...)
	}
}

// warn writes one line to stderr that has to be seen.
func (c console) warn(format string, args ...any) { fmt.Fprintf(c.err, format+"\n", args...) }

// marked is a line that begins with its mark, in the mark's colour.
func (c console) marked(mark, line string) string {
	if !c.color {
		return mark + " " + line
	}
	code := map[string]string{"✓": "32", "✗": "31", "–": "33"}[mark]
	return "\x1b[" + code + "m" + mark + "\x1b[0m " + line
}

// version is what the build knows of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return strings.TrimPrefix(info.Main.Version, "v")
}

func tool() reports.Tool { return reports.Tool{Name: "flowproof", Version: version()} }
