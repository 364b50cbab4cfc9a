package reports

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"flowproof/drivers/strict"
	"flowproof/suites/catalogue"
)

// waiversFile is the file as it is written.
type waiversFile struct {
	Waivers []waiverFile `json:"waivers" jsonschema:"required" mend:"write waivers: and under it a list of requirement, reason, owner and until"`
}

type waiverFile struct {
	Requirement string `json:"requirement" jsonschema:"required" mend:"write requirement: and an id (see: flowproof list requirements)"`
	Variant     string `json:"variant"`
	Reason      string `json:"reason" jsonschema:"required" mend:"say why it is accepted"`
	Owner       string `json:"owner" jsonschema:"required" mend:"say who answers for it"`
	Until       string `json:"until" jsonschema:"required" mend:"write its last day, as in until: 2026-12-31"`
}

// ReadWaivers reads a waivers file. What is wrong with it is told all at once, each mistake with its
// file:line:column and its mend.
func ReadWaivers(path string) ([]Waiver, error) {
	raw, err := readFile(path, mostWaivers)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reports: read the waivers %s: there is no such file; flowproof schema waivers shows its form: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("reports: read the waivers: %w", err)
	}
	return parseWaivers(path, raw)
}

func parseWaivers(name string, raw []byte) ([]Waiver, error) {
	var written waiversFile
	file := strict.Read(name, strict.Form{Called: "the waivers file", Least: "write waivers: and under it a list"}, raw, &written)
	var waivers []Waiver
	for i, one := range written.Waivers {
		w := Waiver{
			Requirement: strings.TrimSpace(one.Requirement), Variant: strings.TrimSpace(one.Variant), Reason: strings.TrimSpace(one.Reason),
			Owner: strings.TrimSpace(one.Owner), Until: strings.TrimSpace(one.Until),
		}
		w.check(file, strict.Item("waivers", i), waivers)
		waivers = append(waivers, w)
	}
	if err := file.Mistakes.Err(); err != nil {
		return nil, err
	}
	return waivers, nil
}

// check files what is wrong with the waiver, which stands at the path and behind the others.
func (w Waiver) check(file *strict.File, path string, others []Waiver) {
	if _, known := catalogue.ByID(w.Requirement); w.Requirement != "" && !known {
		mend := "see: flowproof list requirements"
		if near := catalogue.Nearest(w.Requirement); len(near) > 0 {
			mend = "did you mean " + strings.Join(near, " or ") + "?"
		}
		file.AtValue(path+".requirement", mend, "there is no requirement %q", w.Requirement)
	}
	if day, err := time.Parse(time.DateOnly, w.Until); w.Until != "" && (err != nil || day.Year() < 2000) {
		file.AtValue(path+".until", "write the last day as in 2026-12-31", "until: %q is no date", w.Until)
	}
	if w.Requirement != "" && slices.ContainsFunc(others, func(o Waiver) bool { return o.Requirement == w.Requirement && o.Variant == w.Variant }) {
		file.AtKey(path, "keep one of the two", "%s is waived twice", w.subject())
	}
}
