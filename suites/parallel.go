package suites

import (
	"context"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// parallelTabs says that several authorization requests of one session do not get mixed up (RFC 6749 §4.1.1).
func parallelTabs(s *session) {
	Describe("parallel authorization requests", flow(target.AuthorizationCode), func() {
		It("keep their own parameters", proves("RFC6749-4.1.1-parallel-authorizations-isolated"), func(ctx SpecContext) {
			tabs := s.tabs(ctx)
			s.seen.expected = "each tab brings its own state to its own redirect_uri, with a code for its own scope and challenge"
			started := 0
			// The last one comes first, so that whoever remembers only one request is found out.
			for turn, i := range []int{2, 0, 1} {
				t := tabs[i]
				l, err := t.finish()
				s.seen.show(l.Page)
				if len(l.Trail) > 0 {
					s.seen.decide(l.Trail[len(l.Trail)-1])
				}
				switch {
				case turn == 0 && (err != nil || !redirected(l)):
					s.inconclusive("the first of three tabs did not come back to the client: %s", ended(l, err))
				case unheard(l):
					s.inconclusive("an answer to one of three tabs was lost: %s", ended(l, err))
				case err != nil || l.Kind != oauth.Redirected || l.Params().Get("code") == "":
					started++
					s.warn("a tab that was opened earlier has to start over: %s", ended(l, err))
					continue
				}
				s.holdToItself(ctx, tabs, i, l)
			}
			if started == 0 {
				s.remark("three tabs of one session, finished in another order")
			}
		})
	})
}

// unheard reports whether a visit ended where no answer came.
func unheard(l oauth.Landing) bool {
	return len(l.Trail) > 0 && !l.Trail[len(l.Trail)-1].Answered()
}

// ended says where a visit ended, or why it did not.
func ended(l oauth.Landing, err error) string {
	if err != nil {
		return err.Error()
	}
	return landed(l)
}

// holdToItself judges where a tab came out: with its own values, and with a code for them.
func (s *session) holdToItself(ctx context.Context, tabs []*tab, i int, l oauth.Landing) {
	GinkgoHelper()
	t := tabs[i]
	if got := l.Params().Get("state"); got != t.request.Query.Get("state") {
		for _, other := range tabs {
			if got == other.request.Query.Get("state") {
				s.violated("the state is another tab's: %s", landed(l))
			}
		}
		s.inconclusive("the state is no tab's, which another row is about: %s", landed(l))
	}
	if !oauth.Lands(l.URL, t.grant.redirectURI) {
		s.violated("the redirect_uri is another one than the tab asked for: %s", landed(l))
	}
	t.grant.code = l.Params().Get("code")
	x := s.send(ctx, s.redemption(t.grant, oauth.Titled("redeem the code of a tab with its own verifier and redirect_uri")))
	s.seen.decide(x)
	if !x.IssuedToken() {
		s.violated("the code of a tab cannot be redeemed with the tab's own values: %s", answered(x))
	}
	granted := s.granted(x)
	told, known := s.toldScope(granted)
	asked := t.request.Query.Get("scope")
	granted.AccessToken = ""
	if named, is := s.toldScope(granted); is && sameScope(named, asked) {
		return // the token may claim less than its answer names, which is no other tab's doing
	}
	for _, other := range tabs {
		if theirs := other.request.Query.Get("scope"); known && !sameScope(told, asked) && sameScope(told, theirs) {
			s.violated("the scope is %q, which another tab asked for, and not %q", told, asked)
		}
	}
}

// A tab is an authorization request that has come to the first page that asks for something.
type tab struct {
	request oauth.Request
	grant   codeGrant
	resume  func()
	done    chan struct{}
	landing oauth.Landing
	failure error
}

// finish lets the user go on in the tab, to the end.
func (t *tab) finish() (oauth.Landing, error) {
	t.resume()
	<-t.done
	return t.landing, t.failure
}

// tabs are three tabs of one session, each with a request of its own and at its first page.
func (s *session) tabs(ctx SpecContext) []*tab {
	agent := s.Browser
	if agent == nil {
		agent = s.Front
	}
	p := s.stranger(ctx, agent)
	tabbed, can := p.session.(oauth.Tabbed)
	if !can {
		s.inconclusive("the user agent shows one page at a time")
	}
	c := s.holder(target.AuthorizationCode)
	for _, other := range s.target.Clients {
		if len(other.RedirectURIs) > 1 && len(c.RedirectURIs) < 2 && !other.Public && !other.Sacrificial && other.Has(target.AuthorizationCode) {
			c = other
		}
	}
	if s.mayVerify(c) {
		s.redeemsChallenged(ctx, c)
	} else {
		s.redeems(ctx, c)
	}
	scopes := append([]string{s.target.Scopes.Default, s.target.Scopes.Narrow}, s.target.Scopes.Pair...)
	user := s.user(0)
	var out []*tab
	for i := range 3 {
		shown := oauth.Session(tabbed)
		if i > 0 {
			opened, err := tabbed.Tab(s.ctx)
			if err != nil {
				s.inconclusive("%v", err)
			}
			DeferCleanup(func() { _ = opened.Close() })
			shown = opened
		}
		t := s.prepared(c, c.RedirectURIs[i%len(c.RedirectURIs)], scopes[i%len(scopes)])
		there, on := make(chan struct{}), make(chan struct{})
		t.resume = sync.OnceFunc(func() { close(on) })
		DeferCleanup(func() { t.resume(); <-t.done })
		go func() {
			defer close(t.done)
			t.landing, t.failure = shown.Visit(ctx, oauth.Visit{
				URL: t.request.FullURL(), RedirectURIs: s.caught(t.request), User: &user,
				Pause: func(ctx context.Context) {
					close(there)
					select {
					case <-on:
					case <-ctx.Done():
					}
				},
			})
		}()
		select {
		case <-there:
		case <-t.done:
			s.inconclusive("a tab was not asked for anything, so that nothing could get mixed up: %s", ended(t.landing, t.failure))
		}
		out = append(out, t)
	}
	return out
}

// prepared is a tab that is not opened yet.
func (s *session) prepared(c target.Client, redirectURI, scope string) *tab {
	if strings.TrimSpace(scope) == "" {
		scope = s.target.Scopes.Default
	}
	t := &tab{done: make(chan struct{}), grant: codeGrant{client: c, redirectURI: redirectURI}}
	t.request = s.authorize(c, target.AuthorizationCode, oauth.SetQuery("redirect_uri", redirectURI))
	if scope != "" {
		t.request = t.request.Changed(oauth.SetQuery("scope", scope))
	}
	if s.mayVerify(c) {
		t.grant.verifier = oauth.NewVerifier()
		t.request = t.request.Changed(oauth.SetQuery("code_challenge", oauth.S256(t.grant.verifier)), oauth.SetQuery("code_challenge_method", "S256"))
	}
	return t
}
