package browser

// withCode makes a code in the background, and hands it on.
func (v *visit) withCode(then func(code string)) {
	v.acting = true
	go func() {
		code, err := v.s.b.codes.Next(v.ctx, *v.User)
		v.push(coded{code, err, then})
	}()
}

// coded is a one-time password that was waited for.
type coded struct {
	code string
	err  error
	then func(code string)
}

func (v *visit) coded(e coded) {
	v.acting = false
	if e.err != nil {
		if v.ctx.Err() == nil {
			v.failure = v.fail("make a one-time password", e.err.Error())
		}
		return
	}
	v.s.b.learn("otp", e.code)
	e.then(e.code)
}
