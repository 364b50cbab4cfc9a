package suites

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// Another site can make a user agent send any form that it has got itself, with its own session's values
// in it. What it cannot know are the values of the user's own session. So a forged form is one from
// another session, as it stands or with what ties it to that session left out or made up.

// A twin is one form as the user's session has it, and as another session has it.
type twin struct{ own, other oauth.Request }

// ties are the parameters by which the two differ.
func (t twin) ties() []string {
	var out []string
	for _, p := range t.other.Form {
		if t.own.Form.Get(p.Name) != p.Value {
			out = append(out, p.Name)
		}
	}
	return out
}

// A forging makes the forms that another site could send.
type forging struct {
	name string
	make func(t twin) []oauth.Request
}

func forgings() []forging {
	each := func(spoil func(t twin, name string) oauth.Change) func(t twin) []oauth.Request {
		return func(t twin) []oauth.Request {
			var out []oauth.Request
			for _, name := range t.ties() {
				out = append(out, t.other.Changed(spoil(t, name)))
			}
			return out[:min(len(out), 2)]
		}
	}
	return []forging{
		{"with the values of another session", func(t twin) []oauth.Request { return []oauth.Request{t.other} }},
		{"without its anti-forgery value", each(func(_ twin, name string) oauth.Change { return oauth.Without(name) })},
		{"with an anti-forgery value that is made up", each(func(t twin, name string) oauth.Change {
			return oauth.Set(name, madeUp(t.other.Form.Get(name)))
		})},
	}
}

// madeUp is a value of the same length that nobody issued.
func madeUp(value string) string {
	var b strings.Builder
	for b.Len() < len(value) {
		b.WriteString(oauth.NewVerifier())
	}
	return b.String()[:len(value)]
}

// A judgement is what came of one way to forge a form.
type judgement struct {
	decides    oauth.Exchange
	violation  string
	noted      string
	missing    string
	unproven   string
	screenshot *oauth.Page
}

// pronounce ends the spec by the judgement.
func (s *session) pronounce(j judgement) {
	if j.decides.Status != 0 {
		s.seen.decide(j.decides)
	}
	s.seen.show(j.screenshot)
	switch {
	case j.violation != "":
		s.violated("%s", j.violation)
	case j.missing != "":
		s.notApplicable("%s", j.missing)
	case j.unproven != "":
		s.inconclusive("%s", j.unproven)
	case j.noted != "":
		s.note("%s", j.noted)
	}
}

// consentForged tries to give the user's consent from another site.
func consentForged(s *session) {
	g := target.AuthorizationCode
	var entries []any
	for _, f := range forgings() {
		entries = append(entries, Entry(f.name, f.name))
	}
	DescribeTable("take no consent that another site sends", append([]any{table, proves("RFC6749-10.12-consent-csrf"), flow(g),
		func(ctx SpecContext, name string) {
			s.requires(g)
			s.seen.expected = "no code"
			if s.forged == nil { // all at once: consent pages are few
				s.forged = s.forgeConsent(ctx, g)
			}
			s.pronounce(s.forged[name])
		}}, entries...)...)
}

// forgeConsent tries every way, then proves that the form itself is good.
func (s *session) forgeConsent(ctx context.Context, g target.Grant) map[string]judgement {
	if s.Browser == nil {
		s.inconclusive("only a browser can tell. %s", s.NoBrowser)
	}
	p := s.browsing(ctx, s.user(0))
	t := s.consentTwin(ctx, p, g)
	made, proved := map[string]judgement{}, false
	for _, f := range forgings() {
		j := s.forge(ctx, p, t, f)
		made[f.name] = j
		if j.violation != "" {
			for _, f := range forgings() {
				if _, tried := made[f.name]; !tried {
					made[f.name] = judgement{unproven: "consent was given by a forged form before this one was tried"}
				}
			}
			return made
		}
		proved = proved || j.noted != ""
	}
	if proved {
		return made
	}
	own := func(form oauth.Request) oauth.Landing {
		return s.chase(ctx, form.Changed(sameSite(form), oauth.Titled("send the user's own consent form")), s.heldBy(ctx, p))
	}
	l := own(t.own)
	if !issued(l) { // a server may let a page go that a forged form was sent for; a new one has to do
		l = own(s.consentTwin(ctx, p, g).own)
	}
	if issued(l) {
		return made
	}
	for name, j := range made {
		made[name] = judgement{decides: j.decides, missing: j.missing, unproven: "the user's own form is refused, too: " + landed(l)}
	}
	return made
}

// forge has the user's browser send the forms from a foreign site. What comes of them over plain HTTP with
// the user's cookies is worth a note: then only the browser's own rules protect the user.
func (s *session) forge(ctx context.Context, p *person, t twin, f forging) judgement {
	var j judgement
	forms := f.make(t)
	if len(forms) == 0 {
		j.missing = "no field of the form differs from one session to another"
		return j
	}
	for _, q := range forms {
		l := s.visit(ctx, nobody(p), oauth.Request{Title: "send the consent form from another site, " + f.name, URL: s.foreign().submitting(q)}, oauth.Stop)
		if len(l.Trail) > 0 {
			j.decides = l.Trail[len(l.Trail)-1]
		}
		j.screenshot = l.Page
		if issued(l) {
			j.violation = "the form is taken from another site, " + f.name + ": " + landed(l)
			return j
		}
		plain := s.chase(ctx, q.Changed(oauth.Titled("send the consent form "+f.name)), s.heldBy(ctx, p))
		if issued(plain) {
			j.decides = plain.Trail[len(plain.Trail)-1]
			j.noted = "the form is taken " + f.name + "; what protects the user is only that browsers do not send the cookies for another site"
			return j
		}
	}
	return j
}

// consentTwin is a consent page of the person, and the same of another user.
func (s *session) consentTwin(ctx context.Context, p *person, g target.Grant) twin {
	another := s.user(1)
	r := s.consentable(ctx, p, g)
	own := s.approval(s.visit(ctx, nobody(p), r.Changed(oauth.Titled("look at the consent page")), oauth.Stop))
	other := s.approval(s.visit(ctx, s.person(ctx, another), r.Changed(oauth.Titled("look at the consent page of another user")), oauth.Stop))
	return twin{own, other}
}

// approval is the form that a consent page sends.
func (s *session) approval(l oauth.Landing) oauth.Request {
	if l.Kind != oauth.Consent || l.Page == nil {
		s.inconclusive("no consent page came: %s", landed(l))
	}
	r, plain := l.Page.Approval()
	if !plain {
		s.notApplicable("the consent page has no plain form that another site could send")
	}
	return r
}

// sameSite says where the form was sent from, as browsers do.
func sameSite(r oauth.Request) oauth.Change {
	scheme, rest, _ := strings.Cut(r.URL, "://")
	return oauth.Header("Origin", scheme+"://"+before(before(rest, "/"), "?"))
}

// signInForged tries to sign a fresh browser in as somebody else from another site.
func signInForged(s *session) {
	var entries []any
	for _, f := range forgings()[:2] {
		entries = append(entries, Entry(f.name, f))
	}
	DescribeTable("sign nobody in by a form that another site sends", append([]any{table, proves("RFC6749-10.12-login-csrf"),
		func(ctx SpecContext, f forging) {
			if s.Browser == nil {
				s.inconclusive("only a browser can tell. %s", s.NoBrowser)
			}
			attacker := s.user(1)
			c, g := s.frontClient()
			r := s.asking(c, g)
			s.seen.expected = "a browser in which nobody is signed in"
			t := twin{own: s.signInForm(ctx, r, attacker).form, other: s.signInForm(ctx, r, attacker).form}
			forms := f.make(t)
			if len(forms) == 0 {
				s.notApplicable("no field of the form differs from one session to another")
			}
			p := s.onlooker(ctx)
			for _, q := range forms {
				from := s.foreign().submitting(q)
				l := s.visit(ctx, p, oauth.Request{Title: "send the sign-in form " + f.name + " from another site", URL: from}, oauth.Stop)
				now := s.visit(ctx, p, s.asking(c, g, oauth.Titled("see whether somebody is signed in")), oauth.Stop)
				if now.Kind == oauth.Consent || issued(now) {
					delete(s.persons, onlooking) // it is none any more
					s.violated("the browser is signed in as %s by a form that another site sent %s", attacker.Name, f.name)
				}
				if now.Kind != oauth.SignIn {
					s.inconclusive("it cannot be told whether somebody is signed in: %s, after %s", landed(now), landed(l))
				}
			}
			s.signsIn(ctx, r, attacker)
		}}, entries...)...)
}

// A signInForm is the filled-in form of a sign-in page, with the session that got it.
type signInForm struct {
	form    oauth.Request
	page    *oauth.Page
	cookies cookies
}

// signInForm gets the sign-in page in a new session and fills it in.
func (s *session) signInForm(ctx context.Context, r oauth.Request, u target.User) signInForm {
	p := s.stranger(ctx, s.plainReader())
	l := s.visit(ctx, p, r.Changed(oauth.Titled("get the sign-in page")), oauth.Stop)
	if l.Kind == oauth.Shown && s.Browser != nil { // a script may have to draw it first
		p = s.stranger(ctx, s.Browser)
		l = s.visit(ctx, p, r.Changed(oauth.Titled("get the sign-in page")), oauth.Stop)
	}
	if l.Kind != oauth.SignIn || l.Page == nil {
		s.inconclusive("no sign-in page came: %s", landed(l))
	}
	form, plain := l.Page.Credentials(u)
	if !plain {
		s.notApplicable("the sign-in page has no plain form that asks for user name and password at once")
	}
	if why := s.driver.Tried().Refused(u); why != "" {
		s.inconclusive("%s", why)
	}
	if !s.target.MayTypeInto(form.URL) {
		s.inconclusive("the sign-in form would be sent to a host that the target file does not name, so it is not")
	}
	return signInForm{form, l.Page, s.heldBy(ctx, p)}
}

// signsIn proves once a run that the form signs the user in where it comes from.
func (s *session) signsIn(ctx context.Context, r oauth.Request, u target.User) {
	const name = "the sign-in form, sent from its own page"
	made, known := s.controls[name]
	if !known {
		f := s.signInForm(ctx, r, u)
		l := s.chase(ctx, f.form.Changed(sameSite(f.form)), f.cookies)
		if len(l.Trail) > 0 {
			made.exchange = l.Trail[len(l.Trail)-1]
		}
		if !issued(l) && l.Kind != oauth.Consent {
			made.failure = "the positive control (" + name + ") signed nobody in: " + landed(l)
			s.driver.Tried().Refuse(u, made.failure)
		}
		s.controls[name] = made
	}
	if made.failure != "" {
		s.seen.decide(made.exchange)
		s.inconclusive("%s", made.failure)
	}
}
