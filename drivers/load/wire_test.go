package load

import (
	"bufio"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

const request = "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"

// scripted accepts connections and hands each to the function.
func scripted(t *testing.T, serve func(c net.Conn, r *bufio.Reader)) target.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c, bufio.NewReader(c))
			}()
		}
	}()
	tgt := testTarget()
	tgt.Endpoints.Token = "http://" + l.Addr().String() + "/oauth/token"
	return tgt
}

// read takes one request off the connection.
func read(r *bufio.Reader) bool {
	req, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err == nil
}

func open(t *testing.T, tgt target.Target, timeout time.Duration, keep bool) *http1 {
	t.Helper()
	dial, err := dialer(tgt, HTTP1)
	if err != nil {
		t.Fatal(err)
	}
	h := newHTTP1(dial, timeout, keep)
	t.Cleanup(h.close)
	return h
}

func TestWireReadsEveryKindOfAnswer(t *testing.T) {
	for name, c := range map[string]struct{ answer, body, class string }{
		"length":            {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\n{}", "{}", ""},
		"lower-case names":  {"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\ncontent-length: 2\r\n\r\n{}", "{}", ""},
		"chunks":            {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", "{}", ""},
		"interim":           {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\n{}", "{}", ""},
		"until the end":     {"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\r\n{}", "{}", ""},
		"nothing":           {"", "", "eof"},
		"half a head":       {"HTTP/1.1 200 OK\r\nContent-Type: appli", "", "*"},
		"half a body":       {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", "", "eof"},
		"no HTTP":           {"SSH-2.0-OpenSSH_9.7\r\n\r\n", "", "malformed answer"},
		"bad length":        {"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n{}", "", "malformed answer"},
		"negative length":   {"HTTP/1.1 200 OK\r\nContent-Length: -10\r\n\r\n{}", "", "malformed answer"},
		"bad chunk":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", "", "*"},
		"too much":          {"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{}", "", "answer too large"},
		"endless header":    {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 64<<10), "", "*"},
		"binary in a value": {"HTTP/1.1 200 OK\r\nX: \x00\x01\r\nContent-Length: 2\r\n\r\n{}", "*", "*"},
	} {
		t.Run(name, func(t *testing.T) {
			tgt := scripted(t, func(conn net.Conn, r *bufio.Reader) {
				if read(r) {
					_, _ = io.WriteString(conn, c.answer)
				}
			})
			h := open(t, tgt, 10*time.Second, true)
			var a answer
			err := h.do([]byte(request), &a)
			switch {
			case c.class == "*":
			case c.class == "" && (err != nil || string(a.body) != c.body || a.status != 200 || string(a.contentType) != "application/json" || !forbidsStoring(a.cacheControl)):
				t.Errorf("%+v, %v", a, err)
			case c.class != "" && (err == nil || class(err) != c.class):
				t.Errorf("%v is %q, want %q", err, class(err), c.class)
			}
		})
	}
}

func TestWireKeepsItsConnection(t *testing.T) {
	var connections atomic.Int64
	tgt := scripted(t, func(c net.Conn, r *bufio.Reader) {
		connections.Add(1)
		for read(r) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		}
	})
	for _, c := range []struct {
		keep bool
		want int64
	}{{true, 1}, {false, 5}} {
		connections.Store(0)
		h := open(t, tgt, 10*time.Second, c.keep)
		var a answer
		for range 5 {
			if err := h.do([]byte(request), &a); err != nil {
				t.Fatal(err)
			}
		}
		if connections.Load() != c.want {
			t.Errorf("keep %v: %d connections", c.keep, connections.Load())
		}
	}
}

func TestWireLeavesAConnectionThatTheServerClosed(t *testing.T) {
	closed := make(chan struct{}, 8)
	tgt := scripted(t, func(c net.Conn, r *bufio.Reader) {
		read(r)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		_ = c.Close()
		closed <- struct{}{}
	})
	h := open(t, tgt, 10*time.Second, true)
	var a answer
	for range 3 {
		if err := h.do([]byte(request), &a); err != nil {
			t.Fatal(err)
		}
		<-closed
		// The farewell has arrived when the connection can be read.
		if _, err := h.reader.Peek(1); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		h.last = h.last.Add(-time.Minute) // as if it had rested
	}
}

func TestWireGivesUp(t *testing.T) {
	hold := make(chan struct{})
	tgt := scripted(t, func(_ net.Conn, r *bufio.Reader) {
		read(r)
		<-hold
	})
	defer close(hold)
	var a answer
	h := open(t, tgt, time.Millisecond, true)
	if err := h.do([]byte(request), &a); class(err) != timedOut {
		t.Errorf("%v is %q", err, class(err))
	}
	h = open(t, tgt, time.Hour, true)
	if err := h.connect(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- h.do([]byte(request), &a) }()
	h.cut()
	if err := <-done; !errors.Is(err, errCut) {
		t.Error(err)
	}
	if err := h.do([]byte(request), &a); !errors.Is(err, errCut) {
		t.Errorf("after the cut: %v", err)
	}
}

func TestWireNamesWhatItCannotReach(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tgt := testTarget()
	tgt.Endpoints.Token = "http://" + l.Addr().String() + "/"
	_ = l.Close()
	var a answer
	if err := open(t, tgt, 5*time.Second, true).do([]byte(request), &a); class(err) != "refused" {
		t.Errorf("%v is %q", err, class(err))
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	tgt.Endpoints.Token = strings.Replace(plain.URL, "http:", "https:", 1)
	if err := open(t, tgt, 5*time.Second, true).do([]byte(request), &a); class(err) != "tls" {
		t.Errorf("%v is %q", err, class(err))
	}
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshakes
	secure.StartTLS()
	defer secure.Close()
	tgt.Endpoints.Token = secure.URL
	if err := open(t, tgt, 5*time.Second, true).do([]byte(request), &a); class(err) != "tls" {
		t.Errorf("unknown authority: %v is %q", err, class(err))
	}
	tgt.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
	if err := open(t, tgt, 5*time.Second, true).do([]byte(request), &a); err != nil || a.status != 404 {
		t.Errorf("trusted: %d, %v", a.status, err)
	}
}

func TestRequestsAreAsTheDriverMakesThem(t *testing.T) {
	tgt := testTarget()
	var got []string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		id, secret, basic := r.BasicAuth()
		got = append(got, fmt.Sprintf("%s %s %s %s %s %s:%s %v %s", r.Method, r.URL, r.Header.Get("Accept"), r.Header.Get("User-Agent"),
			r.Header.Get("Content-Type"), id, secret, basic, body))
	}))
	defer s.Close()
	tgt.Endpoints.Token = s.URL + "/oauth/token?x=1"
	d, err := oauth.New(tgt, oauth.Options{})
	if err != nil {
		t.Fatal(err)
	}
	scope := "a b"
	at := &site{target: tgt, driver: d, origin: s.URL}
	if err := at.prepare(Plan{Scenarios: completedScenarios([]Scenario{{Flow: ClientCredentials, Scope: &scope}, {Flow: Password, Scope: &scope}, {Flow: RefreshToken, Scope: &scope}})}); err != nil {
		t.Fatal(err)
	}
	h := open(t, tgt, 10*time.Second, true)
	for _, j := range at.jobs {
		for _, i := range j.issues {
			got = nil
			var a answer
			if err := h.do(i.bytes, &a); err != nil {
				t.Fatal(err)
			}
			if x := d.Send(context.Background(), i.request); x.Err != nil {
				t.Fatal(x.Err)
			}
			if len(got) != 2 || got[0] != got[1] || !strings.Contains(got[0], "POST /oauth/token?x=1 application/json flowproof application/x-www-form-urlencoded") {
				t.Errorf("got  %q\nwant %q", got[0], got[len(got)-1])
			}
		}
	}
}

func TestWireTakesNoAnswerForTheNextOne(t *testing.T) {
	const good, stray = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"
	tgt := scripted(t, func(c net.Conn, r *bufio.Reader) {
		for read(r) {
			_, _ = io.WriteString(c, good+stray)
		}
	})
	h := open(t, tgt, 10*time.Second, true)
	for range 3 {
		var a answer
		if err := h.do([]byte(request), &a); err != nil || string(a.body) != "good" {
			t.Errorf("%q, %v", a.body, err)
		}
	}
}
