package catalogue

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// headings lists the numbered sections of the documents cited, parents being implied by their children;
// 4.1-3 stands for 4.1, 4.2 and 4.3. Documents without numbered sections have an empty list.
var headings = map[string]string{
	"RFC 6749": `1.1-2 1.3.1-4 1.4-9 2.1-2 2.3.1-2 2.4 3.1.1 3.1.2.1-5 3.2.1 3.3 4.1.1 4.1.2.1 4.1.3-4 4.2.1 4.2.2.1
		4.3.1-3 4.4.1-3 4.5 5.1-2 6 7.1-2 8.1-5 9 10.1-16 11.1.1 11.2.1-2 11.3.1 11.4.1 12.1-2 A.1-17 B C`,
	"RFC 6750": "1.1-3 2.1-3 3.1 4 5.1-3 6.1.1 6.2.1-3 7.1-2 A",
	"RFC 7636": "1.1 2 3 4.1-3 4.4.1 4.5-6 5 6.1 6.2.1-2 7.1-5 8.1-2 A B C",
	"RFC 7009": "1 2.1 2.2.1 2.3 3 4.1.1 4.1.2.1-2 5 6 7.1-2",
	"RFC 7662": "1.1-2 2.1-3 3.1 4 5 6.1-2 A",
	"RFC 8414": "1.1-2 2.1 3.1-3 4 5 6.1-4 7.1.1-2 7.2 7.3.1 8.1-2",
	"RFC 9207": "1.1 2.1-4 3 4 5.1-2 6.1-2",
	"RFC 8252": "1.1 2 3 4.1 5 6 7.1-3 8.1-12 9 10.1-2 A B.1-5",
	"RFC 9700": `1.1-2 2.1.1-2 2.2.1-2 2.3-6 3 4.1.1-3 4.2.1-4 4.3.1-2 4.4.1 4.4.2.1-2 4.5.1-2 4.5.3.1-3 4.5.4 4.6.1 4.7.1
		4.8.1-2 4.9.1-3 4.10.1-3 4.11.1-2 4.12-13 4.14.1-2 4.15.1 4.16 4.17.1.1-3 4.17.2 5 6 7.1-2`,
	"RFC 6819": `1 2.1-2 2.3.1-3 3.1.1-2 3.2-7 4.1.1-5 4.2.1-4 4.3.1-6 4.4.1.1-13 4.4.2.1-5 4.4.3.1-6 4.4.4 4.5.1-4 4.6.1-7
		5.1.1-3 5.1.4.1.1-5 5.1.4.2.1-5 5.1.5.1-12 5.1.6 5.2.1.1 5.2.2.1-6 5.2.3.1-7 5.2.4.1-5 5.3.1-5 5.4.1-3 5.5 6 7`,
	"OAuth 2.1": `1.1-2 1.3.1-3 1.4.1-3 1.5-9 2.1-2 2.3.1-6 2.4.1-2 2.5 3.1 3.2.1-4 4.1.1 4.1.2.1 4.1.3 4.2.1 4.3.1-3 4.4
		5.1.1-2 5.2 5.3.1-2 6.1.1-2 6.2-5 7.1.1-4 7.2 7.3.1-2 7.4 7.5.1-3 7.6-11 7.12.1-2 7.13 7.14.1-2 8.1.1-2 8.2-3
		8.4.1-3 8.5.1-4 9 10.1-2 11 12.1-2 A.1-18 B C.1-3 D E F`,
	"RFC 8725": "1.1-2 2.1-10 3.1-12 4 5 6.1-2",
	"RFC 8259": "1.1-3 2 3 4 5 6 7 8.1-3 9 10 11 12 13 14.1-2 A",
	"RFC 3986": "1.1.1-3 1.2.1-3 1.3 2.1 2.2-5 3.1 3.2.1-3 3.3-5 4.1-5 5.1.1-4 5.2.1-4 5.3 5.4.1-2 6.1 6.2.1 6.2.2.1-3 6.2.3-4 7.1-6 8 9 10.1-2 A B C D.1-2",
	"RFC 9110": `2.1-5 3.1-9 4.1 4.2.1-5 4.3.1-5 5.1-5 5.6.1-7 6.1-6 7.1-8 8.1-8 9.1 9.2.1-3 9.3.1-8 10.1.1-6 10.2.1-4
		11.1-5 11.6.1-3 11.7.1-3 12.1-5 13.1-2 14.1-6 15.1 15.2.1-2 15.3.1-7 15.4.1-9 15.5.1-22 15.6.1-6 16.1-7 17.1-17 18.1-11 19 A B.1-4`,
	"RFC 7235":    "1.1-2 2.1-2 3.1-2 4.1-4 5.1.1-2 5.2-3 6.1-2 7 8.1-2 A B C",
	"RFC 7617":    "1.1 2.1-2 3 4 5 6.1-2 A B.1-3",
	"RFC 6585":    "1 2 3 4 5 6 7.1-4 8 9.1-2 A B",
	"RFC 6797":    "1.1-2 2.1-2 2.3.1-2 2.4.1-2 3.1-2 4 5.1-4 6.1.1-2 6.2 7.1-2 8.1-6 9.1-2 10.1-4 11.1-5 12.1-4 13 14.1-10 15 16.1-2 A B C",
	"RFC 9325":    "1 2 3.1.1-3 3.2-10 4.1-4 4.5 5.1-2 6 7.1-5 8.1-2 A B",
	"RFC 6265bis": "1 2.1-3 3.1-2 4.1.1-3 4.2.1-2 5.1-8 6.1-2 7.1-3 8.1-8 9.1-2 A B",
	"Fetch":       "", "OWASP ASVS": "", "ACSAC 2023": "", "Space help": "", "Space SDKs": "",
}

func TestEverySectionCitedExists(t *testing.T) {
	exists := map[string]map[string]bool{}
	for name, list := range headings {
		exists[name] = sections(t, list)
	}
	cited := map[string]bool{}
	for _, r := range All() {
		citations := r.Cited()
		if len(citations) < len(strings.Split(r.Source, ";")) {
			t.Errorf("%s: part of %q is no citation", r.ID, r.Source)
		}
		for _, c := range citations {
			cited[c.Document] = true
			if c.Section != "" && !exists[c.Document][c.Section] {
				t.Errorf("%s: %s has no section %s", r.ID, c.Document, c.Section)
			}
		}
		if signs := strings.Count(r.Source, "§"); signs != sectionsIn(citations) {
			t.Errorf("%s: %q has %d sections, and %d are read", r.ID, r.Source, signs, sectionsIn(citations))
		}
	}
	for _, d := range Documents() {
		if d.Title == "" || !cited[d.Name] {
			t.Errorf("document %q has no title, or nobody cites it", d.Name)
		}
		if _, ok := headings[d.Name]; !ok {
			t.Errorf("document %q: its headings are not listed", d.Name)
		}
	}
}

// An id begins with a document and mostly a section; the source must cite both.
func TestIDsNameASectionOfTheirSource(t *testing.T) {
	id := regexp.MustCompile(`^(RFC|OAUTH)([0-9]+)-(?:([0-9]+(?:\.[0-9]+)*|B)-)?`)
	for _, r := range All() {
		m := id.FindStringSubmatch(r.ID)
		if m == nil {
			continue
		}
		want := Citation{Document: m[1] + " " + m[2], Section: m[3]}
		switch want.Document {
		case "OAUTH 21":
			want.Document = "OAuth 2.1"
		case "RFC 6265":
			want = Citation{Document: "RFC 6265bis", Section: "4.1.2"}
		}
		if !slices.ContainsFunc(r.Cited(), func(c Citation) bool {
			return c.Document == want.Document && (c.Section == want.Section || strings.HasPrefix(c.Section, want.Section+"."))
		}) {
			t.Errorf("%s does not cite %s §%s, but %q", r.ID, want.Document, want.Section, r.Source)
		}
	}
}

func TestCited(t *testing.T) {
	r := Requirement{Source: "RFC 6749 §4.1.2 (10 minutes recommended), §A.12; Space help: flows, scope; RFC 6265bis §4.1.2; unheard of"}
	want := []Citation{{"RFC 6749", "4.1.2"}, {"RFC 6749", "A.12"}, {"Space help", ""}, {"RFC 6265bis", "4.1.2"}}
	if got := r.Cited(); !slices.Equal(got, want) {
		t.Errorf("cited %v, want %v", got, want)
	}
}

func sectionsIn(citations []Citation) int {
	n := 0
	for _, c := range citations {
		if c.Section != "" {
			n++
		}
	}
	return n
}

// sections spells out a list of headings, ancestors included.
func sections(t *testing.T, list string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for item := range strings.FieldsSeq(list) {
		first, last, ranged := strings.Cut(item, "-")
		dot := strings.LastIndex(first, ".")
		for parent := first; strings.Contains(parent, "."); {
			parent = parent[:strings.LastIndex(parent, ".")]
			all[parent] = true
		}
		all[first] = true
		if !ranged {
			continue
		}
		from, err := strconv.Atoi(first[dot+1:])
		if err != nil {
			t.Fatalf("range %q does not begin with a number", item)
		}
		to, err := strconv.Atoi(last)
		if err != nil || to <= from {
			t.Fatalf("range %q does not end with a greater number", item)
		}
		for n := from + 1; n <= to; n++ {
			all[first[:dot+1]+strconv.Itoa(n)] = true
		}
	}
	return all
}
