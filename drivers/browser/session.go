package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	protocol "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	devtools "github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"flowproof/drivers/oauth"
)

// A session is one browser context with one tab, which all its visits share.
type session struct {
	b     *Browser
	id    cdp.BrowserContextID
	tab   *chromedp.Target
	main  cdp.FrameID // the page itself, as against the frames in it
	queue *queue
	leave context.CancelFunc
	tabs  *tabs

	visiting sync.Mutex
	blank    bool // the tab shows nothing that could still act
	empty    arrival
	close    func() error
}

// Tabs are those that were opened in a browser context by us, as against windows that pages open.
type tabs struct {
	mu   sync.Mutex // held while one is opened
	ours map[devtools.ID]bool
}

// An arrival is the empty page that was put in the place of another, until it is there.
type arrival struct {
	mu   sync.Mutex
	id   network.RequestID
	last network.RequestID // the page that came last, or did not
	done chan struct{}
}

// expect says that the empty page is on its way.
func (s *session) expect(id network.RequestID) {
	s.empty.mu.Lock()
	defer s.empty.mu.Unlock()
	s.empty.id, s.empty.done = id, make(chan struct{})
	if s.empty.last == id { // it is there already
		s.empty.done = nil
	}
	s.blank = true
}

// arrived says that a page is there, or will never be.
func (a *arrival) arrived(id network.RequestID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = id
	if a.id == id && a.done != nil {
		close(a.done)
		a.done = nil
	}
}

// wait waits for the empty page, since a navigation that crosses it may be lost. It reports whether it came.
func (a *arrival) wait(ctx context.Context) bool {
	a.mu.Lock()
	done := a.done
	a.mu.Unlock()
	if done == nil {
		return true
	}
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// Session opens an isolated session.
func (b *Browser) Session(ctx context.Context) (oauth.Session, error) {
	ctx, stop := b.promptly(ctx)
	defer stop()
	s := &session{b: b, queue: newQueue(), blank: true, tabs: &tabs{ours: map[devtools.ID]bool{}}}
	s.close = sync.OnceValue(s.dispose)
	if err := s.open(ctx); err != nil {
		if b.root.Err() != nil {
			err = fmt.Errorf("%s: %w", b.gone(), err)
		}
		return nil, errors.Join(fmt.Errorf("browser: opening a session: %w", err), s.Close())
	}
	return s, nil
}

// promptly bounds what only the browser itself has to do, which may be suspended or out of memory.
func (b *Browser) promptly(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, b.patience, errors.New("the browser does not answer"))
}

// Tab opens one more tab of the session.
func (s *session) Tab(ctx context.Context) (oauth.Session, error) {
	ctx, stop := s.b.promptly(ctx)
	defer stop()
	t := &session{b: s.b, id: s.id, queue: newQueue(), blank: true, tabs: s.tabs}
	t.close = sync.OnceValue(t.shut)
	if err := t.attach(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("browser: opening a tab: %w", err), t.Close())
	}
	return t, nil
}

func (s *session) open(ctx context.Context) error {
	engine := chromedp.FromContext(s.b.root).Browser
	made, err := cdp.Call(ctx, engine, devtools.CreateBrowserContext, devtools.CreateBrowserContextParams{DisposeOnDetach: new(true)})
	if err != nil {
		return err
	}
	s.id = made.BrowserContextID
	return s.attach(ctx)
}

// attach opens the tab.
func (s *session) attach(ctx context.Context) error {
	// The tab's life hangs on the context of its first use, which therefore must not be the caller's.
	tab, leave := chromedp.NewContext(s.b.root, chromedp.WithExistingBrowserContext(s.id),
		chromedp.WithDetachOnCancel(), chromedp.WithListener(s.hear))
	s.leave = leave
	s.tabs.mu.Lock()
	unbind := context.AfterFunc(ctx, leave)
	err := chromedp.Do(tab)
	if err == nil {
		s.tabs.ours[chromedp.FromContext(tab).Target.TargetID] = true
	}
	s.tabs.mu.Unlock()
	if !unbind() {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	s.tab = chromedp.FromContext(tab).Target
	s.main = cdp.FrameID(s.tab.TargetID)
	return s.prepare(ctx, chromedp.FromContext(s.b.root).Browser)
}

// prepare arms the tab: every document is stopped before it is asked for and again when the answer is
// there, and the probe runs in every page.
func (s *session) prepare(ctx context.Context, engine *chromedp.Browser) error {
	document := func(stage fetch.RequestStage) *fetch.RequestPattern {
		return &fetch.RequestPattern{URLPattern: "*", ResourceType: network.ResourceTypeDocument, RequestStage: stage}
	}
	steps := []func() error{
		func() error {
			_, err := cdp.Call(ctx, s.tab, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{
				document(fetch.RequestStageRequest), document(fetch.RequestStageResponse),
			}})
			return err
		},
		func() error {
			_, err := cdp.Call(ctx, s.tab, runtime.AddBinding, runtime.AddBindingParams{Name: probeBinding, ExecutionContextName: probeWorld})
			return err
		},
		func() error {
			_, err := cdp.Call(ctx, s.tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: probeScript, WorldName: probeWorld})
			return err
		},
		func() error {
			_, err := cdp.Call(ctx, s.tab, network.SetBypassServiceWorker, network.SetBypassServiceWorkerParams{Bypass: true})
			return err
		},
		func() error {
			_, err := cdp.Call(ctx, engine, protocol.SetDownloadBehavior, protocol.SetDownloadBehaviorParams{
				Behavior: protocol.SetDownloadBehaviorBehaviorDeny, BrowserContextID: s.id,
			})
			return err
		},
	}
	failed := make([]error, len(steps))
	var wg sync.WaitGroup
	for i, step := range steps {
		wg.Go(func() { failed[i] = step() })
	}
	wg.Wait()
	return errors.Join(failed...)
}

// hear passes on what a visit needs to know. It must not wait, nor send commands.
func (s *session) hear(event any) {
	switch e := event.(type) {
	case *page.EventFrameNavigated:
		s.empty.arrived(network.RequestID(e.Frame.LoaderID))
	case *network.EventLoadingFailed:
		s.empty.arrived(e.RequestID)
	}
	switch e := event.(type) {
	case *page.EventJavascriptDialogOpening:
		// A page that is being left is let go; any other question is answered no.
		accept := e.Type == page.DialogTypeBeforeunload
		go s.command(func(ctx context.Context) error {
			_, err := cdp.Call(ctx, s.tab, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: accept})
			return err
		})
	case *devtools.EventTargetCreated:
		if e.TargetInfo.BrowserContextID == s.id && e.TargetInfo.Type == "page" {
			go s.command(func(ctx context.Context) error { return s.tabs.closeStrange(ctx, s.b, e.TargetInfo.TargetID) })
		}
	case *fetch.EventRequestPaused, *runtime.EventBindingCalled, *inspector.EventTargetCrashed,
		*page.EventFrameNavigated, *page.EventFrameRequestedNavigation,
		*network.EventRequestWillBeSent, *network.EventRequestWillBeSentExtraInfo, *network.EventResponseReceivedExtraInfo,
		*network.EventResponseReceived, *network.EventLoadingFinished, *network.EventLoadingFailed:
		s.queue.push(event)
	}
}

// closeStrange closes a window that a page opened. Not each tells who opened it.
func (t *tabs) closeStrange(ctx context.Context, b *Browser, id devtools.ID) error {
	t.mu.Lock()
	ours := t.ours[id]
	t.mu.Unlock()
	if ours {
		return nil
	}
	_, err := cdp.Call(ctx, chromedp.FromContext(b.root).Browser, devtools.CloseTarget, devtools.CloseTargetParams{TargetID: id})
	return err
}

// command does something that nobody waits for; the page may be gone by then.
func (s *session) command(do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(s.b.root, 5*time.Second)
	defer cancel()
	_ = do(ctx)
}

// call runs an act of the probe in the page, and reads what it answers.
func (s *session) call(ctx context.Context, world runtime.ExecutionContextID, act string, argument, into any) error {
	name, err := json.Marshal(act)
	if err != nil {
		return err
	}
	value, err := json.Marshal(argument)
	if err != nil {
		return err
	}
	r, err := cdp.Call(ctx, s.tab, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: "function(name, argument) { return flowproof(name, argument) }",
		ExecutionContextID:  world,
		Arguments:           []*runtime.CallArgument{{Value: name}, {Value: value}},
		ReturnByValue:       new(true),
		UserGesture:         new(true),
	})
	if err != nil {
		return err
	}
	if r.ExceptionDetails != nil {
		return fmt.Errorf("the page threw: %s", r.ExceptionDetails.Text)
	}
	if into == nil || r.Result == nil || len(r.Result.Value) == 0 {
		return nil
	}
	return json.Unmarshal(r.Result.Value, into)
}

// Cookies are those that the session would send to the URL, HttpOnly ones included.
func (s *session) Cookies(ctx context.Context, url string) ([]*http.Cookie, error) {
	r, err := cdp.Call(ctx, s.tab, network.GetCookies, network.GetCookiesParams{URLs: []string{url}})
	if err != nil {
		return nil, fmt.Errorf("browser: reading the cookies for %s: %w", s.b.place(url), err)
	}
	out := make([]*http.Cookie, 0, len(r.Cookies))
	for _, c := range r.Cookies {
		s.b.learn("cookie", c.Value)
		out = append(out, cookie(c))
	}
	return out, nil
}

func cookie(c *network.Cookie) *http.Cookie {
	out := &http.Cookie{Name: c.Name, Value: c.Value, Path: c.Path, Secure: c.Secure, HttpOnly: c.HTTPOnly}
	if strings.HasPrefix(c.Domain, ".") { // else it is the host's alone
		out.Domain = c.Domain
	}
	if !c.Session && c.Expires > 0 {
		out.Expires = time.Unix(int64(c.Expires), 0).UTC()
	}
	switch c.SameSite {
	case network.CookieSameSiteStrict:
		out.SameSite = http.SameSiteStrictMode
	case network.CookieSameSiteLax:
		out.SameSite = http.SameSiteLaxMode
	case network.CookieSameSiteNone:
		out.SameSite = http.SameSiteNoneMode
	}
	return out
}

// renew closes the tab and opens another, with the same cookies.
func (s *session) renew(ctx context.Context) error {
	if err := s.shut(); err != nil {
		return err
	}
	ctx, stop := s.b.promptly(ctx)
	defer stop()
	return s.attach(ctx)
}

// shut closes the tab alone.
func (s *session) shut() error {
	defer s.b.keeper.mind(s, false)
	defer func() {
		if s.leave != nil {
			s.leave()
		}
	}()
	if s.tab == nil || s.b.root.Err() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.b.root, 5*time.Second)
	defer cancel()
	_, err := cdp.Call(ctx, chromedp.FromContext(s.b.root).Browser, devtools.CloseTarget, devtools.CloseTargetParams{TargetID: s.tab.TargetID})
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("browser: closing a tab: %w", err)
	}
	return nil
}

// Close forgets the session's cookies and storage, and closes its tab.
func (s *session) Close() error { return s.close() }

func (s *session) dispose() error {
	defer s.b.keeper.mind(s, false)
	defer func() {
		if s.leave != nil {
			s.leave()
		}
	}()
	if s.id == "" || s.b.root.Err() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.b.root, 5*time.Second)
	defer cancel()
	_, err := cdp.Call(ctx, chromedp.FromContext(s.b.root).Browser, devtools.DisposeBrowserContext, devtools.DisposeBrowserContextParams{BrowserContextID: s.id})
	if err != nil && !errors.Is(err, context.Canceled) { // with the browser, the session is gone
		return fmt.Errorf("browser: closing a session: %w", err)
	}
	return nil
}
