package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// FuzzClaims: the scanner of JWT payloads finds what the standard library finds.
func FuzzClaims(f *testing.F) {
	for _, s := range []string{`{"sub":"a","azp":"b","client_id":"c"}`, `{"sub":{"sub":"x"},"azp":[{"azp":1}]}`, `{"sub":1,"sub":"b"}`, `{"s\u0075b":"a"}`, `{"sub":"\ud800"}`, "{", `{"a":"\`, `{"sub":null} `, strings.Repeat(`{"sub":`, 200)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		var c claims
		if !scanClaims(payload, &c) {
			if json.Valid(payload) && payload[0] == '{' && bytes.Count(payload, []byte("{"))+bytes.Count(payload, []byte("[")) < deepest {
				t.Errorf("%q is not read", payload)
			}
			return
		}
		var all map[string]any
		if err := json.NewDecoder(bytes.NewReader(payload)).Decode(&all); err != nil || !utf8.Valid(payload) {
			return // what stands behind a number too large, or is no text, is not for the claims to judge
		}
		if bytes.Contains(payload, []byte(`\u`)) {
			return // a name that is escaped is nobody's
		}
		for name, v := range map[string]*value{"sub": &c.subject, "azp": &c.party, "client_id": &c.client} {
			if want, is := all[name].(string); is != (v.kind == '"') || string(v.words()) != want {
				t.Errorf("%q: %s is %q, the standard library reads %v", payload, name, v.words(), all[name])
			}
		}
	})
}

// FuzzVerify: the validator of the load and that of the check see the same token in an answer.
func FuzzVerify(f *testing.F) {
	for _, s := range []string{
		`{"access_token":"a","token_type":"Bearer","expires_in":600,"scope":"**","refresh_token":"r"}`, `{"access_token":"a","access_token":""}`,
		`{"access_token":null}`, `{"access_token":["a"]}`, `{"ACCESS_TOKEN":"a"}`, "\xef\xbb\xbf{\"access_token\":\"a\"}", `{"access_token":"\u0061\ud83d\ude00"}`, `{"access_token":"a"}x`, `[]`, ``,
	} {
		f.Add([]byte(s), 200, "application/json", "no-store")
	}
	f.Add([]byte(`{"error":"invalid_grant"}`), 400, "application/json;charset=utf-8", "a, no-store")
	f.Fuzz(func(t *testing.T, body []byte, status int, contentType, cacheControl string) {
		a := answer{status: status, contentType: []byte(contentType), cacheControl: [][]byte{[]byte(cacheControl)}, body: bytes.Clone(body)}
		var m members
		found := verify(&a, target.Password, &m)
		if !bytes.Equal(a.body, body) {
			t.Fatalf("%q became %q", body, a.body)
		}
		if found&(notJSON.bit()|notObject.bit()|doubledMember.bit()) == 0 {
			theirs, err := oauth.Exchange{Status: 200, Body: body}.Token()
			if err != nil || theirs.AccessToken != said(&m.token) || theirs.RefreshToken != said(&m.refresh) || theirs.Scope != said(&m.scope) {
				t.Errorf("%q: %q, the check reads %q (%v)", body, said(&m.token), theirs.AccessToken, err)
			}
			if (theirs.AccessToken == "") != (found&noToken.bit() != 0) {
				t.Errorf("%q: no token %v, the check reads %q", body, found&noToken.bit() != 0, theirs.AccessToken)
			}
		}
		if status == 200 && found&wrongStatus.bit() != 0 || status != 200 && found&wrongStatus.bit() == 0 {
			t.Errorf("the status %d was judged wrongly", status)
		}
		if is, well := throttled(&a, &m); well && !is {
			t.Errorf("%q refuses well and not at all", body)
		}
		if code := failureCode(&a, &m); len(code) > 40 {
			t.Errorf("%q is no code", code)
		}
		if r := a.retryAfter; r != nil {
			t.Error(r)
		}
	})
}

func said(v *value) string { return string(v.words()) }

// FuzzReadPlan: a plan that is accepted can be played, and a mistake has a place.
func FuzzReadPlan(f *testing.F) {
	for _, seed := range []string{
		"rate: 5/s\nduration: 1s\nscenarios: [{flow: password}]", "a: &x [1]\nb: *x", "connections: {from: 1}", "stages: [{hold: 1/s, ramp: 2/s}]", "? [a]\n: b",
		"rate: 1e309/s\nduration: 290y\nscenarios: [{flow: password}]", "rate: NaN/s\nduration: 1ns\nscenarios: [{flow: password, weight: 9223372036854775807}]",
		"stages: [{ramp: 10/s, duration: 1s}, {hold: 10000000/s, duration: 9000h}]\narrivals: poisson\nseed: 18446744073709551615\nscenarios: [{flow: resource}]",
		"model: closed\nduration: 1s\nconnections: 99999999\nscenarios: [{flow: password, users_csv: people.csv}]", "nodes: ['http://[', '//', '']\nscenarios: []",
		"thresholds: ['p99<250ms', '<', 'p101<1s']\nabort: ['errors>90% for 5s', x]\nrate: 1/s\ncount: 1\nscenarios: [{flow: password}]",
		"username,password\nalice,\"x\ny\"\n", "username,password\n\"\x00\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := ReadPlan("plan.yaml", func(string) ([]byte, error) { return raw, nil })
		if err == nil {
			err = p.Check()
		}
		if err != nil {
			if s := err.Error(); s == "" || len(s) > 2000+400*len(raw) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) {
				t.Errorf("%q is refused with %q", raw, s)
			}
			return
		}
		p = p.completed(0)
		if len(p.Scenarios) == 0 || p.Connections < 1 || p.Connections > mostConnections || p.Timeout <= 0 {
			t.Fatalf("%q is accepted as %+v", raw, p)
		}
		last := time.Duration(math.MinInt64)
		s := newSchedule(p)
		for i := range min(s.last, 50) {
			if due := s.due(i); due < last || due < 0 {
				t.Fatalf("%q: request %d is due at %v, after one at %v", raw, i, due, last)
			} else {
				last = due
			}
		}
		if p.Model == Open && s.last > mostRequests {
			t.Errorf("%q makes %d requests", raw, s.last)
		}
		_ = fmt.Sprint(p)
	})
}
