package suites

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// races says what holds when requests come at the same moment (RFC 6749 §10.5, RFC 9700 §4.2.4).
func races(s *session) {
	Describe("simultaneous requests", func() {
		codeRaces(s)
		refreshRaces(s)
		crowds(s)
	})
}

func codeRaces(s *session) {
	const code = target.AuthorizationCode

	It("redeems a code once, however many ask at once", flow(code), proves("RFC6749-10.5-race-code-redeemed-once"), func(ctx SpecContext) {
		t := s.codeRace(ctx)
		s.seen.expected = "at most one token for each code"
		lost := 0
		for _, round := range t.codes {
			won := winners(round)
			if len(won) > 1 {
				s.seen.decide(won[1])
				s.violated("%d of %d simultaneous redemptions of one code got a token; %v", len(won), len(round), t)
			}
			if len(won) == 0 && !slices.ContainsFunc(round, untold) {
				lost++
				s.seen.decide(round[0])
			}
		}
		if lost > 0 {
			s.warn("in %d of %d rounds nobody got a token, so whoever asks twice gets nothing; %v", lost, t.rounds, t)
		}
		t.settle()
	})

	It("tells those who redeem a code too late that it is spent", flow(code), proves("RFC6749-10.5-race-losers-clean"), func(ctx SpecContext) {
		t := s.codeRace(ctx)
		losers := 0
		var unheard []oauth.Exchange
		for _, round := range t.codes {
			for _, x := range round {
				if x.IssuedToken() || putOff(x) {
					continue
				}
				losers++
				s.seen.expected = "400 with the error invalid_grant"
				switch {
				case !x.Answered():
					unheard = append(unheard, x)
				case x.Status >= 500 || x.Status < 400 && x.ErrorCode() == "":
					s.seen.decide(x)
					s.violated("%s; %v", answered(x), t)
				case x.Status != http.StatusBadRequest || x.ErrorCode() != "invalid_grant":
					s.seen.decide(x)
					s.warn("%s where 400 invalid_grant is right", answered(x))
				}
			}
		}
		if losers == 0 {
			s.inconclusive("nobody came too late: %v", t)
		}
		if len(unheard) > 0 {
			s.seen.decide(unheard[0])
			s.crowdIsHeard(ctx, unheard)
			s.violated("to %d requests no whole answer came (%v), although one comes to each of many that redeem what is no code; %v", len(unheard), unheard[0].Err, t)
		}
		t.settle()
	})

	It("leaves the tokens of one redemption alive at most", flow(code), proves("RFC6749-4.1.2-race-no-orphan-tokens"), func(ctx SpecContext) {
		s.personsResource(ctx)
		t := s.codeRace(ctx)
		s.seen.expected = "at most one living family of tokens for each code"
		for i, alive := range t.alive {
			if alive > 1 {
				s.seen.decide(winners(t.codes[i])[1])
				s.violated("%d access tokens of one code are alive; %v", alive, t)
			}
		}
		t.settle()
	})

	It("redeems a code for nobody but its client, even while that redeems it", flow(code), proves("RFC6749-4.1.3-race-two-clients"), func(ctx SpecContext) {
		owner, thief := s.twoConfidential()
		s.redeems(ctx, owner)
		s.redeems(ctx, thief)
		steal := func(g codeGrant) oauth.Request {
			g.client = thief
			return s.redemption(g, oauth.Titled("redeem the code of another client"))
		}
		s.alone("the code of another client", func() oauth.Exchange { return s.send(ctx, steal(s.code(ctx, owner))) })
		t := &tournament{s: s}
		for i := range t.each() {
			g := s.code(ctx, owner)
			both := []oauth.Request{s.redemption(g), steal(g)}
			if i%2 == 1 {
				slices.Reverse(both)
			}
			for _, x := range t.run(ctx, both...) {
				s.seen.expected = "no token but the owner's"
				if x.IssuedToken() && x.Request.Client == thief.Name {
					s.seen.decide(x)
					s.violated("another client got a token for the code while its owner redeemed it; %v", t)
				}
			}
		}
		t.settle()
	})

	It("takes no wrong verifier, even while the right one comes", flow(code), proves("RFC7636-4.6-race-mixed-verifiers"), func(ctx SpecContext) {
		c := s.challengeable()
		s.redeemsChallenged(ctx, c)
		s.alone("a wrong verifier", func() oauth.Exchange {
			return s.send(ctx, s.redemption(s.guarded(ctx, c), wrongVerifier()))
		})
		t := &tournament{s: s}
		lost := 0
		for i := range t.each() {
			g := s.guarded(ctx, c)
			var requests []oauth.Request
			for range 5 {
				requests = append(requests, s.redemption(g, wrongVerifier()))
			}
			right := (i * 2) % len(requests)
			requests[right] = s.redemption(g, oauth.Titled("redeem the code with the right verifier"))
			s.seen.expected = "no token for a wrong verifier"
			won := false
			for j, x := range t.run(ctx, requests...) {
				won = won || x.IssuedToken() || untold(x)
				if x.IssuedToken() && j != right {
					s.seen.decide(x)
					s.violated("a wrong verifier got a token while the right one came; %v", t)
				}
			}
			if !won {
				lost++
			}
		}
		if lost > 0 {
			s.note("in %d of %d rounds the right verifier lost as well: a wrong one seems to end the code; %v", lost, t.rounds, t)
		}
		t.settle()
	})
}

// crowdIsHeard is the control of a race that lost answers: far more requests, as many at once, about nothing that they
// could fight over, are all answered. Otherwise, or if but one or two got lost, it may be the way there and not the race.
func (s *session) crowdIsHeard(ctx context.Context, unheard []oauth.Exchange) {
	GinkgoHelper()
	if len(unheard) < 3 {
		s.inconclusive("%d of the answers got lost (%v), which may be the way there", len(unheard), unheard[0].Err)
	}
	c := s.holder(target.AuthorizationCode)
	g := codeGrant{client: c, redirectURI: c.RedirectURI(target.AuthorizationCode)}
	t := &tournament{s: s}
	for range 20 {
		requests := make([]oauth.Request, 20)
		for i := range requests {
			requests[i] = s.redemption(g, oauth.Set("code", oauth.NewVerifier()), oauth.Titled("redeem what is no code, 20 at once"))
		}
		if round := t.run(ctx, requests...); slices.ContainsFunc(round, unanswered) {
			s.inconclusive("answers got lost in the race (%v), and so they do among as many requests that have nothing to do with each other", unheard[0].Err)
		}
	}
}

func unanswered(x oauth.Exchange) bool { return !x.Answered() }

// untold reports whether it is not known what the server made of a request.
func untold(x oauth.Exchange) bool { return unanswered(x) || putOff(x) }

// winners are the exchanges that brought a token.
func winners(round []oauth.Exchange) []oauth.Exchange {
	var out []oauth.Exchange
	for _, x := range round {
		if x.IssuedToken() {
			out = append(out, x)
		}
	}
	return out
}

// A codeTournament is the race for codes, which several rows judge.
type codeTournament struct {
	tournament
	codes [][]oauth.Exchange // by round
	alive []int              // how many different access tokens of each round worked afterwards
}

// codeRace runs the race for codes once a run.
func (s *session) codeRace(ctx context.Context) *codeTournament {
	c := s.holder(target.AuthorizationCode)
	s.redeems(ctx, c)
	s.alone("a code that was redeemed", func() oauth.Exchange {
		g, _ := s.redeemed(ctx, c)
		return s.send(ctx, s.redemption(g, oauth.Titled("redeem the code again")))
	})
	if s.raced != nil {
		return s.raced
	}
	t := &codeTournament{tournament: tournament{s: s}}
	for _, n := range []int{2, 5, 20} {
		for range t.each() {
			g := s.code(ctx, c)
			requests := make([]oauth.Request, n)
			for i := range requests {
				requests[i] = s.redemption(g, oauth.Titled(fmt.Sprintf("redeem the code, %d at once", n)))
			}
			round := t.run(ctx, requests...)
			t.codes = append(t.codes, round)
			t.alive = append(t.alive, s.living(ctx, round))
		}
	}
	s.raced = t
	return t
}

// living counts the different access tokens of a round that still work, where there is more than one.
func (s *session) living(ctx context.Context, round []oauth.Exchange) int {
	r := s.userResource()
	tokens := map[string]bool{}
	for _, x := range winners(round) {
		if t, err := x.Token(); err == nil && t.AccessToken != "" {
			tokens[t.AccessToken] = true
		}
	}
	if r == nil || len(tokens) < 2 {
		return 0
	}
	alive := 0
	for token := range tokens {
		if x := s.send(ctx, s.driver.Resource(*r, token, oauth.Titled("use a token that came of the race"))); x.Status/100 == 2 && !deniesInline(x) {
			alive++
		}
	}
	return alive
}

func refreshRaces(s *session) {
	It("replaces a refresh token once, however many use it at once", flow(target.RefreshToken), proves("RFC9700-4.14.2-race-refresh-single-successor"), func(ctx SpecContext) {
		c := s.rotating()
		grace := s.target.Refresh.Grace
		if grace <= 0 {
			s.alone("a refresh token that was replaced", func() oauth.Exchange {
				first := s.refreshable(ctx, c)
				s.rotated(s.send(ctx, s.driver.Refresh(c, first.RefreshToken, "")), first)
				return s.send(ctx, s.driver.Refresh(c, first.RefreshToken, "", oauth.Titled("redeem the replaced refresh token again")))
			})
		}
		t := &tournament{s: s}
		var lost, several int
		for _, n := range []int{2, 5, 20} {
			for range t.each() {
				old := s.refreshable(ctx, c).RefreshToken
				requests := make([]oauth.Request, n)
				for i := range requests {
					requests[i] = s.driver.Refresh(c, old, "", oauth.Titled(fmt.Sprintf("redeem the refresh token, %d at once", n)))
				}
				round := t.run(ctx, requests...)
				next := successors(round, old)
				switch {
				case len(winners(round)) == 0 && !slices.ContainsFunc(round, untold):
					lost++
				case len(next) > 1 && grace > 0:
					several++
				case len(next) > 1:
					s.bounded(ctx, c, t, next)
				}
			}
		}
		s.seen.expected = "one new refresh token for each that is used"
		if lost > 0 {
			s.note("in %d of %d rounds nobody got a token; %v", lost, t.rounds, t)
		}
		if several > 0 {
			s.note("in %d of %d rounds several successors came, within the grace of %v that the target file declares; %v", several, t.rounds, grace, t)
		}
		t.settle()
	})

	It("lets no refresh outlive the revocation that comes with it", flow(target.RefreshToken), proves("RFC7009-2.1-race-revoke-refresh"), func(ctx SpecContext) {
		s.requires(target.RefreshToken)
		if s.target.Endpoints.Revocation == "" {
			s.notApplicable("the target file names no revocation endpoint (endpoints.revocation)")
		}
		c := s.holder(target.RefreshToken)
		s.alone("a refresh token that was revoked", func() oauth.Exchange {
			first := s.refreshable(ctx, c)
			if x := s.send(ctx, s.driver.Revoke(c, first.RefreshToken, "refresh_token")); x.Status != http.StatusOK {
				s.inconclusive("a refresh token cannot be revoked: %s", answered(x))
			}
			return s.send(ctx, s.driver.Refresh(c, first.RefreshToken, "", oauth.Titled("redeem the refresh token that was revoked")))
		})
		t := &tournament{s: s}
		for i := range t.each() {
			first := s.refreshable(ctx, c).RefreshToken
			requests := []oauth.Request{s.driver.Refresh(c, first, ""), s.driver.Revoke(c, first, "refresh_token")}
			if i%2 == 1 {
				slices.Reverse(requests)
			}
			round := t.run(ctx, requests...)
			revoked := slices.ContainsFunc(round, func(x oauth.Exchange) bool { return x.Request.Form.Has("token") && x.Status == http.StatusOK })
			if !revoked {
				s.inconclusive("the revocation was refused: %v", t)
			}
			for _, token := range append(successors(round, first), first) {
				x := s.send(ctx, s.driver.Refresh(c, token, "", oauth.Titled("redeem what is left after the revocation")))
				s.seen.decide(x)
				s.seen.expected = "a refusal: the refresh token was revoked, and its successor with it"
				if x.IssuedToken() {
					s.violated("a refresh that came with the revocation left a refresh token that works; %v", t)
				}
			}
		}
		t.settle()
	})
}

// successors are the different refresh tokens that a round brought.
func successors(round []oauth.Exchange, old string) []string {
	var out []string
	for _, x := range winners(round) {
		if t, err := x.Token(); err == nil && t.RefreshToken != "" && t.RefreshToken != old && !slices.Contains(out, t.RefreshToken) {
			out = append(out, t.RefreshToken)
		}
	}
	return out
}

// bounded holds several successors of one refresh token to at most one that works.
func (s *session) bounded(ctx context.Context, c target.Client, t *tournament, next []string) {
	GinkgoHelper()
	alive := 0
	for _, token := range next {
		if x := s.send(ctx, s.driver.Refresh(c, token, "", oauth.Titled("redeem one of the successors"))); x.IssuedToken() {
			alive++
			s.seen.decide(x)
		}
	}
	s.seen.expected = "one new refresh token for each that is used"
	if alive > 1 {
		s.violated("simultaneous refreshes with one token brought %d refresh tokens, and %d of them work; %v", len(next), alive, t)
	}
	s.seen.lower(reports.Note, fmt.Sprintf("simultaneous refreshes brought %d refresh tokens, of which %d works", len(next), alive))
}
