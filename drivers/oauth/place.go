package oauth

import (
	"encoding/json"
	"regexp"
	"strings"
)

const secretNames = `client_secret|[a-z_-]*password[a-z_-]*|pwd|pass|passwd|code|access_token|refresh_token|id_token|code_verifier|token|` +
	`assertion|client_assertion|device_code|subject_token|actor_token|otp|totp`

// Patterns rather than parsers, because secrets stand in broken documents too.
var (
	jsonMember = regexp.MustCompile(`(?i)("(` + secretNames + `)"\s*:\s*)("((?:[^"\\]|\\.)*)(?:"|\\?$)|-?[0-9][0-9.eE+-]*)`)
	textParam  = regexp.MustCompile(`(?i)\b(` + secretNames + `)=([^&\s"'<>#;]+)`)
)

// Page masks the secrets of a text of any kind: JSON, HTML, a message. Those that are not known yet are
// found by their places, the others by their values.
func (r *Redactor) Page(s string) string {
	s = jsonMember.ReplaceAllStringFunc(s, func(found string) string {
		m := jsonMember.FindStringSubmatch(found)
		if !strings.HasPrefix(m[3], `"`) {
			if memberKind(m[2], "") == "" {
				return found
			}
			return m[1] + `"` + r.mask(secretKind(m[2]), m[3]) + `"`
		}
		value := unquote(m[4])
		kind := memberKind(m[2], value)
		if kind == "" || value == "" {
			return found
		}
		return m[1] + `"` + r.mask(kind, value) + `"`
	})
	s = textParam.ReplaceAllStringFunc(s, func(found string) string {
		name, value, _ := strings.Cut(found, "=")
		return name + "=" + r.mask(secretKind(name), unescape(value))
	})
	return r.Text(s)
}

func unquote(s string) string {
	var out string
	if json.Unmarshal([]byte(`"`+s+`"`), &out) != nil {
		return s
	}
	return out
}

// URL masks the secrets of a URL: those of its query, its fragment and its user part.
func (r *Redactor) URL(raw string) string {
	base, rest, sharp := strings.Cut(raw, "#")
	base, query, mark := strings.Cut(base, "?")
	if scheme, after, ok := strings.Cut(base, "://"); ok {
		host, path, slash := strings.Cut(after, "/")
		if user, name, at := cutLast(host, "@"); at {
			if id, _, colon := strings.Cut(user, ":"); colon {
				host = id + ":[password]@" + name
			}
		}
		base = scheme + "://" + host
		if slash {
			base += "/" + path
		}
	}
	if mark {
		base += "?" + r.params(query)
	}
	if sharp {
		base += "#" + r.params(rest)
	}
	return r.Text(base)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// params masks the values of secret parameters and leaves every other byte as it is.
func (r *Redactor) params(encoded string) string {
	parts := strings.Split(encoded, "&")
	for i, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		if kind := secretKind(unescape(name)); kind != "" && value != "" {
			parts[i] = name + "=" + r.mask(kind, unescape(value))
		}
	}
	return strings.Join(parts, "&")
}

// header masks the value of a header line.
func (r *Redactor) header(name, value string) string {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization":
		return r.Text(r.authorization(value))
	case "cookie":
		pairs := strings.Split(value, ";")
		for i, p := range pairs {
			pairs[i] = r.cookie(p)
		}
		return r.Text(strings.Join(pairs, ";"))
	case "set-cookie":
		pair, attributes, more := strings.Cut(value, ";")
		pair = r.cookie(pair)
		if more {
			pair += ";" + attributes
		}
		return r.Text(pair)
	case "location", "content-location", "referer":
		return r.URL(value)
	}
	return r.Page(value)
}

func (r *Redactor) cookie(pair string) string {
	name, value, ok := strings.Cut(pair, "=")
	switch {
	case !ok && strings.TrimSpace(pair) != "":
		return "[cookie]"
	case !ok || value == "" || value == `""`:
		return pair
	}
	return name + "=[cookie]"
}

func (r *Redactor) authorization(value string) string {
	scheme, rest, ok := strings.Cut(value, " ")
	switch {
	case !ok && (strings.EqualFold(value, "bearer") || strings.EqualFold(value, "basic")):
		return value
	case !ok && value != "":
		return "[credentials]"
	case rest == "":
		return value
	case strings.EqualFold(scheme, "bearer"):
		return scheme + " " + r.mask("access_token", rest)
	}
	if id, secret, ok := credentials(rest); ok && printable(id) {
		if secret != "" {
			secret = "[client_secret]"
		}
		return scheme + " base64(" + id + ":" + secret + ")"
	}
	return scheme + " [credentials]"
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
