package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"sync"
)

// FastLane answers plain token requests itself, over HTTP/1.1 as net/http would and for half its price, so that
// those who measure do not measure net/http. A connection that brings anything else (another path, a header
// that is not usual, a body in pieces) is Accept's from then on. Of a sandbox that is bent or that signs its
// tokens, all of them are.
func FastLane(l net.Listener, current func() *Sandbox) net.Listener {
	f := &fastLane{Listener: l, current: current, others: make(chan net.Conn), failed: make(chan error, 1), open: map[net.Conn]bool{}}
	f.over, f.end = context.WithCancel(context.Background())
	go f.take()
	return f
}

type fastLane struct {
	net.Listener
	current func() *Sandbox
	others  chan net.Conn // whose requests are for net/http
	failed  chan error
	over    context.Context
	end     context.CancelFunc

	mu   sync.Mutex
	open map[net.Conn]bool
}

// take accepts connections until the listener fails or is closed.
func (f *fastLane) take() {
	for {
		c, err := f.Listener.Accept()
		if err != nil {
			f.failed <- err
			return
		}
		if !f.current().plain() {
			f.pass(c)
			continue
		}
		f.mu.Lock()
		f.open[c] = true
		f.mu.Unlock()
		go f.serve(c)
	}
}

// plain reports whether the token endpoint does nothing that takes more than a request and an answer.
func (s *Sandbox) plain() bool {
	return s != nil && len(s.options.Faults) == 0 && len(s.options.NearMisses) == 0 && s.options.Tokens == tokensOpaque && !s.options.TLS
}

func (f *fastLane) Accept() (net.Conn, error) {
	select {
	case c := <-f.others:
		return c, nil
	case err := <-f.failed:
		return nil, err
	}
}

// Close closes the listener and the connections of the lane.
func (f *fastLane) Close() error {
	f.end()
	err := f.Listener.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.open {
		_ = c.Close()
	}
	return err
}

func (f *fastLane) pass(c net.Conn) {
	select {
	case f.others <- c:
	case <-f.over.Done():
		_ = c.Close()
	}
}

// serve answers token requests until something else comes.
func (f *fastLane) serve(c net.Conn) {
	passed := false
	defer func() {
		fault := recover() // a request must not end the server, as it does not with net/http
		f.mu.Lock()
		delete(f.open, c)
		f.mu.Unlock()
		if !passed || fault != nil {
			_ = c.Close()
		}
	}()
	in := bufio.NewReaderSize(c, 4<<10)
	t := newTokenCall(f.over)
	for {
		if _, err := in.Peek(1); err != nil {
			return
		}
		s := f.current()
		b, _ := in.Peek(in.Buffered()) // no more than is there
		n := 0
		if s.plain() {
			n = t.read(b, s.paths().token)
		}
		if n == 0 {
			passed = true
			f.mu.Lock()
			delete(f.open, c) // net/http closes it from now on
			f.mu.Unlock()
			f.pass(&readAhead{c, bytes.NewReader(bytes.Clone(b))})
			return
		}
		s.ServeHTTP(t, &t.request)
		_, _ = in.Discard(n)
		if _, err := c.Write(t.answer()); err != nil || t.closing() {
			return
		}
	}
}

// readAhead is a connection of which something was read already.
type readAhead struct {
	net.Conn
	before *bytes.Reader
}

func (r *readAhead) Read(b []byte) (int, error) {
	if r.before.Len() > 0 {
		return r.before.Read(b)
	}
	return r.Conn.Read(b)
}
