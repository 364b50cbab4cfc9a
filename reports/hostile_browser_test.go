package reports_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestHostileRecordsDoNothingInTheBrowser opens every page, all of which hold what a hostile server sent, with
// everything unfolded: no script but ours runs, no dialogue opens, and nothing is fetched.
func TestHostileRecordsDoNothingInTheBrowser(t *testing.T) {
	b := newTab(t)
	var mu sync.Mutex
	var fetched []string
	b.must(chromedp.Listen(b.ctx, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			fetched = append(fetched, ev.Request.URL)
		case *page.EventJavascriptDialogOpening:
			fetched = append(fetched, "a dialogue: "+ev.Message)
		}
	}))
	b.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, network.Enable, network.EnableParams{})
		return chromedp.Void{}, err
	})
	for _, file := range pagesOf(t) {
		address := fileURL(t, file)
		b.open(address)
		eval[chromedp.Void](b, `document.querySelectorAll("details").forEach(function (d) { d.open = true })`)
		if n := eval[int](b, `document.scripts.length`); n != 1 {
			t.Errorf("%s has %d scripts", file, n)
		}
		mu.Lock()
		for _, what := range fetched {
			if what != address && what != "about:blank" && !strings.HasPrefix(what, "data:image/") {
				t.Errorf("%s: %s", file, what)
			}
		}
		if len(fetched) == 0 {
			t.Errorf("%s: not even the page was seen to be fetched", file)
		}
		fetched = nil
		mu.Unlock()
	}
}

// TestPagesPolicyStopsWhatGetsIn puts markup that acts into a page, as if a renderer had forgotten to escape it. The
// page's own policy stops it; the same page without its policy shows that there was something to stop.
func TestPagesPolicyStopsWhatGetsIn(t *testing.T) {
	var fetched atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	t.Cleanup(server.Close)
	acts := fmt.Sprintf(`<script>window.acted = 1</script><img src="%[1]s/a.png" onerror="window.acted = 1"><link rel="stylesheet" href="%[1]s/a.css">`+
		`<iframe src="%[1]s/frame"></iframe><script src="%[1]s/a.js"></script><base href="%[1]s">`, server.URL)
	b := newTab(t)
	for _, name := range []string{"conformance", "load", "compared", "history", "capacity"} {
		text, err := os.ReadFile(filepath.Join("testdata", "golden", name+".html"))
		if err != nil {
			t.Fatal(err)
		}
		whole := strings.Replace(string(text), `<main id="main">`, `<main id="main">`+acts, 1)
		bare := strings.Replace(whole, `http-equiv="Content-Security-Policy"`, `name="none"`, 1)
		if whole == string(text) || bare == whole {
			t.Fatalf("%s is built otherwise by now", name)
		}
		open := func(text string) int64 {
			path := filepath.Join(t.TempDir(), name+".html")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			fetched.Store(0)
			b.open(fileURL(t, path))
			return fetched.Load()
		}
		if n, acted := open(whole), eval[bool](b, `!!window.acted`); n > 0 || acted {
			t.Errorf("%s: the policy lets it act (%v) and fetch (%d)", name, acted, n)
		}
		if n, acted := open(bare), eval[bool](b, `!!window.acted`); n < 4 || !acted {
			t.Errorf("%s: without the policy nothing acts (%v) or is fetched (%d)", name, acted, n)
		}
	}
}
