package sandbox

// racePolicy is what becomes of requests that come at the same moment, and of the values that nobody may guess.
type racePolicy struct {
	codeLate       bool // a code counts as used a while after it was looked up
	codeForks      bool // and each redemption of that while has tokens of its own
	losersCrash    bool // a redemption that another one overtook ends with 500
	clientShared   bool // redemptions that are under way together are all taken for the owner's, if one is
	verifierShared bool // and for proven, if one is
	refreshForks   bool // each of several simultaneous refreshes starts a family
	refreshDeaf    bool // a refresh under way does not notice a revocation
	revokesLate    bool // a revocation takes a while
	sharesBuffer   bool // people's answers are written into one buffer
	cacheAllows    bool // when many clients come at once, a wrong secret is as good as a right one
	oneRequest     bool // a session remembers one authorization request, the last
	collides       bool // under load a token is issued twice
	countsTokens   bool // opaque access tokens count up
}
