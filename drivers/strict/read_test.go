package strict

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// menu has a field of every kind.
type menu struct {
	Name    string            `json:"name" jsonschema:"required" mend:"write name: and what stands above the door"`
	Kind    string            `json:"kind" jsonschema:"enum=bar,enum=kitchen"`
	Seats   int               `json:"seats" jsonschema:"minimum=1"`
	Seed    uint64            `json:"seed"`
	Open    *bool             `json:"open"`
	Wait    time.Duration     `json:"wait"`
	Days    []string          `json:"days" jsonschema:"minItems=1,enum=monday,enum=friday" mend:"name a day"`
	Dishes  map[string]dish   `json:"dishes"`
	Prices  map[string]string `json:"prices" jsonschema:"enum=small,enum=large" strict:"empty"`
	Courses courses           `json:"courses"`
	Tables  []table           `json:"tables"`
}

type dish struct {
	Spice level  `json:"spice" jsonschema:"required"`
	Note  string `json:"note" strict:"empty"`
}

type level string

func (l *level) UnmarshalText(text []byte) error {
	if len(text) > 4 {
		return errors.New("too hot")
	}
	*l = level(text)
	return nil
}

// table reads itself, and only itself knows what it holds.
type table struct{ number string }

func (t *table) UnmarshalText(text []byte) error {
	t.number = string(text)
	return nil
}

// courses is one word, or a list.
type courses []dish

func (c *courses) UnmarshalText(text []byte) error {
	if string(text) != "none" {
		return errors.New("write none, or a list")
	}
	return nil
}

func read(text string) (menu, *File) {
	var m menu
	f := Read("menu.yaml", Form{Called: "the menu", Least: "write at least name"}, []byte(text), &m)
	return m, f
}

const full = `name: &n Ada's
kind: bar
seats: 0x10
seed: 18
open: false
wait: 1m30s
days: [monday, friday]
dishes:
  soup: {spice: 3, note: ""}
  bread: {spice: !!str mild, note: *n}
prices: {large: ""}
tables: [1, a]
courses:
  - spice: mild
    note: |
      salt
`

func TestEveryKindIsRead(t *testing.T) {
	m, f := read(full)
	if err := f.Mistakes.Err(); err != nil {
		t.Fatal(err)
	}
	if m.Name != "Ada's" || m.Kind != "bar" || m.Seats != 16 || m.Seed != 18 || m.Open == nil || *m.Open || m.Wait != 90*time.Second ||
		!slices.Equal(m.Days, []string{"monday", "friday"}) || m.Dishes["soup"].Spice != "3" || m.Dishes["bread"] != (dish{"mild", "Ada's"}) ||
		len(m.Prices) != 1 || len(m.Courses) != 1 || len(m.Tables) != 2 || m.Tables[1].number != "a" || m.Courses[0].Note != "salt\n" {
		t.Errorf("%+v", m)
	}
	if got := f.Keys("dishes"); !slices.Equal(got, []string{"soup", "bread"}) {
		t.Errorf("the keys are in the order %q", got)
	}
	for path, want := range map[string]string{"": "1:1", "dishes.soup": "9:3", "dishes.soup.absent": "9:3", "courses[0]": "14:5", "courses[7]": "13:1", "kind": "2:1"} {
		line, column := f.Place(path)
		if got := strconv.Itoa(line) + ":" + strconv.Itoa(column); got != want {
			t.Errorf("%q is at %s, want %s", path, got, want)
		}
	}
}

func TestEachMistakeIsToldWithPlaceAndMend(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "1:1: the file is empty; write at least name",
		"# nothing":                        "1:1: the file is empty; write at least name",
		"\xff":                             "1:1: the file is no text; write it in UTF-8",
		"name: a\nkind: b\x00ar":           "2:8: a control character stands there; take it out, or write it as an escape in double quotes",
		strings.Repeat("#", maxFile+1):     "1:1: the file is larger than 1 MiB",
		"name: [":                          "1:7: the file is no YAML: sequence end token ']' not found",
		"name: a\n---\nname: b":            "3:1: the file holds a second document; keep one document in a file",
		"[a]":                              "1:1: the menu has to be a mapping, not a list; write key: value pairs",
		"null":                             "1:1: the menu has no value; give it one or leave the key out",
		"kind: bar":                        "1:1: name is missing; write name: and what stands above the door",
		"nme: a":                           `1:1: unknown key "nme"; did you mean name?`,
		"name: a\nzzzzzz: b":               `2:1: unknown key "zzzzzz"; known keys are courses, days, dishes, kind, name, open, prices, seats, seed, tables or wait`,
		"name: a\nname: b":                 "2:1: name is there twice, first in line 1; keep one of the two",
		"name: a\n? x\n: b":                "2:1: a key has to be plain text",
		"name: a\ndishes: {\"k\\nd\": b}":  "2:18: dishes.k d has to be a mapping, not text; write key: value pairs",
		"name:":                            "1:1: name has no value; give it one or leave the key out",
		"name: 7":                          "1:7: name has to be text, not a number; put it in quotes",
		"name: {a: b}":                     "1:7: name has to be text, not a mapping",
		"name: ' '":                        "1:7: name is empty; write name: and what stands above the door",
		"name: *x":                         "1:7: name has to be text, not a reference to an unknown anchor",
		"name: a\nkind: baar":              `2:7: kind: unknown "baar"; did you mean bar?`,
		"name: a\nkind: attic":             `2:7: kind: unknown "attic"; write bar or kitchen`,
		"name: a\nseats: 0":                "2:8: seats has to be a whole number from 1 on, not 0",
		"name: a\nseats: 1.5":              "2:8: seats has to be a whole number from 1 on, not 1.5",
		"name: a\nseats: many":             "2:8: seats has to be a whole number from 1 on, not text",
		"name: a\nseed: -1":                "2:7: seed has to be a whole number from 0 on, not -1",
		"name: a\nopen: 1":                 "2:7: open has to be true or false, not a number; write true or false",
		"name: a\nwait: 10":                "2:7: wait has to be a duration, not a number; write a number with its unit, as in 10s or 1m30s",
		"name: a\nwait: -1s":               `2:7: wait: "-1s" is no duration; write a number with its unit, as in 10s or 1m30s`,
		"name: a\ndays: monday":            "2:7: days has to be a list, not text; write it in brackets: [ … ]",
		"name: a\ndays: []":                "2:1: days is empty; name a day",
		"name: a\ndays: [friday, ever]":    `2:16: days[1]: unknown "ever"; write monday or friday`,
		"name: a\ndishes: {x: {}}":         "2:10: dishes.x.spice is missing; write spice: …",
		"name: a\ndishes: {x: hot}":        "2:13: dishes.x has to be a mapping, not text; write key: value pairs",
		"name: a\ndishes: {x: {spcie: 1}}": `2:14: unknown key "spcie" in dishes.x; did you mean spice?`,
		"name: a\nprices: {tiny: x}":       `2:10: unknown key "tiny" in prices; known keys are small or large`,
		"name: a\ncourses: all":            "2:10: courses: write none, or a list",
		"name: a\ncourses: {}":             "2:10: courses has to be a list, not a mapping; write each with a dash: - key: value",
		"name: a\ncourses: [{spice: [a]}]": "2:19: courses[0].spice has to be text, not a list",
		"name: a\ntables: [{'': 1}]":       "2:10: tables[0] has to be text, not a mapping",
		"name: a\ntables: 1":               "2:9: tables has to be a list, not a number; write it in brackets: [ … ]",
		"name: a\ncourses: &c [*c]":        "2:14: courses[0] has to be a mapping, not a list; write key: value pairs",
	} {
		_, f := read(text)
		if got := f.Mistakes.Err(); got == nil || got.Error() != "menu.yaml:"+want {
			t.Errorf("%.60q:\n got %v\nwant menu.yaml:%s", text, got, want)
		}
	}
}

func TestAllAreToldAtOnceInTheOrderOfTheFile(t *testing.T) {
	_, f := read("seats: 0\nkind: 1\ndishes:\n  a: {spice: blazing}\nopen: x\nnaem: b\n")
	f.AtKey("kind", "", "kind is odd")
	f.AtValue("dishes.a", "", "it is odd")
	want := "menu.yaml:1:8: seats has to be a whole number from 1 on, not 0\n" +
		"menu.yaml:2:1: kind is odd\n" +
		"menu.yaml:2:7: kind has to be text, not a number; put it in quotes\n" +
		"menu.yaml:4:6: it is odd\n" +
		"menu.yaml:4:14: dishes.a.spice: too hot\n" +
		"menu.yaml:5:7: open has to be true or false, not text; write true or false\n" +
		`menu.yaml:6:1: unknown key "naem"; did you mean name?`
	if got := f.Mistakes.Err(); got.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", got, want)
	}
	for path, want := range map[string]bool{"": true, "dishes": true, "dishes.a": true, "dishes.a.spice": true, "dishes.a.spice.x": false, "dish": false, "name": true, "wait": false} {
		if f.Spoiled(path) != want {
			t.Errorf("%q spoiled: %v", path, !want)
		}
	}
	if !f.Has("name") || f.Has("wait") || !f.Has("seats") {
		t.Error("what was written, perhaps misspelt, is not known")
	}
}

func TestAnchorsCannotBlowTheFileUp(t *testing.T) {
	text := "name: a\ndays: &d [" + strings.Repeat("friday,", 500) + "]\ndishes:\n"
	type wide struct {
		Name   string              `json:"name"`
		Days   []string            `json:"days"`
		Dishes map[string][]string `json:"dishes"`
	}
	for i := range 500 {
		text += "  d" + strconv.Itoa(i) + ": *d\n"
	}
	var w wide
	f := Read("w.yaml", Form{Called: "the menu"}, []byte(text), &w)
	if len(f.Mistakes) != 1 || !strings.Contains(f.Mistakes[0].What, "the menu holds too much") {
		t.Errorf("%v", f.Mistakes)
	}
}

// A file may hold a secret where a reference to it belongs.
func TestAMistakeQuotesNothingAround(t *testing.T) {
	_, f := read("name: |hunter2-hunter2\n")
	if got := f.Mistakes.Err(); got == nil || got.Error() != "menu.yaml:1:7: the file is no YAML: invalid header option" {
		t.Errorf("got %v", got)
	}
}

func TestAnAnchorThatHoldsItselfEnds(t *testing.T) {
	_, f := read("name: &n\n*n")
	if got := f.Mistakes.Err(); got == nil || got.Error() != "menu.yaml:1:1: name has no value; give it one or leave the key out" {
		t.Errorf("got %v", got)
	}
}

// What is too large or too deep for the library, or would take it minutes, is refused before the library sees it.
func TestTooMuchIsRefusedAtOnce(t *testing.T) {
	deep := ""
	for i := range 200 {
		deep += strings.Repeat(" ", i) + "a:\n"
	}
	for text, want := range map[string]string{
		strings.Repeat("[", maxFile):                                   "too deeply",
		"name: " + strings.Repeat("[", 101) + strings.Repeat("]", 101): "too deeply",
		strings.Repeat("{a: ", 5000):                                   "too deeply",
		strings.Repeat("- ", 20000) + "a":                              "too deeply",
		strings.Repeat("? ", 20000) + "a":                              "too deeply",
		strings.Repeat("!!x ", 20000) + "a":                            "too deeply",
		strings.Repeat("&a ", 20000) + "a":                             "too deeply",
		deep:                                                           "too deeply",
		strings.Repeat("a: b\n", 100_000):                              "too much",
		"[" + strings.Repeat("[],", 300_000) + "]":                     "too much",
		strings.Repeat("- - - a\n", 50_000):                            "too much",
		strings.Repeat("name", maxFile/5) + ": a":                      "unknown key",
		strings.Repeat("kind: x\nname: y\n", 6000):                     "is there twice",
	} {
		_, f := read(text)
		if err := f.Mistakes.Err(); err == nil || !strings.Contains(err.Error(), want) || len(f.Mistakes[0].String()) > 1000 {
			t.Errorf("%.20q: %.300v, want %s", text, err, want)
		}
	}
	for _, text := range []string{
		"name: \"" + strings.Repeat("[", 1000) + "\"\n", "name: a # " + strings.Repeat("[", 1000) + "\n",
		"name: a\ndays: [" + strings.Repeat("friday, ", 10000) + "]\n",
		"name: a\ndishes:\n" + dishes(3000),
	} {
		if _, f := read(text); f.Mistakes.Err() != nil {
			t.Errorf("%.30q: %.300v", text, f.Mistakes.Err())
		}
	}
}

func dishes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("  d" + strconv.Itoa(i) + ":\n    spice: hot\n    note: x\n")
	}
	return b.String()
}

func TestTheNearestWordIsFound(t *testing.T) {
	for word, want := range map[string]string{
		"redirect_uri": "redirect_uris", "client_id": "id", "grant": "grants", "pasword": "", "secert": "secret", "Public": "public", "zzz": "",
	} {
		if got := nearest(word, []string{"grants", "id", "public", "redirect_uris", "secret"}); got != want {
			t.Errorf("nearest %q is %q, want %q", word, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{full, "a: &x [1]\nb: *x", "name: !!x *n", "? [a]\n: b", "<<: {name: a}", "dishes: {'': {}, \"a\\nb\": {}}", "days: &a [*a]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, file := read(string(raw))
		for _, one := range file.Mistakes {
			if one.Line < 1 || one.Column < 1 || one.What == "" || strings.Contains(one.String(), "\n") {
				t.Errorf("%q: %+v", raw, one)
			}
		}
		if len(file.Mistakes) == 0 && m.Name == "" {
			t.Errorf("%q has no name", raw)
		}
	})
}
