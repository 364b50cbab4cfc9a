package main

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
)

// A stand is a listener on which sandboxes stand in for a deployment, one after the other.
type stand struct {
	url     string // over plain http
	secure  string // over TLS
	ca      string // the certificate of that, in PEM
	server  *http.Server
	current atomic.Pointer[sandbox.Sandbox]
	key     *rsa.PrivateKey
	file    []byte // the target file of the current one
	secrets map[string]string
}

// newStand listens on the address.
func newStand(ctx context.Context, address string, makeKey func() (*rsa.PrivateKey, error)) (*stand, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, unable("listen for the sandbox: %w", err)
	}
	key, err := makeKey()
	if err != nil {
		return nil, unable("%w", err)
	}
	secure, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, unable("listen for the sandbox: %w", err)
	}
	certificate, ca, err := throwAway()
	if err != nil {
		return nil, unable("%w", err)
	}
	st := &stand{url: "http://" + listener.Addr().String(), secure: "https://" + secure.Addr().String(), ca: ca, key: key}
	st.server = &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			st.current.Load().ServeHTTP(w, r)
		}),
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"},
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return st.current.Load().TLS(certificate), nil },
		},
		ErrorLog: log.New(io.Discard, "", 0), // handshakes fail here on purpose
	}
	go func() { _ = st.server.Serve(sandbox.FastLane(listener, st.current.Load)) }() // both end with close
	go func() { _ = st.server.ServeTLS(secure, "", "") }()
	return st, nil
}

// put starts a sandbox in place of the one before and returns it as a target.
func (st *stand) put(o sandbox.Options) (target.Target, error) {
	if o.Key == nil {
		o.Key = st.key
	}
	at := st.url
	if o.TLS {
		at, o.Plain = st.secure, st.url
	}
	sb, err := sandbox.New(o)
	if err != nil {
		return target.Target{}, misused("%w", err)
	}
	st.current.Store(sb)
	secrets := sb.Secrets()
	file := sb.TargetFile(at, func(name string) string { return "env:" + name })
	st.file, st.secrets = file, secrets
	t, err := target.Parse("the sandbox's target file", file, target.Lookup{
		Env:  func(name string) (string, bool) { s, ok := secrets[name]; return s, ok },
		File: readFile,
	})
	if err != nil {
		return target.Target{}, unable("%w", err)
	}
	if o.TLS {
		t.CA = st.ca
	}
	return t, nil
}

func (st *stand) close() { _ = st.server.Close() }

// A subject is what a run is about: a deployment, or the sandbox in its place.
type subject struct {
	target target.Target
	file   string // the path of its file
	text   []byte // of the file
	stand  *stand // nil: a deployment
}

func (s subject) close() {
	if s.stand != nil {
		s.stand.close()
	}
}

// choose reads the target file, or starts a sandbox where there is none.
func choose(ctx context.Context, c console, file string, o sandbox.Options) (subject, error) {
	if file != "" {
		if len(o.Faults) > 0 {
			return subject{}, misused("--fault is for the sandbox; leave out --target, or leave out --fault")
		}
		lookup := target.Lookup{Env: c.env, File: readFile}
		if c.blind {
			lookup.Env, lookup.File = blind(c)
		}
		t, err := target.Load(file, lookup)
		if errors.Is(err, os.ErrNotExist) {
			return subject{}, misused("%w; give the path of a target file, or leave --target out to try the sandbox", err)
		}
		if err != nil {
			return subject{}, misused("%w", err)
		}
		if o.Posture != "" {
			t.Profile = o.Posture
			if o.Posture != "space" {
				t.Edition = ""
			} else if t.Edition == "" {
				t.Edition = "space-2023"
			}
		}
		text, err := readFile(file)
		if err != nil {
			return subject{}, misused("%w", err)
		}
		return subject{target: t, file: file, text: text}, nil
	}
	st, err := newStand(ctx, "127.0.0.1:0", sandbox.NewKey)
	if err != nil {
		return subject{}, err
	}
	t, err := st.put(fitted(o))
	if err != nil {
		st.close()
		return subject{}, err
	}
	return subject{target: t, file: "sandbox.yaml", text: st.file, stand: st}, nil
}

// ca are the trust roots of the sandbox, which no file names.
func (s subject) ca() string {
	if s.stand == nil {
		return ""
	}
	return s.target.CA
}

// fitted is the sandbox on which the faults show, of the profile that was asked for.
func fitted(o sandbox.Options) sandbox.Options {
	ids, posture, edition := o.Faults, o.Posture, o.Edition
	for _, f := range sandbox.Faults() {
		if slices.Contains(ids, f.ID) {
			o = f.Options(o)
		}
	}
	o.Faults = ids
	if posture != "" || edition != "" {
		o.Posture, o.Edition = posture, edition
	}
	return o
}

// about names the subject for a line of progress.
func (s subject) about() string {
	if s.stand == nil {
		return fmt.Sprintf("%s (%s)", s.target.Name, s.target.URL)
	}
	return "the sandbox (" + s.target.URL[strings.Index(s.target.URL, "//")+2:] + ")"
}
