package sandbox

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// lanes serves one sandbox twice: by net/http alone, and with the fast lane before it. The counter is how many
// connections net/http got there.
func lanes(t *testing.T, o Options) (b *bench, slow, fast string, passed *atomic.Int64) {
	b = newBench(t, o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	passed = &atomic.Int64{}
	srv := &http.Server{Handler: b.s, ReadHeaderTimeout: time.Minute, ConnState: func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			passed.Add(1)
		}
	}}
	done := make(chan struct{})
	go func() {
		_ = srv.Serve(FastLane(l, func() *Sandbox { return b.s }))
		close(done)
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return b, strings.TrimPrefix(b.url, "http://"), l.Addr().String(), passed
}

// said sends requests and returns the answers as they came, but for what differs each time.
func said(t *testing.T, address string, answers int, requests string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, requests); err != nil {
		t.Fatal(err)
	}
	return heard(t, c, answers)
}

func heard(t *testing.T, c net.Conn, answers int) string {
	t.Helper()
	var out strings.Builder
	in := bufio.NewReader(io.TeeReader(c, &out))
	for range answers {
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("%v after %q", err, out.String())
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Fatal(err)
		}
	}
	return regexp.MustCompile(`Date: [^\r]+|"access_token":"[^"]+"|"refresh_token":"[^"]+"`).ReplaceAllString(out.String(), "…")
}

func TestFastLaneAnswersAsNetHTTPDoes(t *testing.T) {
	b, slow, fast, passed := lanes(t, Options{Tokens: tokensOpaque})
	basic, form := b.basic("service"), "Content-Type: application/x-www-form-urlencoded\r\n"
	request := func(headers, body string) string {
		return "POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	}
	good := request("Authorization: "+basic+"\r\n"+form, ccBody)
	for _, c := range []struct {
		name    string
		answers int
		lane    bool // the fast lane is to answer
		request string
	}{
		{"a token", 1, true, good},
		{"two, one after the other", 2, true, good + good},
		{"names in lower case", 1, true, strings.Replace(strings.Replace(good, "Content-Type", "content-type", 1), "Authorization", "authorization", 1)},
		{"a wrong secret", 1, true, request("Authorization: Basic eDp5\r\n"+form, ccBody)},
		{"no authorization", 1, true, request(form, ccBody)},
		{"another kind of body", 1, true, request("Authorization: "+basic+"\r\nContent-Type: application/json\r\n", "{}")},
		{"no kind of body", 1, true, request("Authorization: "+basic+"\r\n", ccBody)},
		{"an unknown grant", 1, true, request("Authorization: "+basic+"\r\n"+form, "grant_type=telepathy")},
		{"a wrong password", 1, true, request("Authorization: "+basic+"\r\n"+form, "grant_type=password&username=alice&password=no")},
		{"a password", 1, true, request("Authorization: "+basic+"\r\n"+form, "grant_type=password&access_type=offline&username=alice&password="+b.s.byName["alice"].password)},
		{"no body", 1, true, request("Authorization: "+basic+"\r\n"+form, "")},
		{"nothing kept from the request before", 2, true, good + request(form, ccBody)},
		{"a challenge, then none", 2, true, request("Authorization: Basic eDp5\r\n"+form, ccBody) + good},
		{"no length", 1, false, "POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\n" + form + "\r\n"},
		{"then something else", 2, false, good + "GET /oauth/jwks.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"},
		{"something else, then a token", 2, false, "GET /oauth/jwks.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + good},
		{"chunks", 1, false, "POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: " + basic + "\r\n" + form + "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n"},
		{"an origin", 1, false, request("Origin: https://app.acme.test\r\nAuthorization: "+basic+"\r\n"+form, ccBody)},
		{"a header twice", 1, false, request("Authorization: "+basic+"\r\nAuthorization: "+basic+"\r\n"+form, ccBody)},
		{"lengths that differ", 1, false, request("Content-Length: 3\r\nAuthorization: "+basic+"\r\n"+form, ccBody)},
		{"a query", 1, false, strings.Replace(good, "/token ", "/token?a=b ", 1)},
		{"GET", 1, false, "GET /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"},
		{"no host", 1, false, strings.Replace(good, "Host: 127.0.0.1\r\n", "", 1)},
		{"a host that is none", 1, false, strings.Replace(good, "Host: 127.0.0.1", "Host: a b<>", 1)},
		{"a folded line", 1, false, request("Accept: a,\r\n b\r\n"+form, ccBody)},
		{"a control character", 1, false, request("Accept: a\x01b\r\n"+form, ccBody)},
		{"an expectation", 1, false, request("Expect: magic\r\n"+form, ccBody)},
		{"HTTP/1.0", 1, false, strings.Replace(good, "HTTP/1.1", "HTTP/1.0", 1)},
		{"the last of its connection", 1, false, request("Connection: close\r\nAuthorization: "+basic+"\r\n"+form, ccBody)},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := passed.Load()
			want, got := said(t, slow, c.answers, c.request), said(t, fast, c.answers, c.request)
			if got != want {
				t.Errorf("the fast lane says\n%s\nand net/http\n%s", got, want)
			}
			if c.lane && passed.Load() != before {
				t.Error("it was left to net/http")
			}
			if !c.lane && passed.Load() == before {
				t.Error("it was not left to net/http")
			}
		})
	}
}

func TestFastLaneLeavesAnUnfinishedRequest(t *testing.T) {
	b := newBench(t, Options{Tokens: tokensOpaque})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front := FastLane(l, func() *Sandbox { return b.s })
	defer front.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "POST /oauth/token HTTP/1.1\r\nHost"); err != nil {
		t.Fatal(err)
	}
	other, err := front.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := io.WriteString(c, ": a\r\nContent-Length: 3\r\n\r\na=b"); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadRequest(bufio.NewReader(other))
	if err != nil || r.Host != "a" || r.ContentLength != 3 {
		t.Errorf("what was passed on reads as %v, %v", r, err)
	}
}

func TestFastLaneLeavesABentSandboxAlone(t *testing.T) {
	for name, o := range map[string]Options{
		"a fault":       {Tokens: tokensOpaque, Faults: []string{"token-accept-get"}},
		"a near miss":   {Tokens: tokensOpaque, NearMisses: []string{NearMisses()[0].ID}},
		"signed tokens": {},
	} {
		t.Run(name, func(t *testing.T) {
			b, _, fast, passed := lanes(t, o)
			said(t, fast, 1, "POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: "+b.basic("service")+
				fmt.Sprintf("\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(ccBody), ccBody))
			if passed.Load() != 1 {
				t.Error("the fast lane answered")
			}
		})
	}
}

func TestFastLaneCloses(t *testing.T) {
	b := newBench(t, Options{Tokens: tokensOpaque})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front := FastLane(l, func() *Sandbox { return b.s })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
		t.Fatal(err)
	}
	if err := front.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("the connection ended with %v", err)
	}
	if _, err := front.Accept(); err == nil {
		t.Error("a closed listener accepts")
	}
}

func FuzzTokenCall(f *testing.F) {
	f.Add([]byte("POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na=b"))
	f.Add([]byte("POST /oauth/token HTTP/1.1\r\nHost: a\r\nAccept: b\r\nContent-Length: 0\r\n\r\nPOST"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := newTokenCall(t.Context())
		n := c.read(b, "/oauth/token")
		if n == 0 {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(b))))
		if err != nil {
			t.Fatalf("net/http refuses what the fast lane takes: %v", err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		own, _ := io.ReadAll(c.request.Body)
		r.Header.Del("Content-Length")
		if r.Host != c.request.Host || string(body) != string(own) || fmt.Sprint(r.Header) != fmt.Sprint(c.request.Header) {
			t.Errorf("net/http reads %q %v %q, the fast lane %q %v %q", r.Host, r.Header, body, c.request.Host, c.request.Header, own)
		}
	})
}

func TestFastLaneServesAHandlerBesideIt(t *testing.T) {
	b, _, fast, _ := lanes(t, Options{Tokens: tokensOpaque})
	r := httptest.NewRequest(http.MethodGet, "http://"+fast+"/", nil)
	r.RequestURI = ""
	answer, err := b.agent.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("the home page came with %s", answer.Status)
	}
}
