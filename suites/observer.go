package suites

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// An observer judges every exchange of a run by the passive rows of the catalogue.
type observer struct {
	target target.Target
	rows   []passiveRow

	ofResponses []passiveRow // those of the rows that are about responses to authorization requests

	mu        sync.Mutex
	total     int
	silent    int // requests in a row, up to the last one, without a whole answer
	ended     int // exchanges that may have ended what was granted before
	tallies   map[string]*tally
	skew      time.Duration    // how far the target's clock is ahead of ours, if it matters
	format    string           // jwt or opaque, once a token was seen
	uris      []string         // every registered redirect URI
	responses []oauth.Exchange // the redirects that brought a client something, the first mostResponses
}

// mostResponses bounds what is kept to be judged at the end.
const mostResponses = 2000

// A passiveRow judges the answers that it is about.
type passiveRow struct {
	id    string
	about func(x oauth.Exchange) bool
	judge func(x oauth.Exchange) opinion
}

// An opinion is what one answer says about a row; the zero value is that all is well.
type opinion struct {
	worse   reports.Verdict // fail: a violation, judged by the row's level; warn or note: tolerated
	because string
}

// A tally is what all answers of a run say about a row, with the worst one as evidence.
type tally struct {
	seen  int
	worst opinion
	at    oauth.Exchange
}

func newObserver(t target.Target) *observer {
	o := &observer{target: t, uris: t.RedirectURIs(), ofResponses: responseRows(t), tallies: map[string]*tally{}}
	o.rows = append(append(transportRows(t), onceRow(t)), o.ofResponses...)
	for _, row := range passiveRows() {
		about := row.about
		row.about = func(x oauth.Exchange) bool { return o.ordinary(x) && about(x) }
		o.rows = append(o.rows, row)
	}
	for _, row := range besideRows() {
		about := row.about
		row.about = func(x oauth.Exchange) bool { return o.beside(x) && about(x) }
		o.rows = append(o.rows, row)
	}
	return o
}

// see judges one exchange.
func (o *observer) see(x oauth.Exchange) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.total++
	if !x.Answered() {
		o.silent++
		return
	}
	o.silent = 0
	if skew, _ := x.ClockSkew(); o.skew == 0 && skew.Abs() > clockSkew {
		o.skew = skew
	}
	if o.ends(x) {
		o.ended++
	}
	if t, err := x.Token(); err == nil && t.AccessToken != "" && o.format == "" {
		o.format = "opaque"
		if _, is := oauth.ParseJWT(t.AccessToken); is {
			o.format = "jwt"
		}
	}
	if responds(x, o.uris) && len(o.responses) < mostResponses {
		o.responses = append(o.responses, x.Brief())
	}
	for _, row := range o.rows {
		o.judge(row, x, x)
	}
}

// judge counts what the row says of an exchange, and keeps the worst with what is to be shown of it.
func (o *observer) judge(row passiveRow, x, shown oauth.Exchange) {
	if !row.about(x) {
		return
	}
	t := o.tallies[row.id]
	if t == nil {
		t = &tally{}
		o.tallies[row.id] = t
	}
	t.seen++
	if op := row.judge(x); t.seen == 1 || worse(op.worse, t.worst.worse) {
		t.worst, t.at = op, shown.Brief()
	}
}

// land judges the response that a user agent brought after forms were filled in: to the request that began it,
// as if it had been answered at once.
func (o *observer) land(r oauth.Request, l oauth.Landing) {
	if l.Kind != oauth.Redirected || len(l.Trail) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	x, last := oauth.Exchange{Request: r, Status: http.StatusFound, Header: http.Header{"Location": {l.URL}}}, l.Trail[len(l.Trail)-1]
	for _, row := range o.ofResponses {
		if !row.about(last) { // else it was judged as it came
			o.judge(row, x, last)
		}
	}
}

// ordinary says whether an exchange is one that the rows about the token endpoint may judge: a form posted to the
// token endpoint, of a size that no proxy answers by itself.
func (o *observer) ordinary(x oauth.Exchange) bool {
	r := x.Request
	return r.Method == http.MethodPost && sentTo(x, o.target.Endpoints.Token) &&
		r.Body == "" && len(r.Form) < 100 && len(r.Form.Encode()) < 8<<10
}

// ends says whether an exchange may have ended what was granted before: a server that sees a code or a refresh token
// misused may revoke the whole grant (RFC 6749 §4.1.2, §10.4), and so may one that is asked to revoke one token of it.
func (o *observer) ends(x oauth.Exchange) bool {
	if sentTo(x, o.target.Endpoints.Revocation) {
		return true
	}
	g := x.Request.Form.Get("grant_type")
	return sentTo(x, o.target.Endpoints.Token) && !x.IssuedToken() && (g == string(target.AuthorizationCode) || g == string(target.RefreshToken))
}

// beside says whether an exchange is one with an endpoint that answers as the token endpoint does: revocation
// (RFC 7009 §2.2.1), introspection (RFC 7662 §2.3), and the documents.
func (o *observer) beside(x oauth.Exchange) bool {
	e, r := o.target.Endpoints, x.Request
	switch r.URL {
	case e.Revocation, e.Introspection:
		return r.Method == http.MethodPost && r.URL != ""
	case e.Metadata, e.JWKS:
		return r.Method == http.MethodGet && r.URL != ""
	default:
		return false
	}
}

func (o *observer) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.total
}

func (o *observer) silence() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.silent
}

// endings counts the exchanges that may have ended what was granted before.
func (o *observer) endings() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended
}

// tally is what was seen so far of a row.
func (o *observer) tally(id string) tally {
	o.mu.Lock()
	defer o.mu.Unlock()
	if t := o.tallies[id]; t != nil {
		return *t
	}
	return tally{}
}

// redirects are the redirects to clients, so far.
func (o *observer) redirects() []oauth.Exchange {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.responses)
}

// worse orders opinions: fail, warn, note, nothing.
func worse(a, b reports.Verdict) bool {
	rank := map[reports.Verdict]int{"": 0, reports.Note: 1, reports.Warn: 2, reports.Fail: 3}
	return rank[a] > rank[b]
}
