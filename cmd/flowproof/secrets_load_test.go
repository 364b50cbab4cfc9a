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

// TestNoLoadRecordHoldsASecret plays a plan of everything against a sandbox that errs in each kind of answer, so
// that each is shown as evidence, and looks for every secret of the wire in what was written.
func TestNoLoadRecordHoldsASecret(t *testing.T) {
	sb, err := sandbox.New(sandbox.Options{Faults: []string{"omit-no-store", "code-reusable", "drop-state"}, Tokens: "opaque", Extras: true})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	tap, path := tapped(t, sb, folder)
	people := ""
	for name, password := range sb.Secrets() {
		if strings.Contains(strings.ToLower(name), "alice") {
			people = "username,password\nalice," + password + "\n"
		}
	}
	plan := `{rate: 200/s, duration: 1s, scenarios: [
  {flow: client_credentials, clients: [service], hostile: {wrong_secret: 5%, unknown_client: 5%}},
  {flow: password, clients: [service], users_csv: people.csv},
  {flow: authorization_code, clients: [web], users: [alice, bob], hostile: {used_code: 20%}},
  {flow: refresh_token, clients: [service, web], hostile: {foreign_refresh_token: 10%}},
  {flow: resource, resource: user, clients: [web]},
  {flow: revocation, clients: [web]},
]}`
	for name, text := range map[string]string{"plan.yaml": plan, "people.csv": people} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(folder, "out")
	var said bytes.Buffer
	code := run(t.Context(), []string{"load", "-t", path, "--plan", filepath.Join(folder, "plan.yaml"), "--out", out}, console{out: &said, err: &said, env: os.LookupEnv})
	if code != fallsShort {
		t.Fatalf("it exited with %d:\n%s", code, said.String())
	}
	record, err := reports.Read(filepath.Join(out, "load.json"))
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, v := range record.Load.Violations {
		shown[v.Message] = true
	}
	if len(shown) < 3 || len(tap.seen) < 300 {
		t.Fatalf("%d kinds of evidence %v and %d secrets prove little", len(shown), shown, len(tap.seen))
	}
	artefacts := map[string][]byte{"the terminal": said.Bytes()}
	for _, name := range []string{"load.json", "load.xml", "load.html"} {
		if artefacts[name], err = os.ReadFile(filepath.Join(out, name)); err != nil {
			t.Fatal(err)
		}
	}
	tap.soughtIn(t, artefacts)
}
