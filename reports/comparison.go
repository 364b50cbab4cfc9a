package reports

import (
	"errors"
	"fmt"
	"slices"
)

// ComparisonSchema names the version of the record.
const ComparisonSchema = "flowproof/comparison/v1"

// A Comparison is what two records of one kind say differently.
type Comparison struct {
	Schema    string    `json:"schema"`
	Of        string    `json:"of"` // conformance or load
	A         Side      `json:"a"`
	B         Side      `json:"b"`
	Outcome   Outcome   `json:"outcome"` // of B against A
	Reason    string    `json:"reason"`
	Method    string    `json:"method"`             // how it was found out, the statistics named
	Cautions  []string  `json:"cautions,omitempty"` // what else differs, and what cannot be told apart
	Same      int       `json:"same,omitempty"`     // requirements with the verdict that they had
	Worse     []Change  `json:"worse,omitempty"`
	Better    []Change  `json:"better,omitempty"`
	Untold    []Change  `json:"untold,omitempty"`
	Gone      []string  `json:"gone,omitempty"` // requirements judged in A and not looked at in B
	Measures  []Measure `json:"measures,omitempty"`
	Pairs     int       `json:"pairs,omitempty"`     // of runs that took turns; 0: each side is one run
	Tolerance float64   `json:"tolerance,omitempty"` // the relative difference of a measure that does not matter
}

// An Outcome is what a comparison comes to.
type Outcome string

// The outcomes, worst first.
const (
	Worse      Outcome = "worse"
	CannotTell Outcome = "cannot tell"
	Better     Outcome = "better"
	Same       Outcome = "same"
)

// Outcomes lists them all, in the order in which one settles the whole.
func Outcomes() []Outcome { return []Outcome{Worse, CannotTell, Better, Same} }

// settle is what the outcomes come to together; of none at all nothing is told.
func settle(all ...Outcome) Outcome {
	for _, o := range Outcomes() {
		if slices.Contains(all, o) {
			return o
		}
	}
	return CannotTell
}

// verdict is the outcome as the reports colour it.
func (o Outcome) verdict() Verdict {
	switch o {
	case Worse:
		return Fail
	case Better, Same:
		return Pass
	}
	return Inconclusive
}

// A Side is one of the records that are compared.
type Side struct {
	File       string   `json:"file"`
	Tool       Tool     `json:"tool"`
	Catalogue  string   `json:"catalogue,omitempty"`
	Target     Target   `json:"target"`
	Machine    *Machine `json:"machine,omitempty"`
	Started    string   `json:"started"`
	DurationMS int64    `json:"duration_ms"`
	Partial    string   `json:"partial,omitempty"`
	Plan       string   `json:"plan,omitempty"`
	Verdict    Verdict  `json:"verdict"` // of the run itself
	Word       string   `json:"word"`    // the same as people read it
}

// A Measure is one figure of two load runs.
type Measure struct {
	Name    string    `json:"name"`
	Unit    string    `json:"unit"` // µs, share, or /s
	A       float64   `json:"a"`
	B       float64   `json:"b"`
	Ratio   float64   `json:"ratio,omitempty"` // B to A, estimated over blocks; of shares the difference
	Low     float64   `json:"low,omitempty"`   // the 95 % interval of it
	High    float64   `json:"high,omitempty"`
	BlocksA int       `json:"blocks_a,omitempty"`
	BlocksB int       `json:"blocks_b,omitempty"`
	Pairs   []float64 `json:"pairs,omitempty"`   // B to A of each pair of runs, in their order
	Outcome Outcome   `json:"outcome,omitempty"` // empty: the figure is shown and nothing is claimed
	Reason  string    `json:"reason,omitempty"`  // why it cannot be told, or is not claimed
}

// Compare says what B does differently from A: better, same, worse, or that it cannot be told. Of load runs a
// relative difference up to the tolerance is none.
func Compare(a, b Record, fileA, fileB string, tolerance float64) (Comparison, error) {
	switch {
	case a.Kind() == "" || b.Kind() == "" || a.Comparison != nil || b.Comparison != nil:
		return Comparison{}, errors.New("reports: compare: give two records of a check, or two of a load run")
	case a.Kind() != b.Kind():
		return Comparison{}, fmt.Errorf("reports: compare: %s is the record of a %s and %s that of a %s; give two of one kind", fileA, a.Kind(), fileB, b.Kind())
	case !(tolerance > 0 && tolerance < 1):
		return Comparison{}, badTolerance(tolerance)
	case a.Load != nil:
		return compareLoads(*a.Load, *b.Load, fileA, fileB, tolerance), nil
	}
	return compareChecks(*a.Conformance, *b.Conformance, fileA, fileB), nil
}

func badTolerance(share float64) error {
	return fmt.Errorf("reports: compare: a tolerance of %v; give a share between 0 and 100 %%", share)
}

func (c Conformance) side(file string) Side {
	h := c.headline()
	about := c.Target
	about.Lines = nil
	return Side{File: file, Tool: c.Tool, Catalogue: c.Catalogue, Target: about, Machine: c.Machine, Started: c.Started, DurationMS: c.DurationMS, Partial: c.Partial, Verdict: h.Verdict, Word: h.Word}
}

func compareChecks(a, b Conformance, fileA, fileB string) Comparison {
	d := differences(a, b)
	out := Comparison{
		Schema: ComparisonSchema, Of: "conformance", A: a.side(fileA), B: b.side(fileB),
		Method: "Verdicts, requirement by requirement and variant by variant; what was waived counts as accepted.",
		Worse:  d.worse, Better: d.better, Untold: d.untold, Gone: d.gone,
	}
	changed := map[string]bool{}
	for _, list := range [][]Change{d.worse, d.better, d.untold} {
		for _, c := range list {
			changed[c.Requirement] = true
		}
	}
	for _, r := range b.Results {
		if !changed[r.Requirement] {
			out.Same++
		}
	}
	out.Cautions = cautions(out.A, out.B)
	if a.Only != b.Only {
		out.Cautions = append(out.Cautions, fmt.Sprintf("The runs were to look at different things: --only %q, then %q.", a.Only, b.Only))
	}
	if n := len(d.gone); n > 0 {
		out.Cautions = append(out.Cautions, Plural(n, "requirement was judged in A and not looked at in B.", "requirements were judged in A and not looked at in B."))
	}
	switch {
	case a.Target.Profile != b.Target.Profile || a.Target.Edition != b.Target.Edition:
		out.Outcome, out.Reason = CannotTell, fmt.Sprintf("A was judged by profile %s and B by profile %s.", a.Target.judged(), b.Target.judged())
		out.Worse, out.Better, out.Untold, out.Gone, out.Same = nil, nil, nil, nil, 0
	case len(d.worse) > 0:
		out.Outcome, out.Reason = Worse, Plural(requirements(d.worse), "requirement got worse", "requirements got worse")+aside(", ", len(d.better), "improved")+"."
	case a.Partial != "" || b.Partial != "":
		out.Outcome, out.Reason = CannotTell, "A run ended early: "+joined("; ", a.Partial, b.Partial)+"."
	case len(d.untold) > 0:
		out.Outcome, out.Reason = CannotTell, Plural(requirements(d.untold), "requirement that was judged in A is inconclusive in B.", "requirements that were judged in A are inconclusive in B.")
	case len(d.better) > 0:
		out.Outcome, out.Reason = Better, Plural(requirements(d.better), "requirement improved, and none got worse.", "requirements improved, and none got worse.")
	case out.Same == 0:
		out.Outcome, out.Reason = CannotTell, "Nothing was judged in both."
	default:
		out.Outcome, out.Reason = Same, Plural(out.Same, "requirement has the verdict that it had.", "requirements have the verdict that they had.")
	}
	return out
}

func aside(separator string, n int, word string) string {
	if n == 0 {
		return ""
	}
	return separator + Grouped(n) + " " + word
}

// cautions are differences beside the target that a reader has to weigh.
func cautions(a, b Side) []string {
	var out []string
	if a.Tool.Version != b.Tool.Version {
		out = append(out, fmt.Sprintf("Different versions of flowproof made the records: %s and %s.", a.Tool.Version, b.Tool.Version))
	}
	if a.Catalogue != b.Catalogue && a.Catalogue != "" && b.Catalogue != "" {
		out = append(out, fmt.Sprintf("They were judged by different catalogues: %s, and %s.", a.Catalogue, b.Catalogue))
	}
	if a.Target.Name != b.Target.Name {
		out = append(out, fmt.Sprintf("They are about different targets: %s and %s.", a.Target.Name, b.Target.Name))
	}
	return out
}

// ExitCode is 1 when B is worse, 3 when it cannot be told, and else 0.
func (c Comparison) ExitCode() int {
	switch c.Outcome {
	case Worse:
		return exitFallsShort
	case Better, Same:
		return exitHolds
	}
	return exitCannotClaim
}

func (c Comparison) check() error {
	if !slices.Contains(Outcomes(), c.Outcome) {
		return fmt.Errorf("outcome is %q, which is none; was it edited? Compare again", string(c.Outcome))
	}
	for i, change := range slices.Concat(c.Worse, c.Better, c.Untold) {
		if !change.Is.Known() || change.Was != "" && !change.Was.Known() {
			return notVerdict(fmt.Sprintf("the change %d", i+1), change.Is)
		}
	}
	return nil
}

func (c Comparison) whole() Comparison {
	c.Schema = ComparisonSchema
	return c
}
