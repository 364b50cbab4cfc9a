package sandbox

import "time"

// nearPolicy is what other deployments decide otherwise and are right, or nearly so. A clean sandbox has none of it.
type nearPolicy struct {
	gateway gateway // stands between the user agent and the sandbox

	// How a request is read.
	equalRepeats bool // a parameter may be repeated with the same value
	dropsUnknown bool // unknown and forbidden scopes are left out of what is granted

	// The front channel.
	signInBeforeErrors bool  // the page about an unknown client or redirect URI is for people who are signed in
	consent            *bool // nobody is asked, or everybody each time
	lateChallenge      bool  // what a code_challenge looks like is noticed when the code is redeemed

	// Codes and tokens.
	burnsCodes        bool          // a redemption that failed ends the code
	selfContained     bool          // access tokens live until they expire, whatever was revoked
	skew              time.Duration // how much longer a token is believed than it lives
	reissues          bool          // the same client, person and scope get the same access token again while it lives
	repeatsLive       bool          // a refresh returns the old access token while it lives
	foreignUseRevokes bool          // another client's attempt with a refresh token ends it
	refusesSubsets    bool          // a refresh may ask for all of its scope only
	keepsScope        bool          // a refresh gives all of its scope, and says so
	demandsScope      bool          // client credentials and refreshes without scope are refused
	confidentialKeeps bool          // only public clients' refresh tokens are replaced
	grace             time.Duration // how long a replaced refresh token goes on
	chosenSecrets     bool          // the secrets were chosen by an administrator
}
