package mangle

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
	"flowproof/suites"
	"flowproof/suites/catalogue"
)

// A Bench tries mutants of one server, one after the other.
type Bench struct {
	Proxy   *Proxy
	Server  func() (http.Handler, target.Target, error) // a fresh one, reached through the proxy
	Browser oauth.UserAgent
	clean   map[way]reports.Conformance
}

// An Outcome says what became of a mutant.
type Outcome struct {
	Mutant  Mutant
	Bent    int      // how many requests or answers; with none of them nothing was tried
	Caught  []string // the requirements that accuse the server more than without it
	Blinded []string // those that can no longer be judged, and say so
}

// Noticed reports whether the run came to another end than without the mutant.
func (o Outcome) Noticed() bool { return len(o.Caught)+len(o.Blinded) > 0 }

// A way is how the suites are run. What no requirement notices in a quick way is tried in a dearer one.
type way struct {
	browser bool
	profile catalogue.Profile // empty: the target's own
}

func allWays() []way { return []way{{}, {profile: "rfc6749"}, {profile: "bcp-9700"}, {browser: true}} }

// ways are those in which the mutant may be noticed: a browser sees what people see, and where they are sent.
func (m Mutant) ways() []way {
	if strings.HasPrefix(m.Place, "page") || strings.HasPrefix(m.Place, "redirect") || strings.HasPrefix(m.Place, "ask authorization") {
		return allWays()
	}
	return allWays()[:3]
}

// Look runs the suites without a mutant in every way, so that there is something to compare with and to bend.
func (b *Bench) Look(ctx context.Context) (Sightings, error) {
	b.clean = map[way]reports.Conformance{}
	for _, w := range allWays() {
		record, err := b.run(ctx, w, nil)
		if err != nil {
			return nil, err
		}
		b.clean[w] = record
	}
	return b.Proxy.Seen(), nil
}

// Try runs the suites with the mutant, in dearer ways as long as nothing notices it.
func (b *Bench) Try(ctx context.Context, m Mutant) (Outcome, error) {
	o := Outcome{Mutant: m}
	for _, w := range m.ways() {
		record, err := b.run(ctx, w, &m)
		o.Bent += b.Proxy.Bent()
		switch {
		case errors.Is(err, suites.ErrUnreachable):
			o.Caught = []string{"the token endpoint gives no answer"}
			return o, nil
		case err != nil:
			return o, err
		}
		if o.Caught, o.Blinded = suites.Changes(b.clean[w], record); o.Noticed() {
			return o, nil
		}
	}
	return o, ctx.Err()
}

// patience is how long an answer is waited for; nothing here is far away.
const patience = 2 * time.Second

func (b *Bench) run(ctx context.Context, w way, m *Mutant) (reports.Conformance, error) {
	handler, t, err := b.Server()
	if err != nil {
		return reports.Conformance{}, err
	}
	t.Timeout = patience
	if w.profile != "" {
		t.Profile, t.Edition = string(w.profile), ""
	}
	b.Proxy.Put(handler, t, m)
	driver, err := oauth.New(t, oauth.Options{Forget: true})
	if err != nil {
		return reports.Conformance{}, fmt.Errorf("mangle: %w", err)
	}
	defer driver.Close()
	o := suites.Options{Target: t, Driver: driver, Front: oauth.NewForms(t, driver), Bare: true, Rounds: 2}
	o.Only = catalogue.Without(catalogue.Races) // a mutant bends many requests at once as it bends one
	if w.browser {
		o.Browser = b.Browser
	} else {
		o.NoBrowser = "tried without one first"
	}
	return suites.Run(ctx, o)
}
