// Package cluster sends one plan's load from many machines. NATS finds the agents, carries the words between them and
// keeps what they counted; what an agent does with its part of the plan is package load's.
package cluster

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A Dial says how the bus is reached. Paths are of files.
type Dial struct {
	URL         string // nats://host:4222, tls://host:4222; several with commas between them
	Credentials string // of a user with a JWT
	NKey        string // the seed of a user's key
	CA          string // further trust roots, PEM
	Cert, Key   string // by which the server knows this side, PEM
	Name        string // of this side, for the server's own monitoring
	Patient     bool   // waits for a server that is not there yet
}

// Shown is the URL without what is secret in it.
func (d Dial) Shown() string {
	var out []string
	for one := range strings.SplitSeq(d.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil {
			out = append(out, "(an address that cannot be read)")
			continue
		}
		if u.User != nil {
			u.User = url.User("redacted")
		}
		out = append(out, u.String())
	}
	return strings.Join(out, ",")
}

// ErrBus says that there is no bus, or that it does not do what it has to.
var ErrBus = errors.New("the bus")

// again is how long a side waits before it looks for the bus again.
const again = 100 * time.Millisecond

// A Bus is a connection to NATS that is found again whenever it is lost.
type Bus struct {
	conn  *nats.Conn
	js    jetstream.JetStream
	shown string

	mu    sync.Mutex
	back  time.Time // when the connection was found again
	heard []func()  // called then
}

// Connect connects.
func Connect(d Dial) (*Bus, error) {
	b := &Bus{shown: d.Shown()}
	options := []nats.Option{
		nats.Name("flowproof " + d.Name), nats.MaxReconnects(-1), nats.ReconnectWait(again), nats.ReconnectJitter(again/2, again/2), nats.Timeout(5 * time.Second),
		nats.PingInterval(2 * time.Second), nats.MaxPingsOutstanding(2), nats.RetryOnFailedConnect(d.Patient),
		nats.IgnoreAuthErrorAbort(), // a server that restarts may not know its users yet
		nats.ReconnectHandler(func(*nats.Conn) { b.found() }),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // what was tried fails with its own error
	}
	if d.Credentials != "" {
		options = append(options, nats.UserCredentials(d.Credentials))
	}
	if d.NKey != "" {
		key, err := nats.NkeyOptionFromSeed(d.NKey)
		if err != nil {
			return nil, fmt.Errorf("cluster: read the nkey: %w", err)
		}
		options = append(options, key)
	}
	if d.CA != "" {
		options = append(options, nats.Secure(&tls.Config{MinVersion: tls.VersionTLS12}), nats.RootCAs(d.CA))
	}
	if d.Cert != "" || d.Key != "" {
		options = append(options, nats.ClientCert(d.Cert, d.Key))
	}
	conn, err := nats.Connect(d.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w at %s: %w", ErrBus, b.shown, hidden(err, d.URL))
	}
	b.conn = conn
	if b.js, err = jetstream.New(conn); err != nil {
		conn.Close()
		return nil, fmt.Errorf("cluster: %w at %s: %w", ErrBus, b.shown, err)
	}
	return b, nil
}

// hidden is an error that may repeat an address with a password in it.
func hidden(err error, raw string) error {
	if strings.Contains(raw, "@") && strings.Contains(err.Error(), "@") {
		return errors.New("the address cannot be used")
	}
	return err
}

func (b *Bus) found() {
	b.mu.Lock()
	b.back = time.Now()
	heard := append([]func(){}, b.heard...)
	b.mu.Unlock()
	for _, f := range heard {
		go f()
	}
}

// whenFound calls f whenever the connection is found again.
func (b *Bus) whenFound(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard = append(b.heard, f)
}

// upSince is when the connection was found again the last time; ok reports whether there is one.
func (b *Bus) upSince() (since time.Time, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.back, b.conn.IsConnected()
}

// Traffic is how much this side sent.
func (b *Bus) Traffic() (messages, bytes int64) {
	s := b.conn.Stats()
	return int64(s.OutMsgs), int64(s.OutBytes) // far below
}

// Close drops the connection.
func (b *Bus) Close() { b.conn.Close() }
