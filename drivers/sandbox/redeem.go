package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

// redeem is the authorization code grant (RFC 6749 §4.1.3).
func (s *Sandbox) redeem(in tokenRequest) (out issuance, no *refusal) {
	p := &s.policy.front
	value := in.form.get("code")
	if value == "" {
		return issuance{}, refuse("invalid_request", "code is missing")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	dead := refuse("invalid_grant", "The code is invalid, expired, used, or another client's")
	c := s.findCode(value, in.now)
	defer func() {
		if no != nil && s.policy.near.burnsCodes && c != nil && !c.used {
			delete(s.state.codes, value)
		}
	}()
	if c == nil || in.now.After(c.expires) && !c.used {
		return issuance{}, dead
	}
	if c.used && p.anyReplayRevokes && !p.reusableCodes {
		s.revoke(c.authorization)
		return issuance{}, dead
	}
	asker := in.client
	if asker == nil {
		if !c.client.public {
			return issuance{}, s.unknownCaller(false, "")
		}
		asker = c.client
	}
	if s.overtaken(c) {
		return issuance{}, crash(http.StatusInternalServerError)
	}
	if !s.owns(asker, c) {
		return issuance{}, dead
	}
	if no := s.checkRedirect(in.form, c); no != nil {
		return issuance{}, no
	}
	if no := s.checkVerifier(in, c); no != nil {
		return issuance{}, no
	}
	// Only a request that would have been right in everything else counts as a replay: or anybody
	// who saw the code could end the tokens.
	if c.used && !p.reusableCodes {
		if !p.replayKeepsTokens {
			s.revoke(c.authorization)
		}
		return issuance{}, dead
	}
	if p.brokenCodes && !asker.public {
		return issuance{}, dead
	}
	a := s.useCode(c, in.now)
	if p.lastUserWins && s.state.lastCode != nil {
		a.user = s.state.lastCode
	}
	out = issuance{client: asker, user: a.user, scope: c.scope, authorization: a}
	if c.offline && s.mayRefresh(asker) {
		out.refresh = s.newRefresh(a, c.scope, in.now)
	}
	return out, nil
}

// checkRedirect compares redirect_uri with that of the authorization request.
func (s *Sandbox) checkRedirect(f form, c *code) *refusal {
	p := &s.policy.front
	given := f.get("redirect_uri")
	switch {
	case given == "" && c.redirectSent && p.demandsURIAgain && !p.uriOptional:
		return refuse("invalid_grant", "redirect_uri is missing")
	case given != "" && given != c.redirectURI && !p.uriUnchecked:
		return refuse("invalid_grant", "redirect_uri is not that of the authorization request")
	}
	return nil
}

// checkVerifier is PKCE (RFC 7636 §4.6).
func (s *Sandbox) checkVerifier(in tokenRequest, c *code) *refusal {
	p := &s.policy.front
	verifier := in.form.get("code_verifier")
	wanted := c.challenge
	if p.lastChallenge && c.session != nil && c.session.challenge != nil && wanted.value != "" {
		wanted = *c.session.challenge
	}
	no := refuse("invalid_grant", "code_verifier is missing or does not match the challenge")
	switch {
	case in.client != nil && !in.proven && wanted.value == "":
		return s.unknownCaller(false, "")
	case wanted.value == "" && verifier == "":
		return nil
	case wanted.value == "" && p.verifierNeedsChall:
		return refuse("invalid_grant", "There is a code_verifier, but there was no challenge")
	case wanted.value == "", verifier == "" && p.verifierOptional && in.proven:
		return nil
	case !s.takesVerifier(verifier), !s.proves(verifier, wanted, c):
		return no
	}
	return nil
}

func (s *Sandbox) verifies(verifier string, c challenge) bool {
	p := &s.policy.front
	if p.plainFallback && same(verifier, c.value) {
		return true
	}
	if c.method == methodPlain {
		return same(verifier, c.value)
	}
	sum := sha256.Sum256([]byte(verifier))
	if p.s256Padded {
		return same(base64.URLEncoding.EncodeToString(sum[:]), c.value)
	}
	return same(base64.RawURLEncoding.EncodeToString(sum[:]), c.value)
}

// takesVerifier says whether a verifier is well-formed.
func (s *Sandbox) takesVerifier(v string) bool {
	if short := s.policy.front.shortestVerifier; short > 0 && len(v) >= short {
		v += strings.Repeat("x", max(0, 43-len(v)))
	}
	return isVerifier(v)
}

// isVerifier checks length and alphabet (RFC 7636 §4.1), which are those of a challenge too.
func isVerifier(v string) bool {
	return len(v) >= 43 && len(v) <= 128 && !strings.ContainsFunc(v, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune("-._~", r)
	})
}

// findCode looks a code up; s.mu is held.
func (s *Sandbox) findCode(value string, now time.Time) *code {
	if c := s.state.codes[value]; c != nil {
		return c
	}
	p := &s.policy.front
	if p.codePrefix > 0 && len(value) >= p.codePrefix {
		for k, c := range s.state.codes {
			if strings.HasPrefix(k, value[:p.codePrefix]) && !c.used {
				return c
			}
		}
	}
	if !p.sharedTable {
		return nil
	}
	if rt := s.state.refresh[value]; rt != nil {
		a := rt.authorization
		return &code{client: a.client, user: a.user, scope: rt.scope, expires: rt.expires}
	}
	if acc, why := s.lookUp(value, now); why == "" {
		return &code{client: acc.client, user: acc.user, scope: acc.scope, expires: acc.expires}
	}
	return nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func equalDigests(a, b [sha256.Size]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }
