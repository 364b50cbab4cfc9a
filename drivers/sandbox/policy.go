package sandbox

// A policy is everything that the sandbox decides; each field is read at exactly one place. Booleans
// that are not set by a posture name a defect, so that the zero value is the right behaviour, and
// functions (which spoil an answer) are nil on a clean sandbox.
type policy struct {
	token     tokenPolicy
	grants    grantPolicy
	front     frontPolicy
	resource  resourcePolicy
	pages     pagePolicy
	race      racePolicy
	extras    extrasPolicy
	transport transportPolicy
	near      nearPolicy
}

// The postures: which profile the clean sandbox is spotless under.
const (
	postureSpace = "space"
	postureRFC   = "rfc6749"
	postureBCP   = "bcp-9700"
	posture21    = "oauth-2.1"
)

// The editions of Space.
const (
	edition2021 = "space-2021"
	edition2023 = "space-2023"
	edition2024 = "space-2024"
)

// cleanPolicy is the faultless policy of a posture.
func cleanPolicy(o Options) policy {
	return policy{
		token:    cleanToken(o),
		grants:   cleanGrants(o),
		front:    cleanFront(o),
		resource: cleanResource(o),
		pages:    cleanPages(o),
	}
}

// modern reports whether the posture forbids what RFC 9700 forbids.
func modern(o Options) bool { return o.Posture == postureBCP || o.Posture == posture21 }
