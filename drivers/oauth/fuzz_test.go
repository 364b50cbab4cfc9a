package oauth

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// FuzzAnswer: what is JSON reads as the standard library reads it, and the readers of one answer agree.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"access_token":"a","expires_in":600}`), 200)
	f.Add([]byte(`{"access_token":"a","token_type":"Bearer","expires_in":"600","scope":"","refresh_token":null,"x":[1e999,-0]}`), 200)
	f.Add([]byte(`{"access_token":"a","access_token":1}{"access_token":"b"}`), 299)
	f.Add([]byte(`{"error":"invalid_grant","error_description":"\ud800"}`), 400)
	f.Add([]byte("\xef\xbb\xbf{\"error\":1}"), 400)
	f.Add([]byte("access_token=%zz&access_token=b"), 0)
	f.Add([]byte(strings.Repeat(`{"a":`, 20_000)), 200)
	f.Add([]byte(strings.Repeat("[", 20_000)), 200)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		e := Exchange{Status: status, Body: body}
		a, err := e.Token()
		if err == nil && (a.AccessToken != "") != (e.IssuedToken() && text(a.Members["access_token"]) != "") {
			t.Errorf("%q issues a token and does not", body)
		}
		if err == nil && len(a.Has) != len(a.Members) {
			t.Errorf("%q has %v and %v", body, a.Has, a.Members)
		}
		if code := e.ErrorCode(); code != "" && len(code) > 3*len(body) {
			t.Errorf("%q gave %q", body, code)
		}
		members, err := e.JSON()
		var want map[string]any
		if json.Valid(body) {
			dec := json.NewDecoder(strings.NewReader(string(body)))
			dec.UseNumber()
			if wrong := dec.Decode(&want); (wrong == nil && want != nil) != (err == nil) || err == nil && !reflect.DeepEqual(members, want) {
				t.Errorf("%q reads as %v, %v; the standard library says %v, %v", body, members, err, want, wrong)
			}
		}
		_ = VerifyJWT(a.AccessToken, body)
	})
}

// FuzzJWT: a token that reads as a JWT holds what its parts hold, and nothing is proved by a key set that has no key.
func FuzzJWT(f *testing.F) {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for _, c := range [][2]string{
		{`{"alg":"RS256","kid":"a"}`, `{"sub":"x","exp":1e400,"aud":["a"]}`}, {`{"alg":"none"}`, `{}`}, {`{"alg":1}`, `{}`}, {`{"alg":"RS256","crit":["b64"],"b64":false}`, `null`},
		{`{"alg":"HS256"}`, `{"a":1}{"b":2}`}, {`[]`, `"`}, {`{"alg":"RS256","alg":""}`, strings.Repeat(`{"a":`, 5000)},
	} {
		f.Add(part(c[0])+"."+part(c[1])+".AAAA", `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"oct","k":"AAAA"},{"kty":"EC","crv":"P-256","x":"","y":""},null,1]}`)
	}
	f.Add("e30.e30.=.", `{"keys":null}`)
	f.Add("e30=.e30=.x", `{"KEYS":[]}`)
	f.Fuzz(func(t *testing.T, token, keys string) {
		got, ok := ParseJWT(token)
		if ok {
			parts := strings.Split(token, ".")
			for i, have := range []map[string]any{got.Header, got.Claims} {
				raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[i], "="))
				if err != nil {
					t.Fatalf("%q reads as a JWT: %v", token, err)
				}
				dec := json.NewDecoder(strings.NewReader(string(raw)))
				dec.UseNumber()
				var want map[string]any
				if err := dec.Decode(&want); err != nil || !reflect.DeepEqual(have, want) {
					t.Errorf("part %d of %q reads as %v, not %v (%v)", i, token, have, want, err)
				}
			}
		}
		set, err := ReadKeys([]byte(keys))
		if err == nil && !json.Valid([]byte(keys)) {
			t.Errorf("%q is a key set", keys)
		}
		public := slices.ContainsFunc(set.Keys, func(k jose.JSONWebKey) bool { return k.IsPublic() })
		if err := VerifyJWT(token, []byte(keys)); err == nil && !public {
			t.Errorf("%q is proved by %q, which has no public key", token, keys)
		}
	})
}

// FuzzLanding: a place that is taken for the client's is the same one for net/url, and what net/url can decode
// reads alike.
func FuzzLanding(f *testing.F) {
	f.Add("https://server.test/auth", "https://app.acme.test/cb?code=%zz#a=b", "https://app.acme.test/cb")
	f.Add("https://server.test/auth", "https://app.acme.test:443/cb?code=a+b%20c&code=&=&&state", "HTTPS://APP.acme.test/cb")
	f.Add("https://server.test/auth", `https://app.acme.test\@evil.test/cb`, "https://app.acme.test/cb")
	f.Add("https://server.test/auth", "https://app.acme.test@evil.test/cb#?", "https://app.acme.test/cb")
	f.Add("https://server.test/auth", "//app.acme.test/cb/../cb?x", "https://app.acme.test/cb")
	f.Add("https://server.test/a/b", "../cb", "https://server.test/cb")
	f.Add("%", "//\x00", "")
	f.Add("", "com.acme.app:/cb#x", "com.acme.app:/cb")
	f.Add("http://x", "http://[::1]:80?", "http://[::1]/")
	f.Fuzz(func(t *testing.T, page, location, uri string) {
		e := Exchange{Request: Request{URL: page}, Status: 302, Header: http.Header{"Location": {location}}}
		l, ok := e.Landing(uri)
		if ok && (uri == "" || l.URL == "") {
			t.Errorf("%q landed at %q", location, uri)
		}
		for _, p := range [...]Params{l.Query, l.Fragment, ParseParams(location)} {
			if again := ParseParams(p.Encode()); len(p) > 0 && !slices.Equal(again, p) {
				t.Errorf("%q reads again as %q", p, again)
			}
		}
		there, err := url.Parse(location)
		client, err2 := url.Parse(uri)
		if err == nil && err2 == nil && client.Host != "" && Lands(location, uri) && place(there) != place(client) {
			t.Errorf("%q is taken for %q, but net/url reads %s and %s", location, uri, place(there), place(client))
		}
		if want, err := url.ParseQuery(location); err == nil {
			got := url.Values{}
			for _, p := range ParseParams(location) {
				got.Add(p.Name, p.Value)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%q reads as %q, net/url reads %q", location, got, want)
			}
		}
	})
}

// place is where a URL leads, as net/url reads it.
func place(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if usual, ok := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; ok {
		host = strings.TrimSuffix(host, usual)
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "?")
	return u.Scheme + "://" + u.User.String() + "@" + host + "/" + path
}

// FuzzDocument: a page never gives more than it holds, and every form that is found can be sent.
func FuzzDocument(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(usualSignIn, "")))
	f.Add([]byte(usualConsent))
	for _, page := range []string{
		"<form><select name=a><option selected>b</select><textarea name=c>d</textarea><noscript><input name=x>",
		"<form action='http://[' method=get><input name=u><input type=password name=p><button name=b value=c>",
		"<form action=/x><form action=/y><input form=z><table><form><input type=image alt=go></table>",
		"<title>a<title>b</title><meta http-equiv=refresh content='0;url=javascript:x'>",
		strings.Repeat("<div class=error>", 2000), strings.Repeat("<a href=x><b>", 500), strings.Repeat("<form><input>", 500) + "\x00\xff",
		"<template><form></template><svg><form></svg><math><mi><form><input type=password>", "<!doctype html><frameset><form>",
	} {
		f.Add([]byte(page))
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		d := readDocument(page)
		most := 40*len(page) + 100
		size := len(d.title) + len(d.text) + len(d.alert) + len(d.refresh)
		for _, form := range d.forms {
			r := form.sent("https://server.test/auth?a=b#c", form.firstButton(), "send it")
			if r.URL == "" || r.Method != "GET" && r.Method != "POST" {
				t.Errorf("%q sends %+v", page, r)
			}
			for _, c := range form.controls {
				size += len(c.name) + len(c.value)
			}
		}
		for _, l := range d.links {
			size += len(l.href) + len(l.text)
		}
		if size > most {
			t.Errorf("%d bytes were read out of %d", size, len(page))
		}
		if accept, deny, ok := d.consent(); ok && accept == deny {
			t.Errorf("%q: to agree and to refuse are one", page)
		}
		if form := d.signIn(); form != nil && !slices.Contains(d.forms, form) {
			t.Errorf("%q: the sign-in form is none of the page's", page)
		}
		d.oneTime()
	})
}
