package oauth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"flowproof/drivers/target"
)

// Options adjust a driver; the zero value is a good one.
type Options struct {
	UserAgent string         // "flowproof" when empty
	Observe   func(Exchange) // called once for each exchange, in order of completion, never twice at a time; must not call Send
	Redactor  *Redactor      // shared with other drivers of the same target; the driver makes its own when nil
	Proxy     func(*http.Request) (*url.URL, error)
	Forget    bool // do not learn secrets: for runs of which no exchange is ever shown
}

// A Driver sends requests to one target, exactly as they are, and brings back what came.
// It keeps connections alive, never follows a redirect, keeps no cookies and never repeats a POST.
type Driver struct {
	target    target.Target
	agent     string
	timeout   time.Duration
	transport *http.Transport
	redactor  *Redactor
	tried     *Tried
	forgets   bool
	demanded  map[target.Grant]string // scopes of ordinary requests, where the deployment demands one

	observing sync.Mutex
	observers []*func(Exchange)
}

const (
	defaultAgent   = "flowproof"
	defaultTimeout = 10 * time.Second
	maxAnswerHead  = 1 << 20
)

// New makes a driver that trusts the system's roots and those of the target.
func New(t target.Target, o Options) (*Driver, error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS10} //nolint:gosec // what the deployment offers is to be recorded, not forbidden
	if t.CA != "" {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM([]byte(t.CA)) {
			return nil, errors.New("oauth: read the target's trust roots: no certificate in PEM form")
		}
		trust.RootCAs = roots
	}
	d := &Driver{target: t, agent: o.UserAgent, timeout: t.Timeout, redactor: o.Redactor, tried: NewTried(), forgets: o.Forget}
	if o.Observe != nil {
		d.observers = append(d.observers, &o.Observe)
	}
	if d.agent == "" {
		d.agent = defaultAgent
	}
	if d.timeout <= 0 {
		d.timeout = defaultTimeout
	}
	if d.redactor == nil {
		d.redactor = NewRedactor(t)
	}
	d.transport = &http.Transport{
		Proxy:                  o.Proxy,
		DialContext:            (&net.Dialer{Timeout: d.timeout}).DialContext,
		TLSClientConfig:        trust,
		TLSHandshakeTimeout:    d.timeout,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: maxAnswerHead,
	}
	return d, nil
}

// Close drops the idle connections.
func (d *Driver) Close() { d.transport.CloseIdleConnections() }

// Roots are the trust roots of the target's own; nil means the system's alone.
func (d *Driver) Roots() *x509.CertPool { return d.transport.TLSClientConfig.RootCAs }

// Redactor knows every secret that went over this driver.
func (d *Driver) Redactor() *Redactor { return d.redactor }

// Tried knows what became of the people's credentials in the run, whichever user agent gave them.
func (d *Driver) Tried() *Tried { return d.tried }

// Send sends the request once and waits for the whole answer, at most the target's timeout.
// Whatever happens is in the exchange; Err is set when there was no whole answer.
func (d *Driver) Send(ctx context.Context, r Request) Exchange {
	e := d.send(ctx, r)
	d.tell(e)
	return e
}

// send is Send, of which no observer is told.
func (d *Driver) send(ctx context.Context, r Request) Exchange {
	e := Exchange{Request: r.Changed(), Started: time.Now()}
	e.Err = d.exchange(ctx, &e)
	e.Duration = time.Since(e.Started)
	d.learn(e)
	return e
}

// Report files an exchange that was made by other means, as by a browser: it is learnt and observed
// like the driver's own.
func (d *Driver) Report(e Exchange) {
	d.learn(e)
	d.tell(e)
}

func (d *Driver) learn(e Exchange) {
	if d.forgets {
		return
	}
	d.redactor.learnRequest(e.Request)
	d.redactor.learnAnswer(e)
}

// Subscribe calls observe for each exchange from now on, under the rules of Options.Observe, until
// the returned function is called.
func (d *Driver) Subscribe(observe func(Exchange)) (stop func()) {
	d.observing.Lock()
	defer d.observing.Unlock()
	d.observers = append(d.observers, &observe)
	return func() {
		d.observing.Lock()
		defer d.observing.Unlock()
		d.observers = slices.DeleteFunc(d.observers, func(o *func(Exchange)) bool { return o == &observe })
	}
}

func (d *Driver) tell(e Exchange) {
	d.observing.Lock()
	defer d.observing.Unlock()
	for _, observe := range d.observers {
		(*observe)(e)
	}
}

func (d *Driver) exchange(ctx context.Context, e *Exchange) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d.timeout, errLate(d.timeout))
	defer cancel()
	// The first byte may be reported after RoundTrip gave up, so it has its own guard.
	var waited firstByte
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotFirstResponseByte: func() { waited.set(time.Since(e.Started)) },
	})
	req, err := d.request(ctx, e.Request)
	if err != nil {
		return err
	}
	resp, err := d.transport.RoundTrip(req)
	e.Waited = waited.get()
	if err != nil {
		return because(ctx, "send "+e.Request.Method, err)
	}
	defer resp.Body.Close()
	e.Status, e.Proto, e.Header, e.TLS = resp.StatusCode, resp.Proto, resp.Header, facts(resp.TLS)
	if resp.ProtoMajor == 2 {
		e.Proto = "HTTP/2.0"
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	if len(body) > MaxBody {
		body, e.Cut = body[:MaxBody], true
	}
	e.Body = body
	if err != nil {
		return because(ctx, "read the answer's body", err)
	}
	return nil
}

// request turns r into a request of net/http, or says what of it net/http would not send as told.
func (d *Driver) request(ctx context.Context, r Request) (*http.Request, error) {
	var body io.Reader
	switch {
	case r.Body != "":
		body = strings.NewReader(r.Body)
	case len(r.Form) > 0:
		body = strings.NewReader(r.Form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.FullURL(), body)
	if err != nil {
		return nil, fmt.Errorf("oauth: make the request: %w", err)
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" || req.URL.Host == "" {
		return nil, errors.New("oauth: make the request: the URL is not an absolute http or https URL")
	}
	for _, h := range r.Header {
		switch name := http.CanonicalHeaderKey(h.Name); name {
		case "Host":
			req.Host = h.Value
		case "Content-Length", "Transfer-Encoding", "Trailer":
			return nil, fmt.Errorf("oauth: make the request: header %s cannot be chosen", name)
		default:
			req.Header[name] = append(req.Header[name], h.Value)
		}
	}
	if v, ok := req.Header["Content-Type"]; ok && len(v) == 1 && v[0] == "" {
		delete(req.Header, "Content-Type")
	} else if !ok && r.Form != nil && r.Body == "" {
		req.Header["Content-Type"] = []string{formType}
	}
	if _, ok := req.Header["User-Agent"]; !ok {
		req.Header["User-Agent"] = []string{d.agent}
	}
	return req, nil
}

const formType = "application/x-www-form-urlencoded"

func facts(s *tls.ConnectionState) *TLS {
	if s == nil {
		return nil
	}
	f := &TLS{Version: tls.VersionName(s.Version), Suite: tls.CipherSuiteName(s.CipherSuite)}
	if len(s.PeerCertificates) > 0 {
		f.Issuer = s.PeerCertificates[0].Issuer.String()
	}
	return f
}

func errLate(d time.Duration) error { return fmt.Errorf("no whole answer within %v", d) }

func because(ctx context.Context, tried string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return fmt.Errorf("oauth: %s: %w", tried, hushed{err})
}

// hushed is an error of net/http without the bytes of the server that it repeats, which may be a piece of a token.
type hushed struct{ error }

func (h hushed) Error() string {
	text := h.error.Error()
	at := strings.Index(text, "malformed ")
	if at < 0 {
		return text
	}
	const shown = 8 // enough to recognise a protocol
	if from := strings.IndexAny(text[at:], `":`); from >= 0 && len(text) > at+from+shown+2 {
		return strings.ToValidUTF8(text[:at+from+shown+1], "") + "…"
	}
	return text
}

func (h hushed) Unwrap() error { return h.error }

type firstByte struct {
	mu   sync.Mutex
	wait time.Duration
}

func (f *firstByte) set(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.wait == 0 {
		f.wait = d
	}
}

func (f *firstByte) get() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.wait
}
