// Command bench measures flowproof beside the load generators that people use, against a bare token server on
// loopback, and prints ratios with the bars that they have to reach. Absolute figures are this machine's; only
// the ratios of one run travel.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	var b bench
	serveAt := flag.Bool("serve", false, "be the token server, on a free port of loopback")
	h2 := flag.String("h2", "", "of the token server: speak HTTP/2 over TLS, and leave the certificate in this `folder`")
	stallEvery := flag.Duration("stall-every", 0, "of the token server: how often it stalls")
	stallFor := flag.Duration("stall-for", 0, "of the token server: how long it stalls then")
	flag.StringVar(&b.flowproof, "flowproof", "bin/flowproof", "the `binary` to measure")
	flag.StringVar(&b.tools, "tools", "", "a `folder` to look for the peers in, besides PATH")
	flag.IntVar(&b.repeats, "repeats", 3, "how often each tool runs in the closed comparison, in turn")
	flag.DurationVar(&b.each, "each", 3*time.Second, "how long each of those runs takes")
	flag.Int64Var(&b.many, "many", 2_000_000, "the requests of the long run for the growth of memory; the short one has a tenth")
	flag.StringVar(&b.only, "only", "", "only these `parts`: closed,http2,stall,pacing,memory,sandbox,grants")
	strict := flag.Bool("strict", false, "exit with 1 when a bar is missed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case *serveAt && *h2 != "":
		err = serveHTTP2(ctx, os.Stdout, *h2)
	case *serveAt:
		err = serve(ctx, os.Stdout, *stallEvery, *stallFor)
	default:
		b.out = os.Stdout
		err = b.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(3)
	}
	if *strict && b.missed > 0 {
		os.Exit(1)
	}
}

// A bench is one series of measurements.
type bench struct {
	flowproof, tools, only string
	repeats                int
	each                   time.Duration
	many                   int64
	out                    io.Writer
	folder                 string // for the peers' scripts and the target file
	missed                 int
}

func (b *bench) run(ctx context.Context) error {
	var err error
	if b.folder, err = os.MkdirTemp("", "flowproof-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.folder)
	b.machine()
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{{"closed", b.closed}, {"http2", b.http2}, {"stall", b.stall}, {"pacing", b.pacing}, {"memory", b.memory}, {"sandbox", b.sandbox}, {"grants", b.grants}} {
		if b.only != "" && !strings.Contains(","+b.only+",", ","+part.name+",") {
			continue
		}
		if err := part.do(ctx); err != nil {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			b.missed++
			b.sayf("  %s was not measured: %v", part.name, err)
		}
	}
	b.sayf("\n%d bars missed", b.missed)
	return nil
}

// machine says how far the figures can be trusted.
func (b *bench) machine() {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return
	}
	var one float64
	if _, err := fmt.Fscan(bytes.NewReader(load), &one); err == nil && one > 0.5 {
		b.sayf("This machine is busy (load %.1f): the figures below are rough.", one)
	}
}

func (b *bench) sayf(format string, args ...any) { fmt.Fprintf(b.out, format+"\n", args...) }

// bar prints a figure beside what it has to reach.
func (b *bench) bar(what string, value float64, unit string, bound string, held bool) {
	mark := "✓"
	if !held {
		mark = "✗"
		b.missed++
	}
	b.sayf("  %s %-44s %10s   bar %s", mark, what, fmt.Sprintf("%.4g%s", value, unit), bound)
}
