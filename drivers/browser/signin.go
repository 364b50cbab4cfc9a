package browser

import (
	"fmt"
	"strings"
	"time"

	"flowproof/drivers/oauth"
)

// decide looks at the page as it is now, and does the one thing that it asks for.
func (v *visit) decide() {
	v.wait(time.Hour, nil)
	if v.acting || !v.told || v.loading != v.committed {
		return
	}
	if !v.view.usable() {
		if v.view.Ready == "interactive" {
			v.wait(restless, v.meet) // whatever is still loading may never come
		}
		return
	}
	if v.pause() {
		return
	}
	if len(v.s.b.target.SignIn) > 0 && !v.played {
		v.followRecipe()
		return
	}
	v.meet()
}

// pause lets the caller hold the visit at the first page that asks for something.
func (v *visit) pause() bool {
	if v.Pause == nil || v.halted || v.view.Kind != "sign-in" && v.view.Kind != "consent" {
		return false
	}
	v.halted, v.acting = true, true
	go func() {
		v.Pause(v.ctx)
		v.push(resumed{})
	}()
	return true
}

// meet deals with the page by what the probe took it for.
func (v *visit) meet() {
	switch v.view.Kind {
	case "sign-in":
		v.signIn()
	case "consent":
		v.consent()
	case "banner":
		v.dismiss()
	default:
		v.rest()
	}
}

// dismiss takes a banner away that hides what the page asks for.
func (v *visit) dismiss() {
	const most = 2
	if v.banners == most || v.news == v.dismissed {
		v.rest()
		return
	}
	v.banners++
	v.do("dismiss", nil, func(a answer) {
		if a.Did != "" {
			v.deed(0, a.Did, v.view.URL)
		}
		v.dismissed = v.news
		v.decide()
	})
}

// signIn gives the page what it asks for, each thing once in a visit.
func (v *visit) signIn() {
	w := v.view
	if v.User == nil {
		v.stop(oauth.SignIn)
		return
	}
	password := w.Password && !v.sent.password
	otp := w.OTP && !v.sent.otp && (!v.User.TOTP.Empty() || !password)
	username := w.Username && (password || !w.Password && !v.sent.username)
	switch {
	case !password && !otp && !username:
		v.refused()
		return
	case otp && v.User.TOTP.Empty():
		v.failure = v.fail(v.signing(), "the page asks for a one-time password, and the user has no totp secret in the target file")
		return
	}
	if !v.mayType(v.signing()) {
		return
	}
	v.sent.username = v.sent.username || username
	v.sent.password = v.sent.password || password
	v.sent.otp = v.sent.otp || otp
	v.typed = v.typed || password
	v.sentFrom, v.alert = v.page, w.Alert

	var what struct {
		Username string `json:"username"`
		Password string `json:"password"`
		OTP      string `json:"otp"`
	}
	if username {
		what.Username = v.User.Username
	}
	if password {
		what.Password = v.User.Password.Reveal()
	}
	submit := func(code string) {
		what.OTP = code
		v.do("signIn", what, func(a answer) {
			if a.Problem != "" {
				v.failure = v.fail(v.signing(), "the page does not take the form: "+a.Problem)
				return
			}
			v.deed(0, a.Did, v.view.URL)
			v.decide()
		})
	}
	if otp {
		v.withCode(submit)
		return
	}
	submit("")
}

// mayType keeps the user's credentials from pages that the target file does not name, and from servers that
// have refused them before; else it ends the visit.
func (v *visit) mayType(doing string) bool {
	if t := v.s.b.target; !t.MayTypeInto(v.view.URL) {
		v.failure = v.fail(doing, oauth.Unnamed(t, v.view.URL))
		return false
	}
	if before := v.s.b.tried.Refused(*v.User); before != "" {
		v.failure = v.fail(doing, before)
		return false
	}
	return true
}

// remember files what became of the user's password, if it was sent. Where that is not known, it is as good
// as refused: finding out by trying again might lock the account.
func (v *visit) remember() {
	switch {
	case v.User == nil || !v.typed || v.caller.Err() != nil:
	case v.consents > 0 || v.landing != nil && v.landing.Kind != oauth.Shown:
		v.s.b.tried.Taken(*v.User)
	case v.landing != nil && v.landing.Page != nil:
		v.s.b.tried.Refuse(*v.User, v.s.b.options.Redact(v.landing.Page.Unexpected()))
	case v.failure != nil:
		v.s.b.tried.Refuse(*v.User, v.failure.Error())
	}
}

func (v *visit) signing() string { return fmt.Sprintf("sign in as %q", v.User.Name) }

// refused ends a visit whose sign-in page came back. The page that was sent may still be there for a
// moment, or show the server's word itself.
func (v *visit) refused() {
	refuse := func() {
		why := "the server refused the sign-in"
		if v.view.Alert != "" {
			why += ": " + v.view.Alert
		} else {
			why += ": the sign-in page came back"
		}
		v.failure = v.fail(v.signing(), why)
	}
	if v.page != v.sentFrom || (v.view.Alert != "" && v.view.Alert != v.alert && len(v.inflight) == 0) {
		refuse()
		return
	}
	v.wait(stuck, refuse)
}

// consent presses what the visit wants pressed.
func (v *visit) consent() {
	switch {
	case v.Consent == oauth.Stop:
		v.stop(oauth.Consent)
		return
	case v.page == v.consented && v.view.Agree == v.agreed:
		v.wait(stuck, func() { v.failure = v.fail("consent", "nothing came of the button") })
		return
	case v.consents == 3:
		v.failure = v.fail("consent", "the consent page comes back again and again")
		return
	case v.Consent == oauth.Deny && !v.view.Deny:
		v.wait(v.lull(), func() { v.failure = v.noRefusal() })
		return
	}
	v.consented, v.agreed = v.page, v.view.Agree
	v.consents++
	v.do("choose", map[string]bool{"accept": v.Consent != oauth.Deny}, func(a answer) {
		if a.Did != "" {
			v.deed(0, a.Did, v.view.URL)
		}
		v.decide()
	})
}

// rest waits until the page that asks for nothing is finished, and takes it as the end.
func (v *visit) rest() {
	show := func() {
		if !v.goesOn() {
			v.stop(oauth.Shown)
		}
	}
	switch {
	case v.view.Ready != "complete":
		v.wait(longLull, show)
	case v.view.Refresh:
		v.wait(11*time.Second, show)
	case !v.view.Live:
		show()
	case time.Since(v.loaded) > restless:
		show()
	default:
		v.wait(v.lull(), func() {
			if len(v.inflight) > 0 && time.Since(v.loaded) < restless {
				v.rest()
				return
			}
			show()
		})
	}
}

// goesOn presses, once, the button by which a page lets people go on who are signed in: when they did that or consented
// on it, and a script drew it anew, or when it offers to sign out instead.
func (v *visit) goesOn() bool {
	here := v.typed && v.page == v.sentFrom || v.consents > 0 && v.page == v.consented
	if v.User != nil && v.view.Known && v.view.Live {
		here = here || strings.Contains(strings.ToLower(v.view.Agree), "continue")
	}
	if !here || v.wentOn || !v.view.Accept || v.Consent == oauth.Deny {
		return false
	}
	v.wentOn = true
	v.do("choose", map[string]bool{"accept": true}, func(a answer) {
		if a.Did != "" {
			v.deed(0, a.Did, v.view.URL)
		}
		v.decide()
	})
	return true
}

func (v *visit) lull() time.Duration {
	switch {
	case !v.view.Live:
		return 0
	case v.view.Busy:
		return longLull
	}
	return lull
}

// stop ends the visit at the page that is there.
func (v *visit) stop(kind oauth.LandingKind) {
	if v.departs(kind) {
		return
	}
	shown, err := v.s.look(v.ctx, v.world, v.User, !v.NoPicture)
	if err != nil {
		// It went away while we looked. Whatever comes next will tell.
		v.told = false
		return
	}
	if last := v.trail.last(); last != nil {
		shown.Status = last.Status
	}
	v.landing = &oauth.Landing{Kind: kind, URL: shown.URL, Page: shown}
}
