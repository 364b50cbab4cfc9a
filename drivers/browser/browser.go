// Package browser signs in, consents and catches the redirect to the client in a real Chromium, so that
// nothing leaves the browser and no client needs to exist.
package browser

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	protocol "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// Options say which browser to use and who is told what it sees. The zero value is good.
type Options struct {
	Path   string // the browser's binary; empty: found on the machine
	Headed bool   // with a window, to watch it

	Tried *oauth.Tried // what became of credentials in the run so far; nil: nothing yet

	Redact  func(string) string      // applied to text before it leaves in errors and deeds; may be nil
	Learn   func(kind, value string) // told of every cookie, code, token and one-time password seen; may be nil
	Observe func(oauth.Exchange)     // told of each document that the target's hosts were asked for, once a visit ended; may be nil
	Tell    func(Deed)               // told of what is done in a visit, as it is done; may be nil
}

// A Browser is one running Chromium. Its sessions share nothing.
type Browser struct {
	target   target.Target
	options  Options
	hosts    hosts
	product  string
	profile  *profile
	patience time.Duration // of one visit
	codes    *oauth.Codes
	tried    *oauth.Tried

	root  context.Context // chromedp's; it ends with the browser
	stop  func()          // kills the browser and waits for its end
	close func() error

	keeper *keeper
	kept   sync.WaitGroup
}

var _ oauth.UserAgent = (*Browser)(nil)

// Start starts a browser for the target. The context bounds the start only: the browser lives until
// Close, or until this process ends, however it ends.
func Start(ctx context.Context, t target.Target, o Options) (*Browser, error) {
	path, err := find(o.Path, o.Headed)
	if err != nil {
		return nil, err
	}
	if o.Redact == nil {
		o.Redact = func(s string) string { return s }
	}
	if o.Learn == nil {
		o.Learn = func(string, string) {}
	}
	if o.Tried == nil {
		o.Tried = oauth.NewTried()
	}
	home, err := newProfile()
	if err != nil {
		return nil, err
	}
	b := &Browser{target: t, options: o, hosts: hostsOf(t), profile: home, codes: oauth.NewCodes(), tried: o.Tried, patience: patience}
	b.close = sync.OnceValue(b.end)

	life, kill := context.WithCancel(context.WithoutCancel(ctx))
	allocator, release := chromedp.NewExecAllocator(life, flags(path, t, o, b.hosts, home.dir, pins(ctx, t))...)
	quiet := func(string, ...any) {}
	root, closeRoot := chromedp.NewContext(allocator, chromedp.WithLogf(quiet), chromedp.WithErrorf(quiet))
	b.root, b.stop = root, func() { kill(); closeRoot(); release() }

	unbind := context.AfterFunc(ctx, kill)
	version, err := chromedp.CallBrowser(root, protocol.GetVersion, cdp.Empty{})
	if !unbind() {
		return nil, errors.Join(fmt.Errorf("browser: starting %s: %w", path, context.Cause(ctx)), b.Close())
	}
	switch {
	case err != nil && o.Headed && displayless(err):
		return nil, errors.Join(fmt.Errorf("browser: %s finds no display to show its window on", path), b.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("browser: starting %s: %s", path, words(err)), b.Close())
	}
	_, number, _ := strings.Cut(version.Product, "/")
	b.product = "Chromium " + number
	b.keeper = newKeeper(newFamily(chromedp.FromContext(root).Browser.Process()))
	b.kept.Go(func() { b.keeper.keep(root.Done()) })
	return b, nil
}

// displayless reports whether that is why the browser did not start.
func displayless(err error) bool {
	said := err.Error()
	return strings.Contains(said, "Missing X server") || strings.Contains(said, "cannot open display") || strings.Contains(said, "Failed to connect to Wayland display")
}

// words puts what a browser said when it failed to start, line by line, into one.
func words(err error) string {
	said := strings.Join(strings.Fields(err.Error()), " ")
	if said == "chrome failed to start:" {
		return "it ended at once, without a word"
	}
	return said[:min(len(said), 1000)]
}

// Browser reports true: scripts run, and the browser's rules hold.
func (b *Browser) Browser() bool { return true }

// Product names the browser with its version.
func (b *Browser) Product() string { return b.product }

// Close ends the browser with all its processes, and removes its profile.
func (b *Browser) Close() error { return b.close() }

func (b *Browser) end() error {
	b.stop()
	b.kept.Wait()
	return b.profile.remove()
}
