package load

import (
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"flowproof/drivers/target"
)

func TestParseThreshold(t *testing.T) {
	for s, want := range map[string]Threshold{
		"p99<250ms":                     {step: "", clock: "latency", metric: "p", percentile: 99, op: "<", bound: 250e3},
		"p99.9 <= 1s":                   {clock: "latency", metric: "p", percentile: 99.9, op: "<=", bound: 1e6},
		"mean<50ms":                     {clock: "latency", metric: "mean", op: "<", bound: 50e3},
		"max<2s":                        {clock: "latency", metric: "max", op: "<", bound: 2e6},
		"service.p99<800us":             {clock: "service", metric: "p", percentile: 99, op: "<", bound: 800},
		"errors<0.1%":                   {metric: "errors", op: "<", bound: 0.001},
		"errors<=0":                     {metric: "errors", op: "<=", bound: 0},
		"rate>1900/s":                   {metric: "rate", op: ">", bound: 1900},
		"rate>=600/m":                   {metric: "rate", op: ">=", bound: 10},
		"client_credentials:p99<10ms":   {step: "client_credentials", clock: "latency", metric: "p", percentile: 99, op: "<", bound: 10e3},
		"password:service.p50<1m":       {step: "password", clock: "service", metric: "p", percentile: 50, op: "<", bound: 60e6},
		"refresh_token:throttled<0.005": {step: "refresh_token", metric: "throttled", op: "<", bound: 0.005},
	} {
		got, err := ParseThreshold(s)
		want.expression = strings.Join(strings.Fields(s), "")
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
		if again, err := ParseThreshold(got.String()); err != nil || again != got {
			t.Errorf("%q does not read as itself: %v", got, err)
		}
	}
	for s, hint := range map[string]string{
		"": "write p99<250ms", "p99": "write", "p99<": "write", "p99=5ms": "write", "p100<1s": "above 0 and below 100", "p0<1s": "above 0",
		"p99<5": "no duration", "p99<-5ms": "no duration", "errors<5ms": "no share", "errors<101%": "no share", "errors<-1%": "no share",
		"rate>5": "per what", "rate>0/s": "above zero", "speed>5/s": "no metric", "service.errors<1%": "clock", "p9.9.9<1s": "above 0", "p<1s": "no metric",
	} {
		_, err := ParseThreshold(s)
		if err == nil || !strings.Contains(err.Error(), hint) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want a hint at %q", s, err, hint)
		}
	}
}

func FuzzParseThreshold(f *testing.F) {
	for _, s := range []string{"p99<250ms", "errors<0.1%", "rate>1900/s", "a:service.max>=1h", "p1e5<1s", "p99<1e400s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := ParseThreshold(s)
		if err != nil {
			return
		}
		if again, err := ParseThreshold(h.String()); err != nil || again != h {
			t.Fatalf("%q became %q: %v", s, h, err)
		}
		if h.samples() < 1 {
			t.Fatalf("%q needs %d answers", s, h.samples())
		}
	})
}

func TestParseRate(t *testing.T) {
	for s, want := range map[string]float64{"2000/s": 2000, "500/m": 500.0 / 60, "90000/h": 25, "1.5 / s": 1.5, "10/min": 1.0 / 6} {
		if got, err := ParseRate(s); err != nil || got != want {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "2000", "/s", "x/s", "5/d", "0/s", "-1/s", "NaN/s", "Inf/s", "1e300/s"} {
		if _, err := ParseRate(s); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestJudgement(t *testing.T) {
	few := &tally{sent: 500, answered: 500, verified: 490, throttled: 5, errors: map[string]int64{"reset": 5},
		latency: hdrhistogram.New(1, longest, digits), service: hdrhistogram.New(1, longest, digits)}
	for i := range int64(500) {
		_ = few.latency.RecordValue(1000 + 10*i)
		_ = few.service.RecordValue(1000)
	}
	j := judgement{tallies: map[string]*tally{"": few, "password": {}}, planned: map[string]int64{"": 1000}, span: 10 * time.Second}
	for s, want := range map[string]struct {
		held   bool
		shown  string
		reason string
	}{
		"p90<10ms":         {true, "5.49", ""},
		"p90<5ms":          {false, "5.49", ""},
		"p99<10ms":         {false, "ms", "takes 1000 answers"},
		"service.mean<2ms": {true, "1 ms", ""},
		"max<1s":           {true, "ms", ""},
		"errors<1%":        {false, "1%", ""},
		"errors<=1%":       {true, "1%", ""},
		"throttled<2%":     {true, "1%", ""},
		"unsent<10%":       {false, "50%", ""},
		"rate>48/s":        {true, "49/s", ""},
		"rate>50/s":        {false, "49/s", ""},
		"password:p50<1s":  {false, "", "nothing was sent"},
	} {
		h, err := ParseThreshold(s)
		if err != nil {
			t.Fatal(err)
		}
		got := j.judge(h)
		if got.Held != want.held || !strings.Contains(got.Shown, want.shown) || !strings.Contains(got.Reason, want.reason) || (want.reason == "") != (got.Reason == "") {
			t.Errorf("%s: %+v", s, got)
		}
	}
	j.bottleneck = "the load generator was busy"
	if got := j.judge(Threshold{expression: "rate>50/s", metric: "rate", op: ">", bound: 50}); got.Held || !strings.Contains(got.Reason, "busy") {
		t.Errorf("%+v", got)
	}
}

func TestPlanIsChecked(t *testing.T) {
	tgt := testTarget()
	p99, err := ParseThreshold("password:p99<1s")
	if err != nil {
		t.Fatal(err)
	}
	for hint, p := range map[string]Plan{
		"needs a rate":           {Duration: time.Second},
		"has no rate":            {Model: Closed, Rate: 5, Duration: time.Second},
		"no model":               {Model: "ajar", Duration: time.Second},
		"no end":                 {Rate: 5},
		"cannot be negative":     {Rate: 5, Duration: -1},
		"too many":               {Rate: 5, Count: 1, Connections: 1e6},
		"cannot be sent as load": {Rate: 5, Count: 1, Scenarios: []Scenario{{Flow: "implicit"}}},
		"twice":                  {Rate: 5, Count: 1, Scenarios: []Scenario{{Flow: Password}, {Flow: Password}}},
		"is negative":            {Rate: 5, Count: 1, Scenarios: []Scenario{{Flow: Password, Weight: -1}}},
		"is not in the mix":      {Rate: 5, Count: 1, Thresholds: []Threshold{p99}},
		"add up to":              {Rate: 5, Count: 1, Scenarios: []Scenario{{Flow: Password, Weight: 1e9}}},
		"no client \"x\"":        {Rate: 5, Count: 1, Scenarios: []Scenario{{Flow: ClientCredentials, Clients: []string{"x"}}}},
		"spa has not":            {Rate: 5, Count: 1, Scenarios: []Scenario{{Flow: ClientCredentials, Clients: []string{"spa"}}}},
		"no user \"x\"":          {Rate: 5, Count: 1, Scenarios: []Scenario{{Flow: Password, Users: []string{"x"}}}},
		"service, web, spare":    {Rate: 5, Count: 1, Scenarios: []Scenario{{Flow: ClientCredentials, Clients: []string{"nobody"}}}},
	} {
		_, err := Run(t.Context(), tgt, p, Options{})
		if err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%+v: %v, want a hint at %q", p, err, hint)
		}
	}
	p, err := Plan{Rate: 5, Count: 1}.resolved(tgt)
	if err != nil || p.Model != Open || p.Connections != 64 || p.Timeout != 10*time.Second || p.Scenarios[0].Flow != ClientCredentials || p.Scenarios[0].Weight != 1 || p.Scenarios[0].Name != "client_credentials" {
		t.Errorf("%+v, %v", p, err)
	}
	var w problems
	clients := p.Scenarios[0].clients("", tgt, &w)
	if w.err() != nil || names(clients, func(c target.Client) string { return c.Name }) != "service, web" {
		t.Errorf("%v, %v", clients, w.err())
	}
}
