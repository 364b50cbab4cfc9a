package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"flowproof/reports"
)

// history makes one page of the records below a folder; it goes into the folder unless another one is named.
func history(c console, folder, out string) error {
	if out == "" {
		out = folder
	}
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return misused("--history %s: there is no such folder; name the one that the records are in", folder)
	}
	if err := mayWrite(out); err != nil {
		return err
	}
	entries, notices, err := records(folder, out)
	if err != nil {
		return unable("%w", err)
	}
	if len(entries) == 0 {
		return misused("--history %s: there is no record of a check or of a load run in it; keep the check.json and load.json of your runs there", folder)
	}
	path := filepath.Join(out, "history.html")
	if err := reports.WriteFile(path, func(w io.Writer) error { return reports.History(w, entries, notices) }); err != nil {
		return unable("%w", err)
	}
	for _, n := range notices {
		c.say("%s", n)
	}
	fmt.Fprintf(c.out, "%s: %d records\n", path, len(entries))
	return nil
}

// records reads those below the folder. Files that are no records are told once, all together.
func records(folder, out string) (entries []reports.Entry, notices []string, err error) {
	var others []string
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		record, err := reports.Read(path)
		switch {
		case err != nil:
			if inside, err := filepath.Rel(folder, path); err == nil {
				others = append(others, inside)
			}
			return nil
		case record.Comparison != nil:
			return nil
		}
		link, err := linkTo(path, out)
		if err != nil {
			return err
		}
		entries = append(entries, reports.Entry{Record: record, Link: link})
		return nil
	})
	if len(others) > 0 {
		notices = append(notices, "Left out, being no records that this flowproof reads: "+strings.Join(others[:min(len(others), 10)], ", ")+more(len(others)-10)+".")
	}
	return entries, notices, err
}

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d others", n)
}

// linkTo is the way from the page to the record's own page, or to the record where there is none.
func linkTo(record, out string) (string, error) {
	if page := strings.TrimSuffix(record, ".json") + ".html"; exists(page) {
		record = page
	}
	from, err := filepath.Abs(out)
	if err != nil {
		return "", fmt.Errorf("link to %s: %w", record, err)
	}
	to, err := filepath.Abs(record)
	if err != nil {
		return "", fmt.Errorf("link to %s: %w", record, err)
	}
	way, err := filepath.Rel(from, to)
	if err != nil {
		return "", fmt.Errorf("link to %s: %w", record, err)
	}
	return filepath.ToSlash(way), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
