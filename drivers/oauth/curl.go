package oauth

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// curl is a command for a POSIX shell that sends the same request, its secrets as shell variables.
// It is empty when no shell could do it, or nobody would want to read it.
func (r *Redactor) curl(q Request) string {
	if strings.ContainsRune(q.Body, 0) || !utf8.ValidString(q.Body) {
		return ""
	}
	v := variables{r: r}
	words := []string{"curl --include"}
	if q.Method != "GET" || q.Body != "" || len(q.Form) > 0 {
		words[0] += " --request " + quote(q.Method)
	}
	words = append(words, v.url(q.FullURL()))
	for _, h := range q.head() {
		words = append(words, v.header(h))
	}
	if t, chosen := q.contentType(); chosen && t == "" && (q.Body != "" || len(q.Form) > 0) {
		words = append(words, "--header 'Content-Type:'") // or curl would announce a form
	}
	switch {
	case q.Body != "":
		words = append(words, "--data-binary "+v.body(q))
	default:
		for _, p := range q.Form {
			words = append(words, v.field(p))
		}
	}
	cmd := r.Text(strings.Join(words, " \\\n  "))
	if len(cmd) > maxEvidence || strings.ContainsRune(cmd, 0) {
		return ""
	}
	return shown(cmd)
}

// variables hands out one shell variable for each different secret.
type variables struct {
	r    *Redactor
	seen map[string][]string // values by the variable's base name
}

// of is the quoted variable for a value of that kind.
func (v *variables) of(kind, value string) string {
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
	return `"$` + name + `"`
}

func (v *variables) url(raw string) string {
	base, fragment, sharp := strings.Cut(raw, "#")
	base, query, mark := strings.Cut(base, "?")
	out := quote(v.r.url(base))
	if mark {
		out += quote("?") + v.params(query)
	}
	if sharp {
		out += quote("#") + v.params(fragment)
	}
	return strings.ReplaceAll(out, "''", "")
}

// params keeps an encoded text but for the secret values.
func (v *variables) params(encoded string) string {
	var b strings.Builder
	for i, part := range strings.Split(encoded, "&") {
		if i > 0 {
			part = "&" + part
		}
		name, value, _ := strings.Cut(part, "=")
		if kind := secretKind(unescape(strings.TrimPrefix(name, "&"))); kind != "" && value != "" {
			b.WriteString(quote(name+"=") + v.of(kind, unescape(value)))
			continue
		}
		b.WriteString(quote(part))
	}
	return strings.ReplaceAll(b.String(), "''", "")
}

func (v *variables) header(h Param) string {
	switch strings.ToLower(h.Name) {
	case "authorization", "proxy-authorization":
		scheme, rest, _ := strings.Cut(h.Value, " ")
		id, secret, pair := credentials(rest)
		switch {
		case rest == "":
			// As it stands: there is nothing secret behind a scheme alone.
			return "--header " + quote(h.Name+": "+v.r.authorization(h.Value))
		case strings.EqualFold(scheme, "bearer"):
			return "--header " + quote(h.Name+": "+scheme+" ") + v.of("access_token", rest)
		case pair && h.Name == "Authorization" && printable(id) && rest == base64.StdEncoding.EncodeToString([]byte(id+":"+secret)) && scheme == "Basic":
			if secret == "" {
				return "--user " + quote(id+":")
			}
			return "--user " + quote(id+":") + v.of("client_secret", secret)
		}
		return "--header " + quote(h.Name+": "+scheme+" ") + v.of("credentials", rest)
	case "cookie":
		return "--header " + quote(h.Name+": ") + v.of("cookie", h.Value)
	}
	if h.Value == "" {
		return "--header " + quote(h.Name+";") // curl's way to send an empty header
	}
	return "--header " + quote(h.Name+": "+v.r.header(h.Name, h.Value))
}

func (v *variables) field(p Param) string {
	kind := secretKind(p.Name)
	if kind == "" || p.Value == "" {
		return "--data " + quote(url.QueryEscape(p.Name)+"="+url.QueryEscape(p.Value))
	}
	return "--data-urlencode " + quote(p.Name+"=") + v.of(kind, p.Value)
}

func (v *variables) body(q Request) string {
	if t, _ := q.contentType(); strings.HasPrefix(strings.ToLower(t), formType) {
		return v.params(q.Body)
	}
	return quote(v.r.text(q.Body))
}

// quote makes one word of s for a POSIX shell.
func quote(s string) string {
	if s != "" && strings.IndexFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-_./:=@%+,", c)
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
