package target

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// A reader walks the document and gathers every mistake on its way.
type reader struct {
	file, folder string
	lookup       Lookup
	mistakes     Mistakes
	anchors      map[string]ast.Node
	objects      func(path string, keys []string) // for tests: called with the keys of each object
	base         string                           // the service URL, for relative references
}

type place struct{ line, column int }

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

func (r *reader) mistake(at place, mend, what string, args ...any) {
	r.mistakes.List = append(r.mistakes.List, Mistake{r.file, at.line, at.column, fmt.Sprintf(what, args...), mend})
}

// An entry is one key of an object and its value.
type entry struct {
	name  string
	key   place
	value ast.Node
}

// fields are the keys that an object may have, and who reads each.
type fields map[string]func(entry)

// entries are the pairs of a mapping, or false and a mistake.
func (r *reader) entries(n ast.Node, path string) ([]entry, bool) {
	n = r.plain(n)
	var pairs []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		r.mistake(position(n), "write key: value pairs", "%s has to be a mapping, not %s", path, kind(n))
		return nil, false
	}
	var out []entry
	seen := map[string]place{}
	for _, pair := range pairs {
		at := position(pair.Key)
		key, ok := r.key(pair.Key)
		if !ok {
			r.mistake(at, "", "a key has to be plain text")
			continue
		}
		if first, twice := seen[key]; twice {
			r.mistake(at, "keep one of the two", "%s is there twice, first in line %d", join(path, key), first.line)
			continue
		}
		seen[key] = at
		out = append(out, entry{key, at, pair.Value})
	}
	return out, true
}

func (r *reader) key(n ast.Node) (string, bool) {
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

// object hands each key of a mapping to its reader and tells where each stood.
func (r *reader) object(n ast.Node, path string, known fields) map[string]entry {
	keys := slices.Sorted(maps.Keys(known))
	if r.objects != nil {
		r.objects(path, keys)
	}
	found := map[string]entry{}
	var meant []entry
	entries, _ := r.entries(n, path)
	for _, e := range entries {
		read, ok := known[e.name]
		if !ok {
			mend := "known keys are " + list(keys)
			if near := Nearest(e.name, keys); near != "" {
				mend = "did you mean " + near + "?"
				meant = append(meant, entry{near, e.key, e.value})
			}
			r.mistake(e.key, mend, "unknown key %q%s", e.name, inside(path))
			continue
		}
		found[e.name] = e
		if null(r.plain(e.value)) {
			r.mistake(e.key, "give it one or leave the key out", "%s has no value", join(path, e.name))
			continue
		}
		read(e)
	}
	// A misspelt key is one mistake; that the right one is missing would be a second.
	for _, e := range meant {
		if _, ok := found[e.name]; !ok {
			found[e.name] = e
		}
	}
	return found
}

// plain looks through tags, anchors and aliases.
func (r *reader) plain(n ast.Node) ast.Node {
	for range 16 {
		switch v := n.(type) {
		case *ast.TagNode:
			n = v.Value
		case *ast.AnchorNode:
			if name := v.Name; name != nil {
				if r.anchors == nil {
					r.anchors = map[string]ast.Node{}
				}
				r.anchors[name.GetToken().Value] = v.Value
			}
			n = v.Value
		case *ast.AliasNode:
			if v.Value == nil {
				return nil
			}
			aimed, ok := r.anchors[v.Value.GetToken().Value]
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
	if n == nil {
		return true
	}
	_, is := n.(*ast.NullNode)
	return is
}

func (r *reader) text(n ast.Node, path string) (string, bool) {
	switch v := r.plain(n).(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	default:
		mend := ""
		switch v.(type) {
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
			mend = "put it in quotes"
		}
		r.mistake(position(n), mend, "%s has to be text, not %s", path, kind(v))
		return "", false
	}
}

func (r *reader) truth(n ast.Node, path string) bool {
	v, ok := r.plain(n).(*ast.BoolNode)
	if !ok {
		r.mistake(position(n), "write true or false", "%s has to be true or false, not %s", path, kind(r.plain(n)))
		return false
	}
	return v.Value
}

func (r *reader) duration(n ast.Node, path string) time.Duration {
	const mend = "write a number with its unit, as in 10s or 1m30s"
	v, ok := r.plain(n).(*ast.StringNode)
	if !ok {
		r.mistake(position(n), mend, "%s has to be a duration, not %s", path, kind(r.plain(n)))
		return 0
	}
	d, err := time.ParseDuration(v.Value)
	if err != nil || d < 0 {
		r.mistake(position(n), mend, "%s: %q is no duration", path, v.Value)
		return 0
	}
	return d
}

// items are the members of a sequence.
func (r *reader) items(n ast.Node, path string) []ast.Node {
	v, ok := r.plain(n).(*ast.SequenceNode)
	if !ok {
		r.mistake(position(n), "write it in brackets: [ … ]", "%s has to be a list, not %s", path, kind(r.plain(n)))
		return nil
	}
	return v.Values
}

// A textAt is an item of a list and where it stands.
type textAt struct {
	value string
	at    place
}

func (r *reader) texts(n ast.Node, path string) []textAt {
	var out []textAt
	for i, item := range r.items(n, path) {
		if s, ok := r.text(item, fmt.Sprintf("%s[%d]", path, i)); ok {
			out = append(out, textAt{s, position(item)})
		}
	}
	return out
}

func values(items []textAt) []string {
	var out []string
	for _, i := range items {
		out = append(out, i.value)
	}
	return out
}

// choice is a text that has to be one of the known words.
func (r *reader) choice(n ast.Node, path string, known ...string) string {
	s, ok := r.text(n, path)
	if ok && !slices.Contains(known, s) {
		r.unknown(position(n), path, s, known)
		return ""
	}
	return s
}

func (r *reader) unknown(at place, path, word string, known []string) {
	mend := "write " + list(known)
	if near := Nearest(word, known); near != "" {
		mend = "did you mean " + near + "?"
	}
	r.mistake(at, mend, "%s: unknown %q", path, word)
}

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

func join(path, key string) string {
	if path == "" || path == whole {
		return key
	}
	return path + "." + key
}

func inside(path string) string {
	if path == whole {
		return ""
	}
	return " in " + path
}

const whole = "the target file"

// shape takes names and numbers out of a path: clients.web.id is clients.*.id.
func shape(path string) string {
	if path == whole {
		return ""
	}
	parts := strings.Split(path, ".")
	if len(parts) > 1 && (parts[0] == "clients" || parts[0] == "users") {
		parts[1] = "*"
	}
	joined := strings.Join(parts, ".")
	if before, after, ok := strings.Cut(joined, "["); ok {
		_, after, _ = strings.Cut(after, "]")
		joined = before + ".*" + after
	}
	return joined
}
