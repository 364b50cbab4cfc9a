// Command gooauth2 is an authorization server built on github.com/go-oauth2/oauth2: a peer to try flowproof on, with
// that library's own defaults and its own findings.
package main

import (
	"flag"
	"os"

	"flowproof/peers/stand"
)

func command() stand.Command {
	return stand.Command{Name: "gooauth2", Declare: func(*flag.FlagSet) stand.Build { return newPeer }}
}

func main() { os.Exit(command().Main()) }
