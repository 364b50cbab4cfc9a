package reports

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file of testdata/golden, or rewrites the file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (make it with -update)", err)
	}
	if bytes.Equal(got, want) {
		return
	}
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Fatalf("%s, line %d:\n got %s\nwant %s\n(rewrite with -update)", path, i+1, gotLines[i], wantLines[i])
		}
	}
	t.Fatalf("%s: got %d lines, want %d (rewrite with -update)", path, len(gotLines), len(wantLines))
}

func render(t *testing.T, format string, r Record) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Render(format, &out, r); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func formatsFor(r Record) []Format {
	return slices.DeleteFunc(Formats(), func(f Format) bool { return !f.For(r.Kind()) })
}

func TestEveryFormatIsByteStableAndAsCommitted(t *testing.T) {
	for name, record := range samples() {
		for _, f := range formatsFor(record) {
			t.Run(name+f.Extension, func(t *testing.T) {
				got := render(t, f.Name, record)
				for range 2 {
					if !bytes.Equal(got, render(t, f.Name, record)) {
						t.Fatal("two renderings differ")
					}
				}
				golden(t, name+f.Extension, got)
			})
		}
	}
}

func TestNoFormatLetsHostileCharactersThrough(t *testing.T) {
	for name, record := range hostileSamples() {
		for _, f := range formatsFor(record) {
			text := render(t, f.Name, record)
			if !utf8.Valid(text) {
				t.Errorf("%s of %s is not UTF-8", f.Name, name)
			}
			if i := bytes.IndexFunc(text, func(r rune) bool {
				return r != '\n' && (hidden(r) || unicode.Is(unicode.Bidi_Control, r))
			}); i >= 0 {
				r, _ := utf8.DecodeRune(text[i:])
				t.Errorf("%s of %s holds %U at %d: %q", f.Name, name, r, i, text[max(0, i-30):min(len(text), i+30)])
			}
		}
	}
}

func TestColourIsOursAlone(t *testing.T) {
	for name, record := range samples() {
		var plain, coloured bytes.Buffer
		record.Summary(&plain, false)
		record.Summary(&coloured, true)
		text := coloured.String()
		for _, code := range []string{"0", "1", "2", "1;31", "31", "32", "33", "35", "36"} {
			text = strings.ReplaceAll(text, "\x1b["+code+"m", "")
		}
		if text != plain.String() {
			t.Errorf("%s: the coloured summary differs from the plain one by more than its colours", name)
		}
	}
}

func TestUnknownFormatIsRefusedWithTheKnownOnes(t *testing.T) {
	err := Render("pdf", io.Discard, samples()["load"])
	if err == nil || !strings.Contains(err.Error(), "csv, hgrm, html, json, junit") {
		t.Errorf("got %v", err)
	}
	for _, f := range Formats() {
		if err := Render(f.Name, io.Discard, Record{}); err == nil {
			t.Errorf("%s renders nothing without a word", f.Name)
		}
	}
}

func TestJUnitAddsUpAndNamesAreUnique(t *testing.T) {
	for name, record := range hostileSamples() {
		if record.Comparison != nil {
			continue
		}
		text := render(t, "junit", record)
		var doc junitSuites
		if err := xml.Unmarshal(text, &doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		seen := map[string]bool{}
		var total junitSuites
		for _, s := range doc.Suites {
			var sums junitSuite
			for _, c := range s.Cases {
				if id := c.ClassName + "." + c.Name; seen[id] {
					t.Errorf("%s: %s occurs twice", name, id)
				} else {
					seen[id] = true
				}
				if strings.Count(c.ClassName, ".") != 1 {
					t.Errorf("%s: class %q is not flowproof.<section>", name, c.ClassName)
				}
				sums.add(c, 0)
			}
			if sums.Tests != s.Tests || sums.Failures != s.Failures || sums.Errors != s.Errors || sums.Skipped != s.Skipped {
				t.Errorf("%s: suite %s says %d/%d/%d/%d and holds %d/%d/%d/%d", name, s.Name, s.Tests, s.Failures, s.Errors, s.Skipped, sums.Tests, sums.Failures, sums.Errors, sums.Skipped)
			}
			total.Tests += s.Tests
			total.Failures += s.Failures
			total.Errors += s.Errors
		}
		if total.Tests != doc.Tests || total.Failures != doc.Failures || total.Errors != doc.Errors {
			t.Errorf("%s: the sums are wrong", name)
		}
		if red, code := doc.Failures+doc.Errors > 0, record.ExitCode(false); red != (code != 0) {
			t.Errorf("%s: JUnit is red: %v; exit code %d", name, red, code)
		}
		dec := xml.NewDecoder(bytes.NewReader(text))
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}
