package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ProofsSchema names the version of the record.
const ProofsSchema = "flowproof/proofs/v1"

// Proofs is the record of a mutation: which requirement caught which fault of the sandbox.
type Proofs struct {
	Schema     string  `json:"schema"`
	Tool       Tool    `json:"tool"`
	Browser    string  `json:"browser,omitempty"`
	Started    string  `json:"started"` // RFC 3339, UTC
	DurationMS int64   `json:"duration_ms"`
	Partial    string  `json:"partial,omitempty"`
	Proofs     []Proof `json:"proofs"` // one a fault, in the catalogue's order
	Clean      []Spot  `json:"clean"`  // findings of sandboxes without a fault; there should be none
}

// A Proof is one fault and what the suites made of it.
type Proof struct {
	Fault       string   `json:"fault"`
	Sentence    string   `json:"sentence"` // what is wrong
	Requirement string   `json:"requirement"`
	Profile     string   `json:"profile"`
	Edition     string   `json:"edition,omitempty"`
	Clean       Verdict  `json:"clean,omitempty"`  // without the fault
	Faulty      Verdict  `json:"faulty,omitempty"` // with it; empty: not judged
	Wanted      Verdict  `json:"wanted"`           // as bad as the requirement's level allows
	Caught      bool     `json:"caught"`
	Worse       []string `json:"worse,omitempty"`     // other requirements that got worse, as the fault's row foretells
	Stowaways   []string `json:"stowaways,omitempty"` // those that it does not
	DurationMS  int64    `json:"duration_ms"`
}

// A Spot is a finding on a sandbox without a fault.
type Spot struct {
	Requirement string  `json:"requirement"`
	Profile     string  `json:"profile"`
	Edition     string  `json:"edition,omitempty"`
	Verdict     Verdict `json:"verdict"`
	Message     string  `json:"message"`
}

// Caught counts the faults that were caught.
func (p Proofs) Caught() int {
	n := 0
	for _, one := range p.Proofs {
		if one.Caught {
			n++
		}
	}
	return n
}

// Stowaways counts the requirements that got worse beside the ones that were meant.
func (p Proofs) Stowaways() int {
	n := 0
	for _, one := range p.Proofs {
		n += len(one.Stowaways)
	}
	return n
}

// Proved says whether every fault was caught, by the right requirement alone, and nothing was found without one.
func (p Proofs) Proved() bool {
	return p.Partial == "" && len(p.Proofs) > 0 && p.Caught() == len(p.Proofs) && p.Stowaways() == 0 && len(p.Clean) == 0
}

// String is the count that the summary ends with.
func (p Proofs) String() string {
	return fmt.Sprintf("caught %d of %d; stowaways %d; findings without a fault %d", p.Caught(), len(p.Proofs), p.Stowaways(), len(p.Clean))
}

// Summary writes one line for each fault that was not caught alone, one for each finding without a fault, and
// the count; all adds a line for every other fault.
func (p Proofs) Summary(w io.Writer, all bool) {
	for _, one := range p.Proofs {
		if line := one.line(); line != "" && (all || !one.Caught || len(one.Stowaways) > 0) {
			fmt.Fprintln(w, line)
		}
	}
	for _, s := range p.Clean {
		fmt.Fprintf(w, "no fault    %s %s, profile %s: %s\n", s.Verdict, s.Requirement, strings.TrimSpace(s.Profile+" "+s.Edition), oneLine(s.Message))
	}
	fmt.Fprintln(w, p)
}

func (p Proof) line() string {
	faulty := string(p.Faulty)
	if faulty == "" {
		faulty = "not judged"
	}
	switch {
	case !p.Caught && len(p.Stowaways) > 0:
		return fmt.Sprintf("not caught  %s by %s: %s where %s was due; worse instead: %s", p.Fault, p.Requirement, faulty, p.Wanted, strings.Join(p.Stowaways, ", "))
	case !p.Caught:
		return fmt.Sprintf("not caught  %s by %s: %s where %s was due", p.Fault, p.Requirement, faulty, p.Wanted)
	case len(p.Stowaways) > 0:
		return fmt.Sprintf("stowaways   %s, meant for %s, also made these worse: %s", p.Fault, p.Requirement, strings.Join(p.Stowaways, ", "))
	default:
		return fmt.Sprintf("caught      %s by %s: %s", p.Fault, p.Requirement, faulty)
	}
}

// WriteProofs writes the record as indented JSON.
func WriteProofs(w io.Writer, p Proofs) error {
	p.Schema = ProofsSchema
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(p)
}

// ReadProofs reads what WriteProofs wrote.
func ReadProofs(r io.Reader) (Proofs, error) {
	var p Proofs
	if err := json.NewDecoder(r).Decode(&p); err != nil {
		return p, fmt.Errorf("reports: read the proofs: %w", err)
	}
	if p.Schema != ProofsSchema {
		return p, fmt.Errorf("reports: read the proofs: the schema is %q, not %q", p.Schema, ProofsSchema)
	}
	return p, nil
}

// ProofsHTML writes the matrix of faults and requirements as one page, under the rules of HTML.
func ProofsHTML(w io.Writer, p Proofs) error {
	view := struct {
		frame
		Proofs []Proof
		Clean  []Spot
	}{Proofs: slices.Clone(p.Proofs), Clean: p.Clean}
	view.frame = frame{
		Kind: "proof", Title: "flowproof: the proof of the proof", Tool: p.Tool, Partial: p.Partial, Headline: p.headline(),
		Target: Target{Name: "the sandbox", URL: "once for each fault"},
		Facts: facts("Faults", Grouped(len(p.Proofs)), "Browser", p.Browser, "Started", moment(p.Started), "Took", span(p.DurationMS),
			"Made by", joined(" ", p.Tool.Name, p.Tool.Version)),
	}
	return page(w, "proofs.gohtml", view)
}

func (p Proofs) headline() headline {
	switch {
	case p.Partial != "":
		return headline{Inconclusive, "Cannot be told", "The run ended early: " + p.Partial + "."}
	case p.Proved():
		return headline{Pass, "Proved", p.String() + "."}
	default:
		return headline{Fail, "Not proved", p.String() + "."}
	}
}
