package browser

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"flowproof/drivers/oauth"
)

// another is a site of its own: the browser knows it by another name than the target's.
func another(t *testing.T, pages map[string]string) (origin, host string, heard func(path string) http.Header) {
	t.Helper()
	seen := make(chan *http.Request, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r
		render(w, "Another site", pages[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	host = strings.Replace(strings.TrimPrefix(server.URL, "http://"), "127.0.0.1", "localhost", 1)
	return "http://" + host, host, func(path string) http.Header {
		for {
			select {
			case r := <-seen:
				if r.URL.Path == path {
					return r.Header
				}
			default:
				return nil
			}
		}
	}
}

func watching(t *testing.T, x oauth.Session, v oauth.Visit, w oauth.Watching) oauth.Sight {
	t.Helper()
	watcher, ok := x.(oauth.Watcher)
	if !ok {
		t.Fatal("the session cannot be watched")
	}
	sight, err := watcher.Watch(t.Context(), v, w)
	if err != nil {
		t.Fatal(err)
	}
	return sight
}

func TestALinkAwayIsFollowed(t *testing.T) {
	s := newSite(t)
	origin, host, heard := another(t, map[string]string{"/next": "<p>away"})
	x := open(t, start(t, s.target(), Options{}))
	for _, page := range []string{s.request("style", "plain"), s.URL + "/error"} {
		began := time.Now()
		sight := watching(t, x, oauth.Visit{URL: page, RedirectURIs: []string{client}}, oauth.Watching{Hosts: []string{host}, Leave: origin + "/next"})
		if sight.URL != origin+"/next" || heard("/next").Get("Referer") != s.URL+"/" {
			t.Errorf("landed %s at %s", sight.Kind, sight.URL)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
	}
}

func TestWhatPagesAskForIsSeen(t *testing.T) {
	s := newSite(t)
	origin, host, _ := another(t, map[string]string{
		"/with": `<img src="/picture"><script>onload = () => location.replace("/end")</script><iframe name=shown src="` + s.URL + `/error"></iframe>`,
		"/end":  "<p>end",
	})
	x := open(t, start(t, s.target(), Options{}))
	sight := watching(t, x, oauth.Visit{URL: origin + "/with", RedirectURIs: []string{client}}, oauth.Watching{Hosts: []string{host}})
	if sight.URL != origin+"/end" || len(sight.Frames) != 1 || sight.Frames[0] != (oauth.Frame{Name: "shown", URL: s.URL + "/error"}) {
		t.Errorf("landed at %s; frames %+v", sight.URL, sight.Frames)
	}
	var kinds []string
	for _, f := range sight.Requests {
		kinds = append(kinds, f.Kind+" "+strings.TrimPrefix(f.URL, origin))
	}
	if got := strings.Join(kinds, ", "); !strings.Contains(got, "Image /picture") || !strings.Contains(got, "Document /with") {
		t.Errorf("asked for %s", got)
	}
}
