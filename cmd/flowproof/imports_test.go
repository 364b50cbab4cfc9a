package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestRoomsImportOneWay holds the rooms to who may import whom, and each big dependency to its one door.
func TestRoomsImportOneWay(t *testing.T) {
	for room, may := range map[string][]string{
		"drivers/strict":   nil,
		"drivers/target":   {"drivers/strict"},
		"drivers/sandbox":  nil,
		"suites/catalogue": nil,
		"reports":          {"suites/catalogue", "drivers/strict"},
		"drivers/oauth":    {"drivers/target", "reports"},
		"drivers/browser":  {"drivers/target", "drivers/oauth"},
		"drivers/load":     {"drivers/strict", "drivers/target", "drivers/oauth", "reports", "suites/catalogue"},
		"drivers/cluster":  {"drivers/target", "drivers/oauth", "drivers/load", "reports"},
		"suites":           {"suites/catalogue", "drivers/target", "drivers/oauth", "reports"},
	} {
		for _, path := range list(t, "{{join .Imports \"\\n\"}}", "flowproof/"+room) {
			inner, ours := strings.CutPrefix(path, "flowproof/")
			if ours && !among(may, inner) {
				t.Errorf("%s imports %s", room, inner)
			}
			for dependency, door := range map[string]string{
				"github.com/onsi/": "suites", "github.com/chromedp/": "drivers/browser", "github.com/vbauerster/": "cmd/flowproof", "github.com/nats-io/": "drivers/cluster",
			} {
				if strings.HasPrefix(path, dependency) && room != door {
					t.Errorf("%s imports %s, which is for %s alone", room, path, door)
				}
			}
		}
	}
	for _, light := range []string{"drivers/load", "reports", "drivers/sandbox"} {
		for _, path := range list(t, "{{join .Deps \"\\n\"}}", "flowproof/"+light) {
			if strings.HasPrefix(path, "github.com/onsi/") {
				t.Errorf("%s reaches %s", light, path)
			}
		}
	}
}

func among(list []string, x string) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

func list(t *testing.T, format, pkg string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", format, pkg).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", pkg, err)
	}
	return strings.Fields(string(out))
}
