//go:build !race

package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A trouble is a server that misbehaves.
type trouble struct {
	name  string
	start func(t *testing.T) address
	kind  kind
}

// An address is where a server is, and the root to trust for it, in PEM; empty: none of its own.
type address struct {
	url, ca string
	file    string   // its target file, if it has one of its own
	env     []string // that the file refers to
}

// A kind is what may be claimed of a server.
type kind int

const (
	mute  kind = iota // it gives no whole answer: nothing
	wrong             // it gives answers that are not right
	odd               // it gives answers that are right in their way, if one looks at a few of them
	page              // it is good but for its sign-in page: nothing of what needs a signed-in user
)

// talker is a server that does something to each connection, and then closes it.
func talker(talk func(c net.Conn, in *bufio.Reader)) func(*testing.T) address {
	return func(t *testing.T) address {
		l := listening(t)
		go talkTo(l, talk)
		return address{url: "http://" + l.Addr().String()}
	}
}

func listening(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// talkTo does to each connection what is to be done, until the listener is closed.
func talkTo(l net.Listener, talk func(c net.Conn, in *bufio.Reader)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			talk(c, bufio.NewReader(c))
		}()
	}
}

// answers is a server that reads each request and writes the same bytes, as they are.
func answers(raw string) func(*testing.T) address {
	return talker(func(c net.Conn, in *bufio.Reader) {
		for heardRequest(in) {
			if _, err := io.WriteString(c, raw); err != nil {
				return
			}
		}
	})
}

// heardRequest reads a request.
func heardRequest(in *bufio.Reader) bool {
	r, err := http.ReadRequest(in)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err == nil
}

// goesOn writes the beginning and then, for ever, more of the same.
func goesOn(begin, more string, every time.Duration) func(*testing.T) address {
	return talker(func(c net.Conn, in *bufio.Reader) {
		if !heardRequest(in) {
			return
		}
		_, err := io.WriteString(c, begin)
		for err == nil {
			_, err = io.WriteString(c, more)
			time.Sleep(every) // the server's own slowness
		}
	})
}

const (
	jsonHead = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
	endless  = "Content-Length: 1000000000000\r\n\r\n"
)

// sized is a whole answer with that body.
func sized(body string) string {
	return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", jsonHead, len(body), body)
}

// chunked is a whole answer whose body comes as that.
func chunked(chunks string) string { return jsonHead + "Transfer-Encoding: chunked\r\n\r\n" + chunks }

func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

const hostileToken = "0123456789abcdefABCDEF0123456789"

func tokenWith(more string) string {
	return `{"access_token":"` + hostileToken + `","token_type":"Bearer","expires_in":600` + more + `}`
}

// gzipBomb is a short answer that would be a very long one.
func gzipBomb() string {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	zeros := make([]byte, 1<<20)
	for range 200 {
		_, _ = z.Write(zeros)
	}
	_ = z.Close()
	return fmt.Sprintf("%sContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", jsonHead, out.Len(), out.String())
}

// troubles are the servers.
func troubles() []trouble {
	var down atomic.Int64
	return append(secureTroubles(), []trouble{
		{"refuses connections", func(t *testing.T) address {
			l := listening(t)
			_ = l.Close()
			return address{url: "http://" + l.Addr().String()}
		}, mute},
		{"resets at once", talker(func(c net.Conn, _ *bufio.Reader) { reset(c) }), mute},
		{"resets after the request", talker(func(c net.Conn, in *bufio.Reader) { heardRequest(in); reset(c) }), mute},
		{"resets in the head", talker(func(c net.Conn, in *bufio.Reader) {
			heardRequest(in)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-")
			reset(c)
		}), mute},
		{"resets in the body", talker(func(c net.Conn, in *bufio.Reader) {
			heardRequest(in)
			_, _ = io.WriteString(c, jsonHead+"Content-Length: 100\r\n\r\n{\"access")
			reset(c)
		}), mute},
		{"closes at once", talker(func(net.Conn, *bufio.Reader) {}), mute},
		{"says nothing", talker(func(_ net.Conn, in *bufio.Reader) { _, _ = io.Copy(io.Discard, in) }), mute},
		{"drips the head", goesOn("HTTP/1.1 200 OK\r\nX-Slow: ", "a", 200*time.Millisecond), mute},
		{"drips the body", goesOn(jsonHead+"Content-Length: 1000\r\n\r\n", "a", 200*time.Millisecond), mute},
		{"endless head", goesOn("HTTP/1.1 200 OK\r\n", strings.Repeat("X-More: and more\r\n", 1000), 0), mute},
		{"one endless header", goesOn("HTTP/1.1 200 OK\r\nX-More: ", strings.Repeat("a", 64<<10), 0), mute},
		{"endless body", goesOn(jsonHead+endless, strings.Repeat("[", 64<<10), 0), wrong},
		{"endless chunks", goesOn(jsonHead+"Transfer-Encoding: chunked\r\n\r\n", strings.Repeat("10\r\n0123456789abcdef\r\n", 1000), 0), wrong},
		{"interim answers for ever", goesOn("", "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n", 0), mute},
		{"a hundred interim answers", answers(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 100) + sized(tokenWith(""))), odd},
		{"100 MiB of JSON", goesOn(jsonHead+fmt.Sprintf("Content-Length: %d\r\n\r\n{\"a\":\"", 100<<20), strings.Repeat("x", 64<<10), 0), wrong},
		{"deep nesting", answers(sized(tokenWith(`,"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)))), wrong},
		{"a member twice", answers(sized(tokenWith(`,"access_token":"another"`))), odd},
		{"NaN", answers(sized(`{"access_token":"a","token_type":"Bearer","expires_in":NaN}`)), wrong},
		{"broken UTF-8", answers(sized("{\"access_token\":\"\xff\xfe\",\"token_type\":\"Bearer\",\"expires_in\":600}")), wrong},
		{"a byte order mark", answers(sized("\ufeff" + tokenWith(""))), wrong},
		{"JSON of another kind", answers(sized(`[null, 1e400, "\ud800"]`)), wrong},
		{"a length too long", talker(func(c net.Conn, in *bufio.Reader) {
			heardRequest(in)
			_, _ = io.WriteString(c, jsonHead+"Content-Length: 1000\r\n\r\n"+tokenWith(""))
		}), mute},
		{"a length too short", answers(jsonHead + "Content-Length: 10\r\n\r\n" + tokenWith("")), wrong},
		{"two lengths", answers(jsonHead + "Content-Length: 10\r\nContent-Length: 20\r\n\r\n" + tokenWith("")), mute},
		{"a length below zero", answers(jsonHead + "Content-Length: -1\r\n\r\n" + tokenWith("")), mute},
		{"a chunk that lies", answers(chunked("ffffffffffffffff\r\n{}\r\n0\r\n\r\n")), mute},
		{"a chunk without a size", answers(chunked("zz\r\n{}\r\n0\r\n\r\n")), mute},
		{"a body that ends in a chunk", talker(func(c net.Conn, in *bufio.Reader) {
			heardRequest(in)
			_, _ = io.WriteString(c, chunked("100\r\n"+tokenWith("")))
		}), mute},
		{"a gzip bomb", answers(gzipBomb()), wrong},
		{"no HTTP", answers("SSH-2.0-OpenSSH_9.2\r\n"), mute},
		{"HTTP of the first version", answers("<html>hello</html>"), mute},
		{"a status that is none", answers("HTTP/1.1 999999 What\r\n\r\n"), mute},
		{"a redirect to itself", answers("HTTP/1.1 302 Found\r\nLocation: /oauth/auth\r\nContent-Length: 0\r\n\r\n"), wrong},
		{"redirects that grow", talker(func(c net.Conn, in *bufio.Reader) {
			for n := 0; ; n++ {
				r, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				fmt.Fprintf(c, "HTTP/1.1 302 Found\r\nLocation: %s%s\r\nContent-Length: 0\r\n\r\n", r.URL.Path, "/more?"+r.URL.RawQuery)
			}
		}), wrong},
		{"a redirect to a file", answers("HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"), wrong},
		{"a redirect to a script", answers("HTTP/1.1 302 Found\r\nLocation: javascript:alert(1)\r\nContent-Length: 0\r\n\r\n"), wrong},
		{"a redirect to nowhere", answers("HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n"), wrong},
		{"cookies by the thousand", answers(jsonHead + strings.Repeat("Set-Cookie: a=b; Path=/\r\n", 2000) + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(tokenWith("")), tokenWith(""))), wrong},
		{"an hour off", answers(strings.Replace(sized(tokenWith("")), "\r\n", "\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n", 1)), odd},
		{"dies and comes back", talker(func(c net.Conn, in *bufio.Reader) {
			for heardRequest(in) {
				if down.Add(1)%40 > 20 {
					reset(c)
					return
				}
				if _, err := io.WriteString(c, sized(tokenWith(""))); err != nil {
					return
				}
			}
		}), wrong},
	}...)
}
