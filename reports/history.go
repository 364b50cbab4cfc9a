package reports

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"slices"
	"strings"
)

// An Entry is a record of a history and the way to it from the page, with slashes.
type Entry struct {
	Record Record
	Link   string
}

// History writes one page of many records: what became of each target over time, each point linked to its record.
// Records of one target, profile and plan belong together, in the order in which the runs started.
func History(w io.Writer, entries []Entry, notices []string) error {
	var trends []trend
	place := map[string]int{}
	entries = slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool { return e.Record.Conformance == nil && e.Record.Load == nil })
	if len(entries) == 0 {
		return errors.New("reports: there is no record of a check or of a load run to make a history of")
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.started(), b.started()) })
	for _, e := range entries {
		title, about, plan := e.series()
		key := strings.Join([]string{title, about, plan}, "\n")
		i, ok := place[key]
		if !ok {
			i = len(trends)
			place[key] = i
			trends = append(trends, trend{ID: fmt.Sprintf("trend-%d", i+1), Title: title, About: about})
		}
		trends[i].add(e)
	}
	var all []Verdict
	for i := range trends {
		t := &trends[i]
		t.draw()
		all = append(all, t.Runs[len(t.Runs)-1].Headline.Verdict)
	}
	worst := Worst(all...)
	view := historyPage{Trends: trends, frame: frame{
		Kind: "history", Title: "flowproof history", Notices: shown(notices), Tool: entries[len(entries)-1].tool(),
		Headline: headline{worst, historyWord(worst), fmt.Sprintf("%s from %s to %s; the verdict is that of the latest.", Plural(len(entries), "run", "runs"),
			moment(entries[0].started()), moment(entries[len(entries)-1].started()))},
		Target: Target{Name: Plural(len(trends), "series", "series")},
	}}
	return page(w, "history.gohtml", shownHistory(view))
}

func historyWord(v Verdict) string {
	switch v {
	case Fail:
		return "The latest falls short"
	case Inconclusive:
		return "The latest cannot be told"
	}
	return "The latest holds"
}

type historyPage struct {
	frame
	Trends []trend
}

// shownHistory makes what came from records harmless to show; links are escaped where they are made.
func shownHistory(p historyPage) historyPage {
	p.Title, p.Target, p.Headline, p.Tool = visible(p.Title), shown(p.Target), shown(p.Headline), shown(p.Tool)
	return p
}

// A trend is the runs of one series.
type trend struct {
	ID, Title, About string
	Runs             []run
	Head             []string
	Charts           []trendChart
	draws            func(*trend) []trendChart
}

// A run is one record in a trend.
type run struct {
	Link, When string
	Headline   headline
	Cells      []string
	figures    map[string]float64
	words      map[string]string // of figures that say more than their number
}

// A trendChart draws figures of the runs side by side.
type trendChart struct {
	Title, Words string
	Y            []tick
	Lines        []line
	Points       []trendPoint
	Bars         []trendBar
	First, Last  string // the ends of the axis
}

// A trendBar is a part of a run's column, and the way to its record.
type trendBar struct{ X, Y, Width, Height, Kind, Link, Label string }

// A trendPoint is one run's figure, and the way to its record.
type trendPoint struct{ X, Y, Kind, Link, Label string }

func (e Entry) started() string {
	if e.Record.Load != nil {
		return e.Record.Load.Started
	}
	return e.Record.Conformance.Started
}

func (e Entry) tool() Tool {
	if e.Record.Load != nil {
		return e.Record.Load.Tool
	}
	return e.Record.Conformance.Tool
}

// series says which runs the record belongs to: those with the same title, description and plan.
func (e Entry) series() (title, about, plan string) {
	if l := e.Record.Load; l != nil && l.Capacity != nil {
		return "capacity of " + oneLine(l.Target.Name), l.searchWords(), l.searchPlan()
	} else if l != nil {
		return "load of " + oneLine(l.Target.Name), oneLine(joined(" · ", l.Plan.words(), tokenWords(l.Target.Tokens))), l.Plan.Hash
	}
	c := e.Record.Conformance
	return "check of " + oneLine(c.Target.Name), oneLine(joined(" · ", "profile "+c.Target.judged(), joinedBefore("only ", c.Only))), ""
}

func (t *trend) add(e Entry) {
	r := run{Link: safeLink(e.Link), When: moment(oneLine(e.started())), figures: map[string]float64{}, words: map[string]string{}}
	switch l := e.Record.Load; {
	case l == nil:
		t.addCheck(r, *e.Record.Conformance)
	case l.Capacity != nil:
		t.addSearch(r, *l)
	default:
		t.addLoad(r, *l)
	}
}

func (t *trend) addCheck(r run, c Conformance) {
	t.Head, r.Headline = nil, shown(c.headline())
	for _, v := range Verdicts() {
		t.Head = append(t.Head, v.Word())
		r.figures[string(v)] = float64(c.Counts()[v])
		r.Cells = append(r.Cells, Grouped(c.Counts()[v]))
	}
	t.Runs = append(t.Runs, r)
	t.draws = func(t *trend) []trendChart {
		return []trendChart{t.columns("Requirements that fail, warn or cannot be told", Fail, Warn, Inconclusive)}
	}
}

func (t *trend) addLoad(r run, l Load) {
	t.Head, r.Headline = []string{"p50", "p99", "errors", "achieved"}, shown(l.headline())
	sent, wrong := l.sum(func(s Step) int64 { return s.Sent }), l.sum(Step.Failed)
	r.figures["achieved"] = l.Rate.Achieved
	r.Cells = append(r.latency(l), percent(float64(wrong), float64(sent)), perSecond(l.Rate.Achieved))
	t.Runs = append(t.Runs, r)
	t.draws = func(t *trend) []trendChart {
		return []trendChart{t.latencyChart("Latency"), t.chart("Verified answers a second", perSecond, false, [2]string{"achieved", "answered"})}
	}
}

// latency keeps p50 and p99, and gives them as cells; a percentile of too few answers is refused.
func (r run) latency(l Load) []string {
	answered := l.sum(func(s Step) int64 { return s.Latency.Count })
	for name, p := range map[string]float64{"p50": 50, "p99": 99} {
		if answered >= answersFor(p) {
			r.figures[name] = l.Percentile(p)
		}
	}
	return []string{micros(orNaN(r.figures["p50"])), micros(orNaN(r.figures["p99"]))}
}

func (t *trend) latencyChart(title string) trendChart {
	return t.chart(title, micros, true, [2]string{"p50", "p50"}, [2]string{"p99", "p99"})
}

// orNaN is what was not measured as no number.
func orNaN(x float64) float64 {
	if x <= 0 {
		return math.NaN()
	}
	return x
}

// safeLink is a relative way, each part escaped, so that no name of a file is taken for an address.
func safeLink(link string) string {
	var parts []string
	for part := range strings.SplitSeq(link, "/") {
		if part != "." && part != "" {
			parts = append(parts, url.PathEscape(part))
		}
	}
	return "./" + strings.Join(parts, "/")
}

// draw makes the charts; a series of one run needs none.
func (t *trend) draw() {
	if len(t.Runs) > 1 {
		t.Charts = t.draws(t)
	}
}

// columns draws how many requirements have the verdicts, one on the other.
func (t *trend) columns(title string, verdicts ...Verdict) trendChart {
	most := 1.0
	for _, r := range t.Runs {
		sum := 0.0
		for _, v := range verdicts {
			sum += r.figures[string(v)]
		}
		most = math.Max(most, sum)
	}
	y, ticks := linearScale(most, three)
	c := trendChart{Title: title, Y: slices.DeleteFunc(ticks, func(t tick) bool { return strings.Contains(t.Label, ".") })}
	c.First, c.Last = t.ends()
	room := (plotRight - plotLeft) / float64(len(t.Runs))
	width := math.Min(room*0.7, 36)
	for i, r := range t.Runs {
		left, below := plotLeft+room*(float64(i)+0.5)-width/2, 0.0
		for _, v := range verdicts {
			n := r.figures[string(v)]
			if n == 0 {
				continue
			}
			top := y.at(below + n)
			c.Bars = append(c.Bars, trendBar{px(left), px(top), px(width), px(y.at(below) - top), string(v), r.Link, three(n) + " " + v.Word() + ", " + r.When})
			below += n
		}
		if below == 0 {
			c.Bars = append(c.Bars, trendBar{px(left), px(plotBottom - 4), px(width), "4", string(Pass), r.Link, "none, " + r.When})
		}
	}
	var words []string
	for _, v := range verdicts {
		c.Lines = append(c.Lines, line{Name: v.Word(), Kind: string(v)})
		words = append(words, v.Word())
	}
	c.Words = title + " in each of " + Plural(len(t.Runs), "run", "runs") + ": " + strings.Join(words, ", ") + "; the figures are in the table below"
	return c
}

// ends are the days of the first and the last run.
func (t *trend) ends() (first, last string) {
	day := func(r run) string {
		before, _, _ := strings.Cut(r.When, " ")
		return cut(before, 16)
	}
	return day(t.Runs[0]), day(t.Runs[len(t.Runs)-1])
}

// chart draws figures of the runs; each pair is the figure and its look.
func (t *trend) chart(title string, label func(float64) string, log bool, figures ...[2]string) trendChart {
	c := trendChart{Title: title}
	c.First, c.Last = t.ends()
	x := scale{0, float64(len(t.Runs) - 1), plotLeft, plotRight, false}
	columns := make([][]float64, len(figures))
	xs := make([]float64, len(t.Runs))
	for i, f := range figures {
		for j, r := range t.Runs {
			v, ok := r.figures[f[0]]
			if !ok || log && v <= 0 {
				v = math.NaN()
			}
			columns[i], xs[j] = append(columns[i], v), float64(j)
		}
	}
	low, high, ok := extent(columns...)
	if !ok {
		low, high = 1, 1
	}
	y, ticks := linearScale(high, label)
	if log {
		y, ticks = logScale(low, high, label)
	}
	c.Y = ticks
	var words []string
	for i, f := range figures {
		c.Lines = append(c.Lines, line{Name: f[0], Kind: f[1], Path: path(xs, columns[i], x, y)})
		for j, v := range columns[i] {
			if !math.IsNaN(v) {
				said := cmp.Or(t.Runs[j].words[f[0]], f[0]+" "+label(v))
				c.Points = append(c.Points, trendPoint{px(x.at(xs[j])), px(y.at(v)), f[1], t.Runs[j].Link, said + ", " + t.Runs[j].When})
			}
		}
		words = append(words, f[0])
	}
	c.Words = title + " over " + Plural(len(t.Runs), "run", "runs") + ": " + strings.Join(words, ", ") + "; the figures are in the table below"
	return c
}
