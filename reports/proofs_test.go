package reports

import (
	"bytes"
	"strings"
	"testing"
)

func TestProofsTellWhatWentWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		proof Proof
		line  string
		count string
	}{
		{"caught", Proof{Fault: "f", Requirement: "R", Faulty: Fail, Wanted: Fail, Caught: true}, "",
			"caught 1 of 1; stowaways 0; findings without a fault 0"},
		{"missed", Proof{Fault: "f", Requirement: "R", Faulty: Pass, Wanted: Fail}, "not caught  f by R: pass where fail was due",
			"caught 0 of 1; stowaways 0; findings without a fault 0"},
		{"not judged", Proof{Fault: "f", Requirement: "R", Wanted: Fail}, "not caught  f by R: not judged where fail was due",
			"caught 0 of 1; stowaways 0; findings without a fault 0"},
		{"another in its place", Proof{Fault: "f", Requirement: "R", Faulty: Pass, Wanted: Fail, Stowaways: []string{"S"}},
			"not caught  f by R: pass where fail was due; worse instead: S", "caught 0 of 1; stowaways 1; findings without a fault 0"},
		{"stowaways", Proof{Fault: "f", Requirement: "R", Faulty: Fail, Wanted: Fail, Caught: true, Stowaways: []string{"A", "B"}},
			"stowaways   f, meant for R, also made these worse: A, B", "caught 1 of 1; stowaways 2; findings without a fault 0"},
	} {
		p := Proofs{Proofs: []Proof{c.proof}}
		var out strings.Builder
		p.Summary(&out, false)
		want := strings.TrimPrefix(c.line+"\n"+c.count+"\n", "\n")
		if out.String() != want {
			t.Errorf("%s: %q, want %q", c.name, out.String(), want)
		}
		if p.Proved() != (c.name == "caught") {
			t.Errorf("%s: proved is %v", c.name, p.Proved())
		}
	}
	spotted := Proofs{Proofs: []Proof{{Caught: true}}, Clean: []Spot{{Requirement: "R", Verdict: Warn}}}
	if spotted.Proved() {
		t.Error("a finding without a fault was overlooked")
	}
	if (Proofs{}).Proved() {
		t.Error("nothing at all proves something")
	}
}

func TestProofsRoundTripAndPage(t *testing.T) {
	p := Proofs{Tool: Tool{"flowproof", "1"}, Proofs: []Proof{{Fault: "f", Sentence: "<script>alert(1)</script>", Requirement: "R", Faulty: Fail, Wanted: Fail, Caught: true, Worse: []string{"S"}}},
		Clean: []Spot{{Requirement: "R", Verdict: Warn, Message: "<b>"}}}
	var text, page bytes.Buffer
	if err := WriteProofs(&text, p); err != nil {
		t.Fatal(err)
	}
	again, err := ReadProofs(&text)
	if err != nil || again.String() != p.String() || again.Proofs[0].Sentence != p.Proofs[0].Sentence {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := ReadProofs(strings.NewReader(`{"schema":"other"}`)); err == nil {
		t.Error("another record was read as proofs")
	}
	if err := ProofsHTML(&page, p); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page.String(), "<script>alert") || strings.Contains(page.String(), "<b></td>") || !strings.Contains(page.String(), "&lt;script&gt;") {
		t.Error("a sentence acts on the page")
	}
}
