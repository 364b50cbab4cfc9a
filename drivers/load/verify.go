package load

import (
	"bytes"
	"encoding/json"

	"flowproof/drivers/target"
)

// An answer is what came back over a wire; its slices live until the next request on that wire.
type answer struct {
	status       int
	contentType  []byte
	cacheControl [][]byte // one a header line
	retryAfter   []byte
	location     []byte
	body         []byte
}

// verify holds a successful answer to what is owed, and fills m with what it says.
func verify(a *answer, g target.Grant, m *members) flaws {
	var found flaws
	if a.status != 200 {
		found |= wrongStatus.bit()
	}
	if !mediaType(a.contentType, "application/json") {
		found |= wrongType.bit()
	}
	if !forbidsStoring(a.cacheControl) {
		found |= cacheable.bit()
	}
	wellFormed, object := scan(a.body, m)
	switch {
	case !wellFormed:
		return found | notJSON.bit()
	case !object:
		return found | notObject.bit()
	}
	if m.doubled {
		found |= doubledMember.bit()
	}
	return found | m.check(g)
}

// check judges the members of a well-formed answer.
func (m *members) check(g target.Grant) flaws {
	var found flaws
	m.token.plain()
	if m.token.kind != '"' || len(m.token.raw) == 0 {
		found |= noToken.bit()
	} else if ok, percent := bearerSyntax(m.token.raw); !ok {
		found |= badToken.bit()
	} else if percent {
		found |= percentToken.bit()
	}
	m.kind.plain()
	switch {
	case m.kind.kind == 0:
		found |= noTokenType.bit()
	case m.kind.kind != '"' || !foldedEqual(m.kind.raw, "bearer"):
		found |= notBearer.bit()
	}
	switch {
	case m.expires.kind == 0:
		found |= noExpiry.bit()
	case m.expires.kind != numberKind || !wholeNumber(m.expires.raw):
		found |= badExpiry.bit()
	}
	m.scope.plain()
	if m.scope.kind != 0 && (m.scope.kind != '"' || !scopeSyntax(m.scope.raw)) {
		found |= badScope.bit()
	}
	m.refresh.plain()
	// A null or empty member hands nothing out.
	if m.refresh.kind != 0 && m.refresh.kind != 'n' && (m.refresh.kind != '"' || len(m.refresh.raw) > 0) {
		if g == target.ClientCredentials {
			found |= needlessRefreshToken.bit()
		}
		if m.refresh.kind != '"' || !printable(m.refresh.raw) {
			found |= badRefreshToken.bit()
		}
	}
	return found
}

// throttled reports whether the status says that the server refuses for now, and whether it says so well.
func throttled(a *answer, m *members) (is, well bool) {
	if a.status != 429 && a.status != 503 {
		return false, false
	}
	wellFormed, object := scan(a.body, m)
	return true, wellFormed && object && m.failure.kind == '"' && len(a.retryAfter) > 0 &&
		mediaType(a.contentType, "application/json")
}

// failureCode is the member "error" of an answer that is no success, when it looks like a code.
func failureCode(a *answer, m *members) []byte {
	if ok, object := scan(a.body, m); !ok || !object || m.failure.kind != '"' || len(m.failure.raw) > 40 {
		return nil
	}
	for _, c := range m.failure.raw {
		if (c < 'a' || c > 'z') && c != '_' && c != '-' {
			return nil
		}
	}
	return m.failure.raw
}

// plain resolves the escapes of a string, which few servers write.
func (v *value) plain() {
	if v.escaped {
		v.raw, v.escaped = unquoted(v.raw), false
	}
}

// unquoted resolves the escapes of a string that was scanned.
func unquoted(raw []byte) []byte {
	var s string
	if err := json.Unmarshal(append(append([]byte{'"'}, raw...), '"'), &s); err != nil {
		return raw
	}
	return []byte(s)
}

// The characters of tokens and of scopes.
var (
	bearerSet = asciiSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/%")
	scopeSet  = asciiSet("!#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~")
)

type set [256]bool

func asciiSet(chars string) set {
	var s set
	for i := range len(chars) {
		s[chars[i]] = true
	}
	return s
}

// bearerSyntax reports whether a token is a b64token of RFC 6750, a percent sign being let through and told.
func bearerSyntax(token []byte) (ok, percent bool) {
	core := bytes.TrimRight(token, "=")
	for _, c := range core {
		if !bearerSet[c] {
			return false, false
		}
	}
	return len(core) > 0, bytes.IndexByte(core, '%') >= 0
}

// scopeSyntax lets an empty string through, which many servers write for no scope at all.
func scopeSyntax(scope []byte) bool {
	blank := true // a space here would be one too many
	for _, c := range scope {
		if c == ' ' && blank || c != ' ' && !scopeSet[c] {
			return false
		}
		blank = c == ' '
	}
	return len(scope) == 0 || !blank
}

func printable(s []byte) bool {
	for _, c := range s {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// wholeNumber reports whether a JSON number has neither sign, fraction nor exponent.
func wholeNumber(raw []byte) bool {
	for _, c := range raw {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(raw) > 0
}

// mediaType compares a Content-Type without its parameters; want is in lower case.
func mediaType(contentType []byte, want string) bool {
	if i := bytes.IndexByte(contentType, ';'); i >= 0 {
		contentType = contentType[:i]
	}
	return foldedEqual(bytes.TrimSpace(contentType), want)
}

// forbidsStoring looks for the directive no-store in all lines, which are one list.
func forbidsStoring(lines [][]byte) bool {
	for _, line := range lines {
		for len(line) > 0 {
			directive := line
			if i := bytes.IndexByte(line, ','); i >= 0 {
				directive, line = line[:i], line[i+1:]
			} else {
				line = nil
			}
			if foldedEqual(bytes.TrimSpace(directive), "no-store") {
				return true
			}
		}
	}
	return false
}

// foldedEqual compares with a word in lower-case ASCII, letter case ignored.
func foldedEqual(s []byte, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i, c := range s {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
