package suites

import (
	"sync"

	"flowproof/drivers/oauth"
	"flowproof/reports"
)

// An observation is what one spec saw, expected and noted.
type observation struct {
	mu        sync.Mutex // the browser reports its exchanges from its own goroutines
	exchanges []oauth.Exchange
	deciding  []oauth.Exchange
	pages     []oauth.Page
	expected  string
	message   string
	lowered   reports.Verdict // warn or note although the expectation held
	then      *observation    // what was expected and seen when the verdict was lowered
	forced    reports.Verdict // the verdict of a violation, whatever the level
	unproven  string          // why it is inconclusive
	missing   string          // why it is not applicable
	judged    int             // exchanges judged, for passive rows
	wording   bool            // how an answer is worded is judged, whatever it says
}

func (o *observation) see(x oauth.Exchange) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.exchanges = append(o.exchanges, x.Brief())
}

// decide marks an exchange as the one that decides.
func (o *observation) decide(x oauth.Exchange) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.deciding = []oauth.Exchange{x.Brief()}
}

// lower keeps the worst of the tolerated deviations.
func (o *observation) lower(v reports.Verdict, message string) {
	if o.lowered == "" || reports.Worst(o.lowered, v) != o.lowered {
		o.lowered, o.message = v, message
		o.then = &observation{expected: o.expected, deciding: o.deciding}
	}
}

// settle shows a spec that passed with a lowered verdict as it stood when that was lowered.
func (o *observation) settle() {
	if o.then != nil {
		o.expected, o.deciding = o.then.expected, o.then.deciding
	}
}

// show keeps a page that a user was shown, for its screenshot.
func (o *observation) show(p *oauth.Page) {
	if p != nil {
		o.pages = append(o.pages, *p)
	}
}

// attachments are the last pages of a spec that did not pass: the picture, and the HTML with its secrets masked.
func (s *session) attachments(o *observation, v reports.Verdict) []reports.Attachment {
	if v == reports.Pass || v == reports.NotApplicable {
		return nil
	}
	var out []reports.Attachment
	for _, p := range o.pages[max(0, len(o.pages)-keptPages):] {
		name := p.Title
		if name == "" {
			name = "a page without a title"
		}
		if len(p.Screenshot) > 0 {
			out = append(out, reports.Attachment{Name: name, Type: "image/png", Data: p.Screenshot})
		}
		if p.HTML != "" {
			text := s.driver.Redactor().Page(string(oauth.Beginning([]byte(p.HTML), 2*keptHTML)))
			out = append(out, reports.Attachment{Name: name + " (HTML)", Type: "text/html", Data: []byte(text[:min(len(text), keptHTML)])})
		}
	}
	return out
}

// How many exchanges a finding keeps: a pass is proved by its deciding one, the rest by the way there.
const (
	keptOnPass  = 2
	keptOnFault = 10
	keptPages   = 2
	keptHTML    = 64 << 10 // bytes
)

// evidence is what the report shows of a spec: redacted, the deciding exchange marked, the latest kept.
func (s *session) evidence(o *observation, v reports.Verdict) []reports.Exchange {
	o.mu.Lock()
	defer o.mu.Unlock()
	if v == reports.NotApplicable {
		return nil
	}
	kept := keptOnFault
	if v == reports.Pass {
		kept = keptOnPass
	}
	list := o.exchanges
	for _, d := range o.deciding {
		if !contains(list, d) { // made by an earlier spec
			list = append([]oauth.Exchange{d}, list...)
		}
	}
	decides := len(list) - 1
	for i, x := range list {
		if contains(o.deciding, x) {
			decides = i
		}
	}
	from := max(0, min(len(list)-kept, decides-kept+1))
	to := min(len(list), from+kept)
	var out []reports.Exchange
	for i, x := range list[from:to] {
		shown := x.Evidence(s.driver.Redactor())
		shown.Deciding = from+i == decides
		out = append(out, shown)
	}
	return out
}

// contains tells exchanges apart by when and how they were made; their bytes need not be compared.
func contains(list []oauth.Exchange, x oauth.Exchange) bool {
	for _, y := range list {
		if y.Started.Equal(x.Started) && y.Request.Title == x.Request.Title && y.Duration == x.Duration {
			return true
		}
	}
	return false
}
