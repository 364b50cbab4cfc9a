package suites

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// byGET is who sends a token in the URL on top.
const byGET = "somebody without credentials who asks by GET"

// introspection says what a deployment tells about a token, and whom (RFC 7662).
func introspection(s *session) {
	Describe("the introspection endpoint", func() {
		BeforeEach(func() {
			if s.target.Endpoints.Introspection == "" {
				s.notApplicable("the target file names no introspection endpoint (endpoints.introspection)")
			}
		})

		It("calls a live token active, and tells the truth about it", proves("RFC7662-2.2-state-truthful"), func(ctx SpecContext) {
			l := s.introspectable(ctx)
			s.seen.decide(l.exchange)
			s.tellsTruth(l)
			told, named := members(l.exchange)["iss"].(string)
			if !named || s.target.Endpoints.Metadata == "" {
				return
			}
			if issuer, is := members(s.readMetadata(ctx))["issuer"].(string); is && issuer != told {
				s.seen.decide(l.exchange)
				s.warn("iss is %q, and the metadata's issuer is %q", printable(told), printable(issuer))
			}
		})

		DescribeTable("calls no token active that is not:", table, proves("RFC7662-2.2-state-truthful"),
			func(ctx SpecContext, dead func(ctx SpecContext) string) {
				l := s.introspectable(ctx)
				token := dead(ctx)
				x := s.send(ctx, s.driver.Introspect(l.asker, token, oauth.Titled("introspect "+variant())))
				s.seen.decide(x)
				s.seen.expected = `200 with "active": false and nothing else`
				active, is := members(x)["active"].(bool)
				switch {
				case putOff(x):
					s.inconclusive("the server throttles: %s", answered(x))
				case x.Status != http.StatusOK:
					s.violated("%s", answered(x))
				case !is:
					s.violated(`the answer has no "active" that is true or false`)
				case active:
					s.violated("the token is called active")
				case len(members(x)) > 1:
					s.warn("the answer tells more than that the token is not active: %s", strings.Join(names(members(x)), ", "))
				}
			},
			Entry("one that never was", func(SpecContext) string { return "flowproof" + oauth.NewVerifier() }),
			Entry("one of another issuer", func(SpecContext) string { return elsewhere() }),
			Entry("one that was revoked", func(ctx SpecContext) string {
				if s.target.Endpoints.Revocation == "" {
					s.notApplicable("the target file names no revocation endpoint (endpoints.revocation), so nothing ends a token before its time")
				}
				s.revokes(ctx, accessKind)
				return s.mayRevoke(ctx, true).value
			}),
			Entry("one that has expired", func(ctx SpecContext) string {
				if !s.Slow {
					s.notApplicable("it waits for minutes: run with --slow")
				}
				t := s.expendable(ctx)
				s.outlive(ctx, t)
				return t.value
			}),
		)

		DescribeTable("tells nothing to", table, proves("RFC7662-2.1-authorization-required"),
			func(ctx SpecContext, spoil func(c target.Client) oauth.Change) {
				l := s.introspectable(ctx)
				x := s.send(ctx, s.driver.Introspect(l.asker, l.token, spoil(l.asker), oauth.Titled("introspect as "+variant())))
				s.seen.decide(x)
				s.seen.expected = "401 or 403"
				s.heard(x)
				active, is := members(x)["active"].(bool)
				switch {
				case x.Status >= 500:
					s.inconclusive("the server broke down, which proves no refusal: %s", answered(x))
				case is && active:
					s.violated("the state of the token is told: %s", answered(x))
				case x.Status/100 == 2: // nothing is told, but the refusal has to be said (RFC 7662 §2.3)
					s.warn("the live token is called inactive where the request has to be refused: %s", answered(x))
				case variant() == byGET: // refused for its method, perhaps
				case x.Status != http.StatusUnauthorized && x.Status != http.StatusForbidden:
					s.note("refused with %s", answered(x))
				}
			},
			Entry("somebody without credentials", func(target.Client) oauth.Change { return oauth.NoAuth() }),
			Entry("somebody with a wrong secret", func(c target.Client) oauth.Change { return s.wrongly(c) }),
			Entry(byGET, func(target.Client) oauth.Change {
				return func(r *oauth.Request) {
					oauth.NoAuth()(r)
					oauth.AsGET()(r)
				}
			}),
		)

		// Whether GET may be used by those who may ask is left to the server (RFC 7662 §4).
		It("answers no questions in the URL", proves("RFC7662-2.1-authorization-required"), func(ctx SpecContext) {
			l := s.introspectable(ctx)
			x := s.send(ctx, s.driver.Introspect(l.asker, l.token, s.driver.Basic(l.asker.ID, l.asker.Secret.Reveal()), oauth.AsGET(), oauth.Titled("introspect by GET")))
			s.seen.decide(x)
			s.seen.expected = "405, or another refusal"
			if members(x)["active"] == true {
				s.note("tokens may be sent in the URL, where logs keep them: %s", answered(x))
			}
		})
	})
}

// A told is what introspection told of a live token.
type told struct {
	asker    target.Client // who may ask
	owner    target.Client // whom the token was issued to
	token    string
	answer   oauth.TokenAnswer
	exchange oauth.Exchange
}

// introspectable is a live access token and a client that is told so; who may ask is for the server to say,
// so the token's own client is tried first and then the others.
func (s *session) introspectable(ctx SpecContext) told {
	l := told{owner: s.confidential(s.introspected())}
	x := s.positive("a token to introspect", func() oauth.Exchange {
		return s.send(ctx, s.tokenRequest(ctx, s.introspected()))
	})
	l.answer = s.granted(x)
	l.token = l.answer.AccessToken
	const who = "who may introspect"
	askers := []target.Client{l.owner}
	if known, asked := s.memo[who]; asked {
		askers[0], _ = s.target.Client(known.Request.Client)
	}
	for _, c := range s.target.Clients {
		if !c.Public && !c.Sacrificial && c.Name != askers[0].Name {
			askers = append(askers, c)
		}
	}
	let := 0
	for i, c := range askers {
		l.asker, l.exchange = c, s.send(ctx, s.driver.Introspect(c, l.token))
		if members(l.exchange)["active"] == true {
			s.memo[who] = l.exchange
			return l
		}
		if l.exchange.Status/100 == 2 {
			let++
		}
		if i == 0 {
			s.seen.decide(l.exchange)
		}
	}
	if let == 0 {
		s.inconclusive("no confidential client of the target file may introspect a token: %s", answered(l.exchange))
	}
	// RFC 7662 §2.2: so is a token called to whom it is not meant for, and many servers go by its audience.
	s.inconclusive("a live token is called active to none of %d clients; register one that may introspect it, as one of its audience", let)
	return l
}

// introspected is the grant that the token to introspect comes from: one that a confidential client has.
func (s *session) introspected() target.Grant {
	for _, g := range []target.Grant{target.ClientCredentials, target.Password, target.AuthorizationCode} {
		if _, has := s.firstWith(g); has {
			return g
		}
	}
	s.notApplicable("no confidential client in the target file has a grant that issues tokens")
	panic("unreachable: Skip does not return")
}

// tellsTruth compares what is told with what is known of the token.
func (s *session) tellsTruth(l told) {
	GinkgoHelper()
	s.seen.expected = `"active": true, with the token's own exp, scope and client_id where they are told`
	m := members(l.exchange)
	switch {
	case l.exchange.Status != http.StatusOK:
		s.violated("%s", answered(l.exchange))
	case mediaType(l.exchange) != "application/json":
		s.violated("the content type is %q", printable(mediaType(l.exchange)))
	case m["client_id"] != nil && m["client_id"] != l.owner.ID:
		s.violated("client_id is %s, not that of the client %s", shown(m["client_id"]), l.owner.Name)
	}
	if n, is := m["exp"].(json.Number); is {
		exp, err := n.Float64()
		end, now := time.Unix(int64(exp), 0), s.clockAt(l.exchange)
		latest := now.Add(time.Duration(l.answer.ExpiresIn)*time.Second + clockSkew)
		switch {
		case err != nil || end.Before(now.Add(-clockSkew)):
			s.untimely(l.exchange, "exp is %s, which is past", n)
		case l.answer.ExpiresIn > 0 && end.After(latest):
			s.untimely(l.exchange, "exp is %s, later than the token answer's expires_in allows", n)
		}
	}
	if j, is := oauth.ParseJWT(l.token); is {
		for _, name := range []string{"iss", "sub", "client_id", "jti"} {
			said, told := m[name].(string)
			claimed, known := j.Claims[name].(string)
			if told && known && said != claimed {
				s.violated("%s is %q, and the token says %q", name, printable(said), printable(claimed))
			}
		}
	}
	s.tellsKinds(m, l.exchange)
	scope, is := m["scope"].(string)
	switch {
	case is && scope != "" && !scopeSyntax.MatchString(scope):
		s.violated("scope is %q, not words with single spaces between them", printable(scope))
	case is && tells(l.answer) && !sameScope(scope, l.answer.Scope):
		s.violated("scope is %q, and the token was issued for %q", printable(scope), printable(l.answer.Scope))
	}
}

// tellsKinds holds the members to their types (RFC 7662 §2.2).
func (s *session) tellsKinds(m map[string]any, x oauth.Exchange) {
	GinkgoHelper()
	for _, name := range []string{"exp", "iat", "nbf"} {
		n, is := m[name].(json.Number)
		at, err := n.Float64()
		switch {
		case m[name] == nil:
		case !is:
			s.violated("%s is %s, not a number", name, shown(m[name]))
		case err != nil || at != math.Trunc(at):
			s.violated("%s is %s, not a whole number of seconds", name, n)
		case name != "exp" && time.Unix(int64(at), 0).After(s.clockAt(x).Add(clockSkew)):
			s.untimely(x, "%s is %s, which is still to come", name, n)
		}
	}
	for _, name := range []string{"scope", "client_id", "username", "token_type", "sub", "iss", "jti"} {
		if _, is := m[name].(string); m[name] != nil && !is {
			s.violated("%s is %s, not a text", name, shown(m[name]))
		}
	}
	switch list := m["aud"].(type) {
	case nil, string:
	case []any:
		if slices.ContainsFunc(list, func(v any) bool { _, is := v.(string); return !is }) {
			s.violated("aud is a list of more than texts")
		}
	default:
		s.violated("aud is %s, not a text or a list of texts", shown(m["aud"]))
	}
}

// elsewhere is a token as another issuer would make it.
func elsewhere() string {
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	now := time.Now()
	claims := map[string]any{"iss": "https://issuer." + foreignHost, "sub": "someone", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jti": oauth.NewState()}
	return fmt.Sprintf("%s.%s.%s", part(map[string]any{"alg": "RS256", "typ": "at+jwt"}), part(claims), strings.Repeat(oauth.NewVerifier(), 8)[:342])
}

func names(m map[string]any) []string {
	var out []string
	for name := range m {
		out = append(out, printable(name))
	}
	slices.Sort(out)
	return out
}
