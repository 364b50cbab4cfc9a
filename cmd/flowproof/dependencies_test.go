package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const dependenciesPage = "../../testdata/dependencies.md"

// reasons justify each module that go.mod asks for; what those bring along needs no reason of its own.
func reasons() map[string]string {
	return map[string]string{
		"github.com/HdrHistogram/hdrhistogram-go":  "latency histograms that are exact to three digits, merge, and other tools read",
		"github.com/agnivade/levenshtein":          "the known name that was meant by a misspelt requirement or fault",
		"github.com/andybalholm/cascadia":          "the CSS selectors of sign-in recipes, where no browser reads them",
		"github.com/chromedp/cdproto":              "the types of the protocol by which Chromium is driven",
		"github.com/chromedp/chromedp":             "starts Chromium and speaks that protocol, with no driver beside the browser",
		"github.com/go-jose/go-jose/v4":            "verifies signed tokens and reads key sets; cryptography is not for us to write",
		"github.com/goccy/go-yaml":                 "a YAML syntax tree with places, so that a mistake is told with line and column",
		"github.com/invopop/jsonschema":            "makes the JSON Schemas of the files from the structs that read them",
		"github.com/nats-io/nats-server/v2":        "the bus in this process, to try many agents with nothing else installed",
		"github.com/nats-io/nats.go":               "finds the agents of a load, carries the words between them and keeps what they counted",
		"github.com/nats-io/jwt/v2":                "the credentials of a bus, in the tests",
		"github.com/nats-io/nkeys":                 "the key that keeps others from that bus",
		"github.com/mattn/go-runewidth":            "how many places of a terminal a text takes",
		"github.com/onsi/ginkgo/v2":                "the specs, their labels and filters",
		"github.com/onsi/gomega":                   "the matchers of the specs",
		"github.com/pquerna/otp":                   "one-time passwords for sign-ins with a second factor",
		"github.com/rogpeppe/go-internal":          "testscript: the command line is tested as people type it",
		"github.com/santhosh-tekuri/jsonschema/v6": "holds what is written to the schemas that are shipped",
		"github.com/spf13/cobra":                   "the command line, with help and completion",
		"github.com/valyala/fasthttp":              "reads unusual HTTP/1.1 answers in the load engine without garbage",
		"github.com/vbauerster/mpb/v8":             "progress on a terminal",
		"github.com/yuin/goldmark":                 "renders Markdown in tests, to see what a reader of the summary sees",
		"go.uber.org/goleak":                       "finds goroutines that a test left behind",
		"golang.org/x/net":                         "the HTML parser and HTTP/2 frames",
		"golang.org/x/sys":                         "memory maps and precise sleep",
		"golang.org/x/term":                        "whether a stream is a terminal",
	}
}

// licences are those that may be among the dependencies, each with words that only it has, the telling ones first.
var licences = [...]struct{ name, words string }{
	{"Apache-2.0", "Apache License Version 2.0"},
	{"Unlicense", "This is free and unencumbered software released into the public domain"},
	{"BSD-3-Clause", "Neither the name of"},
	{"BSD-3-Clause", "name of the copyright holder nor the names of its contributors"},
	{"BSD-2-Clause", "Redistributions in binary form must reproduce the above copyright notice"},
	{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"ISC", "Permission to use, copy, modify, and/or distribute this software for any purpose"},
}

type module struct {
	version, folder  string
	direct, inBinary bool
}

// modules are those that the command, and then those that the tests need, too.
func modules(t *testing.T) map[string]module {
	t.Helper()
	out := map[string]module{}
	for _, args := range [][]string{{"-test", "flowproof/..."}, {"flowproof/cmd/flowproof"}} {
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}\t{{not .Indirect}}{{end}}{{end}}"}, args...)...)
		cmd.Dir, cmd.Env = "../..", append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
		text, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 4 {
				out[f[0]] = module{f[1], f[2], f[3] == "true", args[0] != "-test"}
			}
		}
	}
	return out
}

// licence reads what the module's author wrote, and is empty when it is none that may be there.
func licence(m module) string {
	for _, pattern := range []string{"LICEN[CS]E*", "Licen[cs]e*", "COPYING*", "UNLICENSE*"} {
		files, _ := filepath.Glob(filepath.Join(m.folder, pattern))
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			words := strings.Join(strings.Fields(strings.ReplaceAll(string(text), ">", " ")), " ") // one is quoted
			for _, l := range licences {
				if strings.Contains(words, l.words) {
					return l.name
				}
			}
		}
	}
	return ""
}

// TestDependencies holds the table of the dependencies to go.mod: each has a reason and a licence that may be there.
func TestDependencies(t *testing.T) {
	all, why := modules(t), reasons()
	var page bytes.Buffer
	fmt.Fprint(&page, "# What flowproof is made of\n\nGenerated by `make licenses` out of go.mod and the modules' own licence files.\n")
	for _, part := range []struct {
		title  string
		direct bool
	}{{"Asked for", true}, {"Brought along", false}} {
		fmt.Fprintf(&page, "\n## %s\n\n| module | version | licence | in the binary |", part.title)
		if part.direct {
			fmt.Fprint(&page, " why |\n|---|---|---|---|---|\n")
		} else {
			fmt.Fprint(&page, "\n|---|---|---|---|\n")
		}
		for _, path := range slices.Sorted(maps.Keys(all)) {
			m := all[path]
			if m.direct != part.direct {
				continue
			}
			terms := licence(m)
			if terms == "" {
				t.Errorf("%s %s has no licence that may be among the dependencies", path, m.version)
			}
			fmt.Fprintf(&page, "| `%s` | %s | %s | %s |", path, m.version, terms, map[bool]string{true: "yes", false: "no"}[m.inBinary])
			if part.direct {
				if why[path] == "" {
					t.Errorf("%s is asked for without a reason", path)
				}
				fmt.Fprintf(&page, " %s |", why[path])
				delete(why, path)
			}
			fmt.Fprintln(&page)
		}
	}
	for path := range why {
		t.Errorf("there is a reason for %s, and no such dependency", path)
	}
	if *update {
		if err := os.WriteFile(dependenciesPage, page.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(dependenciesPage)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written, page.Bytes()) {
		t.Error("testdata/dependencies.md is not what go.mod says now; run: make licenses")
	}
}
