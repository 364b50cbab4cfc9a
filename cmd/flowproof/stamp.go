package main

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"flowproof/drivers/target"
	"flowproof/reports"
)

// stamp writes into the record what makes it comparable, and where its findings lie in the target file, if there
// is one.
func stamp(record *reports.Conformance, t target.Target, file string) {
	record.Catalogue = reports.CatalogueVersion()
	machine := reports.ThisMachine()
	record.Machine = &machine
	if began, err := time.Parse(time.RFC3339, record.Started); err == nil {
		record.Ended = began.Add(time.Duration(record.DurationMS) * time.Millisecond).UTC().Format(time.RFC3339)
	}
	if file != "" {
		record.Target.File, record.Target.Lines = shownPath(file), map[string]int{}
		for _, c := range t.Clients {
			record.Target.Lines[c.Name] = c.Line
		}
	}
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
