// Package strict reads a YAML file into a struct, and says where each mistake is and how to mend it.
package strict

import (
	"fmt"
	"strings"
	"unicode"
)

// A File is what was read of a YAML file: where everything stands, and all that is wrong with it. A path names a
// value as in clients.web.grants[0]; the empty one is the file as a whole.
type File struct {
	Mistakes Mistakes
	Name     string
	form     Form
	keys     map[string]place    // of what stands under a key: the key; of an item of a list: the item
	values   map[string]place    // where each value begins
	members  map[string][]string // the known keys of each mapping, in the order of the file
	spoiled  map[string]bool     // the paths of the mistakes, and of what they stand in
	anchors  anchors
	read     int // values
}

// A Form is a kind of file.
type Form struct {
	Called string // the plan
	Least  string // the mend of an empty one: write at least rate and duration
}

type place struct{ line, column int }

// Has reports whether the key was written, perhaps misspelt or with a value that is a mistake.
func (f *File) Has(path string) bool {
	_, ok := f.keys[path]
	return ok
}

// Spoiled reports whether there is a mistake in the value: what follows from it is not to be told again.
func (f *File) Spoiled(path string) bool { return f.spoiled[path] }

// Keys are the known keys of a mapping in the order of the file.
func (f *File) Keys(path string) []string { return f.members[path] }

// Place tells where the key stands, or, if it was not written, what it would stand in.
func (f *File) Place(path string) (line, column int) {
	at := f.key(path)
	return at.line, at.column
}

func (f *File) key(path string) place {
	for {
		if at, ok := f.keys[path]; ok {
			return at
		}
		if path == "" {
			return place{1, 1}
		}
		path = outer(path)
	}
}

// AtKey files a mistake that lies in the key being there, or absent.
func (f *File) AtKey(path, mend, what string, args ...any) {
	f.mistake(f.key(path), path, mend, what, args...)
}

// AtValue files a mistake that lies in what was written there.
func (f *File) AtValue(path, mend, what string, args ...any) {
	at, ok := f.values[path]
	if !ok {
		at = f.key(path)
	}
	f.mistake(at, path, mend, what, args...)
}

func (f *File) mistake(at place, path, mend, what string, args ...any) {
	f.Mistakes = append(f.Mistakes, Mistake{f.Name, at.line, at.column, oneLine(fmt.Sprintf(what, args...)), mend})
	for ; !f.spoiled[path]; path = outer(path) {
		f.spoiled[path] = true
	}
}

// oneLine keeps a key with a line break from breaking the list.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return ' '
	}, s)
}

// short is a key as a mistake quotes it.
func short(key string) string {
	if len(key) <= maxKey {
		return key
	}
	return strings.ToValidUTF8(key[:maxKey], "") + "…"
}

// outer is the path of what a value stands in.
func outer(path string) string {
	return path[:max(strings.LastIndexByte(path, '.'), strings.LastIndexByte(path, '['), 0)]
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// called is a path as mistakes show it.
func (f *File) called(path string) string {
	if path == "" {
		return f.form.Called
	}
	return path
}
