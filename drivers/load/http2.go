package load

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"flowproof/drivers/oauth"
)

// A trunk is one HTTP/2 connection that several wires share. It is opened again when it was lost.
type trunk struct {
	dial dialFunc

	mu    sync.Mutex
	conn  *http.ClientConn
	wires int // that use it
}

// http2 is a wire that is one stream at a time of a trunk.
type http2 struct {
	trunk   *trunk
	timeout time.Duration
	over    context.Context
	cancel  context.CancelFunc
	header  http.Header // of the last answer
	body    bytes.Buffer
}

// newHTTP2 makes the wires that share a connection.
func newHTTP2(dial dialFunc, timeout time.Duration, streams int) []wire {
	t := &trunk{dial: dial, wires: streams}
	out := make([]wire, streams)
	for i := range out {
		over, cancel := context.WithCancel(context.Background())
		out[i] = &http2{trunk: t, timeout: timeout, over: over, cancel: cancel}
	}
	return out
}

// open is the connection, which is made if there is none that takes another request.
func (t *trunk) open(ctx context.Context) (*http.ClientConn, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn != nil && t.conn.Err() == nil {
		return t.conn, nil
	}
	raw, err := t.dial(ctx)
	if err != nil {
		return nil, err
	}
	var only http.Protocols
	only.SetHTTP2(true)
	transport := &http.Transport{
		Protocols: &only, DisableCompression: true,
		DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return raw, nil },
	}
	if t.conn, err = transport.NewClientConn(ctx, "https", raw.RemoteAddr().String()); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return t.conn, nil
}

// leave closes the connection when the last of its wires goes.
func (t *trunk) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wires--; t.wires == 0 && t.conn != nil {
		_ = t.conn.Close()
	}
}

func (h *http2) connect() error {
	ctx, stop := context.WithTimeout(h.over, h.timeout)
	defer stop()
	_, err := h.trunk.open(ctx)
	return err
}

func (h *http2) do(message []byte, a *answer) error {
	ctx, stop := context.WithTimeout(h.over, h.timeout)
	defer stop()
	err := h.exchange(ctx, message, a)
	if err != nil && h.over.Err() != nil {
		return errCut
	}
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return err
}

func (h *http2) exchange(ctx context.Context, message []byte, a *answer) error {
	r, err := parsed(message)
	if err != nil {
		return err
	}
	conn, err := h.trunk.open(ctx)
	if err != nil {
		return err
	}
	resp, err := conn.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	h.header = resp.Header
	h.body.Reset()
	if _, err := h.body.ReadFrom(io.LimitReader(resp.Body, oauth.MaxBody+1)); err != nil {
		return err
	}
	if h.body.Len() > oauth.MaxBody {
		return errTooLarge
	}
	*a = answer{
		status: resp.StatusCode, contentType: []byte(h.header.Get("Content-Type")), retryAfter: []byte(h.header.Get("Retry-After")),
		location: []byte(h.header.Get("Location")), body: h.body.Bytes(),
	}
	for _, line := range h.header["Cache-Control"] {
		a.cacheControl = append(a.cacheControl, []byte(line))
	}
	return nil
}

var (
	errTooLarge = errors.New("load: the answer is too large")
	errUnsent   = errors.New("load: the request cannot be taken apart")
)

// parsed is a message of ours as a request.
func parsed(message []byte) (*http.Request, error) {
	head, body, ok := bytes.Cut(message, []byte("\r\n\r\n"))
	first, rest, more := bytes.Cut(head, []byte("\r\n"))
	words := bytes.SplitN(first, []byte(" "), 3)
	if !ok || len(words) != 3 {
		return nil, errUnsent
	}
	r := &http.Request{Method: string(words[0]), Header: make(http.Header, 6), ContentLength: int64(len(body))}
	for more {
		var line []byte
		line, rest, more = bytes.Cut(rest, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch string(name) {
		case "Host":
			r.Host = string(value)
		case "Content-Length":
		default:
			r.Header[http.CanonicalHeaderKey(string(name))] = append(r.Header[http.CanonicalHeaderKey(string(name))], string(value))
		}
	}
	path, query, _ := bytes.Cut(words[1], []byte("?"))
	r.URL = &url.URL{Scheme: "https", Host: r.Host, Path: string(path), RawPath: string(path), RawQuery: string(query)}
	if u, err := url.ParseRequestURI(string(words[1])); err == nil {
		r.URL.Path, r.URL.RawPath = u.Path, u.RawPath
	}
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return r, nil
}

func (h *http2) head() http.Header { return h.header }
func (h *http2) proto() string     { return "HTTP/2.0" }
func (h *http2) cut()              { h.cancel() }

func (h *http2) close() {
	h.cancel()
	h.trunk.leave()
}
