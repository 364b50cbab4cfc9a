package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"flowproof/drivers/target"
)

// followRecipe plays the steps of the target file's recipe that the page has, up to the one that leaves it. Where no
// sign-in is asked for, because the session is signed in, the recipe is not begun.
func (p *visiting) followRecipe(ctx context.Context, e Exchange, d *document) (Request, *Landing, error) {
	recipe := p.session.target.SignIn
	if !p.begun {
		p.step = 0 // what was not there on the last page may be on this one
	}
	for ; p.step < len(recipe); p.step++ {
		step := recipe[p.step]
		n, err := d.pick(step)
		switch {
		case (n == nil || err != nil) && step.Optional:
			continue
		case err != nil:
			return Request{}, nil, fmt.Errorf("%s: %w", p.recipeStep(), err)
		case n == nil:
			return p.withoutStep(ctx, e, d)
		case p.visit.User == nil:
			return Request{}, shownPage(SignIn, e, d), nil
		}
		next, landed, err := p.playStep(ctx, e, d, step, n)
		if errors.Is(err, errNeedsScript) && step.Optional {
			continue
		}
		if err != nil {
			return Request{}, nil, fmt.Errorf("%s: %w", p.recipeStep(), err)
		}
		p.begun = true
		if landed != nil || next.URL != "" {
			p.step++
			return next, landed, nil
		}
	}
	if p.typed != (typing{}) {
		return Request{}, nil, errors.New("the sign-in recipe ends, and no step of it sends what was filled in; let it end with a click, or, where a script sends it, use a browser")
	}
	p.played = true
	return p.act(ctx, e, d)
}

// typing is what the recipe has filled in, and not sent yet.
type typing struct{ username, password, otp bool }

// errNeedsScript is why a step cannot be played on plain HTML.
var errNeedsScript = errors.New("only a script of the page can act on it, and plain HTML forms run none: a browser is needed")

// recipeStep names the step that the visit is at.
func (p *visiting) recipeStep() string {
	s := p.session.target.SignIn[p.step]
	return fmt.Sprintf("step %d of the sign-in recipe (%s %s)", p.step+1, s.Do, s.Selector)
}

// pick is the first element on the page that the step is about, or nil as long as there is none.
func (d *document) pick(step target.Step) (*html.Node, error) {
	selector, err := cascadia.ParseGroup(step.Selector)
	if err != nil {
		return nil, fmt.Errorf("plain HTML forms do not read this selector, a browser may: %w", err)
	}
	if d.root == nil {
		return nil, nil
	}
	for n := range d.root.Descendants() {
		if n.Type == html.ElementNode && selector.Match(n) && visible(n) {
			if step.Do == "expect" && !strings.Contains(strings.Join(strings.Fields(cmp.Or(content(n), attr(n, "value", ""))), " "), step.Value) {
				return nil, nil
			}
			return n, nil
		}
	}
	return nil, nil
}

// visible reports whether a person would see the element, as far as the page itself tells.
func visible(n *html.Node) bool {
	if n.Data == "input" && strings.EqualFold(attr(n, "type", ""), "hidden") {
		return false
	}
	for ; n != nil; n = n.Parent {
		if n.Type != html.ElementNode {
			continue
		}
		style := strings.ReplaceAll(strings.ToLower(attr(n, "style", "")), " ", "")
		if has(n, "hidden") || strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden") ||
			slices.Contains([]string{"head", "script", "style", "template"}, n.Data) {
			return false
		}
	}
	return true
}

// playStep does what the step says with the element; where that sends something, it is the next request.
func (p *visiting) playStep(ctx context.Context, e Exchange, d *document, step target.Step, n *html.Node) (Request, *Landing, error) {
	switch step.Do {
	case "click":
		return p.press(e, d, n)
	case "fill", "totp":
		return Request{}, nil, p.fill(ctx, e, d, step, n)
	}
	return Request{}, nil, nil
}

// fill writes what the step says into a field of a form.
func (p *visiting) fill(ctx context.Context, e Exchange, d *document, step target.Step, n *html.Node) error {
	u := p.visit.User
	if here := e.Request.FullURL(); !p.session.target.MayTypeInto(here) {
		return errors.New(Unnamed(p.session.target, here))
	}
	if before := p.session.tried.Refused(*u); before != "" {
		return errors.New(before)
	}
	f, i := d.control(n)
	if f == nil {
		return errNeedsScript
	}
	switch {
	case step.Do == "totp" && u.TOTP.Empty():
		return errors.New("the server asks for a one-time password, and the target file has no totp for this user")
	case step.Do == "totp":
		code, err := p.session.codes.Next(ctx, *u)
		if err != nil {
			return fmt.Errorf("make the one-time password of %s: %w", u.Name, err)
		}
		p.session.driver.Redactor().Learn("otp", code)
		f.controls[i].value, p.typed.otp = code, true
	case step.Value == "password":
		f.controls[i].value, p.typed.password = u.Password.Reveal(), true
	default:
		f.controls[i].value, p.typed.username = u.Username, true
	}
	return nil
}

// control is the form that the element is a field or button of, and its place there.
func (d *document) control(n *html.Node) (*form, int) {
	for _, f := range d.forms {
		if i := f.find(func(c control) bool { return c.node == n }); i >= 0 {
			return f, i
		}
	}
	return nil, -1
}

// press does what pressing the element does without scripts: it sends its form, ticks its box or follows its link.
func (p *visiting) press(e Exchange, d *document, n *html.Node) (Request, *Landing, error) {
	for at := n; at != nil && at.Type == html.ElementNode; at = at.Parent {
		if f, i := d.control(at); f != nil {
			switch f.controls[i].kind {
			case "submit":
				r, err := p.sendTyped(e, f, i)
				return r, nil, err
			case "checkbox", "radio":
				f.toggle(i)
				return Request{}, nil, nil
			}
			if at != n || f.controls[i].kind == "button" {
				return Request{}, nil, errNeedsScript
			}
			return Request{}, nil, nil // a field gets the focus
		}
		switch at.Data {
		case "label":
			if box := d.labelled(at); box != nil && box != n {
				return p.press(e, d, box)
			}
		case "a":
			where := resolve(e.Request.FullURL(), attr(at, "href", ""))
			if origin(where) == "" || strings.HasPrefix(attr(at, "href", ""), "#") {
				return Request{}, nil, errNeedsScript
			}
			return p.followLink(e, where, p.recipeStep())
		}
	}
	return Request{}, nil, errNeedsScript
}

// labelled is the element that the label is for.
func (d *document) labelled(label *html.Node) *html.Node {
	id := attr(label, "for", "")
	for _, f := range d.forms {
		for _, c := range f.controls {
			if id != "" && attr(c.node, "id", "") == id || id == "" && within(c.node, label) {
				return c.node
			}
		}
	}
	return nil
}

func within(n, around *html.Node) bool {
	for ; n != nil; n = n.Parent {
		if n == around {
			return true
		}
	}
	return false
}

// toggle presses a box: of radio buttons with one name, one is pressed.
func (f *form) toggle(i int) {
	pressed := &f.controls[i]
	if pressed.kind == "checkbox" {
		pressed.checked = !pressed.checked
		return
	}
	for k := range f.controls {
		if c := &f.controls[k]; c.kind == "radio" && c.name == pressed.name {
			c.checked = k == i
		}
	}
}

// sendTyped sends the form, and counts what the recipe has typed as sent.
func (p *visiting) sendTyped(e Exchange, f *form, button int) (Request, error) {
	r, _, err := p.submit(e, f, button, p.recipeStep())
	if err != nil {
		return Request{}, err
	}
	switch {
	case p.typed.password:
		p.signedIn++
	case p.typed.otp:
		p.oneTime++
	case p.typed.username:
		p.identity++
	}
	p.typed = typing{}
	return r, nil
}

// withoutStep deals with a page that does not have what the step needs.
func (p *visiting) withoutStep(ctx context.Context, e Exchange, d *document) (Request, *Landing, error) {
	asks := d.signIn()
	switch {
	case p.visit.User == nil && asks != nil:
		return Request{}, shownPage(SignIn, e, d), nil
	case !p.begun && asks == nil, d.refresh != "", p.passing(e, d) != nil:
		return p.act(ctx, e, d)
	case p.signedIn > 0 && asks != nil && asks.has("password"):
		return Request{}, nil, p.refused("the credentials", e, d) // the step will never come
	}
	mend := "; choose another selector, or mark the step optional"
	if d.scripted {
		mend = "; the page has scripts, which may show it later, and plain HTML forms run none: a browser is needed"
	}
	here, _, _ := split(e.Request.FullURL())
	return Request{}, nil, fmt.Errorf("%s has nothing to act on: the page of %s (status %d) does not show it%s%s", p.recipeStep(), here, e.Status, said(d), mend)
}
