package load

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"flowproof/drivers/target"
	"flowproof/reports"
)

// TestAPlanTravels holds a plan of everything to what comes out of its JSON, and looks for passwords in that.
func TestAPlanTravels(t *testing.T) {
	bounds, err := ParseObjective("p99<250ms,login.redeem:service.p99<1s")
	if err != nil {
		t.Fatal(err)
	}
	scope := ""
	p := Plan{
		Name: "all", Arrivals: Poisson, Seed: 1<<63 + 1, Stages: []Stage{{Ramp: true, Rate: 1.0 / 3, Duration: time.Minute + 1}, {Rate: 100, Duration: time.Second}},
		WarmUp: 3, Connections: 7, Thresholds: bounds, Abort: []Abort{}, Nodes: []string{"http://127.0.0.1:1"},
		Scenarios: []Scenario{
			{Name: "login", Flow: AuthorizationCode, Scope: &scope, Hostile: []Hostile{{UsedCode, 0.01}}},
			{Flow: Password, UsersCSV: "people.csv"},
		},
	}
	p.Scenarios[1].people([]target.User{{Name: "people.csv:2", Username: "ada", Password: target.NewSecret("secret")}})
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back Plan
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	back, err = back.Peopled("folder", func(path string) ([]byte, error) {
		if path != "folder/people.csv" {
			return nil, fmt.Errorf("%s?", path)
		}
		return []byte("username,password\nada,secret\n"), nil
	})
	if err != nil || !reflect.DeepEqual(p, back) {
		t.Errorf("%v\nwas %+v\nis  %+v", err, p, back)
	}
	if shows([]string{string(text)}, "secret") || shows([]string{string(text)}, "ada") {
		t.Errorf("%s", text)
	}
}

// TestIntervalsAddUp holds the sum of a run's intervals to its record, over the wire and with wrong answers in it.
func TestIntervalsAddUp(t *testing.T) {
	tgt, _ := issuer(t, nil)
	var part *Part
	o := Options{
		Await: func(_ context.Context, h Head) (time.Time, error) {
			part = NewPart(h)
			return time.Now().Add(20 * time.Millisecond), nil
		},
		Each: func(i Interval) {
			text, err := json.Marshal(i)
			var back Interval
			if err == nil {
				err = json.Unmarshal(text, &back)
			}
			if err == nil {
				err = part.Add(back)
			}
			if err != nil {
				t.Error(err)
			}
		},
	}
	l, err := Run(t.Context(), tgt, Plan{Rate: 500, Duration: 1200 * time.Millisecond, WarmUp: 100 * time.Millisecond, Shard: Shard{1, 2},
		Scenarios: []Scenario{{Flow: ClientCredentials}, {Flow: Password}}}, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := part.Agrees(l); err != nil || part.Planned() != 300 || part.Sent() != 300 || part.Start() == nil {
		t.Errorf("%v: planned %d, sent %d, start %+v", err, part.Planned(), part.Sent(), part.Start())
	}
	got := part.Record(part.Start().Sent, "lost")
	for i, s := range got.Steps {
		if want := l.Steps[i]; s.Sent != want.Sent || s.Latency.Encoded != want.Latency.Encoded || s.Planned != want.Planned || s.NotSent != 0 {
			t.Errorf("%+v is not %+v", s, want)
		}
	}
	if !reflect.DeepEqual(got.Series, l.Series) || got.Plan.Hash != l.Plan.Hash || len(got.WarmUp) != 2 || got.WarmUp[0].Latency.Encoded != l.WarmUp[0].Latency.Encoded {
		t.Errorf("%+v\nis not\n%+v", got, l)
	}
	s := StatusOf([]*Part{part, part})
	if s.Sent != 600 || s.Steps[0].Latency.Count != 2*l.Steps[0].Latency.Count || s.P99 <= 0 {
		t.Errorf("%+v", s)
	}
	l.Steps[0].Sent++
	if part.Agrees(l) == nil {
		t.Error("one request more is no difference")
	}
}

// TestMarksShowWhatTwoRigsSaw gives two rigs some values in common, and pages them in small pages.
func TestMarksShowWhatTwoRigsSaw(t *testing.T) {
	key := []byte("the key of a run")
	rigs := make([]*Rig, 2)
	var extents [][]Extent
	for n := range rigs {
		s := newSeen(0)
		s.share(key)
		rigs[n] = &Rig{seen: &s}
		defer rigs[n].Close()
		for i := range 3000 {
			s.access.add(fmt.Appendf(nil, "token-%d", i+n*2990), n*(i%2)) // the last ten of one are the first ten of the other
		}
		all, _ := rigs[n].Extents()
		extents = append(extents, all)
	}
	c := NewComparison(extents, make([][2]bool, 2))
	defer c.Close()
	for n, r := range rigs {
		pages := 0
		for at := (Place{}); at.Part < c.Parts(AccessTokens); pages++ {
			var page []byte
			page, at = r.Marks(AccessTokens, at, 1000)
			if err := c.Add(fmt.Sprint(n+1), AccessTokens, page); err != nil || len(page) > 1000 {
				t.Fatal(err, len(page))
			}
		}
		if pages < 24 {
			t.Errorf("%d pages", pages)
		}
	}
	said, found := c.Result("http://127.0.0.1/token", "")
	if len(found) != 2 || found[0].Count+found[1].Count != 10 || found[0].Verdict != reports.Fail || found[0].First.Title != "agent 2 was given an access token that another agent had been given" {
		t.Errorf("%+v", found)
	}
	if !shows([]string{said}, "over 6,000 access tokens of all agents together") {
		t.Error(said)
	}
	for _, wrong := range []string{"\x00", "\x00\x01\x00\x00\x00\xff", "\xff\xff\x00\x00\x00\x00"} {
		if c.Add("1", AccessTokens, []byte(wrong)) == nil {
			t.Errorf("%q is a page", wrong)
		}
	}
}
