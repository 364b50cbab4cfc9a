package target

import (
	"crypto/x509"
	"encoding/pem"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

const defaultTimeout = 10 * time.Second

func profiles() []string { return []string{"space", "rfc6749", "bcp-9700", "oauth-2.1"} }
func editions() []string { return []string{"space-2021", "space-2023", "space-2024"} }

// target reads the whole file. What depends on the profile and on the service URL is read after them,
// wherever they stand.
func (r *reader) target(root ast.Node) Target {
	t := Target{Timeout: defaultTimeout}
	later := map[string]ast.Node{}
	put := func(e entry) { later[e.name] = e.value }
	var password place
	found := r.object(root, whole, fields{
		"name":      func(e entry) { t.Name = r.filled(e.value, "name") },
		"url":       func(e entry) { t.URL = r.service(e.value) },
		"profile":   func(e entry) { t.Profile = r.choice(e.value, "profile", profiles()...) },
		"edition":   func(e entry) { t.Edition = r.choice(e.value, "edition", editions()...) },
		"endpoints": put, "resources": put, "refresh": put, "scopes": put,
		"clients": func(e entry) { t.Clients, password = r.clients(e.value) },
		"users":   func(e entry) { t.Users = r.users(e.value) },
		"guest":   func(e entry) { t.Guest = r.truth(e.value, "guest") },
		"sign_in": func(e entry) { t.SignIn = r.signIn(e.value) },
		"tls":     func(e entry) { t.CA, t.Plain = r.transport(e.value) },
		"timeout": func(e entry) {
			if t.Timeout = r.duration(e.value, "timeout"); t.Timeout == 0 {
				t.Timeout = defaultTimeout
			}
		},
	})
	start := position(root)
	r.missing(start, whole, found, map[string]string{
		"name":    "write name: and a word for reports",
		"url":     "write url: https://…",
		"profile": "write profile: " + list(profiles()),
		"clients": "register an application on the server and describe it under clients:",
	})
	space := t.Profile == "space"
	if e, ok := found["edition"]; ok && !space && t.Profile != "" {
		r.mistake(e.key, "leave it out", "edition is for profile space only")
	}
	if space && t.Edition == "" {
		t.Edition = "space-2023"
	}
	r.base = t.URL
	t.Endpoints = r.endpoints(later["endpoints"], space)
	t.Resources = r.resources(later["resources"], space)
	t.Refresh = r.refresh(later["refresh"], space)
	t.Scopes = r.scopes(later["scopes"], space)
	r.needEndpoints(t, start, found)
	if password.line > 0 && len(t.Users) == 0 && !r.spoiled(found, "users") {
		r.mistake(password, "add one under users:", "the password grant needs a user, and the file has none")
	}
	return t
}

// spoiled reports whether the key is there, so that its own mistakes say enough.
func (r *reader) spoiled(found map[string]entry, key string) bool {
	e, ok := found[key]
	if !ok {
		return false
	}
	m, ok := r.plain(e.value).(*ast.MappingNode)
	return !ok || len(m.Values) > 0
}

func (r *reader) missing(at place, path string, found map[string]entry, needed map[string]string) {
	for _, name := range sorted(needed) {
		if _, ok := found[name]; !ok {
			r.mistake(at, needed[name], "%s is missing", join(path, name))
		}
	}
}

func (r *reader) needEndpoints(t Target, start place, found map[string]entry) {
	if t.Profile == "" || t.URL == "" {
		return
	}
	at := start
	if e, ok := found["endpoints"]; ok {
		at = e.key
	}
	if t.Endpoints.Token == "" && !r.mentions(found, "token") {
		r.mistake(at, "write endpoints: {token: /…}; only profile space has a default for it", "endpoints.token is missing")
	}
	front := false
	for _, c := range t.Clients {
		front = front || c.Has(AuthorizationCode) || c.Has(Implicit)
	}
	if front && t.Endpoints.Authorization == "" && !r.mentions(found, "authorization") {
		r.mistake(at, "write endpoints: {authorization: /…}; only profile space has a default for it",
			"endpoints.authorization is missing, and a client has a grant that starts there")
	}
}

// mentions reports whether the endpoint was written down with a value, which then was a mistake of its own.
func (r *reader) mentions(found map[string]entry, key string) bool {
	e, ok := found["endpoints"]
	if !ok {
		return false
	}
	quiet := reader{anchors: r.anchors}
	entries, _ := quiet.entries(e.value, "endpoints")
	for _, e := range entries {
		if e.name != key {
			continue
		}
		s, isText := quiet.text(e.value, key)
		return !isText || s != ""
	}
	return false
}

// filled is a text that must not be empty.
func (r *reader) filled(n ast.Node, path string) string {
	s, ok := r.text(n, path)
	if ok && strings.TrimSpace(s) == "" {
		r.mistake(position(n), "", "%s is empty", path)
	}
	return s
}

func (r *reader) transport(n ast.Node) (ca, plain string) {
	r.object(n, "tls", fields{
		"ca":    func(e entry) { ca = r.trust(e.value) },
		"plain": func(e entry) { plain = r.plainHTTP(e.value) },
	})
	return ca, plain
}

func (r *reader) trust(n ast.Node) string {
	path := r.filled(n, "tls.ca")
	if path == "" {
		return ""
	}
	raw, why := r.readFile(path)
	if why != "" {
		r.mistake(position(n), "", "tls.ca: %s", why)
		return ""
	}
	if !certificates(raw) {
		r.mistake(position(n), "export the certificate as PEM, between BEGIN CERTIFICATE and END CERTIFICATE", "tls.ca: %s holds no certificate", path)
		return ""
	}
	return string(raw)
}

// plainHTTP is the origin at which the deployment is reachable without TLS.
func (r *reader) plainHTTP(n ast.Node) string {
	raw := strings.TrimSuffix(r.filled(n, "tls.plain"), "/")
	if raw == "" {
		return ""
	}
	if rest, plain := strings.CutPrefix(raw, "http://"); !plain || strings.ContainsAny(rest, "/?#") || wrongURL(raw) != "" {
		r.mistake(position(n), "write it as in http://acme.example.test:8080", "tls.plain: it has to be http://, a host and perhaps a port")
		return ""
	}
	return raw
}

func certificates(raw []byte) bool {
	n := 0
	for {
		var block *pem.Block
		if block, raw = pem.Decode(raw); block == nil {
			return n > 0
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return false
		}
		n++
	}
}

// readFile reads a file that the target file names; why tells what is wrong with it.
func (r *reader) readFile(path string) (raw []byte, why string) {
	if r.lookup.File == nil {
		return nil, "files cannot be read here"
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.folder, path)
	}
	raw, err := r.lookup.File(path)
	if err != nil {
		return nil, "cannot read the file: " + err.Error()
	}
	return raw, ""
}
