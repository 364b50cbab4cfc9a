package sandbox

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestNearMissTable(t *testing.T) {
	id := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	requirement := regexp.MustCompile(`^(RFC[0-9]{4}|OAUTH21|SPACE)-[A-Za-z0-9.-]+$`)
	seen, sentences := map[string]bool{}, map[string]string{}
	for _, n := range NearMisses() {
		if seen[n.ID] || !id.MatchString(n.ID) {
			t.Errorf("near miss %q is there twice, or badly named", n.ID)
		}
		seen[n.ID] = true
		if !requirement.MatchString(n.Requirement) {
			t.Errorf("%s names %q, which is no requirement", n.ID, n.Requirement)
		}
		if n.Worst != allowsPass && n.Worst != allowsNote && n.Worst != allowsWarn {
			t.Errorf("%s allows %q", n.ID, n.Worst)
		}
		for other, worst := range n.Others {
			if !requirement.MatchString(other) || other == n.Requirement || worst != allowsWarn && worst != allowsNote {
				t.Errorf("%s allows %s for %s", n.ID, worst, other)
			}
		}
		if n.Sentence == "" || strings.HasSuffix(n.Sentence, ".") {
			t.Errorf("%s needs a sentence without a full stop", n.ID)
		}
		sentences[n.ID] = n.Sentence
		o := n.Options(Options{})
		if len(o.Faults) != 0 || len(o.NearMisses) != 1 || o.NearMisses[0] != n.ID {
			t.Errorf("%s: options %+v", n.ID, o)
		}
		o, err := o.completed()
		if err != nil {
			t.Errorf("%s: %v", n.ID, err)
		}
		clean, near := cleanPolicy(o), cleanPolicy(o)
		n.change(&near)
		if reflect.DeepEqual(clean, near) {
			t.Errorf("%s changes nothing under %+v", n.ID, n.Needs)
		}
	}
	if len(seen) < 140 {
		t.Errorf("only %d near misses", len(seen))
	}
}

func TestUnknownNearMiss(t *testing.T) {
	if _, err := New(Options{NearMisses: []string{"no-such-thing"}}); err == nil || !strings.Contains(err.Error(), "no-such-thing") {
		t.Errorf("got %v", err)
	}
}

// TestNearMissesShow sends one request each to a sandbox with a near miss and to one without.
func TestNearMissesShow(t *testing.T) {
	ask := func(b *bench, extra string) reply {
		return b.raw("POST", "", "grant_type=client_credentials"+extra, b.basic("service"))
	}
	for id, clean := range map[string]func(b *bench) bool{
		"token-get-html-404": func(b *bench) bool { return b.raw("GET", "", "", "").status == 405 },
		"token-equal-repeats": func(b *bench) bool {
			return is(ask(b, "&grant_type=client_credentials"), 400, "invalid_request")
		},
		"token-type-lower-case":     func(b *bench) bool { return ask(b, "").text("token_type") == "Bearer" },
		"missing-grant-unsupported": func(b *bench) bool { return is(b.raw("POST", "", "a=b", ""), 400, "invalid_request") },
		"scope-demanded-of-clients": func(b *bench) bool { return ask(b, "").status == 200 },
		"scopes-ignored-and-told":   func(b *bench) bool { return ask(b, "&scope=global:Profile.View+global:No.Such").status == 400 },
		"unknown-client-unauthorized": func(b *bench) bool {
			return is(b.raw("POST", "", "grant_type=client_credentials&client_id=x&client_secret=y", ""), 401, "invalid_client")
		},
		"live-token-again": func(b *bench) bool {
			first := ask(b, "").text("access_token")
			return ask(b, "").text("access_token") != first
		},
		"body-secret-wrong-400": func(b *bench) bool {
			return b.raw("POST", "", "grant_type=client_credentials&client_id=x&client_secret=y", "").status == 401
		},
	} {
		t.Run(id, func(t *testing.T) {
			n, err := findNearMiss(id)
			if err != nil {
				t.Fatal(err)
			}
			with := n.Options(Options{})
			without := with
			without.NearMisses = nil
			if !clean(newBench(t, without)) {
				t.Error("the clean sandbox deviates")
			}
			if clean(newBench(t, with)) {
				t.Error("the near miss does not show")
			}
		})
	}
}
