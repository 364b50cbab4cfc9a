package browser

import (
	"context"
	"errors"
	"strings"

	"flowproof/drivers/oauth"
)

// broken deals with a page that did not come.
func (v *visit) broken(text string) {
	last := v.trail.last()
	switch {
	case last != nil && last.Status != 0 && last.id == v.loading && (text != "net::ERR_ABORTED" || last.silent()):
		// The server did answer, if with nothing that can be shown.
		v.landing = &oauth.Landing{Kind: oauth.Shown, URL: last.Request.URL, Page: &oauth.Page{
			Status: last.Status, URL: last.Request.URL, HTML: string(last.Body),
		}}
		if text != "net::ERR_ABORTED" && text != "net::ERR_HTTP_RESPONSE_CODE_FAILURE" {
			v.landing.Page.Text = "the browser gave up: " + text
		}
	case text == "net::ERR_ABORTED":
		// Another page was asked for before this one came, or the old one stays.
		if v.committed != "" {
			v.loading = v.committed
			v.decide()
		}
	default:
		v.failure = v.fail("open the page", text)
	}
}

// silent reports whether the answer is one that no page is made of.
func (h *hop) silent() bool {
	return h.Status == 204 || h.Status == 205 || strings.HasPrefix(strings.ToLower(h.Header.Get("Content-Disposition")), "attachment") ||
		!strings.HasPrefix(h.Header.Get("Content-Type"), "text/")
}

// late ends a visit whose time is over.
func (v *visit) late() {
	if cause := context.Cause(v.caller); cause != nil && !errors.Is(cause, context.DeadlineExceeded) {
		v.failure = v.fail("wait for the redirect", cause.Error())
		return
	}
	v.failure = v.fail(v.doing(), "the time is over")
}

// crashed ends a visit whose tab died.
func (v *visit) crashed() {
	if last := v.trail.last(); last == nil || last.Status == 0 {
		return // it was the page before, and the next one is on its way
	}
	doing := v.doing()
	v.told = false // there is nothing to be seen any more
	if k := v.s.b.keeper; k.ended.Load() > v.ended {
		v.failure = v.fail(doing, k.tooMuch())
		return
	}
	v.failure = v.fail(doing, "the page crashed its tab")
}

// doing is what the visit is about, now.
func (v *visit) doing() string {
	switch {
	case v.committed == "":
		return "wait for an answer"
	case len(v.s.b.target.SignIn) > 0 && !v.played && v.step > 0:
		return v.recipeStep()
	case v.told && v.view.Kind != "other":
		return "get past the " + v.view.Kind + " page"
	}
	return "wait for the redirect"
}
