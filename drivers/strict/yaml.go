package strict

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// document is the one document of the file, or nil and a mistake.
func (f *File) document(raw []byte) (root ast.Node) {
	start := place{1, 1}
	if len(raw) > maxFile {
		f.mistake(start, "", "", "the file is larger than 1 MiB")
		return nil
	}
	if !utf8.Valid(raw) {
		f.mistake(start, "", "write it in UTF-8", "the file is no text")
		return nil
	}
	if i := bytes.IndexFunc(raw, control); i >= 0 {
		at := place{1 + bytes.Count(raw[:i], []byte("\n")), i - bytes.LastIndexByte(raw[:i], '\n')}
		f.mistake(at, "", "take it out, or write it as an escape in double quotes", "a control character stands there")
		return nil
	}
	// The library is not proof against every sequence of bytes, and a file is only bytes.
	defer func() {
		if recover() != nil {
			root = nil
			f.mistake(start, "", "", "the file is no YAML that can be read")
		}
	}()
	tokens := lexer.Tokenize(string(raw))
	if at, what, mend := excess(tokens); at != nil {
		f.mistake(tokenPlace(at), "", mend, "%s %s", f.form.Called, what)
		return nil
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		at, what := start, err.Error()
		if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
			at, what = tokenPlace(syntax.Token), syntax.Message
		}
		// A message may quote the text around, and that may be a secret that stands there wrongly.
		if i := strings.IndexAny(what, "\"\n"); i >= 0 {
			what = strings.TrimRight(what[:i], ": ")
		}
		f.mistake(at, "", "", "the file is no YAML: %s", what)
		return nil
	}
	for _, d := range parsed.Docs {
		switch {
		case d.Body == nil:
		case root != nil:
			f.mistake(position(d.Body), "", "keep one document in a file", "the file holds a second document")
			return nil
		default:
			root = d.Body
		}
	}
	if root == nil {
		f.mistake(start, "", f.form.Least, "the file is empty")
	}
	return root
}

// control reports whether YAML forbids the character (YAML 1.2.2 §5.1).
func control(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 && r != 0x85 || r == 0xfffe || r == 0xffff
}

// position is where a node begins.
func position(n ast.Node) place {
	switch v := n.(type) {
	case nil:
		return place{1, 1}
	case *ast.MappingValueNode:
		return position(v.Key) // its own token is the colon
	case *ast.MappingNode:
		if !v.IsFlowStyle && len(v.Values) > 0 {
			return position(v.Values[0].Key)
		}
	}
	return tokenPlace(n.GetToken())
}

func tokenPlace(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{max(t.Position.Line, 1), max(t.Position.Column, 1)}
}

type anchors map[string]ast.Node

// plain looks through tags, anchors and aliases.
func (a anchors) plain(n ast.Node) ast.Node {
	for range 16 {
		switch v := n.(type) {
		case *ast.TagNode:
			n = v.Value
		case *ast.AnchorNode:
			if v.Name != nil {
				a[v.Name.GetToken().Value] = v.Value
			}
			n = v.Value
		case *ast.AliasNode:
			if v.Value == nil {
				return nil
			}
			aimed, ok := a[v.Value.GetToken().Value]
			if !ok {
				return v
			}
			n = aimed
		default:
			return n
		}
	}
	return nil
}

func null(n ast.Node) bool {
	_, is := n.(*ast.NullNode)
	return n == nil || is
}

// keyText is the text of a key.
func keyText(n ast.Node) (string, bool) {
	switch k := n.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.MergeKeyNode:
		return "<<", true
	case *ast.MappingKeyNode, nil:
		return "", false
	}
	if t := n.GetToken(); t != nil {
		return t.Value, true
	}
	return "", false
}

// text is that of a value that is written as text.
func text(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	}
	return "", false
}

// scalar is the text of a text, a number, or true or false.
func scalar(n ast.Node) (string, bool) {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return text(n)
}

// kind is what a node is, in words.
func kind(n ast.Node) string {
	switch n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.AliasNode:
		return "a reference to an unknown anchor"
	}
	return "something else"
}
