package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flowproof/drivers/sandbox"
	"flowproof/reports"
)

// TestMutateProves plays the verb, in one process: two faults that are caught, the matrix, the line at the end.
func TestMutateProves(t *testing.T) {
	var out, complaints bytes.Buffer
	folder := t.TempDir()
	run(t.Context(), []string{"mutate", "--no-browser", "--verbose", "--only", "token-accept-get,cc-for-public", "--out", folder},
		console{out: &out, err: &complaints, env: func(string) (string, bool) { return "", false }})
	for _, want := range []string{"caught 2 of 2; stowaways 0;", "caught      cc-for-public by RFC6749-4.4-confidential-only: fail"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s%swant %q", out.String(), complaints.String(), want)
		}
	}
	file, err := os.Open(filepath.Join(folder, "mutate.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	matrix, err := reports.ReadProofs(file)
	if err != nil || len(matrix.Proofs) != 2 {
		t.Errorf("%d proofs, %v", len(matrix.Proofs), err)
	}
	if page, err := os.ReadFile(filepath.Join(folder, "mutate.html")); err != nil || !bytes.Contains(page, []byte("cc-for-public")) {
		t.Errorf("the page: %v", err)
	}
}

func TestSharesHoldEveryFaultOnce(t *testing.T) {
	for _, jobs := range []int{1, 2, 3, 7} {
		dealt := map[string]int{}
		most, least := 0, len(sandbox.Faults())
		for _, share := range shared(sandbox.Faults(), jobs) {
			for _, id := range share {
				dealt[id]++
			}
			most, least = max(most, len(share)), min(least, len(share))
		}
		for _, f := range sandbox.Faults() {
			if dealt[f.ID] != 1 {
				t.Errorf("%d jobs: %s was dealt out %d times", jobs, f.ID, dealt[f.ID])
			}
		}
		if most-least > 20 {
			t.Errorf("%d jobs: the shares hold %d to %d faults", jobs, least, most)
		}
	}
	if got := shared(sandbox.Faults()[:1], 2); len(got) != 1 {
		t.Errorf("one fault in %d shares", len(got))
	}
}
