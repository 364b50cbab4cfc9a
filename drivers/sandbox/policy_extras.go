package sandbox

// extrasPolicy is what the endpoints decide that Space does not document: revocation, introspection and metadata.
type extrasPolicy struct {
	// Revocation.
	revokesNothing     bool
	accessIrrevocable  bool // access tokens live on
	keepsAccess        bool // of a refresh token that is revoked, the access tokens live on
	unknownTokenStatus int  // 0 is 200
	revokesForAnybody  bool // without credentials
	revokesForeign     bool // tokens of other clients
	trustsHint         bool // a token is looked for only where token_type_hint says

	// Introspection.
	alwaysActive bool
	tellsAnybody bool // without credentials

	// Metadata, and what it announces.
	otherIssuer      bool
	spoilMetadata    func(document object)
	errorsOmitIssuer bool // iss is left out of errors
}
