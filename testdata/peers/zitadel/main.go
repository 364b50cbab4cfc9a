// Command zitadel is an authorization server built on package op of github.com/zitadel/oidc: a peer to try flowproof
// on, with that library's own defaults and its own findings.
package main

import (
	"flag"
	"log/slog"
	"os"

	"flowproof/peers/stand"
)

func command() stand.Command {
	return stand.Command{Name: "zitadel", Declare: func(flags *flag.FlagSet) stand.Build {
		// The library says each refusal to the default logger, and to no other.
		slog.SetDefault(slog.New(slog.DiscardHandler))
		tokens := stand.OneOf(flags, "tokens", "access tokens: `opaque|jwt`", "opaque", "jwt")
		return func(base string) (stand.Peer, error) { return newPeer(base, tokens.String() == "jwt") }
	}}
}

func main() { os.Exit(command().Main()) }
