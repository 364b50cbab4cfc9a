package reports_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"flowproof/reports"
)

var shots = flag.String("shots", "", "the folder that screenshots of the pages go to, for people to look at")

func pagesOf(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/golden/*.html")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d pages, %v", len(files), err)
	}
	return files
}

const axeRun = `axe.run(document, {resultTypes: ["violations"]}).then(function (r) {
	return JSON.stringify(r.violations.map(function (v) {
		return {id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map(function (n) { return n.html.slice(0, 200) + " " + n.failureSummary })}
	}))
})`

// TestPagesInTheBrowser opens each page, wide and narrow, light and dark: nothing is written to the console, nothing
// has to be scrolled sideways, and axe-core finds nothing serious with everything open.
func TestPagesInTheBrowser(t *testing.T) {
	axe, err := os.ReadFile("testdata/axe/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	b := newTab(t)
	for _, file := range pagesOf(t) {
		b.open(fileURL(t, file))
		if lines := b.heard(); len(lines) > 0 {
			t.Errorf("%s: the console says %q", file, lines)
		}
		for _, v := range []struct {
			width int64
			dark  bool
		}{{1280, false}, {420, true}} {
			b.look(v.width, v.dark)
			b.policy(false)
			b.open(fileURL(t, file))
			if eval[bool](b, `document.documentElement.scrollWidth > innerWidth + 1`) {
				t.Errorf("%s, %d wide, has to be scrolled sideways", file, v.width)
			}
			if *shots != "" {
				b.photograph(filepath.Join(*shots, fmt.Sprintf("%s-%d.png", strings.TrimSuffix(filepath.Base(file), ".html"), v.width)), v.width)
			}
			eval[chromedp.Void](b, `document.querySelectorAll("details").forEach(function (d) { d.open = true })`)
			eval[chromedp.Void](b, string(axe)+";0")
			var violations []struct {
				ID, Impact, Help string
				Nodes            []string
			}
			if err := json.Unmarshal([]byte(eval[string](b, axeRun, chromedp.EvalAwaitPromise)), &violations); err != nil {
				t.Fatal(err)
			}
			for _, one := range violations {
				say := t.Logf
				if one.Impact == "serious" || one.Impact == "critical" {
					say = t.Errorf
				}
				say("%s, %d wide, dark %v: %s (%s): %s\n%s", file, v.width, v.dark, one.ID, one.Impact, one.Help, strings.Join(one.Nodes, "\n"))
			}
			b.policy(true)
			b.heard()
		}
	}
	// That axe-core would find something is shown by what it must find.
	b.policy(false)
	b.open(fileURL(t, pagesOf(t)[0]))
	eval[chromedp.Void](b, `document.getElementById("main").innerHTML += "<img src='data:,'><button></button>"`)
	eval[chromedp.Void](b, string(axe)+";0")
	if found := eval[string](b, axeRun, chromedp.EvalAwaitPromise); !strings.Contains(found, "image-alt") || !strings.Contains(found, "button-name") {
		t.Errorf("axe-core does not find a picture without words: %s", found)
	}
}

// TestFiltersAndLinksWork uses the page of a check as readers do.
func TestFiltersAndLinksWork(t *testing.T) {
	b, at := newTab(t), fileURL(t, "testdata/golden/conformance.html")
	b.look(1280, false)
	for hash, want := range map[string]int{
		"": 12, "#?verdict=fail": 2, "#?verdict=fail,warn": 3, "#?flow=implicit": 1, "#?level=SHOULD": 1, "#?document=RFC+7636": 1,
		"#?q=code_verifier+wrong": 1, "#?endpoint=token&verdict=pass": 4, "#?q=nothing-like-it": 0,
	} {
		b.open(at + hash)
		if got := eval[int](b, `document.querySelectorAll(".requirement:not([hidden])").length`); got != want {
			t.Errorf("%q shows %d, want %d", hash, got, want)
		}
	}
	b.open(at + "#RFC6749-4.2-issues-token")
	if !eval[bool](b, `document.getElementById("RFC6749-4.2-issues-token").closest("details").open`) {
		t.Error("a deep link does not open its requirement")
	}
	b.until("a deep link leads to its requirement", `(function () {
		var y = document.getElementById("RFC6749-4.2-issues-token").getBoundingClientRect().top
		return y >= 0 && y < innerHeight / 2
	})()`)
	// By keyboard alone: a verdict is chosen, which shows in the address and is told.
	b.open(at)
	b.do(chromedp.Focus(chromedp.CSS(`[name=verdict][value=fail]`)), chromedp.KeyEvent(" "))
	if hash, told := eval[string](b, `location.hash`), eval[string](b, `document.getElementById("showing").textContent`); hash != "#?verdict=fail" || told != "2 of 12" {
		t.Errorf("the address is %q, the page says %q", hash, told)
	}
	b.open(at)
	eval[chromedp.Void](b, `new MutationObserver(function (all) {
		all.forEach(function (m) { if (m.target.textContent === "Copied") window.said = true })
	}).observe(document.body, {subtree: true, childList: true, characterData: true})`)
	b.do(chromedp.Click(chromedp.CSS(`.requirement[open] .exchange[open] .copy`)))
	b.until("copying says so", `window.said`)
	b.scripts(false)
	b.open(at)
	b.scripts(true)
	if high, hidden, all := eval[float64](b, `document.getElementById("filters").getBoundingClientRect().height`), eval[int](b, `document.querySelectorAll(".requirement[hidden]").length`), eval[int](b, `document.querySelectorAll(".requirement").length`); high != 0 || hidden != 0 || all != 12 {
		t.Errorf("without scripts the filters are %v high, and %d of %d requirements hidden", high, hidden, all)
	}
	if lines := b.heard(); len(lines) > 0 {
		t.Errorf("the console says %q", lines)
	}
}

// TestTrendsLeadToTheirRecords hovers over a trend and follows one of its points.
func TestTrendsLeadToTheirRecords(t *testing.T) {
	folder := t.TempDir()
	record := reports.CapacityRecord()
	entries := []reports.Entry{{Record: record, Link: "1/load.html"}, {Record: record, Link: "2/load.html"}}
	for _, e := range entries {
		b := filepath.Join(folder, e.Link)
		if err := os.MkdirAll(filepath.Dir(b), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := reports.WriteFile(b, func(w io.Writer) error { return reports.HTML(w, record) }); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(folder, "history.html")
	if err := reports.WriteFile(path, func(w io.Writer) error { return reports.History(w, entries, nil) }); err != nil {
		t.Fatal(err)
	}
	b := newTab(t)
	b.look(1280, false)
	b.open(fileURL(t, path))
	point := `[...document.querySelectorAll(".trend a")].find(function (a) { return /^capacity 1,931/.test(a.getAttribute("aria-label")) && /2.load/.test(a.getAttribute("href")) })`
	at := eval[struct{ X, Y float64 }](b, `(function () {
		var box = `+point+`.querySelector(".hit").getBoundingClientRect()
		return {X: box.x + box.width / 2, Y: box.y + box.height / 2}
	})()`)
	b.do(chromedp.MouseEvent(chromedp.MouseMoved, at.X, at.Y), chromedp.MouseEvent(chromedp.MouseMoved, 1, 1))
	if lines := b.heard(); len(lines) > 0 {
		t.Errorf("the console says %q", lines)
	}
	b.do(chromedp.MouseClickXY(at.X, at.Y))
	b.until("the point leads to its record", `/2.load.html$/.test(location.pathname) && document.getElementById("capacity")`)
}

// TestPagesPrintWhatFallsShort prints the page of a check: what passes is a line, what falls short is told in full.
func TestPagesPrintWhatFallsShort(t *testing.T) {
	b := newTab(t)
	b.look(1280, false)
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	b.must(err)
	b.open(fileURL(t, "testdata/golden/conformance.html"))
	for _, r := range eval[[]struct {
		Verdict        string
		Told, Evidence bool
	}](b, `[...document.querySelectorAll(".requirement")].map(function (r) {
		var evidence = r.querySelector(".finding .deciding pre")
		return {Verdict: r.dataset.verdict, Told: r.querySelector(".finding").checkVisibility(), Evidence: !evidence || evidence.checkVisibility()}
	})`) {
		short := slices.Contains([]string{"fail", "warn", "inconclusive"}, r.Verdict)
		if r.Told != short || short && !r.Evidence {
			t.Errorf("a %s is told: %v, with its evidence: %v", r.Verdict, r.Told, r.Evidence)
		}
	}
	if eval[bool](b, `document.getElementById("filters").checkVisibility() || [...document.querySelectorAll(".copy")].some(function (c) { return c.checkVisibility() })`) {
		t.Error("the buttons are printed")
	}
}

// TestTwoThousandFindingsShowAtOnce renders and opens a page as large as real ones get. What counts is the time of
// the processor in the browser, since the machine may be doing other things, too.
func TestTwoThousandFindingsShowAtOnce(t *testing.T) {
	record := reports.ManyFindings(2000)
	path := filepath.Join(t.TempDir(), "many.html")
	began := time.Now()
	if err := reports.WriteFile(path, func(w io.Writer) error { return reports.HTML(w, record) }); err != nil {
		t.Fatal(err)
	}
	rendered := time.Since(began)
	b := newTab(t)
	b.look(1280, false)
	_, err := chromedp.Call(b.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	b.must(err)
	b.open(fileURL(t, path))
	eval[chromedp.Void](b, `new Promise(function (shown) { requestAnimationFrame(function () { requestAnimationFrame(shown) }) })`, chromedp.EvalAwaitPromise)
	metrics, err := chromedp.Call(b.ctx, performance.GetMetrics, cdp.Empty{})
	b.must(err)
	for _, m := range metrics.Metrics {
		if m.Name == "TaskDuration" {
			t.Logf("rendered in %v, shown with %.2f s of the processor", rendered, m.Value)
			if m.Value <= 0 || m.Value > 1 || rendered > 10*time.Second {
				t.Errorf("rendered in %v, shown with %.2f s of the processor", rendered, m.Value)
			}
		}
	}
}
