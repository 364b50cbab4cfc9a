package load

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"syscall"

	"github.com/valyala/fasthttp"

	"flowproof/drivers/target"
)

// A dialFunc opens a connection, ready for requests.
type dialFunc func(context.Context) (net.Conn, error)

// dialer returns what opens a connection to the token endpoint, ready for the protocol.
func dialer(t target.Target, protocol string) (dialFunc, error) {
	u, err := url.Parse(t.Endpoints.Token)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("load: the token endpoint is not an absolute http or https URL")
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	address := net.JoinHostPort(u.Hostname(), port)
	plain := func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", address)
	}
	if u.Scheme == "http" {
		if protocol == HTTP2 {
			return nil, errors.New("load: HTTP/2 is spoken over TLS, and the token endpoint is an http URL; give an https one, or choose protocol: http/1.1")
		}
		return plain, nil
	}
	trust, err := tlsConfig(t.CA, protocol)
	if err != nil {
		return nil, err
	}
	trust.ServerName = u.Hostname()
	return func(ctx context.Context) (net.Conn, error) {
		conn, err := plain(ctx)
		if err != nil {
			return nil, err
		}
		secure := tls.Client(conn, trust)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, handshakeError{err}
		}
		if protocol == HTTP2 && secure.ConnectionState().NegotiatedProtocol != HTTP2 {
			_ = conn.Close()
			return nil, handshakeError{errNoHTTP2}
		}
		return secure, nil
	}, nil
}

func tlsConfig(ca, protocol string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{protocol}}
	if ca == "" {
		return c, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM([]byte(ca)) {
		return nil, errors.New("load: read the target's trust roots: no certificate in PEM form")
	}
	c.RootCAs = roots
	return c, nil
}

type handshakeError struct{ error }

func (e handshakeError) Unwrap() error { return e.error }

var errNoHTTP2 = errors.New("load: the server does not speak HTTP/2")

// The classes of requests without a whole answer.
const (
	timedOut   = "timeout"
	cutOff     = "cut off"
	unverified = "not verified"
	noChain    = "no refresh token"
	noAccess   = "no access token"
	accepted   = "accepted"
	noCode     = "no code"
	otherwise  = "refused in another way"
)

// class names an error for the record. It never holds a byte that came from the server.
func class(err error) string {
	var (
		handshake handshakeError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		untrusted *tls.CertificateVerificationError
		lookup    *net.DNSError
		small     *fasthttp.ErrSmallBuffer
		timeout   net.Error
	)
	switch {
	case errors.Is(err, errCut):
		return cutOff
	case errors.Is(err, errNoHTTP2):
		return "no HTTP/2 there"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, fasthttp.ErrTimeout),
		errors.As(err, &timeout) && timeout.Timeout():
		return timedOut
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return noFiles
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return noPorts
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "unreachable"
	case errors.As(err, &lookup):
		return "name not found"
	case errors.As(err, &handshake), errors.As(err, &record), errors.As(err, &alert), errors.As(err, &untrusted):
		return "tls"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "eof"
	case errors.Is(err, fasthttp.ErrBodyTooLarge), errors.Is(err, errTooLarge):
		return "answer too large"
	case errors.As(err, &small):
		return "header too large"
	case errors.Is(err, fs.ErrClosed):
		return "eof"
	}
	return "malformed answer"
}

// statusClass names an answer that is no success.
func statusClass(status int, code []byte) string {
	if len(code) == 0 {
		return fmt.Sprintf("status %d", status)
	}
	return fmt.Sprintf("status %d %s", status, code)
}
