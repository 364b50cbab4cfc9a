package load

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// A total is everything that all workers saw.
type total struct {
	steps, warm []tally // by place in the mix
	lateness    coarse
	last        time.Duration // when the last measured answer came
}

func (e *engine) total() total {
	sum := total{steps: make([]tally, len(e.jobs)), warm: make([]tally, len(e.jobs))}
	for _, w := range e.workers {
		r := w.recorder
		r.mu.Lock()
		for i := range e.jobs {
			sum.steps[i].merge(&r.measured[i])
			sum.warm[i].merge(&r.warm[i])
		}
		sum.lateness.merge(&r.lateness)
		sum.last = max(sum.last, r.last)
		r.mu.Unlock()
	}
	return sum
}

// all adds the steps up. It is called last, since it merges histograms into one another.
func (t total) all() tally {
	var sum tally
	for i := range t.steps {
		sum.merge(&t.steps[i])
	}
	return sum
}

// summary makes the record of a run that is over.
func (e *engine) summary(redactor *oauth.Redactor, t target.Target, o Options, before flight, u used) reports.Load {
	sum := e.total()
	l := reports.Load{
		Schema:  reports.LoadSchema,
		Tool:    reports.Tool{Name: "flowproof", Version: o.Version},
		Target:  reports.Target{Name: t.Name, URL: t.URL, Profile: t.Profile, Edition: t.Edition, Tokens: before.tokens},
		Plan:    e.planRecord(),
		Started: e.base.UTC().Format(time.RFC3339),
		Partial: e.why,
		Machine: reports.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version()},
		Series:  e.seconds(),
	}
	span := e.span(sum.last)
	l.DurationMS = span.Milliseconds()
	for i := range sum.steps {
		sum.steps[i].redact(redactor)
		l.Steps = append(l.Steps, e.step(i, &sum.steps[i]))
		if e.plan.WarmUp > 0 {
			sum.warm[i].redact(redactor)
			l.WarmUp = append(l.WarmUp, e.warmStep(i, &sum.warm[i]))
		}
	}
	l.Generator = e.generator(&sum, u, o)
	l.Violations = e.violations(&sum, redactor)
	rest := notes{engine: e, total: &sum, steps: l.Steps, together: o.Together}
	judged := make(map[string]*tally, len(sum.steps)+1)
	for i := range sum.steps {
		judged[string(e.jobs[i].grant)] = copied(&sum.steps[i])
	}
	whole := sum.all()
	judged[""] = &whole
	planned := map[string]int64{}
	for _, s := range l.Steps {
		planned[s.Name] = s.Planned
		planned[""] += s.Planned
	}
	l.Rate = reports.Rate{Intended: e.plan.Rate, Achieved: perSecond(whole.verified, span)}
	j := judgement{tallies: judged, planned: planned, span: span, bottleneck: l.Generator.Bottleneck}
	for _, h := range e.plan.Thresholds {
		l.Thresholds = append(l.Thresholds, j.judge(h))
	}
	l.Verdict = verdict(&l, e.plan.Thresholds, &whole)
	l.Notices = rest.list(&whole)
	return l
}

// redact masks what a server wrote into its error codes, should it be a secret.
func (t *tally) redact(r *oauth.Redactor) {
	shown := map[string]int64{}
	for class, n := range t.errors {
		shown[r.Text(class)] += n
	}
	t.errors = shown
}

func copied(t *tally) *tally {
	var c tally
	if t.latency != nil {
		c.latency, c.service = hdrhistogram.New(1, longest, digits), hdrhistogram.New(1, longest, digits)
	}
	c.merge(t)
	return &c
}

func (e *engine) planRecord() reports.Plan {
	p := reports.Plan{
		Model: e.plan.Model, Rate: e.plan.Rate, DurationMS: e.plan.Duration.Milliseconds(), WarmUpMS: e.plan.WarmUp.Milliseconds(),
		Connections: e.plan.Connections, TimeoutMS: e.plan.Timeout.Milliseconds(),
		Count: e.plan.Count, Clients: []string{},
	}
	for i, j := range e.jobs {
		p.Grants = append(p.Grants, string(j.grant))
		p.Weights = append(p.Weights, e.plan.Mix[i].Weight)
		for _, is := range j.issues {
			p.Clients = appendNew(p.Clients, is.request.Client)
			if is.user != "" {
				p.Users = appendNew(p.Users, is.user)
			}
		}
	}
	return p
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// span is how long the measured part took: the plan's time, or longer when answers came later.
func (e *engine) span(last time.Duration) time.Duration {
	switch {
	case e.why != "":
		return max(last, e.haltedAt, 0)
	case e.plan.Model == Open:
		return max(last, e.schedule.due(e.schedule.last))
	}
	return last
}

// planned is how many measured requests of a share were due.
func (e *engine) planned(share int, sent int64) int64 {
	if e.plan.Model == Closed {
		return sent
	}
	n := e.schedule.last
	if e.why != "" {
		n = max(min(n, e.schedule.within(e.haltedAt)), 0)
	}
	return max(e.mix.count(share, e.schedule.warm+n)-e.mix.count(share, e.schedule.warm), sent)
}

func (e *engine) step(i int, t *tally) reports.Step {
	planned := e.planned(i, t.sent)
	return reports.Step{
		Name: string(e.jobs[i].grant), Planned: planned, Sent: t.sent, Answered: t.answered, Verified: t.verified,
		Throttled: t.throttled, Errors: t.errors, NotSent: planned - t.sent,
		Latency: histogram(t.latency), Service: histogram(t.service),
	}
}

func (e *engine) warmStep(i int, t *tally) reports.Step {
	planned := t.sent
	if e.plan.Model == Open && e.why == "" {
		planned = e.mix.count(i, e.schedule.warm)
	}
	return reports.Step{
		Name: string(e.jobs[i].grant), Planned: planned, Sent: t.sent, Answered: t.answered, Verified: t.verified,
		Throttled: t.throttled, Errors: t.errors, NotSent: planned - t.sent,
		Latency: histogram(t.latency), Service: histogram(t.service),
	}
}

// seconds is the series with what was planned for each second.
func (e *engine) seconds() []reports.Second {
	out := slices.Clone(e.series.seconds)
	for i := range out {
		if e.plan.Model == Closed {
			out[i].Planned = out[i].Sent
			continue
		}
		from := time.Duration(i) * time.Second
		out[i].Planned = e.schedule.planned(from, from+time.Second)
	}
	return out
}

func percentiles() map[string]float64 {
	return map[string]float64{"50": 50, "75": 75, "90": 90, "95": 95, "99": 99, "99.9": 99.9, "99.99": 99.99}
}

func histogram(h *hdrhistogram.Histogram) reports.Histogram {
	if h == nil || h.TotalCount() == 0 {
		return reports.Histogram{Percentiles: map[string]float64{}}
	}
	out := reports.Histogram{Count: h.TotalCount(), MinUS: h.Min(), MeanUS: h.Mean(), MaxUS: h.Max(), Percentiles: map[string]float64{}}
	for name, p := range percentiles() {
		out.Percentiles[name] = float64(h.ValueAtPercentile(p))
	}
	if encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase); err == nil {
		out.Encoded = string(encoded)
	}
	return out
}

func perSecond(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

const (
	mostCPU      = 0.9                  // of the processors that the generator may use
	mostLateness = 2 * time.Millisecond // at the 99th percentile
)

func (e *engine) generator(sum *total, u used, o Options) reports.Generator {
	g := reports.Generator{
		CPUSeconds: u.cpu.Seconds(), MaxRSSBytes: u.maxRSS, GCPauseUS: u.pause.Microseconds(),
		LatenessP99US: sum.lateness.quantile(0.99), LatenessMaxUS: sum.lateness.max,
	}
	cores := u.cpu.Seconds() / max(u.wall, time.Millisecond).Seconds()
	switch {
	case u.wall > time.Second && cores >= mostCPU*float64(u.cores):
		who := "the load generator"
		if o.Together {
			who = "the load generator and the target, which share a process,"
		}
		g.Bottleneck = fmt.Sprintf("%s kept %s of %d processors busy", who, significant(cores), u.cores)
	case g.LatenessP99US > mostLateness.Microseconds():
		g.Bottleneck = fmt.Sprintf("1%% of the requests for which a connection was free were sent %s late or later", showMicroseconds(float64(g.LatenessP99US)))
	}
	return g
}

func (e *engine) violations(sum *total, redactor *oauth.Redactor) []reports.Violation {
	var out []reports.Violation
	for f := range flawCount {
		var n int64
		for i := range sum.steps {
			n += sum.steps[i].flaws[f]
		}
		if n == 0 {
			continue
		}
		r := f.rule()
		first := e.firsts.exchanges[f].Evidence(redactor)
		first.Deciding = true
		out = append(out, reports.Violation{Requirement: r.requirement, Verdict: r.verdict, Count: n, Message: r.message, First: first})
	}
	return out
}
