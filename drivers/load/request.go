package load

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"flowproof/drivers/oauth"
)

// An envelope is a request as bytes, with gaps for values that change.
type envelope struct {
	head, body []piece
	sized      bool // it has a body, and so a length
}

// A piece is text and, after it, the number of the value that fills the gap; below zero there is none.
type piece struct {
	text string
	gap  int
}

const mostGaps = 3

// gap stands for a value that changes; nothing else in a request contains it.
func gap(n int) string { return "flowproof-gap-" + strconv.Itoa(n) + "-a8d1" }

func encode(r oauth.Request) (*envelope, error) {
	u, err := url.Parse(r.FullURL())
	if err != nil {
		return nil, fmt.Errorf("load: make the request: the endpoint is not a URL")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: flowproof\r\n", r.Method, u.RequestURI(), u.Host)
	typed := false
	for _, h := range r.Header {
		if strings.ContainsAny(h.Name+h.Value, "\r\n") {
			return nil, fmt.Errorf("load: make the request: header %s has a line break", h.Name)
		}
		typed = typed || strings.EqualFold(h.Name, "Content-Type")
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
	}
	body := r.Body
	if body == "" {
		body = r.Form.Encode()
	}
	e := &envelope{sized: body != "" || r.Method == http.MethodPost, body: pieces(body)}
	if e.sized && !typed {
		b.WriteString("Content-Type: application/x-www-form-urlencoded\r\n")
	}
	if e.sized {
		b.WriteString("Content-Length: ")
	}
	e.head = pieces(b.String())
	return e, nil
}

// pieces cuts text at its gaps.
func pieces(text string) []piece {
	var out []piece
	for {
		at, number := len(text), -1
		for n := range mostGaps {
			if i := strings.Index(text, gap(n)); i >= 0 && i < at {
				at, number = i, n
			}
		}
		out = append(out, piece{text[:at], number})
		if number < 0 {
			return out
		}
		text = text[at+len(gap(number)):]
	}
}

// fill appends the request to b with the values in its gaps, as they stand: what goes into a form or a query
// is to be encoded.
func (e *envelope) fill(b []byte, values ...string) []byte {
	b = put(b, e.head, values)
	if !e.sized {
		return append(b, "\r\n"...)
	}
	length := 0
	for _, p := range e.body {
		length += len(p.text)
		if p.gap >= 0 {
			length += len(values[p.gap])
		}
	}
	b = strconv.AppendInt(b, int64(length), 10)
	b = append(b, "\r\n\r\n"...)
	return put(b, e.body, values)
}

func put(b []byte, all []piece, values []string) []byte {
	for _, p := range all {
		b = append(b, p.text...)
		if p.gap >= 0 {
			b = append(b, values[p.gap]...)
		}
	}
	return b
}

// sent is the request that was sent as these bytes, for evidence.
func sent(title, client, origin string, message []byte) oauth.Request {
	head, body, _ := strings.Cut(string(message), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	method, rest, _ := strings.Cut(lines[0], " ")
	path, _, _ := strings.Cut(rest, " ")
	r := oauth.Request{Title: title, Client: client, Method: method, URL: origin + path}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "Host", "User-Agent", "Content-Length", "Content-Type":
		default:
			r.Header = append(r.Header, oauth.Param{Name: name, Value: value})
		}
	}
	if body != "" {
		r.Form = oauth.ParseParams(body)
	}
	return r
}
