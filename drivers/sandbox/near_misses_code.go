package sandbox

import (
	"encoding/base64"
	"strings"
	"sync"
	"time"
)

const graceWindow = 30 * time.Second

// codeMisses are those of sections K to M: codes, PKCE and the implicit flow.
func codeMisses() []NearMiss {
	rfc := Needs{Postures: []string{postureRFC}}
	early := Needs{Postures: []string{postureSpace, postureRFC}}
	const identical, wrongVerifier, required = "RFC6749-4.1.3-redirect-uri-identical", "RFC7636-4.6-wrong-verifier", "RFC7636-4.4.1-required-challenge"
	return []NearMiss{
		{ID: "replay-leaves-access", Requirement: "RFC6749-4.1.2-replay-revokes-tokens", Worst: allowsWarn, Needs: rfc,
			Sentence: "Access tokens are self-contained, and outlive the replay of their code",
			change:   func(p *policy) { p.near.selfContained = true }},
		{ID: "any-replay-ends-tokens", Requirement: "OAUTH21-7.5.2-invalid-replay-harmless", Worst: allowsNote, Needs: early,
			Sentence: "Every replay of a code ends its tokens, on which RFC 6749 is silent",
			change:   func(p *policy) { p.front.anyReplayRevokes = true }},
		{ID: "code-lives-twelve-minutes", Requirement: "RFC6749-4.1.2-code-expires", Worst: allowsWarn,
			Sentence: "A code lives for twelve minutes",
			change:   func(p *policy) { p.front.codeLifetime = 12 * time.Minute }},
		{ID: "failed-redemption-ends-code", Requirement: "RFC6749-4.1.3-code-bound-to-client", Worst: allowsNote,
			Sentence: "A redemption that fails ends the code",
			Others:   map[string]string{"RFC7636-4.6-race-mixed-verifiers": allowsNote},
			change:   func(p *policy) { p.near.burnsCodes = true }},
		{ID: "other-redirect-uri-invalid-request", Requirement: identical, Worst: allowsWarn,
			Sentence: "A redirect URI that is not that of the request is called invalid_request",
			change:   recoded("redirect_uri is not that of the authorization request", 0, "invalid_request")},
		{ID: "redirect-uri-demanded-again", Requirement: "OAUTH21-10.2-redirect-uri-not-demanded", Worst: allowsWarn,
			Sentence: "redirect_uri has to be sent again, for the sake of older clients",
			Needs:    Needs{Postures: []string{posture21}},
			change:   func(p *policy) { p.front.demandsURIAgain = true }},
		{ID: "spare-bits-ignored", Requirement: "RFC6749-4.1.3-invalid-code-refused", Worst: allowsPass,
			Sentence: "Codes and refresh tokens are compared by their bytes, so that the last character may differ",
			change: rewritten(func(t *turn) {
				if f := t.posted(); f.get("code")+f.get("refresh_token") != "" {
					t.post(f.with("code", slack).with("refresh_token", slack))
				}
			})},
		{ID: "codes-sealed", Requirement: "OAUTH21-4.1.2-challenge-not-disclosed", Worst: allowsPass,
			Sentence: "Codes are long, sealed and self-contained, the challenge within",
			change:   sealedCodes},
		{ID: "wrong-verifier-invalid-request", Requirement: wrongVerifier, Worst: allowsWarn,
			Sentence: "A wrong or missing code_verifier is called invalid_request",
			Others: map[string]string{"RFC7636-4.5-missing-verifier": allowsWarn, "RFC7636-4.6-s256-not-plain": allowsWarn,
				"RFC7636-4.4-challenge-bound-to-code": allowsWarn, "RFC7636-4.1-verifier-length-charset": allowsWarn},
			change: recoded("code_verifier is missing or does not match", 0, "invalid_request")},
		{ID: "verifier-needs-challenge", Requirement: wrongVerifier, Worst: allowsPass, Needs: early,
			Sentence: "A verifier without a challenge is refused, on which RFC 7636 is silent",
			change:   func(p *policy) { p.front.verifierNeedsChall = true }},
		{ID: "unknown-method-shown", Requirement: "RFC7636-4.4.1-unknown-method", Worst: allowsWarn,
			Sentence: "The error about an unknown code_challenge_method is shown on a page",
			Others:   map[string]string{"RFC9700-2.1.1-plain-refused": allowsWarn},
			change: answers(errorShown(func(_, told form) bool {
				return strings.Contains(told.get("error_description"), "code_challenge_method")
			}))},
		{ID: "method-defaults-to-s256", Requirement: "RFC7636-4.3-default-plain", Worst: allowsWarn, Needs: early,
			Sentence: "A challenge without a method is taken for S256",
			change:   func(p *policy) { p.front.defaultsS256 = true }},
		{ID: "plain-offered", Requirement: "RFC9700-2.1.1-plain-refused", Worst: allowsWarn,
			Sentence: "The method plain is offered, as RFC 7636 allows",
			Needs:    Needs{Postures: []string{postureBCP, posture21}},
			change:   func(p *policy) { p.front.plain = true }},
		{ID: "short-verifiers", Requirement: "RFC7636-4.1-verifier-length-charset", Worst: allowsWarn,
			Sentence: "Verifiers of twenty characters and more are taken",
			change:   func(p *policy) { p.front.shortestVerifier = 20 }},
		{ID: "challenge-checked-late", Requirement: "RFC7636-4.2-challenge-syntax", Worst: allowsNote,
			Sentence: "A malformed challenge only fails when its code is redeemed",
			change:   func(p *policy) { p.near.lateChallenge = true }},
		{ID: "missing-challenge-shown", Requirement: required, Worst: allowsWarn,
			Sentence: "The error about a missing challenge is shown on a page",
			Others:   map[string]string{"OAUTH21-4.1.2.1-challenge-demanded": allowsWarn},
			change:   answers(errorShown(func(_, told form) bool { return told.get("error_description") == "code_challenge is missing" }))},
		{ID: "fragment-by-script", Requirement: "RFC6749-4.2.2-fragment-not-query", Worst: allowsPass, Needs: early, Browser: true,
			Sentence: "A page goes on to the client by script, for code and token",
			change:   answers(onwardByScript)},
		{ID: "implicit-error-in-query", Requirement: "RFC6749-4.2.2.1-error-in-fragment", Worst: allowsWarn, Needs: early,
			Sentence: "Errors of the implicit flow come in the query",
			Others:   map[string]string{"RFC6749-4.1.2.1-error-redirect-syntax": allowsWarn},
			change:   func(p *policy) { p.front.tokenErrorsQuery = true }},
	}
}

// onwardByScript takes answers to the client by a page that navigates.
func onwardByScript(t *turn) {
	if _, ok := t.response(); !ok {
		return
	}
	to := t.header.Get("Location")
	t.page(200, "Going on")
	t.body = append(t.body, "<script>location.replace("+scripted(to)+")</script>"...)
	t.header.Set("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; frame-ancestors 'none'")
}

// sealedCodes hands out long codes in place of the short ones.
func sealedCodes(p *policy) {
	var kept sync.Map
	p.near.gateway = func(t *turn) {
		if f := t.posted(); f.get("code") != "" {
			t.post(f.with("code", func(sealed string) string {
				if short, known := kept.Load(sealed); known {
					return short.(string)
				}
				return sealed
			}))
		}
		t.pass()
		t.respond(func(params form) form {
			return params.with("code", func(short string) string {
				parts := []string{base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"dir","enc":"A256GCM"}`)), "", token(12), token(240), token(16)}
				sealed := strings.Join(parts, ".")
				kept.Store(sealed, short)
				return sealed
			})
		})
	}
}
