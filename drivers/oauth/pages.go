package oauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// act does what the visit says on a page: the next request, or the landing.
func (p *visiting) act(ctx context.Context, e Exchange, d *document) (Request, *Landing, error) {
	if l := p.passing(e, d); l != nil {
		return Request{}, l, nil
	}
	if where := d.refresh; where != "" {
		where = resolve(e.Request.FullURL(), where)
		if l := p.leaving(where); l != nil {
			l.Via = "meta"
			return Request{}, l, nil
		}
		next := Request{Title: "follow the page's refresh", Client: e.Request.Client, Method: "GET", URL: where}
		next.Header = Params{{"Accept", htmlType}}
		return next, nil, nil
	}
	if f, field := d.oneTime(); f != nil && p.signedIn > 0 {
		return p.oneTimePassword(ctx, e, d, f, field)
	}
	if f := d.signIn(); f != nil {
		return p.signIn(e, d, f)
	}
	if accept, deny, ok := d.consent(); ok {
		return p.decide(e, d, accept, deny)
	}
	return Request{}, shownPage(Shown, e, d), nil
}

// pause lets the caller hold the visit at the first page that asks for something.
func (p *visiting) pause(ctx context.Context, d *document) {
	if p.visit.Pause == nil || p.paused {
		return
	}
	if _, _, consent := d.consent(); consent || d.signIn() != nil {
		p.paused = true
		p.visit.Pause(ctx)
	}
}

// passing is a page whose form a script posts to the client (response_mode=form_post).
func (p *visiting) passing(e Exchange, d *document) *Landing {
	for _, f := range d.forms {
		action := resolve(e.Request.FullURL(), f.action)
		if f.action == "" || !Lands(action, p.visit.RedirectURIs...) {
			continue
		}
		l := ParseLanding(action)
		l.Via, l.Query = "form_post", append(l.Query, f.fields(-1)...)
		return &l
	}
	return nil
}

func shownPage(kind LandingKind, e Exchange, d *document) *Landing {
	where := e.Request.FullURL()
	return &Landing{Kind: kind, URL: where, Page: &Page{
		Status: e.Status, URL: where, Title: d.title, Text: d.text, HTML: string(e.Body),
	}}
}

// signIn finds the form that asks for a password, or for the user name that a password is asked for next.
func (d *document) signIn() *form {
	for _, f := range d.forms {
		if f.find(func(c control) bool { return c.kind == "password" && c.autocomplete != "new-password" }) >= 0 {
			return f
		}
	}
	for _, f := range d.forms {
		if f.find(namesUser) >= 0 || f.asksName() {
			return f
		}
	}
	return nil
}

// asksName reports whether the form is the first of two: one field, for a name, and a button that goes on.
func (f *form) asksName() bool {
	fields, named := 0, false
	for _, c := range f.controls {
		if writable(c) {
			fields++
			name := strings.ToLower(c.name)
			for _, part := range []string{"user", "login", "email", "identifier", "account"} {
				named = named || strings.Contains(name, part)
			}
		}
	}
	button := f.firstButton()
	if fields != 1 || !named || button < 0 {
		return false
	}
	label := strings.ToLower(f.controls[button].label)
	return slices.ContainsFunc([]string{"next", "continue", "sign in", "log in", "login", "weiter", "anmelden"}, func(word string) bool {
		return strings.Contains(label, word)
	})
}

func namesUser(c control) bool {
	return writable(c) && slices.Contains(strings.Fields(c.autocomplete), "username")
}

func writable(c control) bool { return c.kind == "text" || c.kind == "email" || c.kind == "tel" }

// userField is where the user name goes: the field that says so, else the last one before the password.
func (f *form) userField(password int) int {
	if i := f.find(namesUser); i >= 0 {
		return i
	}
	if i := f.find(func(c control) bool { return c.kind == "email" }); i >= 0 && i < password {
		return i
	}
	if i := f.find(writable); i >= 0 && (i < password || password < 0) { // the first of two pages has no other field
		return i
	}
	return -1
}

func (p *visiting) signIn(e Exchange, d *document, f *form) (Request, *Landing, error) {
	u := p.visit.User
	if u == nil {
		return Request{}, shownPage(SignIn, e, d), nil
	}
	password := f.find(func(c control) bool { return c.kind == "password" })
	if p.played && p.signedIn == 0 {
		return Request{}, nil, fmt.Errorf("the sign-in recipe is played to its end, and the page of %s still asks to sign in", origin(e.Request.FullURL()))
	}
	if again := password >= 0 && p.signedIn > 0 || password < 0 && p.identity > 0; again {
		return Request{}, nil, p.refused("the credentials", e, d)
	}
	if here := e.Request.FullURL(); !p.session.target.MayTypeInto(here) {
		return Request{}, nil, errors.New(Unnamed(p.session.target, here))
	}
	if before := p.session.tried.Refused(*u); before != "" {
		return Request{}, nil, errors.New(before)
	}
	if i := f.userField(password); i >= 0 {
		f.controls[i].value = u.Username
	}
	if password < 0 {
		p.identity++
		return p.submit(e, f, f.firstButton(), "submit the user name")
	}
	f.controls[password].value = u.Password.Reveal()
	p.signedIn++
	return p.submit(e, f, f.firstButton(), "submit the sign-in form as "+u.Name)
}

// oneTime finds the form that asks for a one-time password after the first.
func (d *document) oneTime() (*form, int) {
	for _, f := range d.forms {
		i := f.find(func(c control) bool {
			if c.autocomplete == "one-time-code" {
				return true
			}
			return (writable(c) || c.kind == "number" || c.kind == "password") && namesCode(strings.ToLower(c.name))
		})
		if i >= 0 && f.find(func(c control) bool { return c.kind == "password" && !namesCode(strings.ToLower(c.name)) }) < 0 {
			return f, i
		}
	}
	return nil, -1
}

// namesCode reads the name of a field on the page behind the password's.
func namesCode(name string) bool {
	for _, part := range []string{"otp", "2fa", "mfa", "tfa", "passcode", "one_time", "one-time", "verification"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return name == "code" || name == "token"
}

func (p *visiting) oneTimePassword(ctx context.Context, e Exchange, d *document, f *form, field int) (Request, *Landing, error) {
	u := p.visit.User
	if u == nil || u.TOTP.Empty() {
		return Request{}, nil, errors.New("the server asks for a one-time password, and the target file has no totp for this user")
	}
	if p.oneTime > 0 {
		return Request{}, nil, p.refused("the one-time password", e, d)
	}
	if here := e.Request.FullURL(); !p.session.target.MayTypeInto(here) {
		return Request{}, nil, errors.New(Unnamed(p.session.target, here))
	}
	code, err := p.session.codes.Next(ctx, *u)
	if err != nil {
		return Request{}, nil, fmt.Errorf("make the one-time password of %s: %w", u.Name, err)
	}
	p.session.driver.Redactor().Learn("otp", code)
	f.controls[field].value = code
	p.oneTime++
	return p.submit(e, f, f.firstButton(), "submit the one-time password of "+u.Name)
}

func (p *visiting) decide(e Exchange, d *document, accept, deny choice) (Request, *Landing, error) {
	c, title := accept, "accept on the consent page"
	switch p.visit.Consent {
	case Stop:
		return Request{}, shownPage(Consent, e, d), nil
	case Deny:
		c, title = deny, "deny on the consent page"
	}
	if p.consented++; p.consented > 2 {
		return Request{}, nil, fmt.Errorf("the server shows the consent page again and again%s", said(d))
	}
	if c.form == nil && c.link == "" {
		return Request{}, nil, ErrNoRefusal
	}
	if c.form == nil {
		where := resolve(e.Request.FullURL(), c.link)
		if !p.session.own(where, p.visit) && !Lands(where, p.visit.RedirectURIs...) {
			return Request{}, nil, errors.New("the consent page's refusal leads to another server")
		}
		return p.followLink(e, where, title)
	}
	if p.visit.Consent != Deny {
		c.form.tick()
	}
	return p.submit(e, c.form, c.button, title)
}

// followLink is the request that a link makes, or the landing where it leads away from the server.
func (p *visiting) followLink(e Exchange, where, title string) (Request, *Landing, error) {
	if l := p.leaving(where); l != nil {
		l.Via = "link"
		return Request{}, l, nil
	}
	next := Request{Title: title, Client: e.Request.Client, Method: "GET", URL: where}
	next.Header = Params{{"Accept", htmlType}}
	return next, nil, nil
}

// refused is the end of a visit whose sign-in page came back.
func (p *visiting) refused(what string, e Exchange, d *document) error {
	return fmt.Errorf("the server refused %s of %s: it answers %d and shows the sign-in page again%s", what, p.visit.User.Name, e.Status, said(d))
}

func said(d *document) string {
	if d.alert == "" {
		return ""
	}
	return fmt.Sprintf(", with the words %q", strings.Join(strings.Fields(d.alert), " "))
}

// firstButton is the one that the Enter key presses.
func (f *form) firstButton() int {
	return f.find(func(c control) bool { return c.kind == "submit" })
}

// submit makes the request of a filled-in form, to the server itself only.
func (p *visiting) submit(e Exchange, f *form, button int, title string) (Request, *Landing, error) {
	here := e.Request.FullURL()
	r := f.sent(here, button, title)
	if !p.session.own(r.URL, p.visit) {
		return Request{}, nil, fmt.Errorf("the form would be sent to another server, %s", origin(r.URL))
	}
	r.Client = e.Request.Client
	if r.Method == "POST" {
		r.Header = r.Header.And("Origin", origin(here))
	}
	return r, nil, nil
}
