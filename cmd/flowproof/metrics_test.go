package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"flowproof/drivers/load"
	"flowproof/drivers/sandbox"
	"flowproof/reports"
)

// parsed reads the text format strictly: each sample belongs to the family that was announced last.
func parsed(t *testing.T, text string) map[string]float64 {
	t.Helper()
	sample := regexp.MustCompile(`^([a-z_][a-z0-9_]*)(\{(?:[a-z]+="(?:[^"\\]|\\["\\n])*",?)*\})? (\S+)$`)
	out := map[string]float64{}
	family, kind := "", ""
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			family, _, _ = strings.Cut(rest, " ")
			continue
		}
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, k, _ := strings.Cut(rest, " ")
			if name != family || !slices.Contains([]string{"gauge", "counter", "histogram"}, k) {
				t.Errorf("%q after the help of %s", line, family)
			}
			kind = k
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("no sample: %q", line)
			continue
		}
		base := m[1]
		if kind == "histogram" {
			base = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(base, "_bucket"), "_sum"), "_count")
		}
		if base != family {
			t.Errorf("%q stands among the samples of %s", line, family)
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if _, twice := out[m[1]+m[2]]; twice || err != nil {
			t.Errorf("%q: twice %v, %v", line, twice, err)
		}
		out[m[1]+m[2]] = v
	}
	return out
}

func TestMetricsText(t *testing.T) {
	within := make([]int64, len(load.Bounds()))
	for i := range within {
		within[i] = int64(min(i, 10))
	}
	s := load.Status{Snapshot: snapshot(), Steps: []load.StepStatus{{
		Name: "a \"b\"\\\n", Sent: 12, Answered: 11, Verified: 9, Throttled: 1, Errors: []load.Count{{Name: "timeout", N: 1}},
		Latency: load.Distribution{Count: 11, Sum: 3 * time.Second, Within: within}, Service: load.Distribution{Within: make([]int64, len(within))},
	}}, Findings: []load.FindingStatus{{Requirement: "RFC6749-5.1-cache-control", Verdict: reports.Fail, N: 2}}}
	var text bytes.Buffer
	writeMetrics(&text, s, true)
	got := parsed(t, text.String())
	for name, want := range map[string]float64{
		"flowproof_up":                                  1,
		"flowproof_load_in_flight":                      3,
		`flowproof_load_sent_total{step="a \"b\"\\\n"}`: 12,
		`flowproof_load_errors_total{step="a \"b\"\\\n",class="timeout"}`:                       1,
		`flowproof_load_findings_total{requirement="RFC6749-5.1-cache-control",verdict="fail"}`: 2,
		`flowproof_load_latency_seconds_bucket{step="a \"b\"\\\n",le="0.00025"}`:                1,
		`flowproof_load_latency_seconds_bucket{step="a \"b\"\\\n",le="+Inf"}`:                   11,
		`flowproof_load_latency_seconds_sum{step="a \"b\"\\\n"}`:                                3,
		`flowproof_load_service_seconds_count{step="a \"b\"\\\n"}`:                              0,
	} {
		if v, there := got[name]; !there || v != want {
			t.Errorf("%s is %v (%v), want %v", name, v, there, want)
		}
	}
}

// TestMetricsWhileItRuns scrapes a run, compares the last scrape with the record, and looks for what is left.
func TestMetricsWhileItRuns(t *testing.T) {
	st, err := newStand(t.Context(), "127.0.0.1:0", sandbox.NewKey)
	if err != nil {
		t.Fatal(err)
	}
	defer st.close()
	tgt, err := st.put(sandbox.Options{Tokens: "opaque", Faults: []string{"omit-no-store"}})
	if err != nil {
		t.Fatal(err)
	}
	var m load.Monitor
	at, end, err := serveMetrics(t.Context(), ":0", &m)
	if err != nil {
		t.Fatal(err)
	}
	if elsewhere(at) || !elsewhere("0.0.0.0:80") || !elsewhere("[::]:80") || elsewhere("localhost:1") {
		t.Errorf("%s is not on this machine only", at)
	}
	scrape := func() map[string]float64 {
		answer, err := http.Get("http://" + at + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.Header.Get("Content-Type") != metricsType {
			t.Fatalf("%v %s", err, answer.Header)
		}
		for _, c := range tgt.Clients {
			if secret := c.Secret.Reveal(); secret != "" && strings.Contains(string(text), secret) {
				t.Error("a secret is in the metrics")
			}
		}
		return parsed(t, string(text))
	}
	if got := scrape(); got["flowproof_up"] != 0 || len(got) != 1 {
		t.Errorf("before the run: %v", got)
	}
	during := 0.0
	record, err := load.Run(t.Context(), tgt, load.Plan{Model: load.Closed, Count: 400, Connections: 2, Abort: []load.Abort{}, Scenarios: []load.Scenario{{Flow: load.ClientCredentials, ThinkTime: 2 * time.Millisecond}}},
		load.Options{Monitor: &m, Progress: func(load.Snapshot) { during = scrape()["flowproof_up"] }})
	if err != nil {
		t.Fatal(err)
	}
	if during != 1 {
		t.Error("nothing was served during the run")
	}
	got := scrape()
	labels := `{step="client_credentials"`
	if n := float64(record.Steps[0].Sent); n != 400 || got["flowproof_load_sent_total"+labels+"}"] != n ||
		got["flowproof_load_latency_seconds_count"+labels+"}"] != n || got["flowproof_load_latency_seconds_bucket"+labels+`,le="+Inf"}`] != n ||
		got[`flowproof_load_findings_total{requirement="RFC6749-5.1-cache-control",verdict="fail"}`] != n {
		t.Errorf("%v of %v", got, n)
	}
	last := 0.0
	for _, b := range load.Bounds() {
		n := got["flowproof_load_latency_seconds_bucket"+labels+`,le="`+strconv.FormatFloat(b.Seconds(), 'g', -1, 64)+`"}`]
		if n < last {
			t.Errorf("the bucket of %v has %v, the one before %v", b, n, last)
		}
		last = n
	}
	http.DefaultClient.CloseIdleConnections()
	end()
	if answer, err := http.Get("http://" + at + "/metrics"); err == nil {
		answer.Body.Close()
		t.Error("the metrics are still served")
	}
	stacks := make([]byte, 1<<20)
	if text := string(stacks[:runtime.Stack(stacks, true)]); strings.Contains(text, "serveMetrics") {
		t.Errorf("a goroutine is left:\n%s", text)
	}
}
