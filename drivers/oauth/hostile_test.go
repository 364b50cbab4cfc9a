package oauth

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flowproof/drivers/target"
)

// writing is a server that reads each request and writes these bytes, as they are; of none it is silent.
func writing(t *testing.T, raw string) (host string) {
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
				in := bufio.NewReader(c)
				if r, err := http.ReadRequest(in); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
				}
				_, _ = io.WriteString(c, raw)
				if raw == "" {
					_, _ = io.Copy(io.Discard, in)
				}
			}()
		}
	}()
	return l.Addr().String()
}

func TestHeadsAreBounded(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-More", strings.Repeat("a", 2*maxAnswerHead))
	}))
	defer s.Close()
	if e := newDriver(t, testTarget(s.URL), Options{}).Send(t.Context(), Request{Method: "GET", URL: s.URL}); e.Err == nil || e.Status != 0 {
		t.Errorf("a head of 2 MiB was taken: %d, %v", e.Status, e.Err)
	}
}

// TestRacesAreBounded: who races reads no more, and waits no longer, than who sends one request.
func TestRacesAreBounded(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct {
		raw, says string
		cut       bool
	}{
		"silence":                      {"", "no whole answer within 300ms", false},
		"a head without end":           {ok + strings.Repeat("X-More: and more\r\n", 4*MaxBody/18) + "Content-Length: 2\r\n\r\n{}", "EOF", false},
		"a body without end":           {fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", ok, 4*MaxBody, strings.Repeat("x", 4*MaxBody)), "", true},
		"interim answers without end":  {strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 100) + ok + "Content-Length: 2\r\n\r\n{}", "only interim answers", false},
		"an answer as it ought to be":  {ok + "Content-Length: 2\r\n\r\n{}", "", false},
		"one that begins with a hint ": {"HTTP/1.1 103 Early Hints\r\n\r\n" + ok + "Content-Length: 2\r\n\r\n{}", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			of := target.Target{}
			if c.raw == "" {
				of.Timeout = 300 * time.Millisecond
			}
			race, err := newDriver(t, of, Options{}).Race(t.Context(), racers("http://"+writing(t, c.raw), 2)...)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range race.Exchanges {
				if (e.Err != nil) != (c.says != "") || e.Err != nil && !strings.Contains(e.Err.Error(), c.says) {
					t.Errorf("error %v, want %q", e.Err, c.says)
				}
				if e.Cut != c.cut || len(e.Body) > MaxBody {
					t.Errorf("%d bytes, cut %v", len(e.Body), e.Cut)
				}
			}
		})
	}
}

func TestRacesOverHTTP2AreBounded(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/silent" {
			<-release
		}
		w.Header().Set("X-More", strings.Repeat("a", 2*maxAnswerHead))
	}))
	s.EnableHTTP2 = true
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	s.StartTLS()
	defer s.Close()
	defer close(release)
	of := target.Target{CA: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))}
	for name, c := range map[string]struct {
		path, says string
		timeout    time.Duration
	}{
		"silence":     {"/silent", "no whole answer within 300ms", 300 * time.Millisecond},
		"a long head": {"/long", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			of.Timeout = c.timeout
			race, err := newDriver(t, of, Options{}).RaceHTTP2(t.Context(), racers(s.URL+c.path, 2)...)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range race.Exchanges {
				if e.Err == nil || !strings.Contains(e.Err.Error(), c.says) {
					t.Errorf("error %v, want %q", e.Err, c.says)
				}
			}
		})
	}
}

func TestARaceGoesOverHTTPAlone(t *testing.T) {
	host := writing(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	if _, err := newDriver(t, target.Target{}, Options{}).Race(t.Context(), racers("ftp://"+host, 2)...); err == nil || !strings.Contains(err.Error(), "not an absolute http or https URL") {
		t.Errorf("error %v", err)
	}
}

func TestPagesThatLeadOnAndOnEndTheVisit(t *testing.T) {
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) < 50 { // as good as for ever
			fmt.Fprintf(w, `<meta http-equiv=refresh content="0; url=/page-%d">`, n.Load())
		}
	}))
	t.Cleanup(s.Close)
	if _, _, err := visit(t, s.URL, "/oauth/auth", nil); err == nil || !strings.Contains(err.Error(), "asked for more than 8 pages") {
		t.Errorf("error %v", err)
	}
}

func TestACutBodyIsNoJSON(t *testing.T) {
	e := Exchange{Status: 200, Body: []byte(`{"access_token":"a-token-of-some-length"} and so on`), Cut: true}
	if a, err := e.Token(); err == nil || !strings.Contains(err.Error(), "it is longer than") {
		t.Errorf("read %+v, %v", a, err)
	}
}

// asksAgain are pages that ask for a one-time password, and take the second one that comes.
func asksAgain(codes *[]string) *http.ServeMux {
	const asks = `<form method=post action=/second><input name=passcode><button>Go on</button></form>`
	mux := http.NewServeMux()
	mux.HandleFunc("GET /asks", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, asks) })
	mux.HandleFunc("POST /second", func(w http.ResponseWriter, r *http.Request) {
		if *codes = append(*codes, r.FormValue("passcode")); len(*codes) > 1 {
			http.Redirect(w, r, callback+"?code=code-of-alice-123", http.StatusFound)
			return
		}
		fmt.Fprint(w, asks)
	})
	return mux
}

// signsIn serves a sign-in page beside the others, behind which it asks for a one-time password at another host, or here.
func signsIn(t *testing.T, mux *http.ServeMux, elsewhere string) target.Target {
	t.Helper()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<form method=post action=/login><input name=login><input name=secret type=password><button>Sign in</button></form>`)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere+"/asks", http.StatusSeeOther)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return testTarget(s.URL)
}

func TestAOneTimePasswordIsGivenOnce(t *testing.T) {
	var codes []string
	tt := signsIn(t, asksAgain(&codes), "")
	d := newDriver(t, tt, Options{})
	session, err := NewForms(tt, d).Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = session.Visit(t.Context(), Visit{URL: tt.URL + "/oauth/auth", RedirectURIs: []string{callback}, User: &tt.Users[0]})
	if err == nil || !strings.Contains(err.Error(), "the server refused the one-time password of alice") || len(codes) != 1 {
		t.Fatalf("%d codes, error %v", len(codes), err)
	}
	if shown := d.Redactor().Text("it is " + codes[0]); shown != "it is [otp]" {
		t.Errorf("shown as %q", shown)
	}
}

// The visit begins on a host that the target file does not name, and comes back to it.
func TestAOneTimePasswordIsGivenToNobodyElse(t *testing.T) {
	var codes []string
	mux := asksAgain(&codes)
	begins := httptest.NewServer(mux)
	t.Cleanup(begins.Close)
	tt := signsIn(t, http.NewServeMux(), begins.URL)
	mux.Handle("GET /begin", http.RedirectHandler(tt.URL+"/oauth/auth", http.StatusFound))
	session, err := NewForms(tt, newDriver(t, tt, Options{})).Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = session.Visit(t.Context(), Visit{URL: begins.URL + "/begin", RedirectURIs: []string{callback}, User: &tt.Users[0]})
	if err == nil || !strings.Contains(err.Error(), "nothing was typed") || len(codes) != 0 {
		t.Errorf("%d codes, error %v", len(codes), err)
	}
}
