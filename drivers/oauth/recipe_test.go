package oauth

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"flowproof/drivers/target"
)

func do(act, selector string) target.Step { return target.Step{Do: act, Selector: selector} }

func fillIn(selector, value string) target.Step {
	return target.Step{Do: "fill", Selector: selector, Value: value}
}

func maybe(s target.Step) target.Step { s.Optional = true; return s }

// formRecipes are the steps that get past each kind of plain page.
func formRecipes() map[string][]target.Step {
	one := []target.Step{fillIn("input[name=login]", "username"), fillIn("[type=password]", "password"), do("click", "form > button")}
	return map[string][]target.Step{
		"one page":          one,
		"two pages":         {fillIn("[name=identifier]", "username"), do("click", "button"), fillIn("[name=secret]", "password"), do("click", "button")},
		"one-time password": append(slices.Clone(one), do("totp", "[name=passcode]"), do("click", "button")),
		"identity provider": append([]target.Step{do("wait", "form[action='/login']")}, one...),
	}
}

// TestFormsPlayRecipes: the same pages as by detection, with as many attempts.
func TestFormsPlayRecipes(t *testing.T) {
	for kind, steps := range formRecipes() {
		t.Run(kind, func(t *testing.T) {
			s := newSignInSite(t, kind)
			x, _ := s.session(t, true, append(steps, maybe(do("click", "[value=yes]")))...)
			for range 2 { // the second time the recipe is not begun
				l, err := x.Visit(t.Context(), s.visit(goodPassword))
				if err != nil || l.Query.Get("code") == "" || !strings.HasPrefix(l.URL, callback) {
					t.Fatalf("landed %s at %s, %v", l.Kind, l.URL, err)
				}
			}
			if s.attempts.Load() != 1 || s.consents.Load() != 1 {
				t.Errorf("%d sign-ins, %d consents", s.attempts.Load(), s.consents.Load())
			}
		})
	}
}

func TestFormsTryAWrongPasswordOnceByRecipe(t *testing.T) {
	for kind, steps := range formRecipes() {
		t.Run(kind, func(t *testing.T) {
			s := newSignInSite(t, kind)
			x, _ := s.session(t, true, steps...)
			for _, want := range []string{`the server refused the credentials of alice: it answers 200 and shows the sign-in page again, with the words "Wrong. 4 attempts left."`, "not tried again"} {
				if _, err := x.Visit(t.Context(), s.visit("wrong")); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
			}
			if s.attempts.Load() != 1 {
				t.Errorf("%d attempts", s.attempts.Load())
			}
		})
	}
}

// TestRecipeOnPlainPages holds what a step does to what it does in a browser, and where only one can do it says so.
func TestRecipeOnPlainPages(t *testing.T) {
	const (
		head   = `<title>Sign in</title><body>`
		fields = `<input id=user name=login><input id=secret name=secret type=password>`
		end    = `<button id=go name=go value=in>Sign <b>in</b></button></form>`
		script = `<script>draw()</script>`
	)
	both := []target.Step{fillIn("#user", "username"), fillIn("#secret", "password")}
	all := append(slices.Clone(both), do("click", "#go"))
	for name, c := range map[string]struct {
		page  string
		steps []target.Step
		sent  string // what the sign-in form brought
		says  string // the error
	}{
		"plain":                              {head + `<form method=post>` + fields + end, all, "login=alice secret go=in", ""},
		"pressed inside":                     {head + `<form method=post>` + fields + end, append(slices.Clone(both), do("click", "#go b")), "login=alice secret go=in", ""},
		"a button outside":                   {head + `<form id=f method=post>` + fields + `</form><button form=f id=go name=go value=out>Go</button>`, all, "login=alice secret go=out", ""},
		"hidden ones come first":             {head + `<div style="display: none"><input class=u></div><form method=post><input type=hidden class=u name=h value=v><input class=u name=login><input id=secret name=secret type=password>` + end, []target.Step{fillIn(".u", "username"), fillIn("#secret", "password"), do("click", "#go")}, "h=v login=alice secret go=in", ""},
		"a box by its label":                 {head + `<form method=post>` + fields + `<input type=checkbox name=keep id=keep><label for=keep>Keep me</label>` + end, append(slices.Clone(both), do("click", "label"), do("click", "#go")), "login=alice secret keep=on go=in", ""},
		"a radio button":                     {head + `<form method=post>` + fields + `<input type=radio name=way value=a checked><input type=radio name=way value=b id=b>` + end, append(slices.Clone(both), do("click", "#b"), do("click", "#go")), "login=alice secret way=b go=in", ""},
		"a link first":                       {head + `<a id=by href="?form=1">By password</a>`, append([]target.Step{do("click", "#by")}, all...), "login=alice secret go=in", ""},
		"the same recipe on the page behind": {`<meta http-equiv=refresh content="0; url=?form=1"><p>One moment`, append([]target.Step{maybe(do("click", "#terms"))}, all...), "terms=on login=alice secret go=in", ""},
		"too short a recipe":                 {head + `<form><input id=user></form><a id=by href="?form=1">By password</a>`, []target.Step{fillIn("#user", "username"), do("click", "#by")}, "", "the sign-in recipe is played to its end, and the page of http://127.0.0.1:PORT still asks to sign in"},
		"what it says":                       {head + `<h1>Welcome   to Acme</h1><form method=post>` + fields + end, append([]target.Step{{Do: "expect", Selector: "h1", Value: "Welcome to"}}, all...), "login=alice secret go=in", ""},
		"it says something else":             {head + `<h1>Hello</h1><form method=post>` + fields + end, append([]target.Step{{Do: "expect", Selector: "h1", Value: "Welcome to"}}, all...), "", `step 1 of the sign-in recipe (expect h1) has nothing to act on`},
		"optional ones":                      {head + `<form method=post>` + fields + end, append([]target.Step{maybe(do("click", "#cookies")), maybe(do("wait", "p:is(.x)"))}, all...), "login=alice secret go=in", ""},
		"an optional script":                 {head + `<button id=cookies>No cookies</button>` + script + `<form method=post>` + fields + end, append([]target.Step{maybe(do("click", "#cookies"))}, all...), "login=alice secret go=in", ""},
		"a script's button":                  {head + script + `<form method=post>` + fields + `<button type=button id=go>Go</button></form>`, all, "", "step 3 of the sign-in recipe (click #go): only a script of the page can act on it, and plain HTML forms run none: a browser is needed"},
		"fields of a script":                 {head + script + `<div>` + fields + `</div>`, all, "", "step 1 of the sign-in recipe (fill #user): only a script"},
		"a form that is drawn":               {head + `<p>One moment</p>` + script, all, "", "has no form before its scripts draw one, and plain HTML forms run none: a browser is needed. It says: Sign in One moment"},
		"a field that comes later":           {head + script + `<form method=post><input id=user name=login autocomplete=username><button>Next</button></form>`, all, "", "step 2 of the sign-in recipe (fill #secret) has nothing to act on: the page of http://127.0.0.1:PORT/oauth/auth (status 200) does not show it; the page has scripts, which may show it later, and plain HTML forms run none: a browser is needed"},
		"a field that is missing":            {head + `<form method=post><input id=user name=login autocomplete=username><button>Next</button></form>`, all, "", "does not show it; choose another selector, or mark the step optional"},
		"nothing sends it":                   {head + script + `<form method=post>` + fields + end, both, "", "no step of it sends what was filled in"},
		"another CSS":                        {head + `<form method=post>` + fields + end, append([]target.Step{do("wait", "form:focus-within")}, all...), "", "plain HTML forms do not read this selector, a browser may"},
		"a script's link":                    {head + `<a id=by href="javascript:go()">By password</a><form method=post>` + fields + end, append([]target.Step{do("click", "#by")}, all...), "", "only a script"},
	} {
		t.Run(name, func(t *testing.T) {
			sent := ""
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodPost:
					body, _ := io.ReadAll(r.Body)
					var parts []string
					for _, p := range ParseParams(string(body)) {
						if p.Name == "secret" && p.Value == goodPassword {
							parts = append(parts, p.Name)
							continue
						}
						parts = append(parts, p.Name+"="+p.Value)
					}
					sent = strings.Join(parts, " ")
					http.Redirect(w, r, callback+"?code=code-of-alice-123", http.StatusFound)
				case r.URL.RawQuery != "":
					_, _ = io.WriteString(w, head+`<form method=post><input type=checkbox id=terms name=terms>`+fields+end)
				default:
					_, _ = io.WriteString(w, c.page)
				}
			}))
			t.Cleanup(server.Close)
			s := &signInSite{as: server, idp: server}
			x, _ := s.session(t, true, c.steps...)
			l, err := x.Visit(t.Context(), s.visit(goodPassword))
			if sent != c.sent {
				t.Errorf("sent %q, want %q", sent, c.sent)
			}
			says := strings.ReplaceAll(c.says, "127.0.0.1:PORT", strings.TrimPrefix(server.URL, "http://"))
			switch {
			case says == "" && (err != nil || l.Query.Get("code") == ""):
				t.Errorf("landed %s at %s, %v", l.Kind, l.URL, err)
			case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
				t.Errorf("error %v, want %q", err, says)
			}
		})
	}
}

// TestRecipeTypesNothingElsewhere: on the page of a host that the target file does not name.
func TestRecipeTypesNothingElsewhere(t *testing.T) {
	s := newSignInSite(t, "identity provider")
	x, _ := s.session(t, false, formRecipes()["one page"]...)
	v := s.visit(goodPassword)
	v.URL = s.idp.URL + "/login"
	if _, err := x.Visit(t.Context(), v); err == nil || !strings.Contains(err.Error(), "nothing was typed. If people sign in there, write sign_in_hosts:") {
		t.Errorf("error %v", err)
	}
	if s.attempts.Load() != 0 {
		t.Errorf("%d attempts", s.attempts.Load())
	}
}

// TestRecipeStopsAtTheSignInPageForNobody: who is not to sign in leaves it as it is.
func TestRecipeStopsAtTheSignInPageForNobody(t *testing.T) {
	s := newSignInSite(t, "one page")
	for i, steps := range [][]target.Step{formRecipes()["one page"], {do("click", "#elsewhere")}} {
		x, _ := s.session(t, false, steps...)
		v := s.visit("")
		v.User = nil
		if l, err := x.Visit(t.Context(), v); err != nil || l.Kind != SignIn || l.Page == nil {
			t.Errorf("%d: landed %s, %v", i, l.Kind, err)
		}
	}
}

// FuzzRecipeStep: whatever the selector and the page are, a step is played or refused.
func FuzzRecipeStep(f *testing.F) {
	f.Add("#a > b, [c='d']:nth-child(2n+1)", "click", `<form id=f><input id=a form=f><label for=a><b>x</b></label></form>`)
	f.Add("input:not(:checked)", "expect", `<p>x<input value=y>`)
	f.Add(":has(:has(a))", "fill", `<a><a><svg><a>`)
	f.Fuzz(func(t *testing.T, selector, act, page string) {
		d := readDocument([]byte(page))
		n, err := d.pick(target.Step{Do: act, Selector: selector})
		if err != nil || n == nil {
			return
		}
		if f, i := d.control(n); f != nil && f.controls[i].node != n {
			t.Error("another control")
		}
		p := visiting{session: &formSession{forms: &forms{target: target.Target{URL: "http://127.0.0.1", SignIn: []target.Step{{Do: act, Selector: selector}}}}}}
		e := Exchange{Request: Request{URL: "http://127.0.0.1/"}}
		if r, _, err := p.press(e, d, n); err == nil && r.URL != "" && r.Title != fmt.Sprintf("step 1 of the sign-in recipe (%s %s)", act, selector) {
			t.Errorf("it sends %q", r.Title)
		}
	})
}
