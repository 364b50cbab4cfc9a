package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"strings"
)

//go:embed page
var pageFiles embed.FS

// HTML writes the record as one page that needs no network: style, script, charts and pictures are inside,
// and its content security policy lets nothing else run. Without scripts all content is there.
func HTML(w io.Writer, r Record) error {
	switch r.Kind() {
	case "conformance":
		return page(w, "conformance.gohtml", newConformancePage(shown(*r.Conformance)))
	case "load":
		return page(w, "load.gohtml", newLoadPage(shown(*r.Load)))
	case "comparison":
		return page(w, "comparison.gohtml", newComparisonPage(shown(*r.Comparison)))
	}
	return errors.New("reports: there is no record to render")
}

// A frame is what every page has around its content.
type frame struct {
	Kind     string // of the record, or history, or proof
	Title    string
	Headline headline
	Partial  string
	Notices  []string
	Target   Target
	Tool     Tool
	Facts    []fact
}

// A fact is a name and its value.
type fact struct{ Name, Value string }

// facts pairs names with values, leaving out the empty ones.
func facts(pairs ...string) []fact {
	var out []fact
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, fact{pairs[i], pairs[i+1]})
		}
	}
	return out
}

func page(w io.Writer, name string, view any) error {
	style, err := pageFiles.ReadFile("page/page.css")
	if err != nil {
		return fmt.Errorf("reports: make the page: %w", err)
	}
	script, err := pageFiles.ReadFile("page/page.js")
	if err != nil {
		return fmt.Errorf("reports: make the page: %w", err)
	}
	t, err := template.New(name).Funcs(template.FuncMap{
		"style":           func() template.CSS { return template.CSS(style) },
		"script":          func() template.JS { return template.JS(script) },
		"policy":          func() string { return policy(style, script) },
		"icon":            favicon,
		"verdicts":        Verdicts,
		"flow":            flowWords,
		"endpoint":        endpointWords,
		"short":           func(e string) string { return strings.TrimSuffix(endpointWords(e), " endpoint") },
		"micros":          func(us int64) string { return micros(float64(us)) },
		"span":            span,
		"moment":          moment,
		"grouped":         Grouped[int64],
		"plural":          Plural[int],
		"plurals":         Plural[int64],
		"path":            pathOf,
		"aside":           Result.aside,
		"grouped_changes": groupedChanges,
		"pair":            func(all ...any) []any { return all },
		"answer":          answerOf,
	}).ParseFS(pageFiles, "page/*.gohtml")
	if err != nil {
		return fmt.Errorf("reports: make the page: %w", err)
	}
	// Buffered, so that a page is written as a whole or not at all.
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, name, view); err != nil {
		return fmt.Errorf("reports: make the page: %w", err)
	}
	_, err = w.Write(out.Bytes())
	return err
}

// policy allows our style and our script by their hashes, pictures that are inside the page, and nothing else.
func policy(style, script []byte) string {
	return fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; img-src data:; base-uri 'none'; form-action 'none'", sha(style), sha(script))
}

func sha(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// favicon shows the verdict in the browser's tab.
func favicon(v Verdict) template.URL {
	color := map[Verdict]string{Pass: "#1f9254", Fail: "#cf2c3d", Warn: "#c47d00", Inconclusive: "#7d52cc"}[v]
	mark := map[Verdict]string{Pass: "M9 17l5 5 10-12", Fail: "M10 10l12 12M22 10L10 22", Warn: "M16 8v10M16 23v1", Inconclusive: "M12 13c0-5 8-5 8-1 0 3-4 3-4 6M16 23v1"}[v]
	svg := `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="` + color +
		`"/><path d="` + mark + `" fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round"/></svg>`
	return template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(svg))) // all of it is ours
}

// pathOf is the part of a URL that tells requests to one server apart.
func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return cut(oneLine(raw), 80)
	}
	query := ""
	if u.RawQuery != "" {
		query = "?…"
	}
	return cut(oneLine(u.EscapedPath()), 80) + query
}

// A picture is an attachment that a page can show.
type picture struct {
	Name string
	URI  template.URL
}

// pictureOf gives a raster image as a data URI; other types could act, and are not shown.
func pictureOf(a Attachment) (picture, bool) {
	switch a.Type {
	case "image/png", "image/jpeg", "image/webp", "image/gif":
		if len(a.Data) > 0 {
			return picture{a.Name, template.URL("data:" + a.Type + ";base64," + base64.StdEncoding.EncodeToString(a.Data))}, true
		}
	}
	return picture{}, false
}

// textOf gives an attachment that is text.
func textOf(a Attachment) (string, bool) {
	if len(a.Data) == 0 || !(strings.HasPrefix(a.Type, "text/") || strings.HasPrefix(a.Type, "application/json")) {
		return "", false
	}
	return visible(string(a.Data)), true
}
