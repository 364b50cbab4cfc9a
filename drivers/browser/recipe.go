package browser

import (
	"fmt"

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
		v.do("step", stepOf(step, "wait", ""), func(answer string) {
			if answer == "" || v.view.Kind == "sign-in" {
				v.stop(oauth.SignIn)
				return
			}
			v.awaitStep(step, news)
		})
		return
	}
	play := func(act, value string) {
		v.do("step", stepOf(step, act, value), func(answer string) {
			if answer != "" {
				v.awaitStep(step, news)
				return
			}
			v.step++
			v.begun = true
			v.sentFrom, v.alert = v.page, v.view.Alert
			v.decide()
		})
	}
	switch {
	case step.Do == "totp":
		// A code is not made before its field is there, since each is good for one use.
		v.do("step", stepOf(step, "wait", ""), func(answer string) {
			if answer != "" {
				v.awaitStep(step, news)
				return
			}
			v.withCode(func(code string) { play("fill", code) })
		})
	case step.Do == "fill" && step.Value == "password":
		play("fill", v.User.Password.Reveal())
	case step.Do == "fill":
		play("fill", v.User.Username)
	default:
		play(step.Do, step.Value)
	}
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
		v.wait(v.lull(), func() {
			v.step++
			v.decide()
		})
	case !v.begun && v.view.Kind != "sign-in":
		v.meet()
	}
}

// recipeStep names the step that the visit is at.
func (v *visit) recipeStep() string {
	s := v.s.b.target.SignIn[min(v.step, len(v.s.b.target.SignIn)-1)]
	return fmt.Sprintf("play step %d of the sign-in recipe (%s %s)", v.step+1, s.Do, s.Selector)
}
