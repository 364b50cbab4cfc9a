// Package sandbox is a stand-in for a JetBrains Space deployment: a small authorization server and
// resource server that does everything right, until a fault is switched on by name.
//
// Every decision that a requirement is about is taken at one place, which reads one field of a policy.
// The posture (space, rfc6749, bcp-9700, oauth-2.1) makes the clean policy; a fault is a row of a table
// that changes it. Handlers know no faults. To add one, add a field to the policy of its section
// (policy_token.go, policy_grants.go, policy_front.go, policy_resource.go) whose zero value is the right
// behaviour, read it at the place where the decision is taken, and add a row to the table of the section
// (faults_token.go, faults_grants.go, faults_front.go, faults_resource.go).
//
// # What is known of Space, and what is guessed
//
// Documented by JetBrains' help pages or relied upon by its published clients: the paths; applications
// with UUID client IDs and their switches (code, implicit and client credentials flow, required PKCE,
// public clients; the password grant always on, refresh implied); separate lists of redirect URIs for
// code and implicit; unsupported_response_type for a missing response_type, unauthorized_client for a bad
// redirect_uri, invalid_request for an unknown client, invalid_scope for a missing scope;
// request_credentials and access_type; PKCE with S256 and plain, plain by default; single-use codes bound
// to client and redirect URI; raw (not form-encoded) Basic credentials, credentials in the body, and both
// when they are equal; optional scope with client credentials, compulsory scope with password; refresh
// tokens that stay valid when used; RS512 access tokens without kid, with sub, aud, orgDomain, scope, name,
// iss, principal_type, exp, iat and sid, living 600 s; the key set; both scope grammars; the consent card
// with its action list, "All actions" and the offline line; remembered consent with an offline flag; the
// list of consents and refresh tokens with its deletions; the hyphenated error codes and the two exact texts
// ("Access token has expired", "Refresh token associated with the access token is revoked").
//
// Inferred from hints or from the RFCs: exact redirect URI matching with a free port for loopback addresses;
// the error page of a bad client or redirect URI and its status 400; token answers in the fragment; a refresh
// token with every offline exchange and not only the first; 60 s of code lifetime, and revocation on replay;
// invalid_client for unequal credentials; Cache-Control; all granted rights when client credentials name no
// scope; throttling; sub of an application's token; the jti claim; the statuses of API errors and their
// WWW-Authenticate; access_denied as the answer of request_credentials=silent; skip and silent only for the
// implicit flow after 2021; CORS; the whole look of the pages.
//
// Revocation, introspection and metadata were never seen on Space: they are extras, off unless asked for.
package sandbox
