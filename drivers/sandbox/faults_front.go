package sandbox

import (
	"net/url"
	"slices"
	"strings"
)

// frontFaults are the faults of sections G to M: authorization requests, redirect URIs, answers, pages,
// codes, PKCE and the implicit flow.
func frontFaults() []Fault {
	return slices.Concat(requestFaults(), redirectFaults(), responseFaults(), codeFaults(), pkceFaults(), implicitFaults())
}

// requestFaults are those of section G.
func requestFaults() []Fault {
	return []Fault{
		{ID: "authorize-get-405", Requirement: "RFC6749-3.1-get-supported",
			Sentence: "The authorization endpoint answers 405 to GET",
			Consequences: []string{"RFC6749-3.1.2.3-registered-uri-accepted", "RFC6749-4.1-issues-token", "RFC6749-4.2-issues-token",
				"SPACE-endpoints-documented", "SPACE-request-credentials-default", "SPACE-request-credentials-skip-silent"},
			change: func(p *policy) { p.front.refusesGet = true }},
		{ID: "post-skips-redirect-check", Requirement: "RFC6749-3.1-post-same-validation",
			Sentence:     "A POST may name any redirect_uri",
			Consequences: []string{"RFC6749-3.1.2.4-foreign-host-no-redirect"},
			change:       func(p *policy) { p.front.postUnchecked = true }},
		{ID: "authorize-reject-unknown-param", Requirement: "RFC6749-3.1-unknown-and-empty-params",
			Sentence: "A parameter that the authorization endpoint does not know is an error",
			change:   func(p *policy) { p.front.refusesUnknown = true }},
		{ID: "dup-redirect-last-wins", Requirement: "RFC6749-3.1-duplicate-param",
			Sentence:     "Of a repeated redirect_uri the first is checked and the last is redirected to",
			Consequences: []string{"RFC6749-3.1.2.4-foreign-host-no-redirect"},
			change:       func(p *policy) { p.front.checksFirst = true }},
		{ID: "default-response-type-code", Requirement: "RFC6749-3.1.1-missing-response-type",
			Sentence:     "A request without response_type gets a code",
			Consequences: []string{"SPACE-authorization-errors"},
			change:       func(p *policy) { p.front.defaultsToCode = true }},
		{ID: "response-type-prefix-match", Requirement: "RFC6749-3.1.1-unknown-response-type",
			Sentence: "A response_type that begins with code is taken for code",
			change:   func(p *policy) { p.front.typePrefix = true }},
		{ID: "response-type-allowlist-ignored", Requirement: "RFC6749-4.1.2.1-unauthorized-response-type",
			Sentence: "A client may use a response_type that it is not registered for",
			Needs:    Needs{Postures: []string{postureSpace, postureRFC}}, // elsewhere there is only one type
			change:   func(p *policy) { p.front.ignoresTypeList = true }},
		{ID: "redirect-on-unknown-client", Requirement: "RFC6749-4.1.2.1-bad-client-no-redirect",
			Sentence:     "The error about an unknown client goes to the redirect_uri that came with it",
			Consequences: []string{"SPACE-authorization-errors", "RFC6749-3.1-duplicate-param"},
			change:       func(p *policy) { p.front.redirectsUnknown = true }},
		{ID: "anonymous-code", Requirement: "RFC6749-3.1-authenticates-user",
			Sentence: "Without a session the request is answered as if the first user were signed in",
			Consequences: []string{"SPACE-request-credentials-default", "SPACE-request-credentials-skip-silent",
				"RFC6749-4.1.2-code-bound-to-user", "RFC9700-4.11.2-authenticate-before-error-redirect",
				"RFC6749-10.2-consent-public-client"}, // nobody is asked any more
			change: func(p *policy) { p.front.anonymous = true }},
		{ID: "instant-error-redirect", Requirement: "RFC9700-4.11.2-authenticate-before-error-redirect",
			Sentence: "Errors are sent to the client before anybody has signed in",
			Needs:    Needs{Postures: []string{postureBCP, posture21}}, // elsewhere that is how it is
			change:   func(p *policy) { p.front.loginFirst = false }},
	}
}

// redirectFaults are those of section H.
func redirectFaults() []Fault {
	return []Fault{
		{ID: "registered-uri-refused", Requirement: "RFC6749-3.1.2.3-registered-uri-accepted",
			Sentence: "Of several registered redirect URIs only the first is accepted",
			change: func(p *policy) {
				p.front.refusesRedirect = func(c *client, uri string) bool { return slices.Index(c.redirects, uri) > 0 }
			}},
		{ID: "open-redirector-on-error", Requirement: "RFC6749-3.1.2.4-foreign-host-no-redirect",
			Sentence:     "Errors are sent to any redirect_uri, registered or not",
			Consequences: []string{"RFC6749-3.1-duplicate-param"},
			change:       func(p *policy) { p.front.errorsAnywhere = true }},
		{ID: "host-suffix-match", Requirement: "RFC9700-2.1-host-lookalike",
			Sentence:     "A redirect_uri whose host ends like the registered one is accepted",
			Consequences: []string{"RFC6749-3.1.2.4-foreign-host-no-redirect"},
			change: func(p *policy) {
				p.front.matchRedirect = func(registered, asked string) bool {
					r, a := cutURI(registered), cutURI(asked)
					return r.scheme == a.scheme && strings.HasSuffix(a.host, r.host) && r.port == a.port && r.path == a.path && r.query == a.query
				}
			}},
		{ID: "port-ignored", Requirement: "RFC9700-2.1-scheme-port-exact",
			Sentence:     "A redirect_uri with another port is accepted",
			Consequences: []string{"RFC6749-3.1.2.4-foreign-host-no-redirect"},
			change: func(p *policy) {
				p.front.matchRedirect = func(registered, asked string) bool {
					r, a := cutURI(registered), cutURI(asked)
					return r.scheme == a.scheme && r.host == a.host && r.path == a.path && r.query == a.query
				}
			}},
		{ID: "path-prefix-match", Requirement: "RFC9700-2.1-path-exact",
			Sentence: "A redirect_uri below the path of the registered one is accepted",
			change: func(p *policy) {
				p.front.matchRedirect = func(registered, asked string) bool {
					r, a := cutURI(registered), cutURI(asked)
					return r.scheme == a.scheme && r.host == a.host && r.port == a.port && strings.HasPrefix(a.path, r.path+"/") && !strings.Contains(a.path, "%") && r.query == a.query
				}
			}},
		{ID: "query-ignored", Requirement: "RFC9700-2.1-query-exact",
			Sentence:     "The query of a redirect_uri is not compared",
			Consequences: []string{"RFC6749-10.14-response-param-pollution", "RFC6749-3.1-response-params-once"},
			change: func(p *policy) {
				p.front.matchRedirect = func(registered, asked string) bool {
					r, a := cutURI(registered), cutURI(asked)
					r.query, a.query = "", ""
					return r == a && !strings.Contains(asked, "#")
				}
			}},
		{ID: "fragment-stripped", Requirement: "RFC6749-3.1.2-fragment-refused",
			Sentence: "The fragment of a redirect_uri is dropped without a word",
			change:   func(p *policy) { p.front.stripsFragment = true }},
		{ID: "decode-before-compare", Requirement: "RFC9700-2.1-encoding-not-normalised",
			Sentence: "A redirect_uri is percent-decoded before it is compared",
			Needs:    Needs{Postures: []string{postureRFC, postureBCP, posture21}},
			change: func(p *policy) {
				p.front.matchRedirect = func(registered, asked string) bool {
					decoded, err := url.PathUnescape(asked)
					return err == nil && decoded == registered
				}
			}},
		{ID: "pollute-code", Requirement: "RFC6749-10.14-response-param-pollution",
			Sentence:     "A redirect_uri with a code in its query is accepted, and the genuine code comes after it",
			Consequences: []string{"RFC6749-3.1-response-params-once"},
			change: func(p *policy) {
				p.front.matchRedirect = func(registered, asked string) bool { return strings.HasPrefix(asked, registered+"?code=") }
			}},
		{ID: "relative-redirect-ok", Requirement: "RFC6749-3.1.2-absolute-safe-scheme",
			Sentence: "A path is accepted as redirect_uri",
			change: func(p *policy) {
				p.front.matchRedirect = func(_, asked string) bool { return strings.HasPrefix(asked, "/") }
			}},
		{ID: "pick-first-redirect", Requirement: "RFC6749-3.1.2.3-required-when-several",
			Sentence:     "Without redirect_uri the first of several registered ones is taken",
			Consequences: []string{"SPACE-authorization-errors"},
			change:       func(p *policy) { p.front.picksFirst = true }},
		{ID: "drop-registered-query", Requirement: "RFC6749-3.1.2-registered-query-retained",
			Sentence: "The query of the registered redirect URI is lost in the answer",
			change:   func(p *policy) { p.front.dropsQuery = true }},
		{ID: "loopback-port-fixed", Requirement: "RFC8252-7.3-loopback-port-only",
			Sentence: "A loopback redirect_uri with another port than the registered one is refused",
			change:   func(p *policy) { p.front.loopbackPortFixed = true }},
		{ID: "blank-error-page", Requirement: "RFC6749-3.1.2.4-error-is-shown",
			Sentence:     "The error about a redirect_uri is a blank page",
			Consequences: []string{"SPACE-authorization-errors"},
			change:       func(p *policy) { p.front.blankErrors = true }},
	}
}

// uriParts are the parts of a redirect URI, cut without any normalisation; a fragment is part of the query.
type uriParts struct{ scheme, host, port, path, query string }

func cutURI(uri string) uriParts {
	scheme, rest, _ := strings.Cut(uri, "://")
	end := strings.IndexAny(rest, "?#")
	query := ""
	if end >= 0 {
		rest, query = rest[:end], rest[end:]
	}
	authority, path, slash := strings.Cut(rest, "/")
	if slash {
		path = "/" + path
	}
	host, port, _ := strings.Cut(authority, ":")
	return uriParts{scheme, host, port, path, query}
}

// responseFaults are those of section I.
func responseFaults() []Fault {
	return []Fault{
		{ID: "drop-state", Requirement: "RFC6749-4.1.2-state-echoed",
			Sentence:     "The state does not come back with a code or a token",
			Consequences: []string{"RFC6749-4.1.2-state-exact", "RFC6749-4.2.2-required-members"},
			change: func(p *policy) {
				p.front.spoilState = func(string, bool) (string, bool) { return "", false }
			}},
		{ID: "state-plus-to-space", Requirement: "RFC6749-4.1.2-state-exact",
			Sentence: "A plus sign in the state comes back as a space",
			change: func(p *policy) {
				p.front.spoilState = func(state string, sent bool) (string, bool) { return strings.ReplaceAll(state, "+", " "), sent }
			}},
		{ID: "drop-state-on-error", Requirement: "RFC6749-4.1.2.1-state-echoed-on-error",
			Sentence:     "The state does not come back with an error",
			Consequences: []string{"RFC6749-4.2.2.1-error-in-fragment"},
			change: func(p *policy) {
				p.front.spoilErrorState = func(string, bool) (string, bool) { return "", false }
			}},
		{ID: "state-null-invented", Requirement: "RFC6749-3.1-response-params-once",
			Sentence: "Where no state was sent, state=null comes back",
			change: func(p *policy) {
				p.front.spoilState = func(state string, sent bool) (string, bool) {
					if sent {
						return state, true
					}
					return "null", true
				}
			}},
		{ID: "deny-gives-code", Requirement: "RFC6749-4.1.2.1-access-denied",
			Sentence:     "Cancel on the consent page grants the request",
			Consequences: []string{"RFC6749-4.1.2.1-state-echoed-on-error", "RFC6749-4.2.2.1-error-in-fragment"},
			change:       func(p *policy) { p.front.denialGrants = true }},
		{ID: "authorize-scope-echoed", Requirement: "RFC6749-4.1.2.1-invalid-scope",
			Sentence: "An authorization request gets whatever scope it asks for",
			Consequences: []string{"RFC6749-4.1.2.1-state-echoed-on-error", "RFC6749-4.1.2.1-error-redirect-syntax",
				"RFC6749-4.2.2.1-error-in-fragment", "SPACE-authorization-errors", "SPACE-scope-grammar"},
			change: func(p *policy) { p.front.echoesScope = true }},
		{ID: "error-in-wrong-component", Requirement: "RFC6749-4.1.2.1-error-redirect-syntax",
			Sentence: "Errors of the code flow come in the fragment",
			change:   func(p *policy) { p.front.swapsErrors = true }},
	}
}
