package mangle

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"flowproof/drivers/browser"
	"flowproof/drivers/target"
)

// Flags say how many mutants are tried and which.
type Flags struct {
	Count *int
	Seed  *uint64
	Only  *string
}

// DeclareFlags adds them to the test binary's own.
func DeclareFlags() Flags {
	return Flags{
		Count: flag.Int("mutants", 25, "how many mutants to try; 0 tries all"),
		Seed:  flag.Uint64("seed", 1, "which ones"),
		Only:  flag.String("mutant", "", "only those with this in their name"),
	}
}

// Test tries mutants of the server that build makes for a base URL, and wants each noticed, or explained in the
// server's own file of survivors or in those that it shares with others.
func Test(t *testing.T, f Flags, build func(base string) (http.Handler, target.Target, error), own string, shared ...string) {
	t.Helper()
	explanations, err := Survivors(own)
	if err != nil {
		t.Fatal(err)
	}
	ofOwn := len(explanations)
	for _, path := range shared {
		more, err := Survivors(path)
		if err != nil {
			t.Fatal(err)
		}
		explanations = append(explanations, more...)
	}
	proxy := NewProxy()
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	b := &Bench{Proxy: proxy, Server: func() (http.Handler, target.Target, error) { return build(server.URL) }}
	b.Browser = begin(t, b)
	seen, err := b.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	all := Mutants(seen)
	chosen := all
	if *f.Only == "" {
		chosen = Sample(all, *f.Count, *f.Seed)
	}
	tried, caught, blinded, explained := 0, 0, 0, 0
	used := make([]bool, len(explanations))
	for _, m := range chosen {
		if !strings.Contains(m.ID(), *f.Only) {
			continue
		}
		o, err := b.Try(t.Context(), m)
		if err != nil {
			t.Fatalf("%s: %v", m.ID(), err)
		}
		if o.Bent == 0 {
			continue
		}
		tried++
		switch {
		case len(o.Caught) > 0:
			caught++
			if testing.Verbose() {
				t.Logf("caught    %s (%d bent) by %s", m.ID(), o.Bent, strings.Join(o.Caught, ", "))
			}
		case len(o.Blinded) > 0:
			blinded++
			t.Logf("told      %s (%d bent): not to be judged are %s", m.ID(), o.Bent, strings.Join(o.Blinded, ", "))
		default:
			why := explain(explanations, used, m)
			if why == "" {
				t.Errorf("survived  %s (%d bent)", m.ID(), o.Bent)
				continue
			}
			explained++
			t.Logf("explained %s: %s", m.ID(), why)
		}
	}
	t.Logf("%d mutants of %d: %d caught, %d told as inconclusive, %d survived with a reason, %d without one",
		tried, len(all), caught, blinded, explained, tried-caught-blinded-explained)
	if len(chosen) == len(all) && *f.Only == "" {
		for i, e := range explanations[:ofOwn] {
			if !used[i] {
				t.Errorf("%s: %q explains no mutant that survives", own, e.Mutant)
			}
		}
	}
}

func explain(list []Survivor, used []bool, m Mutant) string {
	for i, s := range list {
		if s.Explains(m) {
			used[i] = true
			return s.Why
		}
	}
	return ""
}

// begin starts the browser.
func begin(t *testing.T, b *Bench) *browser.Browser {
	t.Helper()
	_, described, err := b.Server()
	if err != nil {
		t.Fatal(err)
	}
	agent, err := browser.Start(context.WithoutCancel(t.Context()), described, browser.Options{Path: os.Getenv("FLOWPROOF_BROWSER")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = agent.Close() })
	return agent
}
