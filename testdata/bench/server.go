package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// serve is a token endpoint that does as little as one can: a random token for whoever asks with a Basic header.
// It prints its base URL. GET /count is how many tokens it issued; GET /zero begins anew, stalls too.
func serve(ctx context.Context, out io.Writer, every, stall time.Duration) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var issued, since atomic.Int64
	since.Store(time.Now().UnixNano())
	s := &fasthttp.Server{NoDefaultServerHeader: true, Handler: func(c *fasthttp.RequestCtx) {
		switch string(c.Path()) {
		case "/count":
			fmt.Fprint(c, issued.Load())
			return
		case "/zero":
			issued.Store(0)
			since.Store(time.Now().UnixNano())
			return
		}
		if !c.IsPost() || len(c.Request.Header.Peek("Authorization")) == 0 {
			c.SetStatusCode(fasthttp.StatusUnauthorized)
			return
		}
		if every > 0 { // it stalls at the end of each period
			if at := time.Duration(time.Now().UnixNano()-since.Load()) % every; at > every-stall {
				time.Sleep(every - at)
			}
		}
		issued.Add(1)
		c.SetContentType("application/json")
		c.Response.Header.Set("Cache-Control", "no-store")
		c.SetBody(answer())
	}}
	fmt.Fprintf(out, "http://%s\n", listener.Addr())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

func answer() []byte {
	var token [24]byte
	_, _ = rand.Read(token[:]) // never fails
	b := make([]byte, 0, 128)
	b = append(b, `{"access_token":"`...)
	b = base64.RawURLEncoding.AppendEncode(b, token[:])
	return append(b, `","token_type":"Bearer","expires_in":3600}`...)
}
