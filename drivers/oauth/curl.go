package oauth

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// curl is a command for a POSIX shell that sends the same request, its secrets as shell variables.
// It is empty when no shell could do it, or nobody would want to read it.
func (r *Redactor) curl(q Request) string {
	full, v := q.FullURL(), variables{redactor: r}
	if len(full)+len(q.Body) > maxEvidence || len(q.Form)+len(q.Header) > maxEvidence/8 {
		return ""
	}
	words := []string{"curl --include"}
	if strings.ContainsAny(full, "[]{}") {
		words[0] += " --globoff"
	}
	if strings.Contains(full, "/.") {
		words[0] += " --path-as-is"
	}
	payload := q.Body != "" || q.Form != nil
	if q.Method != http.MethodGet || payload {
		words[0] += " --request " + quote(q.Method)
	}
	words = append(words, v.url(full))
	for _, h := range q.head() {
		words = append(words, v.header(h))
	}
	if t, chosen := q.contentType(); chosen && t == "" && payload {
		words = append(words, "--header 'Content-Type:'") // or curl would announce a form
	}
	switch {
	case q.Body != "":
		words = append(words, "--data-raw "+v.body(q))
	case payload && len(q.Form) == 0:
		words = append(words, "--data ''")
	}
	for _, p := range q.Form {
		if q.Body == "" {
			words = append(words, v.field(p))
		}
	}
	cmd := r.Text(strings.Join(words, " \\\n  "))
	if len(cmd) > maxEvidence || !utf8.ValidString(cmd) || shown(cmd) != cmd {
		return ""
	}
	return cmd
}

// variables hands out one shell variable for each different secret.
type variables struct {
	redactor *Redactor
	seen     map[string][]string // values by the variable's base name
}

// name is the variable for a value of that kind.
func (v *variables) name(kind, value string) string {
	name := strings.ToUpper(kind)
	if kind == "access_token" {
		name = "TOKEN"
	}
	if v.seen == nil {
		v.seen = map[string][]string{}
	}
	i := slices.Index(v.seen[name], value)
	if i < 0 {
		i = len(v.seen[name])
		v.seen[name] = append(v.seen[name], value)
	}
	if i > 0 {
		name = fmt.Sprintf("%s_%d", name, i+1)
	}
	return name
}

// A shellWord is one argument, of literal text and variables.
type shellWord struct{ done, literal string }

func (w *shellWord) text(s string) { w.literal += s }

func (w *shellWord) variable(name string) {
	w.done, w.literal = w.String()+`"$`+name+`"`, ""
}

func (w *shellWord) String() string {
	if w.literal == "" && w.done != "" {
		return w.done
	}
	return w.done + quote(w.literal)
}

func (v *variables) url(raw string) string {
	var w shellWord
	base, fragment, sharp := strings.Cut(raw, "#")
	base, query, mark := strings.Cut(base, "?")
	w.text(v.redactor.URL(base))
	if mark {
		w.text("?")
		v.params(&w, query)
	}
	if sharp {
		w.text("#")
		v.params(&w, fragment)
	}
	return w.String()
}

// params keeps an encoded text but for the secret values.
func (v *variables) params(w *shellWord, encoded string) {
	for i, part := range strings.Split(encoded, "&") {
		if i > 0 {
			w.text("&")
		}
		name, value, _ := strings.Cut(part, "=")
		if kind := secretKind(unescape(name)); kind != "" && value != "" {
			w.text(name + "=")
			w.variable(v.name(kind, unescape(value)))
			continue
		}
		w.text(v.redactor.Text(part))
	}
}

func (v *variables) header(h Param) string {
	w := shellWord{}
	switch strings.ToLower(h.Name) {
	case "authorization", "proxy-authorization":
		return v.authorization(h)
	case "cookie":
		w.text(h.Name + ": ")
		w.variable(v.name("cookie", h.Value))
		return "--header " + w.String()
	}
	if h.Value == "" {
		return "--header " + quote(h.Name+";") // curl's way to send an empty header
	}
	return "--header " + quote(h.Name+": "+v.redactor.header(h.Name, h.Value))
}

func (v *variables) authorization(h Param) string {
	var w shellWord
	scheme, rest, _ := strings.Cut(h.Value, " ")
	if rest == "" {
		// There is nothing secret behind a scheme alone.
		return "--header " + quote(h.Name+": "+v.redactor.authorization(h.Value))
	}
	id, secret, pair := credentials(rest)
	standard := rest == base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	if pair && standard && h.Name == "Authorization" && scheme == "Basic" && printable(id) {
		w.text(id + ":")
		if secret != "" {
			w.variable(v.name("client_secret", secret))
		}
		return "--user " + w.String()
	}
	w.text(h.Name + ": " + scheme + " ")
	kind := "credentials"
	if strings.EqualFold(scheme, "bearer") {
		kind = "access_token"
	}
	w.variable(v.name(kind, rest))
	return "--header " + w.String()
}

func (v *variables) field(p Param) string {
	kind := secretKind(p.Name)
	if kind == "" || p.Value == "" {
		return "--data " + quote(url.QueryEscape(p.Name)+"="+url.QueryEscape(p.Value))
	}
	var w shellWord
	w.text(p.Name + "=")
	w.variable(v.name(kind, p.Value))
	return "--data-urlencode " + w.String()
}

func (v *variables) body(q Request) string {
	var w shellWord
	if t, _ := q.contentType(); strings.HasPrefix(strings.ToLower(t), formType) {
		v.params(&w, q.Body)
	} else {
		w.text(v.redactor.Page(q.Body))
	}
	return w.String()
}

// quote makes one word of s for a POSIX shell.
func quote(s string) string {
	special := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-_./:=@%+,", c)
	}
	if s != "" && strings.IndexFunc(s, special) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
