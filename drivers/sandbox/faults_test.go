package sandbox

import (
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestFaultTable(t *testing.T) {
	id := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	requirement := regexp.MustCompile(`^(RFC[0-9]{4}|OAUTH21|SPACE)-[A-Za-z0-9.-]+$`)
	seen := map[string]bool{}
	caughtBy := map[string]string{}
	for _, f := range Faults() {
		if seen[f.ID] || !id.MatchString(f.ID) {
			t.Errorf("fault %q is there twice, or badly named", f.ID)
		}
		seen[f.ID] = true
		if other := caughtBy[f.Requirement]; other != "" {
			t.Errorf("%s and %s name the same requirement", f.ID, other)
		}
		caughtBy[f.Requirement] = f.ID
		for _, r := range append([]string{f.Requirement}, f.Consequences...) {
			if !requirement.MatchString(r) {
				t.Errorf("%s names %q, which is no requirement", f.ID, r)
			}
		}
		if slices.Contains(f.Consequences, f.Requirement) {
			t.Errorf("%s is a consequence of itself", f.ID)
		}
		if f.Sentence == "" || strings.HasSuffix(f.Sentence, ".") {
			t.Errorf("%s needs a sentence without a full stop", f.ID)
		}
		o, err := f.Options(Options{}).completed()
		if err != nil {
			t.Errorf("%s: %v", f.ID, err)
		}
		clean, faulty := cleanPolicy(o), cleanPolicy(o)
		if !reflect.DeepEqual(clean, faulty) {
			t.Fatal("a clean policy holds a function")
		}
		f.change(&faulty)
		if reflect.DeepEqual(clean, faulty) {
			t.Errorf("%s changes nothing under %+v", f.ID, f.Needs)
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d faults", len(seen))
	}
}

func TestUnknownFault(t *testing.T) {
	_, err := New(Options{Faults: []string{"token-acept-get"}})
	if err == nil || !strings.Contains(err.Error(), "token-accept-get") {
		t.Errorf("got %v", err)
	}
}

func TestFaultOptions(t *testing.T) {
	f, err := findFault("omit-pragma")
	if err != nil {
		t.Fatal(err)
	}
	if o := f.Options(Options{Edition: edition2021}); o.Posture != postureRFC || o.Edition != "" || o.Faults[0] != f.ID {
		t.Errorf("got %+v", o)
	}
	f, err = findFault("implicit-broken")
	if err != nil {
		t.Fatal(err)
	}
	if o := f.Options(Options{Edition: edition2024}); o.Edition != edition2023 {
		t.Errorf("got %+v", o)
	}
}

// A probe is one request that shows a fault: ok says whether the answer is that of a clean sandbox.
type probe struct {
	fault string
	ok    func(b *bench) bool
}

func TestFaultsShow(t *testing.T) {
	for _, p := range slices.Concat(tokenProbes(), frontProbes(), resourceProbes()) {
		t.Run(p.fault, func(t *testing.T) {
			f, err := findFault(p.fault)
			if err != nil {
				t.Fatal(err)
			}
			faulty := f.Options(Options{})
			clean := faulty
			clean.Faults = nil
			if !p.ok(newBench(t, clean)) {
				t.Error("the clean sandbox fails the probe")
			}
			if p.ok(newBench(t, faulty)) {
				t.Error("the faulty sandbox passes the probe")
			}
		})
	}
}

func is(r reply, status int, code string) bool { return r.status == status && r.text("error") == code }

// raw sends a request to the token endpoint as it stands.
func (b *bench) raw(method, query, body, authorization string) reply {
	req := b.request(method, b.s.paths().token+query, body)
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	return b.do(req)
}

func (b *bench) basic(name string) string {
	req := &http.Request{Header: http.Header{}}
	req.SetBasicAuth(b.client(name).id, b.client(name).secret)
	return req.Header.Get("Authorization")
}
