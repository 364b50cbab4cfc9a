package suites

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// crowds says what holds while many clients and users ask at once.
func crowds(s *session) {
	It("gives everybody their own token, however many ask at once", proves("RFC6749-3.1-race-no-cross-identity"), func(ctx SpecContext) {
		askers := s.askers(ctx)
		known := map[string]map[string]string{} // what each asker's tokens say when they ask alone
		kinds := map[string]bool{}
		for i, r := range s.questions(ctx, askers) {
			x := s.send(ctx, r)
			if found := s.identity(ctx, askers[i], s.granted(x)); len(found) > 0 {
				known[askers[i].name] = found
				kinds[fmt.Sprint(found)] = true
			}
			askers[i].got(x)
		}
		if len(kinds) < 2 {
			s.notApplicable("nothing tells two tokens apart: the target needs two clients or two users, and tokens in JWT form, introspection or a resource that names the user")
		}
		t := &tournament{s: s}
		judged := 0
		for range t.each() {
			round := t.run(ctx, s.questions(ctx, askers)...)
			for i, x := range round {
				askers[i].got(x)
				if !x.IssuedToken() {
					continue // whether everybody is served is no matter of identity
				}
				want := known[askers[i].name]
				if len(want) == 0 {
					continue
				}
				judged++
				if got := s.identity(ctx, askers[i], s.granted(x)); !maps.Equal(got, want) {
					s.seen.decide(x)
					s.seen.expected = "a token for " + askers[i].name
					s.violated("among %d requests at once, a token came that differs in %s from what the same request gets alone; %v", len(round), differs(got, want), t)
				}
			}
		}
		if judged == 0 {
			s.inconclusive("no token came while many asked at once: %v", t)
		}
		t.settle()
	})

	It("refuses what is wrong under load too", proves("RFC6749-10.14-negatives-hold-under-load"), func(ctx SpecContext) {
		probes := s.hostile(ctx)
		alone := map[string]oauth.Exchange{}
		for _, p := range probes {
			x := s.send(ctx, p.request(ctx))
			if x.IssuedToken() || x.Status >= 500 && !putOff(x) {
				continue // what is not even refused alone is for another row
			}
			alone[p.name] = x
		}
		if len(alone) == 0 {
			s.inconclusive("none of the wrong requests is refused when it comes alone")
		}
		t := &tournament{s: s}
		var failed []oauth.Exchange
		refused := 0
		for i := range t.each() {
			round, names := s.mixture(ctx, probes, i)
			for j, x := range t.run(ctx, round...) {
				before, judged := alone[names[j]]
				switch {
				case !judged:
				case x.IssuedToken():
					s.seen.decide(x)
					s.seen.expected = "a refusal, as when it comes alone: " + answered(before)
					s.violated("%s gets a token among %d requests at once; %v", names[j], len(round), t)
				case putOff(x):
					refused++
				case !x.Answered() || x.Status >= 500:
					failed = append(failed, x)
				case x.ErrorCode() != before.ErrorCode() && !putOff(before):
					s.seen.decide(x)
					s.seen.expected = "a refusal, as when it comes alone: " + answered(before)
					s.violated("%s is answered in another way under load: %s", names[j], answered(x))
				default:
					refused++
					s.seen.decide(x)
				}
			}
		}
		s.seen.expected = "the same refusal as without load"
		if refused == 0 && len(failed) > 0 {
			s.seen.decide(failed[0])
			s.inconclusive("every wrong request under load was answered by an error of the server: %s", answered(failed[0]))
		}
		t.settle()
		s.remark("%d wrong requests were refused, %d met an error of the server; %v", refused, len(failed), t)
	})

	It("announces throttling by 429 or 503 and says when to come again", proves("RFC6585-4-throttling-well-formed"), func(ctx SpecContext) {
		c, found := s.spare()
		if !found {
			s.notApplicable("the target file has no sacrificial confidential client")
		}
		guess := func() oauth.Request {
			return s.driver.ClientCredentials(c, "", wrongSecret(c), oauth.Titled("try a secret of the sacrificial client"))
		}
		tried := 0
		for range 10 {
			for _, x := range s.collect(ctx, 20, 4, func(int) oauth.Request { return guess() }) {
				tried++
				if x.Status == 0 {
					x = s.insist(ctx, guess, func() oauth.Request { return s.tokenRequest(ctx, s.enabled()[0]) })
				}
				s.judgeThrottling(x, tried)
				if putOff(x) {
					s.remark("the server throttles after %d wrong secrets", tried)
					return
				}
			}
		}
		s.notApplicable("the server did not throttle within %d wrong secrets of the sacrificial client", tried)
	})
}

// judgeThrottling holds an answer to a guess to what a server that has enough of it may say.
func (s *session) judgeThrottling(x oauth.Exchange, tried int) {
	s.seen.expected, s.seen.wording = "a refusal, or 429 or 503 with Retry-After and the error in JSON", true
	if x.Status == 0 || x.Status >= 500 && !putOff(x) {
		s.seen.decide(x)
		s.violated("after %d wrong secrets: %s", tried, answered(x))
	}
	if !putOff(x) {
		return
	}
	s.seen.decide(x)
	if x.Header.Get("Retry-After") == "" {
		s.violated("status %d comes without Retry-After", x.Status)
	}
	if x.ErrorCode() == "" {
		s.note("status %d comes without the error in JSON", x.Status)
	}
}

// spare is the client that may be locked.
func (s *session) spare() (target.Client, bool) {
	i := slices.IndexFunc(s.target.Clients, func(c target.Client) bool { return c.Sacrificial && !c.Public })
	if i < 0 {
		return target.Client{}, false
	}
	return s.target.Clients[i], true
}

// A probe is a kind of request that must be refused.
type probe struct {
	name    string
	request func(ctx context.Context) oauth.Request
}

// hostile are wrong requests of each kind that the target allows for.
func (s *session) hostile(ctx context.Context) []probe {
	victim, spare := s.spare()
	if !spare {
		victim = s.client("confidential client", func(c target.Client) bool { return !c.Public })
	}
	out := []probe{
		{"a wrong secret", func(context.Context) oauth.Request {
			return s.driver.ClientCredentials(victim, "", wrongSecret(victim), oauth.Titled("ask with a wrong secret"))
		}},
		{"an unknown client", func(context.Context) oauth.Request {
			return s.driver.ClientCredentials(victim, "", oauth.BasicAuth(oauth.NewState(), oauth.NewState()), oauth.Titled("ask as a client that does not exist"))
		}},
	}
	c, has := s.firstWith(target.AuthorizationCode)
	if !has || s.Front == nil {
		return out
	}
	used, _ := s.redeemed(ctx, c)
	out = append(out,
		probe{"an unknown code", func(context.Context) oauth.Request {
			return s.redemption(used, oauth.Set("code", oauth.NewVerifier()), oauth.Titled("redeem a code that is none"))
		}},
		probe{"a used code", func(ctx context.Context) oauth.Request {
			g, _ := s.redeemed(ctx, c)
			return s.redemption(g, oauth.Titled("redeem a code again"))
		}})
	one, two := s.pairWith(target.RefreshToken)
	if two.Name != "" {
		out = append(out, probe{"another client's refresh token", func(ctx context.Context) oauth.Request {
			return s.driver.Refresh(two, s.refreshable(ctx, one).RefreshToken, "", oauth.Titled("redeem another client's refresh token"))
		}})
	}
	return out
}

// pairWith are the first two confidential clients with the grant; the second is nobody where there is none.
func (s *session) pairWith(g target.Grant) (one, two target.Client) {
	var found []target.Client
	for _, c := range s.target.Clients {
		if !c.Public && !c.Sacrificial && c.Has(g) && c.PKCE != "required" {
			found = append(found, c)
		}
	}
	if len(found) < 2 {
		return one, two
	}
	return found[0], found[1]
}

// mixture is one round of right and wrong requests, the wrong ones spread among them, and the names of the
// wrong ones. A wrong secret comes but once in a round, and in a few rounds only, so that nobody is locked out.
func (s *session) mixture(ctx context.Context, probes []probe, round int) ([]oauth.Request, []string) {
	var requests []oauth.Request
	var names []string
	for i := range 20 {
		p := probes[i/2%len(probes)]
		if secret := p.name == probes[0].name; i%2 == 0 && (!secret || i == 0 && round < defaultRounds) {
			requests, names = append(requests, p.request(ctx)), append(names, p.name)
			continue
		}
		if r, can := s.plain(i); can {
			requests, names = append(requests, r), append(names, "")
		}
	}
	return requests, names
}

// plain is a right request that needs no preparation.
func (s *session) plain(i int) (oauth.Request, bool) {
	var clients []target.Client
	for _, c := range s.target.Clients {
		if !c.Public && !c.Sacrificial && c.Has(target.ClientCredentials) {
			clients = append(clients, c)
		}
	}
	if len(clients) > 0 {
		return s.driver.ClientCredentials(clients[i%len(clients)], s.applicationScope()), true
	}
	for _, c := range s.target.Clients {
		if !c.Public && !c.Sacrificial && c.Has(target.Password) && len(s.target.Users) > 0 {
			return s.driver.Password(c, s.user(0), s.target.Scopes.Default), true
		}
	}
	return oauth.Request{}, false
}

// differs names the facts in which two identities differ.
func differs(a, b map[string]string) string {
	var out []string
	for _, m := range []map[string]string{a, b} {
		for k := range m {
			if a[k] != b[k] {
				out = append(out, k)
			}
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}

// identity is what can be seen of whom a token is for: its client, its user, its scope.
func (s *session) identity(ctx context.Context, a *asker, t oauth.TokenAnswer) map[string]string {
	out := map[string]string{}
	if t.Has["scope"] {
		out["scope of the answer"] = t.Scope
	}
	if j, is := oauth.ParseJWT(t.AccessToken); is {
		claim(out, j.Claims)
		return out
	}
	if s.target.Endpoints.Introspection != "" && !a.client.Public {
		x := s.send(ctx, s.driver.Introspect(a.client, t.AccessToken, oauth.Titled("ask whose token it is")))
		if m := members(x); x.Status == http.StatusOK && m["active"] != nil {
			out["active"] = fmt.Sprint(m["active"])
			claim(out, m)
			return out
		}
	}
	if r := s.target.Resources.User; r != nil && r.Subject != "" && a.user {
		x := s.send(ctx, s.driver.Resource(*r, t.AccessToken, oauth.Titled("see whose token it is")))
		out[r.Subject+" of the resource"] = fmt.Sprintf("%d %v", x.Status, members(x)[r.Subject])
		return out
	}
	delete(out, "scope of the answer") // alone it says too little
	return out
}

// claim keeps what names the client, the user and the scope.
func claim(out map[string]string, members map[string]any) {
	for _, name := range []string{"sub", "client_id", "azp", "aud", "username", "preferred_username", "email", "scope", "scp"} {
		if v, is := members[name]; is {
			out[name] = fmt.Sprint(v)
		}
	}
}
