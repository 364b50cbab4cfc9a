package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// A Record is what a run, or a comparison of two, leaves: exactly one of them is set.
type Record struct {
	Conformance *Conformance
	Load        *Load
	Comparison  *Comparison
}

// Kind names the record: conformance, load or comparison; it is empty when there is none.
func (r Record) Kind() string {
	switch {
	case r.Conformance != nil && r.Load == nil && r.Comparison == nil:
		return "conformance"
	case r.Load != nil && r.Conformance == nil && r.Comparison == nil:
		return "load"
	case r.Comparison != nil && r.Conformance == nil && r.Load == nil:
		return "comparison"
	}
	return ""
}

// ExitCode is that of the record that it holds; strict makes the warnings of a check count.
func (r Record) ExitCode(strict bool) int {
	switch r.Kind() {
	case "conformance":
		return r.Conformance.ExitCode(strict)
	case "load":
		return r.Load.ExitCode()
	case "comparison":
		return r.Comparison.ExitCode()
	}
	return exitCannotClaim
}

// Summary writes the record that it holds as text.
func (r Record) Summary(w io.Writer, color bool) {
	switch r.Kind() {
	case "conformance":
		r.Conformance.Summary(w, color)
	case "load":
		r.Load.Summary(w, color)
	case "comparison":
		r.Comparison.Summary(w, color)
	}
}

// Partial is why the run ended early, and empty when it did not.
func (r Record) Partial() string {
	switch r.Kind() {
	case "conformance":
		return r.Conformance.Partial
	case "load":
		return r.Load.Partial
	}
	return ""
}

// WriteFile stores what render writes, as a whole or not at all, readable by its owner only.
func WriteFile(path string, render func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("reports: write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("reports: write %s: %w", path, errors.Join(err, ignoreClosed(file.Close()), os.Remove(file.Name())))
		}
	}()
	var whole bytes.Buffer
	if err := render(&whole); err != nil {
		return err
	}
	// os.CreateTemp makes the file with mode 0600.
	if _, err := file.Write(whole.Bytes()); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// encode writes the record as indented JSON, in which characters that act on a terminal are escaped.
func encode(w io.Writer, r Record) error {
	var value any
	switch r.Kind() {
	case "conformance":
		value = r.Conformance.whole()
	case "load":
		value = r.Load.whole()
	case "comparison":
		value = r.Comparison.whole()
	default:
		return errors.New("reports: there is no record to write")
	}
	return writeJSON(w, value)
}

func writeJSON(w io.Writer, value any) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("reports: write JSON: %w", err)
	}
	// ##name[ is a command to CI servers, wherever it stands in a log.
	_, err := w.Write(bytes.ReplaceAll(asciiControls(out.Bytes()), []byte("##"), []byte(`#\u0023`)))
	return err
}

// asciiControls escapes hidden characters as JSON does; outside strings JSON has none but line feeds.
func asciiControls(text []byte) []byte {
	if !bytes.ContainsFunc(text, hidden) {
		return text
	}
	out := make([]byte, 0, len(text)+64)
	for _, r := range string(text) {
		switch {
		case !hidden(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// whole fills in what the JSON Schema asks for, so that a list is never null.
func (c Conformance) whole() Conformance {
	c.Schema = ConformanceSchema
	results := make([]Result, len(c.Results))
	for i, r := range c.Results {
		if r.Findings == nil {
			r.Findings = []Finding{}
		}
		results[i] = r
	}
	c.Results = results
	return c
}

func (l Load) whole() Load {
	l.Schema = LoadSchema
	l.Steps = wholeSteps(l.Steps)
	if l.WarmUp != nil {
		l.WarmUp = wholeSteps(l.WarmUp)
	}
	if l.Series == nil {
		l.Series = []Second{}
	}
	if l.Plan.Grants == nil {
		l.Plan.Grants = []string{}
	}
	if l.Plan.Clients == nil {
		l.Plan.Clients = []string{}
	}
	return l
}

// Read loads a record. What is wrong with the file is said with what to do about it.
func Read(path string) (Record, error) {
	text, err := readFile(path, mostRecord)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("there is no such file; give the JSON record that flowproof check or load wrote: %w", fs.ErrNotExist)
		}
		return Record{}, fmt.Errorf("reports: read %s: %w", path, err)
	}
	r, err := decode(text)
	if err != nil {
		return Record{}, fmt.Errorf("reports: read %s: %w", path, err)
	}
	return r, nil
}

const (
	mostRecord  = 256 << 20
	mostWaivers = 2 << 20 // what is beyond 1 MiB is refused with words
)

// readFile reads a file that has an end before most bytes.
func readFile(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(text)) > most {
		return nil, fmt.Errorf("it is larger than %d MiB, which no such file is", most>>20)
	}
	return text, err
}

func decode(text []byte) (Record, error) {
	var head struct {
		Schema *string `json:"schema"`
	}
	if err := unmarshal(text, &head); err != nil {
		return Record{}, err
	}
	if head.Schema == nil {
		return Record{}, errors.New(`it is JSON but no record: it has no "schema" member; give the record that flowproof check or load wrote`)
	}
	switch *head.Schema {
	case ConformanceSchema:
		c := new(Conformance)
		if err := unmarshal(text, c); err != nil {
			return Record{}, err
		}
		return Record{Conformance: c}, c.check()
	case LoadSchema:
		l := new(Load)
		if err := unmarshal(text, l); err != nil {
			return Record{}, err
		}
		return Record{Load: l}, l.check()
	case ComparisonSchema:
		c := new(Comparison)
		if err := unmarshal(text, c); err != nil {
			return Record{}, err
		}
		return Record{Comparison: c}, c.check()
	}
	return Record{}, wrongSchema(*head.Schema)
}

func wrongSchema(schema string) error {
	for _, known := range []string{ConformanceSchema, LoadSchema, ComparisonSchema} {
		if kind := known[:strings.LastIndex(known, "/")+1]; strings.HasPrefix(schema, kind) {
			return fmt.Errorf("its schema is %q and this flowproof reads %q; use the flowproof that wrote it, or a newer one", schema, known)
		}
	}
	return fmt.Errorf("its schema %q is none of flowproof's records; give a record with %q or %q", schema, ConformanceSchema, LoadSchema)
}

func unmarshal(text []byte, into any) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return errors.New("it is empty; the run that was to write it did not finish: run it again")
	}
	err := json.Unmarshal(text, into)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(text)):
		return fmt.Errorf("it ends in the middle of the record, after %d bytes; copy it again as a whole, or run again", len(text))
	case errors.As(err, &syntax):
		return fmt.Errorf("it is not JSON (line %d: %w); give the record that flowproof check or load wrote", 1+bytes.Count(text[:syntax.Offset], []byte("\n")), err)
	case errors.As(err, &kind):
		return fmt.Errorf("line %d: %q holds a JSON %s, not what a record has there; was it edited? Render from the original, or run again",
			1+bytes.Count(text[:min(kind.Offset, int64(len(text)))], []byte("\n")), kind.Field, kind.Value)
	}
	return err
}

func (c Conformance) check() error {
	for i, r := range c.Results {
		if !r.Verdict.Known() {
			return notVerdict(fmt.Sprintf("results[%d].verdict", i), r.Verdict)
		}
		for j, f := range r.Findings {
			if !f.Verdict.Known() {
				return notVerdict(fmt.Sprintf("results[%d].findings[%d].verdict", i, j), f.Verdict)
			}
		}
	}
	return nil
}

func (l Load) check() error {
	if l.Verdict != Pass && l.Verdict != Fail && l.Verdict != Inconclusive {
		return notVerdict("verdict", l.Verdict)
	}
	for i, v := range l.Violations {
		if v.Verdict != "" && !v.Verdict.Known() {
			return notVerdict(fmt.Sprintf("violations[%d].verdict", i), v.Verdict)
		}
	}
	if l.Baseline != nil {
		if err := l.Baseline.check(); err != nil {
			return fmt.Errorf("baseline: %w", err)
		}
	}
	return nil
}

func notVerdict(where string, v Verdict) error {
	return fmt.Errorf("%s is %q, which is no verdict; was it edited? Render from the original, or run again", where, string(v))
}

func wholeSteps(steps []Step) []Step {
	out := make([]Step, len(steps))
	for i, s := range steps {
		if s.Latency.Percentiles == nil {
			s.Latency.Percentiles = map[string]float64{}
		}
		if s.Service.Percentiles == nil {
			s.Service.Percentiles = map[string]float64{}
		}
		out[i] = s
	}
	return out
}
