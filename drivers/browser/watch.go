package browser

import (
	"context"
	"strings"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"

	"flowproof/drivers/oauth"
)

var _ oauth.Watcher = (*session)(nil)

// Watch plays a visit and tells what its pages asked for, and what became of their frames.
func (s *session) Watch(ctx context.Context, v oauth.Visit, w oauth.Watching) (oauth.Sight, error) {
	seen := &watched{Watching: w, fetched: map[network.RequestID]int{}}
	l, err := s.visit(ctx, v, seen)
	seen.sight.Landing = l
	return seen.sight, err
}

// A watched is what a visit gathers that is watched. Of an ordinary one it is empty, and gathers nothing.
type watched struct {
	oauth.Watching
	sight    oauth.Sight
	fetched  map[network.RequestID]int // where in the sight
	departed int                       // the page on which the link was followed
}

// see takes what the browser tells.
func (w *watched) see(event any, main func(id string) bool) {
	if w.fetched == nil {
		return
	}
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		w.fetched[e.RequestID] = len(w.sight.Requests)
		w.sight.Requests = append(w.sight.Requests, oauth.Fetched{URL: e.Request.URL, Kind: string(e.Type), Page: e.DocumentURL})
	case *network.EventLoadingFailed:
		if i, known := w.fetched[e.RequestID]; known && e.BlockedReason != "" {
			w.sight.Requests[i].Blocked = true
		}
	case *page.EventFrameNavigated:
		where := e.Frame.URL
		refused := e.Frame.UnreachableURL != "" || strings.HasPrefix(where, "chrome-error:")
		if refused {
			where = e.Frame.UnreachableURL
		}
		if !main(string(e.Frame.ID)) && !strings.HasPrefix(where, "about:") {
			w.sight.Frames = append(w.sight.Frames, oauth.Frame{Name: e.Frame.Name, URL: where, Refused: refused})
		}
	}
}

// departs follows the link away from the page that the visit came to its end on, once. It reports whether
// the visit goes on.
func (v *visit) departs(kind oauth.LandingKind) bool {
	w := v.watched
	switch {
	case w.Leave == "" || w.departed != 0 && v.page != w.departed:
		return false
	case w.departed == 0:
		w.departed = v.page
		v.do("leave", map[string]string{"url": w.Leave}, nil)
	default: // on the way; the page is not to be disturbed now
		v.wait(stuck, func() {
			w.Leave = ""
			v.stop(kind)
		})
	}
	return true
}
