package load

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// A value is one member's value as it stands in the body; it lives as long as the body does.
type value struct {
	kind    byte   // 0: absent, else the first byte: " { [ t f n, and 0 for any number
	raw     []byte // a string without its quotes
	escaped bool   // a string with a backslash in it
}

const numberKind = '0'

// members are those members of an answer's object that say something about a token.
type members struct {
	token, kind, expires, refresh, scope, failure value
	doubled                                       bool // a member name came twice
}

// scan reads a body as one JSON object. It reports whether the body is well-formed JSON and nothing
// else, and whether it is an object. It allocates nothing unless a member's name is escaped.
func scan(body []byte, m *members) (wellFormed, object bool) {
	*m = members{}
	s := scanner{b: body}
	s.space()
	object = s.i < len(body) && body[s.i] == '{'
	var ok bool
	if object {
		ok = s.object(m, 0)
	} else {
		_, ok = s.value(0)
	}
	s.space()
	if !ok || s.i != len(body) || (s.high && !utf8.Valid(body)) {
		return false, object
	}
	return true, object
}

// scanner walks over JSON text; its methods report whether what they were to read was there.
type scanner struct {
	b      []byte
	i      int
	high   bool    // bytes beyond ASCII were seen
	claims *claims // to be filled in from the outermost object
}

// claims are what a JWT says of whom it was issued to.
type claims struct{ client, party, subject value }

// scanClaims reads the payload of a JWT. It reports whether it is a JSON object.
func scanClaims(payload []byte, c *claims) bool {
	*c = claims{}
	s := scanner{b: payload, claims: c}
	s.space()
	return s.i < len(payload) && payload[s.i] == '{' && s.object(nil, 0)
}

func (c *claims) keep(name []byte, v value) {
	switch string(name) {
	case "client_id":
		c.client = v
	case "azp":
		c.party = v
	case "sub":
		c.subject = v
	}
}

const deepest = 100

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\n', '\r', '\t':
			s.i++
		default:
			return
		}
	}
}

// object reads an object; the members of the outermost one are kept in m.
func (s *scanner) object(m *members, depth int) bool {
	s.i++ // the brace
	s.space()
	if s.take('}') {
		return true
	}
	for {
		name, escaped, ok := s.text()
		if !ok {
			return false
		}
		s.space()
		if !s.take(':') {
			return false
		}
		s.space()
		v, ok := s.value(depth)
		if !ok {
			return false
		}
		if m != nil {
			m.keep(name, escaped, v)
		} else if s.claims != nil && depth == 0 {
			s.claims.keep(name, v)
		}
		s.space()
		if s.take('}') {
			return true
		}
		if !s.take(',') {
			return false
		}
		s.space()
	}
}

func (m *members) keep(name []byte, escaped bool, v value) {
	if escaped {
		name = unquoted(name)
	}
	var place *value
	switch string(name) {
	case "access_token":
		place = &m.token
	case "token_type":
		place = &m.kind
	case "expires_in":
		place = &m.expires
	case "refresh_token":
		place = &m.refresh
	case "scope":
		place = &m.scope
	case "error":
		place = &m.failure
	default:
		return
	}
	if place.kind != 0 {
		m.doubled = true
	}
	*place = v
}

func (s *scanner) array(depth int) bool {
	s.i++ // the bracket
	s.space()
	if s.take(']') {
		return true
	}
	for {
		if _, ok := s.value(depth); !ok {
			return false
		}
		s.space()
		if s.take(']') {
			return true
		}
		if !s.take(',') {
			return false
		}
		s.space()
	}
}

func (s *scanner) value(depth int) (value, bool) {
	if s.i >= len(s.b) || depth > deepest {
		return value{}, false
	}
	from := s.i
	switch c := s.b[s.i]; c {
	case '"':
		raw, escaped, ok := s.text()
		return value{'"', raw, escaped}, ok
	case '{':
		ok := s.object(nil, depth+1)
		return value{'{', s.b[from:s.i], false}, ok
	case '[':
		ok := s.array(depth + 1)
		return value{'[', s.b[from:s.i], false}, ok
	case 't':
		return value{kind: 't'}, s.word("true")
	case 'f':
		return value{kind: 'f'}, s.word("false")
	case 'n':
		return value{kind: 'n'}, s.word("null")
	default:
		ok := s.number()
		return value{numberKind, s.b[from:s.i], false}, ok
	}
}

// text reads a string and returns what stands between its quotes.
func (s *scanner) text() (raw []byte, escaped, ok bool) {
	if !s.take('"') {
		return nil, false, false
	}
	from := s.i
	if n := bytes.IndexByte(s.b[from:], '"'); n >= 0 && plainText(s.b[from:from+n]) {
		s.i += n + 1
		return s.b[from : from+n], false, true
	}
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c == '"':
			raw = s.b[from:s.i]
			s.i++
			return raw, escaped, true
		case c == '\\':
			escaped = true
			if !s.escape() {
				return nil, false, false
			}
		case c < ' ':
			return nil, false, false
		default:
			s.high = s.high || c >= utf8.RuneSelf
			s.i++
		}
	}
	return nil, false, false
}

// plainText reports whether all bytes are ASCII, and neither control characters nor backslashes. It
// looks at eight at once: a byte's highest bit is set in the sum or difference when it is not.
func plainText(b []byte) bool {
	const (
		each = 0x0101010101010101
		high = 0x80 * each
	)
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		slash := w ^ '\\'*each
		if (w|(w-' '*each)|(slash-each))&high != 0 {
			return false
		}
	}
	for _, c := range b {
		if c < ' ' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (s *scanner) escape() bool {
	s.i++ // the backslash
	if s.i >= len(s.b) {
		return false
	}
	c := s.b[s.i]
	s.i++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			if s.i >= len(s.b) || !hexadecimal(s.b[s.i]) {
				return false
			}
			s.i++
		}
		return true
	}
	return false
}

func hexadecimal(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func (s *scanner) number() bool {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return false
	}
	if s.take('.') && !s.digits() {
		return false
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	from := s.i
	for s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > from
}

func (s *scanner) word(w string) bool {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return false
	}
	s.i += len(w)
	return true
}

func (s *scanner) take(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}
