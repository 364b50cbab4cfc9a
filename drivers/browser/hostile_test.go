package browser

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"flowproof/drivers/oauth"
)

// hostilePages are what a page can do to whoever opens it.
func hostilePages() map[string]http.HandlerFunc {
	page := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<!doctype html><title>Odd</title>"+body)
		}
	}
	return map[string]http.HandlerFunc{
		"a script that never ends":     page(`<p>Hello</p><script>for (;;);</script>`),
		"a script that ends it all":    page(`<script>setInterval(() => { for (;;); }, 50)</script><p>Hello</p>`),
		"goes on for ever":             page(`<script>location.replace(location.pathname + "?" + Math.random())</script>`),
		"goes on for ever, by meta":    page(`<meta http-equiv=refresh content=0><p>Hello</p>`),
		"dialogs without end":          page(`<script>for (let i = 0; i < 10000; i++) alert(i)</script><p>Hello</p>`),
		"does not let go":              page(`<script>onbeforeunload = e => { e.preventDefault(); return "stay" }</script><p>Hello</p>`),
		"windows without end":          page(`<script>setInterval(() => window.open("about:blank"), 1)</script><p>Hello</p>`),
		"history without end":          page(`<script>setInterval(() => history.pushState(0, "", "?" + Math.random()), 1)</script><p>Hello</p>`),
		"a hundred thousand nodes":     page(`<div>` + strings.Repeat("<input><p>x</p>", 50_000) + `</div>`),
		"nodes that are in each other": page(strings.Repeat("<div>", 20_000)),
		"a title without end":          page("<script>document.title = 'x'.repeat(1e7)</script>"),
		"frames within frames":         page(`<script>if (parent.length < 50) document.write("<iframe src='?" + Math.random() + "'></iframe>")</script>`),
		"windows of nobody":            page(`<script>setInterval(() => window.open("about:blank", "", "noopener"), 1)</script><p>Hello</p>`),
		"takes all memory":             page(`<script>const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1))</script><p>Hello</p>`),
		"takes memory by and by":       page(`<p>Hello</p><script>const a = []; setInterval(() => { for (let i = 0; i < 50; i++) a.push(new Uint8Array(1 << 20).fill(1)); document.title = a.length }, 20)</script>`),
		"pictures without end":         page(`<body><script>setInterval(() => { const c = document.createElement("canvas"); c.width = c.height = 4000; c.getContext("2d").fillRect(0, 0, 4000, 4000); document.body.append(c) }, 10)</script>`),
		"a gzip bomb of nothing":       zipped("\x00", 200),
		"a gzip bomb of paragraphs":    zipped("<p>", 200),
		"a body without end":           endless("Hello "),
		"markup without end":           endless("<div><p>x"),
		"a body that comes late": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<p>x")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-time.After(2 * time.Second): // longer than its reading is waited for
				endless("<p>x")(w, r)
			case <-r.Context().Done():
			}
		},
		"a body that drips": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			for r.Context().Err() == nil {
				fmt.Fprint(w, "<p>x")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(100 * time.Millisecond): // the page's own slowness
				case <-r.Context().Done():
				}
			}
		},
		"a download without end": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Disposition", "attachment; filename=big.bin")
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
				select {
				case <-time.After(10 * time.Millisecond):
				case <-r.Context().Done():
				}
			}
		},
	}
}

// zipped is a small page that would be a very large one, of so many MiB.
func zipped(what string, size int) http.HandlerFunc {
	var small bytes.Buffer
	z := gzip.NewWriter(&small)
	more := []byte(strings.Repeat(what, (1<<20)/len(what)))
	for range size {
		_, _ = z.Write(more)
	}
	_ = z.Close()
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(small.Bytes())
	}
}

// endless is a page that goes on as fast as it is read.
func endless(what string) http.HandlerFunc {
	more := []byte(strings.Repeat(what, 10_000))
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		for r.Context().Err() == nil {
			if _, err := w.Write(more); err != nil {
				return
			}
		}
	}
}

// hostileWords are what is said of those pages that a bound ends.
func hostileWords() map[string]string {
	if runtime.GOOS != "linux" {
		return nil // there the bounds are absent
	}
	const large, long = "the page took too much memory, and was ended", "the body goes on and on"
	return map[string]string{
		"takes all memory":       large, // others may come to their end before
		"a gzip bomb of nothing": long, "a gzip bomb of paragraphs": long, "a body without end": long, "markup without end": long, "a body that comes late": long,
	}
}

const (
	// hostileBound is generous: it tells a visit that ends from one that does not.
	hostileBound = 30 * time.Second

	hostileMemory = 256 << 20 // that a process may take
	hostilePeak   = 896 << 20 // of all processes; a page takes gigabytes if it may
)

// TestHostilePages opens pages that do all that a page can do. Each visit ends in time, with a page or with an error,
// the browser keeps its memory, and is as good as before.
func TestHostilePages(t *testing.T) {
	s := newSite(t)
	b := start(t, s.target(), Options{})
	b.patience = 3 * time.Second
	b.keeper.most = hostileMemory
	said := hostileWords()
	v := oauth.Visit{URL: s.request("to", client), RedirectURIs: []string{client}, User: alice()}
	for name, serve := range hostilePages() {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(serve)
			defer srv.Close()
			defer srv.CloseClientConnections()
			x := open(t, b)
			began := time.Now()
			peak := measured(b)
			l, err := x.Visit(t.Context(), oauth.Visit{URL: srv.URL + "/"})
			took := time.Since(began)
			most := peak()
			t.Logf("%s, %v after %v, with %s", l.Kind, err, took.Round(time.Millisecond), mebibytes(most))
			if most > hostilePeak {
				t.Errorf("the browser took %s", mebibytes(most))
			}
			if want := said[name]; want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("it is said %v, not that %s", err, want)
			}
			if took > hostileBound {
				t.Errorf("it took %v", took)
			}
			if err != nil && len(err.Error()) > 2000 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
			if err == nil && l.Kind == oauth.Redirected {
				t.Error("it is said to have come to the client")
			}
			b.patience = patience
			defer func() { b.patience = 3 * time.Second }()
			for _, s := range []oauth.Session{open(t, b), x} {
				if l := land(t, s, v); l.Kind != oauth.Redirected {
					t.Errorf("the next visit landed %s", l.Kind)
				}
			}
			if err := x.Close(); err != nil {
				t.Errorf("the session: %v", err)
			}
		})
	}
}

// measured looks at the memory of all of the browser's processes until it is asked for the most there was.
func measured(b *Browser) func() int64 {
	processes := newFamily(b.keeper.family.head) // the keeper's is the keeper's
	enough := make(chan struct{})
	var most int64
	var looking sync.WaitGroup
	looking.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			var sum int64
			for _, pid := range processes.members() {
				sum += processes.private(pid)
			}
			most = max(most, sum)
			select {
			case <-tick.C:
			case <-enough:
				return
			}
		}
	})
	return func() int64 {
		close(enough)
		looking.Wait()
		return most
	}
}
