package catalogue

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryRowIsComplete(t *testing.T) {
	rows := All()
	if len(rows) != 205 {
		t.Errorf("%d requirements, want 205", len(rows))
	}
	label := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*$`)
	fault := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	endpoints := []string{"authorization", "token", "resource", "revocation", "introspection", "metadata", "jwks"}
	ids, faults, sentences := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		if !label.MatchString(r.ID) {
			t.Errorf("%s: the id has characters that a label filter would read as operators", r.ID)
		}
		if !fault.MatchString(r.Fault.ID) {
			t.Errorf("%s: fault id %q is not lower-case words and hyphens", r.ID, r.Fault.ID)
		}
		if ids[r.ID] || faults[r.Fault.ID] || sentences[r.Sentence] {
			t.Errorf("%s: its id, fault or sentence stands there twice", r.ID)
		}
		ids[r.ID], faults[r.Fault.ID], sentences[r.Sentence] = true, true, true
		if !slices.Contains(endpoints, r.Endpoint) {
			t.Errorf("%s: unknown endpoint %q", r.ID, r.Endpoint)
		}
		if !slices.Contains([]string{"no", "front", "browser"}, r.Front) || r.Browser != (r.Front == "browser") {
			t.Errorf("%s: front is %q and browser %t", r.ID, r.Front, r.Browser)
		}
		for what, text := range map[string]string{
			"section": r.Section, "title": r.SectionTitle, "source": r.Source, "applies": r.Applies, "observe": r.Observe,
		} {
			if text == "" {
				t.Errorf("%s: no %s", r.ID, what)
			}
		}
		for what, text := range map[string]string{"sentence": r.Sentence, "fault": r.Fault.Sentence} {
			if !isSentence(text) {
				t.Errorf("%s: the %s %q is not one sentence of at most 140 characters", r.ID, what, text)
			}
		}
		for id := range ids {
			if strings.Contains(r.Sentence, id) {
				t.Errorf("%s: the sentence has an id in it", r.ID)
			}
		}
	}
}

func isSentence(s string) bool {
	return s != "" && len(s) <= 140 && strings.HasSuffix(s, ".") && !strings.Contains(s, ". ") && strings.TrimSpace(s) == s
}

func TestLevels(t *testing.T) {
	known := []Level{Must, MustNot, Should, ShouldNot, May, Doc, Note}
	names := []Profile{}
	for _, p := range Profiles() {
		names = append(names, p.Name)
		if p.Meaning == "" {
			t.Errorf("profile %s has no meaning", p.Name)
		}
	}
	if !slices.Equal(names, []Profile{Space, RFC6749, BCP9700, OAuth21}) {
		t.Errorf("profiles are %v", names)
	}
	for _, r := range All() {
		if len(r.Levels) == 0 {
			t.Errorf("%s applies in no profile", r.ID)
		}
		for p, l := range r.Levels {
			if !slices.Contains(names, p) || !slices.Contains(known, l) {
				t.Errorf("%s: unknown level or profile in %s: %s", r.ID, p, l)
			}
			if weight(l) > weight(r.Level) {
				t.Errorf("%s binds harder in %s (%s) than its source does (%s)", r.ID, p, l, r.Level)
			}
			if negative(l) != negative(r.Level) && weight(l) > 1 {
				t.Errorf("%s is %s, but %s in %s", r.ID, r.Level, l, p)
			}
			if l == Doc && p != Space {
				t.Errorf("%s: documented behaviour of Space is judged in %s", r.ID, p)
			}
			if r.Fault.Level != "" && weight(r.Fault.Level) >= weight(l) {
				t.Errorf("%s: its fault's level %s does not lower %s", r.ID, r.Fault.Level, l)
			}
		}
		if vendor := strings.HasPrefix(r.ID, "SPACE-"); vendor != (r.Level == Doc) {
			t.Errorf("%s has level %s", r.ID, r.Level)
		}
		_, space := r.Levels[Space]
		if len(r.Editions) > 0 && !space {
			t.Errorf("%s has editions, but does not apply in profile space", r.ID)
		}
		for _, e := range r.Editions {
			if !slices.Contains(Editions(), e) {
				t.Errorf("%s: unknown edition %q", r.ID, e)
			}
		}
	}
}

// weight orders the levels by the verdict that they lead to: 3 fails, 2 warns, 1 notes.
func weight(l Level) int {
	switch l {
	case Must, MustNot, Doc:
		return 3
	case Should, ShouldNot:
		return 2
	case May, Note:
		return 1
	default:
		return 0
	}
}

func negative(l Level) bool { return l == MustNot || l == ShouldNot }

// Profiles and editions decide between documents that say opposite things.
func TestPairsThatDisagreeNeverBothApply(t *testing.T) {
	pairs := []struct{ topic, one, other string }{
		{"password grant", "RFC6749-4.3-issues-token", "RFC9700-2.4-password-grant-refused"},
		{"password errors", "RFC6749-4.3.2-password-errors", "RFC9700-2.4-password-grant-refused"},
		{"Space's password flow", "SPACE-password-access-type", "RFC9700-2.4-password-grant-refused"},
		{"implicit grant", "RFC6749-4.2-issues-token", "RFC9700-2.1.2-implicit-refused"},
		{"implicit grant by edition", "RFC6749-4.2-issues-token", "SPACE-implicit-not-for-new"},
		{"implicit and silent", "SPACE-request-credentials-skip-silent", "SPACE-implicit-not-for-new"},
		{"implicit response", "RFC6749-4.2.2-required-members", "RFC9700-2.1.2-implicit-refused"},
		{"redirect_uri at redemption", "RFC6749-4.1.3-redirect-uri-required", "OAUTH21-10.2-redirect-uri-not-demanded"},
		{"plain PKCE", "RFC7636-4.3-default-plain", "RFC9700-2.1.1-plain-refused"},
		{"query-string token", "RFC6750-2.3-query-token-cached", "OAUTH21-5.1-query-token-ignored"},
	}
	for _, pair := range pairs {
		one, other := mustBe(t, pair.one), mustBe(t, pair.other)
		for _, p := range Profiles() {
			for _, e := range Editions() {
				if l, in := one.In(p.Name, e); in {
					if m, too := other.In(p.Name, e); too {
						t.Errorf("%s: in %s (%s) both %s (%s) and %s (%s) apply", pair.topic, p.Name, e, one.ID, l, other.ID, m)
					}
				}
			}
		}
	}
}

// Where both sides of a disagreement stay in a profile, at most one of them may fail there.
func TestPairsThatAreWeighedNeverBothBind(t *testing.T) {
	pairs := []struct{ topic, one, other string }{
		{"client secret transport", "RFC6749-2.3.1-basic-supported", "OAUTH21-2.4.1-body-credentials-supported"},
		{"error redirect before login", "RFC6749-4.1.2.1-error-redirect-syntax", "RFC9700-4.11.2-authenticate-before-error-redirect"},
		{"replay with wrong parameters", "RFC6749-4.1.2-replay-revokes-tokens", "OAUTH21-7.5.2-invalid-replay-harmless"},
	}
	for _, pair := range pairs {
		for _, p := range Profiles() {
			one, _ := mustBe(t, pair.one).In(p.Name, DefaultEdition)
			other, _ := mustBe(t, pair.other).In(p.Name, DefaultEdition)
			if weight(one) == 3 && weight(other) == 3 {
				t.Errorf("%s: both sides are a MUST in %s", pair.topic, p.Name)
			}
		}
	}
}

func TestWhoDecides(t *testing.T) {
	for _, c := range []struct {
		id      string
		profile Profile
		edition string
		want    Level
		in      bool
	}{
		{"RFC6749-4.2-issues-token", Space, "space-2021", Must, true},
		{"RFC6749-4.2-issues-token", Space, "", Must, true},
		{"RFC6749-4.2-issues-token", Space, "space-2024", "", false},
		{"RFC6749-4.2-issues-token", RFC6749, "space-2024", Must, true},
		{"SPACE-implicit-not-for-new", Space, "space-2024", Doc, true},
		{"SPACE-implicit-not-for-new", Space, "", "", false},
		{"SPACE-implicit-not-for-new", RFC6749, "", "", false},
		{"RFC6749-2.3.1-basic-supported", OAuth21, "", May, true},
		{"OAUTH21-2.4.1-body-credentials-supported", OAuth21, "", Must, true},
		{"OAUTH21-2.4.1-body-credentials-supported", RFC6749, "", May, true},
		{"RFC9700-2.1.2-implicit-refused", BCP9700, "", ShouldNot, true},
		{"RFC9700-2.1.2-implicit-refused", OAuth21, "", MustNot, true},
		{"RFC6749-2.3-two-methods-refused", Space, "", Note, true},
		{"RFC6749-5.1-pragma", RFC6749, "", Should, true},
		{"RFC6749-5.1-pragma", OAuth21, "", "", false},
		{"RFC6749-4.1.2-code-single-use", "nonesuch", "", "", false},
	} {
		level, in := mustBe(t, c.id).In(c.profile, c.edition)
		if level != c.want || in != c.in {
			t.Errorf("%s in %s %s: %q %t, want %q %t", c.id, c.profile, c.edition, level, in, c.want, c.in)
		}
	}
}

func TestCopiesAreReturned(t *testing.T) {
	all := All()
	id := all[0].ID
	all[0].ID = "changed"
	all[0].Levels[RFC6749] = "changed"
	one := mustBe(t, "RFC6749-4.2-issues-token")
	one.Editions[0] = "changed"
	one.Levels[Space] = "changed"
	Profiles()[0].Name = "changed"
	Documents()[0].Name = "changed"

	if again := mustBe(t, id); again.Levels[RFC6749] == "changed" {
		t.Error("changing a row of All changed the catalogue")
	}
	if again := mustBe(t, one.ID); again.Editions[0] == "changed" || again.Levels[Space] == "changed" {
		t.Error("changing the row of ByID changed the catalogue")
	}
	if Profiles()[0].Name == "changed" || Documents()[0].Name == "changed" {
		t.Error("changing a list changed the catalogue")
	}
}

func TestNearest(t *testing.T) {
	for asked, want := range map[string]string{
		"RFC6749-4.1.2-code-single-us":     "RFC6749-4.1.2-code-single-use",
		"rfc6749-4.1.2-code-single-use":    "RFC6749-4.1.2-code-single-use",
		"RFC6749-4.12-code-singleuse":      "RFC6749-4.1.2-code-single-use",
		"code-single-use":                  "RFC6749-4.1.2-code-single-use",
		"SPACE-password-acces-type":        "SPACE-password-access-type",
		"RFC9700-2.1.1-verifier-challenge": "RFC9700-4.8.2-verifier-without-challenge",
	} {
		if got := Nearest(asked); len(got) == 0 || len(got) > 3 || got[0] != want {
			t.Errorf("nearest to %q: %v, want %s first", asked, got, want)
		}
	}
	for _, asked := range []string{"", "zzz", "no such requirement at all"} {
		if got := Nearest(asked); len(got) != 0 {
			t.Errorf("nearest to %q: %v, want none", asked, got)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, text := range []string{
		"sections: [{section: A, requirements: [{id: X}, {id: X}]}]",
		"sections: [{section: A, requirements: [{id: X, unknown: 1}]}]",
		"sections: {",
	} {
		if _, err := decode([]byte(text)); err == nil {
			t.Errorf("%q decodes", text)
		}
	}
}

func mustBe(t *testing.T, id string) Requirement {
	t.Helper()
	r, ok := ByID(id)
	if !ok {
		t.Fatalf("no requirement %s; near it: %v", id, Nearest(id))
	}
	return r
}

func BenchmarkDecode(b *testing.B) {
	for b.Loop() {
		if _, err := decode(source); err != nil {
			b.Fatal(err)
		}
	}
}
