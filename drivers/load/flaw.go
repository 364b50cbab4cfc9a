package load

import "flowproof/reports"

// A flaw is one thing that a token answer can get wrong; flaws is a set of them.
type (
	flaw  int
	flaws uint32
)

// What an answer is held to, in the order in which the report shows it.
const (
	wrongStatus flaw = iota
	wrongType
	notObject
	notJSON
	doubledMember
	noToken
	badToken
	percentToken
	noTokenType
	notBearer
	noExpiry
	badExpiry
	badScope
	badRefreshToken
	needlessRefreshToken
	cacheable
	repeatedToken
	reissuedToken
	changedScope
	repeatedRefresh
	reissuedRefresh
	repeatedCode
	wrongOwner
	strangeState
	acceptedHostile
	oddRefusal
	badThrottling
	flawCount
)

func (f flaw) bit() flaws { return 1 << f }

// has reports whether f is in the set.
func (s flaws) has(f flaw) bool { return s&f.bit() != 0 }

// A rule is the requirement that a flaw breaks, and how bad that is.
type rule struct {
	requirement string
	verdict     reports.Verdict // of the requirement's level: a MUST fails, a SHOULD warns, a MAY is noted
	message     string
}

func (f flaw) rule() rule {
	switch f {
	case wrongStatus:
		return rule{"RFC6749-5.1-status-200-json", reports.Fail, "the status is a success other than 200"}
	case wrongType:
		return rule{"RFC6749-5.1-status-200-json", reports.Fail, "the media type is not application/json"}
	case notObject:
		return rule{"RFC6749-5.1-status-200-json", reports.Fail, "the body is JSON, but no object"}
	case notJSON:
		return rule{"RFC8259-8.1-json-wellformed", reports.Fail, "the body is not well-formed JSON in UTF-8"}
	case doubledMember:
		return rule{"RFC8259-8.1-json-wellformed", reports.Warn, "a member comes twice"}
	case noToken:
		return rule{"RFC6749-5.1-access-token-present", reports.Fail, "access_token is not a string with something in it"}
	case badToken:
		return rule{"RFC6750-2.1-b64token-syntax", reports.Fail, "the access token has characters that no bearer token may have"}
	case percentToken:
		return rule{"RFC6750-2.1-b64token-syntax", reports.Warn, "the access token has percent signs in it"}
	case noTokenType:
		return rule{"RFC6749-5.1-token-type-present", reports.Fail, "token_type is missing"}
	case notBearer:
		return rule{"RFC6749-7.1-token-type-bearer", reports.Fail, "token_type is not Bearer"}
	case noExpiry:
		return rule{"RFC6749-5.1-expires-in-present", reports.Warn, "expires_in is missing"}
	case badExpiry:
		return rule{"RFC6749-5.1-expires-in-number", reports.Fail, "expires_in is not a whole number of seconds"}
	case badScope:
		return rule{"RFC6749-3.3-scope-syntax", reports.Fail, "scope is not a string of scopes with single spaces between them"}
	case badRefreshToken:
		return rule{"RFC6750-2.1-b64token-syntax", reports.Fail, "the refresh token is not a string of printable ASCII"}
	case needlessRefreshToken:
		return rule{"RFC6749-4.4.3-no-refresh-token", reports.Warn, "client credentials were answered with a refresh token"}
	case cacheable:
		return rule{"RFC6749-5.1-cache-control", reports.Fail, "Cache-Control has no no-store"}
	case repeatedToken:
		return rule{"RFC6749-10.10-tokens-unique", reports.Fail, "an access token was issued a second time"}
	case reissuedToken:
		return rule{"RFC6749-10.10-tokens-unique", reports.Note, "the same live access token was issued again to the same client and user"}
	case changedScope:
		return rule{"RFC6749-6-scope-omitted-keeps", reports.Fail, "a refresh that named no scope brought another one than was granted at first"}
	case repeatedRefresh:
		return rule{"RFC6749-10.10-tokens-unique", reports.Fail, "a refresh token was issued a second time"}
	case reissuedRefresh:
		return rule{"RFC6749-10.10-tokens-unique", reports.Note, "the same live refresh token was issued again to the same client and user"}
	case repeatedCode:
		return rule{"RFC6749-10.10-tokens-unique", reports.Fail, "an authorization code was issued a second time"}
	case wrongOwner:
		return rule{"RFC6749-3.1-race-no-cross-identity", reports.Fail, "a token names another client or user than the one who asked"}
	case strangeState:
		return rule{"RFC6749-4.1.2-state-echoed", reports.Fail, "the code came with another state than the request's, or none"}
	case acceptedHostile:
		return rule{"RFC6749-10.14-negatives-hold-under-load", reports.Fail, "a request that had to be refused was accepted"}
	case oddRefusal:
		return rule{"RFC6749-10.14-negatives-hold-under-load", reports.Fail, "a request that had to be refused was refused with another error than when it came alone"}
	case badThrottling:
		return rule{"RFC6585-4-throttling-well-formed", reports.Note, "a 429 or 503 has no Retry-After, or no JSON error"}
	}
	return rule{"", reports.Inconclusive, ""}
}

// failing are those flaws that make an answer count as not verified.
func failing() flaws {
	var s flaws
	for f := range flawCount {
		if f.rule().verdict == reports.Fail {
			s |= f.bit()
		}
	}
	return s
}
