package reports

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func sampleHistory() []Entry {
	var out []Entry
	for i := range 8 {
		started := fmt.Sprintf("2026-02-%02dT02:00:00Z", 10-i) // not in their order
		c := sampleConformance()
		c.Started = started
		if i > 3 {
			c.Results[5].Verdict, c.Results[5].Findings[0].Verdict = Pass, Pass
		}
		l := slowerLoad(60, 1+float64(i%5)/10)
		l.Started = started
		out = append(out, Entry{Record{Conformance: &c}, fmt.Sprintf("night-%d/check.html", 10-i)}, Entry{Record{Load: &l}, fmt.Sprintf("night-%d/load.html", 10-i)})
	}
	for i, change := range []func(*Load){
		func(*Load) {},
		func(l *Load) { l.Capacity.Held, l.Capacity.Failed = 1702, 1790 },
		func(l *Load) { l.Capacity.Failed, l.Capacity.AtLeast, l.Capacity.Held = 0, true, 2100 },
		func(l *Load) { l.Capacity.Confirmed, l.Verdict = false, Inconclusive },
		func(l *Load) { l.Capacity.Held, l.Capacity.Failed, l.Verdict = 0, 500, Fail },
		func(l *Load) { l.Capacity.Objective = []string{"p95<50ms"} }, // another series
	} {
		l := capacityLoad()
		l.Started, l.Plan.Hash, l.Plan.Rate = fmt.Sprintf("2026-02-%02dT04:00:00Z", i+3), fmt.Sprint(i), float64(1000+i)
		change(&l)
		out = append(out, Entry{Record{Load: &l}, fmt.Sprintf("night-%d/capacity.html", i+3)})
	}
	few, bad := calmLoad(), sampleConformance()
	few.Steps[0].Latency, few.Plan.Rate = histogram(500, 900), 10
	bad.Target.Name, bad.Started = hostile, hostile
	return append(out, Entry{Record{Load: &few}, "few.json"}, Entry{Record{Conformance: &bad}, "javascript:alert(1)/" + hostile + ".json"})
}

func TestHistoryIsAsCommittedAndEachPointLeadsToItsRecord(t *testing.T) {
	entries := sampleHistory()
	var out bytes.Buffer
	if err := History(&out, entries, []string{"notes.json is no record" + hostile}); err != nil {
		t.Fatal(err)
	}
	golden(t, "history.html", out.Bytes())
	if i := bytes.IndexFunc(out.Bytes(), func(r rune) bool { return r != '\n' && hidden(r) }); i >= 0 {
		t.Errorf("a hidden character at %d: %q", i, out.Bytes()[max(0, i-30):i+4])
	}
	want := map[string]int{}
	for _, e := range entries {
		want[e.Link] = 0
	}
	elements(t, out.Bytes(), func(n *html.Node) {
		if n.Data != "a" || strings.HasPrefix(attribute(n, "href"), "#") {
			return
		}
		at, err := url.Parse(attribute(n, "href"))
		if err != nil || at.Scheme != "" || at.Host != "" || at.RawQuery != "" || at.Fragment != "" || !strings.HasPrefix(at.EscapedPath(), "./") {
			t.Errorf("a link to %q", attribute(n, "href"))
			return
		}
		path := strings.TrimPrefix(at.Path, "./")
		if _, known := want[path]; !known && !strings.HasPrefix(path, "javascript:") {
			t.Errorf("a link to %q, which is no record", path)
		}
		want[path]++
	})
	for _, e := range entries[:16] {
		n := 4 // a row, and three points or parts of a column
		if want[e.Link] != n {
			t.Errorf("%d ways lead to %s, want %d", want[e.Link], e.Link, n)
		}
	}
	// A search has a row, p50 and p99, and its two rates; one that was not confirmed or has no second has fewer.
	for i, n := range []int{5, 5, 4, 3, 5, 1} {
		if link := entries[16+i].Link; want[link] != n {
			t.Errorf("%d ways lead to %s, want %d", want[link], link, n)
		}
	}
	var rows []string
	elements(t, out.Bytes(), func(n *html.Node) {
		if n.Data == "th" && attribute(n, "scope") == "row" {
			rows = append(rows, textIn(n))
		}
	})
	if len(rows) != 24 || !slices.IsSorted(rows[:8]) {
		t.Errorf("the runs are %q", rows)
	}
	if err := History(&out, nil, nil); err == nil {
		t.Error("there is a history of nothing")
	}
}

func TestHistoryRefusesPercentilesOfFewAnswers(t *testing.T) {
	few := calmLoad()
	few.Steps[0].Latency = histogram(500, 900)
	var out bytes.Buffer
	if err := History(&out, []Entry{{Record{Load: &few}, "a.json"}}, nil); err != nil {
		t.Fatal(err)
	}
	cells := map[string]string{}
	var head, row []string
	elements(t, out.Bytes(), func(n *html.Node) {
		switch {
		case n.Data == "th" && attribute(n, "scope") == "col":
			head = append(head, textIn(n))
		case n.Data == "td", n.Data == "th":
			row = append(row, textIn(n))
		}
	})
	for i, name := range head {
		cells[name] = row[i]
	}
	if cells["p99"] != "–" || cells["p50"] == "–" {
		t.Errorf("%v", cells)
	}
}
