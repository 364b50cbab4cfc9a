package sandbox

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestScopeGrammar(t *testing.T) {
	for _, tt := range []struct {
		old        bool
		text, want string // want empty: refused
	}{
		{false, "**", "**"},
		{false, "global:Profile.View", "global:Profile.View"},
		{false, "project:key:PROJ:Project.Issues.Create", "project:key:PROJ:Project.Issues.Create"},
		{false, "channel:abc:Channel.ViewMessages global:Team.View", "channel:abc:Channel.ViewMessages global:Team.View"},
		{false, "global:Team.View global:Profile.View global:Team.View", "global:Profile.View global:Team.View"},
		{false, "global:Team.View **", "**"},
		{false, "", ""},
		{false, "global:Team.View ", ""},
		{false, "global:Team.View  global:Profile.View", ""},
		{false, "global:profile.view", ""},
		{false, "Global:Profile.View", ""},
		{false, "global:Nowhere.Else", ""},
		{false, "Profile.View", ""},
		{false, "global:", ""},
		{false, ":Profile.View", ""},
		{false, "project::Project.View", ""},
		{false, "global:*", ""},
		{false, "Profile:ViewProfile", ""},
		{true, "**", "**"},
		{true, "AddNewProfile,AddNewTeam Team:EditTeam Profile:EditAbsences,EditLanguages Project:*",
			"AddNewProfile AddNewTeam Profile:EditAbsences Profile:EditLanguages Project:* Team:EditTeam"},
		{true, "global:Profile.View", ""},
		{true, "Profile:", ""},
		{true, "Profile:ViewProfile,", ""},
		{true, "profile:ViewProfile", ""},
	} {
		got, err := grammar{old: tt.old}.parse(tt.text)
		if (err != nil) != (tt.want == "") || got.text != tt.want {
			t.Errorf("%q: got %q, %v, want %q", tt.text, got.text, err, tt.want)
		}
	}
}

func TestScopeRestricted(t *testing.T) {
	read := func(old bool, text string) scope {
		s, err := grammar{old: old}.parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, tt := range []struct {
		old               bool
		asked, may, grant string
	}{
		{false, "**", "global:Profile.View", "global:Profile.View"},
		{false, "**", "**", "**"},
		{false, "global:Profile.View", "**", "global:Profile.View"},
		{false, "global:Profile.View global:Team.View", "global:Profile.View", ""},
		{true, "Project:ViewProject", "Project:*", "Project:ViewProject"},
		{true, "Project:*", "Project:ViewProject", ""},
	} {
		got, err := read(tt.old, tt.asked).restricted(read(tt.old, tt.may))
		if (err != nil) != (tt.grant == "") || got.text != tt.grant {
			t.Errorf("%q of %q: got %q, %v, want %q", tt.asked, tt.may, got.text, err, tt.grant)
		}
	}
}

// FuzzScope holds the grammar to its promises: what it reads it reads again as the same, and a scope that is
// restricted is never more than the limit.
func FuzzScope(f *testing.F) {
	for _, seed := range []string{"**", "global:Profile.View", "project:key:P:Project.View x", "Team:EditTeam,*", "::", " ", "\x00"} {
		f.Add(seed, "global:Profile.View global:Team.View")
	}
	f.Fuzz(func(t *testing.T, text, limit string) {
		for _, g := range []grammar{{}, {old: true}, {lax: true}} {
			s, err := g.parse(text)
			if err != nil {
				continue
			}
			again, err := g.parse(s.text)
			if err != nil || again.text != s.text || strings.Contains(s.text, "  ") {
				t.Fatalf("%q became %q, and that %q (%v)", text, s.text, again.text, err)
			}
			l, err := g.parse(limit)
			if err != nil {
				continue
			}
			if r, err := s.restricted(l); err == nil && !r.within(l) {
				t.Fatalf("%q restricted to %q is %q", text, limit, r.text)
			}
		}
	})
}

// FuzzForm holds the reader of forms to what it may let through.
func FuzzForm(f *testing.F) {
	f.Add("a=b&c=%20+&&d")
	f.Add("%ZZ=1")
	f.Add("=&a&a=%00&b=%ff")
	f.Add(strings.Repeat("a=b&", 300))
	f.Fuzz(func(t *testing.T, text string) {
		for _, fr := range []formReader{{}, {latin1: true}, {keepEmpty: true}} {
			got, ok := fr.read(text, nil)
			for _, p := range got {
				if ok && p.value == "" && !fr.keepEmpty || strings.ContainsRune(p.value, 0) {
					t.Fatalf("%q gave %q", text, got)
				}
			}
			want, err := url.ParseQuery(text)
			if !ok || err != nil || fr != (formReader{keepEmpty: true}) {
				continue
			}
			read := url.Values{}
			for _, p := range got {
				read.Add(p.name, p.value)
			}
			if !reflect.DeepEqual(read, want) {
				t.Fatalf("%q gave %q, net/url reads %q", text, read, want)
			}
		}
	})
}
