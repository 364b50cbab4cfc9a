package sandbox

import "time"

// grantPolicy is what each grant is worth: who may use it, for what scope, for how long.
type grantPolicy struct {
	offersPassword  bool // BCP: refused
	passwordForAll  bool // Space: every confidential application
	refreshImplied  bool // Space: by code or password
	scopeDefaults   bool // a missing scope means the default one; else invalid_scope (Space)
	accessLifetime  time.Duration
	refreshLifetime time.Duration
	jwt             bool

	// Client credentials.
	refusesClientCredentials bool
	clientCredentialsPublic  bool // public clients may ask
	clientCredentialsRefresh bool // with a refresh token
	clientIsUser             bool // the token names a person
	omittedScopeStatus       int  // when client credentials name no scope; 0 grants

	// Scope.
	echoesScope    bool // what was asked is granted
	orderSensitive bool
	parsesNoScope  bool // malformed items are granted as they stand

	// Password.
	wrongPasswordStatus    int // 0 is 400
	enumeratesUsers        bool
	passwordAlwaysOffline  bool
	passwordScopeDefaults  bool // a missing scope is all of them
	refreshTokenNeedsGrant bool // refresh_token must be registered although code is

	// Refresh.
	rotates            bool // refresh tokens are replaced when used
	publicKeeps        bool // but not those of public clients
	rotatesNarrowed    bool // the new refresh token keeps the narrowed scope
	oldRefreshAlive    bool
	reuseKeepsFamily   bool
	refreshRepeats     bool // the old, dead access token comes back
	refreshNeedsNoAuth bool
	refreshAnyClient   bool
	refreshPrefix      int  // how many characters of a refresh token are compared; 0 is all
	refreshWidens      bool // to whatever the client may have
	refreshDefaultsAll bool // a missing scope is everything the client may have
	refreshKeepsScope  bool // the scope parameter is ignored and not reported
}

func cleanGrants(o Options) grantPolicy {
	return grantPolicy{
		offersPassword:  !modern(o),
		passwordForAll:  o.Posture == postureSpace,
		refreshImplied:  o.Posture == postureSpace,
		scopeDefaults:   o.Posture != postureSpace,
		accessLifetime:  o.AccessTokenLifetime,
		refreshLifetime: 30 * 24 * time.Hour,
		jwt:             o.Tokens == tokensRS512,
		rotates:         o.Rotation || modern(o),
	}
}
