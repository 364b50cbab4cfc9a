package browser

import (
	"context"
	_ "embed" // of the probe
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

//go:embed probe.js
var probeScript string

const (
	probeWorld   = "flowproof"
	probeBinding = "flowproofTell" // what the probe calls to tell a view
)

// A view is what the probe makes of the page at one moment.
type view struct {
	Kind     string `json:"kind"` // sign-in, consent, banner (about cookies, with nothing else to do) or other
	URL      string `json:"url"`
	Ready    string `json:"ready"`   // loading, interactive or complete
	Live     bool   `json:"live"`    // it can change by itself: it has scripts
	Busy     bool   `json:"busy"`    // it shows nothing yet, or says that it is loading
	Refresh  bool   `json:"refresh"` // it will lead elsewhere by itself
	Username bool   `json:"username"`
	Password bool   `json:"password"`
	OTP      bool   `json:"otp"`
	Accept   bool   `json:"accept"`
	Agree    string `json:"agree"` // what stands on the button to accept with
	Deny     bool   `json:"deny"`
	Known    bool   `json:"known"` // somebody is signed in, who could sign out here
	Alert    string `json:"alert"`
	Changes  int    `json:"changes"`
}

// usable reports whether acting on the page is safe: scripts that a form relies on have run.
func (w view) usable() bool {
	return w.Ready == "complete" || (w.Ready == "interactive" && !w.Live)
}

// look takes what the user is shown, without what the user typed into secret fields.
func (s *session) look(ctx context.Context, world runtime.ExecutionContextID, user *target.User, picture bool) (*oauth.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var shown struct{ URL, Title, Text, Fields, HTML string }
	if err := s.call(ctx, world, "show", nil, &shown); err != nil {
		return nil, err
	}
	hide := func(text string) string { return text }
	if user != nil && len(user.Password.Reveal()) >= 4 {
		hide = strings.NewReplacer(user.Password.Reveal(), "[secret]").Replace
	}
	out := &oauth.Page{URL: shown.URL, Title: hide(shown.Title), Text: hide(shown.Text), HTML: hide(shown.HTML)}
	// Nothing can be masked in a picture: of a page that shows a secret there is none.
	seen := shown.Text + "\n" + shown.Fields
	if !picture || s.b.options.Redact(hide(seen)) != seen {
		return out, nil
	}
	if picture, err := cdp.Call(ctx, s.tab, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormatPng, OptimizeForSpeed: new(true),
	}); err == nil {
		out.Screenshot = picture.Data
	}
	return out, nil
}
