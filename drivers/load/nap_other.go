//go:build !linux

package load

import "time"

// napper sleeps as precisely as the runtime's timers do.
type napper struct{}

func newNapper() *napper { return &napper{} }

// nap sleeps for about d.
func (*napper) nap(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // there is nothing to wait for but the time
}

func (*napper) close() {}
