package load

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"flowproof/drivers/target"
)

func fine() answer {
	return answer{status: 200, contentType: []byte("application/json;charset=UTF-8"), cacheControl: [][]byte{[]byte("no-store")},
		body: []byte(`{"access_token":"abc.DEF-_~+/==","token_type":"Bearer","expires_in":600,"scope":"a b"}`)}
}

func TestVerify(t *testing.T) {
	body := func(s string) func(*answer) { return func(a *answer) { a.body = []byte(s) } }
	member := func(old, replacement string) func(*answer) {
		return func(a *answer) { a.body = []byte(strings.Replace(string(a.body), old, replacement, 1)) }
	}
	cache := func(lines ...string) func(*answer) {
		return func(a *answer) {
			a.cacheControl = nil
			for _, l := range lines {
				a.cacheControl = append(a.cacheControl, []byte(l))
			}
		}
	}
	of := func(fs ...flaw) flaws {
		var s flaws
		for _, f := range fs {
			s |= f.bit()
		}
		return s
	}
	for name, c := range map[string]struct {
		spoil func(*answer)
		grant target.Grant
		want  flaws
	}{
		"as it should be":              {func(*answer) {}, target.ClientCredentials, 0},
		"lower-case bearer":            {member("Bearer", "bearer"), target.ClientCredentials, 0},
		"escapes":                      {body(`{"access_\u0074oken":"abc\/def","token_type":"B\u0065arer","expires_in":1}`), target.ClientCredentials, 0},
		"nested extras":                {member(`"scope"`, `"x":{"a":[1,-2.5e+3,{},[],null,true,false,"\"\\"]},"scope"`), target.ClientCredentials, 0},
		"white space":                  {body(" {\n\t\"access_token\" : \"a\" , \"token_type\":\"Bearer\",\"expires_in\":0 } \r\n"), target.ClientCredentials, 0},
		"no-store in a list":           {cache("private, NO-STORE"), target.ClientCredentials, 0},
		"no-store in the second line":  {cache("private", "no-store"), target.ClientCredentials, 0},
		"null refresh token":           {member(`"scope"`, `"refresh_token":null,"scope"`), target.ClientCredentials, 0},
		"empty scope":                  {member("a b", ""), target.ClientCredentials, 0},
		"refresh token for a password": {member(`"scope"`, `"refresh_token":"r","scope"`), target.Password, 0},

		"status 201":                 {func(a *answer) { a.status = 201 }, target.ClientCredentials, of(wrongStatus)},
		"text/html":                  {func(a *answer) { a.contentType = []byte("text/html") }, target.ClientCredentials, of(wrongType)},
		"no media type":              {func(a *answer) { a.contentType = nil }, target.ClientCredentials, of(wrongType)},
		"application/jsonp":          {func(a *answer) { a.contentType = []byte("application/jsonp") }, target.ClientCredentials, of(wrongType)},
		"an array":                   {body(`[1]`), target.ClientCredentials, of(notObject)},
		"a wrapper":                  {body(`{"data":{"access_token":"a","token_type":"Bearer","expires_in":1}}`), target.ClientCredentials, of(noToken, noTokenType, noExpiry)},
		"HTML":                       {body(`<html>`), target.ClientCredentials, of(notJSON)},
		"nothing":                    {body(``), target.ClientCredentials, of(notJSON)},
		"byte-order mark":            {member("{", "\ufeff{"), target.ClientCredentials, of(notJSON)},
		"trailing bytes":             {member("}", "}x"), target.ClientCredentials, of(notJSON)},
		"cut off":                    {member("}", ""), target.ClientCredentials, of(notJSON)},
		"Latin-1":                    {member("a b", "\xe9"), target.ClientCredentials, of(notJSON)},
		"bare line break":            {member("a b", "a\nb"), target.ClientCredentials, of(notJSON)},
		"trailing comma":             {member(`"a b"`, `"a b",`), target.ClientCredentials, of(notJSON)},
		"too deep":                   {member(`"a b"`, strings.Repeat("[", 300)+strings.Repeat("]", 300)), target.ClientCredentials, of(notJSON)},
		"member twice":               {member(`"scope"`, `"expires_in":600,"scope"`), target.ClientCredentials, of(doubledMember)},
		"null token":                 {member(`"abc.DEF-_~+/=="`, "null"), target.ClientCredentials, of(noToken)},
		"number as token":            {member(`"abc.DEF-_~+/=="`, "7"), target.ClientCredentials, of(noToken)},
		"empty token":                {member(`abc.DEF-_~+/==`, ""), target.ClientCredentials, of(noToken)},
		"token with a space":         {member(`abc.DEF-_~+/==`, "a b"), target.ClientCredentials, of(badToken)},
		"token of equal signs":       {member(`abc.DEF-_~+/==`, "=="), target.ClientCredentials, of(badToken)},
		"equal sign inside":          {member(`abc.DEF-_~+/==`, "a=b"), target.ClientCredentials, of(badToken)},
		"escaped quote in the token": {member(`abc.DEF-_~+/==`, `a\"b`), target.ClientCredentials, of(badToken)},
		"percent in the token":       {member(`abc.DEF-_~+/==`, "a%20b"), target.ClientCredentials, of(percentToken)},
		"no token_type":              {member(`"token_type":"Bearer",`, ""), target.ClientCredentials, of(noTokenType)},
		"token_type mac":             {member("Bearer", "mac"), target.ClientCredentials, of(notBearer)},
		"token_type in a list":       {member(`"Bearer"`, `["Bearer"]`), target.ClientCredentials, of(notBearer)},
		"no expires_in":              {member(`"expires_in":600,`, ""), target.ClientCredentials, of(noExpiry)},
		"expires_in as a string":     {member("600", `"600"`), target.ClientCredentials, of(badExpiry)},
		"expires_in with a fraction": {member("600", "599.9"), target.ClientCredentials, of(badExpiry)},
		"negative expires_in":        {member("600", "-1"), target.ClientCredentials, of(badExpiry)},
		"scope as an array":          {member(`"a b"`, `["a"]`), target.ClientCredentials, of(badScope)},
		"two spaces in the scope":    {member("a b", "a  b"), target.ClientCredentials, of(badScope)},
		"quote in the scope":         {member("a b", `a\"b`), target.ClientCredentials, of(badScope)},
		"refresh token for a client": {member(`"scope"`, `"refresh_token":"r","scope"`), target.ClientCredentials, of(needlessRefreshToken)},
		"refresh token as a number":  {member(`"scope"`, `"refresh_token":1,"scope"`), target.Password, of(badRefreshToken)},
		"refresh token with accents": {member(`"scope"`, `"refresh_token":"é","scope"`), target.RefreshToken, of(badRefreshToken)},
		"no Cache-Control":           {cache(), target.ClientCredentials, of(cacheable)},
		"public":                     {cache("public, max-age=3600", "no-storex"), target.ClientCredentials, of(cacheable)},
		"everything at once": {func(a *answer) { *a = answer{status: 203, body: []byte("<")} }, target.Password,
			of(wrongStatus, wrongType, notJSON, cacheable)},
	} {
		t.Run(name, func(t *testing.T) {
			a := fine()
			c.spoil(&a)
			var m members
			if got := verify(&a, c.grant, &m); got != c.want {
				t.Errorf("%s: got %s, want %s", a.body, spelt(got), spelt(c.want))
			}
		})
	}
}

func spelt(s flaws) string {
	var out []string
	for f := range flawCount {
		if s.has(f) {
			out = append(out, f.rule().message)
		}
	}
	return strings.Join(out, "; ")
}

func TestEveryFlawHasARule(t *testing.T) {
	for f := range flawCount {
		if r := f.rule(); r.requirement == "" || r.verdict == "" || r.message == "" {
			t.Errorf("flaw %d: %+v", f, r)
		}
	}
	if f := failing(); f.has(needlessRefreshToken) || f.has(badThrottling) || !f.has(repeatedToken) {
		t.Errorf("failing: %s", spelt(f))
	}
}

func TestVerifyDoesNotAllocate(t *testing.T) {
	a := fine()
	var m members
	if n := testing.AllocsPerRun(100, func() { verify(&a, target.ClientCredentials, &m) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestThrottling(t *testing.T) {
	for _, c := range []struct {
		status    int
		body, typ string
		retry     string
		is, well  bool
	}{
		{429, `{"error":"slow_down"}`, "application/json", "1", true, true},
		{503, `{"error":"temporarily_unavailable"}`, "application/json", "Wed, 21 Oct 2026 07:28:00 GMT", true, true},
		{429, `{"error":"slow_down"}`, "application/json", "", true, false},
		{429, `{"message":"slow down"}`, "application/json", "1", true, false},
		{503, `<html>`, "text/html", "1", true, false},
		{500, `{"error":"server_error"}`, "application/json", "1", false, false},
	} {
		var m members
		a := answer{status: c.status, body: []byte(c.body), contentType: []byte(c.typ), retryAfter: []byte(c.retry)}
		if is, well := throttled(&a, &m); is != c.is || well != c.well {
			t.Errorf("%+v: %v, %v", c, is, well)
		}
	}
}

// Whatever the scanner takes for JSON, the standard library does too, and the other way round.
func FuzzScan(f *testing.F) {
	for _, s := range []string{`{"access_token":"a","b":[1,2,{"c":null}]}`, `[]`, `{}`, ` {"a":1e5} `, `{"a":01}`, `{"a":"\u00e9"}`, "{\"a\":\"\xff\"}", `nul`, `-`, `{"a":-0.0E-1}`, `"`, `{"access_token`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var m members
		got, object := scan(body, &m)
		want := json.Valid(body) && utf8.Valid(body)
		if got && !want || !got && want && strings.Count(string(body), "[")+strings.Count(string(body), "{") < deepest {
			t.Fatalf("%q: %v, the standard library says %v", body, got, want)
		}
		if !got || !object {
			return
		}
		var all map[string]json.RawMessage
		if err := json.Unmarshal(body, &all); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if _, there := all["access_token"]; there != (m.token.kind != 0) {
			t.Fatalf("%q: access_token there: %v", body, there)
		}
		if m.token.kind == '"' {
			m.token.plain()
			var s string
			if err := json.Unmarshal(all["access_token"], &s); err != nil || s != string(m.token.raw) {
				t.Fatalf("%q: %q, the standard library reads %q", body, m.token.raw, s)
			}
		}
	})
}
