// Package mangle stands between flowproof and an authorization server and bends what goes over the wire: headers
// dropped, statuses changed, members renamed, redirects bent, bodies cut. A mutant that no requirement notices is
// one without meaning for OAuth, or a check that is missing.
package mangle

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"

	"flowproof/drivers/target"
)

// A Proxy passes everything on as it is, or as its mutant has it, and remembers what it saw.
type Proxy struct {
	mu     sync.Mutex
	next   http.Handler
	places places
	mutant *Mutant
	bent   int
	seen   Sightings
}

// NewProxy makes a proxy that has yet to be put in front of a server.
func NewProxy() *Proxy { return &Proxy{seen: Sightings{}} }

// Put puts the proxy in front of the server that the target describes, with a mutant or nil, and forgets how often
// the one before bent anything.
func (p *Proxy) Put(next http.Handler, t target.Target, m *Mutant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next, p.places, p.mutant, p.bent = next, placesOf(t), m, 0
}

// Bent is how many requests or answers the mutant has bent.
func (p *Proxy) Bent() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bent
}

// Seen is what went by while there was no mutant.
func (p *Proxy) Seen() Sightings {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.seen)
}

// most is how much of a request's body is held, in bytes.
const most = 1 << 20

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	next, mutant, where := p.next, p.mutant, p.places
	p.mu.Unlock()
	body, err := io.ReadAll(io.LimitReader(r.Body, most))
	if err != nil {
		return // whoever asked is gone
	}

	asked := &request{Request: r, body: body}
	place := where.ofRequest(asked)
	p.note(mutant, place, func(s *Sighting) { s.request(asked) })
	if mutant != nil && mutant.asks != nil && mutant.Place == place && mutant.asks(asked) {
		p.count()
	}
	asked.Body, asked.ContentLength = io.NopCloser(bytes.NewReader(asked.body)), int64(len(asked.body))

	recorded := httptest.NewRecorder()
	next.ServeHTTP(recorded, asked.Request)
	a := &answer{asked: asked, status: recorded.Code, header: recorded.Result().Header, body: recorded.Body.Bytes()} //nolint:bodyclose // it is in memory
	a.header.Del("Content-Length")
	place = where.ofAnswer(a)
	p.note(mutant, place, func(s *Sighting) { s.answer(a) })
	if mutant != nil && mutant.answers != nil && mutant.Place == place && mutant.answers(a) {
		p.count()
	}
	a.write(w)
}

func (p *Proxy) count() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bent++
}

func (p *Proxy) note(m *Mutant, place string, tell func(*Sighting)) {
	if m != nil || place == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen[place] == nil {
		p.seen[place] = newSighting()
	}
	tell(p.seen[place])
}

// A request is what came to the proxy, with its body read.
type request struct {
	*http.Request
	body []byte
}

// An answer is what the server said to it.
type answer struct {
	asked  *request
	status int
	header http.Header
	body   []byte
	torn   bool // the connection ends after half of the body
}

func (a *answer) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	if a.asked.Method == http.MethodHead {
		w.WriteHeader(a.status)
		return
	}
	if len(a.body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	if a.header.Get("Content-Type") == "" && len(a.body) > 0 {
		w.Header()["Content-Type"] = nil // else a type would be guessed
	}
	w.WriteHeader(a.status)
	if !a.torn {
		_, _ = w.Write(a.body)
		return
	}
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush() // half of it comes
	panic(http.ErrAbortHandler)
}
