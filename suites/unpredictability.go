package suites

import (
	"context"
	"fmt"
	"math"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// unpredictability says that nobody gets another's token, neither by chance nor by guessing (RFC 6749 §10.10).
func unpredictability(s *session) {
	Describe("tokens and codes", func() {
		It("are never issued twice", proves("RFC6749-10.10-tokens-unique"), func(ctx SpecContext) {
			g := s.gather(ctx)
			s.seen.expected = "no value twice, but for the same client, user and scope"
			for _, kind := range g.kinds() {
				owners := map[string]specimen{}
				for _, one := range kind.found {
					first, again := owners[one.value]
					// The same live token for the same request is a known design; a code is new for each.
					if again && (first.owner != one.owner || kind.once) {
						s.seen.decide(one.at)
						s.violated("of %d %s one was issued twice: to %s and to %s", len(kind.found), kind.name, first.owner, one.owner)
					}
					owners[one.value] = one
				}
			}
			if len(g.access)+len(g.codes)+len(g.refresh) < 2 {
				s.inconclusive("no values could be collected")
			}
			s.remark("%s, none of them twice", g)
		})

		It("cannot be guessed", proves("RFC6749-10.10-tokens-unpredictable"), func(ctx SpecContext) {
			g := s.gather(ctx)
			s.seen.expected = fmt.Sprintf("values of which at least %d bits look random; statistics can only disprove that", demandedBits)
			var told []string
			judged := 0
			for _, kind := range g.kinds() {
				values, signed := kind.opaque()
				switch {
				case signed > 0 && len(values) < fewest:
					told = append(told, kind.name+": signed, so not judged")
					continue
				case len(values) < fewest:
					told = append(told, fmt.Sprintf("%s: only %d, too few to judge", kind.name, len(values)))
					continue
				}
				judged++
				w := weigh(values)
				text := fmt.Sprintf("%s: %d seen, %.0f bits look random", kind.name, w.values, math.Floor(w.bits+w.doubt/2))
				if len(w.why) > 0 {
					text += " (" + strings.Join(w.why, "; ") + ")"
				}
				told = append(told, text)
				switch w.verdict() {
				case "fail":
					s.seen.decide(kind.found[len(kind.found)-1].at)
					s.violated("%s", text)
				case "warn":
					s.seen.decide(kind.found[len(kind.found)-1].at)
					s.warn("%s: as many as in a random UUID, where RFC 6749 demands %d", text, demandedBits)
				}
			}
			if judged == 0 {
				s.notApplicable("there is nothing opaque to judge. %s", strings.Join(told, ". "))
			}
			s.remark("%s", strings.Join(told, ". "))
		})
	})
}

const (
	demandedBits = 128 // RFC 6749 §10.10
	uuidBits     = 122 // of a random UUID, which many servers use
	fewest       = 100 // values from which anything can be told
)

// verdict is fail where the values leave too little to guess, warn where it is a random UUID's, or nothing.
func (w weight) verdict() string {
	switch high := w.bits + w.doubt; {
	case high >= demandedBits:
		return ""
	case high >= uuidBits-1:
		return "warn"
	}
	return "fail"
}

// A gathering is what was collected of the values that nobody may guess, in the order of the requests.
type gathering struct{ access, codes, refresh []specimen }

// A specimen is one value, and whom it was issued to.
type specimen struct {
	value, owner string
	at           oauth.Exchange
}

// A species is a kind of value.
type species struct {
	name  string
	once  bool // new for each request, even of the same asker
	found []specimen
}

func (g *gathering) kinds() []species {
	return []species{{"access tokens", false, g.access}, {"codes", true, g.codes}, {"refresh tokens", false, g.refresh}}
}

func (g *gathering) String() string {
	return fmt.Sprintf("%d access tokens, %d codes, %d refresh tokens", len(g.access), len(g.codes), len(g.refresh))
}

// opaque are the different values that are not signed tokens, and how many are.
func (k species) opaque() (values []string, signed int) {
	seen := map[string]bool{}
	for _, one := range k.found {
		if _, is := oauth.ParseJWT(one.value); is {
			signed++
			continue
		}
		if !seen[one.value] {
			values = append(values, one.value)
		}
		seen[one.value] = true
	}
	return values, signed
}

// gather collects values once a run, many at a time.
func (s *session) gather(ctx context.Context) *gathering {
	if s.gathered != nil {
		return s.gathered
	}
	g := &gathering{}
	s.gatherAccess(ctx, g)
	s.gatherCodes(ctx, g)
	s.gathered = g
	return g
}

// samples is how many access tokens are collected: 500 by default, thousands only where the options ask for them, since a
// signature is work for the server.
func (s *session) samples() int {
	if s.Rounds >= 20 {
		return 500 * s.Rounds
	}
	return 125 * s.rounds()
}

func (s *session) gatherAccess(ctx context.Context, g *gathering) {
	if _, can := s.plain(0); !can {
		return
	}
	const first = 10
	for _, n := range []int{first, s.samples() - first} {
		for _, x := range s.collect(ctx, n, 8, func(i int) oauth.Request {
			r, _ := s.plain(i)
			return r.Changed(oauth.Titled("collect access tokens"))
		}) {
			g.keep(x, "the client "+x.Request.Client)
		}
		if len(g.access) == 0 { // there is nothing to be had
			return
		}
	}
}

// keep files the tokens of an answer.
func (g *gathering) keep(x oauth.Exchange, owner string) {
	t, err := x.Token()
	if err != nil {
		return
	}
	if t.AccessToken != "" {
		g.access = append(g.access, specimen{t.AccessToken, owner + ", scope " + t.Scope, x})
	}
	if t.RefreshToken != "" {
		g.refresh = append(g.refresh, specimen{t.RefreshToken, owner + ", scope " + t.Scope, x})
	}
}

// gatherCodes collects codes of a person who is signed in, and redeems most of them.
func (s *session) gatherCodes(ctx context.Context, g *gathering) {
	c, has := s.firstWith(target.AuthorizationCode)
	if !has || s.Front == nil {
		return
	}
	first := s.code(ctx, c, s.driver.ForRefresh()) // from here on nobody is asked for consent
	p := s.person(ctx, s.user(0))
	cookies, err := p.session.Cookies(ctx, s.target.Endpoints.Authorization)
	if err != nil {
		s.inconclusive("%v", err)
	}
	uris := s.caught(s.authorize(c, target.AuthorizationCode))
	grants := make([]codeGrant, max(fewest*5/4+5, s.samples()*3/10))
	asked := s.collect(ctx, len(grants), 4, func(i int) oauth.Request {
		grants[i] = codeGrant{client: c, redirectURI: first.redirectURI}
		r := s.authorize(c, target.AuthorizationCode, s.driver.ForRefresh(), withCookies(cookies), oauth.Titled("collect codes"))
		if s.ordinaryPKCE(c) {
			grants[i].verifier = oauth.NewVerifier()
			r = r.Changed(oauth.SetQuery("code_challenge", oauth.S256(grants[i].verifier)), oauth.SetQuery("code_challenge_method", "S256"))
		}
		return r
	})
	owner := "the client " + c.Name + " for " + p.user.Name
	var redeemable []codeGrant
	for i, x := range asked {
		l, ok := x.Landing(uris...)
		if !ok || l.Params().Get("code") == "" {
			continue
		}
		grants[i].code = l.Params().Get("code")
		g.codes = append(g.codes, specimen{grants[i].code, owner, x})
		if len(redeemable) < len(grants)*4/5 {
			redeemable = append(redeemable, grants[i])
		}
	}
	for _, x := range s.collect(ctx, len(redeemable), 4, func(i int) oauth.Request {
		return s.redemption(redeemable[i], oauth.Titled("collect refresh tokens"))
	}) {
		g.keep(x, owner)
	}
}
