package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"flowproof/reports"
)

// A delivery says where a record goes.
type delivery struct {
	out, name    string
	formats      []string // none: the usual ones
	strict, json bool
}

// usualFormats are written where none are named.
func usualFormats() []string { return []string{"json", "junit", "html"} }

// writable refuses formats that there are not, or that are not for that kind of record.
func writable(formats []string, kind string) error {
	for _, name := range formats {
		f, err := reports.FormatNamed(name)
		if err != nil {
			return misused("--format: %w", err)
		}
		if !f.For(kind) {
			return misused("--format %s: there is no such form of this record; %s", name, f.About)
		}
	}
	return nil
}

// deliver writes the record and its renderings, prints the summary, and ends the verb.
func deliver(c console, r reports.Record, d delivery) error {
	var written []string
	if d.out != "" {
		if err := os.MkdirAll(d.out, 0o750); err != nil {
			return unable("make the folder of the reports: %w", err)
		}
		formats := d.formats
		if len(formats) == 0 {
			formats = usualFormats()
		}
		for _, format := range formats {
			path, err := render(r, format, d.out, d.name)
			if err != nil {
				return unable("%w", err)
			}
			written = append(written, path)
		}
	}
	if d.json {
		if err := reports.Render("json", c.out, r); err != nil {
			return unable("write the record to stdout: %w", err)
		}
	} else {
		r.Summary(c.summary(), c.color)
		if len(written) > 0 {
			fmt.Fprintf(c.summary(), "\nreports: %s\n", strings.Join(written, ", "))
		}
	}
	if r.Partial() == "interrupted" {
		return outcome{code: interrupt}
	}
	if code := r.ExitCode(d.strict); code != conforms {
		return outcome{code: code}
	}
	return nil
}

// render writes one rendering of the record and returns its path.
func render(r reports.Record, format, folder, name string) (string, error) {
	f, err := reports.FormatNamed(format)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, name+f.Extension)
	return path, reports.WriteFile(path, func(w io.Writer) error { return reports.Render(format, w, r) })
}

// mayWrite finds out before the run, not after it, that the reports cannot be written.
func mayWrite(folder string) error {
	if folder == "" {
		return nil
	}
	info, err := os.Stat(folder)
	if err == nil && !info.IsDir() {
		return misused("--out %s: this is a file; name a folder", folder)
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return misused("--out %s: %w", folder, err)
	}
	probe, err := os.CreateTemp(folder, ".flowproof-*")
	if err != nil {
		return misused("--out %s: the folder cannot be written to: %w", folder, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}
