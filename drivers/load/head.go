package load

import (
	"bytes"
	"net/http"
	"strings"
)

// A quick is an answer of the usual shape that lies in the read buffer as a whole; its slices point there.
type quick struct {
	raw         []byte // the head
	size        int    // of head and body
	status      int
	contentType []byte
	cache       [][]byte
	retry       []byte
	location    []byte
	body        []byte
	closing     bool
}

// read takes an answer apart. It reports false for whatever is not of the usual shape (no length, chunks,
// interim answers, folded lines, a body that has not arrived): the general parser is to look at that.
func (q *quick) read(b []byte) bool {
	const start = len("HTTP/1.1 200")
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < start || string(b[:len("HTTP/1.1 ")]) != "HTTP/1.1 " {
		return false
	}
	status := 0
	for _, c := range b[len("HTTP/1.1 "):start] {
		if c < '0' || c > '9' {
			return false
		}
		status = 10*status + int(c-'0')
	}
	// These have no body, or are not the last word.
	if status < 200 || status == 204 || status == 304 || b[start] != ' ' && b[start] != '\r' {
		return false
	}
	*q = quick{raw: b[:end+2], status: status, cache: q.cache[:0]}
	length := -1
	lines := q.raw
	for n := bytes.IndexByte(lines, '\n'); n+1 < len(lines); {
		lines = lines[n+1:]
		n = bytes.IndexByte(lines, '\n')
		line := lines[:n]
		colon := bytes.IndexByte(line, ':')
		if colon < 1 || line[len(line)-1] != '\r' || line[0] <= ' ' || line[colon-1] <= ' ' {
			return false
		}
		if !q.field(line[:colon], bytes.TrimSpace(line[colon+1:]), &length) {
			return false
		}
	}
	if length < 0 || len(b)-end-4 < length {
		return false
	}
	q.size = end + 4 + length
	q.body = b[end+4 : q.size]
	return true
}

func (q *quick) field(name, value []byte, length *int) bool {
	switch len(name) {
	case len("connection"):
		if foldedEqual(name, "connection") {
			q.closing = !foldedEqual(value, "keep-alive")
		}
	case len("location"):
		if foldedEqual(name, "location") {
			q.location = value
		}
	case len("retry-after"):
		if foldedEqual(name, "retry-after") {
			q.retry = value
		}
	case len("content-type"):
		if foldedEqual(name, "content-type") {
			q.contentType = value
		}
	case len("cache-control"):
		if foldedEqual(name, "cache-control") {
			q.cache = append(q.cache, value)
		}
	case len("content-length"):
		if foldedEqual(name, "content-length") {
			if *length >= 0 || len(value) == 0 || len(value) > 7 || !wholeNumber(value) {
				return false
			}
			*length = 0
			for _, c := range value {
				*length = 10**length + int(c-'0')
			}
		}
	case len("transfer-encoding"):
		return !foldedEqual(name, "transfer-encoding")
	}
	return true
}

// header is the head for evidence.
func (q *quick) header() http.Header {
	out := http.Header{}
	for i, line := range strings.Split(string(q.raw), "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && i > 0 {
			out.Add(name, strings.TrimSpace(value))
		}
	}
	return out
}
