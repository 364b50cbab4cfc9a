package oauth

import (
	"fmt"
	"strings"

	"flowproof/drivers/target"
)

// Kind is what the page is for, as far as its plain HTML tells: signing in, consenting, or neither.
func (p Page) Kind() LandingKind {
	d := readDocument([]byte(p.HTML))
	if d.signIn() != nil {
		return SignIn
	}
	if _, _, ok := d.consent(); ok {
		return Consent
	}
	return Shown
}

// Unexpected says that the page came where the sign-in should have gone on.
func (p Page) Unexpected() string {
	return fmt.Sprintf("the server answers with a page (status %d) that leads nowhere: %s", p.Status, p.Words())
}

// Words are the first that the page shows, on one line.
func (p Page) Words() string {
	title, text := p.Title, p.Text
	if title+text == "" {
		d := readDocument([]byte(p.HTML))
		title, text = d.title, d.text
	}
	text = strings.Join(strings.Fields(title+" "+text), " ")
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200]) + "…"
	}
	return text
}

// Approval is the request that agreeing on a consent page sends; false where no plain form sends it.
func (p Page) Approval() (Request, bool) {
	accept, _, ok := readDocument([]byte(p.HTML)).consent()
	if !ok || accept.form == nil {
		return Request{}, false
	}
	accept.form.tick()
	return accept.form.sent(p.URL, accept.button, "accept on the consent page"), true
}

// Credentials is the request that signing in on the page sends; false where no plain form asks for user
// name and password at once.
func (p Page) Credentials(u target.User) (Request, bool) {
	f := readDocument([]byte(p.HTML)).signIn()
	if f == nil {
		return Request{}, false
	}
	password := f.find(func(c control) bool { return c.kind == "password" })
	name := f.userField(password)
	if password < 0 || name < 0 {
		return Request{}, false
	}
	f.controls[name].value, f.controls[password].value = u.Username, u.Password.Reveal()
	return f.sent(p.URL, f.firstButton(), "submit the sign-in form as "+u.Name), true
}

// Hidden are the fields that the page's sign-in form sends along unseen.
func (p Page) Hidden() Params {
	var out Params
	if f := readDocument([]byte(p.HTML)).signIn(); f != nil {
		for _, c := range f.controls {
			if c.kind == "hidden" && c.name != "" {
				out = append(out, Param{c.name, c.value})
			}
		}
	}
	return out
}

// sent is the request that a form on the page makes, without what a user agent adds.
func (f *form) sent(here string, button int, title string) Request {
	action, _, _ := strings.Cut(here, "#")
	if f.action != "" {
		action = resolve(here, f.action)
	}
	r := Request{Title: title, Method: "POST", URL: action, Form: f.fields(button), Header: Params{{"Accept", htmlType}}}
	if f.method != "POST" {
		base, _, _ := split(action)
		r.Method, r.URL, r.Query, r.Form = "GET", base, r.Form, nil
	} else if r.Form == nil {
		r.Form = Params{}
	}
	return r
}
