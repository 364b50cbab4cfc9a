package sandbox

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// An access is what an access token stands for.
type access struct {
	client          *client
	user            *user // nil: the application itself
	scope           scope
	id              string // jti, or the token itself
	issued, expires time.Time
}

// claims are those of Space's tokens, plus jti, so that no two tokens are equal.
type claims struct {
	Subject       string `json:"sub"`
	Audience      string `json:"aud"`
	OrgDomain     string `json:"orgDomain"`
	Scope         string `json:"scope"`
	Name          string `json:"name"`
	Issuer        string `json:"iss"`
	PrincipalType string `json:"principal_type"`
	Expires       int64  `json:"exp"`
	Issued        int64  `json:"iat"`
	Session       string `json:"sid"`
	ID            string `json:"jti"`
}

const (
	principalUser    = "USER"
	principalService = "SERVICE"
)

// The texts that Space's clients compare, and ours for what they do not.
const (
	whyExpired = "Access token has expired"
	whyRevoked = "Refresh token associated with the access token is revoked"
	whyInvalid = "Access token is invalid"
)

// issueAccess makes an access token.
func (s *Sandbox) issueAccess(out issuance, now time.Time) (string, error) {
	var value string
	if s.policy.grants.jwt {
		var err error
		if value, err = s.signAccess(out, now); err != nil {
			return "", err
		}
	} else {
		rec := opaqueRecord{
			issued:  now.UnixMilli(),
			expires: now.Add(s.policy.grants.accessLifetime).UnixMilli(),
			scope:   s.opaque.scopes.intern(out.scope),
			client:  out.client.number,
		}
		if u := out.principal(); u != nil {
			rec.user = u.number + 1
		}
		if out.authorization != nil {
			rec.authorization = out.authorization.id
		}
		value = s.opaque.issue(rec, now)
	}
	if out.authorization != nil {
		s.mu.Lock()
		out.authorization.lastAccess = value
		s.mu.Unlock()
	}
	return value, nil
}

// principal is the person that the token names.
func (i issuance) principal() *user {
	if i.user == nil {
		return i.subject
	}
	return i.user
}

func (s *Sandbox) signAccess(out issuance, now time.Time) (string, error) {
	issuer := *s.issuer.Load()
	c := claims{
		Subject:       out.client.appID,
		Audience:      out.client.id,
		Scope:         out.scope.text,
		Name:          out.client.title,
		Issuer:        issuer,
		PrincipalType: principalService,
		Expires:       now.Add(s.jwtLifetime()).Unix(),
		Issued:        now.Unix(),
		ID:            token(16),
	}
	if u, err := url.Parse(issuer); err == nil {
		c.OrgDomain = u.Hostname()
	}
	if p := out.principal(); p != nil {
		c.Subject, c.Name, c.PrincipalType = p.id, p.name, principalUser
	}
	c.Session = token(12)
	if out.authorization != nil {
		c.Session = out.authorization.id.String()
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("sandbox: writing the claims: %w", err)
	}
	signed, err := s.signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sandbox: signing an access token: %w", err)
	}
	return signed.CompactSerialize()
}

func (s *Sandbox) jwtLifetime() time.Duration {
	if spoil := s.policy.resource.expiry; spoil != nil {
		return spoil(s.policy.grants.accessLifetime)
	}
	return s.policy.grants.accessLifetime
}

// findAccess finds out what a token is worth, or why it is worth nothing.
func (s *Sandbox) findAccess(value string, now time.Time) (access, string) {
	a, by, why := s.readAccess(value)
	if why != "" {
		return access{}, why
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.alive(a, by, now)
}

// lookUp is findAccess for those who hold s.mu.
func (s *Sandbox) lookUp(value string, now time.Time) (access, string) {
	a, by, why := s.readAccess(value)
	if why != "" {
		return access{}, why
	}
	return s.alive(a, by, now)
}

func (s *Sandbox) readAccess(value string) (access, authorizationID, string) {
	if s.policy.grants.jwt {
		return s.readJWT(value)
	}
	return s.readOpaque(value)
}

// alive asks whether a genuine token was revoked or has expired; s.mu is held.
func (s *Sandbox) alive(a access, by authorizationID, now time.Time) (access, string) {
	if known := s.state.authorizations[by]; known != nil && known.revoked && !s.policy.near.selfContained {
		return access{}, whyRevoked
	}
	if _, denied := s.state.denied[a.id]; denied {
		return access{}, whyInvalid
	}
	if !now.Before(a.expires.Add(s.policy.near.skew)) && !s.policy.resource.neverExpires {
		return access{}, whyExpired
	}
	return a, ""
}

func (s *Sandbox) readOpaque(value string) (access, authorizationID, string) {
	rec, ok := s.opaque.find(value)
	if !ok {
		return access{}, authorizationID{}, whyInvalid
	}
	a := access{
		client: s.clients[rec.client], scope: s.opaque.scopes.at(rec.scope), id: value,
		issued: time.UnixMilli(rec.issued), expires: time.UnixMilli(rec.expires),
	}
	if rec.user > 0 {
		a.user = s.users[rec.user-1]
	}
	return a, rec.authorization, ""
}

func (s *Sandbox) readJWT(value string) (access, authorizationID, string) {
	payload, ok := s.verifiedPayload(value)
	var c claims
	if !ok || json.Unmarshal(payload, &c) != nil || c.Issuer != *s.issuer.Load() {
		return access{}, authorizationID{}, whyInvalid
	}
	a := access{client: s.byID[c.Audience], scope: literal(c.Scope), id: c.ID, issued: time.Unix(c.Issued, 0), expires: time.Unix(c.Expires, 0)}
	if a.client == nil {
		return access{}, authorizationID{}, whyInvalid
	}
	if c.PrincipalType == principalUser {
		if a.user = s.userBySubject(c.Subject); a.user == nil {
			return access{}, authorizationID{}, whyInvalid
		}
	}
	by, _ := parseAuthorizationID(c.Session) // a client's own token belongs to none
	return a, by, ""
}

func (s *Sandbox) verifiedPayload(value string) ([]byte, bool) {
	if s.policy.resource.acceptsUnsigned {
		if payload, ok := unsignedPayload(value); ok {
			return payload, true
		}
	}
	signed, err := jose.ParseSignedCompact(value, []jose.SignatureAlgorithm{jose.RS512})
	if err != nil {
		return nil, false
	}
	payload, err := signed.Verify(&s.key.PublicKey)
	return payload, err == nil
}

// endAccess makes an access token worthless before its time; s.mu is held.
func (s *Sandbox) endAccess(value string, now time.Time) {
	if a, why := s.lookUp(value, now); why == "" {
		s.state.denied[a.id] = a.expires
	}
}
