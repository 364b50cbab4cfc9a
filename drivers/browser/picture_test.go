package browser

import (
	"errors"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// Nothing can be masked in a picture, so a page that shows a secret, as text or in a field, is told without one.
func TestPageThatShowsASecretHasNoPicture(t *testing.T) {
	const token = "a-token-that-was-learnt"
	for body, picture := range map[string]bool{
		"<h1>It failed</h1><input type=hidden value=" + token + ">":    true,
		"<h1>It failed</h1><p>" + token + "</p>":                       false,
		"<h1>It failed</h1><input value=" + token + ">":                false,
		"<h1>It failed</h1><textarea>" + token + "</textarea>":         false,
		"<h1>It failed</h1><p>" + html.EscapeString(password) + "</p>": false,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte("<!doctype html><meta charset=utf-8><title>x</title>" + body))
		}))
		defer server.Close()
		b := start(t, target.Target{URL: server.URL, Endpoints: target.Endpoints{Authorization: server.URL + "/authorize"}}, Options{Redact: strings.NewReplacer(token, "[token]", password, "[password]").Replace})
		l, err := open(t, b).Visit(t.Context(), oauth.Visit{URL: server.URL + "/authorize", RedirectURIs: []string{client}, User: alice()})
		page := l.Page
		if f, is := errors.AsType[*Failure](err); is {
			page = f.Page
		}
		if page == nil || (len(page.Screenshot) > 0) != picture {
			t.Errorf("%s: a picture: %v, want %v (%v)", body, page != nil && len(page.Screenshot) > 0, picture, err)
		}
	}
}
