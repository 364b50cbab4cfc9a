package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"flowproof/drivers/sandbox"
	"flowproof/reports"
)

// TestInterruptedRunIsWrittenAndMarked ends a run in its middle: the record is there, marked partial, and the
// exit code says so.
func TestInterruptedRunIsWrittenAndMarked(t *testing.T) {
	for _, verb := range [][]string{
		{"check", "--no-browser"},
		{"load", "--rate", "200/s", "--duration", "1m"},
	} {
		t.Run(verb[0], func(t *testing.T) {
			sb, err := sandbox.New(sandbox.Options{Tokens: "opaque"})
			if err != nil {
				t.Fatal(err)
			}
			ctx, interrupted := context.WithCancel(t.Context())
			var requests atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1) == 50 {
					interrupted()
				}
				sb.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			folder := t.TempDir()
			path, _, err := writeTarget(sb, server.URL, filepath.Join(folder, "in"))
			if err != nil {
				t.Fatal(err)
			}
			var said bytes.Buffer
			out := filepath.Join(folder, "out")
			code := run(ctx, append(verb, "-t", path, "--out", out), console{out: &said, err: &said, env: os.LookupEnv})
			if code != interrupt {
				t.Errorf("exit code %d, want %d\n%s", code, interrupt, said.String())
			}
			record, err := reports.Read(filepath.Join(out, verb[0]+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if record.Partial() != "interrupted" {
				t.Errorf("the record is marked %q, want interrupted", record.Partial())
			}
			if record.ExitCode(false) == conforms {
				t.Error("the partial record would pass")
			}
		})
	}
}
