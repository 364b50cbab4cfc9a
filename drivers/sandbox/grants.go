package sandbox

import (
	"strings"
	"time"
)

// An issuance is what a grant came to: the token that will be made.
type issuance struct {
	client        *client
	user          *user // nil: the client itself
	scope         scope
	narrowed      bool // the scope is not the one that was asked for
	quiet         bool // the scope is not told
	authorization *authorization
	refresh       string // a refresh token to hand out
	access        string // an access token to hand out instead of a new one
	subject       *user  // whom the token names although it is the client's own
}

// grant does what grant_type says.
func (s *Sandbox) grant(in tokenRequest) (issuance, *refusal) {
	switch in.grant {
	case grantClientCredentials:
		if no := s.mayUse(in); no != nil {
			return issuance{}, no
		}
		return s.clientCredentials(in)
	case grantPassword:
		if s.policy.grants.offersPassword {
			if no := s.mayUse(in); no != nil {
				return issuance{}, no
			}
			return s.password(in)
		}
	case grantCode:
		if no := s.mayUse(in); no != nil {
			return issuance{}, no
		}
		return s.redeem(in)
	case grantRefresh:
		if no := s.mayUse(in); no != nil {
			return issuance{}, no
		}
		return s.renew(in)
	}
	return issuance{}, refuse(s.policy.token.unknownGrantCode, "The server does not offer this grant type")
}

// mayUse asks whether the client is registered for the grant.
func (s *Sandbox) mayUse(in tokenRequest) *refusal {
	c, p := in.client, &s.policy.grants
	switch {
	case c == nil, s.policy.token.ignoresGrantList && !c.public:
		return nil
	case in.grant == grantClientCredentials && c.public && p.clientCredentialsPublic:
		return nil
	case in.grant == grantClientCredentials && p.refusesClientCredentials:
	case in.grant == grantPassword && p.passwordForAll && !c.public:
		return nil
	case in.grant == grantRefresh && s.mayRefresh(c):
		return nil
	case in.grant != grantRefresh && c.has(in.grant):
		return nil
	}
	return refuse("unauthorized_client", "The client is not registered for this grant type")
}

// mayRefresh says whether refresh tokens are for this client; on Space they come with code and password.
func (s *Sandbox) mayRefresh(c *client) bool {
	p := &s.policy.grants
	return c.has(grantRefresh) || p.refreshImplied && !p.refreshTokenNeedsGrant && (c.has(grantCode) || c.has(grantPassword))
}

// A wish is the scope that a request asks for.
type wish struct {
	text  string
	given bool
}

// narrowedTo reports whether something else was granted than was asked for.
func (w wish) narrowedTo(granted scope) bool { return w.given && literal(w.text).text != granted.text }

func (s *Sandbox) wish(f form) wish {
	for i := range f {
		if f[i].name == "scope" {
			return wish{text: f[i].value, given: true}
		}
	}
	return wish{}
}

// resolve turns a wish into what is granted, at most limit.
func (s *Sandbox) resolve(w wish, limit scope) (scope, *refusal) {
	if !w.given {
		return limit, nil
	}
	no := refuse("invalid_scope", "The scope is malformed, unknown, or more than may be granted")
	if s.policy.grants.orderSensitive && w.text != "**" && literal(w.text).text != w.text {
		return scope{}, no
	}
	if s.policy.near.dropsUnknown {
		w.text = s.known(w.text, limit)
	}
	asked, err := s.grammar.parse(w.text)
	if err != nil {
		return scope{}, no
	}
	granted, err := asked.restricted(limit)
	if err != nil {
		return scope{}, no
	}
	return granted, nil
}

// known keeps the items of a scope that may be granted; with none left the wish is refused as it stands.
func (s *Sandbox) known(text string, limit scope) string {
	var kept []string
	for item := range strings.SplitSeq(text, " ") {
		if asked, err := s.grammar.parse(item); err == nil && (asked.all || asked.within(limit)) {
			kept = append(kept, item)
		}
	}
	if kept == nil {
		return text
	}
	return strings.Join(kept, " ")
}

// ownScope is what a client gets that asks in its own name or with a password.
func (s *Sandbox) ownScope(w wish, c *client) (scope, *refusal) {
	if s.policy.grants.echoesScope && w.given {
		return literal(w.text), nil
	}
	return s.resolve(w, c.rights)
}

func (s *Sandbox) clientCredentials(in tokenRequest) (issuance, *refusal) {
	p := &s.policy.grants
	w := s.wish(in.form)
	if !w.given && p.omittedScopeStatus != 0 {
		return issuance{}, crash(p.omittedScopeStatus)
	}
	if !w.given && s.policy.near.demandsScope {
		return issuance{}, refuse("invalid_scope", "scope is missing")
	}
	granted, no := s.ownScope(w, in.client)
	if no != nil {
		return issuance{}, no
	}
	out := issuance{client: in.client, scope: granted, narrowed: w.narrowedTo(granted)}
	if p.clientIsUser {
		out.subject = s.users[0]
	}
	if p.clientCredentialsRefresh {
		s.mu.Lock()
		out.authorization = s.newAuthorization(in.client, nil, granted, in.now)
		out.refresh = s.newRefresh(out.authorization, granted, in.now)
		s.mu.Unlock()
	}
	return out, nil
}

func (s *Sandbox) password(in tokenRequest) (issuance, *refusal) {
	p := &s.policy.grants
	name, password := in.form.get("username"), in.form.get("password")
	if name == "" || password == "" {
		return issuance{}, refuse("invalid_request", "username or password is missing")
	}
	u, no := s.signIn(name, password, in.now)
	if no != nil {
		return issuance{}, no
	}
	w := s.wish(in.form)
	if !w.given && !p.scopeDefaults && !p.passwordScopeDefaults {
		return issuance{}, refuse("invalid_scope", "scope is missing")
	}
	granted, no := s.ownScope(w, in.client)
	if no != nil {
		return issuance{}, no
	}
	out := issuance{client: in.client, user: u, scope: granted, narrowed: w.narrowedTo(granted)}
	offline := in.form.get("access_type") == "offline" || p.passwordAlwaysOffline
	if offline && s.mayRefresh(in.client) {
		s.mu.Lock()
		out.authorization = s.newAuthorization(in.client, u, granted, in.now)
		out.refresh = s.newRefresh(out.authorization, granted, in.now)
		s.mu.Unlock()
	}
	return out, nil
}

// signIn compares a user's password; a wrong one and an unknown user look the same.
func (s *Sandbox) signIn(name, password string, now time.Time) (*user, *refusal) {
	if s.throttle.holds("user "+name, now) {
		return nil, tooMany()
	}
	known := s.byName[name]
	u := known
	if u == nil {
		u = s.guest() // as long as for a known user; its password is nobody's
	}
	if s.passwordMatches(u, password) && known != nil {
		return u, nil
	}
	s.throttle.failed("user "+name, now)
	if s.policy.grants.wrongPasswordStatus != 0 {
		return nil, crash(s.policy.grants.wrongPasswordStatus)
	}
	if known == nil && s.policy.grants.enumeratesUsers {
		return nil, refuse("invalid_grant", "No such user")
	}
	return nil, refuse("invalid_grant", "The user name or the password is wrong")
}

// renew is the refresh token grant.
func (s *Sandbox) renew(in tokenRequest) (issuance, *refusal) {
	p := &s.policy.grants
	value := in.form.get("refresh_token")
	if value == "" {
		return issuance{}, refuse("invalid_request", "refresh_token is missing")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rt := s.findRefresh(value, in.now)
	dead := refuse("invalid_grant", "The refresh token is invalid, expired, revoked, or another client's")
	if rt == nil || rt.authorization.revoked || in.now.After(rt.expires) {
		return issuance{}, dead
	}
	a := rt.authorization
	c := in.client
	if c == nil {
		c = a.client
	}
	if c != a.client && !p.refreshAnyClient {
		if s.policy.near.foreignUseRevokes {
			s.revoke(a)
		}
		return issuance{}, dead
	}
	// Without a grace there is none, not even for a request that came before the one that was quicker at the lock.
	grace := s.policy.near.grace
	inGrace := grace > 0 && in.now.Before(rt.used.Add(grace))
	if rt.superseded && !p.oldRefreshAlive && !inGrace {
		// Somebody holds a copy, and nobody knows who: the whole family ends (RFC 9700 §4.14.2).
		if !p.reuseKeepsFamily {
			s.revoke(a)
		}
		return issuance{}, dead
	}
	granted, no := s.renewedScope(in.form, c, rt)
	if no != nil {
		return issuance{}, no
	}
	if a = s.family(rt, in.now); a == nil {
		return issuance{}, dead
	}
	w := s.wish(in.form)
	out := issuance{client: c, user: a.user, scope: granted, authorization: a,
		narrowed: w.narrowedTo(granted), quiet: p.refreshKeepsScope && w.given}
	if !rt.superseded {
		rt.used = in.now
	}
	if p.rotates && !(p.publicKeeps && c.public) && !(s.policy.near.confidentialKeeps && !c.public) {
		kept := rt.scope
		if p.rotatesNarrowed {
			kept = granted
		}
		rt.superseded = true
		out.refresh = s.newRefresh(a, kept, in.now)
	}
	if p.refreshRepeats && a.lastAccess != "" {
		out.access = a.lastAccess
		s.endAccess(a.lastAccess, in.now)
	}
	if s.policy.near.repeatsLive && !w.given {
		out.access = a.lastAccess
	}
	return out, nil
}

// renewedScope is what the new access token may do: what is asked for, but never more than was granted.
func (s *Sandbox) renewedScope(f form, c *client, rt *refreshToken) (scope, *refusal) {
	p := &s.policy.grants
	w := s.wish(f)
	limit := rt.scope
	switch {
	case p.refreshWidens && w.given, p.refreshDefaultsAll && !w.given:
		limit = c.rights
	case p.refreshKeepsScope, s.policy.near.keepsScope && rt.scope.covers(firstItem(w.text)):
		return rt.scope, nil
	}
	granted, no := s.resolve(w, limit)
	if no == nil && s.policy.near.refusesSubsets && granted.text != limit.text {
		return scope{}, refuse("invalid_scope", "A refresh token is for all of its scope")
	}
	return granted, no
}

// findRefresh looks a refresh token up; s.mu is held.
func (s *Sandbox) findRefresh(value string, now time.Time) *refreshToken {
	if rt := s.state.refresh[value]; rt != nil {
		return rt
	}
	if n := s.policy.grants.refreshPrefix; n > 0 && len(value) >= n {
		for k, rt := range s.state.refresh {
			if strings.HasPrefix(k, value[:n]) {
				return rt
			}
		}
	}
	if !s.policy.front.sharedTable {
		return nil
	}
	if c := s.state.codes[value]; c != nil {
		a := s.newAuthorization(c.client, c.user, c.scope, now)
		return &refreshToken{authorization: a, scope: c.scope, expires: c.expires}
	}
	if acc, why := s.lookUp(value, now); why == "" {
		a := s.newAuthorization(acc.client, acc.user, acc.scope, now)
		return &refreshToken{authorization: a, scope: acc.scope, expires: acc.expires}
	}
	return nil
}

// passwordMatches compares in constant time.
func (s *Sandbox) passwordMatches(u *user, password string) bool {
	d := s.digest(password)
	return equalDigests(d, u.digest)
}

// firstItem is the beginning of a scope, enough to tell a part of it from something else.
func firstItem(text string) string {
	item, _, _ := strings.Cut(text, " ")
	return item
}
