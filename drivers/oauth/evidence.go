package oauth

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"flowproof/reports"
)

const maxEvidence = 8 << 10 // bytes of any one text

// Evidence is the exchange as it may be shown: secrets masked by their places and by their values,
// bounded, and readable whatever bytes the server sent.
func (e Exchange) Evidence(r *Redactor) reports.Exchange {
	q := e.Request
	out := reports.Exchange{
		Title: shown(r.Text(q.Title)), Client: q.Client,
		Started:    e.Started.UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		DurationUS: e.Duration.Microseconds(),
		Proto:      e.Proto, TLS: e.TLS.String(),
		Method: shown(q.Method), URL: bounded(shown(r.URL(q.FullURL()))),
		Head: bounded(r.head(q.head())), Body: bounded(r.sent(q)),
		Status: e.Status, AnswerHead: bounded(r.head(answerHead(e))),
		Cut: e.Cut, Curl: r.curl(q),
	}
	body := r.received(e.Body)
	out.AnswerBody = bounded(body)
	out.Cut = out.Cut || len(out.AnswerBody) < len(body)
	if e.Err != nil {
		out.Error = bounded(shown(r.Page(e.Err.Error())))
	}
	return out
}

// Brief is the exchange with no more of a long body than evidence has room for, to be kept where many are. The body
// ends between words, so that no part of a secret stands there unmasked.
func (e Exchange) Brief() Exchange {
	if begin := Beginning(e.Body, 2*maxEvidence); len(begin) < len(e.Body) {
		e.Body, e.Cut = bytes.Clone(begin), true
	}
	return e
}

// Beginning is the beginning of a text, so many bytes at most, that ends between words.
func Beginning(text []byte, most int) []byte {
	if len(text) <= most {
		return text
	}
	end := bytes.LastIndexFunc(text[:most], func(c rune) bool {
		return c < utf8.RuneSelf && !strings.ContainsRune("-._~+/=%", c) && !isAlphanumeric(c)
	})
	return text[:end+1]
}

func isAlphanumeric(c rune) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// String says what the handshake agreed on; nothing over plain HTTP.
func (t *TLS) String() string {
	if t == nil {
		return ""
	}
	s := t.Version + ", " + t.Suite
	if t.Issuer != "" {
		s += ", issued by " + t.Issuer
	}
	return s
}

// head is the header as it is sent, with the content type that a form brings along.
func (r Request) head() Params {
	head := slices.DeleteFunc(slices.Clone(r.Header), func(h Param) bool {
		return strings.EqualFold(h.Name, "Content-Type") && h.Value == ""
	})
	if t, chosen := r.contentType(); !chosen && t != "" {
		head = append(head, Param{"Content-Type", t})
	}
	return head
}

// contentType is what the body is announced as, and whether the header chose it.
func (r Request) contentType() (string, bool) {
	for _, h := range r.Header {
		if strings.EqualFold(h.Name, "Content-Type") {
			return h.Value, true
		}
	}
	if r.Form != nil && r.Body == "" {
		return formType, false
	}
	return "", false
}

func answerHead(e Exchange) Params {
	var head Params
	for _, name := range sorted(e.Header) {
		for _, v := range e.Header[name] {
			head = append(head, Param{name, v})
		}
	}
	return head
}

func (r *Redactor) head(head Params) string {
	lines := make([]string, len(head))
	for i, h := range head {
		lines[i] = oneLine(h.Name) + ": " + oneLine(r.header(h.Name, h.Value))
	}
	return strings.Join(lines, "\n")
}

func (r *Redactor) sent(q Request) string {
	if q.Body != "" {
		if t, _ := q.contentType(); strings.HasPrefix(strings.ToLower(t), formType) {
			parts := strings.Split(r.Text(r.params(q.Body)), "&")
			for i := range parts {
				parts[i] = oneLine(parts[i])
			}
			return strings.Join(parts, "\n")
		}
		return r.received([]byte(q.Body))
	}
	lines := make([]string, len(q.Form))
	for i, p := range q.Form {
		value := p.Value
		if kind := secretKind(p.Name); kind != "" && value != "" {
			value = r.mask(kind, value)
		}
		lines[i] = oneLine(r.Text(p.Name)) + "=" + oneLine(r.Text(value))
	}
	return strings.Join(lines, "\n")
}

func (r *Redactor) received(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	if binary(body) {
		return fmt.Sprintf("[%d bytes that are not text]", len(body))
	}
	return shown(strings.ReplaceAll(r.Page(string(body)), "\r\n", "\n"))
}

// binary forgives a text some bad bytes, which it is there to show.
func binary(b []byte) bool {
	b = b[:min(len(b), 4096)]
	bad := 0
	for i := 0; i < len(b); {
		c, n := utf8.DecodeRune(b[i:])
		if c == utf8.RuneError && n <= 1 || c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			bad++
		}
		i += n
	}
	return bad > 4 && bad*10 > len(b)
}

// shown writes what cannot be seen as escapes, newline and tab excepted.
func shown(s string) string {
	clean := func(c rune) bool {
		return c == '\n' || c == '\t' || c != utf8.RuneError && !unicode.IsControl(c) && !hidden(c)
	}
	if utf8.ValidString(s) && strings.IndexFunc(s, func(c rune) bool { return !clean(c) }) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == utf8.RuneError && n <= 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case clean(c) || c == utf8.RuneError:
			b.WriteRune(c)
		case c == '\r':
			b.WriteString(`\r`)
		case c < 0x80:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
		i += n
	}
	return b.String()
}

// hidden are characters that change how others look, such as those that turn the writing direction.
func hidden(c rune) bool { return unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp) }

func oneLine(s string) string {
	return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(shown(s))
}

// bounded cuts a text at a whole character and says how much is missing.
func bounded(s string) string {
	if len(s) <= maxEvidence {
		return s
	}
	const room = 64
	at := maxEvidence - room
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return fmt.Sprintf("%s\n… %d more bytes", s[:at], len(s)-at)
}
