package strict

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

func (f *File) text(n ast.Node, path string, into reflect.Value, r rules) bool {
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
		f.AtValue(path, cmp.Or(r.mend, "give it a value or leave the key out"), "%s is empty", path)
	default:
		into.SetString(text)
	}
	return ok
}

func (f *File) truth(n ast.Node, path string, into reflect.Value) bool {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		f.AtValue(path, "write true or false", "%s has to be true or false, not %s", path, kind(n))
		return false
	}
	into.SetBool(b.Value)
	return true
}

func (f *File) duration(n ast.Node, path string, into *time.Duration) bool {
	const mend = "write a number with its unit, as in 10s or 1m30s"
	text, ok := text(n)
	if !ok {
		f.AtValue(path, mend, "%s has to be a duration, not %s", path, kind(n))
		return false
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		f.AtValue(path, mend, "%s: %q is no duration", path, text)
		return false
	}
	*into = d
	return true
}

func (f *File) number(n ast.Node, path string, into reflect.Value, r rules) bool {
	if v, ok := n.(*ast.IntegerNode); ok {
		x, err := strconv.ParseInt(v.GetToken().Value, 0, into.Type().Bits())
		if err == nil && x >= r.least {
			if into.CanUint() {
				into.SetUint(uint64(x))
			} else {
				into.SetInt(x)
			}
			return true
		}
	}
	what := kind(n)
	if text, ok := scalar(n); ok && what == "a number" {
		what = text
	}
	f.AtValue(path, "", "%s has to be a whole number from %d on, not %s", path, r.least, what)
	return false
}
