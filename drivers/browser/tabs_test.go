package browser

import (
	"context"
	"strings"
	"testing"
	"time"

	"flowproof/drivers/oauth"
)

func TestTabsShareTheSessionAndNothingElse(t *testing.T) {
	s := newSite(t)
	x := open(t, start(t, s.target(), Options{}))
	tabbed, ok := x.(oauth.Tabbed)
	if !ok {
		t.Fatal("a session has no tabs")
	}
	other, err := tabbed.Tab(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	type end struct {
		l   oauth.Landing
		err error
	}
	ended, there, on := make(chan end, 1), make(chan struct{}), make(chan struct{})
	go func() {
		l, err := x.Visit(t.Context(), oauth.Visit{
			URL: s.request("to", client, "consent", "yes", "state", "one"), RedirectURIs: []string{client}, User: alice(),
			Pause: func(ctx context.Context) {
				close(there) // twice would panic
				select {
				case <-on:
				case <-ctx.Done():
				}
			},
		})
		ended <- end{l, err}
	}()
	<-there
	if l := land(t, other, oauth.Visit{URL: s.request("to", client, "state", "two"), RedirectURIs: []string{client}, User: alice()}); l.Query.Get("state") != "two" || l.Query.Get("code") == "" {
		t.Errorf("the second tab landed %s at %s", l.Kind, l.URL)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	close(on)
	if first := <-ended; first.err != nil || first.l.Query.Get("state") != "one" || first.l.Query.Get("code") == "" {
		t.Errorf("the first tab landed %s at %s: %v", first.l.Kind, first.l.URL, first.err)
	}
	if l := land(t, x, oauth.Visit{URL: s.request("to", client), RedirectURIs: []string{client}}); l.Query.Get("code") == "" {
		t.Errorf("after a tab was closed, the session landed %s", l.Kind)
	}
}

func TestATabThatAScriptHoldsIsReplaced(t *testing.T) {
	s := newSite(t)
	b := start(t, s.target(), Options{})
	b.patience = 5 * time.Second
	x := open(t, b)
	v := oauth.Visit{URL: s.request("to", client), RedirectURIs: []string{client}, User: alice()}
	land(t, x, v)
	ctx, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	if l, err := x.Visit(ctx, oauth.Visit{URL: s.URL + "/held"}); err == nil {
		t.Fatalf("a page without end landed %s", l.Kind)
	}
	v.URL = s.request("to", client, "consent", "yes") // for which another page has to come
	l := land(t, x, v)
	if l.Query.Get("code") == "" {
		t.Errorf("the visit after that landed %s at %s", l.Kind, l.URL)
	}
	for _, hop := range l.Trail {
		if strings.Contains(hop.Request.URL, "/login") {
			t.Errorf("it had to sign in again: the cookies are gone")
		}
	}
}
