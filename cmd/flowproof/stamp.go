package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"flowproof/reports"
)

// stamp writes into the record what makes it comparable, and where its findings lie in the target file.
func stamp(record *reports.Conformance, file string) {
	record.Catalogue = reports.CatalogueVersion()
	machine := thisMachine()
	record.Machine = &machine
	if began, err := time.Parse(time.RFC3339, record.Started); err == nil {
		record.Ended = began.Add(time.Duration(record.DurationMS) * time.Millisecond).UTC().Format(time.RFC3339)
	}
	if file != "" {
		record.Target.File, record.Target.Lines = shownPath(file), clientLines(file)
	}
}

func thisMachine() reports.Machine {
	return reports.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), CPU: processor("/proc/cpuinfo"), Go: runtime.Version()}
}

// processor is the model of the first processor, where the system tells it.
func processor(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.Join(strings.Fields(value), " ")
		}
	}
	return ""
}

// shownPath is a path as code hosts know it: from the working folder, with slashes. Of a file elsewhere only the
// name is told.
func shownPath(file string) string {
	if filepath.IsAbs(file) {
		here, err := os.Getwd()
		if err != nil {
			return filepath.Base(file)
		}
		if file, err = filepath.Rel(here, file); err != nil {
			return filepath.Base(file)
		}
	}
	file = filepath.ToSlash(filepath.Clean(file))
	if file == ".." || strings.HasPrefix(file, "../") {
		return filepath.Base(file)
	}
	return file
}

// clientLines tells where each client begins in a target file that has been read before.
func clientLines(file string) map[string]int {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	f, err := parser.ParseBytes(raw, 0)
	if err != nil || len(f.Docs) == 0 {
		return nil
	}
	var lines map[string]int
	for _, top := range pairs(f.Docs[0].Body) {
		if top.Key.GetToken().Value != "clients" {
			continue
		}
		for _, client := range pairs(top.Value) {
			if lines == nil {
				lines = map[string]int{}
			}
			lines[client.Key.GetToken().Value] = client.Key.GetToken().Position.Line
		}
	}
	return lines
}

func pairs(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}
