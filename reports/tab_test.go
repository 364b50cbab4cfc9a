package reports_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"flowproof/drivers/browser"
)

// A tab is a page of a browser in which a test looks at reports.
type tab struct {
	*testing.T
	ctx context.Context

	mu       sync.Mutex
	troubles []string // what was written to the console, and exceptions
}

func newTab(t *testing.T) *tab {
	t.Helper()
	named, _ := os.LookupEnv("FLOWPROOF_BROWSER")
	path, err := browser.Find(named)
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, leave := chromedp.NewContext(allocator)
	t.Cleanup(leave)
	b := &tab{T: t, ctx: ctx}
	b.must(chromedp.Listen(ctx, b.hear))
	b.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, log.Enable, cdp.Empty{})
		return chromedp.Void{}, err
	})
	return b
}

func (b *tab) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *tab) hear(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		b.troubles = append(b.troubles, "console."+string(ev.Type))
	case *runtime.EventExceptionThrown:
		b.troubles = append(b.troubles, "exception: "+ev.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		b.troubles = append(b.troubles, string(ev.Entry.Level)+": "+ev.Entry.Text)
	}
}

// heard hands over what was written since the last time.
func (b *tab) heard() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.troubles
	b.troubles = nil
	return out
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	b.must(chromedp.Do(b.ctx, actions...))
}

// open loads a page anew.
func (b *tab) open(address string) {
	b.Helper()
	b.do(chromedp.Navigate("about:blank"), chromedp.Navigate(address))
}

// eval is what a script comes to in the page.
func eval[T any](b *tab, script string, options ...chromedp.EvaluateOption) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, options...))
	b.must(err)
	return v
}

// look sets the width of the window and the colours that the reader likes.
func (b *tab) look(width int64, dark bool) {
	b.Helper()
	b.size(width, 900)
	scheme := map[bool]string{true: "dark", false: "light"}[dark]
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	b.must(err)
}

func (b *tab) size(width, height int64) {
	b.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
	b.must(err)
}

// photograph writes a picture of the whole page, as wide as that.
func (b *tab) photograph(path string, width int64) {
	b.Helper()
	b.size(width, eval[int64](b, `document.documentElement.scrollHeight`)) // what is out of view is not drawn
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	b.must(err)
	b.must(os.WriteFile(path, picture, 0o600))
}

// until waits, picture by picture, for what the script says to become true.
func (b *tab) until(what, script string) {
	b.Helper()
	for began := time.Now(); ; {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`new Promise(function (done) {
			var began = performance.now();
			(function again() {
				if (`+script+`) done(true); else if (performance.now() - began > 5000) done(false); else requestAnimationFrame(again)
			})()
		})`, chromedp.EvalAwaitPromise))
		if err != nil && time.Since(began) < 5*time.Second {
			continue // the page that was asked is being left
		}
		b.must(err)
		if !ok {
			b.Errorf("not in 5 s: %s", what)
		}
		return
	}
}

// policy says whether the page's content security policy holds; the test's own script does not get past it.
func (b *tab) policy(holds bool) {
	b.Helper()
	_, err := chromedp.Call(b.ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: !holds})
	b.must(err)
}

func (b *tab) scripts(run bool) {
	b.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run})
	b.must(err)
}

func fileURL(t *testing.T, path string) string {
	t.Helper()
	whole, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(whole)}).String()
}
