package suites

import (
	"context"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// frontGrants are the flows that begin at the authorization endpoint: the code flow, for which rows are
// not applicable where no client has it, and the implicit flow where it is offered at all.
func (s *session) frontGrants() []target.Grant {
	if s.offers(target.Implicit) {
		return []target.Grant{target.AuthorizationCode, target.Implicit}
	}
	return []target.Grant{target.AuthorizationCode}
}

// responseType is how an authorization request names the flow.
func responseType(g target.Grant) string {
	if g == target.Implicit {
		return "token"
	}
	return "code"
}

// asking is the ordinary authorization request of the client, with a challenge where one is due.
func (s *session) asking(c target.Client, g target.Grant, changes ...oauth.Change) oauth.Request {
	r := s.authorize(c, g)
	if g == target.AuthorizationCode && s.ordinaryPKCE(c) {
		r = r.Changed(challenged(oauth.NewVerifier()))
	}
	return r.Changed(changes...)
}

// challenged adds the challenge of a verifier.
func challenged(verifier string) oauth.Change {
	return func(r *oauth.Request) {
		oauth.SetQuery("code_challenge", oauth.S256(verifier))(r)
		oauth.SetQuery("code_challenge_method", "S256")(r)
	}
}

// authorizes proves once a run that the client's ordinary authorization request brings what it asks
// for; what becomes of its spoilt forms is believed only after it.
func (s *session) authorizes(ctx context.Context, c target.Client, g target.Grant) {
	name := "an authorization request of " + c.Name + " for " + responseType(g)
	made, known := s.controls[name]
	if !known {
		s.controls[name] = control{failure: "the positive control (" + name + ") was not played to its end"}
		l := s.land(ctx, s.person(ctx, s.user(0)), s.asking(c, g), oauth.Accept)
		if len(l.Trail) > 0 {
			made.exchange = l.Trail[len(l.Trail)-1]
		}
		if !issued(l) {
			made.failure = "the positive control (" + name + ") brought no " + responseType(g) + ": " + landed(l)
		}
		s.controls[name] = made
	}
	if made.failure != "" {
		s.seen.decide(made.exchange)
		s.inconclusive("%s", made.failure)
	}
}

// play plays a spoilt authorization request as the first user, who accepts. What is no answer to the
// request itself, as a breakdown or a throttle, ends the spec.
func (s *session) play(ctx context.Context, r oauth.Request) oauth.Landing {
	l := s.land(ctx, s.person(ctx, s.user(0)), r, oauth.Accept)
	s.settled(l, r)
	return l
}

// settled ends the spec where the landing proves nothing.
func (s *session) settled(l oauth.Landing, r oauth.Request) {
	if l.Page == nil {
		return
	}
	switch {
	case l.Page.Status >= 500:
		s.inconclusive("the server broke down, which proves no refusal: %q: %s", r.Title, landed(l))
	case l.Page.Status == http.StatusTooManyRequests:
		s.inconclusive("the server throttles (429), which proves no refusal: %q", r.Title)
	}
}

// issued says whether the user agent brought a code or a token to a client.
func issued(l oauth.Landing) bool {
	return l.Kind == oauth.Redirected && l.Params().Get("code")+l.Params().Get("access_token") != ""
}

// outcome is what became of an authorization request, so that two can be compared.
func outcome(l oauth.Landing) string {
	switch {
	case issued(l):
		return "granted"
	case l.Kind == oauth.Redirected:
		return "redirected with the error " + printable(l.Params().Get("error"))
	default:
		return "a page of the server"
	}
}

// A fate is what became of a redirect URI that was asked for.
type fate int

const (
	turnedDown fate = iota // an error page, or an error told at the registered URI
	overridden             // something was issued, yet to the registered URI
	taken                  // the user agent was sent there
)

// Everything that a probe adds to a redirect URI holds the marker, so that it is known where it turns up.
const (
	marker      = "flowproof"
	foreignHost = "flowproof.example"
	foreignURI  = "https://" + foreignHost + "/callback"
)

// fateOf judges where the request for another redirect URI than the registered one ended.
func (s *session) fateOf(l oauth.Landing, r oauth.Request, registered string) fate {
	if l.Kind != oauth.Redirected {
		return turnedDown
	}
	state := r.Query.Get("state")
	answers := issued(l) || state != "" && l.Params().Get("state") == state || oauth.Lands(l.URL, s.caught(r)...)
	place, query, _ := strings.Cut(before(l.URL, "#"), "?")
	home, expected, _ := strings.Cut(registered, "?")
	if u, web := cutURI(home); web && u.path == "" && place == home+"/" {
		home = place // a browser writes the root's slash
	}
	switch {
	case !answers: // a page of the server on another host
		return turnedDown
	case place != home, marked(l), expected != "" && !strings.Contains(query, expected):
		return taken
	case issued(l):
		return overridden
	default:
		return turnedDown
	}
}

// marked says whether what a probe added to the redirect URI came through; error texts may quote it.
func marked(l oauth.Landing) bool {
	for _, list := range []oauth.Params{l.Query, l.Fragment} {
		for _, p := range list {
			if !strings.HasPrefix(p.Name, "error") && strings.Contains(p.Name+p.Value, marker) {
				return true
			}
		}
	}
	return false
}

func before(text, mark string) string {
	head, _, _ := strings.Cut(text, mark)
	return head
}

// variant is the name of the running table entry, for titles.
func variant() string { return CurrentSpecReport().LeafNodeText }

// registeredFor is the first client whose redirect URI for the flow is as wanted, one without a
// compulsory PKCE if there is one; without any the row is not applicable.
func (s *session) registeredFor(g target.Grant, what string, wanted func(uri string) bool) target.Client {
	fits := func(c target.Client) bool { return c.Has(g) && c.RedirectURI(g) != "" && wanted(c.RedirectURI(g)) }
	for _, c := range s.target.Clients {
		if !c.Sacrificial && c.PKCE != "required" && fits(c) {
			return c
		}
	}
	return s.client("client with the grant "+string(g)+" and "+what, fits)
}

// redirecting is the client whose redirect URI probes spoil: on the web, without a query, not a
// loopback one if there is another.
func (s *session) redirecting(g target.Grant) target.Client {
	for _, c := range s.target.Clients {
		if c.Has(g) && !c.Sacrificial && plain(c.RedirectURI(g)) && !loopback(c.RedirectURI(g)) {
			return s.registeredFor(g, "an ordinary redirect URI", func(uri string) bool { return plain(uri) && !loopback(uri) })
		}
	}
	return s.registeredFor(g, "an http or https redirect URI without a query", plain)
}
