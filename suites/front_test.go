package suites

import (
	"net/http"
	"net/http/httptest"
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
