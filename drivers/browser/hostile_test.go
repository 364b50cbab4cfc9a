package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
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
		"takes all memory":             page(`<script>const a = []; for (let i = 0; i < 300; i++) a.push(new Uint8Array(1 << 20).fill(1))</script><p>Hello</p>`),
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

// hostileBound is generous: it tells a visit that ends from one that does not.
const hostileBound = 30 * time.Second

// TestHostilePages opens pages that do all that a page can do. Each visit ends in time, with a page or with an error,
// and the browser is as good as before.
func TestHostilePages(t *testing.T) {
	s := newSite(t)
	b := start(t, s.target(), Options{})
	b.patience = 3 * time.Second
	for name, serve := range hostilePages() {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(serve)
			defer srv.Close()
			defer srv.CloseClientConnections()
			x := open(t, b)
			began := time.Now()
			l, err := x.Visit(t.Context(), oauth.Visit{URL: srv.URL + "/"})
			took := time.Since(began)
			t.Logf("%s, %v after %v", l.Kind, err, took.Round(time.Millisecond))
			if took > hostileBound {
				t.Errorf("it took %v", took)
			}
			if err != nil && len(err.Error()) > 2000 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
			if err == nil && l.Kind == oauth.Redirected {
				t.Error("it is said to have come to the client")
			}
			if err := x.Close(); err != nil {
				t.Errorf("the session: %v", err)
			}
			b.patience = patience
			defer func() { b.patience = 3 * time.Second }()
			if l := land(t, open(t, b), oauth.Visit{URL: s.request("to", client), RedirectURIs: []string{client}, User: alice()}); l.Kind != oauth.Redirected {
				t.Errorf("the next visit landed %s", l.Kind)
			}
		})
	}
}
