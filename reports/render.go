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
}

// Formats lists the formats by name.
func Formats() []Format {
	return []Format{
		{"html", ".html", "one page for people, without network", HTML},
		{"json", ".json", "the record itself", encode},
		{"junit", ".xml", "JUnit XML for CI servers", JUnit},
		{"text", ".txt", "the summary", func(w io.Writer, r Record) error { r.Summary(w, false); return nil }},
	}
}

// Render writes the record in the format of that name.
func Render(format string, w io.Writer, r Record) error {
	formats := Formats()
	i := slices.IndexFunc(formats, func(f Format) bool { return f.Name == format })
	if i < 0 {
		var names []string
		for _, f := range formats {
			names = append(names, f.Name)
		}
		return fmt.Errorf("reports: there is no format %q; choose one of %s", format, strings.Join(names, ", "))
	}
	if r.Kind() == "" {
		return errors.New("reports: there is no record to render")
	}
	return formats[i].render(w, r)
}
