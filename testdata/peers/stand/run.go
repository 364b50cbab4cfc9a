package stand

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// A Run is the life of a peer as a process: where it listens, where its target file goes, when it ends.
type Run struct {
	Listen   string
	Out      string
	UntilEOF bool
}

// A Peer is a running server and what is to be known about it.
type Peer struct {
	Handler      http.Handler
	Target       Target
	Registration Registration
}

// Flags declares the flags that every peer has.
func (r *Run) Flags(f *flag.FlagSet) {
	f.StringVar(&r.Listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 takes a free one")
	f.StringVar(&r.Out, "out", "", "`folder` for target.yaml and the secrets that it names (required)")
	f.BoolVar(&r.UntilEOF, "until-eof", false, "end when standard input is closed")
}

// Serve listens, builds the peer for its base URL, writes the target file, says so in one line on stdout, and
// serves until the context ends or, if wished, stdin is closed.
func (r Run) Serve(ctx context.Context, stdin io.Reader, stdout io.Writer, build Build) error {
	if r.Out == "" {
		return errors.New("stand: no folder for the target file; give one with -out")
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", r.Listen)
	if err != nil {
		return fmt.Errorf("stand: listening: %w", err)
	}
	defer listener.Close()
	base := "http://" + listener.Addr().String()

	peer, err := build(base)
	if err != nil {
		return err
	}
	path, err := Write(r.Out, peer.Target, peer.Registration)
	if err != nil {
		return err
	}

	ctx, end := context.WithCancel(ctx)
	defer end()
	if r.UntilEOF {
		go func() {
			defer end()
			_, _ = io.Copy(io.Discard, stdin)
		}()
	}
	server := &http.Server{Handler: peer.Handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if _, err := fmt.Fprintf(stdout, "listening on %s, target %s\n", base, path); err != nil {
		return fmt.Errorf("stand: saying that it listens: %w", err)
	}

	select {
	case err := <-served:
		return fmt.Errorf("stand: serving: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		// Whoever still holds a connection after the grace is cut off; that is no failure of the peer.
		return server.Close()
	}
	return nil
}
