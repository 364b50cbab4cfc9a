//go:build !race

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flowproof/drivers/sandbox"
)

// browsed are the verbs that are played in a browser before the server; of those that hold it for all of its time a few
// are enough, unless all were asked for.
func (tr trouble) browsed() []string {
	every := []string{"login", "check", "doctor", "load"}
	some := map[string][]string{
		"endless chunks": {"login"}, "a gzip bomb": {"login"}, "redirects that grow": {"login"}, "TLS with an unknown root": {"login"},

		"takes all memory": every, "a gzip bomb of nothing": every, "never comes": {"login"}, "dialogs without end": {"login"},
		"a gzip bomb of paragraphs": {"login"}, "chunks without end": {"login"},
		"downloads": {"login"}, "a form for another host": {"login"}, "asks for everything": {"login"}, "windows without end": {"login"},
		"goes to data": {"login"}, "a title without end": {"check"},
	}
	switch verbs := some[tr.name]; {
	case !*allHostile:
		return verbs
	case tr.kind == page:
		return every
	default:
		return []string{"login"}
	}
}

// pageTroubles are the sandbox with another sign-in page.
func pageTroubles() []trouble {
	html := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<!doctype html><title>Sign in</title>"+body)
		}
	}
	const form = `<form method=post><input name=username><input name=password type=password><button>Sign in</button></form>`
	var out []trouble
	for name, serve := range map[string]http.HandlerFunc{
		"never comes":                 func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a page that drips":           dripping(form),
		"dialogs without end":         html(form + `<script>for (;;) alert("again")</script>`),
		"goes on for ever, by script": html(form + `<script>location.replace("?" + Math.random())</script>`),
		"goes on for ever, by meta":   html(`<meta http-equiv=refresh content=0>` + form),
		"takes all memory":            html(`<script>const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1))</script>` + form),
		"pictures without end":        html(`<body><script>setInterval(() => { const c = document.createElement("canvas"); c.width = c.height = 4000; c.getContext("2d").fillRect(0, 0, 4000, 4000); document.body.append(c) }, 10)</script>`),
		"workers without end":         html(`<script>setInterval(() => new Worker(URL.createObjectURL(new Blob(["const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1))"]))), 100)</script>`),
		"downloads": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Disposition", "attachment; filename=a.bin")
			_, _ = w.Write(make([]byte, 1<<20))
		},
		"a hundred thousand nodes":     html(`<div>` + strings.Repeat("<input><p>x</p>", 50_000) + `</div>`),
		"a script that never ends":     html(form + `<script>for (;;);</script>`),
		"windows without end":          html(`<script>setInterval(() => window.open("about:blank", "", "noopener"), 1)</script><p>Hello</p>`),
		"a gzip bomb of nothing":       zipped("\x00"),
		"a gzip bomb of paragraphs":    zipped("<p>"),
		"a body without end":           endlessPage("Content-Length"),
		"chunks without end":           endlessPage(""),
		"frames within frames":         html(`<script>if (parent.length < 50) document.write("<iframe src='?" + Math.random() + "'></iframe>")</script>`),
		"does not let go":              html(`<script>onbeforeunload = e => { e.preventDefault(); return "stay" }</script>` + strings.Replace(form, "post", "get action=/nowhere", 1)),
		"a title without end":          html(`<script>document.title = "x".repeat(5e8)</script>`),
		"registers a service worker":   html(`<script>navigator.serviceWorker.register("/oauth/auth?worker").catch(() => {}); print(); document.documentElement.requestFullscreen().catch(() => {})</script>`),
		"asks for everything":          html(`<script>navigator.geolocation.getCurrentPosition(() => {}); Notification.requestPermission(); navigator.mediaDevices && navigator.mediaDevices.getUserMedia({audio: true, video: true}).catch(() => {}); print()</script><p>Hello</p>`),
		"goes to data":                 html(`<script>location = "data:text/html,<form><input name=username><input type=password><button>Sign in</button></form>"</script><a href="data:text/html,x">x</a>`),
		"goes to a blob":               html(`<script>location = URL.createObjectURL(new Blob(["<p>Hello"], {type: "text/html"}))</script>`),
		"a form for another host":      html(strings.Replace(form, "method=post", `method=post action="http://elsewhere.test/take"`, 1)),
		"a form for nothing":           html(strings.Replace(form, "method=post", `onsubmit="return false"`, 1)),
		"a sign-in page in each other": html(strings.Repeat("<div>", 20_000) + form),
	} {
		out = append(out, trouble{name, behind(serve), page})
	}
	slices.SortFunc(out, func(a, b trouble) int { return strings.Compare(a.name, b.name) })
	return out
}

// behind serves the page in the place of the sandbox's own, and everything else as the sandbox does.
func behind(serve http.HandlerFunc) func(*testing.T) address {
	return func(t *testing.T) address {
		st, err := newStand(context.Background(), "127.0.0.1:0", func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(st.close)
		if _, err := st.put(sandbox.Options{}); err != nil {
			t.Fatal(err)
		}
		to, err := url.Parse(st.url)
		if err != nil {
			t.Fatal(err)
		}
		rest := httputil.NewSingleHostReverseProxy(to)
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/oauth/auth" {
				serve(w, r)
				return
			}
			rest.ServeHTTP(w, r)
		}))
		t.Cleanup(srv.Close)
		t.Cleanup(srv.CloseClientConnections)
		at := address{url: srv.URL, file: "timeout: 2s\n" + strings.ReplaceAll(string(st.file), st.url, srv.URL)}
		for name, value := range st.secrets {
			at.env = append(at.env, name+"="+value)
		}
		return at
	}
}

func dripping(first string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, err := fmt.Fprint(w, first)
		for err == nil && r.Context().Err() == nil {
			_, err = fmt.Fprint(w, "<p>x")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(100 * time.Millisecond) // the server's own slowness
		}
	}
}

// zipped is a small page that would be one of 200 MiB.
func zipped(what string) http.HandlerFunc {
	var small bytes.Buffer
	z := gzip.NewWriter(&small)
	more := []byte(strings.Repeat(what, (1<<20)/len(what)))
	for range 200 {
		_, _ = z.Write(more)
	}
	_ = z.Close()
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(small.Bytes())
	}
}

// endlessPage goes on as fast as it is read, in chunks or with a length.
func endlessPage(header string) http.HandlerFunc {
	more := []byte(strings.Repeat("<p>x", 16<<10))
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if header != "" {
			w.Header().Set(header, "1000000000000")
		}
		for r.Context().Err() == nil {
			if _, err := w.Write(more); err != nil {
				return
			}
		}
	}
}

// A seen is what was seen of a run and of the processes that it started.
type seen struct {
	own     int64 // bytes, at the most
	browser int64
	started map[int]bool
}

// watch looks at a process and its children until it is asked what it saw.
func watch(pid int) func() seen {
	s := seen{started: map[int]bool{}}
	enough := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			s.look(pid)
			select {
			case <-tick.C:
			case <-enough:
				return
			}
		}
	})
	return func() seen {
		close(enough)
		looking.Wait()
		return s
	}
}

func (s *seen) look(pid int) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
		var kib int64
		_, _ = fmt.Sscan(rest, &kib)
		s.own = max(s.own, kib<<10)
	}
	parents := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		line, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		fields := bytes.Fields(line[bytes.LastIndexByte(line, ')')+1:])
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parents[child], _ = strconv.Atoi(string(fields[1]))
	}
	var sum int64
	for child := range parents {
		for p := parents[child]; p > 1; p = parents[p] {
			if p == pid {
				s.started[child] = true
				sum += private(child)
				break
			}
		}
	}
	s.browser = max(s.browser, sum)
}

// private is the memory that a process has for itself.
func private(pid int) int64 {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	var size, resident, shared int64
	if err == nil {
		_, _ = fmt.Sscan(string(line), &size, &resident, &shared)
	}
	return (resident - shared) * int64(os.Getpagesize())
}

// remains says what is left of a run: a profile, or a process of its browser.
func (s *seen) remains(temp string) string {
	if left, _ := filepath.Glob(filepath.Join(temp, "*")); len(left) > 0 {
		return strings.Join(left, ", ")
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(5 * time.Second); ; <-tick.C { // the kernel buries the dead a little later
		var left []string
		for pid := range s.started {
			if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && bytes.Contains(line, []byte("chrom")) {
				left = append(left, strconv.Itoa(pid))
			}
		}
		if len(left) == 0 {
			return ""
		}
		if time.Now().After(deadline) {
			return "the processes " + strings.Join(left, ", ")
		}
	}
}

func keepMost(most *atomic.Int64, n int64) {
	for {
		before := most.Load()
		if n <= before || most.CompareAndSwap(before, n) {
			return
		}
	}
}
