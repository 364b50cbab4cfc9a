package sandbox

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// A tokenCall is a token request of the usual shape, and the answer to it; one serves a connection.
type tokenCall struct {
	request http.Request
	body    bytes.Reader
	header  http.Header // of the answer
	status  int
	content []byte
	out     []byte
	names   []string
}

func newTokenCall(ctx context.Context) *tokenCall {
	t := &tokenCall{header: http.Header{}}
	t.request = *(&http.Request{
		Method: http.MethodPost, URL: &url.URL{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
	}).WithContext(ctx)
	t.request.Body = io.NopCloser(&t.body)
	return t
}

// read takes the request at the beginning of b and returns its size. It returns 0 for whatever is not of the
// usual shape or not there as a whole: net/http is to look at that.
func (t *tokenCall) read(b []byte, path string) int {
	first, rest, _ := bytes.Cut(b, []byte("\r\n"))
	if !usualLine(first, path) {
		return 0
	}
	head := bytes.Index(b, []byte("\r\n\r\n"))
	if head < 0 {
		return 0
	}
	clear(t.header)
	t.status, t.content = http.StatusOK, t.content[:0]
	r := &t.request
	r.URL.Path, r.ContentLength, r.Form, r.PostForm = path, -1, nil, nil
	var seen [8]bool
	for rest = rest[:head+2-len(first)-2]; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(": "))
		at := usualHeader(name)
		if !ok || at < 0 || seen[at] || !usualValue(value) {
			return 0
		}
		seen[at] = true
		if !t.take(at, value) {
			return 0
		}
	}
	for at, there := range seen {
		if !there {
			delete(r.Header, usualHeaders()[at])
		}
	}
	size := head + 4 + int(r.ContentLength)
	if !seen[hostHeader] || r.ContentLength < 0 || len(b) < size {
		return 0
	}
	t.body.Reset(b[head+4 : size])
	return size
}

func usualLine(line []byte, path string) bool {
	const method, version = "POST ", " HTTP/1.1"
	return len(line) == len(method)+len(path)+len(version) && string(line[:len(method)]) == method &&
		string(line[len(method):len(line)-len(version)]) == path && string(line[len(line)-len(version):]) == version
}

const (
	hostHeader = iota
	lengthHeader
	connectionHeader
)

// usualHeaders are those that a request of the usual shape has at most, each once; the first three have their own
// places in an http.Request.
func usualHeaders() [8]string {
	return [8]string{"Host", "Content-Length", "Connection", "Authorization", "Content-Type", "User-Agent", "Accept", "Accept-Encoding"}
}

func usualHeader(name []byte) int {
	known := usualHeaders()
	for i := range known {
		if len(known[i]) == len(name) && bytes.EqualFold(name, []byte(known[i])) {
			return i
		}
	}
	return -1
}

// take puts a header where the handlers look for it, and reports whether it is a usual one.
func (t *tokenCall) take(at int, value []byte) bool {
	r := &t.request
	switch at {
	case hostHeader:
		if r.Host != string(value) {
			r.Host = string(value)
		}
		return usualHost(value)
	case lengthHeader:
		n, err := strconv.ParseUint(string(value), 10, 12)
		r.ContentLength = int64(n)
		return err == nil
	case connectionHeader:
		return bytes.EqualFold(value, []byte("keep-alive"))
	}
	name := usualHeaders()[at]
	if was := r.Header[name]; len(was) == 1 && was[0] == string(value) {
		return true
	}
	r.Header[name] = []string{string(value)}
	return true
}

// usualValue reports whether a value has no control characters and no space around it.
func usualValue(value []byte) bool {
	for _, c := range value {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return len(value) > 0 && value[0] != ' ' && value[len(value)-1] != ' '
}

func usualHost(value []byte) bool {
	for _, c := range value {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == ':' || c == '-' || c == '[' || c == ']') {
			return false
		}
	}
	return true
}

func (t *tokenCall) Header() http.Header { return t.header }

func (t *tokenCall) WriteHeader(status int) { t.status = status }

func (t *tokenCall) Write(b []byte) (int, error) {
	t.content = append(t.content, b...)
	return len(b), nil
}

func (t *tokenCall) closing() bool { return t.header.Get("Connection") == "close" }

// answer is the answer as net/http writes it: the headers in order of their names, then the date and the length.
func (t *tokenCall) answer() []byte {
	b := append(t.out[:0], "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(t.status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(t.status)...)
	b = append(b, '\r', '\n')
	t.names = t.names[:0]
	for name := range t.header {
		t.names = append(t.names, name)
	}
	slices.Sort(t.names)
	for _, name := range t.names {
		for _, value := range t.header[name] {
			b = header(b, name, value)
		}
	}
	b = append(b, "Date: "...)
	b = time.Now().UTC().AppendFormat(b, http.TimeFormat)
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(t.content)), 10)
	b = append(b, '\r', '\n', '\r', '\n')
	t.out = append(b, t.content...)
	return t.out
}

func header(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ':', ' ')
	b = append(b, value...)
	return append(b, '\r', '\n')
}
