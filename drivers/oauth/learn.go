package oauth

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// secretKind names the kind of secret that a parameter or JSON member of that name holds, or is empty.
func secretKind(name string) string {
	switch name = strings.ToLower(name); name {
	case "client_secret", "password", "code", "access_token", "refresh_token", "id_token", "code_verifier", "token",
		"assertion", "client_assertion", "device_code", "subject_token", "actor_token", "otp", "totp":
		return name
	case "pwd", "pass", "passwd":
		return "password"
	}
	if strings.Contains(name, "password") {
		return "password"
	}
	return ""
}

func (r *Redactor) learnRequest(q Request) {
	_, query, fragment := split(q.URL)
	r.learnParams(ParseParams(query))
	r.learnParams(ParseParams(fragment))
	r.learnParams(q.Query)
	r.learnParams(q.Form)
	for _, h := range q.Header {
		switch strings.ToLower(h.Name) {
		case "authorization", "proxy-authorization":
			r.learnAuthorization(h.Value)
		case "cookie":
			for pair := range strings.SplitSeq(h.Value, ";") {
				r.learnCookie(pair)
			}
		}
	}
	r.learnBody([]byte(q.Body))
}

func (r *Redactor) learnAnswer(e Exchange) {
	for _, line := range e.Header.Values("Set-Cookie") {
		pair, _, _ := strings.Cut(line, ";")
		r.learnCookie(pair)
	}
	for _, where := range e.Header.Values("Location") {
		_, query, fragment := split(where)
		r.learnParams(ParseParams(query))
		r.learnParams(ParseParams(fragment))
	}
	r.learnBody(e.Body)
}

func (r *Redactor) learnParams(p Params) {
	for _, q := range p {
		if kind := secretKind(q.Name); kind != "" {
			r.Learn(kind, q.Value)
		}
	}
}

func (r *Redactor) learnAuthorization(value string) {
	scheme, rest, _ := strings.Cut(value, " ")
	if strings.EqualFold(scheme, "bearer") {
		r.Learn("access_token", rest)
		return
	}
	if id, secret, ok := credentials(rest); ok {
		r.Learn("client_secret", secret)
		r.Learn("client_secret", unescape(secret))
		r.learnBasic(id, secret)
	}
	r.Learn("credentials", rest)
}

// credentials reads the pair of HTTP Basic.
func credentials(encoded string) (id, secret string, ok bool) {
	for _, e := range encodings() {
		if raw, err := e.DecodeString(encoded); err == nil {
			return cutPair(string(raw))
		}
	}
	return "", "", false
}

func cutPair(pair string) (id, secret string, ok bool) { return strings.Cut(pair, ":") }

// learnCookie takes what looks random; a cookie may also hold a language.
func (r *Redactor) learnCookie(pair string) {
	_, value, _ := strings.Cut(pair, "=")
	value = strings.Trim(strings.TrimSpace(value), `"`)
	if len(value) >= 8 && !word(value) {
		r.Learn("cookie", value)
	}
}

// word reports whether the value is made of lower-case letters, hyphens and underscores, as error codes are.
func word(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// mostLearnt is how much of a body secrets are looked for in: many times what any evidence shows of it.
const mostLearnt = 128 << 10

// learnBody learns the secrets in a body.
func (r *Redactor) learnBody(body []byte) {
	body = Beginning(body, mostLearnt)
	trimmed := bytes.TrimLeft(body, " \t\r\n\ufeff")
	switch {
	case len(trimmed) == 0:
	case trimmed[0] == '{' || trimmed[0] == '[':
		for _, m := range jsonMember.FindAllSubmatch(body, -1) {
			name, value := string(m[2]), unquote(string(m[4]))
			if kind := memberKind(name, value); kind != "" {
				r.Learn(kind, value)
			}
		}
		if members, err := (Exchange{Body: body}).JSON(); err == nil {
			r.learnMembers(members, 0)
		}
	default:
		if bytes.Contains(trimmed, []byte("<input")) || bytes.Contains(trimmed, []byte("<INPUT")) {
			r.learnInputs(body)
		}
		for _, m := range textParam.FindAllSubmatch(body, -1) {
			r.learnParams(Params{{string(m[1]), unescape(string(m[2]))}})
		}
	}
}

func (r *Redactor) learnMembers(v any, depth int) {
	if depth > 16 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if s := text(member); memberKind(name, s) != "" {
				r.Learn(secretKind(name), s)
			}
			r.learnMembers(member, depth+1)
		}
	case []any:
		for _, member := range v {
			r.learnMembers(member, depth+1)
		}
	}
}

// memberKind spares a JSON member "code" that holds an error code, as many services have it.
func memberKind(name, value string) string {
	kind := secretKind(name)
	if kind == "code" && word(value) {
		return ""
	}
	return kind
}

// learnInputs reads the fields of a page that posts the answer to the client (response_mode=form_post).
func (r *Redactor) learnInputs(page []byte) {
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := z.Token()
			if kind := secretKind(attribute(tag.Attr, "name")); tag.Data == "input" && kind != "" {
				r.Learn(kind, attribute(tag.Attr, "value"))
			}
		}
	}
}

func attribute(attrs []html.Attribute, key string) string {
	for _, a := range attrs {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
