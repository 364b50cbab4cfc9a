package reports

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible makes what a server sent safe to show: control characters, escape sequences, text-direction
// overrides, invisible characters and broken UTF-8 are spelled out. Line feeds and tabs stay.
func visible(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, hidden) {
		return spelled(s)
	}
	return s
}

func spelled(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\r':
			b.WriteString(`\r`)
		case !hidden(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return b.String()
}

// hidden reports whether a rune acts instead of showing: Cc, Cf (direction, zero width, tags), line and
// paragraph separators, and the noncharacters that XML forbids.
func hidden(r rune) bool {
	if r < utf8.RuneSelf {
		return (r < ' ' && r != '\n' && r != '\t') || r == 0x7f
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r&0xfffe == 0xfffe || (r >= 0xfdd0 && r <= 0xfdef)
}

// oneLine is visible text on one line.
func oneLine(s string) string { return strings.Join(strings.Fields(visible(s)), " ") }

// cut shortens text to at most n runes.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:max(n-1, 0)]), " ") + "…"
}

// shown returns a copy of a record with every string in it made visible, so that no renderer can forget to.
func shown[T any](record T) T {
	out := reflect.New(reflect.TypeFor[T]()).Elem()
	show(out, reflect.ValueOf(record))
	return out.Interface().(T)
}

func show(dst, src reflect.Value) {
	switch src.Kind() {
	case reflect.String:
		dst.SetString(visible(src.String()))
	case reflect.Struct:
		for i := range src.NumField() {
			show(dst.Field(i), src.Field(i))
		}
	case reflect.Slice:
		if src.IsNil() || src.Type().Elem().Kind() == reflect.Uint8 {
			dst.Set(src)
			return
		}
		dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
		for i := range src.Len() {
			show(dst.Index(i), src.Index(i))
		}
	case reflect.Map:
		if src.IsNil() {
			return
		}
		dst.Set(reflect.MakeMapWithSize(src.Type(), src.Len()))
		for it := src.MapRange(); it.Next(); {
			key, value := reflect.New(src.Type().Key()).Elem(), reflect.New(src.Type().Elem()).Elem()
			show(key, it.Key())
			show(value, it.Value())
			dst.SetMapIndex(key, value)
		}
	case reflect.Pointer:
		if !src.IsNil() {
			dst.Set(reflect.New(src.Type().Elem()))
			show(dst.Elem(), src.Elem())
		}
	default:
		dst.Set(src)
	}
}
