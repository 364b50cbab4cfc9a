package sandbox

import (
	"strings"
	"unicode/utf8"
)

// A pair is one name and its value, decoded.
type pair struct{ name, value string }

// A form keeps order and repetition, and leaves parameters without a value out (RFC 6749 §3.2).
type form []pair

func (f form) get(name string) string {
	for i := range f {
		if f[i].name == name {
			return f[i].value
		}
	}
	return ""
}

func (f form) last(name string) string {
	v := ""
	for i := range f {
		if f[i].name == name {
			v = f[i].value
		}
	}
	return v
}

// repeated returns the first name that is there twice, or empty.
func (f form) repeated() string {
	for i := range f {
		for j := range i {
			if f[i].name == f[j].name {
				return f[i].name
			}
		}
	}
	return ""
}

// repeated is the name of a parameter that may not be there twice as it is, or empty.
func (s *Sandbox) repeated(f form) string {
	if !s.policy.near.equalRepeats {
		return f.repeated()
	}
	for i := range f {
		if f[i].value != f.get(f[i].name) {
			return f[i].name
		}
	}
	return ""
}

const maxParameters = 200

// A formReader says how application/x-www-form-urlencoded text is read.
type formReader struct {
	latin1    bool // percent-encoded bytes are Latin-1 letters
	keepEmpty bool // parameters without a value stay
}

// read decodes the text; it reports false for text that is not form-encoded UTF-8, holds control
// bytes that no parameter may, or has far too many parameters.
func (fr formReader) read(text string, into form) (form, bool) {
	for text != "" {
		var part string
		part, text, _ = strings.Cut(text, "&")
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, ok := fr.decode(name)
		v, ok2 := fr.decode(value)
		if !ok || !ok2 || len(into) >= maxParameters {
			return into, false
		}
		if v != "" || fr.keepEmpty {
			into = append(into, pair{n, v})
		}
	}
	return into, true
}

func (fr formReader) decode(s string) (string, bool) {
	if !strings.ContainsAny(s, "%+") {
		return s, utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			b = append(b, ' ')
		case '%':
			if i+2 >= len(s) {
				return "", false
			}
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi > 15 || lo > 15 {
				return "", false
			}
			i += 2
			if v := hi<<4 | lo; fr.latin1 {
				b = utf8.AppendRune(b, rune(v))
			} else {
				b = append(b, v)
			}
		default:
			b = append(b, c)
		}
	}
	out := string(b)
	return out, utf8.ValidString(out) && strings.IndexByte(out, 0) < 0
}

// unhex is the value of a hexadecimal digit, or 16.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}
