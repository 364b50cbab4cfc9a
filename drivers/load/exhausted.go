package load

import (
	"errors"
	"fmt"
)

// ErrExhausted says that this machine, not the target, has no room for the connections of the plan.
var ErrExhausted = errors.New("this machine ran out of means")

// The classes of requests that this machine could not send.
const (
	noFiles = "no file descriptors left here"
	noPorts = "no ports left here"
)

// mend says what helps against a class that is this machine's own doing.
func mend(class string) string {
	switch class {
	case noFiles:
		return "raise the limit of open files (ulimit -n), or let the plan have fewer connections"
	case noPorts:
		return "keep connections alive, let the plan have fewer of them, or widen the range of local ports (sysctl net.ipv4.ip_local_port_range); closed connections hold their port for a minute"
	}
	return ""
}

// exhausted is the error of a connection that this machine has no room for, nil for any other.
func exhausted(errs []error) error {
	for _, err := range errs {
		if err == nil {
			continue
		}
		if c := class(err); mend(c) != "" {
			failed := 0
			for _, err := range errs {
				if err != nil {
					failed++
				}
			}
			return fmt.Errorf("load: %w: %d of %d connections could not be opened (%s); %s", ErrExhausted, failed, len(errs), c, mend(c))
		}
	}
	return nil
}

// own is how many requests were not sent because of this machine, and the class that came most.
func (t *tally) own() (n int64, most string) {
	for _, c := range []string{noFiles, noPorts} {
		if t.errors[c] > t.errors[most] {
			most = c
		}
		n += t.errors[c]
	}
	return n, most
}
