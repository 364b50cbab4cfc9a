package load

import (
	"encoding/base64"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flowproof/drivers/oauth"
	"flowproof/reports"
)

// An issuer of codes, tokens and refusals, which can be told to err.
type authority struct {
	server
	mu       sync.Mutex
	codes    map[string]string // the challenge of each
	redeemed []time.Time
	asked    []time.Time
	wrong    func(form url.Values, r *reply)
}

func newAuthority() *authority {
	a := &authority{codes: map[string]string{}}
	a.handle = func(s *server, form url.Values, _ int64) reply {
		a.mu.Lock()
		defer a.mu.Unlock()
		r := a.answer(form)
		if r.after == 0 {
			r.after = time.Millisecond
		}
		if a.wrong != nil {
			a.wrong(form, &r)
		}
		return r
	}
	return a
}

func refusalOf(status int, code string) reply {
	return reply{status: status, body: `{"error":"` + code + `"}`}
}

func (a *authority) answer(form url.Values) reply {
	switch form.Get("path") {
	case "/oauth/auth":
		if !strings.HasPrefix(form.Get("cookie"), "session=") {
			return reply{status: 200, body: "<form>", typ: "text/html"}
		}
		a.asked = append(a.asked, time.Now())
		code := "code+/" + a.token()
		a.codes[code] = form.Get("code_challenge")
		return reply{status: 302, to: form.Get("redirect_uri") + "&code=" + url.QueryEscape(code) + "&state=" + form.Get("state")}
	case "/oauth/revoke":
		if form.Get("token") == "" {
			return refusalOf(400, "invalid_request")
		}
		return reply{status: 200, typ: "text/plain"}
	case "/api/any", "/api/me":
		if !strings.HasPrefix(form.Get("authorization"), "Bearer token-") {
			return refusalOf(401, "invalid_token")
		}
		return reply{status: 200, body: `{}`}
	}
	if !rightSecret(form) {
		return refusalOf(401, "invalid_client")
	}
	switch form.Get("grant_type") {
	case "authorization_code":
		challenge, ok := a.codes[form.Get("code")]
		if !ok || oauth.S256(form.Get("code_verifier")) != challenge || form.Get("redirect_uri") == "" {
			return refusalOf(400, "invalid_grant")
		}
		delete(a.codes, form.Get("code"))
		a.redeemed = append(a.redeemed, time.Now())
	case "refresh_token":
		if form.Get("refresh_token") == "of another client" {
			return refusalOf(400, "invalid_grant")
		}
		r := a.good()
		r.body = strings.Replace(r.body, "{", `{"refresh_token":"`+a.token()+`",`, 1)
		return r
	case "password":
		r := a.good()
		r.body = strings.Replace(r.body, "{", `{"refresh_token":"`+a.token()+`",`, 1)
		return r
	}
	return a.good()
}

func rightSecret(form url.Values) bool {
	if form.Get("client_secret") == "web-secret-number-2" {
		return true
	}
	raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(form.Get("authorization"), "Basic "))
	return string(raw) == "id-1:service-secret-1"
}

func stepNamed(t *testing.T, l reports.Load, name string) reports.Step {
	t.Helper()
	for _, s := range l.Steps {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no step %s", name)
	return reports.Step{}
}

func TestCodesAreAskedForAndRedeemed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority()
		l, _ := play(t, t.Context(), Plan{Rate: 100, Duration: 2 * time.Second, Connections: 4, Scenarios: []Scenario{{Name: "login", Flow: AuthorizationCode}}}, &a.server)
		balanced(t, l)
		for _, name := range []string{"login.authorize", "login.redeem"} {
			if s := stepNamed(t, l, name); s.Sent != 200 || s.Planned != 200 || s.Verified != 200 || s.Service.MaxUS > 1001 || s.Latency.MaxUS > 1001 {
				t.Errorf("%+v", s)
			}
		}
		if l.Verdict != reports.Pass || !shows(l.Notices, "200 codes") || !near(l.Rate.Intended, 200, 0.001) {
			t.Errorf("%s %v %v", l.Verdict, l.Notices, l.Rate)
		}
	})
}

// While people think, their connections serve others, and what follows is due when they have thought: on four
// connections a hundred arrivals a second, three seconds each.
func TestThinkingHoldsNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority()
		const think = 3 * time.Second
		l, _ := play(t, t.Context(), Plan{Rate: 100, Duration: 2 * time.Second, Connections: 4, Scenarios: []Scenario{{Flow: AuthorizationCode, ThinkTime: think}}}, &a.server)
		balanced(t, l)
		s := stepNamed(t, l, "authorization_code.redeem")
		if s.Sent != 200 || s.Verified != 200 || s.Latency.MaxUS > 1010 {
			t.Errorf("%+v", s)
		}
		if len(a.redeemed) != 200 {
			t.Fatal(len(a.redeemed))
		}
		for i, at := range a.redeemed {
			if late := at.Sub(a.asked[i]) - think - time.Millisecond; late < 0 || late > 2*time.Millisecond {
				t.Fatalf("code %d was redeemed %v after the thought", i, late)
			}
		}
		var planned, sent int64
		for _, second := range l.Series {
			planned += second.Planned
			sent += second.Sent
		}
		if planned != 400 || sent != 400 {
			t.Errorf("the seconds plan %d and send %d", planned, sent)
		}
	})
}

func TestWhatIsLeftOfArrivalsIsCountedWhenARunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority()
		p := Plan{Rate: 100, Duration: time.Minute, Connections: 4, Scenarios: []Scenario{{Flow: AuthorizationCode, ThinkTime: 3 * time.Second}}, Abort: aborts(t, "p50>100us for 2s")}
		l, _ := play(t, t.Context(), p, &a.server)
		balanced(t, l)
		if s := stepNamed(t, l, "authorization_code.redeem"); l.Partial == "" || s.NotSent < 150 || s.Planned != s.NotSent+s.Sent {
			t.Errorf("%q %+v", l.Partial, s)
		}
	})
}

func TestResourcesAreCalledWithATokenThatIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority()
		grants := 0
		a.wrong = func(form url.Values, _ *reply) {
			if form.Has("grant_type") {
				grants++
			}
		}
		p := Plan{Rate: 10, Duration: 30 * time.Minute, Connections: 2, Scenarios: []Scenario{{Flow: Resource, Weight: 1}, {Name: "me", Flow: Resource, Resource: "user"}}}
		l, _ := play(t, t.Context(), p, &a.server)
		balanced(t, l)
		for _, s := range l.Steps {
			if s.Verified != 9000 || s.Service.MaxUS > 1001 {
				t.Errorf("%+v", s)
			}
		}
		// Tokens live for ten minutes, of which nine are used; each worker keeps one for each scenario.
		if grants < 10 || grants > 16 {
			t.Errorf("%d tokens were asked for", grants)
		}
	})
}

func TestRevocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority()
		l, _ := play(t, t.Context(), Plan{Rate: 100, Duration: time.Second, Connections: 4, Scenarios: []Scenario{{Flow: Revocation}}}, &a.server)
		balanced(t, l)
		for _, name := range []string{"revocation.token", "revocation.revoke"} {
			if s := stepNamed(t, l, name); s.Verified != 100 {
				t.Errorf("%+v", s)
			}
		}
	})
}

func hostilePlan() Plan {
	return Plan{Rate: 1000, Duration: 2 * time.Second, Abort: []Abort{}, Scenarios: []Scenario{
		{Flow: ClientCredentials, Weight: 5, Hostile: []Hostile{{WrongSecret, 0.1}, {UnknownClient, 0.02}}},
		{Flow: AuthorizationCode, Weight: 3, Hostile: []Hostile{{UsedCode, 0.1}}},
		{Flow: RefreshToken, Weight: 2, Hostile: []Hostile{{ForeignRefreshToken, 0.05}}},
	}}
}

// arm does for a rig what the flight before a run does.
func arm(e *engine) {
	for _, j := range e.sites[0].jobs {
		switch j.hostile {
		case WrongSecret, UnknownClient:
			j.refusal = "invalid_client"
		case UsedCode:
			j.refusal = "invalid_grant"
		case ForeignRefreshToken:
			j.refusal = "invalid_grant"
			for _, is := range j.issues {
				is.bytes = is.then.fill(nil, url.QueryEscape("of another client"))
			}
		}
	}
}

func playArmed(t *testing.T, p Plan, s *server) reports.Load {
	t.Helper()
	p, err := p.resolved(testTarget())
	if err != nil {
		t.Fatal(err)
	}
	e := rig(t, testTarget(), p, s)
	arm(e)
	if err := e.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e.watch(t.Context(), e.sites[0].driver.Redactor(), testTarget(), Options{})
}

func TestHostileRequestsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := playArmed(t, hostilePlan(), &newAuthority().server)
		balanced(t, l)
		for name, n := range map[string]int64{
			"client_credentials.wrong_secret": 100, "client_credentials.unknown_client": 20, "authorization_code.used_code": 60, "refresh_token.foreign_refresh_token": 20,
			"client_credentials": 880, "refresh_token": 380, "authorization_code.redeem": 540,
		} {
			if s := stepNamed(t, l, name); s.Sent != n || s.Verified != n || s.Hostile != (strings.Contains(name, ".") && n < 200) {
				t.Errorf("%s: %+v, want %d", name, s, n)
			}
		}
		if l.Verdict != reports.Pass || !shows(l.Notices, "200 of 200 hostile requests were refused") {
			t.Errorf("%s %v", l.Verdict, l.Notices)
		}
	})
}

// A server that lets some of them through, refuses others strangely and puts off a third is told exactly so.
func TestHostileRequestsThatAreAcceptedFailTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority()
		n := 0
		a.wrong = func(form url.Values, r *reply) {
			if r.status != 401 {
				return
			}
			switch n++; n % 10 {
			case 1:
				*r = a.good()
				r.after = time.Duration(n) * time.Microsecond
			case 2, 3:
				*r = refusalOf(400, "invalid_request")
			case 4:
				*r = reply{status: 429, body: `{"error":"slow_down"}`, retry: "1"}
			case 5:
				*r = reply{status: 500, body: "oops"}
			}
		}
		p := Plan{Rate: 1000, Duration: time.Second, Scenarios: []Scenario{{Flow: ClientCredentials, Hostile: []Hostile{{WrongSecret, 0.1}}}}}
		l := playArmed(t, p, &a.server)
		balanced(t, l)
		s := stepNamed(t, l, "client_credentials.wrong_secret")
		if s.Sent != 100 || s.Verified != 50 || s.Throttled != 10 || s.Errors[accepted] != 10 || s.Errors[otherwise] != 20 || s.Errors["status 500"] != 10 {
			t.Errorf("%+v", s)
		}
		if l.Verdict != reports.Fail || len(l.Violations) != 2 {
			t.Fatalf("%s %+v", l.Verdict, l.Violations)
		}
		for i, want := range []int64{10, 20} {
			v := l.Violations[i]
			if v.Requirement != "RFC6749-10.14-negatives-hold-under-load" || v.Verdict != reports.Fail || v.Count != want || v.First.Client == "" || !strings.Contains(v.First.Title, "wrong secret") {
				t.Errorf("%+v", v)
			}
		}
		if w := l.Violations[0].Worst; w == nil || w.DurationUS != 91 || l.Violations[0].First.DurationUS != 1 {
			t.Errorf("the worst is %+v", w)
		}
	})
}

func TestCodesAndRefreshTokensAreUnique(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority()
		codes, refreshes := 0, 0
		a.wrong = func(form url.Values, r *reply) {
			switch {
			case form.Get("path") == "/oauth/auth":
				if codes++; codes%20 == 0 { // the code of the first
					u, _ := url.Parse(r.to)
					q := u.Query()
					q.Set("code", "the-same-code")
					u.RawQuery = q.Encode()
					r.to = u.String()
					a.codes["the-same-code"] = form.Get("code_challenge")
				} else if codes%33 == 0 {
					r.to = strings.Replace(r.to, "state=", "state=x", 1)
				}
			case form.Get("grant_type") == "password":
				if refreshes++; refreshes%50 == 0 {
					r.body = strings.Replace(r.body, `"refresh_token":"`, `"refresh_token":"the-same","was":"`, 1)
				}
			}
		}
		p := Plan{Rate: 1000, Duration: time.Second, Scenarios: []Scenario{{Flow: AuthorizationCode}, {Flow: Password}}}
		l, _ := play(t, t.Context(), p, &a.server)
		balanced(t, l)
		want := map[string]int64{
			"an authorization code was issued a second time": 24, "a refresh token was issued a second time": 9,
			"the code came with another state than the request's, or none": 15,
		}
		for _, v := range l.Violations {
			if want[v.Message] != v.Count || v.Verdict != reports.Fail {
				t.Errorf("%s: %d times, want %d", v.Message, v.Count, want[v.Message])
			}
			delete(want, v.Message)
		}
		if len(want) != 0 {
			t.Errorf("not found: %v", want)
		}
	})
}
