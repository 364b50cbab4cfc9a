package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// A description is what is known of a server, for a target file.
type description struct {
	name, url, issuer, profile, ca                                            string
	authorization, token, jwks, revocation, introspection, metadata, userinfo string
	grants                                                                    []target.Grant
	scopes                                                                    []string
	body                                                                      bool // client_secret_post alone
	public, challenge                                                         bool // clients without a secret; S256
	notes                                                                     []string
}

const wellKnown = "/.well-known/"

// documents are where an issuer's metadata may be (RFC 8414 section 3.1, OpenID Connect Discovery section 4).
func documents(issuer string) ([]string, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("read the metadata of %q: it is no http or https URL", issuer)
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("read the metadata of %q: an issuer has no query, no fragment and no user", place(issuer))
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	origin := u.Scheme + "://" + u.Host
	if strings.Contains(path, wellKnown) {
		return []string{origin + path}, nil
	}
	return []string{origin + wellKnown + "oauth-authorization-server" + path, origin + path + wellKnown + "openid-configuration"}, nil
}

// discover reads the issuer's metadata.
func discover(ctx context.Context, issuer, ca string) (*description, error) {
	places, err := documents(issuer)
	if err != nil {
		return nil, err
	}
	driver, err := metadataDriver(issuer, ca)
	if err != nil {
		return nil, err
	}
	defer driver.Close()
	var tried []string
	for _, where := range places {
		x := driver.Send(ctx, oauth.Request{Title: "read the metadata", Method: http.MethodGet, URL: where, Header: oauth.Params{{Name: "Accept", Value: "application/json"}}})
		members, err := x.JSON()
		switch {
		case !x.Answered():
			return nil, fmt.Errorf("read the metadata at %s: %w", where, x.Err)
		case x.Redirects():
			tried = append(tried, fmt.Sprintf("%s leads elsewhere (%d, to %s)", where, x.Status, plainText(place(x.Location()))))
		case x.Status != http.StatusOK:
			tried = append(tried, fmt.Sprintf("%s answers %d", where, x.Status))
		case err != nil || wordOf(members, "token_endpoint") == "" && wordOf(members, "authorization_endpoint") == "":
			tried = append(tried, where+" holds no JSON with endpoints")
		default:
			return read(members, issuer, where), nil
		}
	}
	return nil, fmt.Errorf("read the metadata: %s", strings.Join(tried, "; "))
}

func wordOf(members map[string]any, name string) string {
	text, _ := members[name].(string)
	return text
}

func wordsOf(members map[string]any, name string) (out []string, given bool) {
	list, given := members[name].([]any)
	for _, one := range list {
		if text, is := one.(string); is && text != "" {
			out = append(out, text)
		}
	}
	return out, given
}

// read makes a description of a metadata document. What makes no sense in it is left out and noted.
func read(members map[string]any, asked, where string) *description {
	d := &description{issuer: wordOf(members, "issuer"), metadata: where}
	if !strings.Contains(asked, wellKnown) && strings.TrimRight(d.issuer, "/") != strings.TrimRight(asked, "/") {
		d.notes = append(d.notes, fmt.Sprintf("the document says that the issuer is %q, not the one asked for; clients must not use such metadata (RFC 8414 section 3.3)", plainText(d.issuer)))
	}
	base, err := url.Parse(d.issuer)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		base, _ = url.Parse(where) // it was asked for, so it is a URL
		base.Path = ""
	}
	d.url = strings.TrimRight(base.String(), "/")
	for _, one := range []struct {
		at   *string
		name string
	}{
		{&d.authorization, "authorization_endpoint"}, {&d.token, "token_endpoint"}, {&d.jwks, "jwks_uri"}, {&d.revocation, "revocation_endpoint"},
		{&d.introspection, "introspection_endpoint"}, {&d.userinfo, "userinfo_endpoint"},
	} {
		raw := wordOf(members, one.name)
		u, err := url.Parse(raw)
		if raw != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || strings.Contains(raw, "#")) {
			d.notes = append(d.notes, fmt.Sprintf("%s is no URL that could be asked, and was left out", one.name))
			continue
		}
		*one.at = raw
	}
	grants, given := wordsOf(members, "grant_types_supported")
	if !given {
		grants = []string{"authorization_code", "implicit"} // RFC 8414 section 2
	}
	for _, g := range target.Grants() {
		if slices.Contains(grants, string(g)) {
			d.grants = append(d.grants, g)
		}
	}
	types, given := wordsOf(members, "response_types_supported")
	if given && !slices.Contains(types, "token") {
		d.grants = slices.DeleteFunc(d.grants, func(g target.Grant) bool { return g == target.Implicit })
	}
	d.scopes, _ = wordsOf(members, "scopes_supported")
	methods, _ := wordsOf(members, "token_endpoint_auth_methods_supported")
	d.body = slices.Contains(methods, "client_secret_post") && !slices.Contains(methods, "client_secret_basic")
	d.public = slices.Contains(methods, "none")
	challenges, _ := wordsOf(members, "code_challenge_methods_supported")
	d.challenge = slices.Contains(challenges, "S256")
	return d
}

// complete fills in what follows from the rest.
func (d *description) complete() {
	u, err := url.Parse(d.url)
	host := ""
	if err == nil {
		host = u.Hostname()
	} else {
		u = &url.URL{}
	}
	if d.name == "" {
		d.name = hostWord(host)
		if last := path.Base(u.Path); d.name == "server" && last != "" { // a realm or a tenant says more than an address
			d.name = hostWord(last)
		}
	}
	switch {
	case d.profile != "":
	case strings.HasSuffix(host, ".jetbrains.space"):
		d.profile = "space"
	case d.challenge:
		d.profile = "bcp-9700"
	default:
		d.profile = "rfc6749"
	}
	if d.profile == "space" && d.authorization == "" {
		d.challenge = true
	}
	if len(d.grants) == 0 {
		d.grants = []target.Grant{target.ClientCredentials}
		if d.authorization != "" || d.profile == "space" {
			d.grants = append(d.grants, target.AuthorizationCode, target.RefreshToken)
		}
	}
	if d.profile == "space" && len(d.grants) > 1 && d.metadata == "" {
		d.grants = target.Grants()
	}
	if d.authorization == "" && d.profile != "space" {
		d.grants = slices.DeleteFunc(d.grants, func(g target.Grant) bool { return g == target.AuthorizationCode || g == target.Implicit })
	}
	if d.ca != "" {
		if whole, err := filepath.Abs(d.ca); err == nil {
			d.ca = whole
		}
	}
}

// hostWord is a word for reports, from the host or another name.
func hostWord(host string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(host, "www."), ".")
	word := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, first)
	if word == "localhost" || strings.Trim(word, "0123456789-") == "" {
		return "server"
	}
	return word
}
