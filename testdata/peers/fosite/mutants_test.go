package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"flowproof/drivers/target"
	"flowproof/peers/mangle"
	"flowproof/peers/stand"
)

var flags = mangle.DeclareFlags() //nolint:gochecknoglobals // flags are declared before tests run

// TestMutantsAreCaught bends what fosite says over the wire.
func TestMutantsAreCaught(t *testing.T) {
	mangle.Test(t, flags, func(base string) (http.Handler, target.Target, error) {
		peer, err := newPeer(base, options{pkceForPublic: true})
		if err != nil {
			return nil, target.Target{}, err
		}
		path, err := stand.Write(t.TempDir(), peer.Target, peer.Registration)
		if err != nil {
			return nil, target.Target{}, err
		}
		described, err := target.Load(path, target.Lookup{Env: os.LookupEnv, File: os.ReadFile})
		return peer.Handler, described, err
	}, "survivors.yaml", filepath.Join("..", "mangle", "survivors.yaml"))
}
