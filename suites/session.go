package suites

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
	"flowproof/suites/catalogue"
)

// A session is one run against one target. Spec files close over it; there is nothing global.
type session struct {
	Options
	target       target.Target
	driver       *oauth.Driver
	ctx          context.Context
	seen         *observation       // of the spec that is running
	passive      *observer          // of every exchange of the run
	controls     map[string]control // positive controls, made once
	persons      map[string]*person // by user agent and user
	memo         map[string]oauth.Exchange
	refusals     map[confided]oauth.Exchange // of users' own passwords
	welcome      map[string]bool             // users whose own password was good
	old          *age                        // a token that was left to expire, once a run
	knowsRefresh bool                        // learnRefreshDemand was here
	subjects     map[string]string           // what a resource calls users, by their name, where the file does not tell
	lost         bool                        // the target answers no more
	ahead        time.Duration               // how far the target's clock was set ahead of ours

	elsewhere  *foreignSite         // another site, once it is needed
	arrived    *arrival             // a sign-in in a fresh browser
	forged     map[string]judgement // consent from another site, by the way in which it was tried
	looks      map[string]look      // the pages, as they were looked at
	consenting *oauth.Request       // it leads the first user's browser to a consent page

	raced    *codeTournament
	gathered *gathering
	oneByOne bool // the server does not speak HTTP/2
}

// A control is a request that has to succeed before the refusal of its spoilt form proves anything.
type control struct {
	exchange oauth.Exchange
	failure  string // why it proves nothing, or empty
	ended    int    // how often something had happened by then that ends a grant
}

func newSession(ctx context.Context, o Options) *session {
	s := &session{Options: o, target: o.Target, driver: o.Driver, ctx: ctx, seen: &observation{},
		controls: map[string]control{}, persons: map[string]*person{}, memo: map[string]oauth.Exchange{},
		refusals: map[confided]oauth.Exchange{}, welcome: map[string]bool{}, subjects: map[string]string{}}
	s.passive = newObserver(o.Target)
	return s
}

// begin is run before each spec: a fresh observation, and the reasons not to run at all.
func (s *session) begin() {
	s.seen = &observation{}
	if err := s.ctx.Err(); err != nil {
		s.inconclusive("the run was ended before this spec")
	}
	applies := false
	for _, label := range ginkgo.CurrentSpecReport().Labels() {
		row, known := catalogue.ByID(label)
		if !known {
			continue
		}
		if _, in := row.In(catalogue.Profile(s.target.Profile), s.target.Edition); in {
			applies = true
		}
		if row.Slow && !s.Slow {
			s.notApplicable("it waits for minutes: run with --slow")
		}
		if row.Destructive && !s.Destructive {
			s.notApplicable("it may lock an account or trip an alarm: run with --destructive, with a sacrificial client and user")
		}
	}
	if !applies {
		ginkgo.Skip("not in this profile")
	}
	s.await()
}

func (s *session) close() {
	for _, p := range s.persons {
		_ = p.session.Close()
	}
	if s.elsewhere != nil {
		s.elsewhere.close()
	}
}

// observe sees every exchange of the run, the browser's included.
func (s *session) observe(x oauth.Exchange) {
	s.passive.see(x)
	s.seen.see(x)
}

func (s *session) exchanges() int { return s.passive.count() }

// send sends a request; without an answer the spec ends here as inconclusive.
func (s *session) send(ctx context.Context, r oauth.Request) oauth.Exchange {
	ginkgo.GinkgoHelper()
	if x, known := s.refusedBefore(r); known {
		return x
	}
	x := s.driver.Send(ctx, r)
	if !x.Answered() {
		s.inconclusive("no whole answer to %q: %v", r.Title, x.Err)
	}
	s.learnRefusal(x)
	return x
}

// inconclusive ends the spec: nothing is proved either way.
func (s *session) inconclusive(format string, args ...any) {
	s.seen.unproven = fmt.Sprintf(format, args...)
	ginkgo.Skip(s.seen.unproven)
}

// notApplicable ends the spec: the target lacks what the requirement is about.
func (s *session) notApplicable(format string, args ...any) {
	s.seen.missing = fmt.Sprintf(format, args...)
	ginkgo.Skip(s.seen.missing)
}

// warn lowers the verdict of a spec that goes on to pass: a tolerated deviation.
func (s *session) warn(format string, args ...any) {
	s.seen.lower(reports.Warn, fmt.Sprintf(format, args...))
}

// note lowers the verdict of a spec that goes on to pass: worth knowing, no more.
func (s *session) note(format string, args ...any) {
	s.seen.lower(reports.Note, fmt.Sprintf(format, args...))
}

// violated ends the spec with the verdict of its requirement's level.
func (s *session) violated(format string, args ...any) {
	ginkgo.GinkgoHelper()
	ginkgo.Fail(fmt.Sprintf(format, args...))
}

// tokenFormat is what the access tokens looked like, or empty.
func (s *session) tokenFormat() string { return s.passive.format }

// notices are what the reader of the record must know about the run as a whole.
func (s *session) notices(results []reports.Result) []string {
	var out []string
	if other := s.passive.otherClock(); other != "" {
		out = append(out, other)
	}
	switch {
	case s.Front == nil:
		out = append(out, "no user agent: nothing that needs a signed-in user was proved")
	case s.Browser == nil:
		out = append(out, fmt.Sprintf("no browser (%s): users signed in through plain HTML forms; %s", s.NoBrowser, unseen(results)))
	}
	return out
}

// unseen names the rows that stayed inconclusive since only a browser can prove them.
func unseen(results []reports.Result) string {
	var ids []string
	for _, r := range results {
		if row, known := catalogue.ByID(r.Requirement); known && row.Browser && r.Verdict == reports.Inconclusive {
			ids = append(ids, r.Requirement)
		}
	}
	if len(ids) == 0 {
		return "no row is inconclusive for that"
	}
	return fmt.Sprintf("%s only a browser can prove, inconclusive: %s", reports.Plural(len(ids), "row that", "rows that"), strings.Join(ids, ", "))
}

// The clients that the rows need, by what they are registered for.

// client is the first client that is as wanted; without one the row is not applicable.
func (s *session) client(what string, wanted func(target.Client) bool) target.Client {
	for _, c := range s.target.Clients {
		if !c.Sacrificial && wanted(c) {
			return c
		}
	}
	s.notApplicable("the target file has no %s", what)
	panic("unreachable: Skip does not return")
}

// confidential is the first confidential client with the grant, one without a compulsory PKCE if there is one.
func (s *session) confidential(g target.Grant) target.Client {
	for _, c := range s.target.Clients {
		if !c.Public && !c.Sacrificial && c.Has(g) && c.PKCE != "required" {
			return c
		}
	}
	return s.client("confidential client with the grant "+string(g), func(c target.Client) bool { return !c.Public && c.Has(g) })
}

// holder is the first client with the grant, a confidential one if there is one.
func (s *session) holder(g target.Grant) target.Client {
	for _, c := range s.target.Clients {
		if !c.Public && !c.Sacrificial && c.Has(g) && c.PKCE != "required" {
			return c
		}
	}
	return s.client("client with the grant "+string(g), func(c target.Client) bool { return c.Has(g) })
}

// public is the first public client with the grant.
func (s *session) public(g target.Grant) target.Client {
	return s.client("public client with the grant "+string(g), func(c target.Client) bool { return c.Public && c.Has(g) })
}

// other is a second confidential client with the grant.
func (s *session) other(c target.Client, g target.Grant) target.Client {
	return s.client("second confidential client with the grant "+string(g), func(o target.Client) bool {
		return !o.Public && o.Name != c.Name && o.Has(g) && o.PKCE != "required"
	})
}

// user is the i-th test account; without it the row is not applicable.
func (s *session) user(i int) target.User {
	for _, u := range s.target.Users {
		if u.Sacrificial {
			continue
		}
		if i == 0 {
			return u
		}
		i--
	}
	s.notApplicable("the target file has too few users")
	panic("unreachable: Skip does not return")
}

// protected is a configured resource; without it the row is not applicable.
func (s *session) protected(what string, r *target.Resource) target.Resource {
	if r == nil {
		s.notApplicable("the target file names no resource %q", what)
	}
	return *r
}

// enabled says which of the grants some client is registered for, of those that end at the token endpoint.
func (s *session) enabled() []target.Grant {
	var out []target.Grant
	for _, g := range []target.Grant{target.ClientCredentials, target.Password, target.AuthorizationCode, target.RefreshToken} {
		for _, c := range s.target.Clients {
			if c.Has(g) && !c.Sacrificial {
				out = append(out, g)
				break
			}
		}
	}
	return out
}

// requires makes the row not applicable unless some client is registered for the grant.
func (s *session) requires(g target.Grant) {
	for _, c := range s.target.Clients {
		if c.Has(g) {
			return
		}
	}
	s.notApplicable("no client in the target file has the grant %s", g)
}

// words joins alternatives for a message.
func words(list []string) string { return strings.Join(list, " or ") }
