package main

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"flowproof/drivers/sandbox"
)

var update = flag.Bool("update", false, "write the generated page of requirements anew")

const requirementsPage = "../../suites/catalogue/REQUIREMENTS.md"

// TestRequirementsPageIsGenerated holds the page in the repository to what the command prints.
func TestRequirementsPageIsGenerated(t *testing.T) {
	var out bytes.Buffer
	if err := listRequirements(&out, "", "markdown", false); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(requirementsPage, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(requirementsPage)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(page, out.Bytes()) {
		t.Error("suites/catalogue/REQUIREMENTS.md is not what the catalogue and the specs say now; run: make golden")
	}
}

// TestEveryRequirementHasASpecAndAFault: a row that nothing proves, or that no fault proves, is a defect.
func TestEveryRequirementHasASpecAndAFault(t *testing.T) {
	faults := map[string]bool{}
	for _, f := range sandbox.Faults() {
		faults[f.ID] = true
	}
	for _, r := range requirements("") {
		if len(r.Specs) == 0 {
			t.Errorf("%s has no spec", r.ID)
		}
		if !faults[r.Fault] {
			t.Errorf("%s has no fault %s in the sandbox", r.ID, r.Fault)
		}
	}
}
