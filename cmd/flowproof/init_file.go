package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"flowproof/drivers/target"
)

// has reports whether the server has the grant.
func (d *description) has(g target.Grant) bool { return slices.Contains(d.grants, g) }

// variable is the environment variable of a secret.
func (d *description) variable(of string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, d.name+"_"+of))
}

// variables are those that the file refers to.
func (d *description) variables() []string {
	var out []string
	text := d.file()
	for line := range strings.Lines(text) {
		before, _, _ := strings.Cut(line, "#")
		if _, name, found := strings.Cut(before, "env:"); found {
			out = append(out, strings.TrimSpace(name))
		}
	}
	return out
}

// A sheet is a file with comments to the right of its keys.
type sheet struct{ bytes.Buffer }

// line writes a key with its comment.
func (s *sheet) line(comment, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if comment != "" {
		text = fmt.Sprintf("%-48s  # %s", text, plainText(comment))
	}
	s.WriteString(strings.TrimRight(text, " ") + "\n")
}

// quoted is a value that may come from a server, as YAML cannot misread it.
func quoted(value string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(value) != nil {
		return `""`
	}
	return strings.TrimSpace(b.String())
}

// file is the target file.
func (d *description) file() string {
	s := &sheet{}
	s.line("", "# An OAuth 2.0 deployment, as flowproof needs to know it.")
	s.line("", "# What only you know is marked FILL IN. Use a deployment for tests, and accounts made for this purpose.")
	s.line("", "# Secrets never stand in this file: env:NAME reads an environment variable, file:PATH a file.")
	s.line("", "")
	s.line("stands in every report", "name: %s", quoted(d.name))
	s.line("", "url: %s", quoted(d.url))
	s.line("to be judged by: space, rfc6749, bcp-9700 (the security BCP on top) or oauth-2.1", "profile: %s", d.profile)
	s.line("", "")
	d.endpointLines(s)
	d.clientLines(s)
	d.userLines(s)
	d.restLines(s)
	return s.String()
}

// below is an endpoint as a path where it is below the service URL.
func (d *description) below(raw string) string {
	if path, found := strings.CutPrefix(raw, d.url); found && strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") {
		return path
	}
	return raw
}

func (d *description) endpointLines(s *sheet) {
	var lines []func()
	add := func(name, url, comment string) {
		if url != "" {
			lines = append(lines, func() { s.line(comment, "  %s: %s", name, quoted(d.below(url))) })
		}
	}
	add("authorization", d.authorization, "")
	add("token", d.token, "")
	add("jwks", d.jwks, "the keys that access tokens are signed with")
	add("revocation", d.revocation, "")
	add("introspection", d.introspection, "")
	add("metadata", d.metadata, "")
	if len(lines) == 0 {
		s.line("", "# endpoints: those of Space are known: /oauth/auth and /oauth/token")
	} else {
		s.line("paths below url, or whole URLs", "endpoints:")
	}
	for _, write := range lines {
		write()
	}
	s.line("", "")
}

func (d *description) clientLines(s *sheet) {
	s.line("register these on the server first; leave out what you have no use for", "clients:")
	method := func() {
		if d.body {
			s.line("the server takes the secret in the body only", "    authentication: body")
		}
	}
	join := func(grants ...target.Grant) string {
		var out []string
		for _, g := range grants {
			if d.has(g) {
				out = append(out, string(g))
			}
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	if d.has(target.ClientCredentials) || d.has(target.Password) || !d.has(target.AuthorizationCode) && !d.has(target.Implicit) {
		grants := join(target.ClientCredentials, target.Password)
		if d.has(target.Password) {
			grants = join(target.ClientCredentials, target.Password, target.RefreshToken)
		}
		if grants == "[]" {
			grants = "[client_credentials]"
		}
		s.line("a confidential client that acts for itself", "  service:")
		s.line("FILL IN: the identifier that the server gave it", "    id: %s-service", placeholder)
		s.line("FILL IN: set this variable", "    secret: env:%s", d.variable("service_secret"))
		method()
		s.line("as registered: another one has to be refused to it", "    grants: %s", grants)
	}
	if d.has(target.AuthorizationCode) {
		s.line("a confidential client that people sign in for", "  web:")
		s.line("FILL IN: the identifier that the server gave it", "    id: %s-web", placeholder)
		s.line("FILL IN: set this variable", "    secret: env:%s", d.variable("web_secret"))
		method()
		s.line("as registered: another one has to be refused to it", "    grants: %s", join(target.AuthorizationCode, target.RefreshToken))
		s.line("", "    # Nobody needs to listen there: redirects are caught before they leave the browser.")
		s.line("FILL IN: as registered, letter for letter", "    redirect_uris: [https://app.acme.test/authorized, https://app.acme.test/second]")
		s.line("as registered: required, optional or none", "    pkce: optional")
		d.mobileLines(s, join(target.AuthorizationCode, target.RefreshToken))
	}
	if d.has(target.Implicit) {
		d.pageLines(s)
	}
	s.line("", "  # spare: {id: …, secret: env:…, grants: [client_credentials], sacrificial: true}   # what --destructive may lock")
	s.line("", "")
}

// mobileLines are a client without a secret, which is there where the server is known to have PKCE.
func (d *description) mobileLines(s *sheet, grants string) {
	about := "an application on a device: a public client, without a secret"
	if !d.challenge {
		about = "a public client: no secret, PKCE"
	}
	s.client(!d.challenge, about, "mobile",
		remark{"FILL IN: the identifier that the server gave it", "id: " + placeholder + "-mobile"},
		remark{"", "public: true"},
		remark{"as registered: another one has to be refused to it", "grants: " + grants},
		remark{"FILL IN: as registered; RFC 8252 allows any port here, so it is registered without one", `redirect_uris: ["http://127.0.0.1/callback"]`},
		remark{"as registered: required, optional or none", "pkce: required"})
}

// pageLines are a client of the implicit grant, which newer documents advise against.
func (d *description) pageLines(s *sheet) {
	aside, about := d.profile == "bcp-9700" || d.profile == "oauth-2.1", "a page without a server"
	if aside {
		about += ", if the implicit grant is really in use"
	}
	s.client(aside, about, "spa",
		remark{"FILL IN: the identifier that the server gave it", "id: " + placeholder + "-spa"},
		remark{"", "public: true"},
		remark{"", "grants: [implicit]"},
		remark{"FILL IN: as registered, letter for letter", "implicit_redirect_uris: [https://app.acme.test/spa]"})
}

// A remark is a line of a client, and what there is to know of it.
type remark struct{ why, text string }

// client writes a client down; put aside, it is commented out, for whoever has one.
func (s *sheet) client(aside bool, about, name string, lines ...remark) {
	if !aside {
		s.line(about, "  %s:", name)
		for _, l := range lines {
			s.line(l.why, "    %s", l.text)
		}
		return
	}
	s.line(about, "  # %s:", name)
	for _, l := range lines {
		s.line("", "  #   %s", l.text)
	}
}

// signsIn reports whether any flow needs a person.
func (d *description) signsIn() bool {
	return d.has(target.AuthorizationCode) || d.has(target.Implicit) || d.has(target.Password)
}

func (d *description) userLines(s *sheet) {
	if !d.signsIn() {
		return
	}
	s.line("two ordinary test accounts", "users:")
	for _, name := range []string{"alice", "bob"} {
		s.line("", "  %s:", name)
		s.line("FILL IN: what the account signs in with", "    username: %s-%s", placeholder, name)
		s.line("FILL IN: set this variable", "    password: env:%s", d.variable(name+"_password"))
		if name == "alice" {
			s.line("", "    # totp: env:%s    # the seed of its one-time passwords, if it has any", d.variable("alice_totp"))
		}
	}
	s.line("", "  # victim: {username: …, password: env:…, sacrificial: true}   # what --destructive may lock")
	s.line("", "")
}

func (d *description) restLines(s *sheet) {
	standard := ""
	if slices.Contains(d.scopes, "openid") {
		standard = "openid"
	}
	s.line("", "scopes:")
	switch {
	case d.profile == "space":
		s.line("all that the application and the user are allowed", "  default: \"**\"")
	default:
		s.line("FILL IN: what ordinary requests ask for; \"\" for nothing", "  default: %s", quoted(standard))
	}
	if len(d.scopes) > 0 {
		s.line("", "  # the server knows: %s", plainText(strings.Join(d.scopes, " ")))
	}
	s.line("", "  # narrow: …                           # less than default")
	s.line("", "  # pair: [one, another]                # two that the clients may have and the users grant")
	s.line("", "  # forbidden: …                        # one that no client may have")
	s.line("", "")
	if d.userinfo != "" && standard == "openid" {
		s.line("what tokens open; FILL IN your own", "resources:")
		s.line("a person's token only; subject is the member that names the person", "  user: {get: %s, subject: sub}", quoted(d.below(d.userinfo)))
	} else {
		s.line("", "# resources:                            # what tokens open; Space's own are known with profile space")
		s.line("", "#   any: {get: /api/anything}           # with any valid token")
		s.line("", "#   user: {get: /api/me, subject: sub}  # with a person's token only")
	}
	s.line("", "")
	if d.has(target.RefreshToken) && slices.Contains(d.scopes, "offline_access") {
		s.line("many give refresh tokens for this scope only; leave it out where they come without. rotation: true if they rotate", "refresh: {scope: offline_access, rotation: false}")
	} else if d.has(target.RefreshToken) {
		s.line("", "# refresh: {scope: offline_access, rotation: true}   # how refresh tokens are asked for, and whether they rotate")
	}
	if d.signsIn() {
		s.line("finds the forms by itself; else the steps (see: flowproof login)", "sign_in: auto")
		s.line("", "# sign_in_hosts: [login.acme.test]      # further hosts on whose pages people sign in, as an identity provider's")
	}
	if d.ca != "" {
		s.line("the root of a certificate that no browser knows", "tls: {ca: %s}", quoted(d.ca))
	}
	s.line("of one request", "timeout: 10s")
}
