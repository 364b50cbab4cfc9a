package main

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"flowproof/drivers/sandbox"
)

func TestMain(m *testing.M) {
	testscript.Main(tidy{m}, map[string]func(){"flowproof": main})
}

// tidy are tests that leave no goroutine behind.
type tidy struct{ *testing.M }

func (t tidy) Run() int {
	code := t.M.Run()
	if err := goleak.Find(
		goleak.IgnoreTopFunction("github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"), // one a check
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"),
	); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
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
