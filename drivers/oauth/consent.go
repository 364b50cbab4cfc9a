package oauth

import (
	"slices"
	"strings"
)

// A choice is what a person can press on a consent page.
type choice struct {
	form   *form
	button int
	link   string // instead of a form
}

// consent finds the two ways out of a consent page. A page is one when it has a button to agree with,
// and either another to refuse with or a wording that leaves no doubt.
func (d *document) consent() (accept, deny choice, ok bool) {
	sure := false
	for _, f := range d.forms {
		if f.has("password") || f.banner() {
			continue
		}
		var other []choice
		for i, c := range f.controls {
			if c.kind != "submit" {
				continue
			}
			here := choice{form: f, button: i}
			switch meaning(c.label + " " + c.value) {
			case refusing:
				deny = here
			case agreeing:
				accept = here
			case agreeingForSure:
				accept, sure = here, true
			default:
				other = append(other, here)
			}
		}
		// Of two buttons, one of which is understood, the other is its opposite.
		if len(other) == 1 {
			switch {
			case accept.form == f && deny.form == nil:
				deny = other[0]
			case deny.form == f && accept.form == nil:
				accept = other[0]
			}
		}
	}
	if accept.form == nil {
		return choice{}, choice{}, false
	}
	if deny.form == nil {
		for _, l := range d.links {
			if meaning(l.text) == refusing {
				deny.link = l.href
			}
		}
	}
	return accept, deny, sure || deny.form != nil || deny.link != ""
}

// tick ticks the boxes by which people say what the client may have. Others, as "remember this", stay as they are.
func (f *form) tick() {
	for i := range f.controls {
		if c := &f.controls[i]; c.kind == "checkbox" && (c.required || allowance(c.name)) {
			c.checked = true
		}
	}
}

// allowance reports whether a box of that name is about what the client may have.
func allowance(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"scope", "permission", "claim", "grant"}, func(word string) bool { return strings.Contains(name, word) })
}

// banner reports whether the form is about cookies, and not about the client.
func (f *form) banner() bool {
	return f.cookies || strings.Contains(strings.ToLower(f.action), "cookie") || f.find(func(c control) bool {
		return c.kind == "submit" && strings.Contains(strings.ToLower(c.label), "cookie")
	}) >= 0
}

type sense int

const (
	meaningless sense = iota
	refusing
	agreeing
	agreeingForSure
)

// meaning reads a button. Refusals come first, because "do not allow" holds "allow".
func meaning(label string) sense {
	label = strings.ToLower(label)
	words := strings.FieldsFunc(label, func(c rune) bool { return (c < 'a' || c > 'z') && c != '\'' && c != '’' })
	found := meaningless
	for _, w := range words {
		switch w {
		case "cancel", "deny", "decline", "no", "not", "don't", "don’t", "reject", "refuse", "disallow", "disagree", "abort":
			return refusing
		case "accept", "allow", "approve", "authorize", "authorise", "grant", "permit", "consent":
			found = agreeingForSure
		case "yes", "continue", "agree", "confirm", "ok":
			found = max(found, agreeing)
		}
	}
	return found
}
