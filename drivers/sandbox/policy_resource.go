package sandbox

import "time"

// resourcePolicy is what the resources demand of a token, and where Space's own promises are kept.
type resourcePolicy struct {
	ignoresHeader      bool // the Authorization header, at the list of profiles
	caseSensitive      bool // the scheme must be written Bearer
	omitsChallenge     bool // no WWW-Authenticate without credentials
	errorUnasked       bool // an error attribute without credentials
	invalidTokenStatus int  // 0 is 401
	scopeUnchecked     bool
	emptyTokenStatus   int // of an Authorization header without a token; 0 is 400
	acceptsUnsigned    bool
	acceptsRefresh     bool                     // refresh tokens as bearer tokens
	htmlError          func(r *apiRefusal) bool // which errors are a page

	applicationIsUser bool                                       // applications may read a person's resource
	ignoresRevocation bool                                       // the deletion of a refresh token or a consent leaves access tokens alive
	otherPaths        bool                                       // the endpoints are not where Space documents them
	staleKeySet       bool                                       // the published key is not the one that signs
	expiry            func(lifetime time.Duration) time.Duration // what the JWT's exp says
	queryToken        bool                                       // a token in the URL is accepted
	queryWins         bool                                       // a token in the URL is taken over the one in the header
	queryCacheable    bool                                       // a token in the URL is accepted, and the answer may be kept
	neverExpires      bool                                       // the end of an access token is not looked at
}

func cleanResource(Options) resourcePolicy { return resourcePolicy{} }
