package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoginHeadedSaysWhereThereIsNoDisplay: none is named, or the one that is named does not answer.
func TestLoginHeadedSaysWhereThereIsNoDisplay(t *testing.T) {
	blind := filepath.Join(t.TempDir(), "chromium")
	if err := os.WriteFile(blind, []byte("#!/bin/sh\necho '[1:1:ERROR:ozone_platform_x11.cc(257)] Missing X server or $DISPLAY' >&2\nexit 1\n"), 0o700); err != nil { //nolint:gosec // to be run
		t.Fatal(err)
	}
	for display, c := range map[string]struct {
		code int
		says string
	}{
		"":    {wrongUse, "there is no display here to show a window on; leave it out"},
		":55": {unproven, `finds no display to show its window on (DISPLAY is ":55"); leave --headed out`},
	} {
		t.Setenv("DISPLAY", display)
		t.Setenv("WAYLAND_DISPLAY", "")
		code, out, said := runs(t, "login", "--headed", "--browser", blind, "--out", "")
		if code != c.code || !strings.Contains(said, c.says) || strings.Contains(out+said, "ozone") {
			t.Errorf("display %q: exit code %d: %s%s", display, code, out, said)
		}
	}
}
