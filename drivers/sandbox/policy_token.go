package sandbox

// tokenPolicy is how the token endpoint reads a request, knows the client and words its answer.
type tokenPolicy struct {
	// How a request is read.
	refusesPost        bool
	acceptsGet         bool
	mergesQuery        bool // the URL's query counts as part of the body
	decodesLatin1      bool
	refusesUnknown     bool // unknown parameters are an error
	emptyScopeIsValue  bool
	takesFirst         bool // of a repeated parameter
	foldsGrantType     bool // letter case of grant_type and of parameter names is ignored
	missingGrantStatus int  // when grant_type is missing; 0 is 400
	unknownGrantCode   string
	badPercentStatus   int // when the body is not form-encoded; 0 is 400

	// How the client is known.
	refusesBasic        bool
	ignoresBodySecret   bool
	splitsAllColons     bool // Basic credentials end at their second colon
	ignoresScheme       bool // any scheme of the Authorization header is taken for Basic
	readsQuerySecret    bool // client_id and client_secret are read from the URL
	bodyClientWins      bool // over the client that Basic authenticated
	toleratesTwoMethods bool // Basic and equal credentials in the body (Space)
	unknownClientStatus int  // 0 is 401
	basicFailureStatus  int  // 0 is 401
	omitsChallenge      bool // no WWW-Authenticate with invalid_client
	clientIDSuffices    bool // for a confidential client
	secretPrefix        int  // how many bytes of a credential are compared; 0 is all
	ignoresGrantList    bool // a client may use grants it is not registered for
	secretLength        int  // of a registered secret; 0 is long
	neverThrottles      bool

	// How the answer is worded.
	spoilMembers       func(grant string, m []member) []member
	spoilBody          func(grant string, body []byte) []byte
	spacesToken        spacing // puts a space into access tokens
	hidesNarrowedScope bool
	omitsNoStore       bool
	omitsPragma        bool
	spoilRefusal       func(r refusal) refusal
	echoesSecret       bool
}

func cleanToken(o Options) tokenPolicy {
	return tokenPolicy{
		unknownGrantCode:    "unsupported_grant_type",
		toleratesTwoMethods: o.Posture == postureSpace,
	}
}
