package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"flowproof/drivers/oauth"
)

// A wire carries one request at a time and brings its answer back.
type wire interface {
	// connect gets ready to send, so that the first request need not.
	connect() error
	// do sends the bytes of a request and reads the answer. An error means that no whole answer came.
	do(request []byte, a *answer) error
	// head is the header of the last answer, for evidence.
	head() http.Header
	// proto is the protocol of the last answer.
	proto() string
	// cut ends what is under way, from another goroutine; do then returns an error, now and ever after.
	cut()
	close()
}

var errCut = errors.New("load: the run ended before the answer came")

// http1 is a wire over one HTTP/1.1 connection, which it opens again when it was lost.
type http1 struct {
	dial    dialFunc
	timeout time.Duration
	keep    bool // the connection serves many requests

	conn     net.Conn // nil: none is open
	reader   *bufio.Reader
	quick    quick // the last answer, when it was of the usual shape
	usual    bool
	response fasthttp.Response // the last answer, when it was not
	answered bool              // the connection has brought an answer
	last     time.Time         // when it was used
	until    time.Time         // its deadline

	mu   sync.Mutex // guards what cut needs
	open net.Conn
	over bool
}

const (
	readBuffer = 16 << 10
	idleCheck  = 500 * time.Millisecond // a connection that rested longer may have been closed by the server
)

func newHTTP1(dial dialFunc, timeout time.Duration, keep bool) *http1 {
	h := &http1{dial: dial, timeout: timeout, keep: keep, reader: bufio.NewReaderSize(nil, readBuffer)}
	h.response.Header.SetNoDefaultContentType(true) // what the server did not say is not to be judged
	return h
}

func (h *http1) connect() error {
	if h.conn != nil || !h.keep {
		return nil
	}
	return h.redial(time.Now())
}

func (h *http1) do(request []byte, a *answer) error {
	now := time.Now()
	if h.conn != nil && now.Sub(h.last) > idleCheck && !alive(h.conn, h.answered) {
		h.drop()
	}
	if h.conn == nil {
		if err := h.redial(now); err != nil {
			return err
		}
	}
	err := h.exchange(request, now)
	h.last = now
	if err != nil {
		h.drop()
		if h.isOver() {
			return errCut
		}
		return err
	}
	h.answered = true
	var closing bool
	if q := &h.quick; h.usual {
		*a = answer{status: q.status, contentType: q.contentType, cacheControl: q.cache, retryAfter: q.retry, location: q.location, body: q.body}
		closing = q.closing
	} else {
		head := &h.response.Header
		*a = answer{
			status: h.response.StatusCode(), contentType: head.ContentType(), body: h.response.Body(),
			cacheControl: head.PeekAll("Cache-Control"), retryAfter: head.Peek("Retry-After"), location: head.Peek("Location"),
		}
		closing = head.ConnectionClose()
	}
	// Bytes that nobody asked for would pass for the next answer.
	if !h.keep || closing || h.reader.Buffered() > 0 {
		h.drop()
	}
	return nil
}

func (h *http1) exchange(request []byte, now time.Time) error {
	// Setting a deadline costs as much as reading the answer; so one serves many quick requests, each
	// of which has the timeout and at most a fiftieth more.
	if h.until.Sub(now) < h.timeout {
		h.until = now.Add(h.timeout + h.timeout/50)
		if err := h.conn.SetDeadline(h.until); err != nil {
			return err
		}
	}
	if _, err := h.conn.Write(request); err != nil {
		return err
	}
	// With many connections the answer is there when the others have had their turn, which spares a
	// read in vain and a wake-up: a tenth of the CPU time, measured.
	runtime.Gosched()
	// The parser takes every error of the first read for the end of the stream.
	if _, err := h.reader.Peek(1); err != nil {
		return err
	}
	b, err := h.reader.Peek(h.reader.Buffered())
	if err != nil {
		return err
	}
	if h.usual = h.quick.read(b); h.usual {
		_, err = h.reader.Discard(h.quick.size)
		return err
	}
	return h.response.ReadLimitBody(h.reader, oauth.MaxBody)
}

func (h *http1) redial(now time.Time) error {
	ctx, stop := context.WithDeadline(context.Background(), now.Add(h.timeout))
	defer stop()
	conn, err := h.dial(ctx)
	if err != nil {
		return err
	}
	h.conn, h.answered, h.last, h.until = conn, false, now, time.Time{}
	h.reader.Reset(conn)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		_ = conn.Close()
		h.conn = nil
		return errCut
	}
	h.open = conn
	return nil
}

func (h *http1) head() http.Header {
	if h.usual {
		return h.quick.header()
	}
	out := http.Header{}
	for name, value := range h.response.Header.All() {
		out.Add(string(name), string(value))
	}
	return out
}

func (h *http1) proto() string { return "HTTP/1.1" }

func (h *http1) drop() {
	if h.conn == nil {
		return
	}
	_ = h.conn.Close()
	h.conn = nil
	h.mu.Lock()
	h.open = nil
	h.mu.Unlock()
}

func (h *http1) isOver() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.over
}

func (h *http1) cut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
	if h.open != nil {
		_ = h.open.Close()
	}
}

func (h *http1) close() { h.drop() }

// raw is the connection under TLS.
func raw(c net.Conn) net.Conn {
	if t, ok := c.(*tls.Conn); ok {
		return t.NetConn()
	}
	return c
}
