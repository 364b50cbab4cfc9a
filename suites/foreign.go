package suites

import (
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"flowproof/drivers/oauth"
)

// A foreignSite is another site than the target's, served by the run itself: what a browser keeps from
// other sites it keeps from this one.
type foreignSite struct {
	origin string
	server *http.Server

	mu    sync.Mutex
	pages map[string]string
	heard map[string]http.Header // of the last request, by path
}

// foreign is the run's own foreign site; it lives as long as the run.
func (s *session) foreign() *foreignSite {
	if s.elsewhere != nil {
		return s.elsewhere
	}
	listener, err := (&net.ListenConfig{}).Listen(s.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		s.inconclusive("no foreign site could be set up to try it from: %v", err)
	}
	// Another port would be the same site to a browser, another name of this machine is not.
	name := "localhost"
	if u, err := url.Parse(s.target.Endpoints.Authorization); err == nil && u.Hostname() == name {
		name = "127.0.0.1"
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String()) // a TCP address always has one
	f := &foreignSite{origin: "http://" + name + ":" + port, pages: map[string]string{}, heard: map[string]http.Header{}}
	f.server = &http.Server{Handler: f, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = f.server.Serve(listener) }() // ends with close
	s.elsewhere = f
	return f
}

// host is the site's host with its port.
func (f *foreignSite) host() string { return strings.TrimPrefix(f.origin, "http://") }

// publish puts up a page and returns its URL.
func (f *foreignSite) publish(body string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := fmt.Sprintf("/page-%d", len(f.pages)+1)
	f.pages[path] = "<!doctype html><title>another site</title><body>" + body + "</body>"
	return f.origin + path
}

// visited is the header of the last request for the page, or nil.
func (f *foreignSite) visited(page string) http.Header {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.heard[strings.TrimPrefix(page, f.origin)]
}

// ServeHTTP serves the pages.
func (f *foreignSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	body, known := f.pages[r.URL.Path]
	if known {
		f.heard[r.URL.Path] = r.Header.Clone()
	}
	f.mu.Unlock()
	if !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(body))
}

func (f *foreignSite) close() { _ = f.server.Close() }

// submitting is a page that sends the request as a form, at once and by itself.
func (f *foreignSite) submitting(r oauth.Request) string {
	action, fields := r.URL, r.Form
	if r.Method == http.MethodGet {
		fields = r.Query
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<form method="%s" action="%s">`, strings.ToLower(r.Method), html.EscapeString(action))
	for _, p := range fields {
		fmt.Fprintf(&b, `<input type="hidden" name="%s" value="%s">`, html.EscapeString(p.Name), html.EscapeString(p.Value))
	}
	b.WriteString(`</form><script>HTMLFormElement.prototype.submit.call(document.forms[0])</script>`)
	return f.publish(b.String())
}

// framing is a page that shows each URL in a frame of its name, and goes on once all of them are there
// or were refused.
func (f *foreignSite) framing(frames oauth.Params) string {
	done := f.publish("<p>done")
	var b strings.Builder
	fmt.Fprintf(&b, `<script>onload = () => location.replace(%q); setTimeout(onload, 5000)</script>`, done)
	for _, p := range frames {
		fmt.Fprintf(&b, `<iframe name="%s" src="%s"></iframe>`, html.EscapeString(p.Name), html.EscapeString(p.Value))
	}
	return f.publish(b.String())
}
