package reports

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// opened is how many of the findings that want attention show their exchange from the start.
const opened = 20

type conformancePage struct {
	frame
	Counts    []verdictCount
	Bar       []segment
	Matrix    matrixView
	Attention []Result
	Unjudged  []unjudged
	Sections  []sectionView
	Flows     []string
	Endpoints []string
	Levels    []string
	Documents []string
	Total     int
	Baseline  *Baseline
	Waivers   []Waiver
}

// A verdictCount is how many there are of a verdict.
type verdictCount struct {
	Verdict Verdict
	N       int
}

// A segment is a part of the bar of verdicts, in thousandths of its width.
type segment struct {
	Verdict  Verdict
	X, Width float64
}

type matrixView struct {
	Endpoints []string
	Rows      []matrixRow
	Totals    []matrixCell
}

type matrixRow struct {
	Flow  string
	Total matrixCell
	Cells []matrixCell
}

type matrixCell struct {
	Flow, Endpoint string
	Worst          Verdict
	Counts         []verdictCount
}

// unjudged is why requirements were not judged.
type unjudged struct {
	Verdict Verdict
	Total   int
	Reasons []reason
}

type sectionView struct {
	Title, Slug  string
	Counts       []verdictCount
	Requirements []requirementView
}

type requirementView struct {
	Result
	Flows, Endpoints string // of its findings, for the filters
	Documents        string // that it cites, likewise
	Open             bool
	Aside            string // why its verdict does not count
	Views            []findingView
}

type findingView struct {
	Finding
	Open     bool
	Aside    string
	Deciders deciders
	Pictures []picture
	Texts    []fact
	Files    []Attachment
}

func newConformancePage(c Conformance) conformancePage {
	h, m := c.headline(), c.Matrix()
	p := conformancePage{
		frame: frame{
			Kind: "conformance", Headline: h, Partial: c.Partial, Notices: c.remarks(), Target: c.Target, Tool: c.Tool,
			Title: h.Word + " · " + c.Target.Name + " · flowproof check",
			Facts: facts("Profile", c.Target.Profile, "Edition", c.Target.Edition, "Tokens", tokenFact(c.Target.Tokens), "Browser", browserFact(c.Browser),
				"Started", moment(c.Started), "Took", span(c.DurationMS), "Exchanges", Grouped(c.Exchanges), "Only", c.Only, "Target file", c.Target.File,
				"Machine", machineFact(c.Machine), "Catalogue", c.Catalogue, "Made by", c.Tool.Name+" "+c.Tool.Version),
		},
		Counts: c.Counts().ordered(), Bar: c.Counts().bar(), Matrix: m.view(), Attention: c.worstFirst(),
		Flows: m.Flows, Endpoints: m.Endpoints, Total: len(c.Results), Baseline: c.Baseline, Waivers: c.Waivers,
	}
	for _, v := range []Verdict{Inconclusive, NotApplicable} {
		if reasons, total := c.reasons(v); total > 0 {
			p.Unjudged = append(p.Unjudged, unjudged{v, total, reasons})
		}
	}
	place, counts, levels := map[string]int{}, []Counts{}, map[string]bool{}
	attention := 0
	for _, r := range c.Results {
		i, ok := place[r.Section]
		if !ok {
			i = len(p.Sections)
			place[r.Section] = i
			p.Sections = append(p.Sections, sectionView{Title: r.Section, Slug: "section-" + slug(r.Section)})
			counts = append(counts, Counts{})
		}
		levels[r.Level] = true
		open := r.Counting() == Fail && attention < opened
		if open {
			attention++
		}
		p.Sections[i].Requirements = append(p.Sections[i].Requirements, r.view(open))
		counts[i].add(r.Verdict)
	}
	for i := range p.Sections {
		p.Sections[i].Counts = counts[i].ordered()
	}
	for _, r := range c.Results {
		for _, d := range documents(r.Source) {
			if !slices.Contains(p.Documents, d) {
				p.Documents = append(p.Documents, d)
			}
		}
	}
	slices.SortFunc(p.Documents, natural)
	p.Levels = ordered(levels, nil, []string{"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "DOC"})
	return p
}

// natural orders RFC 822 before RFC 6749.
func natural(a, b string) int {
	number := func(s string) int {
		n, _ := strconv.Atoi(strings.TrimPrefix(s, "RFC "))
		return n
	}
	return cmp.Or(cmp.Compare(min(number(b), 1), min(number(a), 1)), cmp.Compare(number(a), number(b)), cmp.Compare(a, b))
}

func machineFact(m *Machine) string {
	if m == nil {
		return ""
	}
	return joined(", ", joined(" ", m.OS, m.Arch), Plural(m.CPUs, "core", "cores"), m.CPU)
}

func tokenFact(tokens string) string {
	if tokens == "jwt" {
		return "JWT"
	}
	return tokens
}

func browserFact(browser string) string {
	return cmp.Or(strings.Replace(browser, "/", " ", 1), "none")
}

func (c Counts) ordered() []verdictCount {
	var out []verdictCount
	for _, v := range Verdicts() {
		if c[v] > 0 {
			out = append(out, verdictCount{v, c[v]})
		}
	}
	return out
}

// bar lays the verdicts out side by side, each wide enough to be seen.
func (c Counts) bar() []segment {
	const least = 8
	room, total := 1000.0, 0
	for _, v := range Verdicts() {
		if c[v] > 0 {
			room -= least
			total += c[v]
		}
	}
	var out []segment
	x := 0.0
	for _, v := range Verdicts() {
		if c[v] == 0 {
			continue
		}
		width := least + room*float64(c[v])/float64(total)
		out = append(out, segment{v, x, width - 3})
		x += width
	}
	return out
}

func (m Matrix) view() matrixView {
	cell := func(flow, endpoint string) matrixCell {
		counts := m.At(flow, endpoint)
		worst, _ := counts.Worst()
		return matrixCell{flow, endpoint, worst, counts.ordered()}
	}
	v := matrixView{Endpoints: m.Endpoints}
	for _, flow := range m.Flows {
		row := matrixRow{Flow: flow, Total: cell(flow, "")}
		for _, e := range m.Endpoints {
			row.Cells = append(row.Cells, cell(flow, e))
		}
		v.Rows = append(v.Rows, row)
	}
	for _, e := range append(slices.Clone(m.Endpoints), "") {
		v.Totals = append(v.Totals, cell("", e))
	}
	return v
}

func (r Result) view(open bool) requirementView {
	v := requirementView{Result: r, Open: open, Aside: r.aside()}
	var flows, endpoints []string
	for _, f := range r.Findings {
		if !slices.Contains(flows, f.Flow) {
			flows = append(flows, f.Flow)
		}
		if !slices.Contains(endpoints, f.Endpoint) {
			endpoints = append(endpoints, f.Endpoint)
		}
		fv := findingView{Finding: f, Open: open && f.Verdict == Fail, Aside: f.aside(), Deciders: decidersOf(f, r.Sentence)}
		for _, a := range f.Attachments {
			if p, ok := pictureOf(a); ok {
				fv.Pictures = append(fv.Pictures, p)
			} else if text, ok := textOf(a); ok {
				fv.Texts = append(fv.Texts, fact{a.Name, text})
			} else {
				fv.Files = append(fv.Files, a)
			}
		}
		v.Views = append(v.Views, fv)
	}
	// What decided the verdict stands first; the rest keeps its order.
	slices.SortStableFunc(v.Views, func(a, b findingView) int { return cmp.Compare(a.Verdict.rank(), b.Verdict.rank()) })
	v.Flows, v.Endpoints, v.Documents = strings.Join(flows, " "), strings.Join(endpoints, " "), strings.Join(documents(r.Source), "|")
	return v
}
