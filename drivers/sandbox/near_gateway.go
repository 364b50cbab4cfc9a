package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
)

// A gateway answers in place of the sandbox, or lets it answer and changes what it said.
type gateway func(t *turn)

// A turn is one request on its way through a gateway, and its answer.
type turn struct {
	request *http.Request
	next    http.Handler
	read    bool
	form    form // the posted parameters; see posted

	status int
	header http.Header
	body   []byte
}

const largestForm = 64 << 10

// serveThrough lets the gateway answer.
func (s *Sandbox) serveThrough(g gateway, w http.ResponseWriter, r *http.Request) {
	t := &turn{request: r, next: http.HandlerFunc(s.serve)}
	g(t)
	h := w.Header()
	for name, values := range t.header {
		h[name] = values
	}
	h.Set("Content-Length", strconv.Itoa(len(t.body)))
	w.WriteHeader(t.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(t.body)
	}
}

// pass lets the sandbox answer.
func (t *turn) pass() {
	answer := httptest.NewRecorder()
	t.next.ServeHTTP(answer, t.request)
	t.status, t.header, t.body = answer.Code, answer.Header(), answer.Body.Bytes()
}

// answer is one of the gateway's own.
func (t *turn) answer(status int, contentType, body string) {
	t.status, t.header, t.body = status, http.Header{}, []byte(body)
	t.header.Set("Content-Type", contentType)
}

// page is an answer in HTML, as gateways and frameworks have them.
func (t *turn) page(status int, text string) {
	t.answer(status, "text/html; charset=utf-8", "<!doctype html><html lang=\"en\"><head><title>"+text+"</title></head><body><h1>"+text+"</h1></body></html>")
	t.header.Set("Cache-Control", "no-store")
	t.header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	t.header.Set("X-Frame-Options", "DENY")
	t.header.Set("Referrer-Policy", "no-referrer")
}

// redirect sends the user agent on.
func (t *turn) redirect(status int, to string) {
	t.page(status, "Moved")
	t.header.Set("Location", to)
}

// refuse is an error answer of the token endpoint.
func (t *turn) refuse(status int, code, description string) {
	body, _ := json.Marshal(map[string]string{"error": code, "error_description": description}) // strings always marshal
	t.answer(status, "application/json", string(body))
	t.header.Set("Cache-Control", "no-store")
	t.header.Set("Pragma", "no-cache")
}

func (t *turn) at(path string) bool { return t.request.URL.Path == path }

func (t *turn) atToken() bool { return t.at("/oauth/token") }

func (t *turn) atAuthorization() bool { return t.at("/oauth/auth") }

// posted are the parameters of a form of ordinary size; nil without one.
func (t *turn) posted() form {
	r := t.request
	if t.read || r.Method != http.MethodPost || r.ContentLength < 0 || r.ContentLength > largestForm ||
		!strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return t.form
	}
	t.read = true
	text, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(text))
	if err != nil {
		return nil
	}
	if f, ok := (formReader{keepEmpty: true}).read(string(text), nil); ok {
		t.form = f
	}
	return t.form
}

// post replaces the posted parameters.
func (t *turn) post(f form) {
	text := encode(f)
	t.read, t.form = true, f
	t.request.Body = io.NopCloser(strings.NewReader(text))
	t.request.ContentLength = int64(len(text))
	t.request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
}

// asked are the parameters of the URL.
func (t *turn) asked() form {
	f, _ := formReader{keepEmpty: true}.read(t.request.URL.RawQuery, nil)
	return f
}

// ask replaces the parameters of the URL.
func (t *turn) ask(f form) {
	t.request = t.request.Clone(t.request.Context())
	t.request.URL.RawQuery = encode(f)
	t.request.RequestURI = t.request.URL.RequestURI()
}

// with is the form with each value of that name as changed.
func (f form) with(name string, change func(value string) string) form {
	out := append(form(nil), f...)
	for i := range out {
		if out[i].name == name {
			out[i].value = change(out[i].value)
		}
	}
	return out
}

// members changes the answer's JSON object, if it is one.
func (t *turn) members(change func(o object)) {
	d := json.NewDecoder(bytes.NewReader(t.body))
	d.UseNumber()
	o := object{}
	if d.Decode(&o) != nil {
		return
	}
	change(o)
	t.body, _ = json.Marshal(o) // what was decoded can be encoded
}

// response are the parameters that a redirect takes to a client; false for another answer.
func (t *turn) response() (params form, ok bool) {
	_, _, params, ok = t.cutLocation()
	return params, ok
}

func (t *turn) cutLocation() (target, separator string, params form, ok bool) {
	location := t.header.Get("Location")
	u, err := url.Parse(location)
	if err != nil || t.status/100 != 3 || u.Host == "" || u.Host == t.request.Host {
		return "", "", nil, false
	}
	for _, separator := range []string{"#", "?"} {
		target, text, found := strings.Cut(location, separator)
		if !found {
			continue
		}
		params, ok := formReader{keepEmpty: true}.read(text, nil)
		if ok && params.get("code")+params.get("error")+params.get("access_token") != "" {
			return target, separator, params, true
		}
	}
	return "", "", nil, false
}

// respond changes the parameters that a redirect takes to a client.
func (t *turn) respond(change func(params form) form) {
	if target, separator, params, ok := t.cutLocation(); ok {
		t.header.Set("Location", target+separator+encode(change(params)))
	}
}

// through puts a gateway before the sandbox.
func through(g gateway) func(*policy) { return func(p *policy) { p.near.gateway = g } }

// answers lets the sandbox answer, and changes every answer.
func answers(change func(t *turn)) func(*policy) {
	return through(func(t *turn) {
		t.posted()
		t.pass()
		change(t)
	})
}

// tokenAnswers changes the success answers of the token endpoint.
func tokenAnswers(change func(t *turn)) func(*policy) {
	return answers(func(t *turn) {
		if t.atToken() && t.status == http.StatusOK {
			change(t)
		}
	})
}

// instead answers in place of the sandbox when it is time to.
func instead(when func(t *turn) bool, answer func(t *turn)) func(*policy) {
	return through(func(t *turn) {
		t.posted()
		if when(t) {
			answer(t)
			return
		}
		t.pass()
	})
}

// rewritten changes requests before the sandbox reads them.
func rewritten(change func(t *turn)) func(*policy) {
	return through(func(t *turn) {
		t.posted()
		change(t)
		t.pass()
	})
}
