package strict

import (
	"encoding"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Read reads bytes into a struct, by the JSON names of its fields; name stands in the mistakes. Fields are text,
// truths, whole numbers, durations, and structs, pointers, lists and maps of them. A type that reads itself
// (encoding.TextUnmarshaler) does so from any scalar. Of their tags count
//
//	jsonschema: required, enum=…, minimum=1
//	mend:       what to write where it is missing or empty
//	strict:     empty (the text may be)
//
// A mistake leaves its field as it was.
func Read(name string, form Form, raw []byte, into any) *File {
	f := &File{Name: name, form: form, keys: map[string]place{}, values: map[string]place{}, members: map[string][]string{}, anchors: anchors{}}
	if root := f.document(raw); root != nil {
		f.keys[""] = position(root)
		f.value(root, "", reflect.ValueOf(into).Elem(), rules{})
	}
	return f
}

// rules are what the tags of a field say.
type rules struct {
	index    int
	choices  []string
	least    int64
	required bool
	empty    bool
	mend     string
}

// fields are those of a struct by their names.
func fields(t reflect.Type) map[string]rules {
	out := map[string]rules{}
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		name, _, _ := strings.Cut(tag.Get("json"), ",")
		r := rules{index: i, empty: tag.Get("strict") == "empty", mend: tag.Get("mend")}
		for option := range strings.SplitSeq(tag.Get("jsonschema"), ",") {
			if word, ok := strings.CutPrefix(option, "enum="); ok {
				r.choices = append(r.choices, word)
			}
			r.required = r.required || option == "required"
			if option == "minimum=1" {
				r.least = 1
			}
		}
		if r.mend == "" && r.required {
			r.mend = "write " + name + ": …"
			if len(r.choices) > 0 {
				r.mend = "write " + name + ": " + list(r.choices)
			}
		}
		out[name] = r
	}
	return out
}

func (f *File) value(n ast.Node, path string, into reflect.Value, r rules) {
	f.values[path] = position(n)
	n = f.anchors.plain(n)
	if null(n) {
		f.AtKey(path, "give it one or leave the key out", "%s has no value", f.called(path))
		return
	}
	if itself, ok := into.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if text, ok := scalar(n); ok {
			if err := itself.UnmarshalText([]byte(text)); err != nil {
				f.AtValue(path, "", "%s: %v", path, err)
			}
			return
		}
	}
	if d, ok := into.Addr().Interface().(*time.Duration); ok {
		f.duration(n, path, d)
		return
	}
	switch into.Kind() {
	case reflect.Struct:
		f.object(n, path, into)
	case reflect.Map:
		f.mapping(n, path, into, r)
	case reflect.Slice:
		f.sequence(n, path, into, r)
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		f.value(n, path, into.Elem(), r)
	case reflect.Bool:
		b, ok := n.(*ast.BoolNode)
		if !ok {
			f.AtValue(path, "write true or false", "%s has to be true or false, not %s", path, kind(n))
			return
		}
		into.SetBool(b.Value)
	case reflect.Int, reflect.Int64, reflect.Uint64:
		f.number(n, path, into, r)
	default:
		f.text(n, path, into, r)
	}
}

// pairs hands on the keys of a mapping that are known, each once and with its path; of nil, every one is.
func (f *File) pairs(n ast.Node, path string, known []string, each func(key, path string, value ast.Node)) bool {
	var all []*ast.MappingValueNode
	switch v := n.(type) {
	case *ast.MappingNode:
		all = v.Values
	case *ast.MappingValueNode:
		all = []*ast.MappingValueNode{v}
	default:
		f.AtValue(path, "write key: value pairs", "%s has to be a mapping, not %s", f.called(path), kind(n))
		return false
	}
	misspelt := map[string]place{}
	seen := map[string]place{}
	for _, pair := range all {
		at := position(pair.Key)
		key, ok := keyText(pair.Key)
		inner := join(path, key)
		first, twice := seen[key]
		switch {
		case !ok:
			f.mistake(at, path, "", "a key has to be plain text")
		case twice:
			f.mistake(at, inner, "keep one of the two", "%s is there twice, first in line %d", inner, first.line)
		case known != nil && !slices.Contains(known, key):
			in := ""
			if path != "" {
				in = " in " + path
			}
			near := nearest(key, known)
			f.mistake(at, join(path, near), meant(key, known, "known keys are "), "unknown key %q%s", key, in)
			misspelt[near] = at
		default:
			f.keys[inner], f.members[path] = at, append(f.members[path], key)
			each(key, inner, pair.Value)
		}
		seen[key] = at
	}
	// A misspelt key is one mistake; that the right one is missing would be a second.
	for key, at := range misspelt {
		if inner := join(path, key); key != "" && !f.Has(inner) {
			f.keys[inner] = at
		}
	}
	return true
}

func (f *File) object(n ast.Node, path string, into reflect.Value) {
	known := fields(into.Type())
	names := slices.Sorted(maps.Keys(known))
	whole := f.pairs(n, path, names, func(key, path string, value ast.Node) {
		f.value(value, path, into.Field(known[key].index), known[key])
	})
	for _, name := range names {
		if inner := join(path, name); whole && known[name].required && !f.Has(inner) {
			f.AtKey(inner, known[name].mend, "%s is missing", inner)
		}
	}
}

// mapping reads a map whose keys are free, or the field's choices.
func (f *File) mapping(n ast.Node, path string, into reflect.Value, r rules) {
	into.Set(reflect.MakeMap(into.Type()))
	f.pairs(n, path, r.choices, func(key, path string, value ast.Node) {
		one := reflect.New(into.Type().Elem()).Elem()
		f.value(value, path, one, rules{empty: r.empty})
		into.SetMapIndex(reflect.ValueOf(key), one)
	})
}

func (f *File) sequence(n ast.Node, path string, into reflect.Value, r rules) {
	v, ok := n.(*ast.SequenceNode)
	if !ok {
		mend := "write it in brackets: [ … ]"
		if into.Type().Elem().Kind() == reflect.Struct {
			mend = "write each with a dash: - key: value"
		}
		f.AtValue(path, mend, "%s has to be a list, not %s", path, kind(n))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(v.Values), len(v.Values)))
	for i, item := range v.Values {
		inner := Item(path, i)
		f.keys[inner] = position(item)
		f.value(item, inner, into.Index(i), rules{choices: r.choices, empty: r.empty, least: r.least})
	}
}

// Item is the path of an item of a list.
func Item(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

func (f *File) text(n ast.Node, path string, into reflect.Value, r rules) {
	text, ok := text(n)
	switch {
	case !ok:
		mend := ""
		if _, ok := scalar(n); ok {
			mend = "put it in quotes"
		}
		f.AtValue(path, mend, "%s has to be text, not %s", path, kind(n))
	case len(r.choices) > 0 && !slices.Contains(r.choices, text):
		f.AtValue(path, meant(text, r.choices, "write "), "%s: unknown %q", path, text)
	case strings.TrimSpace(text) == "" && !r.empty:
		mend := r.mend
		if mend == "" {
			mend = "give it a value or leave the key out"
		}
		f.AtValue(path, mend, "%s is empty", path)
	default:
		into.SetString(text)
	}
}

func (f *File) duration(n ast.Node, path string, into *time.Duration) {
	const mend = "write a number with its unit, as in 10s or 1m30s"
	text, ok := text(n)
	if !ok {
		f.AtValue(path, mend, "%s has to be a duration, not %s", path, kind(n))
		return
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		f.AtValue(path, mend, "%s: %q is no duration", path, text)
		return
	}
	*into = d
}

func (f *File) number(n ast.Node, path string, into reflect.Value, r rules) {
	if v, ok := n.(*ast.IntegerNode); ok {
		x, err := strconv.ParseInt(v.GetToken().Value, 0, into.Type().Bits())
		if err == nil && x >= r.least {
			if into.CanUint() {
				into.SetUint(uint64(x))
			} else {
				into.SetInt(x)
			}
			return
		}
	}
	what := kind(n)
	if text, ok := scalar(n); ok && what == "a number" {
		what = text
	}
	f.AtValue(path, "", "%s has to be a whole number from %d on, not %s", path, r.least, what)
}
