package browser

import (
	"context"
	"strings"
	"time"

	"flowproof/drivers/oauth"
)

// A Failure is a visit that came to no end. It holds secrets, as exchanges do; its text does not.
type Failure struct {
	Doing  string           // what was tried
	Reason string           // why it did not work
	URL    string           // the page that it happened on, without parameters
	Trail  []oauth.Exchange // the documents up to there
	Page   *oauth.Page      // what the user saw, or nil
	Had    []Control        // what that page had to fill and to press
	way    string
	cause  error
}

// A Control is something on a page that a recipe could name. What it says is the page's.
type Control struct {
	Selector string `json:"selector"`
	Tag      string `json:"tag"`
	ID       string `json:"id"`
	Name     string `json:"name"`
	Type     string `json:"type"`
	Text     string `json:"text"` // what stands on it, or labels it
}

func (f *Failure) Error() string {
	s := "browser: " + f.Doing + ": " + f.Reason
	if f.way != "" {
		s += " (" + f.way + ")"
	}
	return s
}

// Unwrap gives the reason why the visit was broken off, if it was.
func (f *Failure) Unwrap() error { return f.cause }

// fail describes the end of a visit that observed nothing, with a picture of the page if there is one.
func (v *visit) fail(doing, because string) error {
	redact := v.s.b.options.Redact
	f := &Failure{Doing: redact(doing), Reason: redact(because), Trail: v.trail.exchanges(), way: redact(v.trail.String()), cause: context.Cause(v.ctx)}
	if last := v.trail.last(); last != nil {
		f.URL = v.s.b.place(last.Request.URL)
	}
	if v.told && v.caller.Err() == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(v.ctx), 2*time.Second)
		defer cancel()
		if shown, err := v.s.look(ctx, v.world, v.User, true); err == nil {
			shown.Title, shown.Text, shown.HTML, shown.URL = redact(shown.Title), redact(shown.Text), redact(shown.HTML), redact(shown.URL)
			f.Page = shown
		}
		f.Had = v.controls(ctx)
	}
	return f
}

// controls are those of the page that is there.
func (v *visit) controls(ctx context.Context) []Control {
	var had []Control
	if v.s.call(ctx, v.world, "controls", nil, &had) != nil {
		return nil
	}
	redact := v.s.b.options.Redact
	for i, c := range had {
		had[i] = Control{redact(c.Selector), redact(c.Tag), redact(c.ID), redact(c.Name), redact(c.Type), redact(c.Text)}
	}
	return had
}

// noRefusal is the failure to refuse on a page that has no button for it.
func (v *visit) noRefusal() error {
	err := v.fail("deny consent", oauth.ErrNoRefusal.Error())
	if f, is := err.(*Failure); is { //nolint:errorlint // made a line above
		f.cause = oauth.ErrNoRefusal
	}
	return err
}

// place is a URL without its parameters.
func (b *Browser) place(raw string) string {
	out, _, _ := strings.Cut(raw, "#")
	out, _, _ = strings.Cut(out, "?")
	return b.options.Redact(out)
}
