package oauth

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// A document is a page of the server as far as a person without scripts can use it.
type document struct {
	title, text, alert string
	refresh            string // where <meta http-equiv=refresh> leads
	forms              []*form
	links              []link
	scripted           bool       // it has scripts
	root               *html.Node // of the page, or nil
}

type link struct{ href, text string }

// A form has its controls in document order.
type form struct {
	action, method string
	id             string
	cookies        bool // it stands in a banner about cookies
	controls       []control
}

// A control is an input, select, textarea or button.
type control struct {
	kind         string // the type of the input; submit for a button that submits
	name, value  string
	label        string // what stands on the button
	autocomplete string
	checked      bool
	required     bool
	node         *html.Node
}

func (c control) successful() bool {
	switch c.kind {
	case "checkbox", "radio":
		return c.checked
	case "submit", "button", "reset", "file":
		return false
	}
	return true
}

func (f *form) find(match func(control) bool) int { return slices.IndexFunc(f.controls, match) }

func (f *form) has(kind string) bool {
	return f.find(func(c control) bool { return c.kind == kind }) >= 0
}

// fields are what a user agent submits when the button is pressed, or none of them for -1.
func (f *form) fields(button int) Params {
	var out Params
	for i, c := range f.controls {
		if c.name != "" && (i == button || c.successful()) {
			out = append(out, Param{c.name, c.value})
		}
	}
	return out
}

// readDocument never fails: what is no HTML reads as a page of text.
func readDocument(body []byte) *document {
	d := &document{}
	// Without scripting, noscript holds markup; with it, text.
	root, err := html.ParseWithOptions(bytes.NewReader(body), html.ParseOptionEnableScripting(false))
	if err != nil {
		d.text = string(body)
		return d
	}
	r := reader{document: d}
	r.root = root
	r.read(root, nil)
	r.adopt()
	d.text = tidy(r.text.String())
	return d
}

type reader struct {
	*document
	text  strings.Builder
	apart []*html.Node // controls that name their form
}

// adopt gives the forms those of their controls that stand elsewhere.
func (r *reader) adopt() {
	for _, n := range r.apart {
		if i := slices.IndexFunc(r.forms, func(f *form) bool { return f.id == attr(n, "form", "") }); i >= 0 {
			r.control(n, r.forms[i])
		}
	}
}

func (r *reader) read(n *html.Node, f *form) {
	switch n.Type {
	case html.TextNode:
		r.text.WriteString(unbroken(n))
		return
	case html.ElementNode:
		if attr(n, "hidden", "") != "" && n.Data != "input" {
			return
		}
		switch n.Data {
		case "script":
			r.scripted = true
			return
		case "style", "template":
			return
		case "head":
			r.head(n)
			return
		case "form":
			f = &form{action: attr(n, "action", ""), method: strings.ToUpper(attr(n, "method", "GET")), id: attr(n, "id", ""), cookies: inBanner(n)}
			r.forms = append(r.forms, f)
		case "a":
			if href := attr(n, "href", ""); href != "" {
				r.links = append(r.links, link{href, content(n)})
			}
		case "input", "button", "select", "textarea":
			if id := attr(n, "form", ""); id != "" && (f == nil || f.id != id) {
				r.apart = append(r.apart, n)
			} else if f != nil {
				r.control(n, f)
			}
		}
		if r.alert == "" && alarming(n) {
			r.alert = content(n)
		}
		switch {
		case blocky(n.Data):
			r.text.WriteByte('\n')
			defer r.text.WriteByte('\n')
		case n.Data == "button" || n.Data == "a":
			r.text.WriteByte(' ')
			defer r.text.WriteByte(' ')
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		r.read(c, f)
	}
}

func (r *reader) head(n *html.Node) {
	for c := range n.Descendants() {
		switch {
		case c.Type != html.ElementNode:
		case c.Data == "title":
			r.title = content(c)
		case c.Data == "script":
			r.scripted = true
		case c.Data == "meta" && strings.EqualFold(attr(c, "http-equiv", ""), "refresh"):
			_, where, ok := strings.Cut(attr(c, "content", ""), ";")
			name, where, is := strings.Cut(where, "=")
			if ok && is && strings.EqualFold(strings.TrimSpace(name), "url") {
				r.refresh = strings.Trim(strings.TrimSpace(where), `'"`)
			}
		}
	}
}

func (r *reader) control(n *html.Node, f *form) {
	if has(n, "disabled") {
		return
	}
	c := control{
		name: attr(n, "name", ""), value: attr(n, "value", ""), checked: has(n, "checked"), required: has(n, "required"),
		autocomplete: strings.ToLower(attr(n, "autocomplete", "")), node: n,
	}
	switch n.Data {
	case "input":
		c.kind = strings.ToLower(attr(n, "type", "text"))
		c.label = c.value
		if c.kind == "image" {
			c.kind, c.label = "submit", attr(n, "alt", "")
		}
		if (c.kind == "checkbox" || c.kind == "radio") && !has(n, "value") {
			c.value = "on"
		}
	case "button":
		c.kind, c.label = strings.ToLower(attr(n, "type", "submit")), content(n)
	case "select":
		c.kind, c.value = "select", chosen(n)
	case "textarea":
		c.kind, c.value = "textarea", content(n)
	}
	f.controls = append(f.controls, c)
}

func chosen(n *html.Node) string {
	first, picked := "", ""
	for c := range n.Descendants() {
		if c.Type != html.ElementNode || c.Data != "option" {
			continue
		}
		value := attr(c, "value", content(c))
		if first == "" {
			first = value
		}
		if has(c, "selected") {
			picked = value
		}
	}
	if picked != "" {
		return picked
	}
	return first
}

// unbroken is the text with its line breaks as blanks, as they are outside of pre.
func unbroken(n *html.Node) string {
	if n.Parent != nil && n.Parent.Data == "pre" {
		return n.Data
	}
	return strings.NewReplacer("\n", " ", "\r", " ").Replace(n.Data)
}

// inBanner reports whether the element is, or stands in, one that is named after cookies.
func inBanner(n *html.Node) bool {
	for ; n != nil && n.Data != "body" && n.Data != "html"; n = n.Parent {
		for _, word := range strings.Fields(strings.ToLower(attr(n, "id", "") + " " + attr(n, "class", ""))) {
			if word == "cookie" || word == "cookies" || strings.Contains(word, "cookie") && slices.ContainsFunc(bannerWords(), func(part string) bool {
				return strings.Contains(word, part)
			}) {
				return true
			}
		}
	}
	return false
}

// bannerWords are what names of banners have beside the word cookie; a page as a whole may be named after it, too.
func bannerWords() []string {
	return []string{"banner", "consent", "notice", "bar", "pop", "dialog", "overlay", "law", "modal", "message", "wall"}
}

func alarming(n *html.Node) bool {
	if role := attr(n, "role", ""); role == "alert" {
		return true
	}
	return slices.ContainsFunc(strings.Fields(strings.ToLower(attr(n, "class", ""))), func(c string) bool {
		return c == "error" || c == "alert" || strings.HasPrefix(c, "alert-") || strings.HasSuffix(c, "-error")
	})
}

func blocky(tag string) bool {
	switch tag {
	case "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset", "footer", "form", "h1", "h2",
		"h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul":
		return true
	}
	return false
}

func content(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// tidy leaves single spaces inside of lines and no empty lines.
func tidy(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		if words := strings.Fields(line); len(words) > 0 {
			lines = append(lines, strings.Join(words, " "))
		}
	}
	return strings.Join(lines, "\n")
}

func has(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

func attr(n *html.Node, key, otherwise string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			if a.Val == "" && key == "hidden" {
				return key
			}
			return a.Val
		}
	}
	return otherwise
}
