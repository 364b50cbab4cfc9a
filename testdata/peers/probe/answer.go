package probe

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// An Answer is a response, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Members reads the body as an object; one that is none has no members.
func (a Answer) Members() (m map[string]any) {
	_ = json.Unmarshal([]byte(a.Body), &m)
	return m
}

// JSON reads the body as the object that it has to be.
func (a Answer) JSON(t testing.TB) map[string]any {
	t.Helper()
	m := a.Members()
	if m == nil {
		t.Fatalf("no JSON object: %s", a.Body)
	}
	return m
}

// Text is a member of the body, or empty.
func (a Answer) Text(t testing.TB, member string) string {
	t.Helper()
	s, _ := a.JSON(t)[member].(string)
	return s
}

// Want wants that status.
func (a Answer) Want(t testing.TB, status int) Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("got %d, want %d: %s", a.Status, status, a.Body)
	}
	return a
}

// Refused wants an error answer with that status and code.
func (a Answer) Refused(t testing.TB, status int, code string) {
	t.Helper()
	if got := a.Want(t, status).Text(t, "error"); got != code {
		t.Fatalf("got error %q, want %q: %s", got, code, a.Body)
	}
}

// Form reads the hidden fields of the page's first form.
func (a Answer) Form(t testing.TB) url.Values {
	t.Helper()
	first, _, found := strings.Cut(a.Want(t, http.StatusOK).Body, "</form>")
	if !found {
		t.Fatalf("no form on the page: %s", a.Body)
	}
	fields := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`).FindAllStringSubmatch(first, -1) {
		fields.Set(m[1], html.UnescapeString(m[2]))
	}
	return fields
}

// Location is where a redirect leads.
func (a Answer) Location(t testing.TB) *url.URL {
	t.Helper()
	if !a.redirects() {
		t.Fatalf("got %d, want a redirect: %s", a.Status, a.Body)
	}
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (a Answer) redirects() bool {
	return a.Status == http.StatusFound || a.Status == http.StatusSeeOther
}

// issued reports whether the answer carries an access token.
func (a Answer) issued() bool {
	token, _ := a.Members()["access_token"].(string)
	return token != ""
}
