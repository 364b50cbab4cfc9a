package browser

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

const client = "https://client.test/cb"

func TestRedirectsAreCaught(t *testing.T) {
	s := newSite(t)
	b := start(t, s.target(), Options{})
	listening := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the client was sent %s %s", r.Method, r.URL)
	}))
	defer listening.Close()

	type clientKind struct{ name, uri string }
	clients := []clientKind{
		{"listening", listening.URL + "/cb"},
		{"unresolvable", client},
		{"with a query", client + "?t=1"},
		{"custom scheme", "com.example.app:/cb"},
	}
	for _, how := range []string{"302", "303", "307", "script", "meta", "form_post"} {
		x := open(t, b)
		for _, c := range clients {
			for _, fragment := range []string{"", "yes"} {
				if fragment != "" && how == "form_post" {
					continue
				}
				t.Run(how+" "+c.name+" "+fragment, func(t *testing.T) {
					l := land(t, x, oauth.Visit{
						URL: s.request("how", how, "to", c.uri, "fragment", fragment), RedirectURIs: []string{c.uri, "https://other.test/"}, User: alice(),
					})
					if l.Kind != oauth.Redirected || l.Via != how {
						t.Fatalf("landed %s via %s at %s, want a redirect via %s", l.Kind, l.Via, l.URL, how)
					}
					if p := l.Params(); !strings.HasPrefix(p.Get("code"), "c0de-of-") || p.Get("state") != "s" {
						t.Errorf("parameters %v", p)
					}
					if (len(l.Fragment) > 0) != (fragment != "") {
						t.Errorf("fragment %v", l.Fragment)
					}
					if !strings.HasPrefix(l.URL, c.uri) {
						t.Errorf("landed at %s", l.URL)
					}
				})
			}
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		start(b, target.Target{URL: "http://127.0.0.1:1"}, Options{}).Close()
	}
}

// A sign-in in a fresh session, to the redirect.
func BenchmarkSignIn(b *testing.B) {
	s := newSite(b)
	ua := start(b, s.target(), Options{})
	v := oauth.Visit{URL: s.request("to", client), RedirectURIs: []string{client}, User: alice()}
	for b.Loop() {
		x := open(b, ua)
		land(b, x, v)
		x.Close()
	}
}

// A further redirect to a session that is signed in.
func BenchmarkSignedIn(b *testing.B) {
	s := newSite(b)
	x := open(b, start(b, s.target(), Options{}))
	v := oauth.Visit{URL: s.request("to", client), RedirectURIs: []string{client}, User: alice()}
	land(b, x, v)
	for b.Loop() {
		land(b, x, v)
	}
}

func TestFindSaysHowToInstall(t *testing.T) {
	if _, err := Find("/nowhere/chromium"); err == nil || !strings.Contains(err.Error(), "/nowhere/chromium") {
		t.Errorf("error %v", err)
	}
	if path, err := Find(""); err != nil || path == "" {
		t.Errorf("found %q, %v", path, err)
	}
}

func TestTargetsOwnTrustRootsAreUsed(t *testing.T) {
	s := httptest.NewTLSServer(http.RedirectHandler(client+"?code=c0de-of-tls", http.StatusFound))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer s.Close()
	private := target.Target{URL: s.URL, Endpoints: target.Endpoints{Authorization: s.URL + "/authorize"}}
	v := oauth.Visit{URL: s.URL + "/authorize", RedirectURIs: []string{client}}

	_, err := open(t, start(t, private, Options{})).Visit(t.Context(), v)
	if err == nil || !strings.Contains(err.Error(), "ERR_CERT_AUTHORITY_INVALID") {
		t.Errorf("without the root: error %v", err)
	}
	private.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	l := land(t, open(t, start(t, private, Options{})), v)
	if l.Kind != oauth.Redirected || l.Query.Get("code") != "c0de-of-tls" {
		t.Errorf("with the root: landed %s at %s", l.Kind, l.URL)
	}
}
