package browser

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

func TestSignInPagesAreRecognised(t *testing.T) {
	s := newSite(t)
	at := s.target()
	at.SignInHosts = []string{strings.TrimPrefix(s.idp.URL, "http://")}
	b := start(t, at, Options{})
	for _, style := range []string{"plain", "two", "late", "framework", "shadow", "honeypot", "otp", "idp"} {
		t.Run(style, func(t *testing.T) {
			x := open(t, b)
			v := oauth.Visit{URL: s.request("style", style, "to", client, "consent", "yes"), RedirectURIs: []string{client}, User: alice()}
			if l := land(t, x, v); l.Kind != oauth.Redirected || l.Query.Get("code") == "" {
				t.Errorf("landed %s at %s", l.Kind, l.URL)
			}
			before := s.count()
			v.URL = s.request("style", style, "to", client)
			if l := land(t, x, v); l.Kind != oauth.Redirected || l.Query.Get("code") == "" || s.count() != before {
				t.Errorf("the second visit landed %s at %s after %d sign-ins", l.Kind, l.URL, s.count()-before)
			}
		})
	}
}

func TestConsentIsDeniedOrLeft(t *testing.T) {
	s := newSite(t)
	x := open(t, start(t, s.target(), Options{}))
	v := oauth.Visit{URL: s.request("to", client, "consent", "yes"), RedirectURIs: []string{client}, User: alice(), Consent: oauth.Stop}
	l := land(t, x, v)
	if l.Kind != oauth.Consent || l.Page == nil || !strings.Contains(l.Page.Text, "access to your profile") {
		t.Errorf("landed %s, page %+v", l.Kind, l.Page)
	}
	v.Consent = oauth.Deny
	if l := land(t, x, v); l.Query.Get("error") != "access_denied" {
		t.Errorf("landed %s at %s", l.Kind, l.URL)
	}
}

func TestConsentTicksTheBoxesThatItIsAbout(t *testing.T) {
	s := newSite(t)
	x := open(t, start(t, s.target(), Options{}))
	v := oauth.Visit{URL: s.request("to", client, "consent", "boxes"), RedirectURIs: []string{client}, User: alice(), Consent: oauth.Deny}
	if l := land(t, x, v); l.Query.Get("error") != "access_denied" {
		t.Errorf("refused, and landed %s at %s", l.Kind, l.URL)
	}
	v.Consent = oauth.Accept
	if l := land(t, x, v); !l.Query.Has("code") {
		t.Errorf("agreed, and landed %s at %s", l.Kind, l.URL)
	}
}

func TestConsentThatAScriptDrawsGoesOn(t *testing.T) {
	s := newSite(t)
	x := open(t, start(t, s.target(), Options{}))
	v := oauth.Visit{URL: s.request("to", client, "consent", "drawn"), RedirectURIs: []string{client}, User: alice()}
	if l := land(t, x, v); !l.Query.Has("code") {
		t.Errorf("landed %s at %s", l.Kind, l.URL)
	}
	again := v
	again.URL = s.request("to", client, "consent", "known")
	if l := land(t, x, again); !l.Query.Has("code") {
		t.Errorf("known already, and landed %s at %s", l.Kind, l.URL)
	}
	v.Consent = oauth.Stop
	if l := land(t, x, v); l.Kind != oauth.Consent {
		t.Errorf("stopped %s at %s", l.Kind, l.URL)
	}
}

func TestVisitStopsAtTheSignInPage(t *testing.T) {
	s := newSite(t)
	x := open(t, start(t, s.target(), Options{}))
	for _, style := range []string{"plain", "two", "late"} {
		l := land(t, x, oauth.Visit{URL: s.request("style", style, "to", client), RedirectURIs: []string{client}})
		if l.Kind != oauth.SignIn || l.Page == nil || l.Page.Title != "Sign in" || l.Page.Status != http.StatusOK {
			t.Errorf("%s: landed %s, page %+v", style, l.Kind, l.Page)
		}
	}
}

func TestPagesAreShown(t *testing.T) {
	s := newSite(t)
	x := open(t, start(t, s.target(), Options{}))
	for _, c := range []struct {
		path, text string
		status     int
		picture    bool
	}{
		{"/error", "Nobody knows this client.", 400, true},
		{"/app", "Drawn by a script", 200, true},
		{"/letter", "Subscribe", 200, true},
		{"/json", `{"error":"invalid_request"}`, 400, true},
		{"/nothing", "", 204, false},
		{"/broken", "", 500, true},
		{"/file", "", 200, false},
		{"/loop", "ERR_TOO_MANY_REDIRECTS", 302, false},
	} {
		t.Run(c.path, func(t *testing.T) {
			l := land(t, x, oauth.Visit{URL: s.URL + c.path, RedirectURIs: []string{client}, User: alice()})
			if l.Kind != oauth.Shown || l.Page == nil {
				t.Fatalf("landed %s at %s", l.Kind, l.URL)
			}
			if l.Page.Status != c.status || !strings.Contains(l.Page.Text, c.text) || l.Page.URL != s.URL+c.path {
				t.Errorf("page %d %s %q", l.Page.Status, l.Page.URL, l.Page.Text)
			}
			if strings.Contains(l.Page.HTML, "s3cretvalue") {
				t.Error("the page's HTML holds a secret field's value")
			}
			if _, err := png.Decode(bytes.NewReader(l.Page.Screenshot)); (err == nil) != c.picture {
				t.Errorf("screenshot: %v", err)
			}
		})
	}
}

func TestRefusedSignInIsAnError(t *testing.T) {
	s := newSite(t)
	stranger := *alice()
	stranger.Password = target.NewSecret("wrong password")
	noSeed := *alice()
	noSeed.TOTP = target.Secret{}
	unknown := *alice()
	unknown.Username = "mallory"
	for _, c := range []struct {
		style string
		user  target.User
		want  string
	}{
		{"plain", stranger, "the server refused the sign-in: Wrong user name or password."},
		{"late", stranger, "the server refused the sign-in: Wrong user name or password."},
		{"two", stranger, "the server refused the sign-in: Wrong user name or password."},
		{"two", unknown, "the server refused the sign-in: Who are you?"},
		{"framework", stranger, "the server refused the sign-in: No such user"},
		{"otp", noSeed, "no totp secret"},
		{"email", noSeed, "the page does not take the form: username"},
	} {
		t.Run(c.style, func(t *testing.T) {
			before := s.count()
			b := start(t, s.target(), Options{Redact: strings.NewReplacer(password, "…").Replace})
			_, err := open(t, b).Visit(t.Context(), oauth.Visit{URL: s.request("style", c.style, "to", client), RedirectURIs: []string{client}, User: &c.user})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "GET "+s.URL+"/authorize → 302") {
				t.Fatalf("error %v, want one that says %q", err, c.want)
			}
			if n := s.count() - before; n > 1 {
				t.Errorf("the password was sent %d times", n)
			}
			var f *Failure
			if !errors.As(err, &f) || f.Page == nil || len(f.Page.Screenshot) == 0 || len(f.Trail) < 2 {
				t.Errorf("failure %+v", f)
			}
		})
	}
}

func TestSessionsShareNothing(t *testing.T) {
	s := newSite(t)
	b := start(t, s.target(), Options{})
	one, two := open(t, b), open(t, b)
	v := oauth.Visit{URL: s.request("to", client), RedirectURIs: []string{client}, User: alice()}
	land(t, one, v)
	cookies, err := one.Cookies(t.Context(), s.URL+"/authorize")
	if err != nil || len(cookies) != 1 || cookies[0].Name != "session" || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Expires.IsZero() {
		t.Errorf("cookies %v, %v", cookies, err)
	}
	if cookies, err := two.Cookies(t.Context(), s.URL+"/authorize"); err != nil || len(cookies) != 0 {
		t.Errorf("the other session has %v, %v", cookies, err)
	}
	v.User = nil
	if l := land(t, two, v); l.Kind != oauth.SignIn {
		t.Errorf("the other session landed %s", l.Kind)
	}
	if l := land(t, one, v); l.Kind != oauth.Redirected {
		t.Errorf("the first session landed %s the second time", l.Kind)
	}
}

func TestSessionsVisitAtTheSameTime(t *testing.T) {
	s := newSite(t)
	b := start(t, s.target(), Options{})
	var wg sync.WaitGroup
	for range 4 {
		x := open(t, b)
		wg.Go(func() {
			for range 3 {
				l, err := x.Visit(t.Context(), oauth.Visit{URL: s.request("to", client, "consent", "yes"), RedirectURIs: []string{client}, User: alice()})
				if err != nil || l.Query.Get("code") == "" {
					t.Errorf("landed %s at %s, %v", l.Kind, l.URL, err)
				}
			}
		})
	}
	wg.Wait()
	if n := s.count(); n != 4 {
		t.Errorf("%d sign-ins", n)
	}
}

func TestForeignRedirectIsSeenAndStopped(t *testing.T) {
	s := newSite(t)
	foreign := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the other host was sent %s", r.URL) }))
	defer foreign.Close()
	x := open(t, start(t, s.target(), Options{}))
	for _, where := range []string{foreign.URL + "/evil", "https://evil.test/", "evil.app:/x"} {
		for _, how := range []string{"302", "script", "meta", "form_post"} {
			l := land(t, x, oauth.Visit{URL: s.request("to", where, "how", how), RedirectURIs: []string{client}, User: alice()})
			if l.Kind != oauth.Redirected || l.Via != how || !strings.HasPrefix(l.URL, where) || l.Query.Get("code") == "" {
				t.Errorf("%s to %s: landed %s via %s at %s with %v", how, where, l.Kind, l.Via, l.URL, l.Query)
			}
		}
	}
}

func TestDialogsAndPopupsDoNotHold(t *testing.T) {
	s := newSite(t)
	x := open(t, start(t, s.target(), Options{}))
	for range 2 {
		l := land(t, x, oauth.Visit{URL: s.URL + "/asks?to=" + url.QueryEscape(client+"?code=c0de-of-x"), RedirectURIs: []string{client}})
		if l.Kind != oauth.Redirected || l.Query.Get("code") != "c0de-of-x" {
			t.Errorf("landed %s at %s", l.Kind, l.URL)
		}
	}
}

func TestPageThatIsSlowToLeave(t *testing.T) {
	s := newSite(t)
	x := open(t, start(t, s.target(), Options{}))
	for range 3 {
		if l := land(t, x, oauth.Visit{URL: s.URL + "/slow-to-leave", Consent: oauth.Stop}); l.Kind != oauth.Shown {
			t.Errorf("landed %s at %s", l.Kind, l.URL)
		}
	}
	if l := land(t, x, oauth.Visit{URL: s.request("to", client), RedirectURIs: []string{client}, User: alice()}); l.Kind != oauth.Redirected {
		t.Errorf("the next visit landed %s", l.Kind)
	}
}

func TestVisitEndsWithItsContext(t *testing.T) {
	s := newSite(t)
	b := start(t, s.target(), Options{})
	x := open(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	s.onNever = func() { once.Do(cancel) }
	_, err := x.Visit(ctx, oauth.Visit{URL: s.URL + "/never"})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "/never") {
		t.Errorf("error %v", err)
	}
	if l := land(t, x, oauth.Visit{URL: s.request("to", client), RedirectURIs: []string{client}, User: alice()}); l.Kind != oauth.Redirected {
		t.Errorf("the next visit landed %s", l.Kind)
	}
	if _, err := x.Visit(t.Context(), oauth.Visit{URL: s.URL + "/astray"}); err == nil || !strings.Contains(err.Error(), "ERR_INVALID_REDIRECT") {
		t.Errorf("error %v", err)
	}
	s.idp.Close()
	if _, err := x.Visit(t.Context(), oauth.Visit{URL: s.idp.URL + "/authorize"}); err == nil || !strings.Contains(err.Error(), "ERR_CONNECTION_REFUSED") {
		t.Errorf("error %v", err)
	}
}

func TestRecipeIsPlayed(t *testing.T) {
	s := newSite(t)
	odd := s.target()
	odd.SignIn = []target.Step{
		{Do: "click", Selector: "#cookies", Optional: true},
		{Do: "fill", Selector: "#a", Value: "username"},
		{Do: "fill", Selector: "#b", Value: "password"},
		{Do: "expect", Selector: "body", Value: "Who?"},
		{Do: "click", Selector: "#go"},
		{Do: "wait", Selector: "[name=code]", Optional: true},
		{Do: "totp", Selector: "[name=code]", Optional: true},
		{Do: "click", Selector: "[value=allow]", Optional: true},
	}
	x := open(t, start(t, odd, Options{}))
	if l := land(t, x, oauth.Visit{URL: s.request("style", "odd", "to", client), RedirectURIs: []string{client}}); l.Kind != oauth.SignIn {
		t.Errorf("without a user: landed %s", l.Kind)
	}
	for range 2 {
		l := land(t, x, oauth.Visit{URL: s.request("style", "odd", "to", client, "consent", "yes"), RedirectURIs: []string{client}, User: alice()})
		if l.Kind != oauth.Redirected || l.Query.Get("code") == "" {
			t.Errorf("landed %s at %s", l.Kind, l.URL)
		}
	}
}

func TestExchangesAreObserved(t *testing.T) {
	s := newSite(t)
	var seen []oauth.Exchange
	learnt := map[string][]string{}
	b := start(t, s.target(), Options{
		Observe: func(e oauth.Exchange) { seen = append(seen, e) },
		Learn:   func(kind, value string) { learnt[kind] = append(learnt[kind], value) },
	})
	x := open(t, b)
	l := land(t, x, oauth.Visit{URL: s.request("to", client, "consent", "yes"), RedirectURIs: []string{client}, User: alice()})
	var way []string
	for _, e := range seen {
		way = append(way, e.Request.Method+" "+strings.TrimPrefix(strings.SplitN(e.Request.URL, "?", 2)[0], s.URL)+" "+http.StatusText(e.Status))
	}
	want := "GET /authorize Found, GET /login OK, POST /login OK, POST /consent Found"
	if got := strings.Join(way, ", "); got != want {
		t.Fatalf("observed %s, want %s", got, want)
	}
	if len(l.Trail) != len(seen) {
		t.Errorf("%d exchanges in the trail", len(l.Trail))
	}
	login, consent := seen[2], seen[3]
	if login.Request.Form.Get("password") != password || login.Header.Get("Set-Cookie") == "" || !bytes.Contains(login.Body, []byte("Allow access")) || login.Proto != "HTTP/1.1" {
		t.Errorf("sign-in %+v", login)
	}
	if !strings.Contains(consent.Request.Header.Get("Cookie"), "session=") || !strings.HasPrefix(consent.Header.Get("Location"), client) || consent.Request.Form.Get("decision") != "allow" {
		t.Errorf("consent %+v", consent)
	}
	if consent.Waited <= 0 || consent.Started.IsZero() {
		t.Errorf("times %v %v", consent.Started, consent.Waited)
	}
	for _, kind := range []string{"cookie", "code", "password"} {
		if len(learnt[kind]) == 0 {
			t.Errorf("no %s was learnt", kind)
		}
	}
}
