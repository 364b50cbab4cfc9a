package main

import (
	"errors"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"flowproof/drivers/sandbox"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"flowproof": main})
}

// TestScripts plays the command line as its users type it.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/scripts",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			repository, err := filepath.Abs("../..")
			env.Setenv("REPO", repository)
			env.Setenv("NL", "\n")
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "serve": serveSandbox},
	})
}

// serveSandbox serves a sandbox for the rest of the script, with its target file in a folder: serve old.
func serveSandbox(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("serve takes a folder")
	}
	sb, err := sandbox.New(sandbox.Options{Tokens: "opaque"})
	ts.Check(err)
	s := httptest.NewServer(sb)
	ts.Defer(s.Close)
	_, _, err = writeTarget(sb, s.URL, ts.MkAbs(args[0]))
	ts.Check(err)
}

// exits runs flowproof and wants an exit code: exits 2 check --profile nonsense.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE VERB [flag ...]")
	}
	got := 0
	err := ts.Exec("flowproof", args[1:]...)
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		got = ended.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if want := args[0]; strconv.Itoa(got) != want {
		ts.Fatalf("flowproof %v exited with %d, not %s", args[1:], got, want)
	}
}
