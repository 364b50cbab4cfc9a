package reports

import (
	"bytes"
	"strings"
	"testing"
)

// A record of a plan with everything shows what was asked for, and says nothing of what was not.
func TestPlansAreShown(t *testing.T) {
	l := sampleLoad()
	off := false
	l.Plan.Name, l.Plan.Arrivals, l.Plan.Hash, l.Plan.KeepAlive = "peak", "poisson", strings.Repeat("ab", 32), &off
	l.Plan.Stages = []Stage{{Rate: 1000, DurationMS: 20_000}, {Ramp: true, Rate: 3000, DurationMS: 40_000}}
	l.Plan.From, l.Plan.Streams, l.Plan.Protocol, l.Plan.Nodes = 16, 4, "h2", []string{"https://a.acme.test", "https://b.acme.test"}
	l.Plan.Shard, l.Plan.Abort = &Shard{2, 3}, []string{"errors>50% for 5s"}
	worst := l.Violations[0].First
	worst.DurationUS = 912_000
	l.Violations[0].Worst = &worst
	var text, page, junit bytes.Buffer
	l.Summary(&text, false)
	for format, out := range map[string]*bytes.Buffer{"html": &page, "junit": &junit} {
		if err := Render(format, out, Record{Load: &l}); err != nil {
			t.Fatal(err)
		}
	}
	if s := text.String(); !strings.Contains(s, "peak · open model · 2,000/s on average, in 2 stages for 1 min") {
		t.Error(s)
	}
	for _, want := range []string{"1,000/s for 20 s, to 3,000/s for 40 s", "poisson", "16 at first, up to 64, each with 4 streams, a new one for each request", "https://b.acme.test", "2 of 3", "errors&gt;50% for 5s", l.Plan.Hash} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if s := page.String(); !strings.Contains(s, "The first of them") || !strings.Contains(s, "The slowest of them") || !strings.Contains(s, "912 ms") {
		t.Error("the page does not show the first and the slowest exchange of a violation")
	}
	if !strings.Contains(junit.String(), "the slowest:") {
		t.Error("JUnit does not show the slowest exchange of a violation")
	}
}
