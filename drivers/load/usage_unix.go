//go:build unix

package load

import (
	"runtime"
	"syscall"
	"time"
)

// usage is what this process has used so far.
func usage() (cpu time.Duration, maxRSS int64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0
	}
	maxRSS = int64(u.Maxrss) //nolint:unconvert // 32 bits on some machines
	if runtime.GOOS != "darwin" {
		maxRSS *= 1024
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), maxRSS
}
