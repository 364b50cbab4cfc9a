package mangle

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"flowproof/drivers/target"
)

// places names where in the protocol an exchange belongs.
type places struct {
	hosts map[string]bool   // the server's own
	paths map[string]string // what is behind a path
}

func placesOf(t target.Target) places {
	p := places{hosts: map[string]bool{}, paths: map[string]string{}}
	name := func(raw, what string) {
		u, err := url.Parse(raw)
		if raw == "" || err != nil {
			return
		}
		p.hosts[u.Host] = true
		p.paths[u.Path] = what
	}
	e := t.Endpoints
	for what, raw := range map[string]string{
		"authorization": e.Authorization, "token": e.Token, "revocation": e.Revocation, "introspection": e.Introspection,
		"metadata": e.Metadata, "jwks": e.JWKS, "consents": e.Consents,
	} {
		name(raw, what)
	}
	for what, r := range map[string]*target.Resource{
		"any": t.Resources.Any, "user": t.Resources.User, "application": t.Resources.Application, "scoped": t.Resources.Scoped,
	} {
		if r != nil {
			name(r.Get, "resource "+what)
		}
	}
	return p
}

// ofRequest is what was asked for, such as "ask token client_credentials".
func (p places) ofRequest(r *request) string {
	switch what := p.paths[r.URL.Path]; {
	case r.Method == http.MethodOptions || what == "":
		return ""
	case what == "token":
		return ordinary("ask token " + known(field(string(r.body), "grant_type"), target.ClientCredentials, target.Password, target.AuthorizationCode, target.RefreshToken))
	case what == "authorization":
		asked := r.URL.RawQuery
		if r.Method == http.MethodPost {
			asked = string(r.body)
		}
		return ordinary("ask authorization " + known(field(asked, "response_type"), "code", "token"))
	default:
		return "ask " + what
	}
}

// ofAnswer is what came back, such as "token client_credentials 200" or "authorization error access_denied".
func (p places) ofAnswer(a *answer) string {
	if location := a.header.Get("Location"); location != "" {
		return p.ofRedirect(location)
	}
	what := p.paths[a.asked.URL.Path]
	status := strconv.Itoa(a.status)
	switch {
	case a.asked.Method == http.MethodOptions:
		return ""
	case a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed:
		return "" // plain HTTP
	case what == "token" && a.status == http.StatusOK:
		asked := p.ofRequest(a.asked)
		if asked == "" {
			return ""
		}
		return strings.TrimPrefix(asked, "ask ") + " 200"
	case what == "token":
		var said struct{ Error string }
		_ = json.Unmarshal(a.body, &said)
		return "token " + known(said.Error, "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope")
	case what != "" && what != "authorization":
		return what + " " + status
	case strings.HasPrefix(a.header.Get("Content-Type"), "text/html"):
		return "page " + status
	default:
		return ""
	}
}

func (p places) ofRedirect(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" || p.hosts[u.Host] {
		return "redirect to a page"
	}
	said := u.RawQuery + "&" + u.EscapedFragment()
	switch e := field(said, "error"); {
	case e != "":
		return "redirect error " + known(e, "invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope")
	case field(said, "code") != "":
		return "redirect code"
	case field(said, "access_token") != "":
		return "redirect token"
	default:
		return "redirect elsewhere"
	}
}

// ordinary leaves out the requests that are broken already.
func ordinary(place string) string {
	if strings.HasSuffix(place, other) {
		return ""
	}
	return place
}

const other = "other"

// field is the value of a form's field, however broken the form is.
func field(form, name string) string {
	v, _ := url.ParseQuery(form)
	return v.Get(name)
}

// known keeps the number of places small: what is not among the values is other.
func known[S ~string](value string, values ...S) string {
	for _, v := range values {
		if value == string(v) {
			return value
		}
	}
	return other
}
