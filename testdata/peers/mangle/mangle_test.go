package mangle

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowproof/drivers/target"
)

// server answers every request in the same way.
func server(status int, header map[string]string, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func described() target.Target {
	return target.Target{Endpoints: target.Endpoints{Token: "http://as.test/token", Authorization: "http://as.test/auth"}}
}

// mutantsOf are those that can be made of one exchange, by name.
func mutantsOf(t *testing.T, next http.Handler, method, path, body string) (*Proxy, map[string]Mutant) {
	t.Helper()
	p := NewProxy()
	p.Put(next, described(), nil)
	ask(p, method, path, body)
	out := map[string]Mutant{}
	for _, m := range Mutants(p.Seen()) {
		if out[m.ID()].Name != "" {
			t.Errorf("two mutants are called %q", m.ID())
		}
		out[m.ID()] = m
	}
	return p, out
}

func ask(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://as.test"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAnswersAreBent(t *testing.T) {
	token := server(http.StatusOK, map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"}, `{"access_token":"abc","expires_in":60}`)
	redirect := server(http.StatusFound, map[string]string{"Location": "https://app.test/cb?t=1&code=abc&state=s"}, "")
	page := server(http.StatusOK, map[string]string{"Content-Type": "text/html", "X-Frame-Options": "DENY", "Set-Cookie": "sid=1; Path=/; HttpOnly"}, `<form method="post"><input type="password"></form>`)
	for _, c := range []struct {
		next       http.Handler
		path, body string
		mutant     string
		wants      func(*httptest.ResponseRecorder) bool
	}{
		{token, "/token", "grant_type=password", "token password 200: header Cache-Control dropped", func(w *httptest.ResponseRecorder) bool { return w.Header().Get("Cache-Control") == "" }},
		{token, "/token", "grant_type=password", "token password 200: status 500 for 200", func(w *httptest.ResponseRecorder) bool { return w.Code == 500 }},
		{token, "/token", "grant_type=password", "token password 200: member access_token renamed", func(w *httptest.ResponseRecorder) bool {
			return strings.Contains(w.Body.String(), `"accessToken":"abc"`)
		}},
		{token, "/token", "grant_type=password", "token password 200: member expires_in of another type", func(w *httptest.ResponseRecorder) bool { return strings.Contains(w.Body.String(), `"expires_in":"60"`) }},
		{token, "/token", "grant_type=password", "token password 200: member expires_in twice", func(w *httptest.ResponseRecorder) bool { return strings.Count(w.Body.String(), "expires_in") == 2 }},
		{token, "/token", "grant_type=password", "token password 200: body cut", func(w *httptest.ResponseRecorder) bool { return !strings.Contains(w.Body.String(), "}") }},
		{redirect, "/auth?response_type=code", "", "redirect code: parameter code altered", func(w *httptest.ResponseRecorder) bool {
			return w.Header().Get("Location") == "https://app.test/cb?t=1&code=aac&state=s"
		}},
		{redirect, "/auth?response_type=code", "", "redirect code: parameter state twice", func(w *httptest.ResponseRecorder) bool {
			return strings.HasSuffix(w.Header().Get("Location"), "&state=s&state=s")
		}},
		{redirect, "/auth?response_type=code", "", "redirect code: redirect to another host", func(w *httptest.ResponseRecorder) bool {
			return strings.HasPrefix(w.Header().Get("Location"), "https://elsewhere.test/cb?")
		}},
		{redirect, "/auth?response_type=code", "", "redirect code: redirect with the other component", func(w *httptest.ResponseRecorder) bool {
			return w.Header().Get("Location") == "https://app.test/cb#t=1&code=abc&state=s"
		}},
		{page, "/login", "", "page 200: header X-Frame-Options dropped", func(w *httptest.ResponseRecorder) bool { return w.Header().Get("X-Frame-Options") == "" }},
		{page, "/login", "", "page 200: cookies without HttpOnly", func(w *httptest.ResponseRecorder) bool { return w.Header().Get("Set-Cookie") == "sid=1; Path=/" }},
		{page, "/login", "", "page 200: forms by GET", func(w *httptest.ResponseRecorder) bool { return strings.Contains(w.Body.String(), `method="get"`) }},
	} {
		t.Run(c.mutant, func(t *testing.T) {
			method := http.MethodGet
			if c.body != "" {
				method = http.MethodPost
			}
			p, mutants := mutantsOf(t, c.next, method, c.path, c.body)
			m, there := mutants[c.mutant]
			if !there {
				t.Fatalf("there is no such mutant")
			}
			p.Put(c.next, described(), &m)
			w := ask(p, method, c.path, c.body)
			if !c.wants(w) || p.Bent() != 1 {
				t.Errorf("bent %d: %d %v %s", p.Bent(), w.Code, w.Header(), w.Body)
			}
		})
	}
}

func TestRequestsAreBent(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		_, _ = io.WriteString(w, r.Form.Encode())
	})
	p, mutants := mutantsOf(t, echo, http.MethodPost, "/token", "grant_type=password&username=alice&password=x")
	for name, want := range map[string]string{
		"ask token password: parameter username unread":  "grant_type=password&password=x",
		"ask token password: parameter username emptied": "grant_type=password&password=x&username=",
		"ask token password: parameter username altered": "grant_type=password&password=x&username=alace",
		"ask token password: parameter username shouted": "grant_type=password&password=x&username=ALICE",
	} {
		m := mutants[name]
		p.Put(echo, described(), &m)
		if got := ask(p, http.MethodPost, "/token", "grant_type=password&username=alice&password=x").Body.String(); got != want {
			t.Errorf("%s: the server reads %s, want %s", name, got, want)
		}
	}
	p.Put(echo, described(), nil)
	if got := ask(p, http.MethodPost, "/token", "grant_type=x&a=1").Body.String(); got != "a=1&grant_type=x" {
		t.Errorf("without a mutant the server reads %s", got)
	}
}

func TestAnAnswerIsTornOff(t *testing.T) {
	next := server(http.StatusOK, map[string]string{"Content-Type": "application/json"}, `{"access_token":"abc"}`)
	p, mutants := mutantsOf(t, next, http.MethodPost, "/token", "grant_type=password")
	m := mutants["token password 200: body torn off"]
	p.Put(next, described(), &m)
	s := httptest.NewServer(p)
	defer s.Close()
	answer, err := http.Post(s.URL+"/token", "application/x-www-form-urlencoded", strings.NewReader("grant_type=password"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got, err := io.ReadAll(answer.Body); err == nil {
		t.Errorf("the whole body came: %s", got)
	}
}

func TestSampleIsTheSameForTheSameSeed(t *testing.T) {
	var all []Mutant
	for _, name := range strings.Split("abcdefghijklmnop", "") {
		all = append(all, Mutant{Name: name})
	}
	names := func(list []Mutant) (out []string) {
		for _, m := range list {
			out = append(out, m.Name)
		}
		return out
	}
	if a, b := names(Sample(all, 5, 1)), names(Sample(all, 5, 1)); !slices.Equal(a, b) || len(a) != 5 {
		t.Errorf("%v and %v", a, b)
	}
	if a, b := names(Sample(all, 5, 1)), names(Sample(all, 5, 2)); slices.Equal(a, b) {
		t.Errorf("two seeds choose %v", a)
	}
	if got := Sample(all, 0, 1); len(got) != len(all) {
		t.Errorf("0 takes %d of %d", len(got), len(all))
	}
}

func TestSurvivorsAreExplained(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "survivors.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	list, err := Survivors(write("- mutant: 'page *: header * dropped'\n  why: it says nothing about authorization\n"))
	if err != nil {
		t.Fatal(err)
	}
	if s := list[0]; !s.Explains(Mutant{Place: "page 200", Name: "header X dropped"}) || s.Explains(Mutant{Place: "page 200", Name: "header X dropped twice"}) {
		t.Errorf("%+v", s)
	}
	for _, text := range []string{"- mutant: x\n", "- mutant: x\n  because: it says nothing about authorization\n", "{"} {
		if _, err := Survivors(write(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}
