package load

import (
	"bytes"
	"strings"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// A kind is what the answer to a request is held to.
type kind int

const (
	tokenKind kind = iota
	authorizeKind
	resourceKind
	revokeKind
	refusalKind
)

// judge verifies the answer.
func (w *worker) judge(j *job, is *issue) {
	o, a, m := &w.out, &w.answer, &w.members
	o.answered = true
	if is, well := throttled(a, m); is {
		o.throttled = true
		if !well {
			o.flaws = badThrottling.bit()
		}
		return
	}
	success := a.status >= 200 && a.status <= 299
	switch k := w.engine.steps[o.step].kind; {
	case k == refusalKind:
		w.judgeRefusal(j)
	case k == authorizeKind:
		w.judgeLanding(is)
	case !success:
		o.class = statusClass(a.status, failureCode(a, m))
	case k == tokenKind:
		w.judgeToken(j, is)
	}
	if o.class == "" && o.flaws&w.engine.failing != 0 {
		o.class = unverified
	}
}

// judgeToken holds a token answer to what is owed.
func (w *worker) judgeToken(j *job, is *issue) {
	e, o, m := w.engine, &w.out, &w.members
	o.flaws = verify(&w.answer, grantOf(j.scenario.Flow), m)
	if m.token.kind == '"' && len(m.token.raw) > 0 {
		o.flaws |= e.seen.access.verdict(m.token.raw, is.owner, e.before.reissues, repeatedToken, reissuedToken)
		if e.before.jwt && w.claims.wrong(&e.knows, is, m.token.raw) {
			o.flaws |= wrongOwner.bit()
		}
		e.sampled.offer(w.site, is, m.token.raw)
	}
	// Space's documents want the scope named, so that there it may differ without.
	if c := o.chain; c != nil && c.holds == refreshHeld && j.scenario.Scope == nil && w.site.target.Profile != "space" && m.scope.kind == '"' && !c.keeps(m.scope.raw) {
		o.flaws |= changedScope.bit()
	}
	// A refresh token that does not rotate comes again and again, and is nobody else's.
	if m.refresh.kind == '"' && len(m.refresh.raw) > 0 && (o.chain == nil || string(m.refresh.raw) != o.chain.token) {
		o.flaws |= e.seen.refresh.verdict(m.refresh.raw, is.owner, e.before.reissuesRefresh, repeatedRefresh, reissuedRefresh)
	}
}

// judgeLanding looks for the code in the redirect.
func (w *worker) judgeLanding(is *issue) {
	e, o, a := w.engine, &w.out, &w.answer
	if a.status < 300 || a.status > 399 {
		if a.status < 300 {
			o.class = noCode // a page: the session is over, or consent is asked for again
			return
		}
		o.class = statusClass(a.status, nil)
		return
	}
	where := string(a.location)
	if !oauth.Lands(where, is.client.RedirectURI(target.AuthorizationCode)) {
		o.class = noCode
		return
	}
	landing := oauth.ParseLanding(where)
	if failure := landing.Query.Get("error"); failure != "" {
		o.class = statusClass(a.status, wordOf(failure))
		return
	}
	if o.code = landing.Query.Get("code"); o.code == "" {
		o.class = noCode
		return
	}
	if landing.Query.Get("state") != o.state {
		o.flaws |= strangeState.bit()
	}
	o.flaws |= e.seen.codes.verdict([]byte(o.code), is.owner, false, repeatedCode, repeatedCode)
}

// wordOf is a word as error codes are, or nothing.
func wordOf(s string) []byte {
	if len(s) > 40 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_-") != "" {
		return nil
	}
	return []byte(s)
}

// judgeRefusal holds the answer to a hostile request to what it was when it came alone.
func (w *worker) judgeRefusal(j *job) {
	o, a, m := &w.out, &w.answer, &w.members
	if a.status >= 200 && a.status <= 299 {
		o.class, o.flaws = accepted, acceptedHostile.bit()
		return
	}
	code := failureCode(a, m)
	switch {
	case a.status >= 500:
		o.class = statusClass(a.status, code)
	case j.refusal != "" && !bytes.Equal(code, []byte(j.refusal)):
		o.class, o.flaws = otherwise, oddRefusal.bit()
	}
}
