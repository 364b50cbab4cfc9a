package reports

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// elements walks the elements of a page.
func elements(t *testing.T, page []byte, see func(*html.Node)) {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			see(n)
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textIn(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// pages are those of every record, of a history and of proofs.
func pages(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for name, record := range samples() {
		out[name] = render(t, "html", record)
	}
	var history, proofs bytes.Buffer
	if err := History(&history, sampleHistory(), []string{hostile}); err != nil {
		t.Fatal(err)
	}
	if err := ProofsHTML(&proofs, Proofs{Proofs: []Proof{{Fault: hostile, Sentence: hostile, Requirement: hostile}}}); err != nil {
		t.Fatal(err)
	}
	out["history"], out["proofs"] = history.Bytes(), proofs.Bytes()
	return out
}

func TestPagesReachForNothingOutside(t *testing.T) {
	for name, page := range pages(t) {
		elements(t, page, func(n *html.Node) {
			if slices.Contains([]string{"iframe", "object", "embed", "base", "audio", "video", "source", "foreignobject", "animate", "set"}, n.Data) {
				t.Errorf("%s has a %s element", name, n.Data)
			}
			for _, a := range n.Attr {
				switch {
				case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc", a.Key == "action", a.Key == "formaction", a.Key == "ping":
					t.Errorf("%s: <%s %s=%q>", name, n.Data, a.Key, a.Val)
				case a.Key == "src" || a.Key == "href" || a.Key == "xlink:href" || a.Key == "srcset" || a.Key == "poster":
					if !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "data:image/") && !(name == "history" && strings.HasPrefix(a.Val, "./")) {
						t.Errorf("%s: <%s %s=%q>", name, n.Data, a.Key, a.Val)
					}
				}
			}
		})
		for _, outside := range []string{"@import", "url(", "fetch(", "XMLHttpRequest", "innerHTML", "eval("} {
			if bytes.Contains(page, []byte(outside)) {
				t.Errorf("%s: the page says %q", name, outside)
			}
		}
	}
}

func TestPolicyAllowsOurStyleAndScriptOnly(t *testing.T) {
	for name, page := range pages(t) {
		var policies, styles, scripts []string
		elements(t, page, func(n *html.Node) {
			switch {
			case n.Data == "meta" && attribute(n, "http-equiv") == "Content-Security-Policy":
				policies = append(policies, attribute(n, "content"))
			case n.Data == "style":
				styles = append(styles, textIn(n))
			case n.Data == "script":
				scripts = append(scripts, textIn(n))
			}
		})
		if len(policies) != 1 || len(styles) != 1 || len(scripts) != 1 {
			t.Fatalf("%s has %d policies, %d styles, %d scripts", name, len(policies), len(styles), len(scripts))
		}
		if want := policy([]byte(styles[0]), []byte(scripts[0])); policies[0] != want {
			t.Errorf("%s: the policy is %s, its content wants %s", name, policies[0], want)
		}
		if !strings.HasPrefix(policies[0], "default-src 'none';") || strings.Contains(policies[0], "unsafe") {
			t.Errorf("%s: the policy is %s", name, policies[0])
		}
		script, err := pageFiles.ReadFile("page/page.js")
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Count(page, []byte("<script")) != 1 || scripts[0] != string(script) {
			t.Errorf("%s holds a script that is not ours", name)
		}
	}
}

func TestHostileTextIsInert(t *testing.T) {
	for name, page := range pages(t) {
		for _, raw := range []string{"<script>alert", "<img src=x", "</style></", "onload='alert", "onload=\"alert", "<svg onload"} {
			if bytes.Contains(page, []byte(raw)) {
				t.Errorf("%s holds %q as it came", name, raw)
			}
		}
		shownAsText := false
		elements(t, page, func(n *html.Node) {
			if n.Data == "pre" && strings.Contains(textIn(n), "<script>alert('x')</script>") {
				shownAsText = true
			}
			if n.Data == "img" && !strings.HasPrefix(attribute(n, "src"), "data:image/png;base64,iVBOR") {
				t.Errorf("%s: a picture that is none: %q", name, attribute(n, "src"))
			}
		})
		if !shownAsText && (name == "conformance" || name == "load") {
			t.Errorf("%s does not show what the server sent", name)
		}
	}
}

func TestEachRequirementCanBeLinkedTo(t *testing.T) {
	for name, page := range pages(t) {
		ids := map[string]bool{}
		var links []string
		elements(t, page, func(n *html.Node) {
			if id := attribute(n, "id"); id != "" {
				if ids[id] {
					t.Errorf("%s: two elements have the id %q", name, id)
				}
				ids[id] = true
			}
			if to, inside := strings.CutPrefix(attribute(n, "href"), "#"); inside {
				links = append(links, to)
			}
			links = append(links, strings.Fields(attribute(n, "aria-labelledby"))...)
		})
		for _, link := range links {
			if !ids[link] {
				t.Errorf("%s: nothing has the id %q", name, link)
			}
		}
		if c := samples()[name].Conformance; c != nil {
			for _, r := range c.Results {
				if !ids[r.Requirement] {
					t.Errorf("%s: there is no %s", name, r.Requirement)
				}
			}
		}
	}
}

func TestPagesAreReadableWithoutEyesOrScript(t *testing.T) {
	for name, page := range pages(t) {
		elements(t, page, func(n *html.Node) {
			switch n.Data {
			case "svg":
				if attribute(n, "aria-hidden") != "true" && (!slices.Contains([]string{"img", "group"}, attribute(n, "role")) || attribute(n, "aria-label") == "") && !under(n, "aria-hidden", "true") {
					t.Errorf("%s: a drawing without words", name)
				}
			case "img":
				if attribute(n, "alt") == "" {
					t.Errorf("%s: a picture without words", name)
				}
			case "form":
				if !has(n, "hidden") {
					t.Errorf("%s: the filters show without script", name)
				}
			case "details", "article":
				if has(n, "hidden") {
					t.Errorf("%s: content is hidden without script", name)
				}
			case "th":
				if attribute(n, "scope") == "" {
					t.Errorf("%s: a heading of a table without scope: %s", name, textIn(n))
				}
			}
		})
	}
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func under(n *html.Node, name, value string) bool {
	for a := range n.Ancestors() {
		if attribute(a, name) == value {
			return true
		}
	}
	return false
}

func TestLongRunsAreDrawnWithTheirWorstSeconds(t *testing.T) {
	points, each := overTime(series(3600))
	if each != 3 || len(points) != 1200 {
		t.Fatalf("%d points of %d seconds", len(points), each)
	}
	if got := points[17/3]; got.P99US != 48_000 || got.Errors != 12 {
		t.Errorf("the worst second is lost: %+v", got)
	}
	if points, each := overTime(series(16)); each != 1 || len(points) != 16 {
		t.Errorf("%d points of %d seconds", len(points), each)
	}
}

func TestBoundsAreRead(t *testing.T) {
	for expression, want := range map[string][2]float64{
		"p99<250ms": {99, 250_000}, "p99.9 <= 1.5s": {99.9, 1_500_000}, "p50<800us": {50, 800}, "errors<0.1%": {}, "p99<": {}, "p999<1s": {},
	} {
		if percent, us, ok := bound(expression); percent != want[0] || us != want[1] || ok != (want[0] > 0) {
			t.Errorf("%s: %v %v %v", expression, percent, us, ok)
		}
	}
}

func BenchmarkHTMLOf2000Findings(b *testing.B) {
	c := manyFindings(2000)
	for b.Loop() {
		if err := HTML(io.Discard, Record{Conformance: &c}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHTMLOfAnHour(b *testing.B) {
	l := sampleLoad()
	l.Series = series(3600)
	for b.Loop() {
		if err := HTML(io.Discard, Record{Load: &l}); err != nil {
			b.Fatal(err)
		}
	}
}
