package reports

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// textWidth is where running text breaks.
const textWidth = 100

// A text gathers lines for a terminal or a log.
type text struct {
	bytes.Buffer
	color bool
}

// command is what CI servers take for a command to them in a log: GitHub a line that begins with ::, it and others
// ##name[ anywhere.
var command = regexp.MustCompile(`(?m)^([ \t]*:)(:)|(#)(#[A-Za-z]*\[)`)

// send writes what was gathered; nothing in it is a command.
func (t *text) send(w io.Writer) {
	_, _ = w.Write(command.ReplaceAll(t.Bytes(), []byte("$1$3 $2$4")))
}

func (t *text) linef(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

func (t *text) gap() { t.WriteByte('\n') }

// paint colours s when colours are wanted.
func (t *text) paint(code, s string) string {
	if !t.color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *text) bold(s string) string { return t.paint("1", s) }
func (t *text) dim(s string) string  { return t.paint("2", s) }

func (t *text) verdict(v Verdict, s string) string {
	switch v {
	case Fail:
		return t.paint("1;31", s)
	case Warn:
		return t.paint("33", s)
	case Inconclusive:
		return t.paint("35", s)
	case Note:
		return t.paint("36", s)
	case Pass:
		return t.paint("32", s)
	}
	return t.dim(s)
}

// mark is the verdict's shape.
func (v Verdict) mark() string {
	switch v {
	case Fail:
		return "✗"
	case Warn:
		return "!"
	case Inconclusive:
		return "?"
	case Note:
		return "i"
	case Pass:
		return "✓"
	}
	return "–"
}

// labelled writes a label and its text, broken at textWidth and hanging under its first line.
func (t *text) labelled(indent int, label string, width int, s string) {
	for _, l := range wrap(s, textWidth-indent-width) {
		t.linef("%s%s%s%s", spaces(indent), t.dim(label), spaces(width-utf8.RuneCountInString(label)), l)
		label = ""
	}
}

// wrap breaks text at spaces so that no line is longer than width, and within a word that is.
func wrap(s string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		runes := []rune(word)
		for ; len(runes) > width; runes = runes[width:] {
			lines = append(lines, string(runes[:width]))
		}
		line = string(runes)
	}
	return append(lines, line)
}

func spaces(n int) string { return strings.Repeat(" ", max(0, n)) }

// A grid is a table of text: the first column to the left, the others to the right.
type grid struct {
	rows  [][]string
	style func(row, column int, s string) string
}

func (g grid) writeTo(t *text) {
	var widths []int
	for _, row := range g.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for r, row := range g.rows {
		line := ""
		for i, cell := range row {
			gap := spaces(widths[i] - utf8.RuneCountInString(cell))
			cell = g.style(r, i, cell)
			if i == 0 {
				line += cell + gap
			} else {
				line += "  " + gap + cell
			}
		}
		t.linef("%s", strings.TrimRight(line, " "))
	}
}

// joined joins the parts that are not empty.
func joined(separator string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, separator)
}
