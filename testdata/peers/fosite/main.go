// Command fosite is an authorization server built on github.com/ory/fosite: a peer to try flowproof on, with
// fosite's own defaults and its own findings.
package main

import (
	"flag"
	"os"

	"flowproof/peers/stand"
)

func command() stand.Command {
	return stand.Command{Name: "fosite", Declare: func(flags *flag.FlagSet) stand.Build {
		tokens := stand.OneOf(flags, "tokens", "access tokens: `opaque|jwt`", "opaque", "jwt")
		pkce := stand.OneOf(flags, "public-pkce", "PKCE of public clients: `required|optional`", "required", "optional")
		return func(base string) (stand.Peer, error) {
			return newPeer(base, options{signed: tokens.String() == "jwt", pkceForPublic: pkce.String() == "required"})
		}
	}}
}

func main() { os.Exit(command().Main()) }
