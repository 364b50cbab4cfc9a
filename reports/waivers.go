package reports

import (
	"fmt"
	"slices"
	"time"
)

// A Waiver accepts what a requirement's findings show, until a day.
type Waiver struct {
	Requirement string      `json:"requirement"`
	Variant     string      `json:"variant,omitempty"` // empty: every variant
	Reason      string      `json:"reason"`
	Owner       string      `json:"owner"`
	Until       string      `json:"until"`              // the last day on which it holds, such as 2026-12-31, UTC
	State       WaiverState `json:"state"`              // what became of it in the run
	Findings    int         `json:"findings,omitempty"` // that it set aside or, expired, no longer does
}

// A WaiverState is what became of a waiver.
type WaiverState string

// The states of a waiver.
const (
	WaiverUsed    WaiverState = "used"
	WaiverUnused  WaiverState = "unused"  // what it accepts was looked for and not found
	WaiverExpired WaiverState = "expired" // its last day has passed
	WaiverUntold  WaiverState = "untold"  // the run did not judge what it is about
)

// Waive sets aside the failures and warnings that the waivers accept on that day, and keeps with the record
// what became of each waiver.
func (c *Conformance) Waive(waivers []Waiver, now time.Time) {
	today := now.UTC().Format(time.DateOnly)
	for _, w := range waivers {
		w.State, w.Findings = WaiverUntold, 0
		for i := range c.Results {
			if c.Results[i].Requirement == w.Requirement {
				c.Results[i].waive(&w, today)
			}
		}
		c.Waivers = append(c.Waivers, w)
	}
}

func (r *Result) waive(w *Waiver, today string) {
	if r.Verdict.Judged() && !slices.ContainsFunc(r.Findings, func(f Finding) bool { return w.Variant == "" || w.Variant == f.Variant }) {
		w.State = WaiverUnused // the variant is called otherwise by now
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if w.Variant != "" && w.Variant != f.Variant || !f.Verdict.Judged() {
			continue
		}
		if w.State == WaiverUntold {
			w.State = WaiverUnused
		}
		if f.Verdict != Fail && f.Verdict != Warn {
			continue
		}
		w.Findings++
		if w.Until < today {
			continue
		}
		f.Waived = w.words()
	}
	switch {
	case w.Until < today:
		w.State = WaiverExpired
	case w.Findings > 0:
		w.State = WaiverUsed
	}
}

func (w Waiver) words() string {
	return fmt.Sprintf("accepted until %s by %s: %s", w.Until, w.Owner, w.Reason)
}

// subject names what the waiver is about.
func (w Waiver) subject() string {
	if w.Variant == "" {
		return w.Requirement
	}
	return w.Requirement + " (" + w.Variant + ")"
}

// remark is what its owner has to know, and empty when there is nothing.
func (w Waiver) remark() string {
	switch w.State {
	case WaiverExpired:
		if w.Findings == 0 {
			return fmt.Sprintf("The waiver of %s expired on %s, and nothing is left that it accepted: delete it.", w.subject(), w.Until)
		}
		return fmt.Sprintf("The waiver of %s expired on %s, so %s again: mend the target, or have %s agree on another date.",
			w.subject(), w.Until, Plural(w.Findings, "finding counts", "findings count"), w.Owner)
	case WaiverUnused:
		return fmt.Sprintf("The waiver of %s is unused: nothing is left that it accepts. Delete it, or it will hide the next one.", w.subject())
	case WaiverUntold:
		return fmt.Sprintf("The waiver of %s could not be told to be needed: this run did not judge it.", w.subject())
	}
	return ""
}

// stale says whether somebody has to look after the waiver.
func (w Waiver) stale() bool { return w.State == WaiverExpired || w.State == WaiverUnused }

func (c Conformance) staleWaivers() int {
	n := 0
	for _, w := range c.Waivers {
		if w.stale() {
			n++
		}
	}
	return n
}
