package browser

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"

	"flowproof/drivers/oauth"
)

// A hop is one document that the browser asked for.
type hop struct {
	oauth.Exchange
	id   network.RequestID // shared by the hops of one chain of redirects
	page bool              // the page itself, not a frame in it
	sent bool              // the request's header is the one on the wire
	set  []string          // the answer's cookies
	full bool              // the answer's cookies are there

	connected bool // the facts of the connection are there
}

// A trail is the documents of a visit, in order.
type trail struct{ hops []*hop }

func (t *trail) begin(e *fetch.EventRequestPaused, page bool) {
	r := oauth.Request{Title: title(e, t.last() == nil), Method: e.Request.Method, URL: e.Request.URL, Header: params(e.Request.Headers)}
	body := posted(e.Request)
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		r.Form = oauth.ParseParams(body)
	} else {
		r.Body = body
	}
	t.hops = append(t.hops, &hop{Exchange: oauth.Exchange{Request: r, Started: time.Now()}, id: e.NetworkID, page: page})
}

func title(e *fetch.EventRequestPaused, first bool) string {
	switch {
	case first:
		return "open the authorization request in the browser"
	case e.RedirectedRequestID != "":
		return "follow the redirect"
	case e.Request.Method == http.MethodPost:
		return "send the form"
	}
	return "open the page"
}

// answer files the status and header with the hop that waits for them.
func (t *trail) answer(e *fetch.EventRequestPaused) *hop {
	for _, h := range slices.Backward(t.hops) {
		if h.id != e.NetworkID || h.Status != 0 {
			continue
		}
		h.Status, h.Header = int(e.ResponseStatusCode), http.Header{}
		for _, f := range e.ResponseHeaders {
			h.Header.Add(f.Name, f.Value)
		}
		h.setCookies()
		h.Waited = time.Since(h.Started)
		h.Duration = h.Waited
		return h
	}
	return nil
}

// body files what came after the header.
func (h *hop) body(b []byte) {
	h.Body, h.Cut = b, false
	if len(b) > oauth.MaxBody {
		h.Body, h.Cut = b[:oauth.MaxBody], true
	}
	h.Duration = time.Since(h.Started)
}

// wire files the header that was really sent, cookies included.
func (t *trail) wire(e *network.EventRequestWillBeSentExtraInfo) {
	for _, h := range t.hops {
		if h.id == e.RequestID && !h.sent {
			h.Request.Header, h.sent = params(e.Headers), true
			return
		}
	}
}

// cookies files the cookies that an answer sets, which the other events keep to themselves.
func (t *trail) cookies(e *network.EventResponseReceivedExtraInfo) *hop {
	for _, h := range t.hops {
		if h.id != e.RequestID || h.full {
			continue
		}
		h.full = true
		if proto, _, ok := strings.Cut(e.HeadersText, " "); ok && h.Proto == "" {
			h.Proto = proto
		}
		for name, value := range e.Headers {
			if lines, ok := value.(string); ok && strings.EqualFold(name, "Set-Cookie") {
				h.set = strings.Split(lines, "\n")
			}
		}
		h.setCookies()
		return h
	}
	return nil
}

// setCookies puts the cookies where the header is, whichever of the two came first.
func (h *hop) setCookies() {
	if h.Header != nil && len(h.set) > 0 {
		h.Header["Set-Cookie"] = h.set
	}
}

// incomplete reports whether an answer's cookies are still to come.
func (t *trail) incomplete() bool {
	return slices.ContainsFunc(t.hops, func(h *hop) bool { return h.Status != 0 && !h.full })
}

// connection files what the browser tells of the connection only after the answer.
func (t *trail) connection(id network.RequestID, r *network.Response) {
	if r == nil {
		return
	}
	for _, h := range t.hops {
		if h.id != id || h.connected || h.Status != int(r.Status) {
			continue
		}
		h.connected = true
		if h.Proto == "" {
			h.Proto = map[string]string{"http/1.0": "HTTP/1.0", "http/1.1": "HTTP/1.1", "h2": "HTTP/2.0", "h3": "HTTP/3.0"}[r.Protocol]
		}
		if d := r.SecurityDetails; d != nil {
			h.TLS = &oauth.TLS{Version: d.Protocol, Suite: d.Cipher, Issuer: d.Issuer}
		}
		return
	}
}

// last is the last document that the page itself was asked for, or nil.
func (t *trail) last() *hop {
	for _, h := range slices.Backward(t.hops) {
		if h.page {
			return h
		}
	}
	return nil
}

func (t *trail) exchanges() []oauth.Exchange {
	out := make([]oauth.Exchange, len(t.hops))
	for i, h := range t.hops {
		out[i] = h.Exchange
	}
	return out
}

// String is the way in one line: where the browser was, without the parameters.
func (t *trail) String() string {
	var b strings.Builder
	for i, h := range t.hops {
		const ends = 5 // of a long way
		if i >= ends && i < len(t.hops)-ends {
			if i == ends {
				b.WriteString(", …")
			}
			continue
		}
		if i > 0 {
			b.WriteString(", ")
		}
		place, _, _ := strings.Cut(h.Request.URL, "?")
		b.WriteString(h.Request.Method + " " + place)
		if h.Status != 0 {
			b.WriteString(" → " + strconv.Itoa(h.Status))
		}
	}
	return b.String()
}

func posted(r *network.Request) string {
	var b strings.Builder
	for _, entry := range r.PostDataEntries {
		b.Write(entry.Bytes)
	}
	return b.String()
}

// params are the headers by name, since the protocol does not tell their order.
func params(h network.Headers) oauth.Params {
	out := make(oauth.Params, 0, len(h))
	for name, value := range h {
		if text, ok := value.(string); ok && !strings.HasPrefix(name, ":") {
			out = append(out, oauth.Param{Name: http.CanonicalHeaderKey(name), Value: text})
		}
	}
	slices.SortFunc(out, func(a, b oauth.Param) int { return strings.Compare(a.Name, b.Name) })
	return out
}
