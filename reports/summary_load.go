package reports

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Summary writes the rate, the latency of each step, what went wrong and the verdict. What a server sent
// cannot act on the terminal.
func (l Load) Summary(w io.Writer, color bool) {
	l = shown(l)
	t := &text{color: color}
	t.linef("%s  %s", t.bold("flowproof load"), joined(" · ", oneLine(l.Target.Name), oneLine(l.Target.URL), tokenWords(l.Target.Tokens)))
	t.linef("%s", t.dim(joined(" · ", moment(l.Started), span(l.DurationMS), oneLine(l.Plan.words()))))
	t.gap()
	if l.Capacity != nil {
		l.Capacity.summary(t)
	}
	t.linef("rate  %s", l.rateWords())
	t.gap()
	l.summarySteps(t)
	l.summaryErrors(t)
	for _, v := range l.Violations {
		t.gap()
		t.linef("%s %s  %s", t.verdict(v.verdict(), strings.ToUpper(v.verdict().Word())), t.bold(oneLine(v.Requirement)), t.dim(Plural(v.Count, "answer", "answers")))
		t.labelled(5, "", 0, cut(oneLine(v.Message), summaryLength))
	}
	if len(l.Thresholds) > 0 {
		t.gap()
		for _, th := range l.Thresholds {
			v, seen := th.verdict(), th.Shown
			if th.Reason != "" {
				seen = joined(", ", seen, th.Reason)
			}
			t.linef("%s  %s", t.verdict(v, v.mark()+" "+oneLine(th.Expression)), oneLine(seen))
		}
	}
	if b := l.Baseline; b != nil {
		t.gap()
		t.linef("%s, which is A; B is this run", t.bold("against the baseline"))
		t.labelled(0, "A", 3, oneLine(b.A.words()))
		b.summaryFigures(t)
		for _, n := range b.Cautions {
			t.labelled(0, "caution", 11, oneLine(n))
		}
	}
	l.summaryAgents(t)
	t.gap()
	t.labelled(0, "generator", 11, oneLine(l.generatorWords()))
	if r := l.Reference.words(); r != "" {
		t.labelled(0, "reference", 11, oneLine(r))
	}
	for _, n := range l.Notices {
		t.labelled(0, "note", 11, oneLine(n))
	}
	t.gap()
	if l.Partial != "" {
		t.linef("%s", t.verdict(Inconclusive, "partial: "+oneLine(l.Partial)))
	}
	h := l.headline()
	t.linef("%s %s", t.verdict(h.Verdict, h.Verdict.mark()+" "+h.Word+":"), oneLine(h.Sentence))
	t.send(w)
}

func tokenWords(tokens string) string {
	if tokens == "" {
		return ""
	}
	return oneLine(tokens) + " tokens"
}

// words says in a line what was to be sent.
func (p Plan) words() string {
	grants := make([]string, len(p.Grants))
	for i, g := range p.Grants {
		grants[i] = p.grant(i, g)
	}
	rate := ""
	if p.Rate > 0 {
		rate = perSecond(p.Rate)
	}
	if n := len(p.Stages); n > 1 && rate != "" {
		rate += " on average, in " + Plural(n, "stage", "stages")
	}
	return joined(" · ", p.Name, joined(" ", p.Model, "model"), joined(" for ", rate, p.extent()), strings.Join(grants, " + "),
		Plural(p.Connections, "connection", "connections"), Plural(len(p.Clients), "client", "clients"))
}

// stageWords says what the rate was to do over time; of one rate that is held it says nothing.
func (p Plan) stageWords() string {
	if len(p.Stages) < 2 && !slices.ContainsFunc(p.Stages, func(s Stage) bool { return s.Ramp }) {
		return ""
	}
	var out []string
	for _, s := range p.Stages {
		words := perSecond(s.Rate)
		if s.Ramp {
			words = "to " + words
		}
		if s.DurationMS > 0 {
			words += " for " + span(int64(s.DurationMS))
		}
		out = append(out, words)
	}
	return strings.Join(out, ", ")
}

func (s *Shard) words() string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("%d of %d", s.Index, s.Of)
}

// extent is how long the load was to last: a time, a number of requests or both.
func (p Plan) extent() string {
	time, count := "", ""
	if p.DurationMS > 0 {
		time = span(p.DurationMS)
	}
	if p.Count > 0 {
		count = Plural(p.Count, "request", "requests")
	}
	return joined(" or ", time, count)
}

// grant names a grant with its weight in a mix.
func (p Plan) grant(i int, name string) string {
	if len(p.Grants) > 1 && len(p.Weights) == len(p.Grants) {
		return fmt.Sprintf("%s (%d)", flowWords(name), p.Weights[i])
	}
	return flowWords(name)
}

func (l Load) rateWords() string {
	if l.Rate.Intended <= 0 {
		return perSecond(l.Rate.Achieved) + " verified (as many as the connections carried)"
	}
	return fmt.Sprintf("%s verified of %s intended (%s)", perSecond(l.Rate.Achieved), perSecond(l.Rate.Intended), percent(l.Rate.Achieved, l.Rate.Intended))
}

// percentileColumns are the percentiles that tables show.
func percentileColumns() []string { return []string{"50", "90", "99", "99.9"} }

func (l Load) summarySteps(t *text) {
	g := grid{rows: [][]string{append([]string{"step", "sent", "answered", "verified", ""}, durationColumns()...)}}
	for _, s := range l.Steps {
		name := oneLine(flowWords(s.Name))
		g.rows = append(g.rows,
			append([]string{name, Grouped(s.Sent), Grouped(s.Answered), Grouped(s.Verified), "latency"}, s.Latency.columns()...),
			append([]string{"", "", "", "", "service"}, s.Service.columns()...))
	}
	g.style = func(row, _ int, s string) string {
		if row == 0 {
			return t.dim(s)
		}
		return s
	}
	g.writeTo(t)
	t.linef("%s", t.dim("latency counts from the intended start, service from the send"))
}

// durationColumns head what columns has.
func durationColumns() []string {
	var out []string
	for _, p := range percentileColumns() {
		out = append(out, "p"+p)
	}
	return append(out, "max")
}

func (h Histogram) columns() []string {
	var out []string
	for _, p := range percentileColumns() {
		out = append(out, h.percentile(p))
	}
	if h.Count == 0 {
		return append(out, "–")
	}
	return append(out, micros(float64(h.MaxUS)))
}

func (h Histogram) percentile(p string) string {
	us, ok := h.Percentiles[p]
	if !ok || h.Count == 0 {
		return "–"
	}
	return micros(us)
}

func (l Load) summaryErrors(t *text) {
	errors := l.errorCounts()
	notSent, throttled := l.sum(func(s Step) int64 { return s.NotSent }), l.sum(func(s Step) int64 { return s.Throttled })
	var parts []string
	for _, e := range errors {
		parts = append(parts, fmt.Sprintf("%s %s", Grouped(e.Count), oneLine(e.Class)))
	}
	if notSent > 0 {
		parts = append(parts, Grouped(notSent)+" not sent")
	}
	if throttled > 0 {
		parts = append(parts, Grouped(throttled)+" throttled")
	}
	t.gap()
	if len(parts) == 0 {
		t.labelled(0, "errors", 11, "none")
		return
	}
	t.labelled(0, "errors", 11, strings.Join(parts, ", "))
}

// A classCount is how many errors of a class there were.
type classCount struct {
	Class string
	Count int64
}

// errorCounts adds up the errors of all steps, most first.
func (l Load) errorCounts() []classCount {
	sums := map[string]int64{}
	for _, s := range l.Steps {
		for class, n := range s.Errors {
			sums[class] += n
		}
	}
	return sortedCounts(sums)
}

func sortedCounts(sums map[string]int64) []classCount {
	var out []classCount
	for _, class := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, classCount{class, sums[class]})
	}
	slices.SortStableFunc(out, func(a, b classCount) int { return cmp.Compare(b.Count, a.Count) })
	return out
}

// words says how the reference fared, and is empty where there is none.
func (r *Reference) words() string {
	if r == nil {
		return ""
	}
	return joined(", ", r.Path+" beside the load: p50 "+r.Latency.percentile("50"), "p99 "+r.Latency.percentile("99"), Plural(r.Asked, "request", "requests"), aside("", int(r.Failed), "failed"))
}

func (l Load) sum(of func(Step) int64) int64 {
	var n int64
	for _, s := range l.Steps {
		n += of(s)
	}
	return n
}

// Failed is how many requests had no right answer, those that were throttled aside.
func (s Step) Failed() int64 {
	var n int64
	for _, of := range s.Errors {
		n += of
	}
	return n
}

func (t Threshold) verdict() Verdict {
	switch {
	case t.Reason != "":
		return Inconclusive
	case t.Held:
		return Pass
	}
	return Fail
}

func (l Load) generatorWords() string {
	g := l.Generator
	health := "kept up"
	if l.sum(func(s Step) int64 { return s.Sent }) == 0 {
		return "sent nothing"
	}
	if g.Bottleneck != "" {
		health = "was the bottleneck: " + g.Bottleneck
	}
	share := ""
	if l.DurationMS > 0 && l.Machine.CPUs > 0 {
		share = " (" + percent(g.CPUSeconds, float64(l.DurationMS)/1000*float64(l.Machine.CPUs)) + " of " + Plural(l.Machine.CPUs, "core", "cores") + ")"
	}
	return fmt.Sprintf("%s; sent at most %s late (p99 %s); %s s of CPU%s, %s, GC pauses %s", health,
		micros(float64(g.LatenessMaxUS)), micros(float64(g.LatenessP99US)), three(g.CPUSeconds), share, bytesize(g.MaxRSSBytes), micros(float64(g.GCPauseUS)))
}
