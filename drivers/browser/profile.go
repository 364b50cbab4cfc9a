package browser

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	profilePrefix = "flowproof-browser-"
	lockName      = "flowproof.lock"
)

// A profile is the browser's folder. The lock on it tells whether the run that made it still lives.
type profile struct {
	dir  string
	lock *os.File
}

// newProfile makes a folder that no other run sweeps, after it swept those of runs that were killed.
func newProfile() (*profile, error) {
	sweep(os.TempDir())
	dir, err := os.MkdirTemp("", profilePrefix)
	if err != nil {
		return nil, fmt.Errorf("browser: making a profile: %w", err)
	}
	lock, err := hold(filepath.Join(dir, lockName), os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("browser: locking the profile: %w", err), os.RemoveAll(dir))
	}
	return &profile{dir, lock}, nil
}

// remove takes the folder away, once no process of the browser is left that would write into it.
func (p *profile) remove() error {
	const patience = 5 * time.Second
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for leftovers(p.dir) > 0 && time.Now().Before(deadline) {
		<-tick.C
	}
	err := os.RemoveAll(p.dir)
	for err != nil && time.Now().Before(deadline) {
		<-tick.C
		err = os.RemoveAll(p.dir)
	}
	err = errors.Join(err, p.lock.Close())
	if err != nil {
		return fmt.Errorf("browser: removing the profile: %w", err)
	}
	return nil
}

// sweep removes the profiles of runs that were killed: those whose lock nobody holds any more.
func sweep(temp string) {
	dirs, err := filepath.Glob(filepath.Join(temp, profilePrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		lock, err := hold(filepath.Join(dir, lockName), 0)
		if err != nil {
			continue
		}
		if leftovers(dir) == 0 {
			_ = os.RemoveAll(dir) // what cannot be removed now is tried again next time
		}
		_ = lock.Close()
	}
}
