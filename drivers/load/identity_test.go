package load

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"flowproof/drivers/target"
)

func jwt(claims string) string {
	b := base64.RawURLEncoding
	return b.EncodeToString([]byte(`{"alg":"none"}`)) + "." + b.EncodeToString([]byte(claims)) + ".c2ln"
}

func TestTokensForTheWrongOwnerAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tgt := testTarget()
		tgt.Users[0].Subject, tgt.Users[1].Subject = "subject-of-alice", "subject-of-bob"
		n := 0
		s := &server{}
		s.handle = func(s *server, form url.Values, _ int64) reply {
			s.mu.Lock()
			defer s.mu.Unlock()
			n++
			client, subject := "id-1", "subject-of-"+form.Get("username")
			if form.Get("client_id") == "id-2" {
				client = "id-2"
			}
			switch {
			case n%100 == 1:
				subject = "subject-of-bob"
				if form.Get("username") == "bob" {
					subject = "subject-of-alice"
				}
			case n%100 == 2:
				client = map[string]string{"id-1": "id-2", "id-2": "id-1"}[client]
			case n%100 == 3:
				subject = "somebody else altogether" // that may be
			}
			r := s.good()
			r.body = `{"access_token":"` + jwt(fmt.Sprintf(`{"jti":%d,"client_id":%q,"nested":{"sub":"subject-of-bob"},"sub":%q}`, n, client, subject)) + `","token_type":"Bearer","expires_in":600}`
			return r
		}
		p, err := Plan{Rate: 1000, Duration: time.Second, Scenarios: []Scenario{{Flow: Password}}}.resolved(tgt)
		if err != nil {
			t.Fatal(err)
		}
		e := rig(t, tgt, p, s)
		e.before.jwt = true
		l := e.watch(t.Context(), e.sites[0].driver.Redactor(), tgt, Options{})
		if len(l.Violations) != 1 || l.Violations[0].Requirement != "RFC6749-3.1-race-no-cross-identity" || l.Violations[0].Count != 20 {
			t.Errorf("%+v", l.Violations)
		}
		if got := stepNamed(t, l, "password").Errors[unverified]; got != 20 {
			t.Error(got)
		}
	})
}

func TestIdentitiesThatAreSharedTellNothing(t *testing.T) {
	tgt := testTarget()
	tgt.Users = append(tgt.Users, target.User{Name: "alice-again", Username: "alice"}, target.User{Name: "twin", Username: "twin", Subject: "bob"})
	known := newIdentities(tgt)
	alice := &issue{client: tgt.Clients[0], user: tgt.Users[0]}
	for subject, wrong := range map[string]bool{"alice": false, "bob": false, "twin": true, "id-1": false, "": false} {
		if known.wrong(alice, [2][]byte{}, []byte(subject)) != wrong {
			t.Errorf("a token of %q for alice: wrong is not %v", subject, wrong)
		}
	}
	alone := &issue{client: tgt.Clients[0]}
	for subject, wrong := range map[string]bool{"alice": true, "id-1": false, "id-2": true, "x": false} {
		if known.wrong(alone, [2][]byte{}, []byte(subject)) != wrong {
			t.Errorf("a token of %q for the client: wrong is not %v", subject, wrong)
		}
	}
}
