package cluster

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A way leads from one address to another, and can be cut or made longer.
type way struct {
	at    string
	delay time.Duration
	cut   atomic.Bool

	all  sync.WaitGroup
	mu   sync.Mutex
	open []io.Closer
}

// lead leads all who come to the listener there, each way a while later.
func lead(l net.Listener, there string, delay time.Duration) *way {
	w := &way{at: l.Addr().String(), delay: delay, open: []io.Closer{l}}
	w.all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", there) //nolint:noctx // it ends with the test
			if err != nil {
				_ = in.Close()
				continue
			}
			w.mu.Lock()
			w.open = append(w.open, in, out)
			w.mu.Unlock()
			w.all.Go(func() { w.carry(out, in) })
			w.all.Go(func() { w.carry(in, out) })
		}
	})
	return w
}

func (w *way) close() {
	w.mu.Lock()
	for _, c := range w.open {
		_ = c.Close()
	}
	w.mu.Unlock()
	w.all.Wait()
}

// carry carries bytes from one side to the other; of a way that is cut they get lost.
func (w *way) carry(to io.WriteCloser, from io.ReadCloser) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if w.delay > 0 {
			<-time.After(w.delay)
		}
		if w.cut.Load() {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
