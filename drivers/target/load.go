package target

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A Lookup is where the file's references lead: os.LookupEnv and os.ReadFile, or stand-ins.
type Lookup struct {
	Env  func(name string) (string, bool)
	File func(path string) ([]byte, error) // paths of the target file are taken from its folder first
}

const maxFile = 1 << 20

// Load reads and checks a target file. Its error is a *Mistakes when the file can be read but is wrong.
func Load(path string, l Lookup) (Target, error) {
	if l.File == nil {
		return Target{}, errors.New("target: read the file: no way to read files was given")
	}
	raw, err := l.File(path)
	if err != nil {
		return Target{}, fmt.Errorf("target: read the file: %w", err)
	}
	return Parse(path, raw, l)
}

// Parse is Load of bytes; name stands in the mistakes, and its folder is where relative paths start.
func Parse(name string, raw []byte, l Lookup) (Target, error) {
	r := reader{file: name, folder: filepath.Dir(name), lookup: l}
	if len(raw) > maxFile {
		return Target{}, &Mistakes{[]Mistake{{name, 1, 1, "the file is larger than 1 MiB", "a target file has some hundred lines"}}}
	}
	root, mistake := parse(raw)
	if mistake != nil {
		mistake.File = name
		return Target{}, &Mistakes{[]Mistake{*mistake}}
	}
	t := r.target(root)
	if len(r.mistakes.List) > 0 {
		r.mistakes.Sort()
		return Target{}, &r.mistakes
	}
	return t, nil
}

func parse(raw []byte) (ast.Node, *Mistake) {
	return Document(raw, "write at least name, url, profile and clients")
}

// Document reads bytes as one YAML document, for a strict reader to walk; least says what an empty file lacks.
func Document(raw []byte, least string) (_ ast.Node, m *Mistake) {
	// The library is not proof against every sequence of bytes, and a file is only bytes.
	defer func() {
		if recover() != nil {
			m = &Mistake{Line: 1, Column: 1, What: "the file is no YAML that can be read"}
		}
	}()
	f, err := parser.ParseBytes(raw, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		m = &Mistake{Line: 1, Column: 1, What: "the file is no YAML: " + err.Error()}
		if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
			m.What = "the file is no YAML: " + syntax.Message
			if at := syntax.Token; at != nil && at.Position != nil {
				m.Line, m.Column = max(at.Position.Line, 1), max(at.Position.Column, 1)
			}
		}
		// A message may quote the text around, and that may be a secret that stands there wrongly.
		m.What, _, _ = strings.Cut(m.What, "\n")
		return nil, m
	}
	var docs []*ast.DocumentNode
	for _, d := range f.Docs {
		if d.Body != nil {
			docs = append(docs, d)
		}
	}
	switch len(docs) {
	case 0:
		return nil, &Mistake{Line: 1, Column: 1, What: "the file is empty", Mend: least}
	case 1:
		return docs[0].Body, nil
	}
	second := position(docs[1].Body)
	return nil, &Mistake{Line: second.line, Column: second.column, What: "the file holds a second document", Mend: "write each into a file of its own"}
}
