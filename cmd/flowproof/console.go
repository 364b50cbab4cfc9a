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
	env      func(string) (string, bool)
	color    bool // stdout is a terminal that wants colours
	terminal bool // stderr is a terminal
}

// system is the console of this process.
func system() console {
	_, plain := os.LookupEnv("NO_COLOR")
	dumb, _ := os.LookupEnv("TERM")
	return console{
		out: os.Stdout, err: os.Stderr, env: os.LookupEnv,
		color:    !plain && dumb != "dumb" && term.IsTerminal(int(os.Stdout.Fd())),
		terminal: dumb != "dumb" && term.IsTerminal(int(os.Stderr.Fd())),
	}
}

// say writes one line of progress to stderr.
func (c console) say(format string, args ...any) { fmt.Fprintf(c.err, format+"\n", args...) }

// version is what the build knows of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return strings.TrimPrefix(info.Main.Version, "v")
}

func tool() reports.Tool { return reports.Tool{Name: "flowproof", Version: version()} }
