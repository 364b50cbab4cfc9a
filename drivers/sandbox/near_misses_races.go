package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// raceMisses are those of section P: requests at the same moment, and the values that nobody may guess.
func raceMisses() []NearMiss {
	modern := Needs{Postures: []string{postureBCP, posture21}}
	opaque := Needs{Tokens: tokensOpaque}
	return []NearMiss{
		{ID: "race-losers-429", Requirement: "RFC6749-10.5-race-losers-clean", Worst: allowsPass,
			Sentence: "Who redeems a code that is being redeemed is answered with 429",
			change:   oneAtATime("code")},
		{ID: "race-owner-loses", Requirement: "RFC6749-4.1.3-race-two-clients", Worst: allowsPass,
			Sentence: "Another client's attempt ends the code, so that its owner may lose",
			Others:   map[string]string{"RFC7636-4.6-race-mixed-verifiers": allowsNote},
			change:   func(p *policy) { p.near.burnsCodes = true }},
		{ID: "race-proof-loses", Requirement: "RFC7636-4.6-race-mixed-verifiers", Worst: allowsNote,
			Sentence: "A wrong verifier ends the code, so that the right one may lose",
			change:   func(p *policy) { p.near.burnsCodes = true }},
		{ID: "race-within-grace", Requirement: "RFC9700-4.14.2-race-refresh-single-successor", Worst: allowsNote, Needs: modern,
			Sentence: "Several refreshes at the same moment succeed within the declared grace window",
			change:   func(p *policy) { p.near.grace = graceWindow }},
		{ID: "older-tab-starts-over", Requirement: "RFC6749-4.1.1-parallel-authorizations-isolated", Worst: allowsWarn,
			Sentence: "An older tab is asked to start over",
			change:   onlyTheLastTab},
		{ID: "token-prefix", Requirement: "RFC6749-10.10-tokens-unpredictable", Worst: allowsPass, Needs: opaque,
			Sentence: "Access tokens begin with letters that tell their kind",
			change:   through(func(t *turn) { prefixTokens(t, func() string { return "sbx_at." }) })},
		{ID: "token-begins-with-the-time", Requirement: "RFC6749-10.10-tokens-unpredictable", Worst: allowsPass, Needs: opaque,
			Sentence: "Access tokens begin with the time, and the rest of them is random",
			change: through(func(t *turn) {
				prefixTokens(t, func() string { return strconv.FormatInt(time.Now().UnixMilli(), 16) + "." })
			})},
		{ID: "busy-503", Requirement: "RFC6749-10.14-negatives-hold-under-load", Worst: allowsPass,
			Sentence: "A gateway answers 503 and a page to what comes while it is busy",
			change:   busyAt(16)},
		{ID: "no-cors-at-token", Requirement: "RFC9700-2.6-cors-token-safe", Worst: allowsPass, Needs: modern,
			Sentence: "The token endpoint is not for scripts of other origins",
			change: answers(func(t *turn) {
				for name := range t.header {
					if strings.HasPrefix(name, "Access-Control-") {
						t.header.Del(name)
					}
				}
			})},
		{ID: "consent-by-cookie-alone", Requirement: "RFC6749-10.12-consent-csrf", Worst: allowsNote,
			Sentence: "The consent form is protected by its cookie's SameSite alone",
			change:   func(p *policy) { p.pages.consentUnsealed = true }},
		{ID: "sign-in-unprotected", Requirement: "RFC6749-10.12-login-csrf", Worst: allowsWarn,
			Sentence: "Other sites may sign people in",
			change:   func(p *policy) { p.pages.signInUnsealed = true }},
		{ID: "lockout-of-guessers", Requirement: "RFC6749-2.3.1-brute-force-throttled", Worst: allowsPass,
			Sentence: "After many wrong secrets the right one is refused, too",
			change:   lockout},
	}
}

// oneAtATime answers 429 to who comes with a value that is being looked at.
func oneAtATime(name string) func(*policy) {
	return func(p *policy) {
		var under sync.Map
		p.near.gateway = func(t *turn) {
			value := t.posted().get(name)
			if !t.atToken() || value == "" {
				t.pass()
				return
			}
			if _, busy := under.LoadOrStore(value, true); busy {
				t.refuse(http.StatusTooManyRequests, "slow_down", "The code is being redeemed")
				t.header.Set("Retry-After", "1")
				return
			}
			defer under.Delete(value)
			t.pass()
		}
	}
}

// onlyTheLastTab lets a browser finish only the request whose page it was shown last.
func onlyTheLastTab(p *policy) {
	var last sync.Map
	holder := func(r *http.Request) string {
		for _, name := range []string{sessionCookie, visitCookie} {
			if c, err := r.Cookie(name); err == nil && c.Value != "" {
				return c.Value
			}
		}
		return ""
	}
	p.near.gateway = func(t *turn) {
		if f := t.posted(); (t.at(pathSignIn) || t.at(pathConsent)) && f.get("request") != "" {
			if kept, known := last.Load(holder(t.request)); known && kept != f.get("request") {
				t.page(http.StatusBadRequest, "Please start again")
				return
			}
		}
		asked := t.request.URL.RawQuery
		t.pass()
		if !t.atAuthorization() {
			return
		}
		who := holder(t.request)
		for _, c := range (&http.Response{Header: t.header}).Cookies() {
			if c.Name == visitCookie && c.Value != "" {
				who = c.Value
			}
		}
		last.Store(who, asked)
	}
}

// prefixTokens puts something before access tokens on the way out and takes it off on the way in.
func prefixTokens(t *turn, prefix func() string) {
	off := func(value string) string {
		if _, rest, found := strings.Cut(value, "."); found {
			return rest
		}
		return value + "x" // without its beginning it is another token
	}
	if f := t.posted(); !t.atToken() && len(f.get("token")) > opaqueLength {
		t.post(f.with("token", off))
	}
	for i, h := range t.request.Header["Authorization"] {
		if scheme, value, _ := strings.Cut(h, " "); strings.EqualFold(scheme, "Bearer") && len(value) >= opaqueLength {
			t.request.Header["Authorization"][i] = scheme + " " + off(value)
		}
	}
	t.pass()
	if t.atToken() && t.status == http.StatusOK {
		t.members(func(o object) {
			if value, is := o["access_token"].(string); is {
				o["access_token"] = prefix() + value
			}
		})
	}
	t.respond(func(params form) form {
		return params.with("access_token", func(value string) string { return prefix() + value })
	})
}

// busyAt answers 503 when more requests are under way.
func busyAt(most int64) func(*policy) {
	return func(p *policy) {
		var under atomic.Int64
		p.near.gateway = func(t *turn) {
			defer under.Add(-1)
			if under.Add(1) > most {
				t.page(http.StatusServiceUnavailable, "Service Unavailable")
				t.header.Set("Retry-After", "1")
				return
			}
			t.pass()
		}
	}
}

// lockout refuses everything in a client's or a person's name after many failures.
func lockout(p *policy) {
	const most = 35
	var (
		mu     sync.Mutex
		failed = map[string]int{}
	)
	p.token.neverThrottles = true
	p.near.gateway = func(t *turn) {
		f := t.posted()
		id, _, _ := t.request.BasicAuth()
		name := id + f.get("client_id")
		if f.get("username") != "" {
			name = f.get("username")
		}
		t.pass()
		if !t.atToken() {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if t.status >= 400 && strings.Contains(string(t.body), "invalid_client") || f.get("username") != "" && strings.Contains(string(t.body), "invalid_grant") {
			failed[name]++
		}
		switch {
		case failed[name] < most:
		case f.get("username") != "":
			t.refuse(http.StatusBadRequest, "invalid_grant", "The account is locked")
		default:
			t.refuse(http.StatusUnauthorized, "invalid_client", "The client is locked")
			t.header.Set("WWW-Authenticate", `Basic realm="sandbox"`)
		}
	}
}
