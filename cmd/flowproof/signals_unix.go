//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// surviveWrites makes a reader that went away (| head) an error of the write, which a verb can tell and clean up after,
// and not the end of the process. What is started gets the signal as usual.
func surviveWrites() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
