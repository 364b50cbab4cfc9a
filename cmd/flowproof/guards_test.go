package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"flowproof/drivers/strict"
)

// Take the guards away by hand: make guards.
var (
	removing = flag.Bool("remove", false, "whether TestGuards takes each guard away and looks whether its test fails")
	which    = flag.String("guard", "", "a pattern: those alone whose file, test or trouble it matches")
)

const (
	guardsList = "testdata/guards.yaml"
	guardsRoot = "../.."
)

// A guardClass is what keeps one class of trouble away.
type guardClass struct {
	Class  string  `json:"class" jsonschema:"required"`
	Guards []guard `json:"guards" jsonschema:"required,minItems=1"`
}

// A guard is a text in a file that keeps a trouble away, and a test that fails without it.
type guard struct {
	Trouble string   `json:"trouble" jsonschema:"required"`
	File    string   `json:"file" jsonschema:"required"`
	Remove  string   `json:"remove" jsonschema:"required"`
	With    string   `json:"with" strict:"empty"`
	Package string   `json:"package" jsonschema:"required"`
	Test    string   `json:"test" jsonschema:"required"`
	Args    []string `json:"args"`
	Hangs   bool     `json:"hangs"` // without the guard the test has no end
}

// readGuards reads the list.
func readGuards(t *testing.T) (all []guard) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(guardsRoot, guardsList))
	if err != nil {
		t.Fatal(err)
	}
	var classes []guardClass
	if err := strict.Read(guardsList, strict.Form{Called: "the list of guards", Least: "write classes of them"}, text, &classes).Mistakes.Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range classes {
		all = append(all, c.Guards...)
	}
	return all
}

// removed is the file without the guard. What blanks stand between the words of the text does not matter.
func (g guard) removed() (text []byte, err error) {
	text, err = os.ReadFile(filepath.Join(guardsRoot, g.File))
	if err != nil {
		return nil, err
	}
	words := strings.Fields(g.Remove)
	for i, word := range words {
		words[i] = regexp.QuoteMeta(word)
	}
	at := regexp.MustCompile(strings.Join(words, `\s+`)).FindAllIndex(text, -1)
	if len(at) != 1 {
		return nil, fmt.Errorf("%s holds it %d times:\n%s", g.File, len(at), g.Remove)
	}
	text = slices.Concat(text[:at[0][0]], []byte(strings.TrimSpace(g.With)), text[at[0][1]:])
	if strings.HasSuffix(g.File, ".go") {
		_, err = parser.ParseFile(token.NewFileSet(), g.File, text, parser.SkipObjectResolution)
	}
	return text, err
}

// function is the name of the test's function.
func (g guard) function() string {
	name, _, _ := strings.Cut(g.Test, "/")
	return name
}

// pattern is what -run takes.
func (g guard) pattern() string {
	return strings.Replace(g.Test, g.function(), "^"+g.function()+"$", 1)
}

// TestGuards holds the list of the guards to the code: each stands there once, and so does the test that is to fail
// without it. With -args -remove it takes them away, one after the other, and each test has to fail.
func TestGuards(t *testing.T) {
	all := readGuards(t)
	seen := map[string]bool{}
	for _, g := range all {
		for _, one := range []string{g.Trouble, g.File + g.Remove + g.With} {
			if seen[one] {
				t.Errorf("%s: it is there twice: %.200s", g.Trouble, one)
			}
			seen[one] = true
		}
		if _, err := g.removed(); err != nil {
			t.Errorf("%s %v", g.Trouble, err)
		}
		if !g.hasTest(t) {
			t.Errorf("%s %s has no %s", g.Trouble, g.Package, g.function())
		}
	}
	if *removing && !t.Failed() {
		play(t, all)
	}
}

func (g guard) hasTest(t *testing.T) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(guardsRoot, g.Package, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+g.function()+"(t *testing.T) {") {
			return true
		}
	}
	return false
}

// play takes the guards away.
func play(t *testing.T, all []guard) {
	wanted, err := regexp.Compile(*which)
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(g guard) bool {
		return !wanted.MatchString(g.File) && !wanted.MatchString(g.Test) && !wanted.MatchString(g.Trouble)
	})
	c := controls{folder: t.TempDir(), built: map[string]string{}, took: map[string]time.Duration{}}
	caught, survived, broken := 0, 0, 0
	for _, g := range all {
		began := time.Now()
		outcome, said := "", ""
		if took, err := c.passes(t, g); err != nil {
			outcome, said = "broken", err.Error()
		} else {
			outcome, said = g.without(t, took)
		}
		switch outcome {
		case "caught":
			caught++
		case "survived":
			survived++
		default:
			broken++
		}
		fmt.Printf("%-8s %6.1fs  %s\n%s", outcome, time.Since(began).Seconds(), g.Trouble, said)
	}
	fmt.Printf("guards %d; caught %d; survived %d; broken %d\n", len(all), caught, survived, broken)
	if survived+broken > 0 {
		t.Fail()
	}
}

// controls are the tests as they run while all guards are there, each of them once.
type controls struct {
	folder string
	built  map[string]string        // the test binary of a package
	took   map[string]time.Duration // what a test took
}

// passes runs the test once while the guard is there.
func (c controls) passes(t *testing.T, g guard) (time.Duration, error) {
	t.Helper()
	key := strings.Join(append([]string{g.Package, g.Test}, g.Args...), " ")
	if took, ok := c.took[key]; ok {
		return took, nil
	}
	if c.built[g.Package] == "" {
		binary := filepath.Join(c.folder, fmt.Sprintf("%d.test", len(c.built)))
		build := exec.CommandContext(t.Context(), "go", "test", "-c", "-ldflags", quickly, "-o", binary, g.Package)
		build.Dir = guardsRoot
		if text, err := build.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("%w\n%s", err, text)
		}
		c.built[g.Package] = binary
	}
	began := time.Now()
	run := exec.CommandContext(t.Context(), c.built[g.Package], append([]string{"-test.v", "-test.timeout", patience.String(), "-test.run", g.pattern()}, g.Args...)...)
	run.Dir = filepath.Join(guardsRoot, g.Package)
	text, err := run.CombinedOutput()
	// A pattern that nothing matches passes, too.
	passed := regexp.MustCompile(`(?m)^\s*--- PASS: ` + g.function() + strings.Repeat(`/\S+`, strings.Count(g.Test, "/")))
	if err == nil && !passed.Match(text) {
		err = errors.New("no such test ran")
	}
	if err != nil {
		return 0, fmt.Errorf("with the guard: %w\n%s", err, end(text))
	}
	c.took[key] = time.Since(began)
	return c.took[key], nil
}

const (
	patience = 5 * time.Minute
	quickly  = "-s -w" // a test that is linked once for each guard needs no symbols
)

// without runs the test while the guard is not there. The file stays as it is: the compiler is handed another.
func (g guard) without(t *testing.T, took time.Duration) (outcome, said string) {
	t.Helper()
	folder := t.TempDir()
	text, err := g.removed()
	if err != nil {
		t.Fatal(err)
	}
	original, err := filepath.Abs(filepath.Join(guardsRoot, g.File))
	if err != nil {
		t.Fatal(err)
	}
	instead, overlay := filepath.Join(folder, "removed"+filepath.Ext(g.File)), filepath.Join(folder, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: instead}})
	if err = errors.Join(err, os.WriteFile(instead, text, 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		t.Fatal(err)
	}
	limit := patience
	if g.Hangs {
		limit = 10*time.Second + 2*took
	}
	args := []string{"test", "-overlay", overlay, "-vet", "off", "-ldflags", quickly, "-count", "1", "-timeout", limit.String(), "-run", g.pattern(), g.Package}
	if len(g.Args) > 0 {
		args = append(append(args, "-args"), g.Args...)
	}
	run := exec.CommandContext(t.Context(), "go", args...)
	run.Dir = guardsRoot
	answer, err := run.CombinedOutput()
	out := string(answer)
	switch timedOut := strings.Contains(out, "panic: test timed out after"); {
	case err == nil:
		return "survived", ""
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]") || strings.Contains(out, "\n# "):
		return "broken", end(answer)
	case timedOut && g.Hangs, !timedOut && strings.Contains(out, "--- FAIL: "+g.function()):
		return "caught", ""
	}
	return "broken", end(answer)
}

// end is the last that a test said.
func end(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n") + "\n"
}
