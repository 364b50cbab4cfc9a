// Command fosite is an authorization server built on github.com/ory/fosite: a peer to try flowproof on, with
// fosite's own defaults and its own findings.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"flowproof/peers/stand"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var life stand.Run
	flags := flag.NewFlagSet("fosite", flag.ContinueOnError)
	flags.SetOutput(stderr)
	life.Flags(flags)
	tokens := flags.String("tokens", "opaque", "access tokens: opaque or jwt")
	pkce := flags.String("public-pkce", "required", "PKCE of public clients: required or optional")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *tokens != "opaque" && *tokens != "jwt" {
		return fmt.Errorf("fosite: -tokens is opaque or jwt, not %q", *tokens)
	}
	if *pkce != "required" && *pkce != "optional" {
		return fmt.Errorf("fosite: -public-pkce is required or optional, not %q", *pkce)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("fosite: unexpected argument %q", flags.Arg(0))
	}
	chosen := options{signed: *tokens == "jwt", pkceForPublic: *pkce == "required"}
	return life.Serve(ctx, stdin, stdout, func(base string) (stand.Peer, error) { return newPeer(base, chosen) })
}
