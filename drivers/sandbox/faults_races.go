package sandbox

import (
	"net/http"
	"slices"
)

// raceFaults are those of section P: what only shows when requests come at the same moment, or in numbers.
func raceFaults() []Fault {
	return slices.Concat(codeRaceFaults(), refreshRaceFaults(), crowdFaults())
}

func codeRaceFaults() []Fault {
	return []Fault{
		{ID: "race-code-check-then-delete", Requirement: "RFC6749-10.5-race-code-redeemed-once",
			Sentence: "A code is marked as used 20 ms after it was looked up",
			change:   func(p *policy) { p.race.codeLate = true }},
		{ID: "race-loser-500", Requirement: "RFC6749-10.5-race-losers-clean",
			Sentence:     "Simultaneous redemptions that come too late get 500",
			Consequences: []string{"RFC6749-5.2-error-status-json"},
			change:       func(p *policy) { p.race.losersCrash = true }},
		{ID: "race-orphan-family", Requirement: "RFC6749-4.1.2-race-no-orphan-tokens",
			Sentence: "Each of several simultaneous redemptions of a code has tokens that live on",
			// Nothing is an orphan that was never handed out.
			Consequences: []string{"RFC6749-10.5-race-code-redeemed-once"},
			change:       func(p *policy) { p.race.codeLate, p.race.codeForks = true, true }},
		{ID: "race-client-check-late", Requirement: "RFC6749-4.1.3-race-two-clients",
			Sentence: "The client of a code is compared after another redemption may have changed it",
			change:   func(p *policy) { p.race.clientShared = true }},
		{ID: "race-verifier-shared", Requirement: "RFC7636-4.6-race-mixed-verifiers",
			Sentence: "Simultaneous redemptions share one verifier",
			change:   func(p *policy) { p.race.verifierShared = true }},
	}
}

func refreshRaceFaults() []Fault {
	return []Fault{
		{ID: "race-refresh-forks", Requirement: "RFC9700-4.14.2-race-refresh-single-successor",
			Sentence: "Each of several simultaneous refreshes starts a family of its own",
			Needs:    Needs{Postures: []string{postureBCP, posture21}},
			change:   func(p *policy) { p.race.refreshForks = true }},
		{ID: "race-refresh-outlives-revoke", Requirement: "RFC7009-2.1-race-revoke-refresh",
			Sentence: "A refresh in flight leaves a token that outlives the revocation",
			Needs:    Needs{Extras: true, Rotation: true},
			change:   func(p *policy) { p.race.refreshDeaf, p.race.revokesLate = true, true }},
	}
}

func crowdFaults() []Fault {
	return []Fault{
		{ID: "cross-talk", Requirement: "RFC6749-3.1-race-no-cross-identity",
			Sentence: "A shared buffer mixes up two people's answers",
			change:   func(p *policy) { p.race.sharesBuffer = true }},
		{ID: "session-holds-one-request", Requirement: "RFC6749-4.1.1-parallel-authorizations-isolated",
			Sentence: "A session holds one authorization request, the last, and every tab finishes that one",
			change:   func(p *policy) { p.race.oneRequest = true }},
		{ID: "token-collision", Requirement: "RFC6749-10.10-tokens-unique",
			Sentence: "When many ask at once, one token in some dozens is issued again, to whoever asks next",
			change:   func(p *policy) { p.race.collides = true }},
		{ID: "token-counter", Requirement: "RFC6749-10.10-tokens-unpredictable",
			Sentence: "Tokens are a constant and a counter in base64",
			Needs:    Needs{Tokens: tokensOpaque},
			change:   func(p *policy) { p.race.countsTokens = true }},
		{ID: "auth-bypass-under-load", Requirement: "RFC6749-10.14-negatives-hold-under-load",
			Sentence: "Under load a full cache lets every client in",
			change:   func(p *policy) { p.race.cacheAllows = true }},
		{ID: "throttle-with-500", Requirement: "RFC6585-4-throttling-well-formed",
			Sentence:     "A throttled request is answered with 500",
			Consequences: []string{"RFC6749-5.2-error-status-json"},
			change: func(p *policy) {
				p.token.spoilRefusal = func(r refusal) refusal {
					if r.status == http.StatusTooManyRequests {
						return *crash(http.StatusInternalServerError)
					}
					return r
				}
			}},
	}
}
