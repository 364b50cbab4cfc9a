package suites

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// mayVerify says whether the client may use PKCE at all.
func (s *session) mayVerify(c target.Client) bool {
	return c.Has(target.AuthorizationCode) && c.PKCE != "none" && !c.Sacrificial
}

// verifying is a client that may use PKCE, one that need not if there is one.
func (s *session) verifying(public bool) target.Client {
	for _, c := range s.target.Clients {
		if c.Public == public && s.mayVerify(c) && c.PKCE != "required" {
			return c
		}
	}
	what := "confidential"
	if public {
		what = "public"
	}
	return s.client(what+" client that may use PKCE (authorization_code, not pkce: none)", func(c target.Client) bool { return c.Public == public && s.mayVerify(c) })
}

// unforced is a client that may use PKCE and, as far as its registration and the profile say, need not.
func (s *session) unforced() target.Client {
	for _, c := range s.target.Clients {
		if s.mayVerify(c) && !s.ordinaryPKCE(c) {
			return c
		}
	}
	return s.challengeable()
}

// challengeable is any client that may use PKCE, a confidential one if there is one.
func (s *session) challengeable() target.Client {
	for _, c := range s.target.Clients {
		if !c.Public && s.mayVerify(c) {
			return s.verifying(false)
		}
	}
	return s.verifying(true)
}

// challenged is a code that was asked for with the S256 challenge of the verifier.
func (s *session) challenged(ctx context.Context, c target.Client, verifier string) codeGrant {
	g := s.code(ctx, c, oauth.SetQuery("code_challenge", oauth.S256(verifier)), oauth.SetQuery("code_challenge_method", "S256"))
	g.verifier = verifier
	return g
}

// guarded is a code with a challenge where the client may use PKCE, an ordinary one elsewhere.
func (s *session) guarded(ctx context.Context, c target.Client) codeGrant {
	if s.mayVerify(c) {
		return s.challenged(ctx, c, oauth.NewVerifier())
	}
	return s.code(ctx, c)
}

// unchallenged plays a request without a challenge, and says whether a code came of it.
func (s *session) unchallenged(ctx context.Context, c target.Client) (codeGrant, bool) {
	r := s.authorize(c, target.AuthorizationCode, oauth.Titled("ask for a code without a challenge"))
	g := codeGrant{client: c, redirectURI: c.RedirectURI(target.AuthorizationCode)}
	g.landing = s.land(ctx, s.person(ctx, s.user(0)), r, oauth.Accept)
	g.code = g.landing.Params().Get("code")
	return g, g.landing.Kind == oauth.Redirected && g.code != ""
}

// wrongVerifier sends a verifier that is well-formed and not the right one.
func wrongVerifier() oauth.Change {
	return both(oauth.Set("code_verifier", oauth.NewVerifier()), oauth.Titled("redeem the code with a wrong verifier"))
}

// redeemsChallenged is the positive control of the rows about PKCE: the right verifier redeems, once a run.
func (s *session) redeemsChallenged(ctx context.Context, c target.Client) {
	s.positive("a code with an S256 challenge of "+c.Name, func() oauth.Exchange {
		return s.send(ctx, s.redemption(s.challenged(ctx, c, oauth.NewVerifier())))
	})
}

// compares is the control of the rows about what a verifier has to be like: the right one redeems, while
// a wrong one does not, nor none at all. Where that is not so, the rows about just that say it.
func (s *session) compares(ctx context.Context, c target.Client) {
	s.redeemsChallenged(ctx, c)
	for _, probe := range []struct {
		row   string
		spoil oauth.Change
	}{
		{"RFC7636-4.6-wrong-verifier", wrongVerifier()},
		{"RFC7636-4.5-missing-verifier", both(oauth.Without("code_verifier"), oauth.Titled("redeem the code without its verifier"))},
	} {
		name := probe.row + " of " + c.Name
		x, made := s.memo[name]
		if !made {
			x = s.send(ctx, s.redemption(s.challenged(ctx, c, oauth.NewVerifier()), probe.spoil))
			s.memo[name] = x
		}
		if x.IssuedToken() {
			s.seen.decide(x)
			s.inconclusive("a verifier is not needed here, so that nothing is proved about it (see %s)", probe.row)
		}
	}
}

// unverified holds fresh codes to not being redeemable without a verifier, nor with one that fits nothing.
func (s *session) unverified(ctx context.Context, fresh func() codeGrant) {
	GinkgoHelper()
	for _, change := range []oauth.Change{
		both(oauth.Without("code_verifier"), oauth.Titled("redeem the code without a verifier")),
		both(oauth.Set("code_verifier", oauth.NewVerifier()), oauth.Titled("redeem the code with any verifier")),
	} {
		x := s.send(ctx, s.redemption(fresh(), change))
		if x.IssuedToken() {
			s.seen.decide(x)
			s.seen.expected = "a refusal, at one endpoint or the other"
			s.violated("the challenge was dropped: %s", answered(x))
		}
	}
}

// ofLength is a verifier of n letters and digits.
func ofLength(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return strings.Repeat(letters, n/len(letters)+1)[:n]
}

// disclosed says where the challenge of a code, or its verifier, can be read in the authorization response.
func disclosed(g codeGrant) string {
	needles := []string{g.verifier, oauth.S256(g.verifier)}
	if sum, err := base64.RawURLEncoding.DecodeString(oauth.S256(g.verifier)); err == nil {
		needles = append(needles, string(sum), fmt.Sprintf("%x", sum), base64.StdEncoding.EncodeToString(sum))
	}
	shows := func(text string) bool {
		for _, n := range needles {
			if n != "" && strings.Contains(text, n) {
				return true
			}
		}
		return false
	}
	if readable(g.code, shows, 3) {
		return "in the code"
	}
	for _, p := range append(append(oauth.Params{}, g.landing.Query...), g.landing.Fragment...) {
		if shows(p.Value) {
			return "in the parameter " + p.Name + " of the redirect"
		}
	}
	if !redirected(g.landing) {
		return "" // the last page came before the response, and may hold the request
	}
	last := g.landing.Trail[len(g.landing.Trail)-1]
	switch {
	case shows(last.Location()):
		return "in the Location header"
	case shows(string(last.Body)):
		return "in the body of the redirect"
	case shows(strings.Join(last.Header.Values("Set-Cookie"), "\n")):
		return "in a cookie"
	}
	return ""
}

// redirected says whether the user agent was sent to the client by an HTTP redirect, as against a page.
func redirected(l oauth.Landing) bool {
	return len(l.Trail) > 0 && l.Trail[len(l.Trail)-1].Redirects()
}

// readable looks into a text, and into what its parts decode to.
func readable(text string, shows func(string) bool, depth int) bool {
	if shows(text) {
		return true
	}
	if depth == 0 {
		return false
	}
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".:|~,; \"", r) })
	for _, part := range append(parts, text) {
		bare := strings.TrimRight(part, "=")
		for _, encoding := range []*base64.Encoding{base64.RawURLEncoding, base64.RawStdEncoding} {
			if raw, err := encoding.DecodeString(bare); err == nil && len(raw) > 0 && readable(string(raw), shows, depth-1) {
				return true
			}
		}
	}
	return false
}
