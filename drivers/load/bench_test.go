package load

import (
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"flowproof/drivers/target"
)

func BenchmarkVerify(b *testing.B) {
	jwt := fine()
	jwt.body = []byte(`{"access_token":"eyJ` + strings.Repeat("A", 1000) + `","token_type":"Bearer","expires_in":600,"scope":"**"}`)
	for name, a := range map[string]answer{"opaque": fine(), "jwt": jwt} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(a.body)))
			var m members
			for b.Loop() {
				if verify(&a, target.ClientCredentials, &m) != 0 {
					b.Fatal("not verified")
				}
			}
		})
	}
}

func BenchmarkRecord(b *testing.B) {
	b.ReportAllocs()
	r := newRecorder(1, newSeries())
	var at time.Duration
	for b.Loop() {
		at += 10 * time.Microsecond
		r.add(&outcome{due: at, sent: at, done: at + 300*time.Microsecond, answered: true, free: true})
	}
}

func BenchmarkUnique(b *testing.B) {
	u := newUniques(0)
	token := make([]byte, 43)
	var n uint64
	for b.Loop() {
		n++
		binary.LittleEndian.PutUint64(token, n)
		if repeated, _ := u.add(token, 0); repeated {
			b.Fatal("repeated")
		}
	}
}

// BenchmarkEndToEnd sends b.N requests to a server on loopback in this process.
func BenchmarkEndToEnd(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	s := &fasthttp.Server{Handler: func(c *fasthttp.RequestCtx) {
		c.SetContentType("application/json")
		c.Response.Header.Set("Cache-Control", "no-store")
		fmt.Fprintf(c, `{"access_token":"token-%020d","token_type":"Bearer","expires_in":600}`, n.Add(1))
	}}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	tgt := testTarget()
	tgt.Endpoints.Token = "http://" + l.Addr().String() + "/oauth/token"
	b.ReportAllocs()
	b.ResetTimer()
	r, err := Run(b.Context(), tgt, Plan{Model: Closed, Count: int64(b.N), Connections: 64}, Options{Together: true})
	b.StopTimer()
	if err != nil || r.Steps[0].Verified != int64(b.N) {
		b.Fatal(err, r.Steps)
	}
	b.ReportMetric(r.Rate.Achieved, "answers/s")
	if err := s.Shutdown(); err != nil {
		b.Fatal(err)
	}
	<-done
}

// BenchmarkHTTP2 sends b.N requests over TLS to a server on loopback in this process.
func BenchmarkHTTP2(b *testing.B) {
	tgt, _ := secureIssuer(b, true)
	b.ReportAllocs()
	b.ResetTimer()
	r, err := Run(b.Context(), tgt, Plan{Model: Closed, Count: int64(b.N), Protocol: HTTP2, Connections: 4, Streams: 16}, Options{Together: true})
	b.StopTimer()
	if err != nil || r.Steps[0].Verified+r.Steps[0].Throttled != int64(b.N) {
		b.Fatal(err, r.Steps)
	}
	b.ReportMetric(r.Rate.Achieved, "answers/s")
}
