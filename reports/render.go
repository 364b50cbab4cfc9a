package reports

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Format is a way to render a record.
type Format struct {
	Name      string // as the command line takes it
	Extension string // of the file, with its dot
	About     string // what it is for
	render    func(io.Writer, Record) error
	kinds     []string // the records that it is for; none: all
}

// Formats lists the formats by name.
func Formats() []Format {
	const check, load = "conformance", "load"
	return []Format{
		{"csv", ".csv", "a load run second by second, for spreadsheets", CSV, []string{load}},
		{"hgrm", ".hgrm", "the latency spectrum of a load run, for HdrHistogram's plotters", HGRM, []string{load}},
		{"html", ".html", "one page for people, without network", HTML, nil},
		{"json", ".json", "the record itself", encode, nil},
		{"junit", ".xml", "JUnit XML for CI servers", JUnit, []string{check, load}},
		{"markdown", ".md", "the summary of a CI job", Markdown, nil},
		{"openmetrics", ".metrics.txt", "the final figures for collectors and merge requests", OpenMetrics, []string{check, load}},
		{"sarif", ".sarif", "SARIF 2.1.0 for code scanning", SARIF, []string{check}},
		{"teamcity", ".teamcity.txt", "TeamCity service messages", TeamCity, []string{check, load}},
		{"text", ".txt", "the summary", func(w io.Writer, r Record) error { r.Summary(w, false); return nil }, nil},
	}
}

// For says whether the format is one for that kind of record.
func (f Format) For(kind string) bool { return len(f.kinds) == 0 || slices.Contains(f.kinds, kind) }

// FormatNamed finds a format; the error names those that there are.
func FormatNamed(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("reports: there is no format %q; choose one of %s", name, strings.Join(names, ", "))
}

// errNotOf refuses a record that the format has no form for.
func errNotOf(format string, r Record, what string) error {
	if r.Kind() == "" {
		return errors.New("reports: there is no record to render")
	}
	return fmt.Errorf("reports: %s is a format for the record of %s, and this is the record of a %s", format, what, r.Kind())
}

// Render writes the record in the format of that name.
func Render(format string, w io.Writer, r Record) error {
	f, err := FormatNamed(format)
	if err != nil {
		return err
	}
	if r.Kind() == "" {
		return errors.New("reports: there is no record to render")
	}
	return f.render(w, r)
}
