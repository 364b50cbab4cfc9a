package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"flowproof/reports"
)

// uneven answers some requests late, wrongly or not at all, by what they ask and never by when they come.
func uneven(s *server, form url.Values, _ int64) reply {
	r := s.good()
	if form.Get("grant_type") == "password" {
		r.after = 30 * time.Millisecond
		return r
	}
	r.after = 5 * time.Millisecond
	if strings.Contains(form.Get("authorization"), "aWQtMT") { // the first client's
		r.status, r.body = 500, "{}"
	}
	return r
}

func shardedPlan(t *testing.T) Plan {
	t.Helper()
	return Plan{
		Rate: 100, Duration: 3 * time.Second, WarmUp: 500 * time.Millisecond, Connections: 16,
		Scenarios:  []Scenario{{Flow: ClientCredentials, Weight: 2}, {Flow: Password, Weight: 1}},
		Thresholds: []Threshold{threshold(t, "errors<90%"), threshold(t, "password:p90<31ms"), threshold(t, "p95<10ms")},
	}
}

func threshold(t *testing.T, s string) Threshold {
	t.Helper()
	h, err := ParseThreshold(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// inShards runs a plan in parts, each begun so much later than the one before.
func inShards(t *testing.T, p Plan, of int, later time.Duration) []reports.Load {
	t.Helper()
	var out []reports.Load
	start := time.Now()
	for i := range of {
		p.Shard = Shard{i + 1, of}
		s := &server{handle: uneven}
		l, _ := play(t, t.Context(), p, s)
		l.Started = start.Add(time.Duration(i) * later).UTC().Format(time.RFC3339Nano) // as if at the same time
		out = append(out, l)
	}
	return out
}

func TestShardsMergeIntoTheWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := shardedPlan(t)
		whole, _ := play(t, t.Context(), p, &server{handle: uneven})
		parts := inShards(t, p, 3, 0)
		slices.Reverse(parts)
		l, err := Merge(parts, false)
		if err != nil {
			t.Fatal(err)
		}
		balanced(t, l)
		if l.Plan.Hash != whole.Plan.Hash || l.Plan.Shard != nil || l.Partial != "" || l.Verdict != whole.Verdict || !near(l.Rate.Intended, 100, 0.001) {
			t.Errorf("%+v, %q, %s and not %s", l.Plan, l.Partial, l.Verdict, whole.Verdict)
		}
		for _, list := range [][2][]reports.Step{{l.Steps, whole.Steps}, {l.WarmUp, whole.WarmUp}} {
			if len(list[0]) != len(list[1]) || len(list[0]) == 0 {
				t.Fatalf("%d steps, want %d", len(list[0]), len(list[1]))
			}
			for i, got := range list[0] {
				want := list[1][i]
				if got.Name != want.Name || got.Planned != want.Planned || got.Sent != want.Sent || got.Answered != want.Answered || got.Verified != want.Verified ||
					got.Late != want.Late || !maps.Equal(got.Errors, want.Errors) {
					t.Errorf("%+v\nwant %+v", got, want)
				}
				for _, h := range [][2]reports.Histogram{{got.Latency, want.Latency}, {got.Service, want.Service}} {
					h[0].Encoded, h[1].Encoded = "", "" // what they hold is what counts
					if !reflect.DeepEqual(h[0], h[1]) {
						t.Errorf("%s: %+v, want %+v", got.Name, h[0], h[1])
					}
				}
			}
		}
		if len(l.Series) != len(whole.Series) {
			t.Fatalf("%d seconds, want %d", len(l.Series), len(whole.Series))
		}
		for i, s := range l.Series {
			if w := whole.Series[i]; s.Second != i || s.Planned != w.Planned || s.Sent != w.Sent || s.Answered != w.Answered || s.Errors != w.Errors || s.MaxUS != w.MaxUS {
				t.Errorf("%+v, want %+v", s, w)
			}
		}
		if !reflect.DeepEqual(l.Thresholds, whole.Thresholds) {
			t.Errorf("%+v, want %+v", l.Thresholds, whole.Thresholds)
		}
		for i, v := range l.Violations {
			if w := whole.Violations[i]; v.Requirement != w.Requirement || v.Count != w.Count || v.Verdict != w.Verdict {
				t.Errorf("%+v, want %+v", v, w)
			}
		}
		if !shows(l.Notices, "within each shard only") || shows(l.Notices, "did not start together") || shows(l.Notices, "figures are of its part") {
			t.Errorf("%q", l.Notices)
		}
	})
}

// What people read of a merged run, word by word.
func TestMergedSummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parts := inShards(t, shardedPlan(t), 3, 150*time.Millisecond)
		for i := range parts {
			parts[i].Machine, parts[i].Generator = reports.Machine{OS: "linux", Arch: "amd64", CPUs: 2}, reports.Generator{CPUSeconds: 1, MaxRSSBytes: 16 << 20}
		}
		l, err := Merge(parts, false)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		l.Summary(&got, false)
		path := filepath.Join("testdata", "golden", "merged.txt")
		if *update {
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, got.Bytes(), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%v; got (rewrite with -update)\n%s\nwant\n%s", err, &got, want)
		}
	})
}

// The histogram of the sum holds each value of the parts, as often as they do.
func TestMergedHistogramsHoldEveryValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parts := inShards(t, shardedPlan(t), 3, 0)
		l, err := Merge(parts, false)
		if err != nil {
			t.Fatal(err)
		}
		want := hdrhistogram.New(1, longest, digits)
		for _, part := range parts {
			h, err := hdrhistogram.Decode([]byte(part.Steps[1].Latency.Encoded))
			if err != nil {
				t.Fatal(err)
			}
			want.Merge(h)
		}
		got, err := hdrhistogram.Decode([]byte(l.Steps[1].Latency.Encoded))
		if err != nil || !got.Equals(want) || got.TotalCount() != 100 {
			t.Errorf("%d values, want %d: %v", got.TotalCount(), want.TotalCount(), err)
		}
	})
}

func TestShardsThatStartedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parts := inShards(t, shardedPlan(t), 3, 2*time.Second)
		l, err := Merge(parts, false)
		if err != nil {
			t.Fatal(err)
		}
		if !shows(l.Notices, "up to 4s apart") || l.DurationMS != parts[2].DurationMS+4000 || l.Started != parts[0].Started {
			t.Errorf("%q, %d ms, %s", l.Notices, l.DurationMS, l.Started)
		}
		var sent, all int64
		for i, s := range l.Series {
			want := int64(0)
			for n, part := range parts {
				if at := i - 2*n; at >= 0 && at < len(part.Series) {
					want += part.Series[at].Sent
				}
			}
			if s.Sent != want {
				t.Errorf("second %d: %d, want %d", i, s.Sent, want)
			}
			sent += s.Sent
		}
		for _, s := range l.Steps {
			all += s.Sent
		}
		if sent != all || all != 300 {
			t.Errorf("%d in the series, %d in the steps", sent, all)
		}
	})
}

func TestPartsThatAreMissingOrEndedEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parts := inShards(t, shardedPlan(t), 3, 0)
		if _, err := Merge(parts[:2], false); err == nil || !strings.Contains(err.Error(), "shard 3/3 is missing") {
			t.Error(err)
		}
		l, err := Merge(parts[1:2], true)
		if err != nil || l.Partial != "shards 1/3 and 3/3 are missing" || l.Steps[0].Sent != parts[1].Steps[0].Sent || l.ExitCode() == 0 {
			t.Errorf("%v, %q", err, l.Partial)
		}
		parts[0].Partial = "interrupted"
		if l, err = Merge(parts, false); err != nil || l.Partial != "shard 1/3: interrupted" {
			t.Errorf("%v, %q", err, l.Partial)
		}
	})
}

func TestMergeRefusesWhatDoesNotBelongTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := shardedPlan(t)
		parts := inShards(t, p, 2, 0)
		whole, _ := play(t, t.Context(), p, &server{handle: uneven})
		p.Rate = 90
		other := inShards(t, p, 2, 0)
		long := hdrhistogram.New(1, 100*longest, digits)
		if err := long.RecordValue(50 * longest); err != nil {
			t.Fatal(err)
		}
		spoilt := func(spoil func(l *reports.Load)) []reports.Load {
			text, err := json.Marshal(parts[1])
			if err != nil {
				t.Fatal(err)
			}
			var l reports.Load
			if err := json.Unmarshal(text, &l); err != nil {
				t.Fatal(err)
			}
			spoil(&l)
			return []reports.Load{parts[0], l}
		}
		for want, records := range map[string][]reports.Load{
			"nothing to merge":                    nil,
			"record 1 is that of a whole plan":    {whole},
			"records 1 and 2 are of different pl": {parts[0], other[1]},
			"shard 1/2 is there twice":            {parts[0], parts[1], parts[0]},
			"different targets":                   spoilt(func(l *reports.Load) { l.Target.Name = "acme" }),
			"shared out differently":              spoilt(func(l *reports.Load) { l.Plan.Shard.Of = 3 }),
			"which there is not":                  spoilt(func(l *reports.Load) { l.Plan.Shard.Index = 7 }),
			"does not say when it started":        spoilt(func(l *reports.Load) { l.Started = "today" }),
			"histogram cannot be read":            spoilt(func(l *reports.Load) { l.Steps[0].Latency.Encoded = "nonsense" }),
			"holds 100 values and not 7":          spoilt(func(l *reports.Load) { l.Steps[0].Latency.Count = 7 }),
			"only one of its two histograms":      spoilt(func(l *reports.Load) { l.Steps[0].Service = reports.Histogram{} }),
			"values that are beyond 1h0m0s":       spoilt(func(l *reports.Load) { l.Steps[0].Latency = histogram(long) }),
			"lies outside any run":                spoilt(func(l *reports.Load) { l.Series[0].Second = 1 << 40 }),
			"which has no shards":                 spoilt(func(l *reports.Load) { l.Capacity = &reports.Capacity{} }),
			"of different plans":                  spoilt(func(l *reports.Load) { l.Plan.Hash = "" }),
		} {
			if _, err := Merge(records, true); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("want %q, got %v", want, err)
			}
		}
	})
}
