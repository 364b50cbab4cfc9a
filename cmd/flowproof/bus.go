package main

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"flowproof/drivers/cluster"
)

// A busFlags says how NATS is reached.
type busFlags struct{ creds, nkey, ca, cert, key string }

func (f *busFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.creds, "creds", "", "of the bus: the credentials `file` of a user")
	flags.StringVar(&f.nkey, "nkey", "", "of the bus: the `file` with the seed of a user's key")
	flags.StringVar(&f.ca, "nats-ca", "", "of the bus: a PEM `file` of further trust roots")
	flags.StringVar(&f.cert, "nats-cert", "", "of the bus: the PEM `file` of the certificate to show")
	flags.StringVar(&f.key, "nats-key", "", "of the bus: the PEM `file` of that certificate's key")
}

// dial is how the bus at the address is reached. One with a password in it can be referred to, since everybody on a
// machine sees what processes are given: env:NAME, file:PATH.
func (f busFlags) dial(c console, address, name string) (cluster.Dial, error) {
	if variable, is := strings.CutPrefix(address, "env:"); is {
		if address, _ = c.env(variable); address == "" {
			return cluster.Dial{}, misused("env:%s: there is no such variable, or nothing in it; it is to hold the URL of the bus", variable)
		}
	}
	if path, is := strings.CutPrefix(address, "file:"); is {
		raw, err := readFile(path)
		if err != nil {
			return cluster.Dial{}, misused("%w", err)
		}
		address = strings.TrimSpace(string(raw))
	}
	if !strings.Contains(address, "://") {
		address = "nats://" + address
	}
	if (f.cert == "") != (f.key == "") {
		return cluster.Dial{}, misused("--nats-cert and --nats-key go together")
	}
	for _, path := range []string{f.creds, f.nkey, f.ca, f.cert, f.key} {
		if path == "" {
			continue
		}
		if _, err := readFile(path); err != nil {
			return cluster.Dial{}, misused("%w", err)
		}
	}
	return cluster.Dial{URL: address, Credentials: f.creds, NKey: f.nkey, CA: f.ca, Cert: f.cert, Key: f.key, Name: name}, nil
}

// uncovered are errors of a run with agents that keep it from being completed.
func uncovered(err error) bool {
	return errors.Is(err, cluster.ErrBus) || errors.Is(err, cluster.ErrCrew) || errors.Is(err, cluster.ErrIncomplete)
}

// elsewhereEnv stands in for secrets that only the agents have.
const elsewhereEnv = "AAAAAAAA" // which is also base32, as seeds are

// blind is a lookup for a target whose secrets the agents look up.
func blind(c console) (env func(string) (string, bool), file func(string) ([]byte, error)) {
	return func(name string) (string, bool) {
			if value, ok := c.env(name); ok && value != "" {
				return value, true
			}
			return elsewhereEnv, true
		}, func(path string) ([]byte, error) {
			raw, err := readFile(path)
			if err != nil && filepath.Ext(path) != ".yaml" && filepath.Ext(path) != ".yml" {
				return []byte(elsewhereEnv), nil //nolint:nilerr // the agents have it
			}
			return raw, err
		}
}
