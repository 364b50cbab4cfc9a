package oauth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// ErrNoHTTP2 means that the server does not speak HTTP/2.
var ErrNoHTTP2 = errors.New("oauth: the server does not speak HTTP/2")

// RaceHTTP2 is Race over one HTTP/2 connection, all requests in one flight. Requests without a body cannot
// be held back, and are refused.
func (d *Driver) RaceHTTP2(ctx context.Context, requests ...Request) (Race, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, d.timeout, errLate(d.timeout))
	defer cancel()
	if len(requests) == 0 {
		return Race{}, nil
	}
	conn, err := d.multiplexed(ctx, requests[0])
	if err != nil {
		return Race{}, err
	}
	defer conn.Close()
	lanes := make([]*lane, len(requests))
	gates := make([]*gate, len(requests))
	start := make(chan struct{})
	for i, r := range requests {
		l := &lane{e: Exchange{Request: r.Changed(), Proto: "HTTP/2.0"}}
		gates[i] = &gate{start: start, ready: make(chan struct{})}
		if err := d.hold(ctx, l, gates[i]); err != nil {
			return Race{}, fmt.Errorf("oauth: line up for a race: %w", err)
		}
		lanes[i] = l
	}
	var racing sync.WaitGroup
	for i, l := range lanes {
		d.redactor.learnRequest(l.e.Request)
		racing.Go(func() {
			l.travel(ctx, conn)
			gates[i].arrive() // also if it never got that far
		})
	}
	for _, g := range gates {
		select {
		case <-g.ready:
		case <-ctx.Done():
		}
	}
	close(start)
	racing.Wait()
	for i, l := range lanes {
		if l.e.Started = gates[i].released(); l.e.Started.IsZero() {
			l.e.Started = l.ended
		}
	}
	return d.finish(lanes), nil
}

// multiplexed opens an HTTP/2 connection to where the request goes.
func (d *Driver) multiplexed(ctx context.Context, to Request) (*http.ClientConn, error) {
	r, err := d.request(ctx, to)
	if err != nil {
		return nil, err
	}
	if r.URL.Scheme != "https" {
		return nil, ErrNoHTTP2
	}
	raw, err := d.dial(ctx, r, 0, "h2")
	if err != nil {
		var alert tls.AlertError
		if errors.As(err, &alert) { // no_application_protocol
			return nil, ErrNoHTTP2
		}
		return nil, fmt.Errorf("oauth: line up for a race: %w", err)
	}
	if c, ok := raw.(*tls.Conn); !ok || c.ConnectionState().NegotiatedProtocol != "h2" {
		_ = raw.Close()
		return nil, ErrNoHTTP2
	}
	var only http.Protocols
	only.SetHTTP2(true)
	t := &http.Transport{
		Protocols: &only, DisableCompression: true, MaxResponseHeaderBytes: maxAnswerHead,
		DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return raw, nil },
	}
	conn, err := t.NewClientConn(ctx, "https", net.JoinHostPort(r.URL.Hostname(), port(r.URL)))
	if err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("oauth: line up for a race: %w", err)
	}
	return conn, nil
}

// hold makes the lane's request one whose last byte waits at the gate.
func (d *Driver) hold(ctx context.Context, l *lane, g *gate) error {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotFirstResponseByte: g.answered})
	r, err := d.request(ctx, l.e.Request)
	if err != nil {
		return err
	}
	if r.ContentLength < 1 {
		return errors.New("a request without a body cannot be held back")
	}
	g.body, g.left = r.Body, r.ContentLength
	r.Body, r.GetBody = g, nil
	l.sent = r
	l.gate = g
	return nil
}

// travel sends the request and reads what comes back.
func (l *lane) travel(ctx context.Context, conn *http.ClientConn) {
	resp, err := conn.RoundTrip(l.sent)
	if err == nil {
		defer resp.Body.Close()
		l.e.Status, l.e.Header, l.e.TLS = resp.StatusCode, resp.Header, facts(resp.TLS)
		err = l.e.body(resp.Body)
	}
	if err != nil {
		l.e.Err = because(ctx, "race", err)
	}
	l.first, l.ended = l.gate.came(), time.Now()
}

// A gate is a request's body that keeps its last byte back until the start.
type gate struct {
	body    io.ReadCloser
	left    int64
	start   <-chan struct{}
	ready   chan struct{}
	arrived sync.Once

	mu         sync.Mutex
	out, first time.Time
}

func (g *gate) arrive() { g.arrived.Do(func() { close(g.ready) }) }

// Read hands out the body, the last byte only after the start.
func (g *gate) Read(p []byte) (int, error) {
	if g.left > 1 {
		if int64(len(p)) >= g.left {
			p = p[:g.left-1]
		}
		n, err := g.body.Read(p)
		g.left -= int64(n)
		return n, err
	}
	g.arrive()
	<-g.start
	n, err := g.body.Read(p)
	if n > 0 {
		g.mu.Lock()
		g.out = time.Now()
		g.mu.Unlock()
	}
	return n, err
}

// Close gives the body up.
func (g *gate) Close() error { return g.body.Close() }

func (g *gate) answered() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.first.IsZero() {
		g.first = time.Now()
	}
}

func (g *gate) released() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.out
}

func (g *gate) came() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.first
}
