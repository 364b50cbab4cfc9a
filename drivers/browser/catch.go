package browser

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"

	"flowproof/drivers/oauth"
)

// paused deals with a document that waits for us: before it is asked for, or when the answer's header is there.
func (v *visit) paused(e *fetch.EventRequestPaused) {
	if e.ResponseStatusCode == 0 && e.ResponseErrorReason == "" {
		v.before(e)
	} else {
		v.after(e)
	}
}

func (v *visit) before(e *fetch.EventRequestPaused) {
	where, page := e.Request.URL+e.Request.URLFragment, e.FrameID == v.s.main
	if v.leaves(where, page) {
		v.fulfil(e)
		v.land(where, v.via(e), posted(e.Request))
		return
	}
	v.trail.begin(e, page)
	if len(v.trail.hops) > mostHops {
		v.failure = v.fail("come to an end", "the pages lead on and on, and "+strconv.Itoa(mostHops)+" were enough")
		return
	}
	if page {
		v.loading = e.NetworkID
		v.frames[e.NetworkID] = true
		v.timer.Stop()
	}
	v.proceed(e)
}

func (v *visit) after(e *fetch.EventRequestPaused) {
	h := v.trail.answer(e)
	if h != nil && e.ResponseErrorReason == "" {
		if h.page {
			v.came(h)
		}
		if h.Redirects() {
			where := onward(e.Request.URL, e.Request.URLFragment, h.Location())
			if v.leaves(where, h.page) {
				v.fulfil(e)
				v.land(where, strconv.Itoa(h.Status), "")
				return
			}
		} else if h.page && v.read(e, h) {
			return
		}
	}
	v.proceed(e)
}

// read takes the body of a page, unless it may be without end or measure, and then lets it come. It reports whether it
// does.
func (v *visit) read(e *fetch.EventRequestPaused, h *hop) bool {
	if n, err := strconv.ParseInt(h.Header.Get("Content-Length"), 10, 64); err == nil && n > 4*oauth.MaxBody {
		h.Cut = true
		return false
	}
	if kind := h.Header.Get("Content-Type"); h.Status == http.StatusNoContent || strings.HasPrefix(kind, "text/event-stream") || strings.HasPrefix(kind, "multipart/") {
		return false
	}
	ctx, enough := v.s.b.keeper.reading(v.ctx)
	go func() {
		defer enough()
		r, err := cdp.Call(ctx, v.s.tab, fetch.GetResponseBody, fetch.GetResponseBodyParams{RequestID: e.RequestID})
		if ctx.Err() != nil { // else the browser would read on, also when the visit is over
			err = context.Cause(ctx)
			v.s.command(func(ctx context.Context) error {
				_, err := cdp.Call(ctx, v.s.tab, fetch.FailRequest, fetch.FailRequestParams{RequestID: e.RequestID, ErrorReason: network.ErrorReasonAborted})
				return err
			})
		}
		v.push(bodied{e, h, r.Body, err})
	}()
	return true
}

// bodied is what came of reading a page.
type bodied struct {
	event *fetch.EventRequestPaused
	hop   *hop
	body  []byte
	err   error
}

// bodied lets the page come that was read.
func (v *visit) bodied(b bodied) {
	switch {
	case errors.Is(b.err, errTooMuch):
		b.hop.Cut = true
		v.failure = v.fail("open the page", b.err.Error())
		return
	case b.err != nil:
		b.hop.Cut = true
	default:
		b.hop.body(b.body)
	}
	v.proceed(b.event)
}

// proceed lets go on what waits for us.
func (v *visit) proceed(e *fetch.EventRequestPaused) {
	v.ignoreGone(cdp.Call(v.ctx, v.s.tab, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID}))
}

// fulfil puts an empty page in the place of what was to be opened.
func (v *visit) fulfil(e *fetch.EventRequestPaused) {
	if e.FrameID == v.s.main {
		v.s.expect(e.NetworkID)
	}
	v.ignoreGone(cdp.Call(v.ctx, v.s.tab, fetch.FulfillRequest, fetch.FulfillRequestParams{
		RequestID:    e.RequestID,
		ResponseCode: http.StatusOK,
		ResponseHeaders: []*fetch.HeaderEntry{
			{Name: "Content-Type", Value: "text/html; charset=utf-8"},
			{Name: "Cache-Control", Value: "no-store"},
		},
		Body: []byte("<!doctype html><html data-flowproof-caught><title>caught</title></html>"),
	}))
}

// ignoreGone says that a request which the browser has given up meanwhile needs no answer.
func (v *visit) ignoreGone(cdp.Empty, error) {}

// land ends the visit at a redirect.
func (v *visit) land(where, via, form string) {
	l := oauth.ParseLanding(where)
	l.Via = via
	if form != "" {
		l.Query = append(l.Query, oauth.ParseParams(form)...)
	}
	for _, p := range append(l.Query, l.Fragment...) {
		switch p.Name {
		case "code", "access_token", "refresh_token", "id_token":
			v.s.b.learn(p.Name, p.Value)
		}
	}
	v.caught(l)
	v.landing = &l
}

// via tells what led to a request that was caught before it was sent.
func (v *visit) via(e *fetch.EventRequestPaused) string {
	if last := v.trail.last(); e.RedirectedRequestID != "" && last != nil && last.id == e.NetworkID {
		return strconv.Itoa(last.Status)
	}
	if e.Request.Method == http.MethodPost {
		return "form_post"
	}
	return v.word().how()
}

// word is what the page itself tells of why it leads elsewhere, or nil. It comes by another way than the
// request, before or after it.
func (v *visit) word() *word {
	const delay = 250 * time.Millisecond // seen on a busy machine: 50
	timer := time.NewTimer(delay)
	defer timer.Stop()
	for v.said == nil {
		v.s.queue.peek(func(item any) {
			if e, ok := item.(*page.EventFrameRequestedNavigation); ok {
				v.said = (*word)(e)
			}
		})
		if v.said != nil {
			break
		}
		select {
		case <-v.s.queue.wake:
		case <-timer.C:
			return nil
		}
	}
	return v.said
}

// A word is the page's own on where it leads, and why.
type word page.EventFrameRequestedNavigation

// how is the landing's name for it.
func (w *word) how() string {
	names := map[page.ClientNavigationReason]string{
		page.ClientNavigationReasonMetaTagRefresh:     "meta",
		page.ClientNavigationReasonHTTPHeaderRefresh:  "refresh",
		page.ClientNavigationReasonFormSubmissionGet:  "form",
		page.ClientNavigationReasonFormSubmissionPost: "form_post",
		page.ClientNavigationReasonAnchorClick:        "link",
	}
	if w != nil && names[w.Reason] != "" {
		return names[w.Reason]
	}
	return "script"
}

// learnCookies makes the cookies known that an answer sets, for the redactor.
func (v *visit) learnCookies(h *hop) {
	for _, line := range h.set {
		if c, err := http.ParseSetCookie(line); err == nil {
			v.s.b.learn("cookie", c.Value)
		}
	}
}

func (b *Browser) learn(kind, value string) {
	if value != "" {
		b.options.Learn(kind, value)
	}
}
