package load

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// napper sleeps precisely. A kernel timer that is waited for like a socket wakes within some tens of
// microseconds and blocks no thread, where the runtime's own timers round up to a millisecond.
type napper struct {
	timer *os.File
	fd    int
}

func newNapper() *napper {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return &napper{}
	}
	return &napper{os.NewFile(uintptr(fd), "timer"), fd} // a descriptor is not negative
}

// nap sleeps for about d. One goroutine at a time may call it.
func (n *napper) nap(d time.Duration) {
	if !n.kernel(d) {
		time.Sleep(d) //nolint:forbidigo // there is nothing to wait for but the time
	}
}

func (n *napper) kernel(d time.Duration) bool {
	if n.timer == nil || d < time.Microsecond {
		return false
	}
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if err := unix.TimerfdSettime(n.fd, 0, &at, nil); err != nil {
		return false
	}
	var expired [8]byte
	_, err := n.timer.Read(expired[:])
	return err == nil
}

func (n *napper) close() {
	if n.timer != nil {
		_ = n.timer.Close()
	}
}
