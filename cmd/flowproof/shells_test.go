package main

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// verbs are all verbs of ours: those that cobra adds explain themselves.
func verbs() []*cobra.Command {
	return command(console{manner: new(mood)}).Commands()
}

func TestEveryVerbHasHelpWithExamples(t *testing.T) {
	for _, verb := range verbs() {
		code, out, complaints := runs(t, verb.Name(), "--help")
		for _, part := range []string{"Usage:\n  flowproof " + verb.Use, "Examples:\n  flowproof ", "--quiet"} {
			if code != conforms || complaints != "" || !strings.Contains(out, part) {
				t.Errorf("%s --help: exit code %d, it has no %q:\n%s%s", verb.Name(), code, part, out, complaints)
			}
		}
		for line := range strings.Lines(verb.Example) {
			// The flags of an example are flags of the verb.
			for word := range strings.FieldsSeq(line) {
				name, is := strings.CutPrefix(word, "--")
				name, _, _ = strings.Cut(name, "=")
				if is && strings.HasPrefix(strings.TrimSpace(line), "flowproof "+verb.Name()) && verb.Flags().Lookup(name) == nil {
					t.Errorf("%s: the example has a flag that there is not, %s", verb.Name(), word)
				}
			}
		}
	}
}

func TestShellsAreToldTheValues(t *testing.T) {
	space := "../../testdata/targets/space.yaml"
	for _, c := range []struct {
		typed []string
		want  []string
	}{
		{[]string{"check", "--profile", ""}, []string{"space", "rfc6749", "bcp-9700", "oauth-2.1"}},
		{[]string{"check", "--format", "html,ju"}, []string{"html,junit"}},
		{[]string{"check", "--only", "password && RFC7636-4.6-w"}, []string{"password && RFC7636-4.6-wrong-verifier"}},
		{[]string{"check", "--only", "(refresh_t"}, []string{"(refresh_token"}},
		{[]string{"check", "--fault", "code-reus"}, []string{"code-reusable"}},
		{[]string{"check", "--progress", ""}, []string{"auto", "teamcity"}},
		{[]string{"load", "--progress", "p"}, []string{"plain"}},
		{[]string{"load", "--grant", "client_credentials,rev"}, []string{"client_credentials,revocation"}},
		{[]string{"mutate", "--only", "code-reus"}, []string{"code-reusable"}},
		{[]string{"sandbox", "--tokens", ""}, []string{"rs512", "opaque"}},
		{[]string{"list", "--format", ""}, []string{"table", "json", "markdown"}},
		{[]string{"list", "f"}, []string{"faults", "formats"}},
		{[]string{"init", "--grant", "imp"}, []string{"implicit"}},
		{[]string{"login", "-t", space, "--client", "s"}, []string{"service", "spa", "strict", "special", "spare"}},
		{[]string{"login", "-t", space, "--user", "v"}, []string{"victim"}},
		{[]string{"login", "--user", ""}, nil},
		{[]string{"login", "-t", "missing.yaml", "--user", ""}, nil},
		{[]string{"log"}, []string{"login"}},
	} {
		code, out, _ := runs(t, append([]string{"__complete"}, c.typed...)...)
		var got []string
		for line := range strings.Lines(out) {
			if word, _, _ := strings.Cut(strings.TrimSpace(line), "\t"); word != "" && !strings.HasPrefix(word, ":") {
				got = append(got, word)
			}
		}
		if code != conforms || !slices.Equal(got, c.want) {
			t.Errorf("%q: exit code %d, offered %q, want %q", c.typed, code, got, c.want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if code, out, _ := runs(t, "completion", shell); code != conforms || !strings.Contains(out, "flowproof") {
			t.Errorf("%s: exit code %d", shell, code)
		}
	}
}

func TestManPagesAreWritten(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "man1")
	if code, _, complaints := runs(t, "man", folder); code != conforms {
		t.Fatalf("exit code %d: %s", code, complaints)
	}
	for _, verb := range verbs() {
		page, err := os.ReadFile(filepath.Join(folder, "flowproof-"+verb.Name()+".1"))
		if err != nil || !bytes.Contains(page, []byte(".TH")) || !bytes.Contains(page, []byte(verb.Short)) || !bytes.Contains(page, []byte("EXAMPLE")) {
			t.Errorf("%s: %v", verb.Name(), err)
		}
	}
	if code, _, complaints := runs(t, "man"); code != wrongUse || !strings.Contains(complaints, "name it") {
		t.Errorf("without a folder: exit code %d: %s", code, complaints)
	}
}

func TestTerminalsWishes(t *testing.T) {
	for _, c := range []struct {
		set         map[string]string
		color, draw bool
	}{
		{nil, true, true},
		{map[string]string{"NO_COLOR": ""}, true, true}, // present and not empty, says no-color.org
		{map[string]string{"NO_COLOR": "1"}, false, true},
		{map[string]string{"TERM": "dumb"}, false, false},
	} {
		color, draw := wishes(func(name string) (string, bool) { v, ok := c.set[name]; return v, ok })
		if color != c.color || draw != c.draw {
			t.Errorf("%v: colours %t, drawing %t", c.set, color, draw)
		}
	}
	if plain, red := (console{}).marked("✗", "x"), (console{color: true}).marked("✗", "x"); plain != "✗ x" || !strings.Contains(red, "\x1b[31m") {
		t.Errorf("marked %q, %q", plain, red)
	}
}

// TestExchangesAreShownHarmlessly: on one line each way, without secrets, whatever the server writes.
func TestExchangesAreShownHarmlessly(t *testing.T) {
	r := oauth.NewRedactor(target.Target{Clients: []target.Client{{ID: "web", Secret: target.NewSecret("the-secret-of-web")}}})
	x := oauth.Exchange{
		Request: oauth.Request{Title: "redeem\nthe code", Client: "web", Method: http.MethodPost, URL: "https://acme.test/token?client_secret=the-secret-of-web&code=a-code-that-is-long-enough&code_challenge=the-plain-verifier&back=%2Fauth%3Fcode_challenge%3Dthe-plain-verifier%26code_challenge_method%3Dplain"},
		Status:  302, Duration: 12 * time.Millisecond, Body: []byte("{\"error\":\"\\u001b[2J\\nx\"}"),
		Header: http.Header{"Location": {"https://app.acme.test/\x1b[2J?code=a-code-that-is-long-enough&state=1"}, "Content-Type": {"application/json; charset=utf-8\u202e"}},
	}
	asked, answered := exchangeLines(x, r)
	both := asked + answered
	if strings.ContainsAny(both, "\n\x1b\u202e") || strings.Contains(both, "the-secret-of-web") || strings.Contains(both, "a-code-that-is-long-enough") || strings.Contains(both, "the-plain-verifier") {
		t.Errorf("%q\n%q", asked, answered)
	}
	for _, part := range []string{"POST https://acme.test/token?", "# redeem the code (web)"} {
		if !strings.Contains(asked, part) {
			t.Errorf("%q has no %q", asked, part)
		}
	}
	for _, part := range []string{"→ 302 ", " to https://app.acme.test/", "application/json", "24 bytes", "12ms"} {
		if !strings.Contains(answered, part) {
			t.Errorf("%q has no %q", answered, part)
		}
	}
	lost := oauth.Exchange{Request: oauth.Request{Title: "send the-secret-of-web"}, Err: errors.New("refused the-secret-of-web")}
	if asked, answered := exchangeLines(lost, r); !strings.Contains(asked, "# send [client_secret]") || !strings.Contains(answered, "no answer: refused [client_secret]") {
		t.Errorf("%q\n%q", asked, answered)
	}
}

func TestCheckShowsExchangesOnDemand(t *testing.T) {
	args := []string{"check", "--no-browser", "--only", "RFC6749-4.4-issues-token", "--out", ""}
	code, out, said := runs(t, append(args, "--verbose")...)
	if code != conforms || !strings.Contains(said, "# ask for a token with client credentials (service)\n    → 200, application/json") || !strings.Contains(out, "Conforms") {
		t.Errorf("exit code %d: %s%s", code, out, said)
	}
	if code, out, said := runs(t, append(args, "-q")...); code != conforms || out+said != "" {
		t.Errorf("quiet: exit code %d: %s%s", code, out, said)
	}
	if code, out, _ := runs(t, append(args, "-q", "--json")...); code != conforms || !strings.HasPrefix(out, "{") {
		t.Errorf("quiet, as JSON: exit code %d: %s", code, out)
	}
}
