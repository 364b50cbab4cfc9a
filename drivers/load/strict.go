package load

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"flowproof/drivers/target"
)

// readPlan fills in a struct from a YAML document, by the JSON names of its fields. Whatever does not fit is a
// problem with its place; the places of what does are kept.
func readPlan(root ast.Node, into *planFile, w *problems) {
	s := strict{problems: w, anchors: map[string]ast.Node{}}
	s.value(root, "", reflect.ValueOf(into).Elem(), "")
}

type strict struct {
	*problems
	anchors map[string]ast.Node
}

// A scalar is a text that reads itself.
type scalar interface{ parse(string) error }

func (s *strict) mistake(n ast.Node, mend, what string, args ...any) {
	at := where(n)
	s.list = append(s.list, target.Mistake{File: s.source.file, Line: at.line, Column: at.column, What: fmt.Sprintf(what, args...), Mend: mend})
}

// where a node begins.
func where(n ast.Node) place {
	switch v := n.(type) {
	case nil:
		return place{1, 1}
	case *ast.MappingValueNode:
		return where(v.Key) // its own token is the colon
	case *ast.MappingNode:
		if !v.IsFlowStyle && len(v.Values) > 0 {
			return where(v.Values[0].Key)
		}
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return place{max(t.Position.Line, 1), max(t.Position.Column, 1)}
	}
	return place{1, 1}
}

// plain looks through tags, anchors and aliases.
func (s *strict) plain(n ast.Node) ast.Node {
	for range 16 {
		switch v := n.(type) {
		case *ast.TagNode:
			n = v.Value
		case *ast.AnchorNode:
			if v.Name != nil {
				s.anchors[v.Name.GetToken().Value] = v.Value
			}
			n = v.Value
		case *ast.AliasNode:
			if v.Value == nil {
				return nil
			}
			n = s.anchors[v.Value.GetToken().Value]
		default:
			return n
		}
	}
	return nil
}

// called is a path as messages show it.
func called(path string) string {
	if path == "" {
		return "the plan"
	}
	return path
}

// value reads a node; options are the field's tag.
func (s *strict) value(node ast.Node, path string, into reflect.Value, options string) {
	n := s.plain(node)
	if _, empty := n.(*ast.NullNode); n == nil || empty {
		s.mistake(node, "give it one or leave the key out", "%s has no value", called(path))
		return
	}
	if c, ok := into.Addr().Interface().(*connectionFile); ok {
		s.connections(n, path, c)
		return
	}
	if x, ok := into.Addr().Interface().(scalar); ok {
		text, ok := scalarText(n)
		if !ok {
			s.mistake(n, "", "%s has to be text, not %s", path, kindOf(n))
		} else if err := x.parse(text); err != nil {
			s.mistake(n, "", "%s: %v", path, err)
		}
		return
	}
	switch into.Kind() {
	case reflect.Struct:
		s.object(n, path, into)
	case reflect.Map:
		s.mapping(n, path, into, options)
	case reflect.Slice:
		s.sequence(n, path, into)
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		s.value(n, path, into.Elem(), options)
	case reflect.String:
		s.text(n, path, into, options)
	case reflect.Bool:
		b, ok := n.(*ast.BoolNode)
		if !ok {
			s.mistake(n, "write true or false", "%s has to be true or false, not %s", path, kindOf(n))
			return
		}
		into.SetBool(b.Value)
	default:
		s.number(n, path, into, options)
	}
}

// pairs are the keys and values of a mapping.
func (s *strict) pairs(n ast.Node, path string, each func(key string, at, value ast.Node)) {
	var all []*ast.MappingValueNode
	switch v := n.(type) {
	case *ast.MappingNode:
		all = v.Values
	case *ast.MappingValueNode:
		all = []*ast.MappingValueNode{v}
	default:
		s.mistake(n, "write key: value pairs", "%s has to be a mapping, not %s", called(path), kindOf(n))
		return
	}
	seen := map[string]place{}
	for _, pair := range all {
		key, ok := pair.Key.(*ast.StringNode)
		if !ok {
			s.mistake(pair.Key, "", "a key has to be plain text")
			continue
		}
		if first, twice := seen[key.Value]; twice {
			s.mistake(key, "keep one of the two", "%s is there twice, first in line %d", joined(path, key.Value), first.line)
			continue
		}
		seen[key.Value] = where(key)
		each(key.Value, key, pair.Value)
	}
}

func joined(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// names are those of the fields of a struct, with their places in it.
func fieldNames(t reflect.Type) map[string]int {
	out := map[string]int{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		out[name] = i
	}
	return out
}

func (s *strict) unknown(at ast.Node, what, key string, known []string, path string) {
	mend := "known are " + list(known)
	if near := target.Nearest(key, known); near != "" {
		mend = "did you mean " + near + "?"
	}
	in := ""
	if path != "" {
		in = " in " + path
	}
	s.mistake(at, mend, "unknown %s %q%s", what, key, in)
}

func (s *strict) object(n ast.Node, path string, into reflect.Value) {
	fields := fieldNames(into.Type())
	s.pairs(n, path, func(key string, at, value ast.Node) {
		i, ok := fields[key]
		if !ok {
			s.unknown(at, "key", key, slices.Sorted(maps.Keys(fields)), path)
			return
		}
		s.source.places[joined(path, key)] = where(at)
		s.value(value, joined(path, key), into.Field(i), into.Type().Field(i).Tag.Get("jsonschema"))
	})
	s.source.places[path] = where(n)
	for i := range into.NumField() {
		tag := into.Type().Field(i).Tag
		name, _, _ := strings.Cut(tag.Get("json"), ",")
		if slices.Contains(strings.Split(tag.Get("jsonschema"), ","), "required") && !s.source.has(joined(path, name)) {
			s.mistake(n, "write "+name+": …", "%s is missing", joined(path, name))
		}
	}
}

// mapping reads a mapping whose keys are the field's words.
func (s *strict) mapping(n ast.Node, path string, into reflect.Value, options string) {
	into.Set(reflect.MakeMap(into.Type()))
	s.pairs(n, path, func(key string, at, value ast.Node) {
		if known := choices(options); !slices.Contains(known, key) {
			s.unknown(at, "key", key, known, path)
			return
		}
		s.source.places[joined(path, key)] = where(at)
		one := reflect.New(into.Type().Elem()).Elem()
		s.value(value, joined(path, key), one, "")
		into.SetMapIndex(reflect.ValueOf(key), one)
	})
}

func (s *strict) sequence(n ast.Node, path string, into reflect.Value) {
	v, ok := n.(*ast.SequenceNode)
	if !ok {
		s.mistake(n, "write it in brackets: [ … ]", "%s has to be a list, not %s", path, kindOf(n))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(v.Values), len(v.Values)))
	for i, item := range v.Values {
		at := pathOf(path, i)
		s.source.places[at] = where(item)
		s.value(item, at, into.Index(i), "")
	}
}

// choices are the words that a field's tag allows.
func choices(options string) []string {
	var out []string
	for option := range strings.SplitSeq(options, ",") {
		if word, ok := strings.CutPrefix(option, "enum="); ok {
			out = append(out, word)
		}
	}
	return out
}

func (s *strict) text(n ast.Node, path string, into reflect.Value, options string) {
	var text string
	switch v := n.(type) {
	case *ast.StringNode:
		text = v.Value
	case *ast.LiteralNode:
		text = v.Value.Value
	default:
		s.mistake(n, "put it in quotes", "%s has to be text, not %s", path, kindOf(n))
		return
	}
	if known := choices(options); len(known) > 0 && !slices.Contains(known, text) {
		s.unknown(n, path[strings.LastIndexByte(path, '.')+1:], text, known, "")
		return
	}
	if strings.TrimSpace(text) == "" && !strings.HasSuffix(path, ".scope") {
		s.mistake(n, "give it a value or leave the key out", "%s is empty", path)
		return
	}
	into.SetString(text)
}

func (s *strict) number(n ast.Node, path string, into reflect.Value, options string) {
	v, ok := n.(*ast.IntegerNode)
	if ok {
		x, err := strconv.ParseInt(v.GetToken().Value, 0, into.Type().Bits())
		if err == nil && x >= 0 && (x > 0 || !strings.Contains(options, "minimum=1")) {
			if into.CanUint() {
				into.SetUint(uint64(x))
			} else {
				into.SetInt(x)
			}
			return
		}
	}
	least := "0"
	if strings.Contains(options, "minimum=1") {
		least = "1"
	}
	what := kindOf(n)
	if text, ok := scalarText(n); ok && what == "a number" {
		what = text
	}
	s.mistake(n, "", "%s has to be a whole number from %s on, not %s", path, least, what)
}

// connections reads a number, or from and to.
func (s *strict) connections(n ast.Node, path string, c *connectionFile) {
	if _, number := n.(*ast.IntegerNode); number {
		s.number(n, path, reflect.ValueOf(&c.to).Elem(), "minimum=1")
		return
	}
	var both struct {
		From int `json:"from" jsonschema:"required,minimum=1"`
		To   int `json:"to" jsonschema:"required,minimum=1"`
	}
	s.object(n, path, reflect.ValueOf(&both).Elem())
	c.from, c.to = both.From, both.To
}

// scalarText is the text of a scalar, quoted or not.
func scalarText(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.IntegerNode, *ast.FloatNode:
		return v.GetToken().Value, true
	}
	return "", false
}

func kindOf(n ast.Node) string {
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
	}
	return "something else"
}
