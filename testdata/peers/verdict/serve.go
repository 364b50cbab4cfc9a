package verdict

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"flowproof/peers/stand"
)

// serve runs the peer as its command does, until the test ends, and returns its target file.
func serve(t *testing.T, command stand.Command) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "peer")
	stdin, stop := io.Pipe()
	output, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- command.Run(t.Context(), []string{"-out", folder, "-until-eof"}, stdin, stdout, io.Discard)
		_ = stdout.Close()
	}()
	t.Cleanup(func() {
		_ = stop.Close()
		if err := <-ended; err != nil {
			t.Error(fmt.Errorf("the peer: %w", err))
		}
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "listening on ") {
		t.Fatalf("the peer said %q, %v", line, err)
	}
	return filepath.Join(folder, "target.yaml")
}
