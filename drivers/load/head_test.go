package load

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/valyala/fasthttp"
)

// What the quick reader takes, the general parser reads in the same way.
func FuzzQuick(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 429 \r\nretry-after: 1\r\ncache-control: private\r\nCache-Control:no-store\r\ncontent-length: 0\r\nConnection: close\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", "HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", "HTTP/1.1 200\r\nX:\r\n folded\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var q quick
		if !q.read(b) {
			return
		}
		var general fasthttp.Response
		general.Header.SetNoDefaultContentType(true)
		if err := general.ReadLimitBody(bufio.NewReaderSize(bytes.NewReader(b), readBuffer), 1<<20); err != nil {
			return // it is stricter with what is in values
		}
		if q.status != general.StatusCode() || !bytes.Equal(q.body, general.Body()) {
			t.Fatalf("%q: %d %q, the general parser reads %d %q", b, q.status, q.body, general.StatusCode(), general.Body())
		}
		if got, want := forbidsStoring(q.cache), forbidsStoring(general.Header.PeekAll("Cache-Control")); got != want {
			t.Fatalf("%q: no-store %v, the general parser says %v", b, got, want)
		}
	})
}

func TestQuickTakesTheUsualShapeOnly(t *testing.T) {
	for s, want := range map[string]bool{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}":                                true,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{":                                 false,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n":                                      false,
		"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}":                                false,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n":                false,
		"HTTP/1.1 100 Go\r\nContent-Length: 0\r\n\r\n":                                  false,
		"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}":                               false,
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\n{}":                  false,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}":           false,
		"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}":                               false,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon\r\n\r\n{}":                    false,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: no-store\r\n\r\n{}more": true,
	} {
		var q quick
		if got := q.read([]byte(s)); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func BenchmarkQuick(b *testing.B) {
	answer := []byte("HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 13:00:00 GMT\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: 2\r\nCache-Control: no-store\r\nPragma: no-cache\r\n\r\n{}")
	b.ReportAllocs()
	var q quick
	for b.Loop() {
		if !q.read(answer) {
			b.Fatal("not the usual shape")
		}
	}
}
