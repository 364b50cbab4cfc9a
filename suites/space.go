package suites

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// space says what JetBrains Space documents about itself, in its help and by its own clients.
func space(s *session) {
	spaceTokens(s)
	spaceScopes(s)
	spaceFront(s)
	spaceSwitches(s)
	spaceAPI(s)
}

// spaceTokens says where tokens come from and how long they and their refresh tokens live.
func spaceTokens(s *session) {
	Describe("a Space deployment", func() {
		DescribeTable("has its OAuth endpoints at the documented paths", table, proves("SPACE-endpoints-documented"),
			func(ctx SpecContext, path string, request func(ctx SpecContext) oauth.Request) {
				r := request(ctx).Changed(oauth.To(s.target.URL+path), oauth.Titled("ask at "+path))
				x := s.send(ctx, r)
				s.seen.decide(x)
				s.seen.expected = "an OAuth endpoint at " + path + " below the service URL"
				if gone := []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotImplemented}; slices.Contains(gone, x.Status) {
					s.violated("%s", answered(x))
				}
				if x.Status >= 500 {
					s.inconclusive("the server broke down: %s", answered(x))
				}
				if path == "/oauth/token" && members(x) == nil {
					s.violated("the answer is no OAuth answer: %s", answered(x))
				}
			},
			Entry("/oauth/auth", "/oauth/auth", func(SpecContext) oauth.Request { return s.authorize(s.frontClient()) }),
			Entry("/oauth/token", "/oauth/token", func(SpecContext) oauth.Request {
				return s.driver.ClientCredentials(s.confidentialClient(), s.applicationScope())
			}),
		)

		DescribeTable("issues a refresh token by the code flow with access_type=offline and only then", table, flow(target.AuthorizationCode), proves("SPACE-code-access-type"),
			func(ctx SpecContext, ask oauth.Change, offline bool) {
				s.requires(target.AuthorizationCode)
				c, u := s.refreshingByCode(), s.lastUser()
				x := s.send(ctx, s.redemption(s.codeFor(ctx, c, u, ask)))
				t := s.granted(x)
				if offline && t.RefreshToken == "" && s.forget(ctx, c, u) { // Space may issue one on the first exchange only
					x = s.send(ctx, s.redemption(s.codeFor(ctx, c, u, ask)))
					t = s.granted(x)
				}
				s.judgeOffline(x, t, offline)
			},
			Entry("access_type left out", oauth.WithoutQuery("access_type"), false),
			Entry("access_type=online", oauth.SetQuery("access_type", "online"), false),
			Entry("access_type=offline", oauth.SetQuery("access_type", "offline"), true),
		)

		DescribeTable("issues a refresh token by the password flow with access_type=offline and only then", table, flow(target.Password), proves("SPACE-password-access-type"),
			func(ctx SpecContext, ask oauth.Change, offline bool) {
				s.requires(target.Password)
				x := s.send(ctx, s.driver.Password(s.holder(target.Password), s.user(0), s.target.Scopes.Default, ask))
				s.judgeOffline(x, s.granted(x), offline)
			},
			Entry("access_type left out", oauth.Without("access_type"), false),
			Entry("access_type=online", oauth.Set("access_type", "online"), false),
			Entry("access_type=offline", oauth.Set("access_type", "offline"), true),
		)

		It("refuses a password without a scope", flow(target.Password), proves("SPACE-password-scope-required"), func(ctx SpecContext) {
			s.requires(target.Password)
			s.control(ctx, target.Password)
			Expect(s.send(ctx, s.driver.Password(s.holder(target.Password), s.user(0), "", oauth.Titled("ask with a password and no scope")))).
				To(s.beRefused("invalid_scope", "invalid_request").orAnyCode(reports.Warn))
		})

		DescribeTable("lets an application refresh without another switch, that has", table, flow(target.RefreshToken), proves("SPACE-refresh-auto-enabled"),
			func(ctx SpecContext, g target.Grant) {
				c := s.unswitched(g)
				if known, has := s.registered(g, target.RefreshToken); has && known.Name != c.Name { // else a missing refresh token proves nothing
					s.positive("a refresh token by "+string(g)+" of "+known.Name, func() oauth.Exchange {
						return s.send(ctx, s.driver.Refresh(known, s.offline(ctx, known, g, s.user(0)).RefreshToken, ""))
					})
				}
				s.seen.expected = "a refresh token with access_type=offline, and an access token for it"
				t := s.ask(ctx, c, g, s.user(0))
				if t.RefreshToken == "" {
					s.violated("no refresh token comes for %s, which has %s", c.Name, g)
				}
				Expect(s.send(ctx, s.driver.Refresh(c, t.RefreshToken, ""))).To(s.beTokenAnswer())
			},
			Entry("the code flow", flow(target.AuthorizationCode), target.AuthorizationCode),
			Entry("the password flow", flow(target.Password), target.Password),
		)

		DescribeTable("agrees with itself about the life of a token", table, proves("SPACE-token-lifetime-consistent"),
			func(ctx SpecContext, g target.Grant) {
				s.requires(g)
				x := s.control(ctx, g)
				s.seen.decide(x)
				s.seen.expected = "expires_in as an integer above 60 that agrees with the token's exp within 2 s"
				n, is := members(x)["expires_in"].(json.Number)
				seconds, err := n.Int64()
				switch {
				case !is || err != nil:
					s.violated("expires_in is %s", shown(members(x)["expires_in"]))
				case seconds <= 60:
					s.violated("expires_in is %d: with 60 or less the .NET SDK sends no token at all", seconds)
				}
				if inside, known := lifetimeInside(x); known && (inside-seconds > 2 || seconds-inside > 2) {
					s.violated("expires_in is %d, inside the token it is %d", seconds, inside)
				}
				if seconds != 600 {
					s.note("tokens live for %d s; 600 s is the documented default", seconds)
				}
			}, eachGrant())
	})
}

// judgeOffline holds a token answer to what access_type asked for.
func (s *session) judgeOffline(x oauth.Exchange, t oauth.TokenAnswer, offline bool) {
	GinkgoHelper()
	s.seen.decide(x)
	s.seen.expected = map[bool]string{true: "a refresh token", false: "no refresh token"}[offline]
	switch {
	case offline && t.RefreshToken == "":
		s.violated("no refresh token came")
	case !offline && t.Has["refresh_token"] && t.Members["refresh_token"] != nil:
		s.violated("a refresh token came that nobody asked for")
	}
}

// refreshingByCode is the last confidential client that gets refresh tokens by the code flow: other rows
// take the first.
func (s *session) refreshingByCode() target.Client {
	var found *target.Client
	for i, c := range s.target.Clients {
		if !c.Public && !c.Sacrificial && c.PKCE != "required" && c.Has(target.AuthorizationCode) && c.Has(target.RefreshToken) {
			found = &s.target.Clients[i]
		}
	}
	if found == nil {
		return s.confidential(target.AuthorizationCode)
	}
	return *found
}

// unswitched is a client with the grant, one that is not registered for refresh tokens if there is one.
func (s *session) unswitched(g target.Grant) target.Client {
	for _, c := range s.target.Clients {
		if c.Has(g) && !c.Has(target.RefreshToken) && !c.Public && !c.Sacrificial && c.PKCE != "required" {
			return c
		}
	}
	return s.confidential(g)
}

// registered is the first confidential client with all the grants, if there is one.
func (s *session) registered(grants ...target.Grant) (target.Client, bool) {
next:
	for _, c := range s.target.Clients {
		for _, g := range grants {
			if !c.Has(g) || c.Public || c.Sacrificial || c.PKCE == "required" {
				continue next
			}
		}
		return c, true
	}
	return target.Client{}, false
}

// ask is what a client gets for a user by the grant, when it asks for a refresh token.
func (s *session) ask(ctx SpecContext, c target.Client, g target.Grant, u target.User) oauth.TokenAnswer {
	r := s.driver.Password(c, u, s.target.Scopes.Default, s.driver.ForRefresh())
	if g == target.AuthorizationCode {
		r = s.redemption(s.codeFor(ctx, c, u, s.driver.ForRefresh()))
	}
	x := s.send(ctx, r)
	t := s.granted(x)
	s.seen.decide(x)
	return t
}

// offline is the same where a refresh token has to come for anything to be proved.
func (s *session) offline(ctx SpecContext, c target.Client, g target.Grant, u target.User) oauth.TokenAnswer {
	t := s.ask(ctx, c, g, u)
	if t.RefreshToken == "" {
		s.inconclusive("no refresh token came for %s where the target file's refresh section says one is asked for", c.Name)
	}
	return t
}

// lifetimeInside is how long a JWT says that it lives: from its own iat, else from the answer's Date.
func lifetimeInside(x oauth.Exchange) (int64, bool) {
	t, _ := x.Token()
	j, is := oauth.ParseJWT(t.AccessToken)
	if !is {
		return 0, false
	}
	exp, known := whole(j.Claims["exp"])
	if !known {
		return 0, false
	}
	if iat, known := whole(j.Claims["iat"]); known {
		return exp - iat, true
	}
	sent, err := http.ParseTime(x.Header.Get("Date"))
	if err != nil {
		sent = x.Started.Add(x.Duration).Truncate(time.Second)
	}
	return exp - sent.Unix(), true
}

// whole reads a claim that counts seconds.
func whole(v any) (int64, bool) {
	n, is := v.(json.Number)
	if !is {
		return 0, false
	}
	f, err := n.Float64()
	return int64(f), err == nil
}
