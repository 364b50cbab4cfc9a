package browser

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"flowproof/drivers/oauth"
)

// How long a visit waits for a page that may still change by itself.
const (
	patience = 20 * time.Second       // for the whole visit
	mostHops = 100                    // documents in one visit
	lull     = 700 * time.Millisecond // without a change, until a page with scripts counts as finished
	longLull = 3 * time.Second        // the same for one that shows nothing yet, or says that it is loading
	stuck    = 5 * time.Second        // without a change after something was sent
	restless = 6 * time.Second        // since it was loaded, for a page that never stops changing
	stepWait = 8 * time.Second        // for what a step of a recipe needs, on one page
	clinging = 2 * time.Second        // until a page that does not let go loses its tab
)

// A visit plays one authorization request. It is a loop over the tab's events: whatever comes first,
// the redirect or a page that asks for something, is dealt with at once.
type visit struct {
	oauth.Visit
	watched *watched
	s       *session
	caller  context.Context // may end before ctx does
	ctx     context.Context
	start   string // the host that the caller sent us to
	trail   trail
	timer   *time.Timer
	lapse   func() // what to do when the timer fires
	landing *oauth.Landing
	failure error

	wiped     network.RequestID // the empty page between the visits
	loading   network.RequestID // the page that was asked for last
	committed network.RequestID // the page that is there
	frames    map[network.RequestID]bool
	inflight  map[network.RequestID]bool // what the page's scripts asked for

	said   *word // of the page that is there
	view   view
	world  runtime.ExecutionContextID // of the page that told the view
	told   bool                       // the page that is there has told one
	page   int                        // counts the pages that came
	news   int                        // how many views were told
	loaded time.Time                  // when it was first seen complete
	acting bool
	halted bool // the caller has held the visit

	sent      struct{ username, password, otp bool }
	typed     bool   // the password was really typed into a page
	sentFrom  int    // the page that they were sent from
	alert     string // what that page said before
	consented int    // the page that consent was given on
	agreed    string // what stood on the button; a script may put another one in its place, and ask on
	consents  int
	wentOn    bool
	banners   int       // about cookies, that were taken away
	dismissed int       // what was known of the page then
	step      int       // of the recipe
	waiting   time.Time // since when the page is waited on for the step
	begun     bool      // a step of it was done
	played    bool      // all of them were

	lastDeed time.Time
	ended    int64 // how many processes had been ended when it began
}

// acted is what came of an act in the page.
type acted struct {
	answer answer
	err    error
	then   func(answer)
}

// An answer is what the probe says of an act: why it was not done, or what was done.
type answer struct {
	Problem string `json:"problem"`
	Did     string `json:"did"`
}

// resumed ends the pause of a visit.
type resumed struct{}

// opened is what came of the navigation that began the visit.
type opened struct {
	result page.NavigateResult
	err    error
}

// Visit plays an authorization request to its end.
func (s *session) Visit(ctx context.Context, v oauth.Visit) (oauth.Landing, error) {
	return s.visit(ctx, v, &watched{})
}

func (s *session) visit(ctx context.Context, v oauth.Visit, w *watched) (oauth.Landing, error) {
	s.visiting.Lock()
	defer s.visiting.Unlock()
	limit := s.b.patience
	if v.User != nil && !v.User.TOTP.Empty() {
		limit += 30 * time.Second // the next one-time password may have to be waited for
	}
	for _, step := range s.b.target.SignIn {
		limit += step.Patience
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	run := &visit{Visit: v, watched: w, s: s, caller: ctx, ctx: bounded, start: authority(v.URL), lastDeed: time.Now(),
		frames: map[network.RequestID]bool{}, inflight: map[network.RequestID]bool{}, timer: time.NewTimer(time.Hour)}
	defer run.timer.Stop()
	if v.User != nil {
		s.b.learn("password", v.User.Password.Reveal())
	}
	var err error
	if run.wiped, err = s.wipe(bounded); err != nil {
		return oauth.Landing{}, run.fail("leave the last page", err.Error())
	}
	s.queue.listen(true)
	defer s.queue.listen(false)
	s.blank = false
	run.ended = s.b.keeper.ended.Load()
	s.b.keeper.mind(s, true)
	defer func() { s.b.keeper.mind(s, !s.blank) }()
	return run.play()
}

// wipe leaves a page that could still act on its own, so that nothing of it gets into the next visit. It waits until the
// page is left: one that is asked first, by its beforeunload, takes its time, and what is opened meanwhile is lost. Where
// the page does not let go, as with a script without end, another tab takes the place of this one.
func (s *session) wipe(ctx context.Context) (network.RequestID, error) {
	soon, cancel := context.WithTimeout(ctx, clinging)
	defer cancel()
	var id network.RequestID
	if !s.blank {
		r, err := cdp.Call(soon, s.tab, page.Navigate, page.NavigateParams{URL: "about:blank"})
		switch {
		case err == nil:
			id = network.RequestID(r.LoaderID)
			s.expect(id)
		case soon.Err() == nil:
			return "", err
		}
	}
	if soon.Err() == nil && s.empty.wait(soon) {
		return id, nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	return "", s.renew(ctx)
}

func (v *visit) play() (oauth.Landing, error) {
	go func() {
		r, err := cdp.Call(v.ctx, v.s.tab, page.Navigate, page.NavigateParams{URL: v.URL})
		v.push(opened{r, err})
	}()
	for v.landing == nil && v.failure == nil {
		if event, ok := v.s.queue.next(); ok {
			v.handle(event)
			continue
		}
		select {
		case <-v.s.queue.wake:
		case <-v.timer.C:
			if then := v.lapse; then != nil {
				v.lapse = nil
				then()
			}
		case <-v.ctx.Done():
			v.late()
		case <-v.s.b.root.Done():
			v.told = false
			v.failure = v.fail(v.doing(), v.s.b.gone())
		}
	}
	v.finish()
	v.remember()
	if v.failure != nil {
		out := oauth.Landing{Trail: v.trail.exchanges()}
		if f := new(Failure); errors.As(v.failure, &f) {
			out.Page = f.Page
		}
		return out, v.failure
	}
	v.landing.Trail = v.trail.exchanges()
	return *v.landing, nil
}

// outcome is what came of a command that a visit sent. It may come when the visit is over; the next one
// must not take it for its own.
type outcome struct {
	of   *visit
	what any
}

// push queues the outcome of a command of this visit.
func (v *visit) push(what any) { v.s.queue.push(outcome{v, what}) }

func (v *visit) handle(event any) {
	v.record(event)
	switch e := event.(type) {
	case outcome:
		if e.of == v {
			v.handle(e.what)
		}
	case *fetch.EventRequestPaused:
		v.paused(e)
	case *page.EventFrameRequestedNavigation:
		v.requested(e)
	case *page.EventFrameNavigated:
		v.navigated(e)
	case *network.EventRequestWillBeSent:
		v.requestSent(e)
	case *network.EventLoadingFinished:
		delete(v.inflight, e.RequestID)
	case *network.EventLoadingFailed:
		delete(v.inflight, e.RequestID)
		if e.RequestID == v.loading && e.Type == network.ResourceTypeDocument {
			v.broken(e.ErrorText)
		}
	case *runtime.EventBindingCalled:
		v.tell(e)
	case *inspector.EventTargetCrashed:
		v.crashed()
	case acted:
		v.acted(e)
	case resumed:
		v.acting = false
		v.decide()
	case bodied:
		v.bodied(e)
	case coded:
		v.coded(e)
	case opened:
		switch {
		case e.err != nil && v.s.b.root.Err() != nil:
			v.failure = v.fail(v.doing(), v.s.b.gone())
		case e.err != nil && v.ctx.Err() == nil:
			v.failure = v.fail("open the authorization request", e.err.Error())
		case e.err == nil && e.result.ErrorText != "" && (v.loading == "" || v.loading == network.RequestID(e.result.LoaderID)):
			v.broken(e.result.ErrorText)
		}
	}
}

// record files what tells more of an exchange that is in the trail already.
func (v *visit) record(event any) {
	v.watched.see(event, func(id string) bool { return cdp.FrameID(id) == v.s.main })
	switch e := event.(type) {
	case *network.EventRequestWillBeSentExtraInfo:
		v.trail.wire(e)
	case *network.EventResponseReceivedExtraInfo:
		if h := v.trail.cookies(e); h != nil {
			v.learnCookies(h)
		}
	case *network.EventRequestWillBeSent:
		v.trail.connection(e.RequestID, e.RedirectResponse)
	case *network.EventResponseReceived:
		v.trail.connection(e.RequestID, e.Response)
	}
}

// finish completes the record: what the browser tells of an answer's cookies may come a little later. Then
// it tells the observer of the exchanges with the target's hosts.
func (v *visit) finish() {
	timer := time.NewTimer(30 * time.Millisecond)
	defer timer.Stop()
	v.s.queue.drain(v.record)
	for late := false; !late && v.trail.incomplete(); {
		select {
		case <-v.s.queue.wake:
			v.s.queue.drain(v.record)
		case <-timer.C:
			late = true
		}
	}
	if v.s.b.options.Observe == nil {
		return
	}
	for _, h := range v.trail.hops {
		if v.s.b.hosts.ours(h.Request.URL) {
			v.s.b.options.Observe(h.Exchange)
		}
	}
}

// requestSent counts what may still change the page, and sees the one kind of document that cannot be
// stopped before it is asked for: that of a scheme which only another program opens.
func (v *visit) requestSent(e *network.EventRequestWillBeSent) {
	if slices.Contains([]network.ResourceType{network.ResourceTypeXHR, network.ResourceTypeFetch, network.ResourceTypeScript}, e.Type) {
		v.inflight[e.RequestID] = true
	}
	if e.Type == network.ResourceTypeDocument && v.committed != "" && foreign(e.Request.URL) && v.leaves(e.Request.URL, e.FrameID == v.s.main) {
		where, how := e.Request.URL+e.Request.URLFragment, "form_post"
		if e.Request.Method != http.MethodPost {
			w := v.word()
			if w != nil && foreign(w.URL) {
				where = w.URL // the only one with its fragment
			}
			how = w.how()
		}
		v.land(where, how, posted(e.Request))
	}
}

// requested sees a script or a page element lead to such a scheme. What a form posts is only told with
// the request.
func (v *visit) requested(e *page.EventFrameRequestedNavigation) {
	if v.committed == "" {
		return // the last visit's page said so
	}
	v.said = (*word)(e)
	if e.Reason != page.ClientNavigationReasonFormSubmissionPost && foreign(e.URL) && v.leaves(e.URL, e.FrameID == v.s.main) {
		v.land(e.URL, v.said.how(), "")
	}
}

// foreign reports whether the URL's scheme is one that the browser does not load pages by.
func foreign(raw string) bool {
	return !slices.Contains([]string{"http", "https", "about", "blob", "data", "javascript", "file", "chrome-error"}, scheme(raw))
}

func (v *visit) navigated(e *page.EventFrameNavigated) {
	if e.Frame.ID != v.s.main || v.loading == "" {
		return
	}
	id := network.RequestID(e.Frame.LoaderID)
	switch {
	case id == v.wiped:
		return
	case v.frames[id]:
		v.committed = id
	case strings.HasPrefix(e.Frame.URL, "about:") || strings.HasPrefix(e.Frame.URL, "blob:"):
		v.loading, v.committed = id, id
	default:
		return
	}
	v.page++
	v.told, v.loaded, v.said, v.waiting = false, time.Time{}, nil, time.Time{}
	if !v.begun {
		v.step = 0 // what was not there on the last page may be on this one
	}
	clear(v.inflight)
}

// tell takes what the probe saw.
func (v *visit) tell(e *runtime.EventBindingCalled) {
	var seen view
	if e.Name != probeBinding || v.committed == "" || json.Unmarshal([]byte(e.Payload), &seen) != nil {
		return
	}
	v.view, v.world, v.told = seen, e.ExecutionContextID, true
	v.news++
	if v.loaded.IsZero() && seen.Ready == "complete" {
		v.loaded = time.Now()
	}
	v.decide()
}

// do runs an act in the page, while the visit goes on; then decides how.
func (v *visit) do(act string, argument any, then func(answer)) {
	v.acting = true
	world := v.world
	go func() {
		var a answer
		err := v.s.call(v.ctx, world, act, argument, &a)
		v.push(acted{a, err, then})
	}()
}

func (v *visit) acted(e acted) {
	v.acting = false
	// An error means that the page went away under the act, as pages do once their form is sent.
	if e.err == nil && e.then != nil {
		e.then(e.answer)
		return
	}
	v.decide()
}

// wait lets the page be for a while; any news of it cancels that.
func (v *visit) wait(d time.Duration, then func()) {
	v.timer.Reset(d)
	v.lapse = then
}
