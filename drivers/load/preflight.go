package load

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// A flight is what was learnt before the run.
type flight struct {
	tokens          string // jwt or opaque
	jwt             bool
	reissues        bool // two requests in a row brought the same token
	reissuesRefresh bool
	knows           identities
}

const preflights = 16 // of each scenario

// preflight asks for a few tokens, so that a target that is not there, or does not know the plan's
// clients and users, is hammered by nobody. Each kind of request is tried, the hostile ones alone.
func (at *site) preflight(ctx context.Context, f *flight) error {
	for _, j := range at.jobs {
		if j.hostile != "" {
			if err := at.provoke(ctx, j); err != nil {
				return err
			}
			continue
		}
		last, lastRefresh := "", ""
		// The first is asked for twice.
		for n := -1; n < min(len(j.issues), preflights); n++ {
			is := j.issues[max(n, 0)]
			a, err := at.try(ctx, j, is)
			if err != nil {
				return err
			}
			if a.AccessToken == "" {
				continue
			}
			if n == 0 && last == a.AccessToken {
				f.reissues = true
			}
			if n == 0 && lastRefresh != "" && lastRefresh == a.RefreshToken {
				f.reissuesRefresh = true
			}
			last, lastRefresh = a.AccessToken, a.RefreshToken
			f.knows.learn(is, last)
			if f.tokens = "opaque"; jwtShaped(last) {
				f.tokens, f.jwt = "jwt", true
			}
		}
	}
	return nil
}

// ask sends one request before the run.
func (at *site) ask(ctx context.Context, r oauth.Request) (oauth.Exchange, error) {
	x := at.driver.Send(ctx, r)
	if ctx.Err() != nil {
		return x, fmt.Errorf("load: ask for a first token: %w", context.Cause(ctx))
	}
	if !x.Answered() {
		return x, fmt.Errorf("load: %w: %s: %s", ErrUnreachable, r.URL, at.driver.Redactor().Text(x.Err.Error()))
	}
	return x, nil
}

// try plays an ordinary arrival once.
func (at *site) try(ctx context.Context, j *job, is *issue) (oauth.TokenAnswer, error) {
	if j.scenario.Flow == AuthorizationCode {
		return at.tryCode(ctx, j, is)
	}
	x, err := at.ask(ctx, is.request)
	if err != nil {
		return oauth.TokenAnswer{}, err
	}
	if code := x.ErrorCode(); code != "" && refused(x) {
		return oauth.TokenAnswer{}, at.refusal(j, is, x, "check the client's id, secret, grants and scope, and the user's password, in the target file")
	}
	a, err := x.Token()
	if err != nil {
		return oauth.TokenAnswer{}, nil //nolint:nilerr // what is wrong with it shows in the run
	}
	switch {
	case j.held == refreshHeld && a.RefreshToken == "":
		return a, fmt.Errorf("load: obtain a refresh token for client %s: the password grant was answered without one: %w", is.client.Name, errNoRefresh)
	case j.held == accessHeld:
		if x, err = at.ask(ctx, at.driver.Resource(*j.scenario.resource(at.target), a.AccessToken)); err != nil {
			return a, err
		}
		if x.Status >= 300 {
			return a, at.refusal(j, is, x, "check the resource in the target file, and the plan's scope")
		}
	case j.scenario.Flow == Revocation:
		if x, err = at.ask(ctx, at.driver.Revoke(is.client, a.AccessToken, "access_token")); err != nil {
			return a, err
		}
		if refused(x) {
			return a, at.refusal(j, is, x, "check endpoints: revocation in the target file")
		}
	}
	return a, nil
}

func refused(x oauth.Exchange) bool {
	return x.Status == 400 || x.Status == 401 || x.Status == 403 || x.Status == 404
}

func (at *site) refusal(j *job, is *issue, x oauth.Exchange, mend string) error {
	whom := "client " + is.client.Name
	if is.user.Name != "" {
		whom += " and " + is.user.Name
	}
	return fmt.Errorf("load: %w: %s for %s was answered with %s; %s", ErrRefused, j.scenario.Name, whom, strings.TrimSpace(fmt.Sprintf("status %d %s", x.Status, at.driver.Redactor().Text(x.ErrorCode()))), mend)
}

// tryCode obtains a code with the session that is signed in, and redeems it.
func (at *site) tryCode(ctx context.Context, j *job, is *issue) (oauth.TokenAnswer, error) {
	var none oauth.TokenAnswer
	state, verifier := oauth.NewState(), ""
	r := is.request.Changed(oauth.SetQuery("state", state))
	if proves(is.client) {
		verifier = oauth.NewVerifier()
		r = r.Changed(oauth.SetQuery("code_challenge", oauth.S256(verifier)))
	}
	if is.cookie != "" {
		r = r.Changed(oauth.Header("Cookie", is.cookie))
	}
	x, err := at.ask(ctx, r)
	if err != nil {
		return none, err
	}
	uri := is.client.RedirectURI(target.AuthorizationCode)
	landing, landed := x.Landing(uri)
	code := landing.Query.Get("code")
	if !landed || code == "" {
		return none, at.refusal(j, is, x, "the session that was signed in brought no code: if the server asks this client for consent each time, leave it out of the scenario's clients")
	}
	if x, err = at.ask(ctx, at.driver.Redeem(is.client, code, uri, verifier)); err != nil {
		return none, err
	}
	if refused(x) {
		return none, at.refusal(j, is, x, "check the client's id, secret and redirect URI in the target file")
	}
	j.spent.Store(&redemption{is, code, verifier})
	a, err := x.Token()
	if err != nil {
		return none, nil //nolint:nilerr // what is wrong with it shows in the run
	}
	return a, nil
}

// provoke sends a hostile request alone, so that it is known how it is refused. One that is accepted even so is
// judged in the run like any other.
func (at *site) provoke(ctx context.Context, j *job) error {
	var alone oauth.Request
	switch {
	case j.hostile == UsedCode:
		used := j.spent.Load()
		if used == nil {
			return fmt.Errorf("load: %w: no code of %s could be redeemed, so there is none to redeem again", ErrRefused, j.scenario.Name)
		}
		alone = at.driver.Redeem(used.issue.client, used.code, used.issue.client.RedirectURI(target.AuthorizationCode), used.verifier)
	case j.scenario.Flow == RefreshToken:
		for n, is := range j.issues {
			x, err := at.ask(ctx, is.request)
			if err != nil {
				return err
			}
			a, err := x.Token()
			if err != nil || a.RefreshToken == "" {
				return at.refusal(j, is, x, "a refresh token was to be obtained for hostile requests")
			}
			is.bytes = is.then.fill(nil, url.QueryEscape(a.RefreshToken))
			if n == 0 {
				alone = at.driver.Refresh(is.client, a.RefreshToken, "")
			}
		}
	default:
		alone = j.issues[0].request
	}
	x, err := at.ask(ctx, alone.Changed(oauth.Titled(j.title)))
	if err != nil {
		return err
	}
	if x.Status >= 400 && x.Status < 500 && x.Status != 429 {
		j.refusal = x.ErrorCode()
	}
	return nil
}
