package sandbox

import (
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
)

// credentials are what a request says about its client.
type credentials struct {
	id, secret string
	raw        *credentials // the same without form-decoding, when that differs
}

// A caller is who asks. Only a fault lets an unproven confidential client, or no client at all, this far.
type caller struct {
	client *client
	proven bool // by its secret, or public and thus without one
}

// authenticate finds out which client is asking (RFC 6749 §2.3).
func (s *Sandbox) authenticate(r *http.Request, f form, grant string) (caller, *refusal) {
	p := &s.policy.token
	basic, basicUsed, no := s.readBasic(r)
	if no != nil {
		return caller{}, no
	}
	body := credentials{id: f.get("client_id"), secret: f.get("client_secret")}
	if p.readsQuerySecret && body.id == "" {
		q := r.URL.Query()
		body = credentials{id: q.Get("client_id"), secret: q.Get("client_secret")}
	}
	if p.ignoresBodySecret {
		body.secret = ""
	}
	if basicUsed {
		who, no := s.check(basic, grant, true)
		if no != nil {
			return caller{}, no
		}
		return s.reconcile(who, body)
	}
	if body.id == "" {
		if s.policy.front.noClientID && grant == grantCode || s.policy.grants.refreshNeedsNoAuth && grant == grantRefresh {
			return caller{}, nil
		}
		return caller{}, s.unknownCaller(false, "")
	}
	return s.check(body, grant, false)
}

// reconcile compares what the body says with the client that Basic authenticated.
func (s *Sandbox) reconcile(who caller, body credentials) (caller, *refusal) {
	p, c := &s.policy.token, who.client
	if body.id == "" && body.secret == "" {
		return who, nil
	}
	if body.id != "" && body.id != c.id {
		if other := s.byID[body.id]; p.bodyClientWins && other != nil {
			return caller{other, true}, nil
		}
		return caller{}, refuse("invalid_request", "The header and the body name different clients")
	}
	if body.secret == "" {
		return who, nil
	}
	if !p.toleratesTwoMethods {
		return caller{}, refuse("invalid_request", "The client is authenticated in more than one way")
	}
	if !s.secretMatches(c, body.secret) {
		return caller{}, s.unknownCaller(true, body.secret)
	}
	return who, nil
}

// readBasic reads HTTP Basic credentials, form-decoded as RFC 6749 §2.3.1 wants them, and raw as Space's clients send them.
func (s *Sandbox) readBasic(r *http.Request) (credentials, bool, *refusal) {
	p := &s.policy.token
	values := r.Header["Authorization"]
	if len(values) == 0 {
		return credentials{}, false, nil
	}
	if len(values) > 1 {
		return credentials{}, false, refuse("invalid_request", "The Authorization header is repeated")
	}
	scheme, rest, _ := strings.Cut(values[0], " ")
	known := strings.EqualFold(scheme, "Basic") || p.ignoresScheme
	if !known || p.refusesBasic {
		return credentials{}, false, s.unknownCaller(true, "")
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	text := string(plain)
	if p.splitsAllColons {
		if decoded, ok := (formReader{}).decode(text); ok {
			text = decoded
		}
	}
	id, secret, found := strings.Cut(text, ":")
	if err != nil || !found {
		return credentials{}, false, s.unknownCaller(true, "")
	}
	if p.splitsAllColons {
		secret, _, _ = strings.Cut(secret, ":")
	}
	raw := credentials{id: id, secret: secret}
	decodedID, ok := formReader{}.decode(id)
	decodedSecret, ok2 := formReader{}.decode(secret)
	if !ok || !ok2 || decodedID == id && decodedSecret == secret {
		return raw, true, nil
	}
	return credentials{id: decodedID, secret: decodedSecret, raw: &raw}, true, nil
}

// check compares the credentials with the registration.
func (s *Sandbox) check(given credentials, grant string, basic bool) (caller, *refusal) {
	p := &s.policy.token
	now := s.now()
	s.race.asked.Add(1)
	c := s.byID[given.id]
	if c == nil && given.raw != nil {
		c = s.byID[given.raw.id]
	}
	if c != nil && s.throttle.holds(c.id, now) {
		return caller{}, tooMany()
	}
	switch {
	case c == nil:
		s.secretMatches(s.clients[0], given.secret) // as long as for a known client
		if p.unknownClientStatus != 0 {
			return caller{}, crash(p.unknownClientStatus)
		}
		return caller{}, s.unknownCaller(basic, given.secret)
	case c.public && given.secret == "":
		return caller{c, true}, nil
	case given.secret == "" && (p.clientIDSuffices || s.policy.front.ignoresPublicSwitch && grant == grantCode):
		return caller{c, true}, nil
	case given.secret == "" && s.secretNotNeeded(grant):
		return caller{c, false}, nil
	case s.secretMatches(c, given.secret):
		return caller{c, true}, nil
	case given.raw != nil && s.secretMatches(c, given.raw.secret):
		return caller{c, true}, nil
	case s.policy.front.pkceReplacesAuth && grant == grantCode:
		return caller{c, false}, nil
	case s.cacheIsFull():
		return caller{c, true}, nil
	}
	s.throttle.failed(c.id, now)
	return caller{}, s.unknownCaller(basic, given.secret)
}

// secretNotNeeded says whether the name of a confidential client is enough to go on.
func (s *Sandbox) secretNotNeeded(grant string) bool {
	return s.policy.grants.refreshNeedsNoAuth && grant == grantRefresh ||
		s.policy.front.pkceReplacesAuth && grant == grantCode
}

func (s *Sandbox) secretMatches(c *client, secret string) bool {
	d := s.digest(secret)
	return subtle.ConstantTimeCompare(d[:], c.digest[:]) == 1 && !c.public
}

// unknownCaller is the refusal of a client that is not authenticated.
func (s *Sandbox) unknownCaller(basic bool, secret string) *refusal {
	p := &s.policy.token
	no := &refusal{status: http.StatusUnauthorized, code: "invalid_client", challenge: true,
		description: "The client is unknown, or is not authenticated"}
	if basic && p.basicFailureStatus != 0 {
		no.status = p.basicFailureStatus
	}
	if p.echoesSecret && secret != "" {
		no.description = "The secret " + printable(secret) + " does not belong to the client"
	}
	return no
}

// printable keeps the characters that an error description may hold (RFC 6749 §5.2).
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, s)
}
