package reports

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"flowproof/suites/catalogue"
)

const maxWaiversFile = 1 << 20

// ReadWaivers reads a waivers file. What is wrong with it is told all at once, each mistake with its
// file:line:column and its mend.
func ReadWaivers(path string) ([]Waiver, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reports: read the waivers %s: there is no such file; flowproof schema waivers shows its form: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("reports: read the waivers: %w", err)
	}
	return parseWaivers(path, raw)
}

func parseWaivers(file string, raw []byte) ([]Waiver, error) {
	r := waiversReader{file: file}
	waivers := r.read(raw)
	if len(r.mistakes) == 0 {
		return waivers, nil
	}
	slices.SortStableFunc(r.mistakes, func(a, b waiversMistake) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	lines := make([]string, len(r.mistakes))
	for i, m := range r.mistakes {
		lines[i] = m.text
	}
	return nil, errors.New(strings.Join(lines, "\n"))
}

// A waiversMistake is one thing in the file that cannot be, with its place.
type waiversMistake struct {
	line, column int
	text         string
}

// A waiversReader walks the file and gathers every mistake on its way.
type waiversReader struct {
	file     string
	mistakes []waiversMistake
}

func (r *waiversReader) mistake(at ast.Node, mend, what string, args ...any) {
	line, column := 1, 1
	if pair, ok := at.(*ast.MappingValueNode); ok {
		at = pair.Key // its own token is the colon
	}
	if at != nil && at.GetToken() != nil && at.GetToken().Position != nil {
		line, column = max(at.GetToken().Position.Line, 1), max(at.GetToken().Position.Column, 1)
	}
	r.mistakeAt(line, column, mend, fmt.Sprintf(what, args...))
}

func (r *waiversReader) mistakeAt(line, column int, mend, what string) {
	text := fmt.Sprintf("%s:%d:%d: %s", r.file, line, column, oneLine(what))
	if mend != "" {
		text += "; " + mend
	}
	r.mistakes = append(r.mistakes, waiversMistake{line, column, text})
}

const waiversMend = "write waivers: and under it a list of requirement, reason, owner and until"

func (r *waiversReader) read(raw []byte) []Waiver {
	root := r.parse(raw)
	if root == nil {
		return nil
	}
	var out []Waiver
	found := false
	for _, pair := range r.pairs(root, "the file", []string{"waivers"}) {
		found = true
		list, ok := pair.Value.(*ast.SequenceNode)
		if !ok {
			r.mistake(pair, "write each with a dash: - requirement: …", "waivers has to be a list")
			continue
		}
		for _, item := range list.Values {
			out = append(out, r.waiver(item, out))
		}
	}
	if !found && len(r.mistakes) == 0 {
		r.mistake(root, waiversMend, "waivers is missing")
	}
	return out
}

func (r *waiversReader) parse(raw []byte) (root ast.Node) {
	// The library is not proof against every sequence of bytes, and a file is only bytes.
	defer func() {
		if recover() != nil {
			root = nil
			r.mistakeAt(1, 1, "", "the file is no YAML that can be read")
		}
	}()
	if len(raw) > maxWaiversFile || !utf8.Valid(raw) {
		r.mistakeAt(1, 1, "a waivers file is UTF-8 text below 1 MiB", "the file is too large, or no text")
		return nil
	}
	f, err := parser.ParseBytes(raw, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, column, what := 1, 1, err.Error()
		if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
			what = syntax.Message
			if syntax.Token != nil && syntax.Token.Position != nil {
				line, column = max(syntax.Token.Position.Line, 1), max(syntax.Token.Position.Column, 1)
			}
		}
		what, _, _ = strings.Cut(what, "\n")
		r.mistakeAt(line, column, "", "the file is no YAML: "+what)
		return nil
	}
	for _, d := range f.Docs {
		switch {
		case d.Body == nil:
		case root != nil:
			r.mistake(d.Body, "put all waivers into one list", "the file holds a second document")
		default:
			root = d.Body
		}
	}
	if root == nil {
		r.mistakeAt(1, 1, waiversMend, "the file is empty")
	}
	return root
}

// pairs are the keys of a mapping that are known, each once.
func (r *waiversReader) pairs(n ast.Node, what string, known []string) []*ast.MappingValueNode {
	var all, out []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		all = n.Values
	case *ast.MappingValueNode:
		all = []*ast.MappingValueNode{n}
	default:
		r.mistake(n, "write key: value pairs", "%s has to be a mapping", what)
		return nil
	}
	seen := map[string]bool{}
	for _, pair := range all {
		key := pair.Key.GetToken().Value
		switch {
		case !slices.Contains(known, key):
			r.mistake(pair, meantKey(key, known), "unknown key %q in %s", key, what)
		case seen[key]:
			r.mistake(pair, "keep one of the two", "%s is there twice in %s", key, what)
		default:
			seen[key] = true
			out = append(out, pair)
		}
	}
	return out
}

func meantKey(key string, known []string) string {
	for _, k := range known {
		if levenshtein.ComputeDistance(strings.ToLower(key), k) <= 1+len(k)/4 {
			return "did you mean " + k + "?"
		}
	}
	return "known keys are " + strings.Join(known, ", ")
}

func (r *waiversReader) waiver(n ast.Node, before []Waiver) Waiver {
	var w Waiver
	mistakes := len(r.mistakes)
	into := map[string]*string{"requirement": &w.Requirement, "variant": &w.Variant, "reason": &w.Reason, "owner": &w.Owner, "until": &w.Until}
	at := map[string]ast.Node{}
	for _, pair := range r.pairs(n, "a waiver", []string{"requirement", "variant", "reason", "owner", "until"}) {
		key := pair.Key.GetToken().Value
		at[key] = pair.Value
		switch v := pair.Value.(type) {
		case *ast.StringNode:
			*into[key] = strings.TrimSpace(v.Value)
		case *ast.LiteralNode:
			*into[key] = strings.TrimSpace(v.Value.Value)
		default:
			r.mistake(pair.Value, "put it in quotes", "%s has to be text", key)
			continue
		}
		if *into[key] == "" {
			r.mistake(pair, "", "%s is empty", key)
		}
	}
	if _, isMap := n.(ast.MapNode); !isMap {
		return w
	}
	for _, needed := range [][2]string{
		{"requirement", "write requirement: and an id (see: flowproof list requirements)"}, {"reason", "say why it is accepted"},
		{"owner", "say who answers for it"}, {"until", "write its last day, as in until: 2026-12-31"},
	} {
		if at[needed[0]] == nil && len(r.mistakes) == mistakes {
			r.mistake(first(n), needed[1], "%s is missing in a waiver", needed[0])
		}
	}
	if at["requirement"] != nil && w.Requirement != "" {
		if _, known := catalogue.ByID(w.Requirement); !known {
			mend := "see: flowproof list requirements"
			if near := catalogue.Nearest(w.Requirement); len(near) > 0 {
				mend = "did you mean " + strings.Join(near, " or ") + "?"
			}
			r.mistake(at["requirement"], mend, "there is no requirement %q", w.Requirement)
		}
	}
	if day, err := time.Parse(time.DateOnly, w.Until); at["until"] != nil && w.Until != "" && (err != nil || day.Year() < 2000) {
		r.mistake(at["until"], "write the last day as in 2026-12-31", "until: %q is no date", w.Until)
	}
	for _, b := range before {
		if w.Requirement != "" && b.Requirement == w.Requirement && b.Variant == w.Variant {
			r.mistake(first(n), "keep one of the two", "%s is waived twice", w.subject())
		}
	}
	return w
}

// first is where a mapping begins.
func first(n ast.Node) ast.Node {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key
	}
	return n
}
