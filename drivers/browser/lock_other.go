//go:build !unix

package browser

import (
	"errors"
	"os"
)

// hold makes the file; one that exists counts as held.
func hold(path string, flag int) (*os.File, error) {
	if flag&os.O_CREATE == 0 {
		return nil, errors.ErrUnsupported
	}
	return os.OpenFile(path, flag|os.O_RDWR, 0o600)
}
