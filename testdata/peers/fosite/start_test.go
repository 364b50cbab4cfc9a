package main

import (
	"testing"

	"flowproof/peers/probe"
	"flowproof/peers/stand"
)

func start(t testing.TB, o options) *probe.Bench {
	t.Helper()
	return probe.Start(t, func(base string) (stand.Peer, error) { return newPeer(base, o) })
}
