package sandbox

import "net/http"

// pagePolicy is what protects the people at the sign-in and consent pages from other sites.
type pagePolicy struct {
	consentUnsealed    bool          // the anti-forgery value of the consent form is not looked at
	signInUnsealed     bool          // nor that of the sign-in form
	crossSite          bool          // browsers send the session's cookie with requests of other sites, too
	remembersPublic    bool          // consent given to an application that anybody may pretend to be
	echoesState        bool          // the sign-in page shows the state as it came
	stateInHeaders     bool          // lines of the state become headers of the answer
	signedInStatus     func(int) int // of the answer to the sign-in form
	postedQuery        bool          // a POST is read from its query, if it has one
	crossOrigin        bool          // scripts of any origin may read the authorization endpoint
	framed             bool          // any site may put the pages into a frame
	referrer           string        // the policy, instead of no-referrer
	thirdParty         bool          // the sign-in page loads another host's script
	scriptsReadSession bool          // the session's cookie is open to scripts
	plainRedirects     bool          // http redirect URIs beyond the own machine
	refusesPlain       bool          // the posture does not deliver anything to them
	leavesAfterSignIn  bool          // for wherever the form says
}

func cleanPages(o Options) pagePolicy { return pagePolicy{refusesPlain: modern(o)} }

// analytics is the host that a page should have nothing to do with.
const analytics = "https://analytics.example"

func temporary(int) int { return http.StatusTemporaryRedirect }
