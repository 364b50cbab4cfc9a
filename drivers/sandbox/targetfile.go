package sandbox

import (
	"encoding/json"
	"fmt"
	"strings"
)

// TargetFile describes this very sandbox as a target file in YAML: its endpoints below the service
// URL, its clients and users with their identifiers, and a reference in place of each secret.
func (s *Sandbox) TargetFile(serviceURL string, reference func(name string) string) []byte {
	s.setIssuer(serviceURL)
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("name: sandbox")
	line("url: %s", quoted(strings.TrimSuffix(serviceURL, "/")))
	line("profile: %s", s.options.Posture)
	if s.options.Edition != "" {
		line("edition: %s", s.options.Edition)
	}
	line("endpoints:")
	line("  authorization: %s", s.paths().authorization)
	line("  token: %s", s.paths().token)
	line("  jwks: %s", pathKeys)
	if s.options.Posture == postureSpace {
		line("  consents: %s", pathConsents)
	}
	if s.options.Extras {
		line("  revocation: %s", pathRevoke)
		line("  introspection: %s", pathIntrospect)
		line("  metadata: %s", pathMetadata)
	}
	line("clients:")
	for _, c := range s.clients {
		line("  %s: {%s}", c.name, strings.Join(s.clientLine(c, reference), ", "))
	}
	line("users:")
	for _, u := range s.users {
		if u.guest {
			continue
		}
		parts := []string{"username: " + quoted(u.name), "password: " + quoted(reference(u.name)), "subject: " + quoted(u.id)}
		if u.sacrificial {
			parts = append(parts, "sacrificial: true")
		}
		line("  %s: {%s}", u.name, strings.Join(parts, ", "))
	}
	f := s.scopes()
	line("scopes: {default: %s, narrow: %s, pair: [%s, %s], third: %s, forbidden: %s}",
		quoted(f.standard), quoted(f.narrow), quoted(f.first), quoted(f.second), quoted(f.third), quoted(f.forbidden))
	line("resources:")
	line("  any: {get: %s}", pathProfiles)
	line("  user: {get: %s, subject: username}", pathMe)
	line("  application: {get: %s}", pathApplication)
	line("  scoped: {get: %s, scope: %s}", pathProjects, quoted(f.projects))
	line("refresh: {parameters: {access_type: offline}, rotation: %t, grace: %s}", s.clean.grants.rotates && !s.policy.near.confidentialKeeps, s.policy.near.grace)
	if s.options.Plain != "" {
		line("tls: {plain: %s}", quoted(s.options.Plain))
	}
	line("guest: %t", s.options.Guest)
	line("sign_in: auto")
	return []byte(b.String())
}

func (s *Sandbox) clientLine(c *client, reference func(name string) string) []string {
	parts := []string{"id: " + quoted(c.id)}
	if c.public {
		parts = append(parts, "public: true")
	} else {
		parts = append(parts, "secret: "+quoted(reference(c.name)))
		if s.policy.token.refusesBasic {
			parts = append(parts, "authentication: body") // or nothing at all would work
		}
		if c.issued && !s.policy.near.chosenSecrets {
			parts = append(parts, "secret_issued: true")
		}
	}
	parts = append(parts, "grants: ["+strings.Join(c.grants, ", ")+"]")
	if len(c.redirects) > 0 {
		parts = append(parts, "redirect_uris: "+quotedList(c.redirects))
	}
	if len(c.implicit) > 0 {
		parts = append(parts, "implicit_redirect_uris: "+quotedList(c.implicit))
	}
	if len(c.rights.items) > 0 {
		parts = append(parts, "scopes: "+quotedList(c.rights.items))
	} else {
		parts = append(parts, `scopes: ["**"]`)
	}
	if c.has(grantCode) {
		pkce := "optional"
		if f := s.clean.front; c.requiresPKCE || f.pkceAll || f.pkcePublic && c.public {
			pkce = "required"
		}
		parts = append(parts, "pkce: "+pkce)
	}
	if c.sacrificial {
		parts = append(parts, "sacrificial: true")
	}
	return parts
}

// quoted writes a string as YAML reads it whatever it holds: as JSON does.
func quoted(s string) string {
	b, _ := json.Marshal(s) // strings always marshal
	return string(b)
}

func quotedList(list []string) string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = quoted(v)
	}
	return "[" + strings.Join(out, ", ") + "]"
}
