package explained

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCompareTellsWhatIsNotExplainedAndWhatExplainsNothing(t *testing.T) {
	findings, err := Read(write(t, "findings.yaml", `
- {requirement: told, verdicts: {rfc6749: warn}, reason: a reason that is long enough}
- {requirement: chance, verdicts: {rfc6749: fail|pass}, reason: a reason that is long enough}
- {requirement: mended, verdicts: {rfc6749: warn}, reason: a reason that is long enough}
- {requirement: graver, verdicts: {rfc6749: note}, reason: a reason that is long enough}
- {requirement: elsewhere, verdicts: {bcp-9700: fail}, reason: a reason that is long enough}
`))
	if err != nil {
		t.Fatal(err)
	}
	record, err := ReadRecord(write(t, "check.json", `{"results": [
		{"requirement": "told", "verdict": "warn"}, {"requirement": "chance", "verdict": "pass"}, {"requirement": "mended", "verdict": "pass"},
		{"requirement": "graver", "verdict": "fail", "findings": [{"verdict": "note", "message": "small"}, {"verdict": "fail", "variant": "there", "message": "great"}]},
		{"requirement": "new", "verdict": "warn", "findings": [{"verdict": "warn", "message": "untold"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	fine, odd := findings.Compare("rfc6749", record)
	want := []string{
		`rfc6749 graver: fail, explained as "note": there great`, `rfc6749 new: warn, explained as "":  untold`, `rfc6749 mended: explained as warn, and not found`,
	}
	if fine != 1 || !slices.Equal(odd, want) || record.Count("pass") != 2 {
		t.Errorf("%d are explained, %d pass, odd are\n%s", fine, record.Count("pass"), strings.Join(odd, "\n"))
	}
}

func TestReadWantsAReasonAndAVerdictOnce(t *testing.T) {
	for name, text := range map[string]string{
		"no reason":    `[{requirement: one, verdicts: {rfc6749: warn}, reason: so}]`,
		"no verdict":   `[{requirement: one, reason: a reason that is long enough}]`,
		"twice":        `[{requirement: one, verdicts: {rfc6749: warn}, reason: a reason that is long enough}, {requirement: one, verdicts: {bcp-9700: warn}, reason: a reason that is long enough}]`,
		"unknown word": `[{requirement: one, verdict: {rfc6749: warn}, reason: a reason that is long enough}]`,
	} {
		if _, err := Read(write(t, "findings.yaml", text)); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}
