package browser

import (
	"cmp"
	"fmt"
	"time"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// followRecipe plays the next step, as soon as the page has what it needs. Where no sign-in is asked
// for, because the session is signed in, the recipe is not begun.
func (v *visit) followRecipe() {
	recipe := v.s.b.target.SignIn
	if v.step == len(recipe) {
		v.played, v.sentFrom, v.alert = true, v.page, v.view.Alert
		v.sent.username, v.sent.password, v.sent.otp = true, true, true
		v.meet()
		return
	}
	step, news := recipe[v.step], v.news
	if v.User == nil {
		v.do("step", stepOf(step, "has", ""), func(a answer) {
			if a.Problem == "" || v.view.Kind == "sign-in" {
				v.stop(oauth.SignIn)
				return
			}
			v.awaitStep(step, news)
		})
		return
	}
	play := func(act, value string) {
		v.do("step", stepOf(step, act, value), func(a answer) {
			if a.Problem != "" {
				v.awaitStep(step, news)
				return
			}
			v.deed(v.step+1, a.Did, v.view.URL)
			if step.Do == "fill" && step.Value == "password" {
				v.sent.password, v.typed = true, true
			}
			v.next()
			v.begun = true
			v.sentFrom, v.alert = v.page, v.view.Alert
			v.decide()
		})
	}
	if step.Do != "fill" && step.Do != "totp" {
		play(step.Do, step.Value)
		return
	}
	// Nothing is typed before its field is there: then it is known which page is asking, and a code is not
	// made in vain.
	v.do("step", stepOf(step, "has", ""), func(a answer) {
		switch {
		case a.Problem != "":
			v.awaitStep(step, news)
		case !v.mayType(v.recipeStep()):
		case step.Do == "totp" && v.User.TOTP.Empty():
			v.failure = v.fail(v.recipeStep(), "the page asks for a one-time password, and the user has no totp secret in the target file")
		case step.Do == "totp":
			v.withCode(func(code string) { play("fill", code) })
		case step.Value == "password":
			play("fill", v.User.Password.Reveal())
		default:
			play("fill", v.User.Username)
		}
	})
}

func stepOf(s target.Step, act, value string) map[string]string {
	return map[string]string{"act": act, "selector": s.Selector, "value": value}
}

// awaitStep deals with a page that does not have what the step needs (yet). News is what was known of the
// page when it was asked.
func (v *visit) awaitStep(step target.Step, news int) {
	switch {
	case v.news != news:
		v.decide()
	case step.Optional:
		v.wait(v.left(cmp.Or(step.Patience, restless), cmp.Or(step.Patience, v.lull())), func() {
			v.next()
			v.decide()
		})
	case v.sent.password && v.view.Password && (v.page != v.sentFrom || v.view.Alert != "" && v.view.Alert != v.alert):
		v.refused() // the page that asks for the password is back, and the step will never come
	case !v.begun && v.view.Kind != "sign-in":
		v.meet()
	default:
		limit := cmp.Or(step.Patience, stepWait)
		v.wait(v.left(limit, limit), func() {
			v.failure = v.fail(v.recipeStep(), fmt.Sprintf("the page has not shown it for %v", limit))
		})
	}
}

// next goes on to the next step.
func (v *visit) next() {
	v.step++
	v.waiting = time.Time{}
}

// left is how long the page is waited on still: for so long at a time, and not longer than the limit, even if there
// is news of it all the time.
func (v *visit) left(limit, atATime time.Duration) time.Duration {
	if v.waiting.IsZero() {
		v.waiting = time.Now()
	}
	return min(atATime, max(0, time.Until(v.waiting.Add(limit))))
}

// recipeStep names the step that the visit is at.
func (v *visit) recipeStep() string {
	s := v.s.b.target.SignIn[min(v.step, len(v.s.b.target.SignIn)-1)]
	return fmt.Sprintf("play step %d of the sign-in recipe (%s %s)", v.step+1, s.Do, s.Selector)
}
