package sandbox

import "time"

// frontPolicy is what the front channel decides: authorization requests, redirect URIs, answers,
// pages, and the codes that come of it.
type frontPolicy struct {
	// The request.
	spaceErrors         bool // Space's error codes
	demandsRedirectURI  bool // Space: redirect_uri is compulsory
	demandsScope        bool // Space: scope is compulsory
	requestCredentials  bool // Space: the parameter is honoured
	silentCode          bool // Space 2021: skip and silent also for response_type=code
	offersImplicit      bool
	loginFirst          bool // errors are only sent to the client after the sign-in
	refusesGet          bool
	defaultsToCode      bool // a missing response_type is code
	typePrefix          bool // response_type is compared by its beginning
	redirectsUnknown    bool // an unknown client is redirected to
	anonymous           bool // no sign-in is demanded
	refusesUnknown      bool // an unknown parameter is an error
	postUnchecked       bool // a POST may name any redirect_uri
	blankErrors         bool // error pages hold nothing
	checksFirst         bool // of a repeated redirect_uri, and redirects to the last
	ignoresTypeList     bool // a client may use response types it is not registered for
	ignoresRequired     bool // request_credentials=required
	ignoresSilent       bool // request_credentials=silent
	implicitForAll      bool // the implicit flow, whatever a client is registered for
	ignoresPublicSwitch bool // a confidential client may redeem without its secret

	// The redirect URI.
	matchRedirect     func(registered, asked string) bool // what counts as equal, on top of equality
	refusesRedirect   func(c *client, uri string) bool    // although registered
	errorsAnywhere    bool                                // errors go to any redirect_uri
	loopbackPortFixed bool                                // the port of a loopback redirect URI is compared
	stripsFragment    bool
	picksFirst        bool // of several registered URIs when none is sent
	dropsQuery        bool // of the registered URI

	// The answer.
	spoilState       func(state string, sent bool) (string, bool)
	spoilErrorState  func(state string, sent bool) (string, bool)
	denialGrants     bool
	echoesScope      bool
	swapsErrors      bool // code errors come in the fragment
	tokenInQuery     bool
	tokenErrorsQuery bool
	spoilFragment    func(p []pair) []pair
	implicitRefresh  bool
	refusesImplicit  bool

	// The code.
	codeLifetime       time.Duration
	demandsURIAgain    bool // redirect_uri at redemption, when it was in the request
	brokenCodes        bool // codes of confidential clients are refused
	reusableCodes      bool
	replayKeepsTokens  bool
	codeAnyClient      bool
	uriUnchecked       bool
	uriOptional        bool
	codePrefix         int  // how many characters of a code are compared; 0 is all
	noClientID         bool // a public client needs not name itself
	sharedTable        bool // codes, refresh and access tokens stand for each other
	lastUserWins       bool // a code is for whoever got one last
	ignoresOffline     bool
	verifierNeedsChall bool // a verifier without challenge is refused
	anyReplayRevokes   bool // also one that could not have succeeded

	// PKCE.
	plain            bool // offered
	pkcePublic       bool // compulsory for public clients
	pkceAll          bool // compulsory for every client
	s256Padded       bool // compares with padding
	pkceIgnored      bool
	verifierOptional bool
	plainFallback    bool // the challenge itself is taken for an S256 verifier
	unknownMethodOff bool // an unknown method switches PKCE off
	defaultsS256     bool
	pkceNotEnforced  bool // although the registration requires it
	lastChallenge    bool // only the session's last challenge is kept
	pkceReplacesAuth bool
	shortestVerifier int  // 0 is 43
	anyChallenge     bool // whatever its shape; padding is overlooked
	challengeInCode  bool
}

func cleanFront(o Options) frontPolicy {
	space := o.Posture == postureSpace
	return frontPolicy{
		spaceErrors:        space,
		demandsRedirectURI: space,
		demandsScope:       space,
		requestCredentials: space,
		silentCode:         o.Edition == edition2021,
		offersImplicit:     !modern(o),
		loginFirst:         modern(o),
		codeLifetime:       o.CodeLifetime,
		demandsURIAgain:    o.Posture != posture21,
		verifierNeedsChall: modern(o),
		plain:              !modern(o),
		pkcePublic:         o.Posture == postureBCP,
		pkceAll:            o.Posture == posture21,
	}
}
