package suites

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// TestAGlanceDoesNotEndAtTheSignIn: a redirect to where people sign in is not the end of the request, as one to
// any other host is.
func TestAGlanceDoesNotEndAtTheSignIn(t *testing.T) {
	const idp = "https://login.acme.test"
	as := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.FormValue("to")+"/u/login?flow=1", http.StatusFound)
	}))
	t.Cleanup(as.Close)
	at := target.Target{URL: as.URL, Endpoints: target.Endpoints{Authorization: as.URL + "/auth", Token: as.URL + "/token"}, SignInHosts: []string{strings.TrimPrefix(idp, "https://")}}
	d, err := oauth.New(at, oauth.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	s := newSession(t.Context(), Options{Target: at, Driver: d})
	for to, ends := range map[string]bool{idp: false, "https://evil.test": true, as.URL: false} {
		r := oauth.Request{Method: http.MethodGet, URL: at.Endpoints.Authorization, Query: oauth.Params{{Name: "to", Value: to}}}
		if l, ended := s.glance(t.Context(), r, nil); ended != ends {
			t.Errorf("to %s: ended %t, %s", to, ended, landed(l))
		}
	}
	r := oauth.Request{}
	for where, host := range map[string]string{idp + "/u/login": "login.acme.test", idp + "/cb?code=c": "", idp + "/cb?error=access_denied": ""} {
		if got := s.strayed(oauth.Landing{Kind: oauth.Redirected, URL: where, Query: oauth.ParseLanding(where).Query}, r); got != host {
			t.Errorf("%s strayed to %q", where, got)
		}
	}
}

// TestAChaseGoesWherePeopleSignIn: from the server to where people sign in and back, each host with its own cookies,
// and no further.
func TestAChaseGoesWherePeopleSignIn(t *testing.T) {
	var idp, as *httptest.Server
	var sent []string // the cookies that came, by path
	cookies := func(r *http.Request) { sent = append(sent, r.URL.Path+" "+r.Header.Get("Cookie")) }
	idp = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookies(r)
		http.SetCookie(w, &http.Cookie{Name: "person", Value: "p", Path: "/"})
		http.Redirect(w, r, as.URL+"/back", http.StatusSeeOther)
	}))
	t.Cleanup(idp.Close)
	as = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookies(r)
		switch r.URL.Path {
		case "/auth":
			http.SetCookie(w, &http.Cookie{Name: "flow", Value: "f", Path: "/"})
			http.Redirect(w, r, strings.Replace(idp.URL, "127.0.0.1", "localhost", 1)+"/login", http.StatusFound)
		case "/back":
			http.Redirect(w, r, "https://evil.test/", http.StatusFound)
		}
	}))
	t.Cleanup(as.Close)
	there := strings.Replace(strings.TrimPrefix(idp.URL, "http://"), "127.0.0.1", "localhost", 1)
	at := target.Target{URL: as.URL, Endpoints: target.Endpoints{Authorization: as.URL + "/auth", Token: as.URL + "/token"}, SignInHosts: []string{there}}
	d, err := oauth.New(at, oauth.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	s := newSession(t.Context(), Options{Target: at, Driver: d})
	r := oauth.Request{Method: http.MethodGet, URL: at.Endpoints.Authorization}
	l := s.chase(t.Context(), r, s.only([]*http.Cookie{{Name: "session", Value: "s"}}))
	if want := []string{"/auth session=s", "/login ", "/back session=s; flow=f"}; !slices.Equal(sent, want) {
		t.Errorf("sent %q, want %q", sent, want)
	}
	if l.Kind != oauth.Redirected || l.URL != "https://evil.test/" || len(l.Trail) != 3 {
		t.Errorf("landed: %s", landed(l))
	}
}

// TestAnErrorPageElsewhereIsARefusal: one that a redirect leads to tells of the error in its address.
func TestAnErrorPageElsewhereIsARefusal(t *testing.T) {
	for where, told := range map[string]bool{
		"https://login.acme.test/error?error=invalid_request": true, "https://login.acme.test/?login_challenge=c": false, "": false,
	} {
		x := oauth.Exchange{Status: http.StatusFound, Header: http.Header{"Location": {where}}}
		if toldByRedirect(x) != told {
			t.Errorf("%s: told %t", where, !told)
		}
	}
}
