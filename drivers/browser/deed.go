package browser

import (
	"strconv"
	"time"

	"flowproof/drivers/oauth"
)

// A Deed is one thing that was done in a visit: by the browser for its user, or by the server in answer. It
// holds no secrets, but it may hold text of the page.
type Deed struct {
	Step  int           // of the recipe, from 1; else 0
	What  string        // in words
	Where string        // the page's URL, without parameters
	Took  time.Duration // since the deed before, or the visit's begin
}

// deed tells what was done on the page, to whom it may concern.
func (v *visit) deed(step int, what, where string) {
	now := time.Now()
	took := now.Sub(v.lastDeed)
	v.lastDeed = now
	if v.s.b.options.Tell == nil {
		return
	}
	v.s.b.options.Tell(Deed{Step: step, What: v.s.b.options.Redact(what), Where: v.s.b.place(where), Took: took})
}

// came tells of a page's answer.
func (v *visit) came(h *hop) {
	what := h.Request.Title + ": " + strconv.Itoa(h.Status)
	if h.Redirects() {
		what += ", on to " + v.s.b.place(onward(h.Request.URL, "", h.Location()))
	}
	v.deed(0, what, h.Request.URL)
}

// caught tells of the redirect to the client, and what it brings.
func (v *visit) caught(l oauth.Landing) {
	what := "caught the redirect to the client"
	for i, p := range append(append(oauth.Params{}, l.Query...), l.Fragment...) {
		switch {
		case i == 0:
			what += ", with "
		default:
			what += ", "
		}
		what += p.Name
		if p.Name == "error" {
			what += "=" + p.Value
		}
	}
	v.deed(0, what, l.URL)
}
