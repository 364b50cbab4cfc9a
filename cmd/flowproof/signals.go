package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interruptible ends with the first interrupt; the second one ends the process at once.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
