package oauth

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// A Race is what came of requests that were released at the same moment.
type Race struct {
	Exchanges []Exchange    // in the order of the requests, each started when it was released
	Spread    time.Duration // between the first release and the last
	Flying    int           // how many were released when the first answer came
}

// Overlapped reports whether at least two requests were under way at the same time. Without that, they
// were one after the other, and the race proves nothing.
func (r Race) Overlapped() bool { return r.Flying > 1 }

// Race opens a connection for each request, to one address of the host after the other, sends all of each
// request but its last byte over HTTP/1.1, and then all the last bytes at once. What comes back is observed
// like the answers to Send. An error means that nothing was released.
func (d *Driver) Race(ctx context.Context, requests ...Request) (Race, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, d.timeout, errLate(d.timeout))
	defer cancel()
	lanes, err := d.lanes(ctx, requests)
	defer func() {
		for _, l := range lanes {
			l.close()
		}
	}()
	if err != nil {
		return Race{}, fmt.Errorf("oauth: line up for a race: %w", err)
	}
	defer context.AfterFunc(ctx, func() {
		for _, l := range lanes {
			l.close()
		}
	})()
	var reading sync.WaitGroup
	for _, l := range lanes {
		reading.Go(l.read)
	}
	for _, l := range lanes {
		l.release()
	}
	reading.Wait()
	for _, l := range lanes {
		if l.e.Err != nil {
			l.e.Err = because(ctx, "race", l.e.Err)
		}
	}
	return d.finish(lanes), nil
}

// finish says how well the requests of a race overlapped, and tells of each.
func (d *Driver) finish(lanes []*lane) Race {
	var r Race
	var last, answered time.Time
	for i, l := range lanes {
		if i == 0 || l.e.Started.After(last) {
			last = l.e.Started
		}
		if !l.first.IsZero() && (answered.IsZero() || l.first.Before(answered)) {
			answered = l.first
		}
	}
	first := last
	for _, l := range lanes {
		if l.e.Started.Before(first) {
			first = l.e.Started
		}
		if answered.IsZero() || l.e.Started.Before(answered) {
			r.Flying++
		}
		if !l.first.IsZero() {
			l.e.Waited = max(0, l.first.Sub(l.e.Started)) // some answer before they have read it all
		}
		l.e.Duration = max(0, l.ended.Sub(l.e.Started))
		r.Exchanges = append(r.Exchanges, l.e)
		d.Report(l.e)
	}
	r.Spread = last.Sub(first)
	return r
}

// A lane is one request of a race and its connection.
type lane struct {
	e       Exchange
	sent    *http.Request
	conn    net.Conn
	rest    []byte    // the last byte
	gate    *gate     // that keeps it back, over HTTP/2
	first   time.Time // when the first byte of the answer came
	ended   time.Time // when the last did
	closing sync.Once
}

func (l *lane) close() {
	l.closing.Do(func() {
		if l.conn != nil {
			_ = l.conn.Close()
		}
	})
}

// lanes opens the connections, all at the same time, and sends what may be sent before the release.
func (d *Driver) lanes(ctx context.Context, requests []Request) ([]*lane, error) {
	lanes := make([]*lane, len(requests))
	failed := make([]error, len(requests))
	var opening sync.WaitGroup
	for i, r := range requests {
		l := &lane{e: Exchange{Request: r.Changed(), Proto: "HTTP/1.1"}}
		lanes[i] = l
		d.redactor.learnRequest(l.e.Request)
		opening.Go(func() { failed[i] = d.lineUp(ctx, l, i) })
	}
	opening.Wait()
	return lanes, errors.Join(failed...)
}

func (d *Driver) lineUp(ctx context.Context, l *lane, turn int) error {
	var err error
	if l.sent, err = d.request(ctx, l.e.Request); err != nil {
		return err
	}
	var raw bytes.Buffer
	if err := l.sent.Write(&raw); err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	if l.conn, err = d.dial(ctx, l.sent, turn, "http/1.1"); err != nil {
		return err
	}
	if c, ok := l.conn.(*tls.Conn); ok {
		state := c.ConnectionState()
		l.e.TLS = facts(&state)
	}
	begin := raw.Bytes()
	l.rest = begin[len(begin)-1:]
	if _, err := l.conn.Write(begin[:len(begin)-1]); err != nil {
		return fmt.Errorf("send the request: %w", err)
	}
	return nil
}

// dial opens a connection to the host of the request and shakes hands. Which of several addresses is tried
// first goes by turns.
func (d *Driver) dial(ctx context.Context, r *http.Request, turn int, protocol string) (net.Conn, error) {
	if d.transport.Proxy != nil {
		if proxy, err := d.transport.Proxy(r); err != nil || proxy != nil {
			return nil, errors.New("a proxy stands between: requests cannot be released together")
		}
	}
	addresses, err := net.DefaultResolver.LookupHost(ctx, r.URL.Hostname())
	if err != nil {
		return nil, fmt.Errorf("look up the host: %w", err)
	}
	slices.Sort(addresses)
	var conn net.Conn
	for i := range addresses {
		at := net.JoinHostPort(addresses[(turn+i)%len(addresses)], port(r.URL))
		if conn, err = d.transport.DialContext(ctx, "tcp", at); err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if r.URL.Scheme != "https" {
		return conn, nil
	}
	trust := d.transport.TLSClientConfig.Clone()
	trust.ServerName, trust.NextProtos = r.URL.Hostname(), []string{protocol}
	secure := tls.Client(conn, trust)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("shake hands: %w", err)
	}
	return secure, nil
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// release sends the last byte.
func (l *lane) release() {
	l.e.Started = time.Now()
	if _, err := l.conn.Write(l.rest); err != nil {
		l.close() // whoever reads learns of it
	}
}

// Read notes when the first byte of the answer came.
func (l *lane) Read(p []byte) (int, error) {
	n, err := l.conn.Read(p)
	if n > 0 && l.first.IsZero() {
		l.first = time.Now()
	}
	return n, err
}

// read waits for the answer, which it may get before the request is released.
func (l *lane) read() {
	resp, err := l.answer()
	if err == nil {
		defer resp.Body.Close()
		l.e.Status, l.e.Header = resp.StatusCode, resp.Header
		err = l.e.body(resp.Body)
	}
	if err != nil {
		l.e.Err = err
	}
	l.ended = time.Now()
}

// answer skips interim answers.
func (l *lane) answer() (*http.Response, error) {
	in := bufio.NewReader(io.LimitReader(l, maxAnswerHead+MaxBody+1))
	for range 5 {
		resp, err := http.ReadResponse(in, l.sent)
		if err != nil || resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
		_ = resp.Body.Close()
	}
	return nil, errors.New("there were only interim answers")
}

// body reads the answer's body, as much of it as is kept.
func (e *Exchange) body(from io.Reader) error {
	body, err := io.ReadAll(io.LimitReader(from, MaxBody+1))
	if len(body) > MaxBody {
		body, e.Cut = body[:MaxBody], true
	}
	e.Body = body
	return err
}
