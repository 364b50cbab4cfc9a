package reports

import (
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
)

// hostile is what a server might send to break a report: markup, scripts, terminal escapes, direction
// overrides, CDATA ends, control characters, broken UTF-8, template syntax.
const hostile = "</script><script>alert('x')</script><img src=x onerror=alert(1)>\"'`]]>&lt;<!--" +
	"\x1b[31mred\x1b[0m \x1b]8;;https://evil.test\x07link\x1b]8;;\x07\u202egnp.exe\u202c\u200b\x00\x07\r\x7f\u0085\ufeff\ufffe\xff{{.Tool}}${x}\U000e0041\u2028</pre></details></style>"

// A 1×1 PNG.
const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func pixel() []byte {
	data, err := base64.StdEncoding.DecodeString(onePixel)
	if err != nil {
		panic(err)
	}
	return data
}

func tokenExchange(title string, status int, body string, deciding bool) Exchange {
	return Exchange{
		Title: title, Client: "web", Started: "2026-02-03T10:12:34.567Z", DurationUS: 12_345, Proto: "HTTP/1.1",
		TLS: "TLS 1.3, TLS_AES_128_GCM_SHA256", Method: "POST", URL: "https://acme.test/oauth/token",
		Head:   "Authorization: Basic d2Vi…\nContent-Type: application/x-www-form-urlencoded\nAccept: application/json\nUser-Agent: flowproof/1.0",
		Body:   "grant_type=authorization_code\ncode=Zk3x…\nredirect_uri=https://app.acme.test/authorized",
		Status: status, AnswerHead: "Content-Type: application/json;charset=utf-8\nCache-Control: no-store\nDate: Tue, 03 Feb 2026 10:12:34 GMT",
		AnswerBody: body, Deciding: deciding,
		Curl: "curl -sS -i https://acme.test/oauth/token \\\n  -u \"98a1:$WEB_SECRET\" \\\n  --data-urlencode 'grant_type=authorization_code' \\\n  --data-urlencode \"code=$CODE\" \\\n  --data-urlencode 'redirect_uri=https://app.acme.test/authorized'",
	}
}

const tokenBody = "{\n  \"access_token\": \"eyJh…\",\n  \"token_type\": \"Bearer\",\n  \"expires_in\": 600,\n  \"scope\": \"global:Profile.View\"\n}"

func sampleConformance() Conformance {
	ok := tokenExchange("redeem the code", 200, tokenBody, false)
	return Conformance{
		Schema: ConformanceSchema, Tool: Tool{"flowproof", "1.0.0"},
		Target:  Target{Name: "acme", URL: "https://acme.test", Profile: "space", Edition: "space-2023", Tokens: "jwt"},
		Browser: "HeadlessChrome/140.0.7339.80", Started: "2026-02-03T10:12:33Z", DurationMS: 8241, Exchanges: 412,
		Notices: []string{"The target is spoken to over plain HTTP on a loopback address."},
		Results: []Result{
			{
				Requirement: "RFC6749-3.2-post-form-accepted", Section: "A. Token endpoint: how a request is read", Source: "RFC 6749 §3.2, §4.x", Level: "MUST", Verdict: Pass,
				Sentence: "The token endpoint accepts a form-encoded POST.",
				Findings: []Finding{
					{Verdict: Pass, Flow: "client_credentials", Endpoint: "token", Spec: "the token endpoint accepts a form-encoded POST", Variant: "client_credentials", Expected: "200 with a token", Message: "200 with a token", DurationMS: 14, Evidence: []Exchange{tokenExchange("ask for a token", 200, tokenBody, true)}},
					{Verdict: Pass, Flow: "password", Endpoint: "token", Spec: "the token endpoint accepts a form-encoded POST", Variant: "password", Expected: "200 with a token", Message: "200 with a token", DurationMS: 31},
					{Verdict: Pass, Flow: "refresh_token", Endpoint: "token", Spec: "the token endpoint accepts a form-encoded POST", Variant: "refresh_token", Expected: "200 with a token", Message: "200 with a token", DurationMS: 12},
				},
			},
			{
				Requirement: "RFC6749-3.2-duplicate-param", Section: "A. Token endpoint: how a request is read", Source: "RFC 6749 §3.2, §5.2", Level: "MUST", Verdict: Warn,
				Sentence: "The token endpoint refuses a request that repeats a parameter.",
				Findings: []Finding{
					{Verdict: Pass, Flow: "client_credentials", Endpoint: "token", Spec: "refuses a repeated parameter", Variant: "grant_type twice, different", Expected: "400 invalid_request", Message: "400 invalid_request", DurationMS: 6},
					{Verdict: Warn, Flow: "client_credentials", Endpoint: "token", Spec: "refuses a repeated parameter", Variant: "scope twice, the same", Expected: "400 invalid_request", Message: "200 with a token; the same value twice is tolerated with a warning", DurationMS: 7, Evidence: []Exchange{tokenExchange("ask with scope twice", 200, tokenBody, true)}},
				},
			},
			{
				Requirement: "RFC6749-5.1-cache-control", Section: "B. Token endpoint: the success answer", Source: "RFC 6749 §5.1", Level: "MUST", Verdict: Pass,
				Sentence: "Every answer that carries a token forbids its storage.",
				Findings: []Finding{{Verdict: Pass, Flow: "any", Endpoint: "token", Spec: "every answer with a token says Cache-Control: no-store", Expected: "Cache-Control: no-store", Message: "held on 143 answers", Seen: 143}},
			},
			{
				Requirement: "RFC6749-3.1.2.3-required-when-several", Section: "H. Redirect URI matching", Source: "RFC 6749 §3.1.2.3", Level: "MUST", Verdict: NotApplicable,
				Sentence: "A request without redirect_uri is refused when the client registered several.",
				Findings: []Finding{{Verdict: NotApplicable, Flow: "authorization_code", Endpoint: "authorization", Spec: "refuses a request without redirect_uri", Message: "no client with two redirect URIs is configured: give one under clients"}},
			},
			{
				Requirement: "RFC6749-4.1-issues-token", Section: "K. Authorization code", Source: "RFC 6749 §4.1", Level: "MUST", Verdict: Pass,
				Sentence: "A code is exchanged for a token that opens the user's resource.",
				Findings: []Finding{{
					Verdict: Pass, Flow: "authorization_code", Endpoint: "token", Spec: "exchanges a code for a token that opens the user's resource", Expected: "200 with a token, and the resource answers as the user", Message: "200, and the resource answers as alice", DurationMS: 412, Evidence: []Exchange{ok},
					Attachments: []Attachment{{Name: "the consent page", Type: "image/png", Data: pixel()}, {Name: "trail.har", Type: "application/json"}},
				}},
			},
			{
				Requirement: "RFC6749-4.1.2-code-single-use", Section: "K. Authorization code", Source: "RFC 6749 §4.1.2", Level: "MUST", Verdict: Fail,
				Sentence: "A code is redeemed once: a second redemption is refused with invalid_grant.",
				Findings: []Finding{{
					Verdict: Fail, Flow: "authorization_code", Endpoint: "token", Spec: "redeems a code once", Variant: "by the same client", Expected: "400 invalid_grant", Message: "200 with another token", DurationMS: 388,
					Evidence: []Exchange{ok, tokenExchange("redeem the same code again", 200, tokenBody, true)},
				}},
			},
			{
				Requirement: "RFC7636-4.6-wrong-verifier", Section: "L. PKCE", Source: "RFC 7636 §4.6", Level: "MUST", Verdict: Fail,
				Sentence: "A wrong code_verifier is refused.",
				Findings: []Finding{{
					Verdict: Fail, Flow: "authorization_code", Endpoint: "token", Spec: "refuses a wrong code_verifier", Variant: hostile, Expected: "400 invalid_grant", Message: "the answer said: " + hostile, DurationMS: 290,
					Evidence:    []Exchange{{Title: hostile, Client: hostile, Started: hostile, DurationUS: 1, Proto: hostile, TLS: hostile, Method: hostile, URL: "javascript:alert(1)" + hostile, Head: hostile, Body: hostile, Status: 200, AnswerHead: hostile, AnswerBody: hostile + strings.Repeat(" very long", 30), Cut: true, Curl: hostile, Deciding: true}},
					Attachments: []Attachment{{Name: hostile, Type: "image/png\" onload=\"alert(1)", Data: []byte("x")}, {Name: "the page", Type: "text/html", Data: []byte(hostile)}, {Name: "drawing", Type: "image/svg+xml", Data: []byte("<svg onload='alert(1)'/>")}},
				}},
			},
			{
				Requirement: "RFC6749-4.2-issues-token", Section: "M. Implicit", Source: "RFC 6749 §4.2", Level: "MUST", Verdict: Inconclusive,
				Sentence: "The implicit flow issues a token in the fragment.",
				Findings: []Finding{{
					Verdict: Inconclusive, Flow: "implicit", Endpoint: "authorization", Spec: "issues a token in the fragment", Expected: "a redirect with access_token in the fragment", Message: "the sign-in page did not answer within 10 s", DurationMS: 10_004,
					Evidence: []Exchange{{Title: "open the authorization endpoint", Started: "2026-02-03T10:12:40.001Z", DurationUS: 10_000_000, Method: "GET", URL: "https://acme.test/oauth/auth?response_type=token&client_id=77b2&state=Xy12", Error: "timeout after 10 s", Deciding: true, Curl: "curl -sS -i 'https://acme.test/oauth/auth?response_type=token&client_id=77b2&state=Xy12'"}},
				}},
			},
			{
				Requirement: "RFC6749-6-bound-to-client", Section: "N. Refresh token", Source: "RFC 6749 §6", Level: "MUST", Verdict: Pass,
				Sentence: "A refresh token works for its client only.",
				Findings: []Finding{{Verdict: Pass, Flow: "refresh_token", Endpoint: "token", Spec: "refuses another client's refresh token", Expected: "400 invalid_grant", Message: "400 invalid_grant", DurationMS: 22}},
			},
			{
				Requirement: "RFC6750-3-missing-token-challenge", Section: "O. Bearer token at the resource", Source: "RFC 6750 §3", Level: "SHOULD", Verdict: Note,
				Sentence: "A resource without a token is answered with a Bearer challenge.",
				Findings: []Finding{{Verdict: Note, Flow: "any", Endpoint: "resource", Spec: "challenges a request without a token", Expected: "401 with WWW-Authenticate: Bearer", Message: "401 with a challenge that also names a realm", DurationMS: 3}},
			},
			{
				Requirement: "RFC7009-2.1-revokes", Section: "R. Revocation, introspection, metadata, issuer", Source: "RFC 7009 §2.1", Level: "MUST", Verdict: NotApplicable,
				Sentence: "A revoked token opens nothing.",
				Findings: []Finding{{Verdict: NotApplicable, Flow: "any", Endpoint: "revocation", Spec: "revokes a token", Message: "no revocation endpoint is configured: give endpoints.revocation"}},
			},
			{
				Requirement: "SPACE-user-only-resource", Section: "S. JetBrains Space: documented behaviour", Source: "Space help", Level: "DOC", Verdict: Pass,
				Sentence: "An application's token does not open a user's resource.",
				Findings: []Finding{{Verdict: Pass, Flow: "client_credentials", Endpoint: "resource", Spec: "refuses an application's token at profiles/me", Expected: "403", Message: "403", DurationMS: 4}},
			},
		},
	}
}

// partialConformance is what an early Ctrl-C leaves.
func partialConformance() Conformance {
	c := sampleConformance()
	c.Partial, c.Browser, c.Results = "interrupted", "", c.Results[:1]
	return c
}

// manyFindings is a record with n findings, each with three exchanges.
func manyFindings(n int) Conformance {
	c := sampleConformance()
	c.Results = nil
	verdicts, flows, endpoints := Verdicts(), mainFlows(), mainEndpoints()
	for i := range n / 10 {
		r := Result{Requirement: fmt.Sprintf("RFC6749-%d-made-up", i), Section: fmt.Sprintf("%c. Section", 'A'+i%19), Sentence: "The token endpoint refuses a request that repeats a parameter.", Source: "RFC 6749 §3.2", Level: "MUST"}
		for j := range 10 {
			v := Pass
			if j == 3 {
				v = verdicts[i%len(verdicts)]
			}
			f := Finding{Verdict: v, Flow: flows[i%len(flows)], Endpoint: endpoints[j%len(endpoints)], Spec: "refuses a repeated parameter", Variant: fmt.Sprintf("variant %d", j), Expected: "400 invalid_request", Message: "200 with a token", DurationMS: 7}
			for k := range 3 {
				f.Evidence = append(f.Evidence, tokenExchange("ask", 200, tokenBody, k == 2))
			}
			r.Findings = append(r.Findings, f)
		}
		r.Verdict = Worst(Pass, verdicts[i%len(verdicts)])
		c.Results = append(c.Results, r)
	}
	return c
}

func histogram(n int, scale float64) Histogram {
	h := hdrhistogram.New(1, 60_000_000, 3)
	// In 80 steps a decade of 1/(1-q), so that the tail is drawn in full and the work is small.
	for left, k := int64(n), 0; left > 0; k++ {
		beyond := math.Pow(10, -float64(k+1)/80)
		next := min(int64(float64(n)*beyond), left)
		if err := h.RecordValues(int64(scale*(0.6+0.5*(1-beyond)+0.02/math.Pow(beyond, 0.75))), left-next); err != nil {
			panic(err)
		}
		left = next
	}
	encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		panic(err)
	}
	out := Histogram{Count: h.TotalCount(), MinUS: h.Min(), MeanUS: h.Mean(), MaxUS: h.Max(), Percentiles: map[string]float64{}, Encoded: string(encoded)}
	for _, p := range []string{"50", "75", "90", "95", "99", "99.9", "99.99"} {
		q, err := strconv.ParseFloat(p, 64)
		if err != nil {
			panic(err)
		}
		out.Percentiles[p] = float64(h.ValueAtQuantile(q))
	}
	return out
}

func series(seconds int) []Second {
	var out []Second
	for i := range seconds {
		wave := 1 + 0.15*math.Sin(float64(i)/3.1) + 0.05*math.Sin(float64(i)*1.7)
		s := Second{Second: i, Planned: 2000, Sent: 2000, Answered: 2000 - int64(i%4), P50US: int64(640 * wave), P99US: int64(2100 * wave * wave), MaxUS: int64(5200 * wave * wave * wave), ServiceP99US: int64(1500 * wave)}
		if i%30 == 17 {
			s.P99US, s.MaxUS, s.ServiceP99US, s.Errors, s.Answered = 48_000, 71_000, 46_000, 12, 1744
		}
		out = append(out, s)
	}
	return out
}

func sampleLoad() Load {
	return Load{
		Schema: LoadSchema, Tool: Tool{"flowproof", "1.0.0"},
		Target:  Target{Name: "sandbox", URL: "http://127.0.0.1:8080", Profile: "space", Edition: "space-2023", Tokens: "opaque"},
		Plan:    Plan{Model: "open", Rate: 2000, Weights: []int{4, 1}, DurationMS: 60_000, WarmUpMS: 2000, Connections: 64, Grants: []string{"client_credentials", "refresh_token"}, Clients: []string{"service", "web"}, TimeoutMS: 10_000},
		Started: "2026-02-03T10:20:00Z", DurationMS: 60_041,
		Machine:   Machine{OS: "linux", Arch: "amd64", CPUs: 2, Go: "go1.26.8"},
		Generator: Generator{CPUSeconds: 31.4, MaxRSSBytes: 48 << 20, LatenessP99US: 184, LatenessMaxUS: 2210, GCPauseUS: 912},
		Rate:      Rate{Intended: 2000, Achieved: 1998.2},
		Agents: []Agent{
			{Name: "rack-1", Host: "one.acme.test", Share: Shard{1, 2}, CPUs: 8, ClockOffsetUS: -1_700_123, ClockUnsureUS: 61, StartSkewUS: 84, Planned: 60_000, Sent: 60_000, P50US: 1100, P99US: 9100, LatenessP99US: 184, BusMessages: 212, BusBytes: 160_112},
			{Name: "rack-2" + hostile, Host: "two.acme.test", Share: Shard{2, 2}, CPUs: 8, ClockOffsetUS: 412, ClockUnsureUS: 88, StartSkewUS: -12, Planned: 60_000, Sent: 59_998, P50US: 1200, P99US: 22_400, LatenessP99US: 122, Lost: "was lost 59.9 s after the start", Missing: 2.0 / 120_000},
		},
		Steps: []Step{
			{Name: "client_credentials", Planned: 96_000, Sent: 96_000, Answered: 95_976, Verified: 95_973, Errors: map[string]int64{"timeout": 24, "not verified": 3}, Latency: histogram(96_000, 1000), Service: histogram(96_000, 800)},
			{Name: "refresh_token", Planned: 24_000, Sent: 23_998, Answered: 23_990, Verified: 23_990, NotSent: 2, Throttled: 4, Errors: map[string]int64{"reset": 4, "status 500": 4}, Latency: histogram(23_990, 1900), Service: histogram(23_990, 1500)},
		},
		Series: series(60),
		Violations: []Violation{{
			Requirement: "RFC6749-5.1-token-type-present", Verdict: Fail, Count: 3, Message: "three answers carried no token_type" + hostile,
			First: Exchange{Title: "client_credentials", Client: "service", Started: "2026-02-03T10:20:17.204Z", DurationUS: 71_000, Proto: "HTTP/1.1", Method: "POST", URL: "http://127.0.0.1:8080/oauth/token", Head: "Authorization: Basic c2Vy…", Body: "grant_type=client_credentials\nscope=**", Status: 200, AnswerHead: "Content-Type: application/json", AnswerBody: hostile, Deciding: true, Curl: "curl -sS http://127.0.0.1:8080/oauth/token -u \"5c0f:$SERVICE_SECRET\" -d grant_type=client_credentials -d scope='**'"},
		}, {
			Requirement: "RFC6749-5.1-scope", Verdict: Warn, Count: 41, Message: "the answer names no scope, which clients have to guess", First: tokenExchange("refresh_token", 200, tokenBody, true),
		}},
		Thresholds: []Threshold{
			{Expression: "p99<250ms", Value: 2510, Shown: "2.51 ms", Held: true},
			{Expression: "errors<0.01%", Value: 0.00029, Shown: "0.029 %", Held: false},
			{Expression: "p99.9<10ms", Value: 0, Shown: "", Held: false, Reason: "100,000 answers are too few for p99.9 at this bound"},
		},
		Verdict: Fail,
		Notices: []string{"The sandbox ran on the same machine as the generator: both shared 2 cores."},
	}
}

// calmLoad is a run that holds.
func calmLoad() Load {
	l := sampleLoad()
	l.Violations, l.Notices, l.WarmUp, l.Agents, l.Verdict = nil, nil, nil, nil, Pass
	l.Thresholds = l.Thresholds[:1]
	l.Steps = l.Steps[:1]
	l.Steps[0].Errors, l.Steps[0].Answered, l.Steps[0].Verified = nil, 96_000, 96_000
	l.Plan.Grants, l.Plan.Weights = l.Plan.Grants[:1], nil
	l.Series = series(16)
	return l
}

// emptyLoad is a run that never reached its target.
func emptyLoad() Load {
	return Load{
		Schema: LoadSchema, Tool: Tool{"flowproof", "1.0.0"}, Target: Target{Name: "acme", URL: "https://acme.test", Profile: "space"},
		Plan: Plan{Model: "closed", DurationMS: 10_000, Connections: 8, Grants: []string{"password"}, Clients: []string{"web"}}, Started: "2026-02-03T10:20:00Z",
		Partial: "the target refuses connections", Verdict: Inconclusive, Steps: []Step{{Name: "password", Errors: map[string]int64{"refused": 8}}},
	}
}

// gatedConformance is a check with waivers that was held to a baseline.
func gatedConformance() Conformance {
	base, c := sampleConformance(), sampleConformance()
	base.Started, base.Tool.Version = "2026-01-30T08:00:00Z", "0.9.0"
	verdict := func(c *Conformance, id string, v Verdict) {
		for i := range c.Results {
			if r := &c.Results[i]; r.Requirement == id {
				r.Verdict = v
				for j := range r.Findings {
					r.Findings[j].Verdict = v
				}
			}
		}
	}
	verdict(&base, "RFC6749-4.1.2-code-single-use", Pass)
	verdict(&base, "RFC6749-6-bound-to-client", Fail)
	c.Strict = true
	c.Machine = &Machine{OS: "linux", Arch: "amd64", CPUs: 2, CPU: "A Processor " + hostile, Go: "go1.26.8"}
	c.Catalogue, c.Ended, c.Target.File, c.Target.Lines = "205 requirements, 0123456789ab", "2026-02-03T10:12:41Z", "targets/acme.yaml", map[string]int{"web": 7}
	c.Waive([]Waiver{
		{Requirement: "RFC7636-4.6-wrong-verifier", Reason: "the old gateway, " + hostile, Owner: "Ada", Until: "2026-06-30"},
		{Requirement: "RFC6749-6-bound-to-client", Variant: "another client", Reason: "mended by now", Owner: "Bob", Until: "2026-06-30"},
		{Requirement: "RFC6749-3.2-duplicate-param", Reason: "until the move", Owner: "Eve", Until: "2026-01-31"},
	}, time.Date(2026, 2, 3, 10, 12, 33, 0, time.UTC))
	if err := c.HoldTo(base, "main/check.json"); err != nil {
		panic(err)
	}
	return c
}

// slowerLoad is calmLoad with every second slower by the factor.
func slowerLoad(seconds int, factor float64) Load {
	l := calmLoad()
	l.Series = series(seconds)
	for i := range l.Series {
		s := &l.Series[i]
		s.P50US, s.P99US, s.MaxUS, s.Errors = int64(float64(s.P50US)*factor), int64(float64(s.P99US)*factor), int64(float64(s.MaxUS)*factor), 0
	}
	l.Steps[0].Latency = histogram(96_000, 1000*factor)
	l.DurationMS = int64(seconds) * 1000
	l.Plan.DurationMS = l.DurationMS
	return l
}

// recordOf is a Conformance or a Load as a record.
func recordOf(record any) Record {
	switch r := record.(type) {
	case Conformance:
		return Record{Conformance: &r}
	case Load:
		return Record{Load: &r}
	}
	return Record{}
}

// keep writes a record as the commands do.
func keep(path string, r Record) error {
	return WriteFile(path, func(w io.Writer) error { return Render("json", w, r) })
}

func compared(a, b any) Comparison {
	c, err := Compare(recordOf(a), recordOf(b), "a "+hostile+".json", "b.json", 0.1)
	if err != nil {
		panic(err)
	}
	return c
}

// referring gives a load a reference, which takes the factor of its usual time.
func referring(l Load, factor float64) Load {
	l.Series = slices.Clone(l.Series)
	for i := range l.Series {
		l.Series[i].ReferenceUS = int64((900 + float64(i%9)) * factor)
	}
	l.Reference = &Reference{Path: "/keys", Asked: 600, Failed: 2, Latency: histogram(598, 900*factor)}
	l.Plan.Reference = "/keys"
	return l
}

// heldLoad is a run that took turns with its baseline, and is slower.
func heldLoad() Load {
	l := referring(calmLoad(), 1)
	a, b := turnsOf(8, 1)
	for i := range b.Runs {
		b.Runs[i] = slowerLoad(1, 1.25+float64(i*7%5)/20)
	}
	a.Whole, b.Whole = slowerLoad(8, 1), slowerLoad(8, 1.35)
	c, err := CompareTurns(a, b, "testdata/old.yaml", "testdata/new.yaml", 0.1)
	if err != nil {
		panic(err)
	}
	l.HoldTo(c)
	return l
}

// capacityLoad is a run that found the highest rate.
func capacityLoad() Load {
	l := calmLoad()
	l.Capacity = &Capacity{
		Objective: []string{"p99<250ms", "errors<0.1%", "throttled<0.1%", "unsent<0.1%"}, Held: 1931, Failed: 2022, Confirmed: true,
		Limit: "p99<250ms was broken with 312 ms" + hostile,
	}
	for _, s := range []CapacityStep{
		{Purpose: Ramping, Rate: 500, P50US: 610, P99US: 1400},
		{Purpose: Ramping, Rate: 1000, P50US: 640, P99US: 2100},
		{Purpose: Ramping, Rate: 2000, P50US: 180_000, P99US: 402_000, Errors: 0.004, Why: "p99<250ms was broken with 402 ms"},
		{Purpose: Ramping, Rate: 2000, P50US: 1500, P99US: 98_000},
		{Purpose: Ramping, Rate: 4000, P50US: 1_800_000, P99US: 3_500_000, Errors: 0.21, Why: "p99<250ms was broken with 3.5 s, errors<0.1% was broken with 21%" + hostile},
		{Purpose: Below, Rate: 2022, P50US: 160_000, P99US: 312_000, Why: "p99<250ms was broken with 312 ms"},
		{Purpose: Bisecting, Rate: 1976, P50US: 900_000, P99US: 2_312_000, Why: "p99<250ms was broken with 2.312 s", Bottleneck: "no processor was left"},
		{Purpose: Below, Rate: 1931, P50US: 1480, P99US: 91_000},
		{Purpose: Below, Rate: 1931, P50US: 1500, P99US: 93_000, Bottleneck: "no processor was left"},
	} {
		s.Held, s.Intended, s.Achieved, s.DurationMS, s.Sent = s.Why == "", s.Rate, s.Rate*(1-s.Errors), 5000, int64(5*s.Rate)
		l.Capacity.Tests = append(l.Capacity.Tests, s)
	}
	return l
}

// incapableLoad is a search that found no rate.
func incapableLoad() Load {
	l := sampleLoad()
	l.Violations, l.Notices = nil, nil
	l.Capacity = &Capacity{Objective: []string{"errors<0.1%"}, Failed: 100, Limit: "errors<0.1% was broken with 100%", Tests: []CapacityStep{
		{Purpose: Ramping, Rate: 100, Intended: 100, DurationMS: 5000, Sent: 500, Errors: 1, Why: "errors<0.1% was broken with 100%"},
	}}
	return l
}

// samples are the records that every renderer is tested with.
func samples() map[string]Record {
	c, g, p, l, calm, empty := sampleConformance(), gatedConformance(), partialConformance(), sampleLoad(), calmLoad(), emptyLoad()
	base := sampleConformance()
	base.Results[5].Verdict, base.Results[5].Findings[0].Verdict, base.Target.Name = Pass, Pass, "acme before"
	base.Results[8].Verdict, base.Results[8].Findings[0].Verdict = Fail, Fail
	checks, loads := compared(base, c), compared(slowerLoad(120, 1), slowerLoad(130, 1.4))
	found, none, held := capacityLoad(), incapableLoad(), heldLoad()
	return map[string]Record{"capacity": {Load: &found}, "incapable": {Load: &none}, "conformance": {Conformance: &c}, "gated": {Conformance: &g}, "compared": {Comparison: &checks}, "slower": {Comparison: &loads}, "partial": {Conformance: &p}, "load": {Load: &l}, "calm": {Load: &calm}, "held": {Load: &held}, "empty": {Load: &empty}}
}
