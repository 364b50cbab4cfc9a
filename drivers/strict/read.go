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
//	jsonschema: required, enum=… (of a list: its items; of a map: its keys), minimum=1, minItems=1
//	mend:       what to write where it is missing or empty
//	strict:     empty (the text may be)
//
// What is not there, or is of another kind, leaves its field as it was, or out of its map.
func Read(name string, form Form, raw []byte, into any) *File {
	f := &File{
		Name: name, form: form, keys: map[string]place{}, values: map[string]place{}, members: map[string][]string{},
		spoiled: map[string]bool{}, anchors: anchors{},
	}
	if root := f.document(raw); root != nil {
		f.keys[""] = position(root)
		f.value(root, "", reflect.ValueOf(into).Elem(), rules{})
	}
	return f
}

// mostValues is far more than anybody writes; a few anchors that refer to each other make billions.
const mostValues = 100_000

// rules are what the tags of a field say.
type rules struct {
	index    int
	choices  []string
	least    int64
	required bool
	some     bool // members
	empty    bool
	mend     string
}

// fields are those of a struct that have a JSON name, by it.
func fields(t reflect.Type) map[string]rules {
	out := map[string]rules{}
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		name, _, _ := strings.Cut(tag.Get("json"), ",")
		if name == "" {
			continue
		}
		r := rules{index: i, empty: tag.Get("strict") == "empty", mend: tag.Get("mend")}
		for option := range strings.SplitSeq(tag.Get("jsonschema"), ",") {
			if word, ok := strings.CutPrefix(option, "enum="); ok {
				r.choices = append(r.choices, word)
			}
			switch option {
			case "required":
				r.required = true
			case "minItems=1":
				r.some = true
			case "minimum=1":
				r.least = 1
			}
		}
		switch {
		case r.mend != "" || !r.required:
		case len(r.choices) == 0:
			r.mend = "write " + name + ": …"
		case t.Field(i).Type.Kind() == reflect.Slice:
			r.mend = "write " + name + ": with one or more of " + list(r.choices)
		default:
			r.mend = "write " + name + ": " + list(r.choices)
		}
		out[name] = r
	}
	return out
}

// value reports whether the node is of the kind that belongs there.
func (f *File) value(node ast.Node, path string, into reflect.Value, r rules) bool {
	if f.read++; f.read > mostValues {
		if f.read == mostValues+1 {
			f.mistake(position(node), path, "write less of it, and fewer references to anchors", "%s holds too much", f.form.Called)
		}
		return false
	}
	f.values[path] = position(node)
	n := f.anchors.plain(node)
	if null(n) {
		f.AtKey(path, "give it one or leave the key out", "%s has no value", f.called(path))
		return false
	}
	if itself, ok := into.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if text, ok := scalar(n); ok {
			if err := itself.UnmarshalText([]byte(text)); err != nil {
				f.AtValue(path, "", "%s: %v", path, err)
			}
			return true
		}
	}
	if d, ok := into.Addr().Interface().(*time.Duration); ok {
		return f.duration(n, path, d)
	}
	switch into.Kind() {
	case reflect.Struct:
		if known := fields(into.Type()); len(known) > 0 {
			return f.object(n, path, into, known)
		}
		return f.text(n, path, into, r) // it reads itself, and this is no scalar
	case reflect.Map:
		return f.mapping(n, path, into, r)
	case reflect.Slice:
		return f.sequence(n, path, into, r)
	case reflect.Pointer:
		one := reflect.New(into.Type().Elem())
		ok := f.value(node, path, one.Elem(), r)
		if ok {
			into.Set(one)
		}
		return ok
	case reflect.Bool:
		return f.truth(n, path, into)
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return f.number(n, path, into, r)
	default:
		return f.text(n, path, into, r)
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
			f.mistake(at, join(path, near), meant(key, known, "known keys are "), "unknown key %q%s", short(key), in)
			misspelt[near] = at
		default:
			f.keys[inner], f.members[path] = at, append(f.members[path], key)
			each(key, inner, pair.Value)
		}
		if ok && !twice {
			seen[key] = at
		}
	}
	// A misspelt key is one mistake; that the right one is missing would be a second.
	for key, at := range misspelt {
		if inner := join(path, key); key != "" && !f.Has(inner) {
			f.keys[inner] = at
		}
	}
	return true
}

func (f *File) object(n ast.Node, path string, into reflect.Value, known map[string]rules) bool {
	names := slices.Sorted(maps.Keys(known))
	ok := f.pairs(n, path, names, func(key, path string, value ast.Node) {
		f.value(value, path, into.Field(known[key].index), known[key])
	})
	for _, name := range names {
		if inner := join(path, name); ok && known[name].required && !f.Has(inner) {
			f.AtKey(inner, known[name].mend, "%s is missing", inner)
		}
	}
	return ok
}

// mapping reads a map whose keys are free, or the field's choices.
func (f *File) mapping(n ast.Node, path string, into reflect.Value, r rules) bool {
	into.Set(reflect.MakeMap(into.Type()))
	ok := f.pairs(n, path, r.choices, func(key, path string, value ast.Node) {
		one := reflect.New(into.Type().Elem()).Elem()
		if f.value(value, path, one, rules{empty: r.empty}) {
			into.SetMapIndex(reflect.ValueOf(key), one)
		}
	})
	if ok && r.some && into.Len() == 0 && !f.Spoiled(path) {
		f.AtKey(path, r.mend, "%s is empty", path)
	}
	return ok
}

func (f *File) sequence(n ast.Node, path string, into reflect.Value, r rules) bool {
	v, ok := n.(*ast.SequenceNode)
	if !ok {
		mend := "write it in brackets: [ … ]"
		if item := into.Type().Elem(); item.Kind() == reflect.Struct && len(fields(item)) > 0 {
			mend = "write each with a dash: - key: value"
		}
		f.AtValue(path, mend, "%s has to be a list, not %s", path, kind(n))
		return false
	}
	if r.some && len(v.Values) == 0 {
		f.AtKey(path, r.mend, "%s is empty", path)
	}
	into.Set(reflect.MakeSlice(into.Type(), len(v.Values), len(v.Values)))
	for i, item := range v.Values {
		inner := Item(path, i)
		f.keys[inner] = position(item)
		f.value(item, inner, into.Index(i), rules{choices: r.choices, empty: r.empty, least: r.least})
	}
	return true
}

// Item is the path of an item of a list.
func Item(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
