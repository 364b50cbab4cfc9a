//go:build unix

package browser

import (
	"os"
	"syscall"
)

// hold locks the file until it is closed or the process ends. A file that is held already is an error.
func hold(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
